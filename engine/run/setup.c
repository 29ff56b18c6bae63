#include "run/setup.h"

#include "base/rng.h"
#include "batch/order.h"
#include "formats/adapter.h"
#include "run/asked.h"
#include "run/label_decisions.h"
#include "run/settings.h"
#include "tasks/class_weights.h"
#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct bt__setup *s;
    const struct bt_experiment *x;
    struct bt__pool *pool;
    bt__say_fn *say;
    void *ctx;
    struct bt_error *err;
};

const char *bt__split_name(enum bt__split s)
{
    static const char *const names[] = {
        [BT__TRAIN] = "train", [BT__VALIDATION] = "validation", [BT__TEST] = "test"};
    return names[s];
}

static void say(const struct job *j, const char *what, const char *path)
{
    if (!j->say) return;
    char *text = bt_strfmt("%s %s", what, bt_path_base(path));
    if (text) j->say(j->ctx, text);
    free(text);
}

static enum bt_status no_memory(const struct job *j)
{
    return bt_fail(j->err, BT_NOMEM, "no memory for the data");
}

/* ── model and tokenizer ── */

/* Examples that are always more than one text. */
static const char *const two_texts[] = {[BT_EXAMPLE_QUESTION] = "a question and its context",
                                        [BT_EXAMPLE_ASPECT] = "a text and its aspect",
                                        [BT_EXAMPLE_CHOICES] = "a text and its choices",
                                        [BT_EXAMPLE_PLAIN] = NULL};

static enum bt_status load_tokenizer(const struct job *j, const struct bt__model_config *c)
{
    const struct bt_experiment *x = j->x;
    const struct bt_tokenizer_options opt = bt__tokenizer_options_of(x);
    enum bt_status st = bt_tokenizer_of_model(j->s->model_dir, &opt, &j->s->tokenizer, j->err);
    if (!st) st = bt__tokenizer_fits(j->s->tokenizer, c, j->s->model_dir, j->err);
    if (st) return st;
    if (x->data_max_seq_length > c->max_position_embeddings)
        return bt_fail(j->err, BT_INVALID, "data.max_seq_length: %lld, but the model has %d positions",
                       (long long)x->data_max_seq_length, c->max_position_embeddings);
    if (x->model_freeze_layers > c->num_hidden_layers)
        return bt_fail(j->err, BT_INVALID, "model.freeze_layers: %lld, but the model has %d layers",
                       (long long)x->model_freeze_layers, c->num_hidden_layers);
    if (x->model_reinit_layers > c->num_hidden_layers)
        return bt_fail(j->err, BT_INVALID, "model.reinit_layers: %lld, but the model has %d layers",
                       (long long)x->model_reinit_layers, c->num_hidden_layers);
    if (x->model_reinit_layers > 0 && x->model_reinit_layers + x->model_freeze_layers > c->num_hidden_layers)
        return bt_fail(
            j->err, BT_INVALID,
            "model.reinit_layers: %lld, but model.freeze_layers leaves %lld of %d layers to be trained",
            (long long)x->model_reinit_layers, c->num_hidden_layers - (long long)x->model_freeze_layers,
            c->num_hidden_layers);
    if (x->data_text_pair_column && c->type_vocab_size < 2)
        return bt_fail(j->err, BT_INVALID, "data.text_pair_column: the model has %d token type, pairs need 2",
                       c->type_vocab_size);
    const char *two = two_texts[bt__task_ops(x->task_type)->examples];
    if (two && c->type_vocab_size < 2)
        return bt_fail(j->err, BT_INVALID, "task.type: the model has %d token type, %s need 2",
                       c->type_vocab_size, two);
    return BT_OK;
}

/* ── splits ── */

