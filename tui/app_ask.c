/* Overlays, the line of input, the question. */
#include "tui/app_private.h"
#include "tui/layout.h"
#include "tui/sheet.h"
#include <bertty/file.h>
#include <bertty/regex.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HISTORY = 200, MAX_CANDIDATES_SHOWN = 8 };

void overlay_open(struct app *a, const struct overlay *o, void *state)
{
    if (a->overlay) a->overlay->drop(a);
    a->overlay = o;
    a->overlay_state = state;
    app_redraw(a);
}

void *overlay_take(struct app *a)
{
    void *state = a->overlay_state;
    a->overlay = NULL;
    a->overlay_state = NULL;
    app_redraw(a);
    return state;
}

bool event_gives_up(const struct event *e)
{
    return e->kind == EVENT_KEY &&
           (e->key == KEY_CODE_ESCAPE || e->key == KEY_CTRL('c') || e->key == KEY_CTRL('g'));
}

/* ── history ── */

static struct history *history_of(struct app *a, const char *name)
{
    struct history *h = a->history;
    while (h && strcmp(h->name, name) != 0) h = h->next;
    if (h) return h;
    if (!(h = calloc(1, sizeof *h))) return NULL;
    h->name = bt_strdup(name);
    h->line = calloc(MAX_HISTORY, sizeof *h->line);
    if (!h->name || !h->line) {
        free(h->name);
        free(h->line);
        free(h);
        return NULL;
    }
    h->next = a->history;
    return a->history = h;
}

static void append(struct history *h, const char *text)
{
    if (!h || !*text || (h->n && strcmp(h->line[h->n - 1], text) == 0)) return;
    char *copy = bt_strdup(text);
    if (!copy) return;
    if (h->n == MAX_HISTORY) {
        free(h->line[0]);
        memmove(&h->line[0], &h->line[1], (MAX_HISTORY - 1) * sizeof *h->line);
        h->n--;
    }
    h->line[h->n++] = copy;
}

void history_add(struct app *a, const char *name, const char *line)
{
    append(history_of(a, name), line);
}

void history_free(struct history *h)
{
    while (h) {
        struct history *next = h->next;
        for (size_t i = 0; i < h->n; i++) free(h->line[i]);
        free(h->line);
        free(h->name);
        free(h);
        h = next;
    }
}

/* ── the prompt ── */

struct prompt {
    char *what;
    struct app_prompt ask; /* its texts are not kept */
    struct edit *edit;
    struct history *history;
    size_t recalled; /* index in the history; its length: the line being typed */
    char *typed;
    struct bt_str candidates; /* of the last Tab, each ended by \n */
    struct rect listed;       /* where they were drawn, a row each; h 0: nowhere */
    bool bad;                 /* the text is; trouble says why */
    struct bt_error trouble;
};

static void prompt_free(struct prompt *p)
{
    if (!p) return;
    free(p->what);
    free(p->typed);
    edit_free(p->edit);
    bt_str_free(&p->candidates);
    free(p);
}

static void prompt_end(struct app *a, bool accepted)
{
    struct prompt *p = overlay_take(a);
    char *text = accepted ? bt_strdup(edit_text(p->edit)) : NULL;
    if (text) append(p->history, text);
    if (p->ask.done) p->ask.done(p->ask.ctx, text);
    free(text);
    prompt_free(p);
}

static void prompt_drop(struct app *a)
{
    prompt_end(a, false);
}

static void check_text(struct prompt *p)
{
    p->bad = p->ask.check && !p->ask.check(p->ask.ctx, edit_text(p->edit), &p->trouble);
}

static void tell_change(struct prompt *p)
{
    check_text(p);
    if (!p->bad && p->ask.changed) p->ask.changed(p->ask.ctx, edit_text(p->edit));
}

static void prompt_changed(struct prompt *p)
{
    bt_str_clear(&p->candidates);
    tell_change(p);
}

bool app_check_pattern(void *ctx, const char *text, struct bt_error *err)
{
    struct bt_regex *regex = NULL;
    (void)ctx;
    if (bt_regex_typed(text, &regex, err) != BT_OK) return false;
    bt_regex_free(regex);
    return true;
}

static void recall(struct prompt *p, int by)
{
    struct history *h = p->history;
    if (!h || (by < 0 && p->recalled == 0) || (by > 0 && p->recalled >= h->n)) return;
    if (p->recalled == h->n) {
        free(p->typed);
        p->typed = bt_strdup(edit_text(p->edit));
    }
    p->recalled = by < 0 ? p->recalled - 1 : p->recalled + 1;
    edit_set(p->edit, p->recalled == h->n ? p->typed : h->line[p->recalled]);
    prompt_changed(p);
}

