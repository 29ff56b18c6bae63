#include "formats/torch_pickle.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_OPCODES = 4 << 20, NAME_SHOWN = 80 };

static const struct bt__pickle_global globals[] = {
#define X(module_, name_, bytes_, dtype_)                                                                    \
    {.module = module_, .name = name_, .bytes = bytes_, .dtype = dtype_},
#include "formats/torch_globals.def"
#undef X
};
enum { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER }; /* the first rows */

struct numbers {
    uint32_t *at;
    size_t n, cap;
};

struct vm {
    const char *name;
    const unsigned char *p, *end;
    struct bt__pickle *out;
    size_t cap;                       /* of out->v */
    struct numbers stack, mark, memo; /* values; heights of the stack; values + 1 */
    unsigned char op;
    bool stopped;
    struct bt_error *err;
};

typedef enum bt_status op_fn(struct vm *m);

/* ── words ── */

struct opcode {
    const char *name;
    op_fn *run;
};
static const struct opcode *opcode_of(unsigned char op);

static enum bt_status bad(struct vm *m, const char *why)
{
    return bt_fail(m->err, BT_DAMAGED, "%s: pickle opcode %s: %s", m->name, opcode_of(m->op)->name, why);
}

static enum bt_status no_memory(struct vm *m)
{
    return bt_fail(m->err, BT_NOMEM, "%s: no memory for its pickle", m->name);
}

/* ── memory ── */

static enum bt_status append(struct vm *m, struct numbers *a, uint32_t x)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 64;
        uint32_t *at = realloc(a->at, cap * sizeof *at);
        if (!at) return no_memory(m);
        a->at = at;
        a->cap = cap;
    }
    a->at[a->n++] = x;
    return BT_OK;
}

static enum bt_status push_value(struct vm *m, struct bt__pickle_value v)
{
    if (m->out->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 256;
        struct bt__pickle_value *at = realloc(m->out->v, cap * sizeof *at);
        if (!at) return no_memory(m);
        m->out->v = at;
        m->cap = cap;
    }
    enum bt_status st = append(m, &m->stack, (uint32_t)m->out->n);
    if (!st) m->out->v[m->out->n++] = v;
    return st;
}

/* Puts n numbers behind the items of v. */
static enum bt_status add_items(struct vm *m, struct bt__pickle_value *v, const uint32_t *from, size_t n)
{
    if (v->cap - v->n < n) {
        size_t cap = v->n + n > (size_t)v->cap * 2 ? v->n + n : (size_t)v->cap * 2;
        uint32_t *item = realloc(v->as.item, cap * sizeof *item);
        if (!item) return no_memory(m);
        v->as.item = item;
        v->cap = (uint32_t)cap;
    }
    if (n) memcpy(v->as.item + v->n, from, n * sizeof *from);
    v->n += (uint32_t)n;
    return BT_OK;
}

/* ── the stack ── */

/* Values above the last mark. */
static size_t above(const struct vm *m)
{
    return m->stack.n - (m->mark.n ? m->mark.at[m->mark.n - 1] : 0);
}

static enum bt_status need(struct vm *m, size_t n)
{
    return above(m) < n ? bad(m, "the stack has too few values") : BT_OK;
}

static uint32_t top(const struct vm *m, size_t below)
{
    return m->stack.at[m->stack.n - 1 - below];
}

static struct bt__pickle_value *value(const struct vm *m, uint32_t i)
{
    return &m->out->v[i];
}

/* Removes the last mark; *n values stand above it. */
static enum bt_status pop_mark(struct vm *m, size_t *n)
{
    if (!m->mark.n) return bad(m, "there is no mark");
    *n = above(m);
    m->mark.n--;
    return BT_OK;
}

static enum bt_status take(struct vm *m, size_t n, const unsigned char **bytes)
{
    if ((size_t)(m->end - m->p) < n) return bad(m, "the pickle ends here");
    *bytes = m->p;
    m->p += n;
    return BT_OK;
}

static enum bt_status take_number(struct vm *m, size_t bytes, uint64_t *x)
{
    const unsigned char *b = NULL;
    enum bt_status st = take(m, bytes, &b);
    *x = 0;
    for (size_t i = bytes; !st && i > 0; i--) *x = *x << 8 | b[i - 1];
    return st;
}

/* ── opcodes ── */

static enum bt_status op_proto(struct vm *m)
{
    uint64_t version;
    enum bt_status st = take_number(m, 1, &version);
    if (!st && (version < 2 || version > 5)) return bad(m, "its protocol is unknown, expected 2 to 5");
    return st;
}

static enum bt_status op_frame(struct vm *m)
{
    uint64_t length;
    enum bt_status st = take_number(m, 8, &length);
    if (!st && length > (uint64_t)(m->end - m->p)) return bad(m, "the frame is longer than the pickle");
    return st;
}

