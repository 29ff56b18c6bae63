/* bt_check(): everything that can be said about a run before it starts. */
#include "run/train_parts.h"

#include "math/gemm.h"
#include "run/limits.h"
#include "run/proc.h"
#include <bertty/data_report.h>
#include <bertty/file.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TIMED_SECONDS = 0.3;

struct check {
    struct bt_check *c;
    struct bt_experiment *x;
    struct bt__pool *pool;
    struct bt__setup setup;
    struct bt__learner_settings learner;
    struct bt_error *err;
};

static enum bt_status no_memory(struct check *k)
{
    return bt_fail(k->err, BT_NOMEM, "no memory to check an experiment");
}

BT_PRINTF(2, 3) static enum bt_status warn(struct check *k, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    char **more = realloc(k->c->warning, (k->c->n_warnings + 1) * sizeof *more);
    if (!more) return no_memory(k);
    k->c->warning = more;
    char *copy = bt_strdup(text);
    if (!copy) return no_memory(k);
    k->c->warning[k->c->n_warnings++] = copy;
    return BT_OK;
}

/* ── counting ── */

static enum bt_status count_rows(struct check *k)
{
    const struct bt__features *f = &k->setup.split[BT__TRAIN].f;
    struct bt_check *c = k->c;
    c->train_rows = (int64_t)k->setup.split[BT__TRAIN].n;
    c->dev_rows = (int64_t)k->setup.split[BT__VALIDATION].n;
    c->test_rows = (int64_t)k->setup.split[BT__TEST].n;
    c->train_tokens = (int64_t)f->start[f->n];
    c->truncated = (int64_t)f->truncated;
    c->unknown = (int64_t)f->unknown;
    for (size_t i = 0; i < f->n; i++)
        if (f->length[i] > c->longest) c->longest = f->length[i];
    if (!(c->of_length = calloc((size_t)c->longest + 1, sizeof *c->of_length))) return no_memory(k);
    for (size_t i = 0; i < f->n; i++) c->of_length[f->length[i]]++;
    k->learner = bt__learner_settings_of(k->x, &k->setup);
    struct bt__learner_settings planned = k->learner;
    c->steps_per_epoch = bt__learner_plan(&planned, f);
    c->steps = planned.schedule.total;
    c->by_steps = k->x->train_max_steps > 0;
    return BT_OK;
}

static void count_parameters(struct check *k)
{
    const struct bt__params *p = &k->setup.model->params;
    for (size_t i = 0; i < p->n; i++) {
        const struct bt__param *q = &p->item[i];
        k->c->parameters += (int64_t)q->count;
        k->c->trainable += q->frozen ? 0 : (int64_t)q->count;
    }
}

static enum bt_status count_labels(struct check *k)
{
    const struct bt__task *t = k->setup.task;
    const struct bt__labels *l = &t->labels;
    const bool words = t->ops->examples == BT_EXAMPLE_WORDS;
    if (l->n == 0 || !t->ops->tally) return BT_OK;
    k->c->label = calloc((size_t)l->n, sizeof *k->c->label);
    k->c->label_rows = calloc((size_t)l->n, sizeof *k->c->label_rows);
    if (!k->c->label || !k->c->label_rows) return no_memory(k);
    k->c->n_labels = (size_t)l->n;
    for (int i = 0; i < l->n; i++)
        if (!(k->c->label[i] = bt_strdup(l->name[i]))) return no_memory(k);
    t->ops->tally(t, &k->setup.split[BT__TRAIN], k->c->label_rows);
    enum bt_status st = BT_OK;
    k->c->labelled = words ? 0 : k->c->train_rows;
    for (int i = 0; words && i < l->n; i++) k->c->labelled += k->c->label_rows[i];
    for (int i = 0; i < l->n && !st; i++)
        if (k->c->label_rows[i] == 0) st = warn(k, "no training row has the label \"%.100s\"", l->name[i]);
    return st;
}

/* ── hygiene ── */

static enum bt_status note(struct check *k, const char *text)
{
    char **more = realloc(k->c->found, (k->c->n_found + 1) * sizeof *more);
    if (!more) return no_memory(k);
    k->c->found = more;
    char *copy = bt_strdup(text);
    if (!copy) return no_memory(k);
    k->c->found[k->c->n_found++] = copy;
    return BT_OK;
}

static enum bt_status note_found(struct check *k, const struct bt_file_report *f)
{
    char *text = bt_strfmt("%s: %s", bt_path_base(f->path), f->found);
    enum bt_status st = text ? note(k, text) : no_memory(k);
    free(text);
    return st;
}

static enum bt_status note_split(struct check *k, enum bt__split which)
{
    const struct bt__task *t = k->setup.task;
    struct bt_str text = {.len = 0};
    if (!t->ops->about_data || k->setup.split[which].n == 0) return BT_OK;
    bt_str_addf(&text, "%s: ", bt__split_name(which));
    t->ops->about_data(t, &k->setup.split[which], &text);
    enum bt_status st = text.failed ? no_memory(k) : note(k, bt_str_text(&text));
    bt_str_free(&text);
    return st;
}