/* ── completion ── */

/* Length of what all candidates begin with. */
static size_t common_start(const char *list, size_t *n)
{
    size_t common = strcspn(list, "\n");
    *n = 0;
    for (const char *p = list; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        size_t same = 0, length = strcspn(p, "\n");
        while (same < common && same < length && p[same] == list[same]) same++;
        common = same;
        ++*n;
    }
    return common;
}

/* Candidates are whole texts of the line before the cursor. */
static void complete(struct prompt *p)
{
    size_t n, cursor = edit_cursor(p->edit);
    char *before = bt_strndup(edit_text(p->edit), cursor), *after = bt_strdup(edit_text(p->edit) + cursor);
    bt_str_clear(&p->candidates);
    if (before && after && p->ask.complete) p->ask.complete(p->ask.ctx, before, &p->candidates);
    const char *list = bt_str_text(&p->candidates);
    size_t common = common_start(list, &n);
    if (n && before && common > strlen(before)) {
        edit_insert(p->edit, list + strlen(before), common - strlen(before));
        tell_change(p);
    }
    if (n == 1) bt_str_clear(&p->candidates);
    free(before);
    free(after);
}

static void prompt_key(struct app *a, const struct event *e)
{
    struct prompt *p = a->overlay_state;
    bool changed, empty = !*edit_text(p->edit);
    if (event_gives_up(e) || (empty && e->key == KEY_CODE_BACKSPACE))
        prompt_end(a, false);
    else if (e->key == KEY_CODE_ENTER && !p->bad)
        prompt_end(a, true);
    else if (e->key == KEY_CODE_TAB)
        complete(p);
    else if (e->key == KEY_CODE_UP || e->key == KEY_CTRL('p'))
        recall(p, -1);
    else if (e->key == KEY_CODE_DOWN || e->key == KEY_CTRL('n'))
        recall(p, 1);
    else if (edit_key(p->edit, e, &changed) && changed)
        prompt_changed(p);
}

/* The i-th candidate stands for all before the cursor. */
static void take_candidate(struct prompt *p, int i)
{
    const char *list = bt_str_text(&p->candidates), *after = edit_text(p->edit) + edit_cursor(p->edit);
    while (i-- > 0 && *list) {
        list += strcspn(list, "\n");
        list += *list == '\n';
    }
    char *text = *list ? bt_strfmt("%.*s%s", (int)strcspn(list, "\n"), list, after) : NULL;
    if (text) {
        edit_set(p->edit, text);
        prompt_changed(p);
    }
    free(text);
}

static void prompt_mouse(struct app *a, const struct event *e)
{
    struct prompt *p = a->overlay_state;
    bool press = e->button == MOUSE_LEFT && !e->release && !e->drag;
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN)
        recall(p, e->button == MOUSE_WHEEL_UP ? -1 : 1);
    else if (press && layout_in(p->listed, e->y, e->x))
        take_candidate(p, e->y - p->listed.y);
    else
        edit_click(p->edit, e);
}

/* Above the line; the part before the last blank stands in the line already. */
static void draw_candidates(struct app *a, struct prompt *p, struct rect screen)
{
    size_t n;
    p->listed = (struct rect){.h = 0};
    const char *list = bt_str_text(&p->candidates);
    common_start(list, &n);
    if (n < 2) return;
    int rows = n < MAX_CANDIDATES_SHOWN ? (int)n : MAX_CANDIDATES_SHOWN;
    if (rows > screen.h - 4) rows = screen.h - 4;
    struct rect r = {.y = screen.h - 1 - rows - 2, .h = rows + 2, .x = 0, .w = screen.w < 60 ? screen.w : 60};
    term_fill(a->term, r, ROLE_TEXT, ' ');
    struct rect in = term_box(a->term, r, NULL, true);
    p->listed = in;
    if (n > (size_t)rows) p->listed.h--; /* the last row counts those that are left */
    for (int i = 0; i < rows && *list; i++) {
        size_t length = strcspn(list, "\n");
        if (i == rows - 1 && n > (size_t)rows)
            term_print(a->term, in, i, 1, ROLE_DIM, "… %zu more", n - (size_t)i);
        else
            term_text(a->term, in, i, 1, ROLE_TEXT, list, length);
        list += length + 1;
    }
}

static void draw_trouble(struct app *a, const struct prompt *p, struct rect screen)
{
    struct rect above = {.y = screen.h - 2, .h = 1, .w = screen.w};
    term_fill(a->term, above, ROLE_TEXT, ' ');
    term_text(a->term, above, 0, 0, ROLE_BAD, p->trouble.text, strlen(p->trouble.text));
}

