/* A model with its tokenizer, opened for answering. */
#include "run/predictor_parts.h"

#include "formats/hf_dir.h"
#include "formats/weights.h"
#include "math/gemm.h"
#include "run/asked.h"
#include <bertty/run.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROWS = 128 /* tokens that memory is reserved for at once */, MOST_LABELS = 1 << 20 };

/* ── opening ── */

/* A model without a run: what its configuration says. */
static enum bt_status default_experiment(struct bt_predictor *p, const struct bt__model_config *c,
                                         struct bt_error *err)
{
    p->alone = true;
    enum bt_status st = bt_experiment_new(&p->x, err);
    if (st) return st;
    p->x->task_type = bt__task_of_model(c->architecture, c->problem_type, c->num_labels);
    if (c->mean_pooling) p->x->model_pooling = BT_POOLING_MEAN;
    p->x->data_max_seq_length = c->max_position_embeddings;
    const int usual = bt__task_ops(p->x->task_type)->max_length;
    if (usual && usual < p->x->data_max_seq_length) p->x->data_max_seq_length = usual;
    return bt__asked_read(p->x, c, p->dir, err);
}

/* How many labels the head in the file tells apart; 2 if there is none. */
static enum bt_status labels_of_head(const char *dir, int *n, struct bt_error *err)
{
    struct bt__weights *w = NULL;
    enum bt_status st = bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, err);
    if (st) return st;
    ptrdiff_t at = bt__weights_find(w, "classifier.weight");
    const struct bt__tensor_info *head = at < 0 ? NULL : bt__weights_at(w, (size_t)at);
    bool usable = head && head->rank == 2 && head->shape[0] > 0 && head->shape[0] <= MOST_LABELS;
    *n = usable ? (int)head->shape[0] : 2;
    bt__weights_close(w);
    return BT_OK;
}

/* transformers writes no id2label for two labels without names, Google's configuration knows of none. */
static enum bt_status default_labels(const char *dir, struct bt__model_config *c, struct bt_error *err)
{
    int n = 0;
    if (c->num_labels) return BT_OK;
    enum bt_status st = labels_of_head(dir, &n, err);
    if (st) return st;
    c->label_names = calloc((size_t)n, sizeof *c->label_names);
    if (!c->label_names) return bt_fail(err, BT_NOMEM, "%s: no memory for %d labels", dir, n);
    c->num_labels = n;
    for (int i = 0; i < n; i++)
        if (!(c->label_names[i] = bt_strfmt("LABEL_%d", i)))
            return bt_fail(err, BT_NOMEM, "%s: no memory for %d labels", dir, n);
    return BT_OK;
}

/* Why tensor q could not be taken from the file: it is not there, or it is for another number of labels. */
static enum bt_status untrained(const struct bt_predictor *p, const struct bt__param *q, struct bt_error *err)
{
    struct bt__weights *s = NULL;
    enum bt_status st = bt__weights_open(p->dir, BT__WEIGHTS_AUTO, &s, err);
    if (st) return st;
    const char *path = bt__weights_path(s);
    ptrdiff_t at = bt__weights_find(s, q->name);
    if (at < 0)
        st = bt_fail(err, BT_INVALID, "%s: no tensor %s: this model has no trained head for %s", path,
                     q->name, p->task->ops->name);
    else
        st = bt_fail(err, BT_INVALID, "%s: tensor %s has %lld outputs, but config.json says %d", path,
                     q->name, (long long)bt__weights_at(s, (size_t)at)->shape[0], p->m->num_labels);
    bt__weights_close(s);
    return st;
}

static enum bt_status load_weights(struct bt_predictor *p, bool vectors, struct bt_error *err)
{
    const struct bt__params *params = &p->m->params;
    struct bt__load_report report;
    bool *fresh = calloc(params->n, sizeof *fresh);
    if (!fresh) return bt_fail(err, BT_NOMEM, "%s: no memory for its tensors", p->dir);
    enum bt_status st = bt__hf_weights_load(p->dir, BT__WEIGHTS_AUTO, params, p->m->w, fresh, &report, err);
    for (size_t i = params->n; !st && i > 0; i--) { /* the head first: it says more than the pooler */
        const struct bt__param *q = &params->item[i - 1];
        p->untrained |= fresh[i - 1] && q->head;
        if (fresh[i - 1] && !(vectors && (q->head || q->optional))) st = untrained(p, q, err);
    }
    free(fresh);
    return st;
}

static enum bt_status make_model(struct bt_predictor *p, struct bt__model_config *c, bool vectors,
                                 struct bt_error *err)
{
    const bool named = c->num_labels > 0 && bt__task_ops(p->x->task_type)->tally;
    bt__model_config_override(c, p->x);
    enum bt_status st =
        bt__task_create(p->x, p->tokenizer, NULL, named ? (const char *const *)c->label_names : NULL,
                        named ? (size_t)c->num_labels : 0, &p->task, err);
    if (st) return bt_error_prefix(err, st, "%s", p->dir);
    if (p->task->ops->recall) p->task->ops->recall(p->task, c);
    const struct bt__head_spec head = p->task->ops->head(p->task);
    if (bt__model_create(c, &head, &p->m, err))
        return bt_error_prefix(err, BT_NOMEM, "%s/config.json", p->dir);
    return load_weights(p, vectors, err);
}

