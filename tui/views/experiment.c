/* The Experiment view: a form over an experiment file, what its values would lead to, and the launch. */
#include "tui/views/experiment_view.h"

#include <stdlib.h>
#include <string.h>

/* ── rows ── */

static bool starts_group(size_t i)
{
    const struct bt_option *o = bt_options(NULL);
    return i == 0 || strcmp(o[i].group, o[i - 1].group) != 0;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool exp_same_as_other(const struct exp_view *s, size_t field)
{
    const struct bt_option *o = &bt_options(NULL)[field];
    if (bt_experiment_equal(form_values(s->form), s->other.x, o)) return true;
    if (!s->other.run) return false;
    bool found_out =
        field == BT_OPTION_run_name || field == BT_OPTION_task_labels || exp_follows(s->other.x, field);
    if (found_out && !form_values(s->form)->set[field]) return true;
    if (!form_is_path(field)) return false;
    struct bt_str a = {.data = NULL}, b = {.data = NULL};
    bt_experiment_get(form_values(s->form), o, &a);
    bt_experiment_get(s->other.x, o, &b);
    bool same = strcmp(base_of(bt_str_text(&a)), base_of(bt_str_text(&b))) == 0;
    bt_str_free(&a);
    bt_str_free(&b);
    return same;
}

static bool found(const char *filter, const struct bt_option *o)
{
    return strcasestr(o->key, filter) || strcasestr(o->help, filter);
}

static bool shown(const struct exp_view *s, size_t i)
{
    const struct bt_option *o = &bt_options(NULL)[i];
    if (s->filter && !found(s->filter, o)) return false;
    if (s->other.x) return !exp_same_as_other(s, i);
    return !s->only_changed || form_field_mark(s->form, i) != FORM_DEFAULT;
}

void exp_update_rows(struct view *v)
{
    struct exp_view *s = exp_of(v);
    bool narrowed = s->filter || s->only_changed || s->other.x;
    size_t n = 0, group = 0, heading = 0;
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        if (starts_group(i)) {
            group = i;
            heading = n;
            s->row[n++] = (struct exp_row){.group = i, .field = FORM_NO_FIELD};
        }
        if (shown(s, i) && (narrowed || !s->folded[group]))
            s->row[n++] = (struct exp_row){.group = group, .field = i};
        bool last = i + 1 == BT_OPTIONS || starts_group(i + 1);
        if (last && narrowed && n == heading + 1) n = heading; /* nothing in it */
    }
    list_resize(&s->list, n);
}

size_t exp_field_here(const struct view *v)
{
    const struct exp_view *s = exp_of(v);
    return s->list.cursor < s->list.n ? s->row[s->list.cursor].field : FORM_NO_FIELD;
}

static bool cursor_to(struct exp_view *s, size_t field)
{
    for (size_t i = 0; i < s->list.n; i++)
        if (s->row[i].field == field) {
            s->list.cursor = i;
            return true;
        }
    return false;
}

void exp_go_to(struct view *v, size_t field)
{
    struct exp_view *s = exp_of(v);
    if (field >= BT_OPTIONS) return;
    v->focus = EXP_FORM;
    if (cursor_to(s, field)) return;
    size_t group = field;
    while (!starts_group(group)) group--;
    s->folded[group] = false;
    s->only_changed = false;
    exp_other_clear(&s->other);
    free(s->filter);
    s->filter = NULL;
    exp_update_rows(v);
    cursor_to(s, field);
}

/* Rows anew with the cursor on the same field, if it is still there. */
static void keep_cursor(struct view *v)
{
    struct exp_view *s = exp_of(v);
    size_t field = exp_field_here(v);
    exp_update_rows(v);
    if (field != FORM_NO_FIELD) cursor_to(s, field);
}

void exp_say_status(struct view *v, enum bt_status st, const struct bt_error *err)
{
    if (st) app_say_error(v->app, err);
}

/* ── search ── */