static enum bt_status load_examples(const struct job *j, const struct bt_string_list *files, int64_t most,
                                    struct bt__task_data *d)
{
    struct bt_data_spec spec = bt_experiment_data(j->x);
    spec.files = (const char *const *)files->item;
    spec.n_files = files->n;
    spec.max_samples = most > 0 ? (size_t)most : 0;
    say(j, "reading", files->item[0]);
    d->files = spec.files;
    enum bt_status st = bt_examples_load(&spec, &d->examples, j->err);
    if (st) return st;
    d->n = bt_examples_count(d->examples);
    return d->n ? BT_OK : bt_fail(j->err, BT_INVALID, "%s: no rows, expected at least one", files->item[0]);
}

/* How many of a label's rows become validation data: the share, rounded, but never all. */
static size_t share_of(size_t rows, double share)
{
    size_t n = (size_t)((double)rows * share + 0.5);
    return n < rows ? n : rows > 0 ? rows - 1 : 0;
}

static int stratum(const struct job *j, size_t i)
{
    const struct bt__task *t = j->s->task;
    return t->ops->stratum ? t->ops->stratum(t, bt__task_example(&j->s->split[BT__TRAIN], i)) : 0;
}

/* Marks val_set_size of each stratum's rows. left: the rows of each; scratch. */
static void draw_share(const struct job *j, size_t n, const uint32_t *order, size_t *left, int strata,
                       bool *marked)
{
    for (int l = 0; l < strata; l++) left[l] = share_of(left[l], j->x->data_val_set_size);
    for (size_t i = 0; i < n; i++) {
        int in = stratum(j, order[i]);
        if (in < 0 || left[in] == 0) continue;
        left[in]--;
        marked[order[i]] = true;
    }
}

/* Marks one of num_folds parts: each stratum's rows are dealt out, and the next one's from where it ended. at: the rows of each stratum; scratch. */
static void draw_fold(const struct job *j, size_t n, const uint32_t *order, size_t *at, int strata,
                      bool *marked)
{
    const size_t folds = (size_t)j->x->data_num_folds, fold = (size_t)j->x->data_fold - 1;
    size_t dealt = 0;
    for (int l = 0; l < strata; l++) {
        const size_t rows = at[l];
        at[l] = dealt;
        dealt += rows;
    }
    for (size_t i = 0; i < n; i++) {
        int in = stratum(j, order[i]);
        if (in >= 0) marked[order[i]] = at[in]++ % folds == fold;
    }
}

/* Marks the validation rows, drawn with the run's seed. order [n] is scratch, rows [strata] zero. */
static void draw_validation(const struct job *j, size_t n, uint32_t *order, size_t *rows, int strata,
                            bool *marked)
{
    for (size_t i = 0; i < n; i++) {
        int in = stratum(j, i);
        if (in >= 0) rows[in]++;
        order[i] = (uint32_t)i;
    }
    bt__shuffle(order, n, (uint64_t)j->x->train_seed, BT__STREAM_SPLIT, 0);
    (j->x->data_num_folds > 0 ? draw_fold : draw_share)(j, n, order, rows, strata, marked);
}

/* Cuts validation rows off the training rows, stratified; both parts keep the file's order. */
static enum bt_status cut_validation(const struct job *j)
{
    struct bt__task_data *train = &j->s->split[BT__TRAIN], *part = &j->s->split[BT__VALIDATION];
    const size_t n = train->n;
    uint32_t *const all = train->pick; /* NULL: every row */
    const int strata = j->s->task->ops->stratum && j->s->task->labels.n ? j->s->task->labels.n : 1;
    uint32_t *order = calloc(n + 1, sizeof *order);
    size_t *rows = calloc((size_t)strata, sizeof *rows);
    bool *marked = calloc(n + 1, sizeof *marked);
    uint32_t *rest = calloc(n + 1, sizeof *rest);
    part->pick = calloc(n + 1, sizeof *part->pick);
    part->examples = train->examples;
    part->borrowed = true;
    part->files = train->files;
    bool ok = order && rows && marked && rest && part->pick;
    if (ok) {
        draw_validation(j, n, order, rows, strata, marked);
        train->pick = rest;
        train->n = 0;
    } else {
        free(rest);
    }
    for (size_t i = 0; ok && i < n; i++) {
        struct bt__task_data *to = marked[i] ? part : train;
        to->pick[to->n++] = all ? all[i] : (uint32_t)i;
    }
    if (ok) free(all);
    free(order);
    free(rows);
    free(marked);
    if (!ok) return no_memory(j);
    if (part->n == 0 && j->x->data_num_folds > 0)
        return bt_fail(j->err, BT_INVALID, "data.num_folds: part %lld of %lld gets none of %zu rows",
                       (long long)j->x->data_fold, (long long)j->x->data_num_folds, n);
    if (part->n == 0)
        return bt_fail(j->err, BT_INVALID, "data.val_set_size: %g of %zu rows leaves no validation row",
                       j->x->data_val_set_size, n);
    return BT_OK;
}

