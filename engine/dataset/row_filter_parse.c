#include "dataset/row_filter.h"

#include "dataset/dialect.h"
#include <bertty/num.h>
#include <bertty/str.h>
#include <bertty/table.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEEPEST = 200, MOST_NODES = 4000 };

enum kind { END, WORD, COLUMN_NAME, NUMBER, TEXT, REGEX, OPERATOR, OPEN, CLOSE };

struct token {
    enum kind kind;
    size_t at, n; /* in the text, with its quotes */
};

struct parser {
    const char *text;
    const char *const *name; /* of the columns */
    size_t columns;
    struct bt_row_filter *f;
    struct token now;
    int depth;
    enum bt_status st;
    size_t where;
    struct bt_error *err;
};

/* Tells the first mistake; −1, as parsing functions do. */
static int wrong(struct parser *p, size_t at, const char *what, size_t n, const char *expected)
{
    struct bt_str seen = {0};
    if (p->st) return -1;
    bt_text_clean(&seen, what, n < 60 ? n : 60);
    p->where = at;
    p->st = bt_fail(p->err, BT_INVALID, "filter, at character %zu: %s%s%s%s",
                    bt_utf8_count(p->text, bt_utf8_valid(p->text, at)) + 1, n ? "found " : "",
                    n ? bt_str_text(&seen) : "", n ? ", expected " : "expected ", expected);
    bt_str_free(&seen);
    return -1;
}

static int unexpected(struct parser *p, const char *expected)
{
    return wrong(p, p->now.at, p->text + p->now.at, p->now.n, expected);
}

static int no_memory(struct parser *p)
{
    if (!p->st) p->st = bt_fail(p->err, BT_NOMEM, "no memory for a filter");
    return -1;
}

/* ── words ── */

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (signed char)c < 0 ||
           (c && strchr("_.-+", c));
}

/* Bytes of a quoted thing at s, with its quotes; 0: never closed. A quote in it stands behind a backslash. */
static size_t quoted(const char *s)
{
    size_t n = 1;
    while (s[n] && s[n] != s[0]) n += s[n] == '\\' && s[n + 1] ? 2 : 1;
    return s[n] ? n + 1 : 0;
}

static size_t operator_at(const char *s)
{
    static const char *const all[] = {"!=", "!~", "<=", ">=", "==", "<>", "=", "<", ">", "~"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strncmp(s, all[i], strlen(all[i])) == 0) return strlen(all[i]);
    return 0;
}

static void quoted_token(struct parser *p, const char *s)
{
    static const char *const what[] = {"a closing \"", "a closing '", "a closing `", "a closing /"};
    static const char marks[] = "\"'`/";
    static const enum kind kinds[] = {TEXT, TEXT, COLUMN_NAME, REGEX};
    size_t i = (size_t)(strchr(marks, *s) - marks);
    p->now.kind = kinds[i];
    p->now.n = quoted(s);
    if (!p->now.n) {
        size_t end = strlen(p->text);
        wrong(p, end, "", 0, what[i]);
        p->now = (struct token){.kind = END, .at = end};
    } else if (p->now.kind == REGEX && s[p->now.n] == 'i' && !in_word(s[p->now.n + 1])) {
        p->now.n++;
    }
}

static void word_token(struct parser *p, const char *s)
{
    double v;
    while (in_word(s[p->now.n])) p->now.n++;
    char *word = bt_strndup(s, p->now.n);
    p->now.kind = word && bt_parse_double(word, &v) ? NUMBER : WORD;
    free(word);
}

static void next(struct parser *p)
{
    size_t at = p->now.at + p->now.n;
    at += strspn(p->text + at, " \t\r\n");
    const char *s = p->text + at;
    size_t sign = operator_at(s);
    p->now = (struct token){.at = at};
    if (!*s) return;
    p->now.n = 1;
    if (strchr("\"'`/", *s))
        quoted_token(p, s);
    else if (*s == '(' || *s == ')')
        p->now.kind = *s == '(' ? OPEN : CLOSE;
    else if (sign)
        p->now = (struct token){.kind = OPERATOR, .at = at, .n = sign};
    else if (in_word(*s))
        p->now.n = 0, word_token(p, s);
    else
        unexpected(p, "a column, a value or an operator");
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->now.kind == WORD && p->now.n == strlen(word) &&
           strncasecmp(p->text + p->now.at, word, p->now.n) == 0;
}

/* What stands between the quotes; NULL without memory. */
static char *unquoted(const struct parser *p, const struct token *t)
{
    struct bt_str s = {0};
    const char *q = p->text + t->at, *end = q + t->n - 1;
    for (q++; q < end; q++) {
        if (*q == '\\' && q + 1 < end && (q[1] == '\\' || q[1] == p->text[t->at])) q++;
        bt_str_addc(&s, *q);
    }
    return bt_str_take(&s);
}

/* ── nodes ── */