static void set_filter(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct exp_view *s = exp_of(v);
    free(s->filter);
    s->filter = text && *text ? bt_strdup(text) : NULL;
    keep_cursor(v);
    if (exp_field_here(v) == FORM_NO_FIELD) list_act(&s->list, ACT_DOWN, 1);
    app_redraw(v->app);
}

static void complete_option(void *ctx, const char *before, struct bt_str *out)
{
    const struct bt_option *o = bt_options(NULL);
    (void)ctx;
    for (size_t i = 0; i < BT_OPTIONS; i++)
        if (strncmp(o[i].name, before, strlen(before)) == 0) bt_str_addf(out, "%s\n", o[i].name);
}

static void ask_search(struct view *v)
{
    struct app_prompt p = {.what = "option: ",
                           .history = "options",
                           .done = set_filter,
                           .changed = set_filter,
                           .complete = complete_option,
                           .ctx = v};
    app_ask(v->app, &p);
}

/* To the next field that is wrong, or if none is, that was changed. */
static void next_interesting(struct view *v, int by)
{
    struct exp_view *s = exp_of(v);
    enum form_mark wanted = form_faults(s->form) ? FORM_INVALID : FORM_CHANGED;
    size_t here = exp_field_here(v);
    if (here == FORM_NO_FIELD) here = s->list.n ? s->row[s->list.cursor].group : 0;
    for (size_t k = 1; k <= BT_OPTIONS; k++) {
        size_t i = (by > 0 ? here + k : here + BT_OPTIONS - k) % BT_OPTIONS;
        if (form_field_mark(s->form, i) != wanted) continue;
        exp_go_to(v, i);
        return;
    }
    app_say(v->app, ROLE_TEXT, "nothing is wrong, nothing was changed");
}

/* ── changing fields ── */

static void step(struct view *v, int by, bool coarse)
{
    struct exp_view *s = exp_of(v);
    size_t field = exp_field_here(v);
    if (field == FORM_NO_FIELD) return;
    if (!form_step(s->form, field, by, coarse) && !form_broken(s->form))
        app_say(v->app, ROLE_TEXT, "Enter types a value for %s", bt_options(NULL)[field].name);
    keep_cursor(v);
}

static void fold(struct view *v, bool folded)
{
    struct exp_view *s = exp_of(v);
    if (s->list.cursor >= s->list.n) return;
    size_t group = s->row[s->list.cursor].group;
    s->folded[group] = folded;
    exp_update_rows(v);
    for (size_t i = 0; i < s->list.n; i++)
        if (s->row[i].field == FORM_NO_FIELD && s->row[i].group == group) s->list.cursor = i;
}

static void fold_all(struct view *v)
{
    struct exp_view *s = exp_of(v);
    bool any = false;
    for (size_t i = 0; i < BT_OPTIONS; i++) any |= starts_group(i) && !s->folded[i];
    for (size_t i = 0; i < BT_OPTIONS; i++) s->folded[i] = any;
    keep_cursor(v);
}

static bool on_heading(const struct view *v)
{
    return exp_field_here(v) == FORM_NO_FIELD;
}

static bool steps_sideways(struct view *v, int action, int count)
{
    struct exp_view *s = exp_of(v);
    if (action != ACT_LEFT && action != ACT_RIGHT) return false;
    if (on_heading(v))
        fold(v, action == ACT_LEFT);
    else if (!form_broken(s->form))
        step(v, action == ACT_LEFT ? -count : count, false);
    return true;
}

static void enter(struct view *v)
{
    struct exp_view *s = exp_of(v);
    size_t field = exp_field_here(v);
    if (s->list.cursor >= s->list.n) return;
    if (field == FORM_NO_FIELD)
        fold(v, !s->folded[s->row[s->list.cursor].group]);
    else if (form_broken(s->form))
        app_say(v->app, ROLE_BAD, "%s", form_broken(s->form));
    else if (bt_options(NULL)[field].kind == BT_OPTION_BOOL ||
             bt_options(NULL)[field].kind == BT_OPTION_CHOICE)
        step(v, 1, false);
    else
        exp_edit_start(v, field);
}

