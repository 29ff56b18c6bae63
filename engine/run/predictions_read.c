#include "run/find.h"
#include "run/predictions_parts.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)1 << 30) /* bytes of a predictions file */

/* ── which file ── */

/* "validation-step-000400.jsonl" for split "validation": 400; −1 for other names. */
static int64_t step_of_file(const char *name, const char *split)
{
    size_t n = strlen(split), m = strlen(name), end = strlen(".jsonl");
    if (m <= n + 1 + end || strncmp(name, split, n) != 0 || name[n] != '-' ||
        strcmp(name + m - end, ".jsonl") != 0)
        return -1;
    char *middle = bt_strndup(name + n + 1, m - n - 1 - end);
    int64_t step = middle ? bt__step_of_name(middle) : -1;
    free(middle);
    return step;
}

enum bt_status bt_predictions_steps(const char *dir, const char *split, int64_t **steps, size_t *n,
                                    struct bt_error *err)
{
    char *folder = bt_path_join(dir, "predictions");
    DIR *d = folder ? opendir(folder) : NULL;
    enum bt_status status = folder ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    *steps = NULL;
    *n = 0;
    for (struct dirent *e; status == BT_OK && d && (e = readdir(d));) {
        int64_t step = step_of_file(e->d_name, split);
        if (step >= 0 && !bt__steps_add(steps, n, step))
            status = bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    }
    if (d) closedir(d);
    free(folder);
    bt__steps_sort(*steps, *n);
    if (status == BT_OK) return BT_OK;
    free(*steps);
    *steps = NULL;
    *n = 0;
    return status;
}

static bool among(const int64_t *steps, size_t n, int64_t step)
{
    for (size_t i = 0; i < n; i++)
        if (steps[i] == step) return true;
    return false;
}

static enum bt_status choose(const char *dir, const char *split, int64_t step, int64_t *chosen,
                             struct bt_error *err)
{
    int64_t *steps;
    size_t n;
    enum bt_status status = bt_predictions_steps(dir, split, &steps, &n, err);
    int64_t best = step < 0 ? bt__linked_step(dir, "best") : -1;
    *chosen = -1;
    for (size_t i = 0; i < n; i++)
        if (step < 0 || steps[i] <= step) *chosen = steps[i];
    if (among(steps, n, best)) *chosen = best;
    free(steps);
    if (status != BT_OK || *chosen >= 0) return status;
    if (step >= 0 && n > 0)
        return bt_fail(err, BT_NOTFOUND, "%s: no predictions of the %s split at step %lld or before", dir,
                       split, (long long)step);
    return bt_fail(err, BT_NOTFOUND, "%s: no predictions of the %s split", dir, split);
}

/* ── rows ── */

struct reading {
    struct bt_predictions *to;
    const char *path;
    size_t line, cap;
    struct bt_error *err;
};

static enum bt_status bad(const struct reading *r, const char *expected)
{
    return bt_fail(r->err, BT_INVALID, "%s: line %zu: expected %s", r->path, r->line, expected);
}

static enum bt_status no_memory(const struct reading *r)
{
    return bt_fail(r->err, BT_NOMEM, "%s: line %zu: no memory", r->path, r->line);
}

struct kept {
    struct kept *next;
    size_t used, cap;
    char bytes[];
};

const char *bt__predictions_keep(struct bt_predictions *p, const char *text)
{
    enum { BLOCK = 1 << 16 };
    size_t n = strlen(text) + 1;
    struct kept *k = p->kept;
    if (!k || k->cap - k->used < n) {
        size_t cap = n < BLOCK ? BLOCK : n;
        k = malloc(sizeof *k + cap);
        if (!k) return NULL;
        *k = (struct kept){.next = p->kept, .cap = cap};
        p->kept = k;
    }
    char *to = memcpy(k->bytes + k->used, text, n);
    k->used += n;
    return to;
}

/* The first row says which labels there are, and in which order. */
static enum bt_status take_labels(const struct reading *r, const struct bt_json *scores)
{
    struct bt_predictions *p = r->to;
    p->label = calloc(bt_json_len(scores), sizeof *p->label);
    if (!p->label) return no_memory(r);
    for (const void *it = bt_json_first(scores); it; it = bt_json_next(scores, it)) {
        p->label[p->n_labels] = bt_strdup(bt_json_key(it));
        if (!p->label[p->n_labels]) return no_memory(r);
        p->n_labels++;
    }
    return BT_OK;
}