static int new_node(struct parser *p, enum bt__op op, int left, int right)
{
    struct bt_row_filter *f = p->f;
    if (f->n == f->cap) {
        int cap = f->cap ? f->cap * 2 : 16;
        struct bt__node *more = cap <= MOST_NODES * 2 ? realloc(f->node, (size_t)cap * sizeof *more) : NULL;
        if (!more) return no_memory(p);
        f->node = more;
        f->cap = cap;
    }
    f->node[f->n] = (struct bt__node){.op = op, .left = left, .right = right};
    return f->n++;
}

static int no_column(struct parser *p, const struct token *t, const char *name)
{
    struct bt_str expected = {0};
    size_t n = p->columns;
    const char *nearest = bt_nearest(name, p->name, n);
    bt_str_add(&expected, nearest ? "a column; is it " : "a column: ");
    for (size_t i = 0; !nearest && i < n && expected.len < 200; i++)
        bt_str_addf(&expected, "%s%s", i ? ", " : "", p->name[i]);
    if (nearest) bt_str_addf(&expected, "%s?", nearest);
    wrong(p, t->at, p->text + t->at, t->n, bt_str_text(&expected));
    bt_str_free(&expected);
    return -1;
}

/* The column that a token names; −1: none, which is told if it must be one. */
static ptrdiff_t column_of(struct parser *p, const struct token *t, bool must)
{
    char *name = t->kind == COLUMN_NAME ? unquoted(p, t) : bt_strndup(p->text + t->at, t->n);
    ptrdiff_t i = name ? bt__column_of(p->name, p->columns, name) : no_memory(p);
    if (name && i < 0 && must) no_column(p, t, name);
    free(name);
    return i;
}

static bool function(struct parser *p, struct bt__value *v)
{
    v->kind = is_word(p, "length") ? BT__VALUE_LENGTH : BT__VALUE_PIECES;
    next(p);
    next(p); /* ( */
    const struct token name = p->now;
    if (name.kind != WORD && name.kind != COLUMN_NAME && name.kind != NUMBER)
        return unexpected(p, "a column") == 0;
    ptrdiff_t i = column_of(p, &name, true);
    if (i < 0) return false;
    v->column = (size_t)i;
    next(p);
    if (p->now.kind != CLOSE) return unexpected(p, ")") == 0;
    next(p);
    return true;
}

/* Columns without names are called 1, 2, … */
static bool is_column_number(const struct parser *p, const struct token *t)
{
    size_t i = (size_t)strtoul(p->text + t->at, NULL, 10) - 1;
    const char *name = i < p->columns ? p->name[i] : "";
    return strlen(name) == t->n && memcmp(name, p->text + t->at, t->n) == 0;
}

static bool opens(const struct parser *p)
{
    const char *s = p->text + p->now.at + p->now.n;
    return s[strspn(s, " \t")] == '(';
}

/* right: of a comparison, where a word may be text. False: told. */
static bool value(struct parser *p, struct bt__value *v, bool right)
{
    struct token t = p->now;
    if (t.kind == NUMBER && !right && is_column_number(p, &t)) t.kind = WORD;
    if ((is_word(p, "length") || is_word(p, "pieces")) && opens(p)) return function(p, v);
    if (t.kind == TEXT || t.kind == NUMBER) {
        v->kind = t.kind == TEXT ? BT__VALUE_TEXT : BT__VALUE_NUMBER;
        v->text = t.kind == TEXT ? unquoted(p, &t) : bt_strndup(p->text + t.at, t.n);
        if (!v->text) return no_memory(p) == 0;
        v->n = strlen(v->text);
        if (t.kind == NUMBER) bt_parse_double(v->text, &v->number);
    } else if (t.kind == WORD || t.kind == COLUMN_NAME) {
        bool text = right && t.kind == WORD;
        ptrdiff_t i = column_of(p, &t, !text);
        if (i < 0 && !text) return false;
        v->kind = i < 0 ? BT__VALUE_TEXT : BT__VALUE_COLUMN;
        v->column = i < 0 ? 0 : (size_t)i;
        if (i < 0 && !(v->text = bt_strndup(p->text + t.at, t.n))) return no_memory(p) == 0;
        v->n = v->text ? t.n : 0;
    } else {
        return unexpected(p, right ? "a value" : "a column, a text or (") == 0;
    }
    next(p);
    return true;
}

/* ── matches ── */

static struct bt_regex *regex(struct parser *p)
{
    const struct token t = p->now;
    const char *s = p->text + t.at;
    struct bt_regex *r = NULL;
    struct bt_error err;
    size_t at = 0;
    bool icase = t.kind == REGEX && s[t.n - 1] == 'i', literal = t.kind == TEXT || t.kind == WORD;
    char *pattern = t.kind == TEXT ? unquoted(p, &t) : NULL;
    if (t.kind == REGEX) pattern = bt_strndup(s + 1, t.n - 2 - icase);
    if (t.kind == WORD) pattern = bt_strndup(s, t.n);
    if (!pattern) {
        unexpected(p, "/an expression/ or a text");
        return NULL;
    }
    int flags = literal ? BT_REGEX_LITERAL | BT_REGEX_ICASE : icase ? BT_REGEX_ICASE : 0;
    enum bt_status st = bt_regex_compile(pattern, strlen(pattern), flags, &r, &at, &err);
    free(pattern);
    if (st) {
        p->st = bt_fail(p->err, st, "%s", err.text);
        p->where = t.at + 1 + at;
        return NULL;
    }
    next(p);
    return r;
}

