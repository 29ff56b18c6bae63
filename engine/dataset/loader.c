#include "dataset/loader.h"

#include "dataset/store.h"
#include "dataset/watch.h"
#include <bertty/text.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CHUNK = 1 << 14,
    CHUNK = 1 << 20,
    ODD_TOLD = 10,
    LINE = 512,
    WATCH_BYTES = 1 << 20,
    WATCH_ROWS = 1 << 10
};

struct bt__chunk {
    struct bt__chunk *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
};

/* ── the store ── */

static void *take_bytes(struct bt_examples *e, size_t n, size_t align)
{
    struct bt__chunk *c = e->chunk;
    size_t from = c ? (c->used + align - 1) / align * align : 0;
    if (!c || from > c->cap || c->cap - from < n) {
        size_t cap = c ? (c->cap < CHUNK ? 2 * c->cap : CHUNK) : FIRST_CHUNK; /* a small file needs little */
        if (cap < n) cap = n;
        c = malloc(sizeof *c + cap);
        if (!c) return NULL;
        *c = (struct bt__chunk){.next = e->chunk, .cap = cap};
        e->chunk = c;
        from = 0;
    }
    c->used = from + n;
    return c->bytes + from;
}

static char *keep(struct bt_examples *e, const char *bytes, size_t n)
{
    char *to = take_bytes(e, n + 1, 1);
    if (!to) return NULL;
    if (n) memcpy(to, bytes, n);
    to[n] = '\0';
    return to;
}

static struct bt_example *add(struct bt_examples *e)
{
    if (e->n == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 64;
        struct bt_example *more = realloc(e->at, cap * sizeof *more);
        if (!more) return NULL;
        e->at = more;
        e->cap = cap;
    }
    e->at[e->n] = (struct bt_example){0};
    return &e->at[e->n++];
}

void bt_examples_free(struct bt_examples *e)
{
    if (!e) return;
    for (struct bt__chunk *c = e->chunk, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(e->at);
    free(e->odd);
    free(e->found);
    free(e);
}

size_t bt_examples_count(const struct bt_examples *e)
{
    return e->n;
}

const struct bt_example *bt_examples_at(const struct bt_examples *e, size_t i)
{
    return &e->at[i];
}

size_t bt_examples_invalid_utf8(const struct bt_examples *e)
{
    return e->invalid_utf8;
}

size_t bt_examples_empty(const struct bt_examples *e)
{
    return e->empty;
}

size_t bt_examples_misaligned(const struct bt_examples *e)
{
    return e->misaligned;
}

const char *bt_examples_odd(const struct bt_examples *e, size_t i)
{
    return i < e->n_odd ? e->odd[i] : NULL;
}

const char *bt_examples_found(const struct bt_examples *e, size_t file)
{
    return file < e->n_found ? e->found[file] : NULL;
}

/* ── what readers do with it ── */

enum bt_status bt__loader_no_memory(const struct bt__loader *l, size_t line)
{
    return bt_fail(l->err, BT_NOMEM, "%s:%zu: no memory for this record", l->path, line);
}

struct bt_example *bt__loader_add(struct bt__loader *l, size_t line)
{
    struct bt_example *x = add(l->to);
    if (!x) return NULL;
    x->line = line;
    x->file = l->file;
    return x;
}

bool bt__loader_wants_more(const struct bt__loader *l)
{
    return !l->spec->max_samples || l->to->n < l->spec->max_samples;
}

const char *bt__loader_keep(struct bt__loader *l, const char *bytes, size_t n, size_t *kept_n)
{
    if (bt_utf8_valid(bytes, n) < n) {
        bt_str_clear(&l->scratch);
        bt__utf8_repair(&l->scratch, bytes, n);
        if (l->scratch.failed) return NULL;
        l->invalid = true;
        bytes = l->scratch.data;
        n = l->scratch.len;
    }
    *kept_n = n;
    return keep(l->to, bytes, n);
}

const char *bt__loader_keep_tag(struct bt__loader *l, const char *bytes, size_t n, size_t *kept_n)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)bytes[i]) * 16777619u;
    struct bt_part *t = &l->tag[h % BT__TAGS_KEPT];
    if (!t->text || t->n != n || memcmp(t->text, bytes, n) != 0) {
        const char *kept = bt__loader_keep(l, bytes, n, kept_n);
        if (kept && *kept_n == n && !l->invalid) *t = (struct bt_part){.text = kept, .n = n};
        return kept;
    }
    *kept_n = n;
    return t->text;
}