static enum bt_status op_stop(struct vm *m)
{
    if (m->mark.n || m->stack.n != 1) return bad(m, "not exactly one value is left");
    m->out->root = m->stack.at[0];
    m->stopped = true;
    return BT_OK;
}

static enum bt_status op_mark(struct vm *m)
{
    return append(m, &m->mark, (uint32_t)m->stack.n);
}

static enum bt_status op_none(struct vm *m)
{
    return push_value(m, (struct bt__pickle_value){.kind = BT__PICKLE_NONE});
}

static enum bt_status op_bool(struct vm *m)
{
    return push_value(m, (struct bt__pickle_value){.kind = BT__PICKLE_BOOL, .as.integer = m->op == 0x88});
}

static enum bt_status op_int(struct vm *m)
{
    uint64_t x;
    enum bt_status st = take_number(m, m->op == 'J' ? 4 : m->op == 'M' ? 2 : 1, &x);
    if (st) return st;
    int64_t signed_x = m->op == 'J' ? (int64_t)(int32_t)(uint32_t)x : (int64_t)x;
    return push_value(m, (struct bt__pickle_value){.kind = BT__PICKLE_INT, .as.integer = signed_x});
}

static enum bt_status op_long(struct vm *m)
{
    const unsigned char *b = NULL;
    uint64_t n, x = 0;
    enum bt_status st = take_number(m, 1, &n);
    if (!st) st = take(m, (size_t)n, &b);
    if (st) return st;
    if (n > 8)
        return push_value(m, (struct bt__pickle_value){
                                 .kind = BT__PICKLE_LONG, .n = (uint32_t)n, .as.text = (const char *)b});
    if (n > 0 && b[n - 1] & 0x80) x = UINT64_MAX; /* the sign goes on */
    for (size_t i = (size_t)n; i > 0; i--) x = x << 8 | b[i - 1];
    return push_value(m, (struct bt__pickle_value){.kind = BT__PICKLE_INT, .as.integer = (int64_t)x});
}

static enum bt_status op_float(struct vm *m)
{
    const unsigned char *b = NULL;
    uint64_t bits = 0;
    double x;
    enum bt_status st = take(m, 8, &b);
    if (st) return st;
    for (int i = 0; i < 8; i++) bits = bits << 8 | b[i]; /* this one is big-endian */
    memcpy(&x, &bits, sizeof x);
    return push_value(m, (struct bt__pickle_value){.kind = BT__PICKLE_REAL, .as.real = x});
}

static enum bt_status op_text(struct vm *m)
{
    const unsigned char *b = NULL;
    uint64_t n;
    enum bt_status st = take_number(m, m->op == 'X' ? 4 : 1, &n);
    if (!st) st = take(m, (size_t)n, &b);
    if (st) return st;
    return push_value(
        m, (struct bt__pickle_value){.kind = BT__PICKLE_TEXT, .n = (uint32_t)n, .as.text = (const char *)b});
}

static enum bt_status op_empty(struct vm *m)
{
    enum bt__pickle_kind kind = m->op == ')'   ? BT__PICKLE_TUPLE
                                : m->op == ']' ? BT__PICKLE_LIST
                                               : BT__PICKLE_DICT;
    return push_value(m, (struct bt__pickle_value){.kind = kind});
}

/* The n values on top become a tuple. */
static enum bt_status make_tuple(struct vm *m, size_t n)
{
    struct bt__pickle_value v = {.kind = BT__PICKLE_TUPLE};
    enum bt_status st = n ? add_items(m, &v, m->stack.at + m->stack.n - n, n) : BT_OK; /* no stack, maybe */
    if (st) return st;
    m->stack.n -= n;
    st = push_value(m, v);
    if (st) free(v.as.item);
    return st;
}

static enum bt_status op_tuple(struct vm *m)
{
    size_t n = 0;
    enum bt_status st = pop_mark(m, &n);
    return st ? st : make_tuple(m, n);
}

static enum bt_status op_tuple_n(struct vm *m)
{
    size_t n = m->op - 0x84u;
    enum bt_status st = need(m, n);
    return st ? st : make_tuple(m, n);
}

/* The n values on top go into the list or dict below them. */
static enum bt_status put_into(struct vm *m, size_t n, enum bt__pickle_kind kind)
{
    enum bt_status st = need(m, n + 1);
    if (st) return st;
    struct bt__pickle_value *v = value(m, top(m, n));
    if (v->kind != kind) return bad(m, "what it fills is of another kind");
    if (kind == BT__PICKLE_DICT && n % 2) return bad(m, "a key has no value");
    st = add_items(m, v, m->stack.at + m->stack.n - n, n);
    if (!st) m->stack.n -= n;
    return st;
}