static void prompt_draw(struct app *a, struct rect screen)
{
    struct prompt *p = a->overlay_state;
    struct rect line = {.y = screen.h - 1, .h = 1, .w = screen.w};
    term_fill(a->term, line, ROLE_TEXT, ' ');
    int x = term_text(a->term, line, 0, 0, ROLE_KEY, p->what, strlen(p->what));
    line.x += x;
    line.w -= x;
    edit_draw(p->edit, a->term, line, ROLE_TEXT, true);
    if (p->bad) draw_trouble(a, p, screen);
    draw_candidates(a, p, screen);
}

static const struct overlay prompt_overlay = {
    .draw = prompt_draw, .key = prompt_key, .mouse = prompt_mouse, .paste = prompt_key, .drop = prompt_drop};

void app_ask(struct app *a, const struct app_prompt *ask)
{
    struct prompt *p = calloc(1, sizeof *p);
    if (!p || !(p->edit = edit_new(false)) || !(p->what = bt_strdup(ask->what))) {
        prompt_free(p);
        ask->done(ask->ctx, NULL);
        return;
    }
    p->ask = *ask;
    p->history = ask->history ? history_of(a, ask->history) : NULL;
    p->recalled = p->history ? p->history->n : 0;
    if (ask->initial) edit_set(p->edit, ask->initial);
    check_text(p);
    overlay_open(a, &prompt_overlay, p);
}

/* ── the question ── */

struct question {
    char *text;
    void (*done)(void *ctx);
    void *ctx;
    int y, x; /* of its "y/n" on the screen */
};

static void question_end(struct app *a, bool yes)
{
    struct question *q = overlay_take(a);
    if (yes) q->done(q->ctx);
    free(q->text);
    free(q);
}

static void question_drop(struct app *a)
{
    question_end(a, false);
}

static void question_key(struct app *a, const struct event *e)
{
    bool no = e->key == 'n' || e->key == 'N' || e->key == 'q' || event_gives_up(e);
    if (e->key == 'y' || e->key == 'Y')
        question_end(a, true);
    else if (no)
        question_end(a, false);
}

static void question_mouse(struct app *a, const struct event *e)
{
    enum { NO = 2 /* columns behind the y */ };
    const struct question *q = a->overlay_state;
    bool press = e->button == MOUSE_LEFT && !e->release && !e->drag;
    if (press && e->y == q->y && (e->x == q->x || e->x == q->x + NO)) question_end(a, e->x == q->x);
}

/* At the bottom, on as many lines as it needs. */
static void question_draw(struct app *a, struct rect screen)
{
    enum { LEFT = 1, ANSWERS = 7 };
    struct question *q = a->overlay_state;
    struct sheet s = {0};
    sheet_begin(&s, screen.w - LEFT - ANSWERS);
    sheet_wrap(&s, ROLE_WARN, 0, q->text, strlen(q->text));
    int rows = sheet_rows(&s) < screen.h ? sheet_rows(&s) : screen.h;
    struct rect area = {.y = screen.h - rows, .h = rows, .w = screen.w}, text = area;
    text.x = LEFT;
    text.w = screen.w - LEFT;
    term_fill(a->term, area, ROLE_TEXT, ' ');
    sheet_draw(&s, a->term, text);
    const struct sheet_line *last = s.n ? &s.line[s.n - 1] : NULL;
    int x = LEFT + (last ? bt_text_width(bt_str_text(&s.text) + last->at, last->n) : 0) + 2;
    q->y = area.y + rows - 1;
    q->x = x;
    x += term_print(a->term, area, rows - 1, x, ROLE_KEY, "y");
    x += term_print(a->term, area, rows - 1, x, ROLE_DIM, "/");
    x += term_print(a->term, area, rows - 1, x, ROLE_KEY, "n ");
    term_cursor(a->term, area, rows - 1, x);
    sheet_free(&s);
}

static const struct overlay question_overlay = {
    .draw = question_draw, .key = question_key, .mouse = question_mouse, .drop = question_drop};

void app_confirm(struct app *a, const char *question, void (*done)(void *ctx), void *ctx)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q || !(q->text = bt_strdup(question))) {
        free(q);
        return;
    }
    q->done = done;
    q->ctx = ctx;
    overlay_open(a, &question_overlay, q);
}

void app_confirm_replace(struct app *a, const char *path, void (*done)(void *ctx), void *ctx)
{
    if (!bt_path_exists(path)) {
        done(ctx);
        return;
    }
    char *question = bt_strfmt("%s exists. Replace it?", path);
    if (question) app_confirm(a, question, done, ctx);
    free(question);
}