static void reset(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct bt_error err;
    size_t field = exp_field_here(v);
    if (field == FORM_NO_FIELD || form_broken(s->form)) return;
    exp_say_status(v, form_reset(s->form, field, &err), &err);
    keep_cursor(v);
}

static void travel(struct view *v, bool (*how)(struct form *), const char *nothing)
{
    if (!how(exp_of(v)->form)) app_say(v->app, ROLE_TEXT, "%s", nothing);
    keep_cursor(v);
}

static void copy_value(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct bt_str text = {.data = NULL};
    size_t field = exp_field_here(v);
    if (field == FORM_NO_FIELD) return;
    bt_str_addf(&text, "%s=", bt_options(NULL)[field].key);
    bt_experiment_get(form_values(s->form), &bt_options(NULL)[field], &text);
    term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "copied: %s", bt_str_text(&text));
    bt_str_free(&text);
}

/* The other's value becomes ours. */
static void take_over(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct bt_error err;
    size_t field = exp_field_here(v), row = s->list.cursor;
    if (!s->other.x) {
        app_say(v->app, ROLE_TEXT, "d first chooses what to take values from");
        return;
    }
    if (field == FORM_NO_FIELD || form_broken(s->form)) return;
    exp_say_status(v, form_put_value(s->form, field, s->other.x, &err), &err);
    exp_update_rows(v);
    s->list.cursor = row;
    list_resize(&s->list, s->list.n);
    if (exp_field_here(v) == FORM_NO_FIELD) list_act(&s->list, ACT_DOWN, 1);
}

static bool escape(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (v->focus != EXP_FORM) {
        v->focus = EXP_FORM;
        return true;
    }
    if (!s->filter && !s->other.x && !s->only_changed) return false;
    free(s->filter);
    s->filter = NULL;
    s->only_changed = false;
    exp_other_clear(&s->other);
    keep_cursor(v);
    return true;
}

/* ── the view ── */

static bool open_view(struct view *v)
{
    struct exp_view *s = exp_of(v);
    s->form = form_new();
    s->check.fault_field = FORM_NO_FIELD;
    if (s->form) exp_update_rows(v);
    return s->form != NULL;
}

static void close_view(struct view *v)
{
    struct exp_view *s = exp_of(v);
    exp_edit_end(v);
    exp_check_clear(&s->check);
    exp_other_clear(&s->other);
    exp_pick_close(s);
    exp_file_close(s);
    exp_sweep_forget(s);
    free(s->filter);
    free(s->new_line);
    form_free(s->form);
}

static void shown_view(struct view *v)
{
    if (!exp_of(v)->ready) exp_first_file(v);
}

static void receive(struct view *v, const struct app_request *r)
{
    if (r->path)
        exp_open_path(v, r->path);
    else if (r->experiment)
        exp_clone(v, r->experiment, r->run);
    else if (r->run)
        exp_open_run(v, r->run);
    if (r->option) exp_of(v)->wanted_option = bt_option_index(r->option) + 1;
}

static void go_to_wanted(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (!s->ready || !s->wanted_option) return;
    exp_go_to(v, s->wanted_option - 1);
    s->wanted_option = 0;
    app_redraw(v->app);
}

static void tick(struct view *v, double now)
{
    exp_list_tick(v, now);
    exp_file_tick(v, now);
    exp_check_tick(v, now);
    go_to_wanted(v);
}

static bool scroll(int *top, int lines, int page, int action, int count)
{
    struct list l = {
        .n = lines > page ? (size_t)(lines - page) + 1 : 1, .cursor = (size_t)*top, .page = page};
    if (!list_act(&l, action, count)) return false;
    *top = (int)l.cursor;
    return true;
}

static bool sideways(struct exp_view *s, int action, int count)
{
    if (action != ACT_LEFT && action != ACT_RIGHT) return false;
    int to = s->text_left + (action == ACT_LEFT ? -8 : 8) * count;
    s->text_left = to < 0 ? 0 : to > 4000 ? 4000 : to;
    return true;
}

