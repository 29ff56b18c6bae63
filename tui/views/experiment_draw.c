/* The form on the screen. */
#include "tui/empty.h"
#include "tui/layout.h"
#include "tui/sheet.h"
#include "tui/views/experiment_view.h"

#include <bertty/file.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE = 120, NAME_X = 4, NAME_WIDTH = 29, ABOUT_ROWS = 5, LEAST_FORM = 8 };
enum { TALL = 18, TALLER = 30 /* rows from which a second and a third line of help have room */ };

/* How a field looks by what it is; the glyph tells without colour. */
struct mark_look {
    uint32_t glyph;
    enum role role;
};

static const struct mark_look looks[] = {
    [FORM_DEFAULT] = {.glyph = ' ', .role = ROLE_DIM},
    [FORM_SET] = {.glyph = 0x00b7, .role = ROLE_TEXT},       /* · */
    [FORM_CHANGED] = {.glyph = 0x25cf, .role = ROLE_ACCENT}, /* ● */
    [FORM_INVALID] = {.glyph = 0x2717, .role = ROLE_BAD},    /* ✗ */
};

/* Where values start in a form so wide: names give way where there is little room. */
static int value_x(int width)
{
    return width >= 2 * NAME_WIDTH + NAME_X ? NAME_X + NAME_WIDTH + 1 : width / 2;
}

/* Of the field itself, or of the last prediction. */
static const char *fault_of(const struct exp_view *s, size_t field)
{
    const char *fault = form_field_fault(s->form, field);
    bool blamed =
        s->check.fault && s->check.fault_field == field && s->check.version == form_version(s->form);
    return fault ? fault : blamed ? s->check.fault : NULL;
}

static size_t count_marks(const struct exp_view *s, size_t group, enum form_mark mark)
{
    const struct bt_option *o = bt_options(NULL);
    size_t n = 0;
    for (size_t i = group; i < BT_OPTIONS && strcmp(o[i].group, o[group].group) == 0; i++)
        n += form_field_mark(s->form, i) == mark;
    return n;
}

static void draw_heading(const struct view *v, struct rect line, size_t group)
{
    const struct exp_view *s = exp_of(v);
    struct term *t = app_term(v->app);
    const char *name = bt_options(NULL)[group].group;
    bool narrowed = s->filter || s->only_changed || s->other.x;
    term_put(t, line, 0, 0, ROLE_TITLE, narrowed || !s->folded[group] ? 0x25be : 0x25b8); /* ▾ ▸ */
    int x = 2 + term_text(t, line, 0, 2, ROLE_TITLE, name, strlen(name));
    size_t set = count_marks(s, group, FORM_SET) + count_marks(s, group, FORM_CHANGED),
           wrong = count_marks(s, group, FORM_INVALID), changed = count_marks(s, group, FORM_CHANGED);
    if (set) x += term_print(t, line, 0, x + 2, ROLE_DIM, "%zu set", set) + 2;
    if (changed) x += term_print(t, line, 0, x + 2, ROLE_ACCENT, "%zu changed", changed) + 2;
    if (wrong) term_print(t, line, 0, x + 2, ROLE_BAD, "%zu wrong", wrong);
}

/* The end of a path tells more than its beginning. */
static int draw_path(struct term *t, struct rect line, int x, enum role role, const char *path)
{
    struct bt_str part = {.data = NULL};
    size_t n = strlen(path);
    int width = bt_text_width(path, n), room = line.w - x, used;
    if (width <= room || room < 4) return term_text(t, line, 0, x, role, path, n);
    bt_str_add(&part, "…");
    bt_text_slice(&part, path, n, width - room + 1, room - 1);
    used = term_text(t, line, 0, x, role, bt_str_text(&part), part.len);
    bt_str_free(&part);
    return used;
}

