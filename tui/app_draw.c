/* The frame around a view: title, tabs, the bottom line. */
#include "tui/app_private.h"
#include "tui/format.h"
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rect app_area(const struct app *a)
{
    int rows, columns;
    term_size(a->term, &rows, &columns);
    return (struct rect){.y = APP_TOP, .x = 0, .h = rows - APP_TOP - APP_BOTTOM, .w = columns};
}

/* ── title ── */

enum { MAX_PARTS = 5, HELP_WIDTH = 8 };

struct parts {
    struct bt_str text[MAX_PARTS];
    int n;
};

static struct bt_str *part(struct parts *p)
{
    return &p->text[p->n++];
}

/* The most important first: the last ones are left out where there is no room. */
static void state_parts(const struct bt_run_status *s, struct parts *p)
{
    bool alive = bt_run_state_alive(s->state);
    bt_str_add(part(p), bt_run_state_name(s->state));
    if (s->place) bt_str_addf(&p->text[0], " %" PRId64, s->place);
    if (!alive && s->metric && isfinite(s->best)) bt_str_addf(part(p), "%s %.4f", s->metric, s->best);
    if (s->total > 0)
        bt_str_addf(part(p), "step %" PRId64 "/%" PRId64, s->step, s->total);
    else if (s->step > 0)
        bt_str_addf(part(p), "step %" PRId64, s->step);
    if (alive && isfinite(s->eta_s) && s->eta_s >= 1) {
        format_duration(part(p), s->eta_s);
        bt_str_add(&p->text[p->n - 1], " left");
    }
    if (alive && s->epoch > 0) bt_str_addf(part(p), "epoch %.2f", s->epoch);
    if (alive && isfinite(s->tokens_per_s) && s->tokens_per_s > 0) {
        format_count(part(p), (int64_t)s->tokens_per_s);
        bt_str_add(&p->text[p->n - 1], " tok/s");
    }
}

static int parts_width(const struct parts *p, int n)
{
    int width = 0;
    for (int i = 0; i < n; i++)
        width += bt_text_width(bt_str_text(&p->text[i]), p->text[i].len) + (i ? 3 : 0);
    return width;
}

static void draw_parts(struct app *a, struct rect line, int from, const struct parts *p)
{
    int n = p->n;
    while (n > 0 && parts_width(p, n) > line.w - from - 2) n--;
    int x = line.w - parts_width(p, n) - 1;
    for (int i = 0; i < n; i++) {
        if (i) x += term_print(a->term, line, 0, x, ROLE_BAR, " · ");
        x += term_text(a->term, line, 0, x, ROLE_BAR, bt_str_text(&p->text[i]), p->text[i].len);
    }
}

/* The whole name where there is room for it and all parts; of what is still wider than `most` the end, which tells runs apart. */
static void title_name(const struct bt_run_status *s, const struct parts *p, int room, int most,
                       struct bt_str *out)
{
    int name = bt_text_width(s->id, strlen(s->id));
    struct bt_str id = {.data = NULL};
    if (name + 2 + parts_width(p, p->n) <= room)
        bt_str_add(&id, s->id);
    else
        format_run_id(&id, s->id);
    format_end(out, bt_str_text(&id), id.len, most);
    bt_str_free(&id);
}

static void draw_title(struct app *a, struct rect line)
{
    const struct bt_run_status *s = app_run_status(a, app_run(a));
    struct parts p = {0};
    term_fill(a->term, line, ROLE_BAR, ' ');
    int x = 1 + term_print(a->term, line, 0, 1, ROLE_BAR, "bertty");
    if (s) {
        struct bt_str id = {0};
        struct rect name = line;
        name.w = x + 3 + (line.w - x) / 2;
        state_parts(s, &p);
        x += term_print(a->term, line, 0, x, ROLE_BAR, " · ");
        title_name(s, &p, line.w - x - 1, name.w - x, &id);
        x += term_text(a->term, name, 0, x, ROLE_BAR, bt_str_text(&id), id.len);
        bt_str_free(&id);
    }
    draw_parts(a, line, x, &p);
    for (int i = 0; i < p.n; i++) bt_str_free(&p.text[i]);
}

/* ── tabs ── */

enum tab_form { TAB_WIDE, TAB_NARROW, TAB_TIGHT, TAB_NUMBERS };

static int tab_width(const struct view *v, enum tab_form form)
{
    int name = bt_text_width(v->ops->name, strlen(v->ops->name));
    const int width[] = {
        [TAB_WIDE] = name + 4, [TAB_NARROW] = name + 3, [TAB_TIGHT] = name + 2, [TAB_NUMBERS] = 3};
    return width[form];
}

static enum tab_form tab_form(const struct app *a, int room)
{
    for (int form = TAB_WIDE; form < TAB_NUMBERS; form++) {
        int width = 0;
        for (int i = 0; i < VIEWS; i++) width += tab_width(&a->view[i], (enum tab_form)form);
        width += form == TAB_TIGHT; /* the one in front has its blank */
        if (width <= room) return (enum tab_form)form;
    }
    return TAB_NUMBERS;
}