struct bt_part *bt__loader_part(struct bt__loader *l, size_t line)
{
    if (l->parts == l->parts_cap) {
        size_t cap = l->parts_cap ? l->parts_cap * 2 : 64;
        struct bt_part *more = realloc(l->part, cap * sizeof *more);
        if (!more) return NULL;
        l->part = more;
        l->parts_cap = cap;
    }
    l->part[l->parts] = (struct bt_part){.at = -1, .line = line};
    return &l->part[l->parts++];
}

static enum bt_status tell_watch(struct bt__loader *l)
{
    uint64_t at = bt__source_offset(&l->source);
    if (!l->spec->watch || (l->to->n % WATCH_ROWS && at >= l->told && at - l->told < WATCH_BYTES))
        return BT_OK;
    l->told = at;
    return bt__watch_tell(l->spec, "reading", l->path, at, l->source.limit, l->err);
}

enum bt_status bt__loader_done(struct bt__loader *l, struct bt_example *x)
{
    enum bt_status st = tell_watch(l);
    if (st) return st;
    if (l->parts > 0) {
        struct bt_part *part = take_bytes(l->to, l->parts * sizeof *part, alignof(struct bt_part));
        if (!part || l->parts > UINT32_MAX) return bt__loader_no_memory(l, x->line);
        memcpy(part, l->part, l->parts * sizeof *part);
        x->part = part;
        x->parts = (uint32_t)l->parts;
    }
    l->parts = 0;
    if (!l->invalid) return BT_OK;
    l->invalid = false;
    l->to->invalid_utf8++;
    if (!l->spec->strict) return BT_OK;
    return bt_fail(l->err, BT_INVALID, "%s:%zu: not valid UTF-8, which strict mode refuses", l->path,
                   x->line);
}

enum bt_status bt__loader_words(struct bt__loader *l, struct bt_example *x)
{
    size_t n = 0;
    for (size_t i = 0; i < l->parts; i++) n += l->part[i].n + 1;
    char *text = take_bytes(l->to, n + 1, 1), *p = text;
    if (!text) return bt__loader_no_memory(l, x->line);
    for (size_t i = 0; i < l->parts; i++) {
        memcpy(p, l->part[i].text, l->part[i].n);
        p += l->part[i].n;
        *p++ = ' ';
    }
    if (p > text) p--;
    *p = '\0';
    x->text = text;
    x->text_n = (size_t)(p - text);
    return bt__loader_done(l, x);
}

static const char *told(struct bt__loader *l, const char *fmt, va_list ap)
{
    char text[LINE];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    for (char *p = text; n >= 0 && (p = strpbrk(p, "\r\n"));) *p = ' '; /* what is told is one line */
    return n < 0 ? NULL : keep(l->to, text, strlen(text));
}

void bt__loader_misaligned(struct bt__loader *l)
{
    l->to->misaligned++;
}

enum bt_status bt__loader_odd(struct bt__loader *l, size_t line, const char *fmt, ...)
{
    va_list ap;
    struct bt_examples *e = l->to;
    if (e->n_odd == ODD_TOLD && !l->spec->strict) return BT_OK;
    va_start(ap, fmt);
    const char *what = told(l, fmt, ap);
    va_end(ap);
    if (!what) return bt__loader_no_memory(l, line);
    if (l->spec->strict)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: %s, which strict mode refuses", l->path, line, what);
    struct bt_str s = {0};
    bt_str_addf(&s, "%s:%zu: %s", l->path, line, what);
    const char **odd = realloc(e->odd, (e->n_odd + 1) * sizeof *odd);
    if (odd) e->odd = odd;
    const char *text = s.failed ? NULL : keep(e, s.data, s.len);
    bt_str_free(&s);
    if (!odd || !text) return bt__loader_no_memory(l, line);
    e->odd[e->n_odd++] = text;
    return BT_OK;
}

enum bt_status bt__loader_found(struct bt__loader *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *what = told(l, fmt, ap);
    va_end(ap);
    if (!what) return bt__loader_no_memory(l, 1);
    l->to->found[l->file] = what;
    return BT_OK;
}

enum bt_status bt__loader_label(struct bt__loader *l, size_t line, const char *column, const char **label,
                                size_t *n)
{
    const char *path = l->path;
    if (strspn(*label, " \t") == *n)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: the label is empty, expected one in column '%s'", path,
                       line, column);
    if (strlen(*label) != *n)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: a NUL byte in the label (column '%s')", path, line,
                       column);
    if (!l->classes.n) return BT_OK;
    const char *name = bt__classes_find(&l->classes, *label);
    if (!name)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: label '%.60s', expected 0 … %zu or a name from %s", path,
                       line, *label, l->classes.n - 1, l->classes.path);
    *label = bt__loader_keep_tag(l, name, strlen(name), n);
    return *label ? BT_OK : bt__loader_no_memory(l, line);
}