/* The value as its type's widget. */
static int draw_value(const struct view *v, struct rect line, size_t field, bool here, enum role role)
{
    const struct exp_view *s = exp_of(v);
    const struct bt_option *o = &bt_options(NULL)[field];
    struct term *t = app_term(v->app);
    struct bt_str text = {.data = NULL};
    bool valid = !form_field_fault(s->form, field);
    form_show(s->form, field, &text);
    bool steps = here && o->kind != BT_OPTION_TEXT && o->kind != BT_OPTION_LIST;
    int x = 0;
    if (steps) term_put(t, line, 0, 0, ROLE_KEY, '<');
    x += 2;
    if (o->kind == BT_OPTION_BOOL && valid) {
        struct bt_str raw = {.data = NULL};
        bt_experiment_get(form_values(s->form), o, &raw);
        bool on = strcmp(bt_str_text(&raw), "true") == 0;
        x += term_text(t, line, 0, x, role, on ? "[x] " : "[ ] ", 4);
        bt_str_free(&raw);
    }
    x += form_is_path(field) ? draw_path(t, line, x, role, bt_str_text(&text))
                             : term_text(t, line, 0, x, role, bt_str_text(&text), text.len);
    if (steps) term_put(t, line, 0, x + 1, ROLE_KEY, '>');
    if (steps) x += 2;
    if (o->unit[0] && strcmp(bt_str_text(&text), "null") != 0)
        x += 1 + term_text(t, line, 0, x + 1, ROLE_DIM, o->unit, strlen(o->unit));
    bt_str_free(&text);
    return x;
}

/* Beside the value: what is wrong with it, or what the other one has. */
static void draw_beside(const struct view *v, struct rect line, size_t field, int x)
{
    const struct exp_view *s = exp_of(v);
    const char *fault = fault_of(s, field);
    struct term *t = app_term(v->app);
    if (s->other.x) {
        struct bt_str text = {.data = NULL};
        bt_experiment_get(s->other.x, &bt_options(NULL)[field], &text);
        const char *shown =
            s->other.run && form_is_path(field) ? bt_path_base(bt_str_text(&text)) : bt_str_text(&text);
        int at = x + 2 > line.w / 2 ? x + 2 : line.w / 2;
        term_put(t, line, 0, at, ROLE_DIM, 0x2190); /* ← */
        term_text(t, line, 0, at + 2, ROLE_ACCENT, shown, strlen(shown));
        bt_str_free(&text);
    } else if (fault && line.w - x > 10) {
        term_text(t, line, 0, x + 2, ROLE_BAD, fault, strlen(fault));
    } else if (line.w - x > 10) {
        struct bt_str why = {.data = NULL};
        if (!bt_option_applies(form_values(s->form), field, &why))
            term_text(t, line, 0, x + 2, ROLE_DIM, bt_str_text(&why), why.len);
        bt_str_free(&why);
    }
}

static void draw_field(const struct view *v, struct rect line, size_t field, bool here)
{
    struct exp_view *s = exp_of(v);
    struct term *t = app_term(v->app);
    const char *name = bt_options(NULL)[field].name;
    int split = value_x(line.w);
    enum form_mark mark = fault_of(s, field) ? FORM_INVALID : form_field_mark(s->form, field);
    bool idle = mark == FORM_DEFAULT && !bt_option_applies(form_values(s->form), field, NULL);
    term_put(t, line, 0, 2, looks[mark].role, idle ? '-' : looks[mark].glyph);
    term_text(t, (struct rect){.y = line.y, .x = line.x, .h = 1, .w = split - 1}, 0, NAME_X, looks[mark].role,
              name, strlen(name));
    struct rect value = {.y = line.y, .x = line.x + split, .h = 1, .w = line.w - split};
    if (value.w <= 4) return;
    if (s->edit && s->edited == field) {
        struct rect entry = {.y = value.y, .x = value.x + 2, .h = 1, .w = value.w - 2};
        term_put(t, value, 0, 0, ROLE_KEY, '=');
        edit_draw(s->edit, t, entry, ROLE_TEXT, true);
        return;
    }
    draw_beside(v, value, field, draw_value(v, value, field, here && v->focus == EXP_FORM, looks[mark].role));
}

static void draw_rows(struct view *v, struct rect r)
{
    struct exp_view *s = exp_of(v);
    struct term *t = app_term(v->app);
    s->list.at = r;
    s->list.page = r.h;
    list_resize(&s->list, s->list.n);
    size_t top = s->list.top; /* a group's first field is not shown without its heading */
    if (top > 0 && top == s->list.cursor && s->row[top - 1].field == FORM_NO_FIELD && r.h > 1) s->list.top--;
    for (int y = 0; y < r.h && s->list.top + (size_t)y < s->list.n; y++) {
        size_t row = s->list.top + (size_t)y;
        struct rect line = {.y = r.y + y, .x = r.x, .h = 1, .w = r.w};
        bool here = row == s->list.cursor;
        if (s->row[row].field == FORM_NO_FIELD)
            draw_heading(v, line, s->row[row].group);
        else
            draw_field(v, line, s->row[row].field, here);
        bool typing = s->edit && s->row[row].field == s->edited;
        if (here && !typing)
            term_paint(t, line, 0, 0, value_x(line.w) - 1,
                       v->focus == EXP_FORM ? ROLE_CURSOR : ROLE_CURSOR_IDLE);
    }
    if (s->list.n == 0) term_print(t, r, 1, 2, ROLE_DIM, "%s", "no option is like that; Esc shows all");
}