static void draw_tabs(struct app *a, struct rect line)
{
    enum tab_form form = tab_form(a, line.w);
    int x = 0;
    for (int i = 0; i < VIEWS; i++) {
        const struct view *v = &a->view[i];
        bool front = i == a->front;
        a->tab[i] = (struct rect){.y = line.y, .x = x, .h = 1, .w = tab_width(v, form)};
        if (form == TAB_NUMBERS && front) a->tab[i].w = tab_width(v, TAB_WIDE);
        if (form == TAB_TIGHT && front) a->tab[i].w = tab_width(v, TAB_NARROW);
        term_print(a->term, line, 0, x + 1, front ? ROLE_FOCUS : ROLE_KEY, "%d", i + 1);
        if (form != TAB_NUMBERS || front)
            term_print(a->term, line, 0, x + (form == TAB_TIGHT && !front ? 2 : 3),
                       front ? ROLE_FOCUS : ROLE_TEXT, "%s", v->ops->name);
        if (front) term_put(a->term, line, 0, x, ROLE_FOCUS, 0x25b8);
        x += a->tab[i].w;
    }
}

/* ── the bottom line ── */

/* "Space mark  s sort-by": one key an action. */
static void hints_of_actions(struct app *a, const struct view_ops *ops, struct bt_str *out)
{
    for (size_t i = 0; i < ops->n_actions; i++) {
        struct bt_str keys = {0};
        keymap_keys(a->keys, ops, ops->actions[i].id, &keys);
        size_t first = strcspn(bt_str_text(&keys), " ");
        if (first) {
            if (out->len) bt_str_add(out, "  ");
            bt_str_addn(out, keys.data, first);
            bt_str_addf(out, " %s", ops->actions[i].name);
        }
        bt_str_free(&keys);
    }
}

/* Keys stand out: the first word after two spaces is one. */
static void note_hint(struct app *a, int x, int w, const char *key, size_t n)
{
    if (a->n_hints == MAX_HINTS || n >= HINT_KEY) return;
    struct hint *h = &a->hint[a->n_hints++];
    *h = (struct hint){.x = x, .w = w};
    memcpy(h->key, key, n);
}

static void draw_hints(struct app *a, struct rect line, const char *text)
{
    int x = 1;
    while (*text) {
        size_t n = 0;
        while (text[n] && strncmp(text + n, "  ", 2) != 0) n++;
        size_t key = strcspn(text, " ");
        if (key > n) key = n;
        int w = bt_text_width(text, n);
        if (x + w > line.w - 1) return;
        note_hint(a, x, w, text, key);
        x += term_text(a->term, line, 0, x, ROLE_KEY, text, key);
        x += term_text(a->term, line, 0, x, ROLE_DIM, text + key, n - key) + 2;
        text += n + strspn(text + n, " ");
    }
}

static void draw_bottom(struct app *a, struct rect line)
{
    struct view *v = app_front(a);
    if (a->message) {
        term_text(a->term, line, 0, 1, a->message_role, a->message, strlen(a->message));
        return;
    }
    struct bt_str hints = {0};
    if (v->ops->hints)
        v->ops->hints(v, &hints);
    else
        hints_of_actions(a, v->ops, &hints);
    struct rect left = line;
    left.w -= HELP_WIDTH;
    draw_hints(a, left, bt_str_text(&hints));
    a->help = (struct rect){.y = line.y, .x = line.x + left.w, .h = 1, .w = HELP_WIDTH};
    const bool typing = v->ops->typing && v->ops->typing(v);
    term_print(a->term, line, 0, line.w - HELP_WIDTH + !typing, ROLE_KEY, typing ? "F1" : "?");
    term_print(a->term, line, 0, line.w - HELP_WIDTH + 3, ROLE_DIM, "help");
    bt_str_free(&hints);
}

/* ── the whole ── */

static void draw_too_small(struct app *a, struct rect screen)
{
    term_print(a->term, screen, 0, 0, ROLE_TEXT, "%d×%d: bertty needs %d×%d", screen.w, screen.h,
               APP_MIN_COLUMNS, APP_MIN_ROWS);
}

void app_draw(struct app *a)
{
    struct rect screen = {0};
    term_size(a->term, &screen.h, &screen.w);
    term_begin(a->term);
    memset(a->tab, 0, sizeof a->tab);
    a->help = (struct rect){0};
    a->n_borders = a->n_hints = 0;
    if (screen.w < APP_MIN_COLUMNS || screen.h < APP_MIN_ROWS) {
        draw_too_small(a, screen);
    } else {
        struct view *v = app_front(a);
        struct rect line = {.h = 1, .w = screen.w};
        draw_title(a, line);
        line.y = 1;
        draw_tabs(a, line);
        if (v->ops->draw && v->state) v->ops->draw(v, app_area(a));
        line.y = screen.h - 1;
        draw_bottom(a, line);
        if (a->overlay) a->overlay->draw(a, screen);
    }
    term_end(a->term);
}
