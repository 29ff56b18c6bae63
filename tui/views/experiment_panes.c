/* Beside the form: the text as it will be saved, and what the values would lead to. */
#include "tui/format.h"
#include "tui/views/experiment_view.h"

#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── text ── */

static void find_new_lines(struct exp_view *s)
{
    size_t n, saved_n;
    const char *text = form_text(s->form, &n), *saved = form_saved_text(s->form, &saved_n);
    if (s->new_line && s->lines_version == form_version(s->form)) return;
    s->n_lines = form_count_lines(text, n);
    bool *flag = realloc(s->new_line, (s->n_lines + 1) * sizeof *flag);
    if (!flag) {
        s->n_lines = 0;
        return;
    }
    s->new_line = flag;
    memset(flag, 0, (s->n_lines + 1) * sizeof *flag);
    (void)form_new_lines(saved, saved_n, text, n, flag);
    s->lines_version = form_version(s->form);
}

/* The line of the field under the cursor, from 0; −1: it has none. */
static int line_here(const struct view *v)
{
    size_t field = exp_field_here(v);
    return field == FORM_NO_FIELD ? -1 : (int)form_values(exp_of(v)->form)->line[field] - 1;
}

static void follow_field(struct view *v, int rows)
{
    struct exp_view *s = exp_of(v);
    int here = line_here(v), most = (int)s->n_lines - rows;
    if (v->focus == EXP_FORM && here >= 0 && (here < s->text_top || here >= s->text_top + rows))
        s->text_top = here - rows / 2;
    if (s->text_top > most) s->text_top = most;
    if (s->text_top < 0) s->text_top = 0;
}

static void draw_line(const struct view *v, struct rect in, int y, size_t number, const char *text, size_t n)
{
    const struct exp_view *s = exp_of(v);
    struct term *t = app_term(v->app);
    const char *hash = memchr(text, '#', n);
    bool comment = hash && strspn(text, " ") == (size_t)(hash - text), fresh = s->new_line[number];
    term_print(t, in, y, 0, ROLE_DIM, "%3zu", number + 1);
    if (fresh) term_put(t, in, y, 3, ROLE_ACCENT, '+');
    struct bt_str part = {.data = NULL};
    if (s->text_left) bt_text_slice(&part, text, n, s->text_left, in.w);
    term_text(t, in, y, 5,
              fresh     ? ROLE_ACCENT
              : comment ? ROLE_DIM
                        : ROLE_TEXT,
              s->text_left ? bt_str_text(&part) : text, s->text_left ? part.len : n);
    bt_str_free(&part);
    if ((int)number == line_here(v) && v->focus == EXP_FORM) term_paint(t, in, y, 0, in.w, ROLE_CURSOR_IDLE);
}

void exp_draw_text(struct view *v, struct rect r)
{
    struct exp_view *s = exp_of(v);
    struct rect in = term_box(app_term(v->app), r,
                              form_dirty(s->form) ? "Text as it will be saved · + new" : "Text of the file",
                              v->focus == EXP_TEXT);
    size_t n, number = 0;
    const char *p = form_text(s->form, &n), *end = p + n;
    s->text_at = in;
    s->text_page = in.h;
    find_new_lines(s);
    follow_field(v, in.h);
    if (n == 0) term_print(app_term(v->app), in, 0, 1, ROLE_DIM, "%s", "empty: all defaults");
    while (p < end && number < s->n_lines) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t length = newline ? (size_t)(newline - p) : (size_t)(end - p);
        int y = (int)number - s->text_top;
        if (y >= 0 && y < in.h) draw_line(v, in, y, number, p, length);
        p += length + 1;
        number++;
    }
}

/* ── prediction ── */

static void mib(struct bt_str *out, double v)
{
    if (v >= 1024.0)
        bt_str_addf(out, "%.1f GiB", v / 1024.0);
    else
        bt_str_addf(out, "%.0f MiB", v);
}

static bool current(const struct exp_view *s)
{
    return s->check.version == form_version(s->form);
}