/* ── panes ── */

static void title(const struct view *v, struct bt_str *out)
{
    const struct exp_view *s = exp_of(v);
    const char *path = form_path(s->form);
    if (s->origin)
        bt_str_addf(out, "settings of %s", s->origin);
    else
        bt_str_add(out, path ? path : "not saved yet");
    if (form_dirty(s->form) && (path || s->origin)) {
        size_t n = form_changes(s->form);
        if (n)
            bt_str_addf(out, " · %zu %schange%s", n, path ? "unsaved " : "", n == 1 ? "" : "s");
        else
            bt_str_add(out, " · unsaved changes");
    }
    if (form_faults(s->form)) bt_str_addf(out, " · %zu wrong", form_faults(s->form));
    if (s->other.x) bt_str_addf(out, " · differs from %s", s->other.name ? s->other.name : "");
    if (s->filter) bt_str_addf(out, " · /%s", s->filter);
    if (s->only_changed && !s->other.x) bt_str_add(out, " · only what is set");
}

static void draw_form(struct view *v, struct rect r)
{
    struct exp_view *s = exp_of(v);
    struct bt_str text = {.data = NULL};
    title(v, &text);
    struct rect in = term_box(app_term(v->app), r, bt_str_text(&text), v->focus == EXP_FORM);
    bt_str_free(&text);
    s->form_at = in;
    draw_rows(v, in);
}

/* From line y on, over the lines before `end`; the next free one. */
static int draw_wrapped(struct term *t, struct rect in, int y, int end, enum role role, const char *text)
{
    size_t n = strlen(text), at = 0;
    while (y < end && (at < n || n == 0)) {
        size_t fit = y + 1 == end ? n - at : sheet_fit(text + at, n - at, in.w);
        term_text(t, in, y++, 0, role, text + at, fit);
        at += fit;
        if (n == 0) break;
    }
    return y;
}

static int wrapped_rows(const char *text, int width)
{
    size_t n = strlen(text), at = 0;
    int rows = 0;
    for (; at < n || rows == 0; rows++) at += n ? sheet_fit(text + at, n - at, width) : 0;
    return rows;
}

/* About the field under the cursor: what it is, what it may be, what is wrong, and what all values would lead to. */
static void draw_about(struct view *v, struct rect r)
{
    const struct exp_view *s = exp_of(v);
    struct term *t = app_term(v->app);
    size_t field = exp_field_here(v);
    const struct bt_option *o = field == FORM_NO_FIELD ? NULL : &bt_options(NULL)[field];
    struct rect in = term_box(t, r, o ? o->key : "Experiment", false);
    struct bt_str text = {.data = NULL}, last = {.data = NULL};
    enum role role = ROLE_TEXT;
    const char *fault = s->edit ? s->edit_fault : o ? fault_of(s, field) : NULL;
    if (fault)
        bt_str_add(&last, fault);
    else
        exp_summary(v, &last, &role);
    if (fault) role = ROLE_BAD;
    int below =
        role == ROLE_BAD ? wrapped_rows(bt_str_text(&last), in.w) : 1; /* what is wrong is told whole */
    if (below > in.h - 1) below = in.h > 1 ? in.h - 1 : 1;
    if (o) {
        int help = in.h - below - 1, y = draw_wrapped(t, in, 0, help > 1 ? help : 1, ROLE_TEXT, o->help);
        if (!bt_option_applies(form_values(s->form), field, &text)) bt_str_add(&text, " · ");
        form_about(field, &text);
        draw_wrapped(t, in, y, in.h - below, ROLE_DIM, bt_str_text(&text));
    }
    draw_wrapped(t, in, in.h - below, in.h, role, bt_str_text(&last));
    bt_str_free(&text);
    bt_str_free(&last);
}

static void draw_left(struct view *v, struct rect r)
{
    struct rect form = r, about = {.h = 0};
    int rows = ABOUT_ROWS + (r.h >= TALL) + (r.h >= TALLER);
    if (r.h >= LEAST_FORM + rows - 1) layout_rows(r, 1000, LEAST_FORM, rows, &form, &about);
    draw_form(v, form);
    if (about.h) draw_about(v, about);
}

