#include "run/label_decisions.h"

#include "dataset/store.h"
#include "tasks/classes.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 30 };
enum verdict { UNDECIDED, KEEP, RELABEL, DROP, UNKNOWN };

struct deciding {
    const char *path;
    size_t line;
    const struct bt__task *t;
    struct bt__task_data *d;
    unsigned char *decided; /* [n] verdicts of the rows */
    struct bt_error *err;
};

static enum bt_status wrong(const struct deciding *g, const char *fmt, ...) BT_PRINTF(2, 3);
static enum bt_status wrong(const struct deciding *g, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return bt_fail(g->err, BT_INVALID, "%s:%zu: %s", g->path, g->line, text);
}

static enum verdict verdict_of(const char *word)
{
    static const char *const words[] = {[KEEP] = "keep", [RELABEL] = "relabel", [DROP] = "drop"};
    for (int k = KEEP; k <= DROP; k++)
        if (strcmp(word, words[k]) == 0) return (enum verdict)k;
    return UNKNOWN;
}

static int label_of(const struct deciding *g, const char *name)
{
    return name ? bt__classes_index(&g->t->labels, name, strlen(name)) : -1;
}

/* The row's label must be the one that was looked at: else the data have changed since. */
static enum bt_status check_row(const struct deciding *g, int64_t row, const char *given)
{
    if (row < 1 || (uint64_t)row > g->d->n) return wrong(g, "row %lld of %zu rows", (long long)row, g->d->n);
    if (g->decided[row - 1]) return wrong(g, "a second decision about row %lld", (long long)row);
    const struct bt_example *x = &g->d->examples->at[row - 1];
    const int is = x->label ? bt__classes_index(&g->t->labels, x->label, x->label_n) : -1;
    if (!given || is < 0 || label_of(g, given) != is)
        return wrong(g, "row %lld is \"%.*s\" in the data, the decision was about \"%.60s\"", (long long)row,
                     (int)(x->label_n < 60 ? x->label_n : 60), x->label ? x->label : "", given ? given : "");
    return BT_OK;
}

static enum bt_status decide(const struct deciding *g, const struct bt_json *v,
                             struct bt__label_decisions *told)
{
    const char *word = bt_json_text(bt_json_get(v, "decision"), NULL);
    const int64_t row = bt_json_int(bt_json_get(v, "row"), -1);
    if (!word || !bt_json_get(v, "row")) return BT_OK;
    const enum verdict verdict = verdict_of(word);
    if (verdict == UNKNOWN) return wrong(g, "decision \"%.60s\", expected keep, relabel or drop", word);
    enum bt_status st = check_row(g, row, bt_json_text(bt_json_get(v, "given"), NULL));
    if (st) return st;
    g->decided[row - 1] = (unsigned char)verdict;
    told->kept += verdict == KEEP;
    told->dropped += verdict == DROP;
    told->relabelled += verdict == RELABEL;
    if (verdict != RELABEL) return BT_OK;
    const char *to = bt_json_text(bt_json_get(v, "label"), bt_json_text(bt_json_get(v, "likelier"), NULL));
    const int label = label_of(g, to);
    if (label < 0) return wrong(g, "\"%.60s\" is not one of the labels", to ? to : "");
    struct bt_example *x = &g->d->examples->at[row - 1];
    x->label = g->t->labels.name[label]; /* lives as long as the task, and that as long as its data */
    x->label_n = strlen(x->label);
    return BT_OK;
}

static enum bt_status decide_all(struct deciding *g, const char *data, size_t n,
                                 struct bt__label_decisions *told)
{
    enum bt_status st = BT_OK;
    for (const char *at = data, *end; !st && at < data + n; at = end + 1) {
        struct bt_error why = {.status = BT_OK};
        end = memchr(at, '\n', (size_t)(data + n - at));
        if (!end) end = data + n;
        g->line++;
        if (at + strspn(at, " \t\r") >= end) continue;
        struct bt_json *v = bt_json_parse(at, (size_t)(end - at), "the line", &why);
        st = v && bt_json_kind(v) == BT_JSON_OBJECT ? decide(g, v, told)
                                                    : wrong(g, "%s", v ? "not a JSON object" : why.text);
        bt_json_free(v);
    }
    return st;
}

/* The rows that are not dropped. */
static enum bt_status pick_rest(const struct deciding *g)
{
    struct bt__task_data *d = g->d;
    const size_t n = d->n;
    d->pick = calloc(n + 1, sizeof *d->pick);
    if (!d->pick) return bt_fail(g->err, BT_NOMEM, "%s: no memory for %zu rows", g->path, n);
    d->n = 0;
    for (size_t i = 0; i < n; i++)
        if (g->decided[i] != DROP) d->pick[d->n++] = (uint32_t)i;
    return d->n ? BT_OK : bt_fail(g->err, BT_INVALID, "%s: every training row is dropped", g->path);
}

enum bt_status bt__apply_label_decisions(const char *path, const struct bt__task *t, struct bt__task_data *d,
                                         struct bt__label_decisions *told, struct bt_error *err)
{
    struct deciding g = {.path = path, .t = t, .d = d, .decided = calloc(d->n + 1, 1), .err = err};
    char *data = NULL;
    size_t n = 0;
    *told = (struct bt__label_decisions){.kept = 0};
    enum bt_status st = g.decided ? bt_file_read(path, LARGEST, &data, &n, err)
                                  : bt_fail(err, BT_NOMEM, "%s: no memory for %zu rows", path, d->n);
    if (!st) st = decide_all(&g, data, n, told);
    if (!st && told->dropped) st = pick_rest(&g);
    free(g.decided);
    free(data);
    return st;
}
