/* A filter's grammar: alternatives of words that must all hold. */
#include "run/run_filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_WORDS = 200, MAX_DEPTH = 32 };

void bt_run_filter_free(struct bt_run_filter *f)
{
    for (size_t i = 0; f && i < f->n_words; i++) bt__word_clear(&f->word[i]);
    if (f) free(f->word);
    if (f) free(f->node);
    free(f);
}

/* ── tokens ── */

enum token { T_END, T_OPEN, T_CLOSE, T_NOT, T_OR, T_WORD };

struct parser {
    const char *p;
    int depth; /* parentheses open */
    int nots;
    struct bt_run_filter *f;
    struct bt_error *err;
    enum token token;
    struct bt_str text; /* of a word */
    bool literal;
    ptrdiff_t regex;
    bool failed;
};

static size_t fail(struct parser *s, const char *what)
{
    if (!s->failed) bt_fail(s->err, BT_INVALID, "%s", what);
    s->failed = true;
    s->token = T_END;
    return 0;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A word's end: a blank, or the parenthesis that closes. */
static bool ends(const struct parser *s, char c)
{
    return !c || blank(c) || (c == ')' && s->depth > 0);
}

static void read_quoted(struct parser *s)
{
    const char *end = strchr(s->p + 1, '"');
    if (!end) {
        fail(s, "\": expected another one at the end of the words");
        return;
    }
    bt_str_addn(&s->text, s->p + 1, (size_t)(end - s->p - 1));
    s->p = end + 1;
}

/* From behind the slash to the one that no backslash is before. */
static void read_regex(struct parser *s)
{
    s->regex = (ptrdiff_t)s->text.len;
    for (s->p++; *s->p && *s->p != '/'; s->p++) {
        if (s->p[0] == '\\' && s->p[1] == '/')
            s->p++;
        else if (s->p[0] == '\\' && s->p[1])
            bt_str_addc(&s->text, *s->p++);
        bt_str_addc(&s->text, *s->p);
    }
    if (!*s->p) {
        fail(s, "/: expected another one at the end of the expression");
        return;
    }
    s->p++;
    if (!ends(s, *s->p)) fail(s, "/…/: expected a blank behind it");
}

static void read_word(struct parser *s)
{
    bt_str_clear(&s->text);
    s->regex = -1;
    s->literal = *s->p == '"';
    bool value = true; /* at the beginning, or behind the first colon */
    while (!s->failed && !ends(s, *s->p)) {
        bool colon = *s->p == ':';
        if (*s->p == '"') {
            read_quoted(s);
        } else if (*s->p == '/' && value) {
            read_regex(s);
            return;
        } else {
            bt_str_addc(&s->text, *s->p++);
        }
        value = colon && !s->literal;
    }
}

static void next(struct parser *s)
{
    while (blank(*s->p)) s->p++;
    const char *p = s->p;
    s->token = T_WORD;
    if (!*p)
        s->token = T_END;
    else if (*p == '(')
        s->token = T_OPEN;
    else if (*p == ')' && s->depth > 0)
        s->token = T_CLOSE;
    else if (*p == '-' && p[1] && !blank(p[1]))
        s->token = T_NOT;
    else if (strncasecmp(p, "or", 2) == 0 && (ends(s, p[2]) || p[2] == '('))
        s->token = T_OR;
    if (s->token == T_WORD)
        read_word(s);
    else
        s->p += s->token == T_END ? 0 : s->token == T_OR ? 2 : 1;
}

/* ── the tree; every function gives a node's number ── */

static size_t add_node(struct parser *s, enum bt__node_kind kind, size_t a, size_t b)
{
    struct bt_run_filter *f = s->f;
    struct bt__node *more = realloc(f->node, (f->n_nodes + 1) * sizeof *more);
    if (!more) return fail(s, "no memory for the filter");
    f->node = more;
    f->node[f->n_nodes] = (struct bt__node){.kind = kind, .a = a, .b = b};
    return f->n_nodes++;
}

static size_t add_word(struct parser *s)
{
    struct bt_run_filter *f = s->f;
    struct bt__word w;
    if (f->n_words == MAX_WORDS) return fail(s, "the filter has more than 200 words");
    struct bt__word *more = realloc(f->word, (f->n_words + 1) * sizeof *more);
    if (!more) return fail(s, "no memory for the filter");
    f->word = more;
    if (bt__word_parse(bt_str_text(&s->text), s->literal, s->regex, &w, s->err) != BT_OK) {
        s->failed = true;
        return 0;
    }
    f->word[f->n_words++] = w;
    next(s);
    return s->failed ? 0 : add_node(s, BT__NODE_WORD, f->n_words - 1, 0);
}

static size_t parse_either(struct parser *s);

static size_t parse_one(struct parser *s)
{
    if (s->token == T_NOT) {
        if (++s->nots > MAX_WORDS) return fail(s, "the filter has more than 200 signs of -");
        next(s);
        size_t a = parse_one(s);
        return s->failed ? 0 : add_node(s, BT__NODE_NOT, a, 0);
    }
    if (s->token == T_WORD) return add_word(s);
    if (s->token != T_OPEN) return fail(s, "expected a word before and after `or`, in ( ) and after -");
    if (++s->depth > MAX_DEPTH) return fail(s, "(: too many of them in each other");
    next(s);
    size_t a = parse_either(s);
    if (s->failed) return 0;
    if (s->token != T_CLOSE) return fail(s, "(: expected ) at the end");
    s->depth--;
    next(s);
    return a;
}

static size_t parse_all(struct parser *s)
{
    size_t a = parse_one(s);
    while (!s->failed && (s->token == T_WORD || s->token == T_NOT || s->token == T_OPEN)) {
        size_t b = parse_one(s);
        if (!s->failed) a = add_node(s, BT__NODE_AND, a, b);
    }
    return a;
}

static size_t parse_either(struct parser *s)
{
    size_t a = parse_all(s);
    while (!s->failed && s->token == T_OR) {
        next(s);
        size_t b = parse_all(s);
        if (!s->failed) a = add_node(s, BT__NODE_OR, a, b);
    }
    return a;
}

enum bt_status bt_run_filter_parse(const char *text, struct bt_run_filter **out, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    struct parser s = {.p = text, .f = calloc(1, sizeof *s.f), .err = &why};
    *out = NULL;
    if (!s.f) return bt_fail(err, BT_NOMEM, "no memory for the filter");
    next(&s);
    if (s.token != T_END) parse_either(&s);
    bool rest = !s.failed && s.token != T_END;
    if (rest) fail(&s, "expected a word before and after `or`");
    bt_str_free(&s.text);
    if (!s.failed) {
        *out = s.f;
        return BT_OK;
    }
    bt_run_filter_free(s.f);
    return bt_fail(err, why.status ? why.status : BT_INVALID, "%s", why.text);
}

/* ── asking ── */

unsigned bt_run_filter_need(const struct bt_run_filter *f)
{
    unsigned need = 0;
    for (size_t i = 0; i < f->n_words; i++) {
        if (f->word[i].kind == BT__WORD_OPTION) need |= BT_FACTS_SETTINGS;
        if (f->word[i].kind == BT__WORD_NUMBER) need |= bt_run_key_need(&f->word[i].key);
    }
    return need;
}

bool bt_run_filter_hidden(const struct bt_run_filter *f)
{
    for (size_t i = 0; i < f->n_words; i++) {
        const struct bt__word *w = &f->word[i];
        bool tag = w->kind == BT__WORD_FIELD && w->field == BT__TAG && w->text;
        if (tag && strcasecmp(w->text, BT_TAG_HIDDEN) == 0) return true;
    }
    return false;
}

enum bt_status bt_run_filter_check(const struct bt_run_filter *f, const struct bt_facts *facts,
                                   struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < f->n_words && !st; i++)
        if (f->word[i].kind == BT__WORD_NUMBER) st = bt_run_key_check(&f->word[i].key, facts, err);
    return st;
}

static bool node_holds(const struct bt_run_filter *f, size_t n, const struct bt_run_status *s,
                       const struct bt_run_facts *facts, double now)
{
    const struct bt__node *node = &f->node[n];
    switch (node->kind) {
    case BT__NODE_WORD:
        return bt__word_match(&f->word[node->a], s, facts, now);
    case BT__NODE_NOT:
        return !node_holds(f, node->a, s, facts, now);
    case BT__NODE_AND:
        return node_holds(f, node->a, s, facts, now) && node_holds(f, node->b, s, facts, now);
    case BT__NODE_OR:
        return node_holds(f, node->a, s, facts, now) || node_holds(f, node->b, s, facts, now);
    }
    return true;
}

bool bt_run_filter_match(const struct bt_run_filter *f, const struct bt_run_status *s,
                         const struct bt_run_facts *facts, double now)
{
    return f->n_nodes == 0 || node_holds(f, f->n_nodes - 1, s, facts, now);
}
