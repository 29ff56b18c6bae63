/* The workbench's beginning and end: what it is made of, whatever it is drawn on. */
#include "tui/app_private.h"
#include <stdlib.h>
#include <string.h>

enum bt_status app_new(const struct app_options *o, struct app **out, struct bt_error *err)
{
    struct app *a = *out = calloc(1, sizeof *a);
    if (!a) return bt_fail(err, BT_NOMEM, "the workbench");
    for (int i = 0; i < VIEWS; i++) {
        a->view[i] = (struct view){.ops = view_table((enum view_id)i), .app = a};
        a->from[i] = -1;
    }
    state_load(a);
    enum bt_status status = theme_begin(a, o->theme, err);
    if (status == BT_OK) status = keymap_load(&a->keys, err);
    if (status != BT_OK) return status;
    if (!(a->tasks = tasks_new()) || !(a->runs.dir = bt_strdup(o->runs_dir)))
        return bt_fail(err, BT_NOMEM, "the workbench");
    session_load(a);
    return BT_OK;
}

static void close_views(struct app *a)
{
    for (int i = 0; i < VIEWS; i++) {
        struct view *v = &a->view[i];
        if (!a->opened[i]) continue;
        if (v->ops->close) v->ops->close(v);
        free(v->state);
    }
}

void app_free(struct app *a)
{
    if (!a) return;
    if (a->overlay) a->overlay->drop(a); /* it answers the view that has asked */
    if (!tasks_stop(a->tasks)) return;   /* what still runs needs it; the process is about to end */
    a->tasks = NULL;
    close_views(a);
    history_free(a->history);
    runs_free(a);
    keymap_free(a->keys);
    theme_free(a->theme);
    bt_json_free(a->kept);
    free(a->kept_theme);
    free(a->message);
    free(a);
}
