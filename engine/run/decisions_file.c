/* The file of <bertty/label_decisions.h>. */
#include "run/dir_lock.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/label_decisions.h>
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 30 };

static const char *const words[] = {
    [BT_UNDECIDED] = "", [BT_KEEP] = "keep", [BT_RELABEL] = "relabel", [BT_DROP] = "drop"};

const char *bt_verdict_name(enum bt_verdict v)
{
    return words[v];
}

/* BT_UNDECIDED: no such word. */
static enum bt_verdict verdict_of(const char *word)
{
    enum bt_verdict v = BT_DROP;
    while (v != BT_UNDECIDED && strcmp(words[v], word) != 0) v--;
    return v;
}

/* ── lines ── */

struct lines {
    const char *path, *at, *end; /* what is left */
    size_t number;               /* of the line that was read last, from 1 */
    const char *line;            /* … */
    size_t n;
};

static bool next_line(struct lines *l)
{
    if (l->at >= l->end) return false;
    const char *stop = memchr(l->at, '\n', (size_t)(l->end - l->at));
    l->line = l->at;
    l->n = (size_t)((stop ? stop : l->end) - l->at);
    l->at += l->n + 1;
    l->number++;
    return true;
}

static bool blank(const struct lines *l)
{
    return strspn(l->line, " \t\r") >= l->n; /* the text ends with a NUL */
}

static struct bt_json *object_of(const struct lines *l, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    struct bt_json *v = bt_json_parse(l->line, l->n, "the line", &why);
    if (v && bt_json_kind(v) == BT_JSON_OBJECT) return v;
    bt_fail(err, BT_INVALID, "%s:%zu: %s", l->path, l->number, v ? "not a JSON object" : why.text);
    bt_json_free(v);
    return NULL;
}

/* ── reading ── */

static enum bt_status add(struct bt_label_decisions *out, const struct bt_json *v, enum bt_verdict verdict,
                          const struct lines *l, struct bt_error *err)
{
    if ((out->n & (out->n - 1)) == 0) { /* full: room for twice as many */
        struct bt_label_decision *more = realloc(out->item, (out->n ? 2 * out->n : 1) * sizeof *more);
        if (!more) return bt_fail(err, BT_NOMEM, "%s: no memory", l->path);
        out->item = more;
    }
    const char *given = bt_json_text(bt_json_get(v, "given"), NULL),
               *label = bt_json_text(bt_json_get(v, "label"), bt_json_text(bt_json_get(v, "likelier"), NULL));
    struct bt_label_decision *d = &out->item[out->n++];
    *d = (struct bt_label_decision){.row = bt_json_int(bt_json_get(v, "row"), -1),
                                    .verdict = verdict,
                                    .given = bt_strdup(given),
                                    .label = verdict == BT_RELABEL ? bt_strdup(label) : NULL,
                                    .line = l->number};
    bool fine = (!given || d->given) && (!label || verdict != BT_RELABEL || d->label);
    return fine ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory", l->path);
}

static enum bt_status take_line(struct bt_label_decisions *out, const struct lines *l, struct bt_error *err)
{
    struct bt_json *v = object_of(l, err);
    if (!v) return BT_INVALID;
    const char *word = bt_json_text(bt_json_get(v, "decision"), NULL),
               *data = bt_json_text(bt_json_get(v, "data"), NULL);
    const bool row = bt_json_get(v, "row") != NULL;
    enum bt_verdict verdict = word ? verdict_of(word) : BT_UNDECIDED;
    enum bt_status st = BT_OK;
    if (data && !row && !out->data && !(out->data = bt_strdup(data)))
        st = bt_fail(err, BT_NOMEM, "%s: no memory", l->path);
    if (word && row && !verdict)
        st = bt_fail(err, BT_INVALID, "%s:%zu: decision \"%.60s\", expected keep, relabel or drop", l->path,
                     l->number, word);
    if (!st && word && row) st = add(out, v, verdict, l, err);
    bt_json_free(v);
    return st;
}

