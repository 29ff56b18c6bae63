/* What belongs to one runs directory: the view in front, the chosen run, the marks, typed lines, and what each view keeps of itself. */
#include "tui/app_private.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_KEPT_LINES = 50 };

/* ── reading ── */

static void read_marks(struct app *a, const struct bt_json *marks)
{
    for (size_t i = 0; i < bt_json_len(marks); i++) {
        const char *dir = bt_json_text(bt_json_at(marks, i), NULL);
        if (dir) app_mark(a, dir, true);
    }
}

static void read_history(struct app *a, const struct bt_json *all)
{
    for (const void *it = bt_json_first(all); it; it = bt_json_next(all, it)) {
        const struct bt_json *lines = bt_json_value(it);
        for (size_t i = 0; i < bt_json_len(lines); i++)
            history_add(a, bt_json_key(it), bt_json_text(bt_json_at(lines, i), ""));
    }
}

static const struct bt_json *kept_of(const struct app *a, const struct view_ops *ops)
{
    return bt_json_get(bt_json_get(a->kept, "views"), ops->name);
}

static int within(int64_t value, int least, int most)
{
    return value < least || value > most ? least : (int)value;
}

void session_restore_view(struct app *a, struct view *v)
{
    const struct bt_json *kept = kept_of(a, v->ops), *panes = bt_json_get(kept, "panes");
    v->zoom = bt_json_bool(bt_json_get(kept, "zoom"), false);
    v->focus = !v->zoom ? 0
                        : within(bt_json_int(bt_json_get(kept, "focus"), 0), 0,
                                 v->ops->panes > 0 ? v->ops->panes - 1 : 0);
    for (size_t i = 0; i < VIEW_BORDERS; i++)
        v->share[i] = within(bt_json_int(bt_json_at(panes, i), 0), 0, 1000);
    if (v->ops->restore) v->ops->restore(v, bt_json_get(kept, "own"));
}

void session_restore(struct app *a)
{
    const char *run = bt_json_text(bt_json_get(a->kept, "run"), NULL);
    const char *front = bt_json_text(bt_json_get(a->kept, "view"), "");
    read_marks(a, bt_json_get(a->kept, "marks"));
    read_history(a, bt_json_get(a->kept, "history"));
    if (run) app_choose_run(a, run);
    a->runs.chosen_seen = run != NULL; /* if it is gone, another takes its place */
    if (view_named(front, &a->kept_view, NULL) != BT_OK) a->kept_view = VIEW_RUNS;
    for (int i = 0; i < VIEWS; i++)
        if (a->opened[i]) session_restore_view(a, &a->view[i]);
}

/* ── writing ── */

static void write_history(struct bt_json_writer *w, const struct history *h)
{
    bt_jw_key(w, "history");
    bt_jw_object(w);
    for (; h; h = h->next) {
        bt_jw_key(w, h->name);
        bt_jw_array(w);
        for (size_t i = h->n > MAX_KEPT_LINES ? h->n - MAX_KEPT_LINES : 0; i < h->n; i++)
            bt_jw_text(w, h->line[i]);
        bt_jw_end_array(w);
    }
    bt_jw_end_object(w);
}

static void write_view(struct bt_json_writer *w, const struct view *v)
{
    bt_jw_object(w);
    bt_jw_kint(w, "focus", v->focus);
    bt_jw_kbool(w, "zoom", v->zoom);
    bt_jw_key(w, "panes");
    bt_jw_array(w);
    for (int i = 0; i < VIEW_BORDERS; i++) bt_jw_int(w, v->share[i]);
    bt_jw_end_array(w);
    bt_jw_key(w, "own");
    bt_jw_object(w);
    if (v->ops->keep) v->ops->keep(v, w);
    bt_jw_end_object(w);
    bt_jw_end_object(w);
}

/* What was not opened this time is kept as it was; unless it is nested as we never write it. */
static void write_views(const struct app *a, struct bt_json_writer *w)
{
    bt_jw_key(w, "views");
    bt_jw_object(w);
    for (int i = 0; i < VIEWS; i++) {
        const struct view *v = &a->view[i];
        const struct bt_json *kept = kept_of(a, v->ops);
        if (!a->opened[i] && !kept) continue;
        bt_jw_key(w, v->ops->name);
        if (a->opened[i])
            write_view(w, v);
        else
            bt_jw_value(w, kept);
    }
    bt_jw_end_object(w);
}

/* The newest one is chosen anyway, and then a newer one. */
static const char *chosen_by_user(const struct app *a)
{
    const struct bt_run_list *list = app_runs(a);
    bool newest = a->runs.chosen && list->n && strcmp(list->run[0].dir, a->runs.chosen) == 0;
    return newest ? NULL : a->runs.chosen;
}

void session_write(const struct app *a, struct bt_str *out)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "version", STATE_VERSION);
    bt_jw_ktext(&w, "runs", a->runs.dir);
    bt_jw_ktext(&w, "view", a->view[a->front].ops->name);
    bt_jw_ktext(&w, "run", chosen_by_user(a));
    bt_jw_key(&w, "marks");
    bt_jw_array(&w);
    for (size_t i = 0; i < a->runs.n_marks; i++) bt_jw_text(&w, a->runs.mark[i]);
    bt_jw_end_array(&w);
    write_history(&w, a->history);
    write_views(a, &w);
    bt_jw_end_object(&w);
}
