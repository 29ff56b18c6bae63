#include "tui/edit.h"
#include "tui/layout.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_UNDO = 200, MAX_EDIT = 1 << 20 };

struct snapshot {
    char *text;
    size_t cursor;
};

struct edit {
    struct bt_str text;
    size_t cursor;      /* byte offset, at the start of a character */
    bool lines, typing; /* typing: the last change inserted a character */
    struct snapshot undo[MAX_UNDO];
    size_t n_undo;
    char *killed; /* what Ctrl-y brings back */
    int skip;     /* columns (one line) or rows scrolled away */
    int width;    /* of the last drawing */
    struct rect at;
};

struct edit *edit_new(bool lines)
{
    struct edit *e = calloc(1, sizeof *e);
    if (e) e->lines = lines;
    return e;
}

void edit_free(struct edit *e)
{
    if (!e) return;
    for (size_t i = 0; i < e->n_undo; i++) free(e->undo[i].text);
    bt_str_free(&e->text);
    free(e->killed);
    free(e);
}

const char *edit_text(const struct edit *e)
{
    return bt_str_text(&e->text);
}

size_t edit_cursor(const struct edit *e)
{
    return e->cursor;
}

/* ── changes ── */

static void remember(struct edit *e)
{
    char *copy = bt_strdup(edit_text(e));
    if (!copy) return;
    if (e->n_undo == MAX_UNDO) {
        free(e->undo[0].text);
        memmove(&e->undo[0], &e->undo[1], (MAX_UNDO - 1) * sizeof *e->undo);
        e->n_undo--;
    }
    e->undo[e->n_undo++] = (struct snapshot){.text = copy, .cursor = e->cursor};
}

static bool undo(struct edit *e)
{
    if (!e->n_undo) return false;
    struct snapshot *s = &e->undo[--e->n_undo];
    bt_str_clear(&e->text);
    bt_str_add(&e->text, s->text);
    e->cursor = s->cursor < e->text.len ? s->cursor : e->text.len;
    free(s->text);
    return true;
}

/* What may stand in an edited text: valid UTF-8, no controls but line breaks where there are lines. */
static void add_allowed(const struct edit *e, struct bt_str *out, const char *p, size_t n)
{
    while (n) {
        int32_t cp = 0;
        size_t used = bt_utf8_decode(p, n, &cp);
        bool line_break = cp == '\n' && used;
        if (line_break && e->lines)
            bt_str_addc(out, '\n');
        else if (used && (line_break || cp == '\t'))
            bt_str_addc(out, ' ');
        else if (used && cp >= 0x20 && cp != 0x7f)
            bt_str_addn(out, p, used);
        if (!used) used = 1;
        p += used;
        n -= used;
    }
}

static void replace(struct edit *e, size_t from, size_t to, const char *text, size_t n)
{
    struct bt_str out = {0};
    bt_str_addn(&out, edit_text(e), from);
    bt_str_addn(&out, text, n);
    bt_str_add(&out, edit_text(e) + to);
    if (out.failed || out.len > MAX_EDIT) {
        bt_str_free(&out);
        return;
    }
    bt_str_free(&e->text);
    e->text = out;
    e->cursor = from + n;
}

void edit_insert(struct edit *e, const char *text, size_t n)
{
    struct bt_str allowed = {0};
    add_allowed(e, &allowed, text, n);
    if (allowed.len) {
        remember(e);
        replace(e, e->cursor, e->cursor, allowed.data, allowed.len);
    }
    e->typing = false;
    bt_str_free(&allowed);
}

void edit_set(struct edit *e, const char *text)
{
    struct bt_str allowed = {0};
    add_allowed(e, &allowed, text ? text : "", text ? strlen(text) : 0);
    if (strcmp(bt_str_text(&allowed), edit_text(e)) != 0) {
        remember(e);
        bt_str_free(&e->text);
        e->text = allowed;
        allowed = (struct bt_str){0};
    }
    bt_str_free(&allowed);
    e->cursor = e->text.len;
    e->typing = false;
    e->skip = 0;
}

static void type_char(struct edit *e, int32_t key)
{
    char bytes[4];
    size_t n = bt_utf8_encode(key, bytes);
    if (!e->typing || key == ' ') remember(e);
    replace(e, e->cursor, e->cursor, bytes, n);
    e->typing = true;
}

/* ── places ── */

/* Bytes of the code point at `at`. */
static size_t code_point(const struct edit *e, size_t at)
{
    int32_t cp;
    size_t used = bt_utf8_decode(edit_text(e) + at, e->text.len - at, &cp);
    return used ? used : 1;
}

/* A character with what combines with it. */
static size_t next_char(const struct edit *e, size_t at)
{
    const char *p = edit_text(e);
    if (at >= e->text.len) return at;
    at += code_point(e, at);
    while (at < e->text.len && (unsigned char)p[at] >= 0x80 && bt_text_width(p + at, code_point(e, at)) == 0)
        at += code_point(e, at);
    return at;
}