static enum bt_status build(const struct job *j, struct bt__task_data *d)
{
    return d->n ? bt__task_build(j->s->task, d, true, j->pool, j->err) : BT_OK;
}

static enum bt_status load_split(const struct job *j, enum bt__split which,
                                 const struct bt_string_list *files)
{
    struct bt__task_data *d = &j->s->split[which];
    if (files->n == 0) return BT_OK;
    enum bt_status st = load_examples(j, files, j->x->data_max_eval_samples, d);
    return st ? st : build(j, d);
}

static enum bt_status make_task(const struct job *j)
{
    const struct bt_string_list *named = &j->x->task_labels;
    return bt__task_create(j->x, j->s->tokenizer, &j->s->split[BT__TRAIN], (const char *const *)named->item,
                           named->n, &j->s->task, j->err);
}

static enum bt_status apply_decisions(const struct job *j)
{
    struct bt__label_decisions told;
    struct bt__task_data *train = &j->s->split[BT__TRAIN];
    const char *path = j->x->data_label_decisions;
    if (!path) return BT_OK;
    enum bt_status st = bt__apply_label_decisions(path, j->s->task, train, &told, j->err);
    if (st) return st;
    char *text = bt_strfmt("%s: %zu labels changed, %zu rows dropped, %zu labels kept", bt_path_base(path),
                           told.relabelled, told.dropped, told.kept);
    if (text && j->say) j->say(j->ctx, text);
    free(text);
    return text ? BT_OK : no_memory(j);
}

static enum bt_status load_splits(const struct job *j)
{
    const struct bt_experiment *x = j->x;
    struct bt__task_data *d = j->s->split;
    enum bt_status st = load_examples(j, &x->data_train_file, x->data_max_train_samples, &d[BT__TRAIN]);
    if (!st) st = make_task(j);
    if (!st) st = apply_decisions(j);
    if (!st && bt_experiment_cuts(x)) st = cut_validation(j);
    if (!st) st = build(j, &d[BT__TRAIN]);
    if (!st) st = bt__class_weights(j->s->task, &d[BT__TRAIN], j->err);
    if (!st) st = build(j, &d[BT__VALIDATION]);
    if (!st) st = load_split(j, BT__VALIDATION, &x->data_validation_file);
    return st ? st : load_split(j, BT__TEST, &x->data_test_file);
}

