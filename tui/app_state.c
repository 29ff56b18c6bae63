/* What is kept between starts: the chosen theme, the marks, typed lines. ~/.local/state/bertty/state.json; nobody else reads it, and a damaged one is as
 * good as none. */
#include "tui/app_private.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STATE_BYTES = 1 << 20, MAX_KEPT_LINES = 50 };

static bool forgetful; /* set before anything else is done */

void state_forget(void)
{
    forgetful = true;
}

char *app_state_dir(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (forgetful) return NULL;
    if (state && state[0] == '/') return bt_path_join(state, "bertty");
    return home && *home ? bt_path_join(home, ".local/state/bertty") : NULL;
}

static char *state_path(void)
{
    char *dir = app_state_dir(), *path = dir ? bt_path_join(dir, "state.json") : NULL;
    free(dir);
    return path;
}

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

void state_load(struct app *a)
{
    char *path = state_path();
    struct bt_json *root = path ? bt_json_load(path, MAX_STATE_BYTES, NULL) : NULL;
    if (root) {
        a->kept_theme = bt_strdup(bt_json_text(bt_json_get(root, "theme"), NULL));
        read_marks(a, bt_json_get(root, "marks"));
        read_history(a, bt_json_get(root, "history"));
    }
    bt_json_free(root);
    free(path);
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

static void write_all(const struct app *a, struct bt_str *out)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    if (a->kept_theme) bt_jw_ktext(&w, "theme", a->kept_theme);
    bt_jw_key(&w, "marks");
    bt_jw_array(&w);
    for (size_t i = 0; i < a->runs.n_marks; i++) bt_jw_text(&w, a->runs.mark[i]);
    bt_jw_end_array(&w);
    write_history(&w, a->history);
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
}

void state_save(struct app *a)
{
    bool nothing = !a->kept_theme && !a->runs.n_marks && !a->history;
    char *path = state_path(), *dir = bt_strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;
    struct bt_str out = {0};
    if (slash && (!nothing || bt_path_exists(path))) {
        *slash = '\0';
        write_all(a, &out);
        if (!out.failed && bt_mkdirs(dir, NULL) == BT_OK) bt_file_replace(path, out.data, out.len, NULL);
    }
    bt_str_free(&out);
    free(dir);
    free(path);
}