static int label_index(const struct bt_predictions *p, const char *text)
{
    for (int i = 0; text && i < p->n_labels; i++)
        if (strcmp(p->label[i], text) == 0) return i;
    return -1;
}

static bool more_rows(struct reading *r)
{
    struct bt_predictions *p = r->to;
    if (p->n < r->cap) return true;
    size_t cap = r->cap ? r->cap * 2 : 1024;
    struct bt_prediction *row = realloc(p->row, cap * sizeof *row);
    if (row) p->row = row;
    float *scores = row ? realloc(p->scores, (cap * (size_t)p->n_labels + 1) * sizeof *scores) : NULL;
    if (!scores) return false;
    p->scores = scores;
    r->cap = cap;
    return true;
}

static bool take_scores(const struct bt_predictions *p, const struct bt_json *scores, float *to)
{
    int i = 0;
    if (bt_json_len(scores) != (size_t)p->n_labels) return false;
    for (const void *it = bt_json_first(scores); it; it = bt_json_next(scores, it), i++) {
        bool in_order = strcmp(p->label[i], bt_json_key(it)) == 0;
        int k = in_order ? i : label_index(p, bt_json_key(it));
        if (k < 0) return false;
        to[k] = (float)bt_json_number(bt_json_value(it), (double)NAN);
    }
    return true;
}

static enum bt_rows_kind kind_of(const struct bt_json *v)
{
    static const struct {
        const char *member;
        enum bt_rows_kind kind;
    } tells[] = {{.member = "value", .kind = BT_ROWS_NUMBERS},
                 {.member = "tags", .kind = BT_ROWS_TAGS},
                 {.member = "nbest", .kind = BT_ROWS_ANSWERS},
                 {.member = "labels", .kind = BT_ROWS_SETS},
                 {.member = "masked", .kind = BT_ROWS_MASKS}};
    for (size_t i = 0; i < sizeof tells / sizeof *tells; i++)
        if (bt_json_get(v, tells[i].member)) return tells[i].kind;
    return BT_ROWS_LABELS;
}

static bool has_scores(enum bt_rows_kind kind)
{
    return kind == BT_ROWS_LABELS || kind == BT_ROWS_SETS;
}

/* Kind and labels of the file. */
static enum bt_status take_first(struct reading *r, const struct bt_json *v)
{
    const struct bt_json *scores = bt_json_get(v, "scores");
    r->to->kind = kind_of(v);
    if (!has_scores(r->to->kind)) return BT_OK;
    if (bt_json_kind(scores) != BT_JSON_OBJECT || !bt_json_len(scores))
        return bad(r, "\"scores\", a number for each label");
    return take_labels(r, scores);
}

static double number(const struct bt_json *v, const char *member)
{
    return bt_json_number(bt_json_get(v, member), (double)NAN);
}

/* What rows of every kind have. */
static enum bt_status take_common(struct reading *r, const struct bt_json *v, struct bt_prediction *to)
{
    const char *name = bt_json_text(bt_json_get(v, "name"), NULL),
               *gold = bt_json_text(bt_json_get(v, "gold"), NULL),
               *predicted = bt_json_text(bt_json_get(v, "prediction"), NULL);
    const struct bt_json *id = bt_json_get(v, "id"), *correct = bt_json_get(v, "correct");
    if (!predicted) return bad(r, "a text \"prediction\"");
    *to = (struct bt_prediction){.id = bt_json_int(id, 0),
                                 .name = name ? bt__predictions_keep(r->to, name) : NULL,
                                 .gold = -1,
                                 .predicted = -1,
                                 .judged = correct != NULL,
                                 .correct = bt_json_bool(correct, false),
                                 .p = (float)number(v, "score"),
                                 .loss = (float)number(v, "loss"),
                                 .gold_value = number(v, "gold_value"),
                                 .value = number(v, "value"),
                                 .quality = number(v, "f1")};
    if (r->to->kind == BT_ROWS_LABELS) return BT_OK; /* texts: the labels' */
    to->gold_text = gold ? bt__predictions_keep(r->to, gold) : NULL;
    to->predicted_text = bt__predictions_keep(r->to, predicted);
    return !to->predicted_text || !to->gold_text != !gold || !to->name != !name ? no_memory(r) : BT_OK;
}

