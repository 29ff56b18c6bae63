/* SQuAD's JSON: {"data": [{"paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}, and {"data": [{"id", "question", "context",
 * "answers"}]}. Whatever else stands in it is passed over.
 *
 * A small scanner finds where values begin and end, so that only a question at a time is a tree in memory, and every question has a line. */
#include "dataset/formats.h"
#include "dataset/question.h"

#include <bertty/file.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 1 << 30, DEEPEST = 256 };

struct cursor {
    const char *p, *end;
    size_t line;
};

struct value {
    const char *p; /* NULL: none */
    size_t n, line;
};

struct squad {
    struct bt__loader *l;
    struct bt__context context;
    size_t questions, paragraphs, impossible, misaligned; /* misaligned: in the files before */
    bool damaged;                                         /* not JSON, at the cursor's line */
    bool deep;
};

/* ── scanning ── */

static void blanks(struct cursor *c)
{
    for (; c->p < c->end && strchr(" \t\r\n", *c->p) && *c->p; c->p++) c->line += *c->p == '\n';
}

static bool string(struct cursor *c, struct value *out)
{
    *out = (struct value){.line = c->line};
    if (c->p == c->end || *c->p != '"') return false;
    out->p = ++c->p;
    for (; c->p < c->end && *c->p != '"'; c->p++) {
        if (*c->p == '\n') return false;
        if (*c->p == '\\' && c->p + 1 < c->end) c->p++;
    }
    out->n = (size_t)(c->p - out->p);
    return c->p < c->end && *c->p++ == '"';
}

static bool scalar(struct cursor *c)
{
    const char *from = c->p;
    while (c->p < c->end && *c->p && !strchr(" \t\r\n,:[]{}\"", *c->p)) c->p++;
    return c->p > from;
}

/* Whatever value stands here, with its quotes or brackets. What is between brackets is not looked at closely. */
static bool value(struct squad *q, struct cursor *c, struct value *out)
{
    struct value s;
    size_t depth = 0;
    blanks(c);
    *out = (struct value){.p = c->p, .line = c->line};
    do {
        blanks(c);
        if (c->p == c->end) return false;
        if (*c->p == '"') {
            if (!string(c, &s)) return false;
        } else if (*c->p == '{' || *c->p == '[') {
            if (++depth > DEEPEST) q->deep = true;
            if (q->deep) return false;
            c->p++;
        } else if (depth > 0 && (*c->p == '}' || *c->p == ']')) {
            depth--;
            c->p++;
        } else if (depth > 0 && (*c->p == ',' || *c->p == ':')) {
            c->p++;
        } else if (!scalar(c)) {
            return false;
        }
    } while (depth > 0);
    out->n = (size_t)(c->p - out->p);
    return true;
}

static bool enter(struct squad *q, struct cursor *c, char bracket)
{
    blanks(c);
    if (c->p < c->end && *c->p == bracket) {
        c->p++;
        return true;
    }
    q->damaged = true;
    return false;
}

/* Before the next member of an array or object; false: its end, or damage. */
static bool next(struct squad *q, struct cursor *c, char close, size_t i)
{
    blanks(c);
    if (c->p < c->end && *c->p == close) {
        c->p++;
        return false;
    }
    if (i > 0 && (c->p == c->end || *c->p++ != ',')) q->damaged = true;
    blanks(c);
    if (c->p == c->end) q->damaged = true;
    return !q->damaged;
}

/* Before the value of an object's next member. */
static bool next_member(struct squad *q, struct cursor *c, size_t i, struct value *key)
{
    if (!next(q, c, '}', i)) return false;
    if (!string(c, key)) q->damaged = true;
    blanks(c);
    if (c->p == c->end || *c->p++ != ':') q->damaged = true;
    blanks(c);
    return !q->damaged;
}

static bool is(const struct value *key, const char *name)
{
    return key->n == strlen(name) && memcmp(key->p, name, key->n) == 0;
}

static bool pass(struct squad *q, struct cursor *c, struct value *out)
{
    if (!value(q, c, out)) q->damaged = true;
    return !q->damaged;
}

/* ── what it holds ── */

static enum bt_status wrong(const struct squad *q, size_t line, const char *what)
{
    return bt_fail(q->l->err, BT_INVALID, "%s:%zu: %s", q->l->path, line, what);
}