static int by_row(const void *a, const void *b)
{
    const struct bt_label_decision *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static enum bt_status sort(struct bt_label_decisions *d, const char *path, struct bt_error *err)
{
    if (d->n) qsort(d->item, d->n, sizeof *d->item, by_row);
    for (size_t i = 1; i < d->n; i++)
        if (d->item[i].row == d->item[i - 1].row)
            return bt_fail(err, BT_INVALID, "%s:%zu: a second decision about row %lld", path, d->item[i].line,
                           (long long)d->item[i].row);
    return BT_OK;
}

static int about_row(const void *row, const void *item)
{
    const int64_t wanted = *(const int64_t *)row, is = ((const struct bt_label_decision *)item)->row;
    return wanted < is ? -1 : wanted > is;
}

const struct bt_label_decision *bt_label_decisions_of(const struct bt_label_decisions *d, int64_t row)
{
    return d->n ? bsearch(&row, d->item, d->n, sizeof *d->item, about_row) : NULL;
}

static enum bt_status take_all(struct bt_label_decisions *out, const char *path, const char *data, size_t n,
                               struct bt_error *err)
{
    struct lines l = {.path = path, .at = data, .end = data + n};
    enum bt_status st = BT_OK;
    while (!st && next_line(&l))
        if (!blank(&l)) st = take_line(out, &l, err);
    return st ? st : sort(out, path, err);
}

enum bt_status bt_label_decisions_load(const char *path, struct bt_label_decisions *out, struct bt_error *err)
{
    char *data = NULL;
    size_t n = 0;
    *out = (struct bt_label_decisions){.n = 0};
    enum bt_status st = bt_file_read(path, LARGEST, &data, &n, err);
    if (!st) st = take_all(out, path, data, n, err);
    free(data);
    if (st) bt_label_decisions_clear(out);
    return st;
}

enum bt_status bt_label_decisions_about(const struct bt_label_decisions *d, const char *path,
                                        const char *data, struct bt_error *err)
{
    if (!d->data || strcmp(d->data, data) == 0) return BT_OK;
    return bt_fail(err, BT_INVALID,
                   "%s: decisions about another version of the data: %.12s… then, %.12s… now", path, d->data,
                   data);
}

void bt_label_decisions_clear(struct bt_label_decisions *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->item[i].given);
        free(d->item[i].label);
    }
    free(d->item);
    free(d->data);
    *d = (struct bt_label_decisions){.n = 0};
}

/* ── changing ── */

static bool one_of(const char *word, const char *const *of)
{
    while (*of && strcmp(word, *of) != 0) of++;
    return *of != NULL;
}

/* The line of a row with the new decision; what else it says (old: NULL, a new one) stays. A line that then says nothing is left out. */
static void put_line(struct bt_str *out, const struct bt_json *old, const struct bt_label_decision *d)
{
    static const char *const ours[] = {"row", "given", "decision", "label", NULL};
    bool more = d->verdict != BT_UNDECIDED;
    for (const void *it = bt_json_first(old); it && !more; it = bt_json_next(old, it))
        more = !one_of(bt_json_key(it), ours);
    if (!more) return;
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "row", d->row);
    if (d->given) bt_jw_ktext(&w, "given", d->given);
    if (d->verdict != BT_UNDECIDED) bt_jw_ktext(&w, "decision", bt_verdict_name(d->verdict));
    if (d->verdict == BT_RELABEL && d->label) bt_jw_ktext(&w, "label", d->label);
    for (const void *it = bt_json_first(old); it; it = bt_json_next(old, it)) {
        if (one_of(bt_json_key(it), ours)) continue;
        bt_jw_key(&w, bt_json_key(it));
        bt_jw_value(&w, bt_json_value(it));
    }
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
}

static enum bt_status change_line(struct bt_str *out, const struct lines *l,
                                  const struct bt_label_decision *d, bool *done, struct bt_error *err)
{
    struct bt_json *v = blank(l) ? NULL : object_of(l, err);
    if (!v && !blank(l)) return BT_INVALID;
    if (v && bt_json_get(v, "row") && bt_json_int(bt_json_get(v, "row"), -1) == d->row) {
        put_line(out, v, d);
        *done = true;
    } else {
        bt_str_addn(out, l->line, l->n);
        bt_str_addc(out, '\n');
    }
    bt_json_free(v);
    return BT_OK;
}

static void put_version(struct bt_str *out, const char *data)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "data", data);
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
}

static enum bt_status change(const char *path, const struct bt_label_decision *d, const char *data,
                             struct bt_error *err)
{
    struct bt_label_decisions now = {.n = 0};
    struct bt_str text = {0};
    char *old = NULL;
    size_t n = 0;
    bool done = false;
    enum bt_status st = bt_path_exists(path) ? bt_file_read(path, LARGEST, &old, &n, err) : BT_OK;
    if (!st) st = take_all(&now, path, old ? old : "", n, err); /* a damaged file is not written over */
    if (!st && data && !now.data) put_version(&text, data);
    struct lines l = {.path = path, .at = old, .end = old ? old + n : NULL};
    while (!st && next_line(&l)) st = change_line(&text, &l, d, &done, err);
    if (!st && !done) put_line(&text, NULL, d);
    if (!st && text.failed) st = bt_fail(err, BT_NOMEM, "%s: no memory", path);
    if (!st) st = bt_file_write_atomic(path, bt_str_text(&text), text.len, err);
    bt_label_decisions_clear(&now);
    bt_str_free(&text);
    free(old);
    return st;
}

enum bt_status bt_label_decisions_set(const char *path, const struct bt_label_decision *d, const char *data,
                                      struct bt_error *err)
{
    int fd = -1;
    char *above = bt_path_above(path);
    enum bt_status st = above ? bt__dir_lock(above, "decisions there", &fd, err)
                              : bt_fail(err, BT_NOMEM, "%s: no memory", path);
    if (!st) st = change(path, d, data, err);
    if (fd >= 0) close(fd);
    free(above);
    return st;
}
