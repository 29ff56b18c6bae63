#include "tui/views/predictions_spans.h"

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

void pred_marked_free(struct pred_marked *m)
{
    bt_str_free(&m->text);
    free(m->mark);
    *m = (struct pred_marked){.n = 0};
}

void pred_marked_put(struct pred_marked *m, struct sheet *d, enum role role, int indent)
{
    sheet_wrap_marked(d, role, indent, bt_str_text(&m->text), m->text.len, m->mark, m->n);
}

static void add_mark(struct pred_marked *m, size_t begin, enum role role)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 16;
        struct sheet_mark *more = realloc(m->mark, cap * sizeof *more);
        if (!more) return;
        m->mark = more;
        m->cap = cap;
    }
    m->mark[m->n++] = (struct sheet_mark){.begin = begin, .end = m->text.len, .role = role};
}

/* ── entities ── */

static void add_words(struct pred_marked *m, const struct bt_json *words, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        size_t n = 0;
        const char *word = bt_json_textn(bt_json_at(words, i), &n);
        if (i > from) bt_str_addc(&m->text, ' ');
        if (word) bt_str_addn(&m->text, word, n);
    }
}

void pred_mark_entities(struct pred_marked *m, const struct bt_json *words, const struct pred_entity *e,
                        size_t n, const struct pred_entity *other, size_t n_other, bool judged)
{
    size_t at = 0, all = bt_json_len(words), which;
    for (size_t i = 0; i < n; i++) {
        if (e[i].end > all) break;
        add_words(m, words, at, e[i].begin);
        if (e[i].begin > at) bt_str_addc(&m->text, ' ');
        size_t begin = m->text.len;
        bt_str_addc(&m->text, '[');
        add_words(m, words, e[i].begin, e[i].end);
        bt_str_addc(&m->text, ']');
        bt_str_addn(&m->text, e[i].type, e[i].type_n);
        bool right = pred_entity_fault(&e[i], other, n_other, PRED_MISSED, &which) == PRED_RIGHT;
        add_mark(m, begin, !judged ? ROLE_MARK : right ? ROLE_GOOD : ROLE_BAD);
        at = e[i].end;
        if (at < all) bt_str_addc(&m->text, ' ');
    }
    add_words(m, words, at, all);
}

/* ── parts of a text ── */

size_t pred_bytes_before(const char *text, size_t text_n, int64_t code_points)
{
    size_t at = 0;
    int32_t code_point;
    for (int64_t i = 0; i < code_points && at < text_n; i++) {
        size_t n = bt_utf8_decode(text + at, text_n - at, &code_point);
        at += n ? n : 1;
    }
    return at;
}

static bool inside(size_t at, const char *text, size_t n)
{
    return at < n && ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* From where to where the text is shown. */
static void window(const char *text, size_t text_n, const struct pred_span *span, size_t n, size_t around,
                   size_t *from, size_t *to)
{
    size_t first = text_n, last = 0;
    for (size_t i = 0; i < n; i++) {
        if (!span[i].end) continue;
        if (span[i].begin < first) first = span[i].begin;
        if (span[i].end > last) last = span[i].end;
    }
    if (!last) first = 0;
    *from = first > around ? first - around : 0;
    *to = last + around < text_n ? last + around : text_n;
    enum { WORD = 20 }; /* bytes that may be added to end at a blank */
    for (int i = 0; i<WORD && * from> 0 && text[*from - 1] != ' '; i++) --*from;
    for (int i = 0; i < WORD && *to < text_n && text[*to] != ' '; i++) ++*to;
    while (*from > 0 && inside(*from, text, text_n)) --*from;
    while (*to < text_n && inside(*to, text, text_n)) ++*to;
}

/* Brackets at a byte: those that close before those that open. */
static void brackets(struct pred_marked *m, const struct pred_span *span, size_t n, size_t at)
{
    for (size_t i = n; i-- > 0;)
        if (span[i].end && span[i].end == at) bt_str_add(&m->text, span[i].close);
    for (size_t i = 0; i < n; i++)
        if (span[i].end && span[i].begin == at) bt_str_add(&m->text, span[i].open);
}

/* The next byte at which a span begins or ends. */
static size_t next_edge(const struct pred_span *span, size_t n, size_t at, size_t to)
{
    size_t next = to;
    for (size_t i = 0; i < n; i++) {
        if (!span[i].end) continue;
        if (span[i].begin > at && span[i].begin < next) next = span[i].begin;
        if (span[i].end > at && span[i].end < next) next = span[i].end;
    }
    return next;
}

void pred_mark_spans(struct pred_marked *m, const char *text, size_t text_n, const struct pred_span *span,
                     size_t n, size_t around)
{
    size_t from = 0, to = text_n;
    if (around) window(text, text_n, span, n, around, &from, &to);
    if (from > 0) bt_str_add(&m->text, "… ");
    for (size_t at = from, next; at <= to; at = next) {
        const struct pred_span *in = NULL;
        brackets(m, span, n, at);
        if (at == to) break;
        next = next_edge(span, n, at, to);
        for (size_t i = 0; i < n && !in; i++)
            if (span[i].end && span[i].begin <= at && span[i].end > at) in = &span[i];
        size_t begin = m->text.len;
        bt_str_addn(&m->text, text + at, next - at);
        if (in) add_mark(m, begin, in->role);
    }
    if (to < text_n) bt_str_add(&m->text, " …");
}

/* ── sets ── */

void pred_mark_set(struct bt_str *out, const struct bt_json *gold, const struct bt_json *said)
{
    size_t before = out->len;
    for (size_t i = 0; i < bt_json_len(said); i++) {
        const char *label = bt_json_text(bt_json_at(said, i), "");
        bool extra = gold && !pred_list_has(gold, label);
        bt_str_addf(out, "%s%s%s", out->len > before ? " " : "", extra ? "+" : "", label);
    }
    for (size_t i = 0; i < bt_json_len(gold); i++) {
        const char *label = bt_json_text(bt_json_at(gold, i), "");
        if (!pred_list_has(said, label)) bt_str_addf(out, "%s−%s", out->len > before ? " " : "", label);
    }
    if (out->len == before) bt_str_add(out, "none");
}