static enum bt_status make_model(const struct job *j, const struct bt__model_config *c)
{
    const struct bt__task *t = j->s->task;
    const struct bt__head_spec head = t->ops->head(t);
    struct bt__model_config named = *c;
    char nameless[] = "LABEL_0", *only[] = {nameless};
    const bool number = t->labels.n == 0 && head.outputs == 1; /* transformers counts the outputs by names */
    named.label_names = number ? only : t->labels.name;        /* lent: bt__model_create copies */
    named.num_labels = number ? 1 : t->labels.n;
    bt__task_name_model(t->ops, &named);
    named.settings = 0; /* of another task, perhaps; as are the options */
    named.asked = NULL;
    named.n_asked = 0;
    if (t->ops->remember) t->ops->remember(t, &named);
    enum bt_status st = bt__lora_of(j->x, &named, j->err);
    if (!st) st = bt__asked_write(j->x, &named, j->err);
    if (st) {
        bt__model_asked_free(&named);
        return st;
    }
    st = bt__model_create(&named, &head, &j->s->model, j->err);
    bt__model_asked_free(&named);
    if (st) return bt_error_prefix(j->err, st, "%s/config.json", j->s->model_dir);
    j->s->fresh = calloc(j->s->model->params.n, sizeof *j->s->fresh);
    return j->s->fresh ? bt__freeze(j->x, &j->s->model->params, j->err) : no_memory(j);
}

enum bt_status bt__setup_data(struct bt__setup *s, const struct bt_experiment *x, const char *model_dir,
                              struct bt__pool *pool, bt__say_fn *say_fn, void *ctx, struct bt_error *err)
{
    struct bt__model_config c = {.num_labels = 0};
    struct job j = {.s = s, .x = x, .pool = pool, .say = say_fn, .ctx = ctx, .err = err};
    *s = (struct bt__setup){.model_dir = bt_strdup(model_dir)};
    s->weights = strcmp(model_dir, x->model_name_or_path) == 0
                     ? (enum bt__weights_kind)x->model_checkpoint_format
                     : BT__WEIGHTS_SAFETENSORS;
    enum bt_status st = s->model_dir ? bt__hf_config_load(s->model_dir, &c, err) : no_memory(&j);
    if (!st) bt__model_config_override(&c, x);
    if (!st) st = load_tokenizer(&j, &c);
    if (!st) st = load_splits(&j);
    bool goes_on = strcmp(model_dir, x->model_name_or_path) != 0; /* from a checkpoint of the run */
    if (!st && goes_on && s->task->ops->recall) s->task->ops->recall(s->task, &c);
    if (!st) st = make_model(&j, &c);
    bt__model_config_free(&c);
    if (st) bt__setup_free(s);
    return st;
}

enum bt_status bt__setup_texts(struct bt__setup *s, const struct bt_experiment *x, struct bt__pool *pool,
                               bt__say_fn *say_fn, void *ctx, struct bt_error *err)
{
    const struct job j = {.s = s, .x = x, .pool = pool, .say = say_fn, .ctx = ctx, .err = err};
    *s = (struct bt__setup){.model_dir = NULL};
    enum bt_status st = load_splits(&j);
    if (st) bt__setup_free(s);
    return st;
}

enum bt_status bt__setup_weights(struct bt__setup *s, const struct bt_experiment *x, bt__say_fn *say_fn,
                                 void *ctx, struct bt_error *err)
{
    struct job j = {.s = s, .x = x, .say = say_fn, .ctx = ctx, .err = err};
    say(&j, "loading", s->model_dir);
    enum bt_status st = bt__hf_weights_load(s->model_dir, s->weights, &s->model->params, s->model->w,
                                            s->fresh, &s->report, err);
    bool begins = strcmp(s->model_dir, x->model_name_or_path) == 0; /* not at a checkpoint of the run */
    if (!st && begins)
        bt__model_redrawn(s->model, (int)x->model_reinit_layers, x->model_reinit_pooler, s->fresh);
    if (!st) bt__model_init(s->model, (uint64_t)x->train_seed, s->fresh);
    if (!st && !begins) st = bt__adapter_load(s->model_dir, &s->model->params, s->model->w, err);
    return st;
}

void bt__setup_free(struct bt__setup *s)
{
    for (int i = BT__SPLITS; i > 0; i--) bt__task_data_free(&s->split[i - 1]); /* the borrower first */
    bt__task_free(s->task);
    bt__model_free(s->model);
    bt_tokenizer_free(s->tokenizer);
    free(s->fresh);
    free(s->model_dir);
    *s = (struct bt__setup){.model_dir = NULL};
}