/* The value as a tree; errors with the line in the file. */
static enum bt_status parse(struct squad *q, const struct value *v, struct bt_json **out)
{
    struct bt_error why = {0};
    *out = bt_json_parse(v->p, v->n, "", &why);
    if (*out) return BT_OK;
    if (why.status == BT_NOMEM) return bt__loader_no_memory(q->l, v->line);
    size_t line = 0;
    const char *p = why.text + (why.text[0] == ':');
    while (*p >= '0' && *p <= '9') line = line * 10 + (size_t)(*p++ - '0');
    return bt_fail(q->l->err, BT_INVALID, "%s:%zu%s", q->l->path, v->line + (line ? line - 1 : 0),
                   *p == ':' && line ? p : ": not valid JSON");
}

static enum bt_status set_context(struct squad *q, const struct bt_json *text, size_t line)
{
    size_t n = 0;
    const char *bytes = bt_json_textn(text, &n);
    if (!bytes) return wrong(q, line, "a context that is no string");
    return bt__context_set(q->l, &q->context, bytes, n) ? BT_OK : bt__loader_no_memory(q->l, line);
}

static enum bt_status take_question(struct squad *q, const struct value *v, bool flat)
{
    struct bt_json *o;
    enum bt_status st = parse(q, v, &o);
    if (st) return st;
    if (bt_json_kind(o) != BT_JSON_OBJECT) st = wrong(q, v->line, "a question that is no object");
    if (!st && flat) st = set_context(q, bt_json_get(o, "context"), v->line);
    const struct bt__question one = {.id = bt_json_get(o, "id"),
                                     .question = bt_json_get(o, "question"),
                                     .answers = bt_json_get(o, "answers"),
                                     .line = v->line};
    if (!st) st = bt__question_take(q->l, &one, &q->context);
    bt_json_free(o);
    if (st) return st;
    q->questions++;
    q->impossible += bt_examples_at(q->l->to, bt_examples_count(q->l->to) - 1)->impossible;
    return BT_OK;
}

static enum bt_status take_questions(struct squad *q, const struct value *qas)
{
    struct cursor c = {.p = qas->p, .end = qas->p + qas->n, .line = qas->line};
    struct value v;
    enum bt_status st = BT_OK;
    if (!enter(q, &c, '[')) return wrong(q, qas->line, "qas is no list");
    for (size_t i = 0; !st && bt__loader_wants_more(q->l) && next(q, &c, ']', i); i++) {
        if (pass(q, &c, &v)) st = take_question(q, &v, false);
    }
    return st;
}

/* Its members may come in any order. */
static enum bt_status take_paragraph(struct squad *q, struct cursor *c)
{
    struct value key, v, context = {0}, qas = {0};
    struct bt_json *text;
    size_t line = c->line;
    if (!enter(q, c, '{')) return wrong(q, line, "a paragraph that is no object");
    for (size_t i = 0; next_member(q, c, i, &key) && pass(q, c, &v); i++) {
        if (is(&key, "context")) context = v;
        if (is(&key, "qas")) qas = v;
    }
    if (q->damaged) return BT_OK;
    if (!context.p || !qas.p) return wrong(q, line, "a paragraph without context or qas");
    enum bt_status st = parse(q, &context, &text);
    if (st) return st;
    st = set_context(q, text, context.line);
    bt_json_free(text);
    q->paragraphs++;
    return st ? st : take_questions(q, &qas);
}

static enum bt_status take_paragraphs(struct squad *q, struct cursor *c)
{
    enum bt_status st = BT_OK;
    if (!enter(q, c, '[')) return wrong(q, c->line, "paragraphs is no list");
    for (size_t i = 0; !st && !q->damaged && bt__loader_wants_more(q->l) && next(q, c, ']', i); i++)
        st = take_paragraph(q, c);
    return st;
}

static enum bt_status take_article(struct squad *q, struct cursor *c)
{
    struct value key, v, whole;
    struct cursor ahead = *c;
    bool nested = false;
    enum bt_status st = BT_OK;
    if (!pass(q, &ahead, &whole)) return BT_OK;
    if (!enter(q, c, '{')) return wrong(q, whole.line, "an article that is no object");
    for (size_t i = 0; !st && next_member(q, c, i, &key); i++) {
        if (!is(&key, "paragraphs")) {
            if (!pass(q, c, &v)) break;
            continue;
        }
        nested = true;
        st = take_paragraphs(q, c);
        if (!bt__loader_wants_more(q->l)) break;
    }
    *c = ahead;
    return st || nested || q->damaged ? st : take_question(q, &whole, true);
}

