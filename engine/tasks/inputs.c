#include "tasks/inputs.h"

#include "batch/windows.h"
#include <stdlib.h>
#include <string.h>

struct bt__features_options bt__features_options_of(const struct bt_experiment *x)
{
    static const enum bt__truncation how[] = {[BT_TRUNCATION_LONGEST_FIRST] = BT__LONGEST_FIRST,
                                              [BT_TRUNCATION_ONLY_FIRST] = BT__ONLY_FIRST,
                                              [BT_TRUNCATION_ONLY_SECOND] = BT__ONLY_SECOND,
                                              [BT_TRUNCATION_HEAD_TAIL] = BT__HEAD_TAIL,
                                              [BT_TRUNCATION_SLIDING_WINDOW] = BT__SLIDING};
    const int room = (int)x->data_max_seq_length - 2;
    return (struct bt__features_options){.max_length = (int)x->data_max_seq_length,
                                         .overlap = bt__window_overlap(x->task_doc_stride, room),
                                         .truncation = how[x->data_truncation]};
}

enum bt_status bt__task_pooling(const struct bt__task *t, struct bt__features *f, struct bt_error *err)
{
    if (t->x->model_pooling != BT_POOLING_MEAN) return BT_OK;
    size_t tokens = f->start[f->n];
    f->reads = malloc(tokens + 1);
    if (!f->reads) return bt_fail(err, BT_NOMEM, "no memory for %zu tokens", tokens);
    memset(f->reads, 1, tokens);
    return BT_OK;
}

enum bt_status bt__task_texts(const struct bt__task *t, struct bt__task_data *d, const struct bt__text *texts,
                              size_t n, int group, struct bt__pool *pool, struct bt_error *err)
{
    struct bt__features_options opt = bt__features_options_of(t->x);
    opt.group = group;
    if (!t->tokenizer) {
        d->f = (struct bt__features){.n = n, .group = group};
        return BT_OK;
    }
    enum bt_status st = bt__features_build(&d->f, t->tokenizer, texts, n, &opt, pool, err);
    return st ? st : bt__task_pooling(t, &d->f, err);
}

enum bt_status bt__task_inputs(const struct bt__task *t, struct bt__task_data *d, struct bt__pool *pool,
                               struct bt_error *err)
{
    struct bt__text *texts = calloc(d->n + 1, sizeof *texts);
    if (!texts) return bt_fail(err, BT_NOMEM, "no memory for %zu examples", d->n);
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        texts[i] =
            (struct bt__text){.text = e->text, .text_n = e->text_n, .pair = e->pair, .pair_n = e->pair_n};
    }
    enum bt_status st = bt__task_texts(t, d, texts, d->n, 1, pool, err);
    free(texts);
    return st;
}

struct bt__head_spec bt__pooled_head(const struct bt__task *t, int outputs)
{
    bool mean = t->x->model_pooling == BT_POOLING_MEAN;
    return (struct bt__head_spec){
        .kind = mean ? BT__HEAD_MEAN : BT__HEAD_POOLED, .name = "classifier", .outputs = outputs};
}

enum bt_status bt__nameless_learn(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    (void)train;
    (void)err;
    bt__labels_free(&t->labels);
    return BT_OK;
}

struct bt__head_spec bt__nameless_head(const struct bt__task *t)
{
    return bt__pooled_head(t, 1);
}

bool bt__check_columns(const struct bt_experiment *x, int *which, const char **what)
{
    *which = x->data_text_column ? BT_OPTION_data_label_column : BT_OPTION_data_text_column;
    *what = "missing, expected a column's name or number";
    return x->data_text_column && x->data_label_column;
}

double bt__task_mean(const struct bt__task_data *d, const struct bt__logits *l, size_t e, int col)
{
    size_t first = bt__task_first(d, e), end = e + 1 < d->n ? bt__task_first(d, e + 1) : d->f.n;
    double sum = 0.0;
    for (size_t i = first; i < end; i++) sum += (double)bt__logits_at(l, i)[col];
    return end > first ? sum / (double)(end - first) : 0.0;
}