static enum bt_status op_append(struct vm *m)
{
    return put_into(m, 1, BT__PICKLE_LIST);
}

static enum bt_status op_appends(struct vm *m)
{
    size_t n = 0;
    enum bt_status st = pop_mark(m, &n);
    return st ? st : put_into(m, n, BT__PICKLE_LIST);
}

static enum bt_status op_setitem(struct vm *m)
{
    return put_into(m, 2, BT__PICKLE_DICT);
}

static enum bt_status op_setitems(struct vm *m)
{
    size_t n = 0;
    enum bt_status st = pop_mark(m, &n);
    return st ? st : put_into(m, n, BT__PICKLE_DICT);
}

static enum bt_status remember(struct vm *m, uint64_t at)
{
    enum bt_status st = need(m, 1);
    if (!st && at >= MOST_OPCODES) return bad(m, "its number is too large");
    while (!st && m->memo.n <= at) st = append(m, &m->memo, 0);
    if (!st) m->memo.at[at] = top(m, 0) + 1;
    return st;
}

static enum bt_status op_put(struct vm *m)
{
    uint64_t at;
    enum bt_status st = take_number(m, m->op == 'q' ? 1 : 4, &at);
    return st ? st : remember(m, at);
}

static enum bt_status op_memoize(struct vm *m)
{
    return remember(m, m->memo.n);
}

static enum bt_status op_get(struct vm *m)
{
    uint64_t at;
    enum bt_status st = take_number(m, m->op == 'h' ? 1 : 4, &at);
    if (st) return st;
    if (at >= m->memo.n || !m->memo.at[at]) return bad(m, "nothing was put there");
    return append(m, &m->stack, m->memo.at[at] - 1);
}

/* ── globals ── */

static bool is(const char *word, const char *text, size_t n)
{
    return strlen(word) == n && memcmp(word, text, n) == 0;
}

static int shown(size_t n)
{
    return n < NAME_SHOWN ? (int)n : NAME_SHOWN;
}

static enum bt_status push_global(struct vm *m, const char *module, size_t module_n, const char *name,
                                  size_t name_n)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        const struct bt__pickle_global *g = &globals[i];
        if (is(g->module, module, module_n) && is(g->name, name, name_n))
            return push_value(m, (struct bt__pickle_value){.kind = BT__PICKLE_GLOBAL, .as.global = g});
    }
    return bt_fail(m->err, BT_UNSUPPORTED,
                   "%s: its pickle wants %.*s.%.*s, which is refused: expected a dict of tensors alone",
                   m->name, shown(module_n), module, shown(name_n), name);
}

static enum bt_status take_line(struct vm *m, const char **text, size_t *n)
{
    const unsigned char *end = memchr(m->p, '\n', (size_t)(m->end - m->p));
    if (!end) return bad(m, "its line does not end");
    *text = (const char *)m->p;
    *n = (size_t)(end - m->p);
    m->p = end + 1;
    return BT_OK;
}

static enum bt_status op_global(struct vm *m)
{
    const char *module = NULL, *name = NULL;
    size_t module_n = 0, name_n = 0;
    enum bt_status st = take_line(m, &module, &module_n);
    if (!st) st = take_line(m, &name, &name_n);
    return st ? st : push_global(m, module, module_n, name, name_n);
}

static enum bt_status op_stack_global(struct vm *m)
{
    enum bt_status st = need(m, 2);
    if (st) return st;
    const struct bt__pickle_value *module = value(m, top(m, 1)), *name = value(m, top(m, 0));
    if (module->kind != BT__PICKLE_TEXT || name->kind != BT__PICKLE_TEXT)
        return bad(m, "its names are no texts");
    m->stack.n -= 2;
    return push_global(m, module->as.text, module->n, name->as.text, name->n);
}

/* A copy of tuple v as another kind, on the stack. */
static enum bt_status push_as(struct vm *m, enum bt__pickle_kind kind, uint32_t tuple)
{
    struct bt__pickle_value v = {.kind = kind};
    const struct bt__pickle_value *from = value(m, tuple);
    enum bt_status st = add_items(m, &v, from->as.item, from->n);
    if (!st) st = push_value(m, v);
    if (st) free(v.as.item);
    return st;
}

static enum bt_status op_persid(struct vm *m)
{
    enum bt_status st = need(m, 1);
    if (st) return st;
    uint32_t id = top(m, 0);
    if (value(m, id)->kind != BT__PICKLE_TUPLE || value(m, id)->n > 6)
        return bad(m, "its id is no short tuple");
    m->stack.n--;
    return push_as(m, BT__PICKLE_STORE, id);
}