static enum bt_status load_tokenizer(struct bt_predictor *p, const struct bt__model_config *c,
                                     struct bt_error *err)
{
    struct bt_tokenizer_options opt = bt__tokenizer_options_of(p->x);
    enum bt_status st = bt_tokenizer_of_model(p->dir, &opt, &p->tokenizer, err);
    if (!st) st = bt__tokenizer_fits(p->tokenizer, c, p->dir, err);
    if (p->x->data_max_seq_length > c->max_position_embeddings)
        p->x->data_max_seq_length = c->max_position_embeddings;
    return st;
}

static enum bt_status load_model(struct bt_predictor *p, bool vectors, struct bt_error *err)
{
    struct bt__model_config c = {.num_labels = 0};
    enum bt_status st = bt__hf_config_load(p->dir, &c, err);
    if (!st && !p->x) st = default_experiment(p, &c, err);
    if (!st && bt__task_ops(p->x->task_type)->tally) st = default_labels(p->dir, &c, err);
    if (!st) st = load_tokenizer(p, &c, err);
    if (!st) st = make_model(p, &c, vectors, err);
    bt__model_config_free(&c);
    return st;
}

static enum bt_status open_parts(struct bt_predictor *p, const struct bt_predictor_spec *spec,
                                 struct bt_error *err)
{
    enum bt_status st = load_model(p, spec->vectors, err);
    if (!st && spec->precision) st = bt_experiment_set(p->x, "train.precision", spec->precision, err);
    if (!st) st = bt__gemm_init(err);
    if (!st) st = bt_predictor_set_threads(p, spec->threads, err);
    if (st) return st;
    int rows = p->x->data_max_seq_length < FIRST_ROWS ? (int)p->x->data_max_seq_length : FIRST_ROWS;
    struct bt__pass_limits first = {
        .seqs = 1, .rows = rows, .longest = rows, .pairs = (size_t)rows * (size_t)rows};
    return bt__predictor_reserve(p, &first, err);
}

static struct bt_predictor *predictor_new(const char *dir, struct bt_error *err)
{
    struct bt_predictor *p = calloc(1, sizeof *p);
    if (p) p->dir = bt_strdup(dir);
    if (p && p->dir) return p;
    free(p);
    bt_fail(err, BT_NOMEM, "no memory for a predictor");
    return NULL;
}

enum bt_status bt__predictor_open_as(const char *dir, struct bt_experiment *x, int threads,
                                     struct bt_predictor **out, struct bt_error *err)
{
    struct bt_predictor *p = predictor_new(dir, err);
    if (!p) {
        bt_experiment_free(x);
        return BT_NOMEM;
    }
    p->x = x;
    p->alone = true;
    const struct bt_predictor_spec spec = {.threads = threads};
    enum bt_status st = open_parts(p, &spec, err);
    if (st)
        bt_predictor_free(p);
    else
        *out = p;
    return st;
}

enum bt_status bt_predictor_open(const struct bt_predictor_spec *spec, struct bt_predictor **out,
                                 struct bt_error *err)
{
    struct bt_predictor *p = predictor_new(spec->model_dir, err);
    if (!p) return BT_NOMEM;
    enum bt_status st = spec->run_dir ? bt_run_experiment(spec->run_dir, &p->x, err) : BT_OK;
    if (!st) st = open_parts(p, spec, err);
    if (st)
        bt_predictor_free(p);
    else
        *out = p;
    return st;
}

enum bt_status bt_predictor_set_threads(struct bt_predictor *p, int threads, struct bt_error *err)
{
    if (p->pool && threads == p->threads) return BT_OK;
    bt__pass_free(p->pass);
    bt__pool_free(p->pool);
    p->pass = NULL;
    p->pool = NULL;
    p->limits = (struct bt__pass_limits){.rows = 0};
    p->threads = threads;
    return bt__pool_create(threads, &p->pool, err);
}

void bt_predictor_free(struct bt_predictor *p)
{
    if (!p) return;
    bt_predictor_free(p->lm);
    bt__pass_free(p->pass);
    bt__pool_free(p->pool);
    bt__task_free(p->task);
    bt_tokenizer_free(p->tokenizer);
    bt__model_free(p->m);
    bt_experiment_free(p->x);
    bt__answers_free(&p->answers);
    bt__task_data_free(&p->last);
    free(p->logits);
    free(p->dir);
    free(p);
}

int bt_predictor_task(const struct bt_predictor *p)
{
    return p->x->task_type;
}

int bt_predictor_labels(const struct bt_predictor *p)
{
    return p->task->labels.n;
}

const char *bt_predictor_label(const struct bt_predictor *p, int i)
{
    return p->task->labels.name[i];
}

const struct bt_tokenizer *bt_predictor_tokenizer(const struct bt_predictor *p)
{
    return p->tokenizer;
}

int bt_predictor_max_length(const struct bt_predictor *p)
{
    return (int)p->x->data_max_seq_length;
}

const struct bt_experiment *bt_predictor_experiment(const struct bt_predictor *p)
{
    return p->x;
}

/* ── memory ── */

enum bt_status bt__predictor_reserve(struct bt_predictor *p, const struct bt__pass_limits *need,
                                     struct bt_error *err)
{
    struct bt__pass_limits next = *need;
    bt__pass_limits_complete(&next);
    if (p->pass && bt__pass_limits_hold(&p->limits, &next)) return BT_OK;
    bt__pass_limits_widen(&next, &p->limits);
    next.bf16 = p->x->train_precision == BT_PRECISION_BF16;
    bt__pass_free(p->pass);
    p->pass = NULL;
    p->limits = (struct bt__pass_limits){.rows = 0};
    enum bt_status st = bt__pass_create(p->m, p->pool, &next, &p->pass, err);
    if (!st) p->limits = next;
    return st;
}