static void toggle_changed(struct view *v)
{
    struct exp_view *s = exp_of(v);
    s->only_changed = !s->only_changed;
    keep_cursor(v);
}

static void next(struct view *v)
{
    next_interesting(v, 1);
}

static void previous(struct view *v)
{
    next_interesting(v, -1);
}

static void undo(struct view *v)
{
    travel(v, form_undo, "nothing to undo");
}

static void redo(struct view *v)
{
    travel(v, form_redo, "nothing to do again");
}

struct deed {
    int action;
    void (*run)(struct view *v);
};

static const struct deed deeds[] = {
    {.action = ACT_ENTER, .run = enter},
    {.action = ACT_TOGGLE, .run = enter},
    {.action = ACT_RESET, .run = reset},
    {.action = ACT_UNDO, .run = undo},
    {.action = ACT_REDO, .run = redo},
    {.action = ACT_SEARCH, .run = ask_search},
    {.action = ACT_NEXT, .run = next},
    {.action = ACT_PREVIOUS, .run = previous},
    {.action = ACT_COPY, .run = copy_value},
    {.action = ACT_ONLY_CHANGED, .run = toggle_changed},
    {.action = ACT_DIFFERENCE, .run = exp_ask_difference},
    {.action = ACT_EDITOR, .run = exp_editor},
    {.action = ACT_SAVE, .run = exp_save},
    {.action = ACT_SAVE_AS, .run = exp_ask_save_as},
    {.action = ACT_LAUNCH, .run = exp_launch},
    {.action = ACT_QUEUE, .run = exp_queue},
    {.action = ACT_SWEEP, .run = exp_sweep},
    {.action = ACT_OPEN, .run = exp_ask_open},
    {.action = ACT_FOLD, .run = fold_all},
    {.action = ACT_FRESH, .run = exp_fresh},
    {.action = ACT_TAKE, .run = take_over},
};

static bool act(struct view *v, int action, int count)
{
    struct exp_view *s = exp_of(v);
    if (v->focus == EXP_TEXT && sideways(s, action, count)) return true;
    if (v->focus == EXP_TEXT && scroll(&s->text_top, (int)s->n_lines, s->text_page, action, count))
        return true;
    if (v->focus == EXP_CHECK && scroll(&s->check_top, s->check_lines, s->check_page, action, count))
        return true;
    if (v->focus == EXP_FORM && (list_act(&s->list, action, count) || steps_sideways(v, action, count)))
        return true;
    if (action == ACT_MORE || action == ACT_LESS) {
        step(v, action == ACT_MORE ? count : -count, true);
        return true;
    }
    if (action == ACT_ESCAPE) return escape(v);
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (deeds[i].action != action) continue;
        deeds[i].run(v);
        return true;
    }
    return false;
}