void exp_summary(const struct view *v, struct bt_str *out, enum role *role)
{
    const struct exp_view *s = exp_of(v);
    const struct bt_check *c = s->check.result;
    *role = ROLE_DIM;
    if (form_faults(s->form)) {
        *role = ROLE_BAD;
        bt_str_addf(out, "%zu wrong: n goes there · ", form_faults(s->form));
        bt_str_add(out, form_fault(s->form, 0).text);
    } else if (!current(s) && (!c || s->check.fault)) {
        bt_str_add(out, "reading the data …");
    } else if (s->check.fault) {
        *role = ROLE_BAD;
        bt_str_add(out, s->check.fault);
    } else if (c) {
        *role = ROLE_TEXT;
        format_count(out, c->train_rows);
        bt_str_add(out, " rows · ");
        format_count(out, c->steps);
        bt_str_add(out, " steps · ");
        if (!isnan(c->seconds)) {
            bt_str_add(out, "about ");
            format_duration(out, c->seconds);
            bt_str_add(out, " · ");
        }
        mib(out, c->memory_mib);
        bt_str_addf(out, " · %lld cut", (long long)c->truncated);
        if (c->n_warnings) bt_str_addf(out, " · %zu warning%s", c->n_warnings, c->n_warnings == 1 ? "" : "s");
        if (!current(s))
            bt_str_add(out, " …"); /* of the values before: what stands there stays until it is known anew */
    }
}

struct page {
    struct term *t;
    struct rect r;
    int y, top;
};

static void put_line(struct page *p, enum role role, const char *name, const char *text, size_t n)
{
    int y = p->y - p->top;
    enum { TEXT_X = 10 };
    if (y >= 0 && y < p->r.h) {
        if (name) term_text(p->t, p->r, y, 0, ROLE_DIM, name, strlen(name));
        term_text(p->t, p->r, y, name ? TEXT_X : 0, role, text, n);
    }
    p->y++;
}

static void put(struct page *p, enum role role, const char *name, struct bt_str *text)
{
    put_line(p, role, name, bt_str_text(text), text->len);
    bt_str_clear(text);
}

/* A message over as many lines as it needs. */
static void put_wrapped(struct page *p, enum role role, const char *text)
{
    size_t n = strlen(text), width = p->r.w > 4 ? (size_t)p->r.w : 4;
    while (n > width) {
        size_t cut = width;
        while (cut > width / 2 && text[cut] != ' ') cut--;
        if (text[cut] != ' ') cut = width;
        while (cut > 1 && ((unsigned char)text[cut] & 0xc0) == 0x80) cut--;
        put_line(p, role, NULL, text, cut);
        text += cut + (text[cut] == ' ');
        n = strlen(text);
    }
    put_line(p, role, NULL, text, n);
}

static void put_faults(struct page *p, const struct exp_view *s)
{
    struct bt_str text = {.data = NULL};
    for (size_t i = 0; i < form_faults(s->form); i++) {
        struct form_fault f = form_fault(s->form, i);
        bt_str_clear(&text);
        bt_str_add(&text, "✗ ");
        if (f.line) bt_str_addf(&text, "line %u: ", f.line);
        if (f.field != FORM_NO_FIELD) bt_str_addf(&text, "%s: ", bt_options(NULL)[f.field].key);
        bt_str_add(&text, f.text);
        put_wrapped(p, ROLE_BAD, bt_str_text(&text));
    }
    bt_str_free(&text);
}