static enum bt_status take_label(const struct reading *r, const struct bt_json *v, struct bt_prediction *to)
{
    const struct bt_predictions *p = r->to;
    to->predicted = label_index(p, bt_json_text(bt_json_get(v, "prediction"), NULL));
    if (to->predicted < 0) return bad(r, "a \"prediction\" that is one of the labels");
    to->gold = label_index(p, bt_json_text(bt_json_get(v, "gold"), NULL));
    to->predicted_text = p->label[to->predicted];
    to->gold_text = to->gold >= 0 ? p->label[to->gold] : NULL;
    to->judged = to->gold >= 0;
    to->correct = to->gold == to->predicted;
    return BT_OK;
}

static enum bt_status take_row(struct reading *r, const struct bt_json *v)
{
    struct bt_predictions *p = r->to;
    if (bt_json_kind(bt_json_get(v, "id")) != BT_JSON_INT) return bad(r, "a whole number \"id\"");
    enum bt_status status = p->n ? BT_OK : take_first(r, v);
    if (status != BT_OK) return status;
    if (!more_rows(r)) return no_memory(r);
    struct bt_prediction *to = &p->row[p->n];
    float *mine = p->scores + p->n * (size_t)p->n_labels;
    status = take_common(r, v, to);
    if (!status && has_scores(p->kind) && !take_scores(p, bt_json_get(v, "scores"), mine))
        status = bad(r, "\"scores\" with the labels of the first line");
    if (!status && p->kind == BT_ROWS_LABELS) {
        status = take_label(r, v, to);
        if (!status) to->p = mine[to->predicted];
    }
    if (status) return status;
    if (isnan(to->quality) && to->judged) to->quality = to->correct ? 1.0 : 0.0;
    p->n++;
    return BT_OK;
}

static enum bt_status take_line(struct reading *r, const char *line, size_t n)
{
    char *where = bt_strfmt("%s: line %zu", r->path, r->line);
    if (!where) return no_memory(r);
    struct bt_json *v = bt_json_parse(line, n, where, r->err);
    enum bt_status status = v ? take_row(r, v) : BT_INVALID;
    bt_json_free(v);
    free(where);
    return status;
}

static enum bt_status take_file(struct bt_predictions *p, const char *path, struct bt_error *err)
{
    struct reading r = {.to = p, .path = path, .err = err};
    size_t n = 0;
    enum bt_status status = bt_file_read(path, MAX_FILE, &p->text, &n, err);
    for (const char *at = p->text, *end = at + n; status == BT_OK && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        r.line++;
        if (len) status = take_line(&r, at, len);
        if (len && !status) {
            p->row[p->n - 1].at = (size_t)(at - p->text);
            p->row[p->n - 1].size = len;
        }
        at += len + 1;
    }
    /* only now: the rows' scores moved while they grew */
    for (size_t i = 0; has_scores(p->kind) && i < p->n; i++)
        p->row[i].scores = p->scores + i * (size_t)p->n_labels;
    return status;
}

struct bt_json *bt_prediction_json(const struct bt_predictions *p, const struct bt_prediction *row)
{
    return bt_json_parse(p->text + row->at, row->size, "predictions", NULL);
}

enum bt_status bt_predictions_load(const char *dir, const char *split, int64_t step,
                                   struct bt_predictions **out, struct bt_error *err)
{
    int64_t chosen;
    *out = NULL;
    enum bt_status status = choose(dir, split, step, &chosen, err);
    if (status != BT_OK) return status;
    char *path = bt_strfmt("%s/predictions/%s-step-%06lld.jsonl", dir, split, (long long)chosen);
    struct bt_predictions *p = calloc(1, sizeof *p);
    if (p) *p = (struct bt_predictions){.split = bt_strdup(split), .step = chosen};
    status = path && p && p->split ? take_file(p, path, err)
                                   : bt_fail(err, BT_NOMEM, "%s: no memory for predictions", dir);
    free(path);
    if (status == BT_OK)
        *out = p;
    else
        bt_predictions_free(p);
    return status;
}

size_t bt_predictions_last_row(const struct bt_predictions *p)
{
    int64_t last = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->row[i].id > last) last = p->row[i].id;
    return (size_t)last;
}

void bt_predictions_free(struct bt_predictions *p)
{
    if (!p) return;
    for (int i = 0; i < p->n_labels; i++) free(p->label[i]);
    free(p->label);
    free(p->split);
    for (struct kept *k = p->kept, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    free(p->text);
    free(p->row);
    free(p->scores);
    free(p);
}