static void draw_nothing(struct view *v, struct rect r)
{
    static const struct empty
        none = {.role = ROLE_TEXT,
                .missing = "There is no experiment file in experiments/ yet.",
                .advice =
                    {"o opens one from elsewhere. O starts an empty one: give it a model, training data and "
                     "the columns of text and label; L launches a run.",
                     "In a shell, make demo fetches a small model and film reviews, and starts a run on "
                     "them."}},
        looking = {.role = ROLE_DIM, .missing = "Looking into experiments/ …"};
    struct term *t = app_term(v->app);
    empty_draw(t, term_box(t, r, "Experiment", true), exp_of(v)->looking ? &looking : &none);
}

static void split_columns(struct view *v, struct rect area, struct rect *left, struct rect *right)
{
    static const struct border b = {.number = 0,
                                    .share = 560,
                                    .min_first = 70,
                                    .min_second = 44,
                                    .first = 1 << EXP_FORM,
                                    .second = 1 << EXP_TEXT | 1 << EXP_CHECK};
    app_split(v, &b, area, left, right);
}

static void split_right(struct view *v, struct rect right, struct rect *text, struct rect *check)
{
    static const struct border b = {.number = 1,
                                    .rows = true,
                                    .share = 600,
                                    .min_first = 6,
                                    .min_second = 8,
                                    .first = 1 << EXP_TEXT,
                                    .second = 1 << EXP_CHECK};
    app_split(v, &b, right, text, check);
}

void exp_draw(struct view *v, struct rect area)
{
    struct exp_view *s = exp_of(v);
    struct rect left = area, right = {.h = 0}, text, check;
    s->form_at = s->text_at = s->check_at = (struct rect){.h = 0};
    if (!s->ready) {
        draw_nothing(v, area);
        return;
    }
    exp_update_rows(v);
    bool beside = area.w >= WIDE && !v->zoom;
    if (beside) split_columns(v, area, &left, &right);
    if (beside || v->focus == EXP_FORM) draw_left(v, left);
    if (!beside) text = check = area;
    if (beside) split_right(v, right, &text, &check);
    if (beside || v->focus == EXP_TEXT) exp_draw_text(v, text);
    if (beside || v->focus == EXP_CHECK) exp_draw_check(v, check);
}

/* ── mouse ── */

static bool wheel(struct rect r, const struct event *e, int *top, int lines, int page)
{
    if (!r.h || !layout_in(r, e->y, e->x)) return false;
    int by = e->button == MOUSE_WHEEL_UP ? -3 : e->button == MOUSE_WHEEL_DOWN ? 3 : 0, most = lines - page;
    *top += by;
    if (*top > most) *top = most;
    if (*top < 0) *top = 0;
    return true;
}

static void click_field(struct view *v, const struct event *e)
{
    struct exp_view *s = exp_of(v);
    size_t row = s->list.top + (size_t)(e->y - s->form_at.y);
    if (row >= s->list.n) return;
    if (s->edit && !exp_edit_take(v)) return;
    bool again = row == s->list.cursor;
    s->list.cursor = row;
    if (s->row[row].field == FORM_NO_FIELD || (again && e->twice) ||
        (again && e->x >= s->form_at.x + value_x(s->form_at.w)))
        v->ops->act(v, ACT_ENTER, 1);
}

bool exp_mouse(struct view *v, const struct event *e)
{
    struct exp_view *s = exp_of(v);
    bool press = e->button == MOUSE_LEFT && !e->release && !e->drag;
    if (wheel(s->text_at, e, &s->text_top, (int)s->n_lines, s->text_page)) {
        if (press) v->focus = EXP_TEXT;
        return true;
    }
    if (wheel(s->check_at, e, &s->check_top, s->check_lines, s->check_page)) {
        if (press) v->focus = EXP_CHECK;
        return true;
    }
    if (!s->form_at.h || !layout_in(s->form_at, e->y, e->x)) return false;
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN) {
        list_act(&s->list, e->button == MOUSE_WHEEL_UP ? ACT_UP : ACT_DOWN, 3);
        return true;
    }
    if (press) {
        v->focus = EXP_FORM;
        if (s->edit && edit_click(s->edit, e)) return true;
        click_field(v, e);
    }
    return press;
}
