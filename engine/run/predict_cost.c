/* What a run will take, said before it starts. */
#include "run/train_parts.h"

#include "model/prefix.h"
#include "run/checkpoint.h"
#include "run/limits.h"
#include <stdlib.h>
#include <string.h>

static const double MIB = 1048576.0;

enum { EVALUATION_ROWS = 512 /* tokens of a batch that give the threads enough to do */ };

/* Enough for the split's longest example, and for as many short ones as a batch of the evaluation may hold. */
static void make_room(struct bt__pass_limits *l, const struct bt__features *f, int seqs)
{
    if (f->n == 0) return;
    struct bt__pass_limits e = bt__evaluation_limits(f, seqs, EVALUATION_ROWS);
    bt__pass_limits_widen(l, &e);
}

static enum bt__optim_kind optim_kind(const struct bt_experiment *x)
{
    static const enum bt__optim_kind kind[] = {[BT_OPTIM_ADAMW] = BT__OPTIM_ADAMW,
                                               [BT_OPTIM_BERT_ADAM] = BT__OPTIM_BERT_ADAM,
                                               [BT_OPTIM_ADAFACTOR] = BT__OPTIM_ADAFACTOR,
                                               [BT_OPTIM_SGD] = BT__OPTIM_SGD};
    return kind[x->optim_optim];
}

const char *bt__imitates(const struct bt_experiment *x)
{
    if (x->train_precision != BT_PRECISION_BF16 || bt__kernels()->has_bf16) return NULL;
    return "train.precision: this processor has no AVX512_BF16: bf16 is imitated, which is slower than fp32";
}

const char *bt__optim_of(const struct bt_experiment *x)
{
    return bt__optim_name(optim_kind(x));
}

static struct bt__optim_settings optim_of(const struct bt_experiment *x)
{
    bool own = x->optim_head_learning_rate >= 0.0 && x->optim_learning_rate > 0.0;
    return (struct bt__optim_settings){.kind = optim_kind(x),
                                       .beta1 = x->optim_adam_beta1,
                                       .beta2 = x->optim_adam_beta2,
                                       .epsilon = x->optim_adam_epsilon,
                                       .momentum = x->optim_momentum,
                                       .weight_decay = x->optim_weight_decay,
                                       .layer_decay = x->optim_layerwise_lr_decay,
                                       .head_rate_factor =
                                           own ? x->optim_head_learning_rate / x->optim_learning_rate : 1.0,
                                       .correct_bias = x->optim_correct_bias};
}

static size_t kept_bytes(const struct bt__setup *s, enum bt__split which)
{
    const struct bt__features *f = &s->split[which].f;
    return f->n ? bt__prefix_bytes(s->model, f->start[f->n], f->n) : 0;
}

/* Takes what the split's sequences need from *left bytes; false: there is nothing to keep, or too little room. */
static bool keep(const struct bt__setup *s, enum bt__split which, bool again, double *left)
{
    const double bytes = (double)kept_bytes(s, which);
    if (!again || bytes <= 0.0 || bytes > *left) return false;
    *left -= bytes;
    return true;
}

/* What there is room and use for. */
static struct bt__kept kept_of(const struct bt_experiment *x, const struct bt__setup *s,
                               const struct bt__learner_settings *l)
{
    double left = (double)x->train_frozen_cache_mib * MIB;
    struct bt__learner_settings planned = *l;
    struct bt__kept kept = {.bytes = 0};
    if (s->task->ops->draw || bt__prefix_layer(s->model) == 0) return kept;
    const int64_t epoch = bt__learner_plan(&planned, &s->split[BT__TRAIN].f), steps = planned.schedule.total;
    kept.validation = keep(s, BT__VALIDATION, bt__planned_evaluations(x, steps, epoch) > 1, &left);
    kept.train = keep(s, BT__TRAIN, !bt__prefix_drops(s->model) && steps > epoch, &left);
    if (kept.validation) kept.bytes = kept_bytes(s, BT__VALIDATION);
    return kept;
}