static const struct action actions[] = {
    {.id = ACT_TOGGLE,
     .name = "toggle",
     .keys = "Space",
     .help = "switch, next choice, fold, edit",
     .group = "Fields"},
    {.id = ACT_LEFT,
     .name = "less",
     .keys = "h Left",
     .help = "less, the choice before; fold",
     .group = "Fields"},
    {.id = ACT_RIGHT,
     .name = "more",
     .keys = "l Right",
     .help = "more, the next choice; unfold",
     .group = "Fields"},
    {.id = ACT_LESS, .name = "much-less", .keys = "-", .help = "much less (1-2-5, half)", .group = "Fields"},
    {.id = ACT_MORE,
     .name = "much-more",
     .keys = "+",
     .help = "much more (1-2-5, double)",
     .group = "Fields"},
    {.id = ACT_RESET, .name = "reset", .keys = "r", .help = "back to the default", .group = "Fields"},
    {.id = ACT_UNDO, .name = "undo", .keys = "u", .help = "undo", .group = "Fields"},
    {.id = ACT_REDO, .name = "redo", .keys = "Ctrl-r", .help = "do it again", .group = "Fields"},
    {.id = ACT_FOLD, .name = "fold", .keys = "f", .help = "fold all groups, or none", .group = "Fields"},
    {.id = ACT_ONLY_CHANGED,
     .name = "only-changed",
     .keys = "c",
     .help = "only what is set, or all",
     .group = "Fields"},
    {.id = ACT_DIFFERENCE,
     .name = "difference",
     .keys = "d",
     .help = "compare with a file or run",
     .group = "Fields"},
    {.id = ACT_TAKE, .name = "take", .keys = "t", .help = "comparing: take their value", .group = "Fields"},
    {.id = ACT_SAVE, .name = "save", .keys = "w", .help = "save; comments and order stay", .group = "File"},
    {.id = ACT_SAVE_AS, .name = "save-as", .keys = "W", .help = "save under another name", .group = "File"},
    {.id = ACT_OPEN, .name = "open", .keys = "o", .help = "open another experiment", .group = "File"},
    {.id = ACT_FRESH, .name = "new", .keys = "O", .help = "start an empty experiment", .group = "File"},
    {.id = ACT_EDITOR, .name = "editor", .keys = "e", .help = "the text in $EDITOR", .group = "File"},
    {.id = ACT_LAUNCH, .name = "launch", .keys = "L", .help = "launch a run as it stands", .group = "File"},
    {.id = ACT_QUEUE, .name = "queue", .keys = "Q", .help = "queue a run as it stands", .group = "File"},
    {.id = ACT_SWEEP,
     .name = "sweep",
     .keys = "S",
     .help = "begin the study of the text's sweep section",
     .group = "File"},
};

static const struct bt_experiment *edited(const struct view *v, uint64_t *version)
{
    const struct form *f = exp_of(v)->form;
    *version = 2 * form_version(f) + form_dirty(f) + 1;
    return form_dirty(f) && !form_broken(f) ? form_values(f) : NULL;
}

static bool unsaved(struct view *v)
{
    return exp_worth_keeping(exp_of(v));
}

static void hints(struct view *v, struct bt_str *out)
{
    const struct exp_view *s = exp_of(v);
    if (s->edit)
        bt_str_addf(out, "Enter take over  Esc leave as it was%s",
                    form_is_path(s->edited) ? "  Tab complete" : "");
    else if (!s->ready)
        bt_str_add(out, "o open");
    else if (v->focus != EXP_FORM)
        bt_str_addf(out, "↑↓ scroll  Tab %s  Esc form  e editor  w save  L launch",
                    v->focus == EXP_TEXT ? "what it would take" : "form");
    else if (s->other.x)
        bt_str_add(out, "t take the other's value  u undo  Esc all options");
    else
        bt_str_addf(out, "Enter edit  ←→ -+ steps  r reset  u undo  / search  %sL launch  Q queue  Tab text",
                    form_dirty(s->form) ? "w save  " : "o open  ");
}

static const struct action signs[] = {
    {.keys = "·", .help = "set in the file"},
    {.keys = "●", .help = "changed, not saved yet"},
    {.keys = "✗", .help = "wrong: the line says why"},
    {.keys = "-",
     .help = "unused with the task, optimiser or adapter that is chosen: the line says which use it"},
    {.keys = "…", .help = "of the prediction: of the values before, until the new ones are known"},
    {.keys = NULL},
};

static bool typing(const struct view *v)
{
    const struct exp_view *s = v->state;
    return s->edit != NULL;
}

const struct view_ops view_experiment = {
    .name = "Experiment",
    .size = sizeof(struct exp_view),
    .panes = EXP_PANES,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .signs = signs,
    .open = open_view,
    .close = close_view,
    .shown = shown_view,
    .receive = receive,
    .draw = exp_draw,
    .act = act,
    .key = exp_edit_key,
    .typing = typing,
    .mouse = exp_mouse,
    .tick = tick,
    .hints = hints,
    .autosave = exp_autosave,
    .unsaved = unsaved,
    .edited = edited,
};
