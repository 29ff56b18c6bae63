#include "tui/sheet.h"
#include "tui/view.h"

#include <bertty/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 64 << 10 /* of one text */ };

void sheet_begin(struct sheet *s, int width)
{
    bt_str_clear(&s->text);
    s->n = 0;
    s->width = width;
}

void sheet_free(struct sheet *s)
{
    bt_str_free(&s->text);
    free(s->line);
    *s = (struct sheet){0};
}

static void add_line(struct sheet *s, const struct sheet_line *line)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        struct sheet_line *more = realloc(s->line, cap * sizeof *more);
        if (!more) return;
        s->line = more;
        s->cap = cap;
    }
    s->line[s->n++] = *line;
}

static void add_printed(struct sheet *s, const struct sheet_line *look, const char *fmt, va_list args)
{
    struct sheet_line line = *look;
    char *text = NULL;
    int n = vasprintf(&text, fmt, args);
    line.at = s->text.len;
    if (n >= 0) bt_text_clean(&s->text, text, (size_t)n);
    line.n = s->text.len - line.at;
    add_line(s, &line);
    if (n >= 0) free(text);
}

void sheet_print(struct sheet *s, enum role role, int indent, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_printed(s, &(struct sheet_line){.role = role, .indent = indent}, fmt, args);
    va_end(args);
}

void sheet_join(struct sheet *s, enum role role, int indent, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_printed(s, &(struct sheet_line){.role = role, .indent = indent, .joined = true}, fmt, args);
    va_end(args);
}

size_t sheet_fit(const char *clean, size_t n, int width)
{
    size_t at = 0, blank = 0;
    int used = 0;
    while (at < n) {
        int32_t code_point;
        size_t length = bt_utf8_decode(clean + at, n - at, &code_point);
        if (length == 0) length = 1;
        int w = bt_text_width(clean + at, length);
        if (used + w > width && at > 0) break;
        used += w;
        at += length;
        if (code_point == ' ') blank = at;
    }
    return at < n && blank > 0 ? blank : at;
}

static void wrap_paragraph(struct sheet *s, enum role role, int indent, const char *bytes, size_t n)
{
    size_t at = s->text.len;
    bt_text_clean(&s->text, bytes, n);
    size_t end = s->text.len;
    int width = s->width - indent > 1 ? s->width - indent : 1;
    do {
        size_t fit = sheet_fit(bt_str_text(&s->text) + at, end - at, width);
        add_line(s, &(struct sheet_line){.role = role, .indent = indent, .at = at, .n = fit});
        at += fit;
    } while (at < end);
}

void sheet_wrap(struct sheet *s, enum role role, int indent, const char *bytes, size_t n)
{
    size_t left = n > MOST_BYTES ? MOST_BYTES : n;
    for (const char *p = bytes;;) {
        const char *newline = left ? memchr(p, '\n', left) : NULL;
        size_t length = newline ? (size_t)(newline - p) : left;
        wrap_paragraph(s, role, indent, p, length);
        if (!newline) break;
        p = newline + 1;
        left -= length + 1;
    }
    if (n > MOST_BYTES) sheet_print(s, ROLE_DIM, indent, "… %zu bytes more", n - MOST_BYTES);
}

/* Appends a part of the text, cleaned; returns where its clean form ends. */
static size_t add_part(struct sheet *s, const char *bytes, size_t n)
{
    for (size_t i = 0, end; i < n; i = end + 1) {
        const char *newline = memchr(bytes + i, '\n', n - i);
        end = newline ? (size_t)(newline - bytes) : n;
        bt_text_clean(&s->text, bytes + i, end - i);
        if (newline) bt_str_addc(&s->text, ' ');
    }
    return s->text.len;
}

/* One row of clean text from `at` on, as a line and those joined to it. edge[n]: where the role changes; odd ones begin a plain part. */
static void add_row(struct sheet *s, const struct sheet_line *look, const size_t *edge,
                    const struct sheet_mark *mark, size_t n)
{
    size_t at = look->at, end = look->at + look->n, k = 0;
    int indent = look->indent;
    bool joined = false;
    do {
        while (k < n && edge[k] <= at) k++;
        size_t stop = k < n && edge[k] < end ? edge[k] : end;
        add_line(s, &(struct sheet_line){.at = at,
                                         .n = stop - at,
                                         .indent = indent,
                                         .joined = joined,
                                         .role = k % 2 ? mark[k / 2].role : look->role});
        indent += bt_text_width(bt_str_text(&s->text) + at, stop - at);
        joined = true;
        at = stop;
    } while (at < end);
}

void sheet_wrap_marked(struct sheet *s, enum role role, int indent, const char *bytes, size_t n,
                       const struct sheet_mark *mark, size_t n_marks)
{
    size_t *edge = calloc(2 * n_marks + 1, sizeof *edge), done = 0, at = s->text.len;
    int width = s->width - indent > 1 ? s->width - indent : 1;
    size_t most = n > MOST_BYTES ? MOST_BYTES : n;
    if (!edge) return;
    for (size_t i = 0; i < n_marks; i++) {
        size_t begin = mark[i].begin < most ? mark[i].begin : most,
               stop = mark[i].end < most ? mark[i].end : most;
        edge[2 * i] = add_part(s, bytes + done, begin - done);
        edge[2 * i + 1] = add_part(s, bytes + begin, stop - begin);
        done = stop;
    }
    size_t end = add_part(s, bytes + done, most - done);
    do {
        size_t fit = sheet_fit(bt_str_text(&s->text) + at, end - at, width);
        add_row(s, &(struct sheet_line){.role = role, .indent = indent, .at = at, .n = fit}, edge, mark,
                2 * n_marks);
        at += fit;
    } while (at < end);
    free(edge);
}

int sheet_rows(const struct sheet *s)
{
    int rows = 0;
    for (size_t i = 0; i < s->n; i++) rows += !s->line[i].joined;
    return rows;
}

static void keep_within(struct sheet *s)
{
    int most = sheet_rows(s) - s->page;
    if (s->top > most) s->top = most;
    if (s->top < 0) s->top = 0;
}

void sheet_draw(struct sheet *s, struct term *t, struct rect r)
{
    int row = -1;
    s->page = r.h;
    keep_within(s);
    for (size_t i = 0; i < s->n; i++) {
        const struct sheet_line *line = &s->line[i];
        row += !line->joined;
        if (row < s->top || row >= s->top + r.h) continue;
        term_text(t, r, row - s->top, line->indent, line->role, bt_str_text(&s->text) + line->at, line->n);
    }
}

void sheet_scroll(struct sheet *s, int by)
{
    s->top += by;
    keep_within(s);
}

bool sheet_act(struct sheet *s, int action, int count)
{
    int page = s->page > 1 ? s->page - 1 : 1;
    switch (action) {
    case ACT_UP:
    case ACT_DOWN:
        sheet_scroll(s, action == ACT_UP ? -count : count);
        return true;
    case ACT_PAGE_UP:
    case ACT_PAGE_DOWN:
        sheet_scroll(s, action == ACT_PAGE_UP ? -count * page : count * page);
        return true;
    case ACT_HALF_UP:
    case ACT_HALF_DOWN:
        sheet_scroll(s, (action == ACT_HALF_UP ? -count : count) * ((page + 1) / 2));
        return true;
    case ACT_HOME:
        s->top = 0;
        return true;
    case ACT_END:
        sheet_scroll(s, sheet_rows(s));
        return true;
    default:
        return false;
    }
}
