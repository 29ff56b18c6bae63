/* What the workbench keeps between starts. */
#include "tests/fuzz/fuzz.h"

#include "tui/app_private.h"
#include "tui/views/predictions_view.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct app *new_app(const char *dir)
{
    struct app *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    for (int i = 0; i < VIEWS; i++) {
        struct view *v = &a->view[i];
        *v = (struct view){.ops = view_table((enum view_id)i), .app = a};
        a->from[i] = -1;
        if (!v->ops->restore || !(v->state = calloc(1, v->ops->size))) continue;
        a->opened[i] = true;
        if (v->ops->open && !v->ops->open(v)) fuzz_broken("a view that does not open");
    }
    a->runs.dir = bt_strdup(dir);
    return a;
}

static void free_app(struct app *a)
{
    for (int i = 0; i < VIEWS; i++) {
        struct view *v = &a->view[i];
        if (a->opened[i] && v->ops->close) v->ops->close(v);
        free(v->state);
    }
    history_free(a->history);
    runs_free(a);
    bt_json_free(a->kept);
    free(a->message);
    free(a);
}

/* The session that another workbench writes down that was given this one. */
static void written_again(const struct bt_str *kept, const char *dir, int front, struct bt_str *out)
{
    struct bt_error why = {.status = BT_OK};
    struct app *a = new_app(dir);
    if (!a) return;
    a->kept = bt_json_parse(bt_str_text(kept), kept->len, "again", &why);
    if (!a->kept) fuzz_broken(why.text);
    session_restore(a);
    a->front = front;
    session_write(a, out);
    free_app(a);
}

/* What was restored is kept, and kept again is the same: only the histories change their order, which two turns give back. Behind the first
 * one, which may drop what says nothing. */
static void judge(const struct app *a, const char *dir)
{
    enum { TURNS = 4 };
    struct bt_str text[TURNS] = {{0}};
    session_write(a, &text[0]);
    for (int i = 0; i + 1 < TURNS; i++) written_again(&text[i], dir, a->front, &text[i + 1]);
    if (strcmp(bt_str_text(&text[1]), bt_str_text(&text[3])) != 0) {
        fprintf(stderr, "%s\n%s\n", bt_str_text(&text[1]), bt_str_text(&text[3]));
        fuzz_broken("another session than the one that was kept");
    }
    for (int i = 0; i < TURNS; i++) bt_str_free(&text[i]);
}

static enum bt_status read_session(const char *path, const char *dir, const char *text, size_t n,
                                   struct bt_error *err)
{
    (void)path;
    struct bt_json *kept = bt_json_parse(text, n, "session.json", err);
    if (!kept) return err->status;
    struct app *a = new_app(dir);
    if (a) {
        a->kept = kept;
        session_restore(a);
        if (a->kept_view >= VIEWS) fuzz_broken("a view that there is not");
        const struct pred_view *rows = a->view[VIEW_PREDICTIONS].state;
        if (rows && rows->kind > BT_ROWS_MASKS) fuzz_broken("rows of a kind that there is not");
        judge(a, dir);
        free_app(a);
    }
    return BT_OK;
}

const struct fuzz_target fuzz_session[] = {
    {.name = "session",
     .sources = "tui/app_session.c tui/views/*_keep.c tui/views/probe_kept.c",
     .read = read_session},
    {.name = NULL}};