static enum bt_status about_oddities(struct check *k, const struct bt_file_report *f, const char *name)
{
    enum bt_status st = BT_OK;
    if (f->misaligned)
        st = warn(k, "%s: %zu of %zu answers are not where the file says", name, f->misaligned,
                  f->total_parts);
    if (!st && f->foreign)
        st = warn(k, "%s: %zu of %zu tags are in no scheme of entities and count as O", name, f->foreign,
                  f->total_parts);
    for (size_t i = 0; !st && i < f->n_odd; i++) st = warn(k, "%s", f->odd[i]);
    if (!st && f->unmarked)
        st = warn(k, "%s: %zu of %zu aspects do not stand in their text", name, f->unmarked, f->rows);
    return st;
}

static enum bt_status about_file(struct check *k, const struct bt_file_report *f)
{
    const char *name = bt_path_base(f->path);
    enum bt_status st = note_found(k, f);
    if (!st) st = about_oddities(k, f, name);
    if (st) return st;
    if (f->invalid_utf8)
        st = warn(k, "%s: %zu of %zu rows are not valid UTF-8", name, f->invalid_utf8, f->rows);
    if (!st && f->empty_texts) st = warn(k, "%s: %zu rows have an empty text", name, f->empty_texts);
    if (!st && f->duplicates)
        st = warn(k, "%s: %zu rows repeat the input of an earlier row", name, f->duplicates);
    if (!st && f->conflicts)
        st = warn(k, "%s: %zu inputs stand there with more than one label", name, f->conflicts);
    if (!st && f->truncated && f->kind != BT_EXAMPLE_WORDS && f->kind != BT_EXAMPLE_QUESTION)
        st = warn(k, "%s: %zu of %zu rows are longer than data.max_seq_length (%lld) and are %s", name,
                  f->truncated, f->rows, (long long)k->x->data_max_seq_length,
                  k->x->data_truncation == BT_TRUNCATION_SLIDING_WINDOW ? "read in windows" : "cut");
    if (!st && f->unknown)
        st = warn(k, "%s: %zu of %zu word pieces are not in the vocabulary ([UNK])", name, f->unknown,
                  f->total_pieces);
    return st;
}

static enum bt_status about_overlap(struct check *k, const struct bt_data_report *r,
                                    const struct bt_overlap *o)
{
    return warn(k, "%zu of %zu rows of %s stand in %s too (%zu with the same label)", o->inputs,
                r->file[o->second].rows, bt_path_base(r->file[o->second].path),
                bt_path_base(r->file[o->first].path), o->with_label);
}

static enum bt_status hygiene(struct check *k)
{
    const struct bt_string_list *lists[] = {&k->x->data_train_file, &k->x->data_validation_file,
                                            &k->x->data_test_file};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) n += lists[i]->n;
    const char **files = calloc(n + 1, sizeof *files);
    if (!files) return no_memory(k);
    n = 0;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < lists[i]->n; j++) files[n++] = lists[i]->item[j];
    struct bt_data_spec spec = bt_experiment_data(k->x);
    spec.files = files;
    spec.n_files = n;
    struct bt_data_report *r = NULL;
    enum bt_status st =
        bt_data_report(&spec, k->setup.tokenizer, (size_t)k->x->data_max_seq_length, &r, k->err);
    for (size_t i = 0; !st && i < r->n_files; i++) st = about_file(k, &r->file[i]);
    for (size_t i = 0; !st && i < r->n_overlaps; i++) st = about_overlap(k, r, &r->overlap[i]);
    bt_data_report_free(r);
    free(files);
    for (int i = 0; !st && i < BT__SPLITS; i++) st = note_split(k, (enum bt__split)i);
    return st;
}

/* ── time ── */

/* Some real steps, the first of them only if it takes long: it pays for memory that is touched for the first time. */
static double measured_rate(struct bt__learner *l, int64_t total)
{
    struct bt__step_result r;
    int64_t tokens = 0;
    double begin = bt__clock(), from = begin;
    for (int64_t s = 0; s < total; s++) {
        if (bt__learner_step(l, s, &r, NULL)) return (double)NAN;
        tokens += r.tokens;
        double now = bt__clock();
        if (now - begin > TIMED_SECONDS && (s > 0 || now - begin > 2.0 * TIMED_SECONDS)) break;
        if (s > 0 || total == 1) continue;
        from = now;
        tokens = 0;
    }
    double seconds = bt__clock() - from;
    return seconds > 0.0 && tokens > 0 ? (double)tokens / seconds : (double)NAN;
}

static double epochs_of(const struct bt_check *c)
{
    return (double)c->steps / (double)c->steps_per_epoch;
}