struct bt__learner_settings bt__learner_settings_of(const struct bt_experiment *x, const struct bt__setup *s)
{
    static const enum bt__schedule_kind kind[] = {
        [BT_LR_LINEAR] = BT__SCHEDULE_LINEAR,
        [BT_LR_COSINE] = BT__SCHEDULE_COSINE,
        [BT_LR_COSINE_WITH_RESTARTS] = BT__SCHEDULE_COSINE_WITH_RESTARTS,
        [BT_LR_POLYNOMIAL] = BT__SCHEDULE_POLYNOMIAL,
        [BT_LR_CONSTANT] = BT__SCHEDULE_CONSTANT,
        [BT_LR_CONSTANT_WITH_WARMUP] = BT__SCHEDULE_CONSTANT_WITH_WARMUP,
        [BT_LR_INVERSE_SQRT] = BT__SCHEDULE_INVERSE_SQRT,
        [BT_LR_REDUCE_ON_PLATEAU] = BT__SCHEDULE_REDUCE_LR_ON_PLATEAU};
    struct bt__learner_settings l = {
        .batch_size = (int)x->train_train_batch_size,
        .accumulation = (int)x->train_gradient_accumulation_steps,
        .drop_last = x->train_dataloader_drop_last,
        .group_by_length = x->train_group_by_length,
        .max_tokens = x->train_max_tokens_per_batch > 0 ? (int)x->train_max_tokens_per_batch : 0,
        .epochs = x->train_num_train_epochs,
        .max_steps = x->train_max_steps,
        .seed = (uint64_t)x->train_seed,
        .data_seed = (uint64_t)(x->train_data_seed >= 0 ? x->train_data_seed : x->train_seed),
        .max_grad_norm = x->train_max_grad_norm,
        .recompute = x->train_gradient_checkpointing,
        .bf16 = x->train_precision == BT_PRECISION_BF16,
        .schedule = {.kind = kind[x->optim_lr_scheduler_type],
                     .warmup = x->optim_warmup_steps,
                     .base = x->optim_learning_rate,
                     .cycles = x->optim_num_cycles,
                     .power = x->optim_power,
                     .end = x->optim_lr_end},
        .warmup_ratio = x->optim_warmup_ratio,
        .learning_rate = x->optim_learning_rate,
        .optim = optim_of(x)};
    make_room(&l.at_least, &s->split[BT__VALIDATION].f, (int)x->eval_eval_batch_size);
    make_room(&l.at_least, &s->split[BT__TEST].f, (int)x->eval_eval_batch_size);
    l.kept = kept_of(x, s, &l);
    return l;
}

enum bt_status bt__check_labels(const struct bt_experiment *x, const struct bt__setup *s,
                                struct bt_error *err)
{
    const struct bt__metric_row *row =
        x->eval_metric_for_best_model ? bt__metric_find(s->task->ops->family, x->eval_metric_for_best_model)
                                      : NULL;
    if (row && (row->needs & BT__NEEDS_TWO) && s->task->labels.n != 2)
        return bt_fail(
            err, BT_INVALID,
            "eval.metric_for_best_model: %s is that of two labels, the data has %d: expected %s_macro",
            row->name, s->task->labels.n, row->name);
    return BT_OK;
}

double bt__predicted_mib(const struct bt_experiment *x, const struct bt__setup *s, int threads)
{
    const double rest = 24.0; /* buffers of BLAS, of files that are read and written, stacks */
    const struct bt__learner_settings l = bt__learner_settings_of(x, s);
    size_t bytes = bt__learner_bytes(s->model, &s->split[BT__TRAIN].f, &l, threads);
    bytes += l.kept.bytes;
    return bt__proc_rss_mib() + (double)bytes / MIB + rest;
}

int64_t bt__planned_evaluations(const struct bt_experiment *x, int64_t steps, int64_t steps_per_epoch)
{
    if (x->eval_eval_strategy == BT_EVAL_STEPS) return (steps + x->eval_eval_steps - 1) / x->eval_eval_steps;
    if (x->eval_eval_strategy == BT_EVAL_EPOCH) return (steps + steps_per_epoch - 1) / steps_per_epoch;
    return 0;
}

/* Rows of predictions and of the epochs' figures, about as long as they are written. */
static double records(const struct bt_experiment *x, const struct bt__setup *s)
{
    struct bt__learner_settings l = bt__learner_settings_of(x, s);
    const double prediction = 100.0 + 60.0 * s->task->labels.n, figure = 45.0;
    const struct bt__task_data *d = s->split;
    int64_t per_epoch = bt__learner_plan(&l, &d[BT__TRAIN].f), steps = l.schedule.total;
    double evaluations = (double)bt__planned_evaluations(x, steps, per_epoch);
    double rows = evaluations * (double)d[BT__VALIDATION].n + (double)d[BT__TEST].n;
    return rows * prediction + (double)steps / (double)per_epoch * (double)d[BT__TRAIN].n * figure;
}

double bt__predicted_disk_mib(const struct bt_experiment *x, const struct bt__setup *s)
{
    const struct bt__optim_settings optim = optim_of(x);
    double bytes = records(x, s);
    if (x->run_save_strategy != BT_SAVE_NO)
        bytes += 2.0 * (double)bt__checkpoint_bytes(
                           s->model, x->run_save_only_model ? 0 : bt__optim_saved_bytes(s->model, &optim));
    return bytes / MIB + 1.0;
}

enum bt_status bt__check_limits(const struct bt_experiment *x, const struct bt__setup *s, int threads,
                                const char *runs_dir, struct bt_error *err)
{
    double need = bt__predicted_mib(x, s, threads), have = bt__memory_mib();
    if (need > have)
        return bt_fail(err, BT_NOMEM,
                       "the run needs about %.0f MiB of memory, %.0f are available: a smaller "
                       "train.train_batch_size or data.max_seq_length needs less",
                       need, have);
    need = bt__predicted_disk_mib(x, s);
    have = bt__disk_mib(runs_dir);
    if (have >= 0.0 && need > have)
        return bt_fail(err, BT_IO, "%s: %.0f MiB free, the run needs %.0f (two checkpoints and its records)",
                       runs_dir, have, need);
    return BT_OK;
}