static void put_rows(struct page *p, const struct bt_check *c, struct bt_str *text)
{
    format_count(text, c->train_rows);
    bt_str_add(text, " train · ");
    format_count(text, c->dev_rows);
    bt_str_add(text, " validation");
    if (c->test_rows) {
        bt_str_add(text, " · ");
        format_count(text, c->test_rows);
        bt_str_add(text, " test");
    }
    put(p, ROLE_TEXT, "rows", text);
    format_count(text, c->steps);
    bt_str_add(text, ", ");
    format_count(text, c->steps_per_epoch);
    bt_str_add(text, " an epoch");
    put(p, ROLE_TEXT, "steps", text);
    format_count(text, c->train_tokens);
    bt_str_addf(text, " an epoch, the longest text has %d", c->longest);
    put(p, ROLE_TEXT, "tokens", text);
    double share = c->train_rows ? 100.0 * (double)c->truncated / (double)c->train_rows : 0.0;
    format_count(text, c->truncated);
    bt_str_addf(text, " rows (%.1f%%) · ", share);
    format_count(text, c->unknown);
    bt_str_add(text, " unknown pieces");
    put(p, c->truncated ? ROLE_WARN : ROLE_TEXT, "cut", text);
}

static void put_costs(struct page *p, const struct bt_check *c, struct bt_str *text)
{
    if (!isnan(c->seconds)) {
        bt_str_add(text, "about ");
        format_duration(text, c->seconds);
        put(p, ROLE_TEXT, "time", text);
    }
    mib(text, c->memory_mib);
    bt_str_add(text, " of ");
    mib(text, c->available_mib);
    put(p, c->memory_mib > c->available_mib ? ROLE_BAD : ROLE_TEXT, "memory", text);
    mib(text, c->disk_mib);
    bt_str_add(text, " of ");
    mib(text, c->disk_free_mib);
    bt_str_add(text, " free");
    put(p, c->disk_mib > c->disk_free_mib ? ROLE_BAD : ROLE_TEXT, "disk", text);
    format_count(text, c->parameters);
    if (c->trainable != c->parameters) {
        bt_str_add(text, ", trained ");
        format_count(text, c->trainable);
    }
    bt_str_addf(text, " · %lld new tensor%s", (long long)c->fresh, c->fresh == 1 ? "" : "s");
    put(p, ROLE_TEXT, "weights", text);
}

static void put_labels(struct page *p, const struct bt_check *c, struct bt_str *text)
{
    for (size_t i = 0; i < c->n_labels && text->len < 200; i++) {
        bt_str_addf(text, "%s%s ", i ? " · " : "", c->label[i]);
        if (c->label_rows) format_count(text, c->label_rows[i]);
    }
    put(p, ROLE_TEXT, "labels", text);
    for (size_t i = 0; i < c->n_warnings; i++) {
        bt_str_addf(text, "! %s", c->warning[i]);
        put_wrapped(p, ROLE_WARN, bt_str_text(text));
        bt_str_clear(text);
    }
}

void exp_draw_check(struct view *v, struct rect r)
{
    struct exp_view *s = exp_of(v);
    struct rect in = term_box(app_term(v->app), r,
                              current(s) || !s->check.result || form_faults(s->form)
                                  ? "What it would take"
                                  : "What it would take · reading the data …",
                              v->focus == EXP_CHECK);
    struct page p = {.t = app_term(v->app), .r = in, .top = s->check_top};
    struct bt_str text = {.data = NULL};
    s->check_at = in;
    s->check_page = in.h;
    put_faults(&p, s);
    bool failed = current(s) && s->check.fault;
    if (failed) {
        bt_str_addf(&text, "✗ %s", s->check.fault);
        put_wrapped(&p, ROLE_BAD, bt_str_text(&text));
        bt_str_clear(&text);
    } else if (!form_faults(s->form) && !current(s) && !s->check.result) {
        put_line(&p, ROLE_DIM, NULL, "reading the data …", strlen("reading the data …"));
    }
    if (s->check.result && !failed && !form_faults(s->form)) {
        put_rows(&p, s->check.result, &text);
        put_costs(&p, s->check.result, &text);
        put_labels(&p, s->check.result, &text);
    }
    s->check_lines = p.y;
    if (s->check_top > 0 && s->check_top > s->check_lines - in.h)
        s->check_top = s->check_lines > in.h ? s->check_lines - in.h : 0;
    bt_str_free(&text);
}
