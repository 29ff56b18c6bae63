/* Predictions as gluebenchmark.com takes them: a file a task, named as it wants, with the columns index and prediction. */
#include "run/predictor_parts.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum says { NUMBERS, NAMES, REAL };

static const struct task {
    const char *name; /* of the file, without ".tsv" */
    enum says says;
    const char *names[4]; /* what the predictions may be called */
} tasks[] = {{.name = "CoLA", .says = NUMBERS},
             {.name = "SST-2", .says = NUMBERS},
             {.name = "MRPC", .says = NUMBERS},
             {.name = "STS-B", .says = REAL},
             {.name = "QQP", .says = NUMBERS},
             {.name = "MNLI-m", .says = NAMES, .names = {"entailment", "neutral", "contradiction"}},
             {.name = "MNLI-mm", .says = NAMES, .names = {"entailment", "neutral", "contradiction"}},
             {.name = "QNLI", .says = NAMES, .names = {"entailment", "not_entailment"}},
             {.name = "RTE", .says = NAMES, .names = {"entailment", "not_entailment"}},
             {.name = "WNLI", .says = NUMBERS},
             {.name = "AX", .says = NAMES, .names = {"entailment", "neutral", "contradiction"}}};

enum { TASKS = sizeof tasks / sizeof *tasks };

static const struct task *task_of(const char *path)
{
    const char *base = bt_path_base(path);
    for (size_t i = 0; i < TASKS; i++) {
        size_t n = strlen(tasks[i].name);
        if (strncmp(base, tasks[i].name, n) == 0 && strcmp(base + n, ".tsv") == 0) return &tasks[i];
    }
    return NULL;
}

/* ── before anything is predicted ── */

static enum bt_status no_task(const char *path, struct bt_error *err)
{
    struct bt_str known = {.len = 0};
    for (size_t i = 0; i < TASKS; i++) bt_str_addf(&known, "%s%s.tsv", i ? ", " : "", tasks[i].name);
    enum bt_status st =
        bt_fail(err, BT_INVALID, "%s: not a file of GLUE's, expected %s", path, bt_str_text(&known));
    bt_str_free(&known);
    return st;
}

static bool among(const char *const *names, const char *label)
{
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], label) == 0) return true;
    return false;
}

static enum bt_status fits_names(const struct bt_predictor *p, const struct task *t, struct bt_error *err)
{
    for (int i = 0; i < bt_predictor_labels(p); i++)
        if (!among(t->names, bt_predictor_label(p, i)))
            return bt_fail(err, BT_INVALID,
                           "%s.tsv: the model's label \"%.40s\" is not one of GLUE's (%s, %s%s%s)", t->name,
                           bt_predictor_label(p, i), t->names[0], t->names[1], t->names[2] ? ", " : "",
                           t->names[2] ? t->names[2] : "");
    return BT_OK;
}

enum bt_status bt_glue_file_check(const struct bt_predictor *p, const char *path, struct bt_error *err)
{
    const struct task *t = task_of(path);
    const int type = bt_predictor_task(p), n = bt_predictor_labels(p);
    if (!t) return no_task(path, err);
    const int wanted = t->says == REAL ? BT_TYPE_REGRESSION : BT_TYPE_CLASSIFICATION;
    if (type != wanted)
        return bt_fail(err, BT_INVALID, "%s.tsv is for task.type: %s, the model's is %s", t->name,
                       bt__task_ops(wanted)->name, bt__task_ops(type)->name);
    if (t->says == NUMBERS && n != 2)
        return bt_fail(err, BT_INVALID, "%s.tsv: the model has %d labels, expected 2", t->name, n);
    return t->says == NAMES ? fits_names(p, t, err) : BT_OK;
}

/* ── writing ── */

/* The label's number: itself where the model's labels are called 0 and 1, else its place among them. */
static int number_of(const struct bt_json *row, const char *label)
{
    const struct bt_json *scores = bt_json_get(row, "scores");
    if (bt_json_get(scores, "0") && bt_json_get(scores, "1")) return label[0] == '1';
    int i = 0;
    for (const void *it = bt_json_first(scores); it; it = bt_json_next(scores, it), i++)
        if (strcmp(bt_json_key(it), label) == 0) return i;
    return 0;
}

/* STS-B is a scale from 0 to 5. */
static double on_scale(double v)
{
    return v > 0.0 ? v < 5.0 ? v : 5.0 : 0.0;
}

/* A row without an id of its own goes by its number, from 0 as in GLUE's files. */
static void add_row(const struct task *t, const struct bt_json *row, struct bt_str *out)
{
    const char *name = bt_json_text(bt_json_get(row, "name"), NULL),
               *label = bt_json_text(bt_json_get(row, "prediction"), "");
    if (name)
        bt_str_add(out, name);
    else
        bt_str_addf(out, "%" PRId64, bt_json_int(bt_json_get(row, "id"), 1) - 1);
    if (t->says == NAMES)
        bt_str_addf(out, "\t%s\n", label);
    else if (t->says == NUMBERS)
        bt_str_addf(out, "\t%d\n", number_of(row, label));
    else
        bt_str_addf(out, "\t%.3f\n", on_scale(bt_json_number(bt_json_get(row, "value"), 0.0)));
}

enum bt_status bt_glue_file_write(const char *path, const char *rows, size_t n, struct bt_error *err)
{
    const struct task *t = task_of(path);
    struct bt_str out = {.len = 0};
    enum bt_status st = t ? BT_OK : no_task(path, err);
    bt_str_add(&out, "index\tprediction\n");
    for (const char *end = rows + n; !st && rows < end;) {
        const char *stop = memchr(rows, '\n', (size_t)(end - rows));
        size_t length = (size_t)((stop ? stop : end) - rows);
        struct bt_json *row = bt_json_parse(rows, length, "predictions", err);
        if (row)
            add_row(t, row, &out);
        else
            st = BT_INVALID;
        bt_json_free(row);
        rows += length + 1;
    }
    if (!st && out.failed) st = bt_fail(err, BT_NOMEM, "%s: no memory for its rows", path);
    if (!st) st = bt_file_replace(path, bt_str_text(&out), out.len, err);
    bt_str_free(&out);
    return st;
}