static enum bt_status take_file(struct squad *q, struct cursor *c)
{
    struct value key, v;
    bool seen = false;
    enum bt_status st = BT_OK;
    if (!enter(q, c, '{')) return BT_OK;
    for (size_t i = 0; !st && next_member(q, c, i, &key); i++) {
        if (!is(&key, "data")) {
            if (!pass(q, c, &v)) break;
            continue;
        }
        seen = true;
        if (!enter(q, c, '[')) return wrong(q, c->line, "data is no list");
        for (size_t k = 0; !st && !q->damaged && bt__loader_wants_more(q->l) && next(q, c, ']', k); k++)
            st = take_article(q, c);
        if (!bt__loader_wants_more(q->l)) return st;
    }
    if (st || q->damaged) return st;
    blanks(c);
    if (c->p < c->end) q->damaged = true;
    return seen || q->damaged ? BT_OK : wrong(q, 1, "no data in it, expected {\"data\": […]} as in SQuAD");
}

/* ── the file ── */

bool bt__squad_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                     struct bt__head *head)
{
    const char *p = s->buf + s->at, *end = s->buf + s->n;
    (void)head;
    if (kind != BT__EXAMPLE_ANY && kind != BT_EXAMPLE_QUESTION) return false;
    if (asked->delimiter) return false;
    while (p < end && *p && strchr(" \t\r\n", *p)) p++;
    if (p == end || *p != '{') return false;
    static const char *const keys[] = {"\"paragraphs\"", "\"data\""};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t n = strlen(keys[i]);
        for (const char *at = p; (at = memmem(at, (size_t)(end - at), keys[i], n)); at++) {
            const char *next = at + n;
            if (at[-1] == '\\') continue;
            while (next < end && *next && strchr(" \t\r\n:", *next)) next++;
            if (next < end && *next == '[') return true;
        }
    }
    return false;
}

/* The parser says best what is wrong with the text; the scanner may have stopped later. */
static enum bt_status damage(const struct squad *q, const char *text, size_t n, const struct cursor *c)
{
    if (q->deep)
        return bt_fail(q->l->err, BT_INVALID, "%s:%zu: JSON nested deeper than %d", q->l->path, c->line,
                       DEEPEST);
    struct bt_json *root = bt_json_parse(text, n, q->l->path, q->l->err);
    if (!root) return q->l->err->status;
    bt_json_free(root);
    return bt_fail(q->l->err, BT_INVALID, "%s:%zu: not in SQuAD's form", q->l->path, c->line);
}

static enum bt_status tell(const struct squad *q)
{
    struct bt__loader *l = q->l;
    struct bt_str s = {0};
    bt_str_addf(&s, "squad: SQuAD %s JSON, %zu question%s", q->impossible ? "2.0" : "1.1", q->questions,
                q->questions == 1 ? "" : "s");
    if (q->paragraphs) bt_str_addf(&s, " in %zu paragraph%s", q->paragraphs, q->paragraphs == 1 ? "" : "s");
    if (q->impossible) bt_str_addf(&s, ", %zu without an answer", q->impossible);
    size_t odd = bt_examples_misaligned(l->to) - q->misaligned;
    if (odd) bt_str_addf(&s, ", %zu misaligned answer%s", odd, odd == 1 ? "" : "s");
    enum bt_status st = s.failed ? bt__loader_no_memory(l, 1) : bt__loader_found(l, "%s", s.data);
    bt_str_free(&s);
    return st;
}

static enum bt_status read_all(struct squad *q, const char *text, size_t n)
{
    size_t bom = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct cursor c = {.p = text + bom, .end = text + n, .line = 1};
    enum bt_status st = take_file(q, &c);
    if (!st && q->damaged) st = damage(q, text + bom, n - bom, &c);
    return st ? st : tell(q);
}

enum bt_status bt__load_squad(struct bt__loader *l)
{
    struct squad q = {.l = l, .misaligned = bt_examples_misaligned(l->to)};
    struct bt_str good = {0};
    char *text;
    size_t n;
    enum bt_status st = bt_file_read(l->path, BYTES_MAX, &text, &n, l->err);
    if (st) return st;
    if (bt_utf8_valid(text, n) < n) {
        l->invalid = true; /* counts once, with the first question */
        bt__utf8_repair(&good, text, n);
    }
    if (good.failed)
        st = bt__loader_no_memory(l, 1);
    else
        st = read_all(&q, good.len ? good.data : text, good.len ? good.len : n);
    bt_str_free(&good);
    bt__context_free(&q.context);
    free(text);
    return st;
}
