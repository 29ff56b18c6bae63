/* Typing a value into a field of the form. */
#include "tui/views/experiment_view.h"

#include <bertty/hub.h>
#include <stdlib.h>
#include <string.h>

void exp_edit_end(struct view *v)
{
    struct exp_view *s = exp_of(v);
    edit_free(s->edit);
    free(s->edit_fault);
    s->edit = NULL;
    s->edit_fault = NULL;
}

void exp_edit_start(struct view *v, size_t field)
{
    struct exp_view *s = exp_of(v);
    struct bt_str text = {.data = NULL};
    exp_edit_end(v);
    form_typed(s->form, field, &text);
    s->edit = edit_new(false);
    s->edited = field;
    if (s->edit) edit_set(s->edit, bt_str_text(&text));
    bt_str_free(&text);
}

bool exp_edit_take(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct bt_error err = {.status = BT_OK};
    if (form_put(s->form, s->edited, edit_text(s->edit), &err)) {
        free(s->edit_fault);
        s->edit_fault = bt_strdup(err.text);
        return false;
    }
    size_t field = s->edited;
    exp_edit_end(v);
    exp_update_rows(v);
    for (size_t i = 0; i < s->list.n; i++)
        if (s->row[i].field == field) s->list.cursor = i;
    const char *fault = form_field_fault(s->form, field);
    if (fault) app_say(v->app, ROLE_BAD, "%s: %s", bt_options(NULL)[field].key, fault);
    return true;
}

/* ── completion of paths and names: the directories are read by a task ── */

struct completion {
    struct view *v;
    size_t field;
    char *before; /* the whole entry up to the cursor */
    size_t from;  /* where the path starts in it */
    struct bt_str found;
};

static void run_completion(void *ctx, const atomic_bool *cancel)
{
    struct completion *c = ctx;
    (void)cancel;
    exp_complete_path(c->before + c->from, &c->found);
    if (c->field == BT_OPTION_model_name_or_path) bt_hub_list(c->before + c->from, &c->found);
}

/* Bytes that all lines have in common. */
static size_t common_start(const char *lines, size_t *n_lines)
{
    size_t common = strcspn(lines, "\n");
    *n_lines = 0;
    for (const char *p = lines; *p;) {
        size_t n = strcspn(p, "\n"), same = 0;
        while (same < n && same < common && p[same] == lines[same]) same++;
        common = same;
        (*n_lines)++;
        p += n + (p[n] == '\n');
    }
    return common;
}

static void show_candidates(struct view *v, const char *lines)
{
    struct bt_str text = {.data = NULL};
    for (const char *p = lines; *p && text.len < 300;) {
        size_t n = strcspn(p, "\n"), start = n > 1 ? n - 1 : 0;
        while (start > 0 && p[start - 1] != '/') start--;
        bt_str_addf(&text, "%.*s  ", (int)(n - start), p + start);
        p += n + (p[n] == '\n');
    }
    app_say(v->app, ROLE_TEXT, "%s", bt_str_text(&text));
    bt_str_free(&text);
}

static void completed(void *ctx, bool cancelled)
{
    struct completion *c = ctx;
    struct exp_view *s = exp_of(c->v);
    const char *lines = bt_str_text(&c->found);
    size_t have = strlen(c->before + c->from), n;
    bool current = !cancelled && s->edit && s->edited == c->field &&
                   strncmp(edit_text(s->edit), c->before, strlen(c->before)) == 0;
    if (current) {
        size_t common = common_start(lines, &n);
        if (common > have) edit_insert(s->edit, lines + have, common - have);
        if (n == 0)
            app_say(c->v->app, ROLE_TEXT, "nothing starts like that");
        else if (n > 1)
            show_candidates(c->v, lines);
        app_redraw(c->v->app);
    }
    bt_str_free(&c->found);
    free(c->before);
    free(c);
}

static void complete(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct completion *c = calloc(1, sizeof *c);
    if (!c) return;
    c->v = v;
    c->field = s->edited;
    c->before = bt_strndup(edit_text(s->edit), edit_cursor(s->edit));
    if (c->before && bt_options(NULL)[s->edited].kind == BT_OPTION_LIST) {
        const char *comma = strrchr(c->before, ',');
        c->from = comma ? (size_t)(comma - c->before) + 1 : 0;
        c->from += strspn(c->before + c->from, " [");
    }
    struct app_task t = {.run = run_completion, .done = completed, .ctx = c, .owner = &s->edited};
    if (c->before && app_submit(v->app, &t)) return;
    free(c->before);
    free(c);
}

bool exp_edit_key(struct view *v, const struct event *e)
{
    struct exp_view *s = exp_of(v);
    bool changed = false;
    if (!s->edit || (e->kind != EVENT_KEY && e->kind != EVENT_PASTE)) return false;
    if (e->kind == EVENT_KEY && e->key >= KEY_CODE_F1 && e->key <= KEY_CODE_F12) return false;
    if (e->kind == EVENT_KEY && !e->alt) {
        switch (e->key) {
        case KEY_CODE_ESCAPE:
        case KEY_CTRL('c'):
        case KEY_CTRL('g'):
            exp_edit_end(v);
            return true;
        case KEY_CODE_ENTER:
            exp_edit_take(v);
            return true;
        case KEY_CODE_TAB:
            if (form_is_path(s->edited)) complete(v);
            return true;
        case KEY_CODE_UP:
        case KEY_CODE_DOWN:
            if (exp_edit_take(v)) list_act(&s->list, e->key == KEY_CODE_UP ? ACT_UP : ACT_DOWN, 1);
            return true;
        default:
            break;
        }
    }
    if (edit_key(s->edit, e, &changed) && changed) {
        free(s->edit_fault);
        s->edit_fault = NULL;
    }
    return true;
}