static int match_node(struct parser *p, const struct bt__value *a, bool negated)
{
    int i = new_node(p, BT__OP_MATCH, -1, -1);
    if (i < 0) return -1;
    if (a) p->f->node[i].a = *a;
    p->f->node[i].any = !a;
    if (!(p->f->node[i].regex = regex(p))) return -1;
    return negated ? new_node(p, BT__OP_NOT, i, -1) : i;
}

/* ── expressions ── */

static enum bt__op operation(const char *s, size_t n)
{
    if (s[0] == '<') return n == 1 ? BT__OP_LT : s[1] == '=' ? BT__OP_LE : BT__OP_NE;
    if (s[0] == '>') return n == 1 ? BT__OP_GT : BT__OP_GE;
    return s[0] == '!' ? BT__OP_NE : BT__OP_EQ;
}

static int comparison(struct parser *p)
{
    struct bt__value a = {.text = NULL}, b = {.text = NULL};
    const struct token first = p->now;
    if (first.kind == REGEX) return match_node(p, NULL, false);
    if (!value(p, &a, false)) {
        free(a.text);
        return -1;
    }
    if (p->now.kind != OPERATOR && first.kind == TEXT) { /* a text alone */
        free(a.text);
        p->now = first;
        return match_node(p, NULL, false);
    }
    const struct token o = p->now;
    const char *s = p->text + o.at;
    bool match = o.kind == OPERATOR && s[o.n - 1] == '~';
    if (o.kind != OPERATOR || (match && a.kind != BT__VALUE_COLUMN)) {
        free(a.text);
        if (!match) return unexpected(p, "a comparison: = != < <= > >= ~");
        return wrong(p, first.at, p->text + first.at, first.n, "a column left of ~");
    }
    next(p);
    if (match) return match_node(p, &a, o.n == 2);
    int i = value(p, &b, true) ? new_node(p, operation(s, o.n), -1, -1) : -1;
    if (i < 0) {
        free(a.text);
        free(b.text);
        return -1;
    }
    p->f->node[i].a = a;
    p->f->node[i].b = b;
    return i;
}

static int either(struct parser *p);

static int factor(struct parser *p)
{
    if (p->st) return -1;
    if (++p->depth > DEEPEST) return unexpected(p, "fewer parentheses and nots within each other");
    int i;
    if (is_word(p, "not")) {
        next(p);
        i = factor(p);
        if (i >= 0) i = new_node(p, BT__OP_NOT, i, -1);
    } else if (p->now.kind == OPEN) {
        next(p);
        i = either(p);
        if (i >= 0 && p->now.kind != CLOSE) i = unexpected(p, ")");
        if (i >= 0) next(p);
    } else {
        i = comparison(p);
    }
    p->depth--;
    return i;
}

static int both(struct parser *p)
{
    int i = factor(p);
    while (i >= 0 && is_word(p, "and")) {
        next(p);
        int k = factor(p);
        i = k < 0 ? k : new_node(p, BT__OP_AND, i, k);
    }
    return i;
}

static int either(struct parser *p)
{
    int i = both(p);
    while (i >= 0 && is_word(p, "or")) {
        next(p);
        int k = both(p);
        i = k < 0 ? k : new_node(p, BT__OP_OR, i, k);
    }
    return i;
}

enum bt_status bt_row_filter_parse_names(const char *text, const char *const *name, size_t columns,
                                         struct bt_row_filter **out, size_t *at, struct bt_error *err)
{
    struct parser p = {.text = text, .name = name, .columns = columns, .err = err};
    *out = NULL;
    if (!(p.f = calloc(1, sizeof *p.f))) return bt_fail(err, BT_NOMEM, "no memory for a filter");
    next(&p);
    int root = either(&p);
    if (root >= 0 && p.now.kind != END) root = unexpected(&p, "and, or, or the end");
    if (at) *at = p.where;
    if (p.st || root < 0) {
        bt_row_filter_free(p.f);
        return p.st;
    }
    p.f->root = root;
    *out = p.f;
    return BT_OK;
}

enum bt_status bt_row_filter_parse(const char *text, const struct bt_table *t, struct bt_row_filter **out,
                                   size_t *at, struct bt_error *err)
{
    size_t n = bt_table_columns(t);
    const char **name = calloc(n + 1, sizeof *name);
    if (!name) return bt_fail(err, BT_NOMEM, "no memory for a filter");
    for (size_t i = 0; i < n; i++) name[i] = bt_table_column(t, i);
    enum bt_status status = bt_row_filter_parse_names(text, name, n, out, at, err);
    free(name);
    return status;
}