static enum bt_status measure(struct check *k)
{
    const struct bt__task_data *d = k->setup.split;
    struct bt__learner *l = NULL;
    enum bt_status st =
        bt__learner_create(k->setup.model, k->pool, k->setup.task, &d[BT__TRAIN], &k->learner, &l, k->err);
    if (st) return st;
    struct bt_check *c = k->c;
    size_t dev = d[BT__VALIDATION].f.n ? d[BT__VALIDATION].f.start[d[BT__VALIDATION].f.n] : 0;
    /* a pass forward is a third of the work of a step: each of its products has two in the pass backward */
    c->eval_tokens = (double)bt__planned_evaluations(k->x, c->steps, c->steps_per_epoch) * (double)dev / 3.0;
    c->rate = measured_rate(l, c->steps);
    c->seconds = (epochs_of(c) * (double)c->train_tokens + c->eval_tokens) / c->rate;
    bt__learner_free(l);
    return BT_OK;
}

/* ── the whole ── */

static enum bt_status prepare(struct check *k, const struct bt_experiment *x)
{
    enum bt_status st = bt__gemm_init(k->err);
    if (!st) st = bt_experiment_copy(x, &k->x, k->err);
    if (!st) st = bt_experiment_validate(k->x, NULL, k->err);
    if (!st) st = bt_experiment_resolve(k->x, k->err);
    if (!st) st = bt__pool_create((int)k->x->run_num_threads, &k->pool, k->err);
    if (!st) st = bt__setup_data(&k->setup, k->x, k->x->model_name_or_path, k->pool, NULL, NULL, k->err);
    return st ? st : bt__check_labels(k->x, &k->setup, k->err);
}

static enum bt_status predict(struct check *k)
{
    struct bt_check *c = k->c;
    enum bt_status st = count_rows(k);
    count_parameters(k);
    c->memory_mib = bt__predicted_mib(k->x, &k->setup, bt__pool_threads(k->pool));
    c->available_mib = bt__memory_mib();
    c->disk_mib = bt__predicted_disk_mib(k->x, &k->setup);
    c->disk_free_mib = bt__disk_mib(k->x->run_output_dir);
    c->seconds = c->rate = (double)NAN;
    return st;
}

static enum bt_status weights(struct check *k)
{
    enum bt_status st = bt__setup_weights(&k->setup, k->x, NULL, NULL, k->err);
    const char *slow = bt__imitates(k->x);
    if (!st && slow) st = warn(k, "%s", slow);
    if (st) return st;
    k->c->fresh = (int64_t)k->setup.report.fresh;
    return k->setup.report.pooler_fresh ? warn(k, "the model has no pooler: it is drawn anew") : BT_OK;
}

enum bt_status bt_check(const struct bt_experiment *x, bool timed, struct bt_check **out,
                        struct bt_error *err)
{
    struct check k = {.c = calloc(1, sizeof *k.c), .err = err};
    enum bt_status st = k.c ? prepare(&k, x) : no_memory(&k);
    if (!st) st = predict(&k);
    bool fits = !st && k.c->memory_mib <= k.c->available_mib;
    if (!st) st = count_labels(&k);
    if (fits) st = weights(&k);
    if (!st) st = hygiene(&k);
    if (!st && timed && fits) st = measure(&k);
    bt__setup_free(&k.setup);
    bt__pool_free(k.pool);
    bt_experiment_free(k.x);
    if (st)
        bt_check_free(k.c);
    else
        *out = k.c;
    return st;
}

void bt_check_within(const struct bt_check *c, double seconds, struct bt_fit *out)
{
    enum { LEAST_LENGTH = 4 /* data.max_seq_length's */ };
    const double tokens = seconds * c->rate, epochs = epochs_of(c), left = tokens - c->eval_tokens;
    const double epoch = (double)c->train_tokens + c->eval_tokens / epochs;
    *out =
        (struct bt_fit){.whole = c->seconds <= seconds, .epochs = tokens / epoch, .max_length = c->longest};
    out->steps = (int64_t)(out->epochs * (double)c->steps_per_epoch);
    if (left > 0 && !c->by_steps)
        out->rows = (int64_t)((double)c->train_rows * left / (epochs * (double)c->train_tokens));
    if (out->rows > c->train_rows) out->rows = c->train_rows;
    /* a token shorter, and each sequence that is as long loses one */
    int64_t cut = c->train_tokens, as_long = 0;
    for (; out->max_length >= LEAST_LENGTH && epochs * (double)cut > left; out->max_length--)
        cut -= as_long += c->of_length[out->max_length];
    if (out->max_length < LEAST_LENGTH) out->max_length = 0;
}

void bt_check_free(struct bt_check *c)
{
    if (!c) return;
    for (size_t i = 0; c->label && i < c->n_labels; i++) free(c->label[i]);
    for (size_t i = 0; i < c->n_warnings; i++) free(c->warning[i]);
    free(c->label);
    free(c->label_rows);
    free(c->warning);
    for (size_t i = 0; i < c->n_found; i++) free(c->found[i]);
    free(c->found);
    free(c->of_length);
    free(c);
}