static size_t previous_char(const struct edit *e, size_t at)
{
    const char *p = edit_text(e);
    while (at > 0) {
        do at--;
        while (at > 0 && ((unsigned char)p[at] & 0xc0) == 0x80);
        if ((unsigned char)p[at] < 0x80 || bt_text_width(p + at, code_point(e, at)) > 0) break;
    }
    return at;
}

static bool is_word(char c)
{
    return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t next_word(const struct edit *e, size_t at)
{
    const char *p = edit_text(e);
    while (at < e->text.len && !is_word(p[at])) at++;
    while (at < e->text.len && is_word(p[at])) at++;
    return at;
}

static size_t previous_word(const struct edit *e, size_t at)
{
    const char *p = edit_text(e);
    while (at > 0 && !is_word(p[at - 1])) at--;
    while (at > 0 && is_word(p[at - 1])) at--;
    return at;
}

static size_t line_start(const struct edit *e, size_t at)
{
    const char *p = edit_text(e);
    while (at > 0 && p[at - 1] != '\n') at--;
    return at;
}

static size_t line_end(const struct edit *e, size_t at)
{
    const char *p = edit_text(e);
    while (at < e->text.len && p[at] != '\n') at++;
    return at;
}

/* ── rows on the screen ── */

struct row {
    size_t begin, end; /* end: without the line break or the space at which it was broken */
    size_t next;
};

/* The row that begins at `at`, at most `width` columns, broken at a space where there is one. */
static struct row row_at(const struct edit *e, size_t at, int width)
{
    const char *p = edit_text(e);
    size_t i = at, space = 0;
    int used = 0;
    while (i < e->text.len && p[i] != '\n') {
        size_t next = next_char(e, i);
        int w = bt_text_width(p + i, next - i);
        if (used + w > width && i > at) break;
        if (p[i] == ' ') space = i;
        used += w;
        i = next;
    }
    if (i == e->text.len) return (struct row){.begin = at, .end = i, .next = i + 1};
    if (p[i] == '\n') return (struct row){.begin = at, .end = i, .next = i + 1};
    if (p[i] == ' ') return (struct row){.begin = at, .end = i, .next = i + 1};
    if (space) return (struct row){.begin = at, .end = space, .next = space + 1};
    return (struct row){.begin = at, .end = i, .next = i};
}

/* Row and column of the cursor. */
static void cursor_place(const struct edit *e, int width, int *row, int *column)
{
    struct row r = row_at(e, 0, width);
    *row = 0;
    while (r.next <= e->cursor && r.next <= e->text.len) {
        r = row_at(e, r.next, width);
        ++*row;
    }
    size_t to = e->cursor < r.end ? e->cursor : r.end;
    *column = bt_text_width(edit_text(e) + r.begin, to - r.begin);
}

static size_t place_at(const struct edit *e, int width, int row, int column)
{
    struct row r = row_at(e, 0, width);
    for (int i = 0; i < row && r.next <= e->text.len; i++) r = row_at(e, r.next, width);
    size_t at = r.begin;
    while (at < r.end) {
        size_t next = next_char(e, at);
        if (bt_text_width(edit_text(e) + r.begin, next - r.begin) > column) break;
        at = next;
    }
    return at;
}

/* False: there is no row in that direction. */
static bool move_row(struct edit *e, int by)
{
    int row, column, width = e->width > 0 ? e->width : 80;
    cursor_place(e, width, &row, &column);
    if (row + by < 0) return false;
    size_t to = place_at(e, width, row + by, column);
    if (by > 0 && to <= e->cursor) return false;
    e->cursor = to;
    return true;
}

/* ── keys ── */

static bool delete_between(struct edit *e, size_t from, size_t to, bool keep)
{
    if (from >= to) return false;
    remember(e);
    if (keep) {
        free(e->killed);
        e->killed = bt_strndup(edit_text(e) + from, to - from);
    }
    replace(e, from, to, "", 0);
    return true;
}

/* Where a motion leads; false: not a motion. */
static bool motion(const struct edit *e, const struct event *ev, size_t *to)
{
    switch (ev->key) {
    case KEY_CODE_LEFT:
        *to = ev->alt ? previous_word(e, e->cursor) : previous_char(e, e->cursor);
        return true;
    case KEY_CODE_RIGHT:
        *to = ev->alt ? next_word(e, e->cursor) : next_char(e, e->cursor);
        return true;
    case KEY_CTRL('b'):
        *to = previous_char(e, e->cursor);
        return true;
    case KEY_CTRL('f'):
        *to = next_char(e, e->cursor);
        return true;
    case KEY_CODE_HOME:
    case KEY_CTRL('a'):
        *to = line_start(e, e->cursor);
        return true;
    case KEY_CODE_END:
    case KEY_CTRL('e'):
        *to = line_end(e, e->cursor);
        return true;
    case 'b':
        *to = previous_word(e, e->cursor);
        return ev->alt;
    case 'f':
        *to = next_word(e, e->cursor);
        return ev->alt;
    default:
        return false;
    }
}

/* False: not a key that deletes. */
static bool deletion(struct edit *e, const struct event *ev, bool *changed)
{
    switch (ev->key) {
    case KEY_CODE_BACKSPACE:
        *changed = delete_between(e, ev->alt ? previous_word(e, e->cursor) : previous_char(e, e->cursor),
                                  e->cursor, ev->alt);
        return true;
    case KEY_CODE_DELETE:
    case KEY_CTRL('d'):
        *changed = delete_between(e, e->cursor, next_char(e, e->cursor), false);
        return true;
    case KEY_CTRL('w'):
        *changed = delete_between(e, previous_word(e, e->cursor), e->cursor, true);
        return true;
    case KEY_CTRL('u'):
        *changed = delete_between(e, line_start(e, e->cursor), e->cursor, true);
        return true;
    case KEY_CTRL('k'):
        *changed = delete_between(e, e->cursor, line_end(e, e->cursor), true);
        return true;
    case 'd':
        if (!ev->alt) return false;
        *changed = delete_between(e, e->cursor, next_word(e, e->cursor), true);
        return true;
    default:
        return false;
    }
}

static bool special(struct edit *e, const struct event *ev, bool *changed)
{
    switch (ev->key) {
    case KEY_CODE_UP:
    case KEY_CODE_DOWN:
        return e->lines && move_row(e, ev->key == KEY_CODE_UP ? -1 : 1);
    case KEY_CODE_ENTER:
        if (!e->lines || !ev->alt) return false;
        edit_insert(e, "\n", 1);
        return *changed = true;
    case KEY_CTRL('y'):
        if (e->killed) edit_insert(e, e->killed, strlen(e->killed));
        *changed = e->killed != NULL;
        return true;
    case '_' & 0x1f: /* Ctrl-_ */
        *changed = undo(e);
        return true;
    default:
        return false;
    }
}

bool edit_key(struct edit *e, const struct event *ev, bool *changed)
{
    size_t to;
    *changed = false;
    if (ev->kind == EVENT_PASTE) {
        edit_insert(e, ev->text, ev->text_n);
        return *changed = true;
    }
    if (ev->kind != EVENT_KEY) return false;
    bool plain = !ev->alt && ev->key >= 0x20 && ev->key < KEY_CODE_BASE;
    if (plain) {
        type_char(e, ev->key);
        return *changed = true;
    }
    bool taken = motion(e, ev, &to);
    if (taken) e->cursor = to;
    taken = taken || deletion(e, ev, changed) || special(e, ev, changed);
    if (taken) e->typing = false;
    return taken;
}

bool edit_click(struct edit *e, const struct event *ev)
{
    enum { ONE_ROW = 1 << 24 };
    bool press = ev->button == MOUSE_LEFT && !ev->release && !ev->drag;
    if (!press || !layout_in(e->at, ev->y, ev->x)) return false;
    int row = ev->y - e->at.y, column = ev->x - e->at.x;
    e->cursor =
        e->lines ? place_at(e, e->width, row + e->skip, column) : place_at(e, ONE_ROW, 0, column + e->skip);
    e->typing = false;
    return true;
}

/* ── drawing ── */

static void draw_line(struct edit *e, struct term *t, struct rect r, enum role role, bool focused)
{
    struct bt_str seen = {0};
    int at = bt_text_width(edit_text(e), e->cursor);
    if (at < e->skip) e->skip = at;
    if (at >= e->skip + r.w) e->skip = at - r.w + 1;
    bt_text_slice(&seen, edit_text(e), e->text.len, e->skip, r.w);
    term_text(t, r, 0, 0, role, bt_str_text(&seen), seen.len);
    if (focused) term_cursor(t, r, 0, at - e->skip);
    bt_str_free(&seen);
}

static void draw_rows(struct edit *e, struct term *t, struct rect r, enum role role, bool focused)
{
    int row, column, i = 0;
    cursor_place(e, r.w, &row, &column);
    if (column >= r.w) column = r.w - 1;
    if (row < e->skip) e->skip = row;
    if (row >= e->skip + r.h) e->skip = row - r.h + 1;
    for (size_t at = 0; at <= e->text.len && i < e->skip + r.h; i++) {
        struct row line = row_at(e, at, r.w);
        if (i >= e->skip)
            term_text(t, r, i - e->skip, 0, role, edit_text(e) + line.begin, line.end - line.begin);
        at = line.next;
    }
    if (focused) term_cursor(t, r, row - e->skip, column);
}

void edit_draw(struct edit *e, struct term *t, struct rect r, enum role role, bool focused)
{
    if (r.w <= 0 || r.h <= 0) return;
    e->width = r.w;
    e->at = r;
    if (e->lines)
        draw_rows(e, t, r, role, focused);
    else
        draw_line(e, t, r, role, focused);
}