static enum bt_status op_reduce(struct vm *m)
{
    enum bt_status st = need(m, 2);
    if (st) return st;
    const struct bt__pickle_value *what = value(m, top(m, 1));
    uint32_t tuple = top(m, 0);
    const struct bt__pickle_value *with = value(m, tuple);
    if (what->kind != BT__PICKLE_GLOBAL) return bad(m, "what it would call is no function");
    if (with->kind != BT__PICKLE_TUPLE || with->n > 8) return bad(m, "its arguments are no short tuple");
    m->stack.n -= 2;
    switch (what->as.global - globals) {
    case ORDERED_DICT:
        if (with->n) return bad(m, "an OrderedDict with arguments");
        return push_value(m, (struct bt__pickle_value){.kind = BT__PICKLE_DICT});
    case REBUILD_TENSOR:
        return push_as(m, BT__PICKLE_TENSOR, tuple);
    case REBUILD_PARAMETER:
        if (!with->n || value(m, with->as.item[0])->kind != BT__PICKLE_TENSOR)
            return bad(m, "a parameter without a tensor");
        return append(m, &m->stack, with->as.item[0]);
    default:
        return bt_fail(m->err, BT_UNSUPPORTED, "%s: its pickle would call %s.%s, which is refused", m->name,
                       what->as.global->module, what->as.global->name);
    }
}

/* Attributes of an OrderedDict (torch hangs _metadata on it) say nothing about the weights. */
static enum bt_status op_build(struct vm *m)
{
    enum bt_status st = need(m, 2);
    if (st) return st;
    if (value(m, top(m, 1))->kind != BT__PICKLE_DICT || value(m, top(m, 0))->kind != BT__PICKLE_DICT)
        return bad(m, "expected attributes of a dict");
    m->stack.n--;
    return BT_OK;
}

static const struct opcode opcodes[256] = {
#define X(code_, name_, run_) [code_] = {.name = name_, .run = run_},
#include "formats/torch_opcodes.def"
#undef X
};

static const struct opcode *opcode_of(unsigned char op)
{
    return &opcodes[op];
}

/* ── a pickle ── */

static enum bt_status step(struct vm *m)
{
    m->op = *m->p++;
    const struct opcode *o = opcode_of(m->op);
    if (o->run) return o->run(m);
    if (o->name)
        return bt_fail(m->err, BT_UNSUPPORTED,
                       "%s: pickle opcode %s is refused: torch.save writes none for tensors", m->name,
                       o->name);
    return bt_fail(m->err, BT_DAMAGED, "%s: pickle opcode 0x%02x is unknown", m->name, m->op);
}

enum bt_status bt__pickle_read(struct bt__pickle *out, const char *name, const unsigned char *bytes, size_t n,
                               struct bt_error *err)
{
    struct vm m = {.name = name, .p = bytes, .end = bytes + n, .out = out, .err = err};
    enum bt_status st = BT_OK;
    *out = (struct bt__pickle){.n = 0};
    for (size_t i = 0; !st && !m.stopped; i++) {
        if (m.p == m.end)
            st = bt_fail(err, BT_DAMAGED, "%s: its pickle ends without STOP", name);
        else if (i == MOST_OPCODES)
            st = bt_fail(err, BT_UNSUPPORTED, "%s: its pickle has more than %d opcodes", name, MOST_OPCODES);
        else
            st = step(&m);
    }
    out->used = (size_t)(m.p - bytes);
    free(m.stack.at);
    free(m.mark.at);
    free(m.memo.at);
    if (st) bt__pickle_free(out);
    return st;
}

void bt__pickle_free(struct bt__pickle *p)
{
    static const bool has_items[BT__PICKLE_KINDS] = {[BT__PICKLE_TUPLE] = true,
                                                     [BT__PICKLE_LIST] = true,
                                                     [BT__PICKLE_DICT] = true,
                                                     [BT__PICKLE_STORE] = true,
                                                     [BT__PICKLE_TENSOR] = true};
    for (size_t i = 0; i < p->n; i++)
        if (has_items[p->v[i].kind]) free(p->v[i].as.item);
    free(p->v);
    *p = (struct bt__pickle){.n = 0};
}

const struct bt__pickle_value *bt__pickle_item(const struct bt__pickle *p, const struct bt__pickle_value *v,
                                               size_t i)
{
    return &p->v[v->as.item[i]];
}

const struct bt__pickle_value *bt__pickle_get(const struct bt__pickle *p, const struct bt__pickle_value *v,
                                              const char *key)
{
    for (size_t i = 0; v->kind == BT__PICKLE_DICT && i + 1 < v->n; i += 2) {
        const struct bt__pickle_value *k = bt__pickle_item(p, v, i);
        if (k->kind == BT__PICKLE_TEXT && is(key, k->as.text, k->n)) return bt__pickle_item(p, v, i + 1);
    }
    return NULL;
}
