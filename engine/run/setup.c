#include "run/setup.h"

#include "base/rng.h"
#include "batch/order.h"
#include "run/settings.h"
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

const struct bt_example *bt__split_example(const struct bt__split_data *d, size_t r)
{
    return bt_examples_at(d->examples, d->pick ? d->pick[r] : r);
}

int64_t bt__split_row(const struct bt__split_data *d, size_t r)
{
    return (int64_t)(d->pick ? d->pick[r] : r) + 1;
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

static enum bt_status load_tokenizer(const struct job *j, const struct bt__model_config *c)
{
    const struct bt_experiment *x = j->x;
    const struct bt_tokenizer_options opt = bt__tokenizer_options_of(x);
    enum bt_status st = bt_tokenizer_load(j->s->model_dir, &opt, &j->s->tokenizer, j->err);
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
    return BT_OK;
}

/* ── splits ── */

static enum bt_status load_examples(const struct job *j, const struct bt_string_list *files, int64_t most,
                                    struct bt_examples **out)
{
    struct bt_data_spec spec = bt_experiment_data(j->x);
    spec.files = (const char *const *)files->item;
    spec.n_files = files->n;
    spec.max_samples = most > 0 ? (size_t)most : 0;
    say(j, "reading", files->item[0]);
    enum bt_status st = bt_examples_load(&spec, out, j->err);
    if (!st && bt_examples_count(*out) == 0)
        st = bt_fail(j->err, BT_INVALID, "%s: no rows, expected at least one", files->item[0]);
    return st;
}

/* The labels: named by the option, else found in the training data. */
static enum bt_status find_labels(const struct job *j)
{
    const struct bt_string_list *named = &j->x->task_labels;
    const struct bt_examples *ex = j->s->split[BT__TRAIN].examples;
    if (named->n)
        return bt__labels_from_names(&j->s->labels, (const char *const *)named->item, named->n, j->err);
    size_t n = bt_examples_count(ex);
    const char **text = calloc(n + 1, sizeof *text);
    size_t *length = calloc(n + 1, sizeof *length);
    for (size_t i = 0; text && length && i < n; i++) {
        text[i] = bt_examples_at(ex, i)->label;
        length[i] = bt_examples_at(ex, i)->label_n;
    }
    enum bt_status st =
        text && length ? bt__labels_from_values(&j->s->labels, text, length, n, j->err) : no_memory(j);
    free(text);
    free(length);
    if (!st && j->s->labels.n < 2)
        st = bt_fail(j->err, BT_INVALID, "%s: every row has the label \"%s\", expected at least two labels",
                     j->x->data_train_file.item[0], j->s->labels.n ? j->s->labels.name[0] : "");
    return st;
}

static enum bt_status unknown_label(const struct job *j, const struct bt_example *e,
                                    const struct bt_string_list *files)
{
    const struct bt__labels *l = &j->s->labels;
    struct bt_str known = {0};
    for (int i = 0; i < l->n && i < 4; i++) bt_str_addf(&known, "%s\"%.40s\"", i ? ", " : "", l->name[i]);
    if (l->n > 4) bt_str_add(&known, ", …");
    enum bt_status st = bt_fail(j->err, BT_INVALID, "%s:%zu: label \"%.*s\" is not one of the %d labels (%s)",
                                files->item[e->file], e->line, (int)(e->label_n < 60 ? e->label_n : 60),
                                e->label, l->n, bt_str_text(&known));
    bt_str_free(&known);
    return st;
}

static enum bt_status gold_of(const struct job *j, struct bt__split_data *d,
                              const struct bt_string_list *files)
{
    for (size_t i = 0; i < d->f.n; i++) {
        const struct bt_example *e = bt__split_example(d, i);
        d->gold[i] = bt__labels_find(&j->s->labels, e->label, e->label_n);
        if (d->gold[i] < 0) return unknown_label(j, e, files);
    }
    return BT_OK;
}

/* Tokenizes the n picked rows of a split. */
static enum bt_status featurise(const struct job *j, struct bt__split_data *d, size_t n,
                                const struct bt_string_list *files)
{
    const struct bt__features_options opt = bt__features_options_of(j->x);
    struct bt__text *texts = calloc(n + 1, sizeof *texts);
    d->gold = calloc(n + 1, sizeof *d->gold);
    if (!texts || !d->gold) {
        free(texts);
        return no_memory(j);
    }
    for (size_t i = 0; i < n; i++) {
        const struct bt_example *e = bt__split_example(d, i);
        texts[i] =
            (struct bt__text){.text = e->text, .text_n = e->text_n, .pair = e->pair, .pair_n = e->pair_n};
    }
    enum bt_status st = bt__features_build(&d->f, j->s->tokenizer, texts, n, &opt, j->pool, j->err);
    free(texts);
    return st ? st : gold_of(j, d, files);
}

/* How many of a label's rows become validation data: the share, rounded, but never all. */
static size_t share_of(size_t rows, double share)
{
    size_t n = (size_t)((double)rows * share + 0.5);
    return n < rows ? n : rows > 0 ? rows - 1 : 0;
}

static int label_at(const struct job *j, size_t i)
{
    const struct bt_example *e = bt_examples_at(j->s->split[BT__TRAIN].examples, i);
    return bt__labels_find(&j->s->labels, e->label, e->label_n);
}

/* Marks val_set_size of each label's rows, drawn with the run's seed. order [n] is scratch, left [labels] zero. */
static void draw_validation(const struct job *j, size_t n, uint32_t *order, size_t *left, bool *marked)
{
    for (size_t i = 0; i < n; i++) {
        int label = label_at(j, i);
        if (label >= 0) left[label]++;
        order[i] = (uint32_t)i;
    }
    for (int l = 0; l < j->s->labels.n; l++) left[l] = share_of(left[l], j->x->data_val_set_size);
    bt__shuffle(order, n, (uint64_t)j->x->train_seed, BT__STREAM_SPLIT, 0);
    for (size_t i = 0; i < n; i++) {
        int label = label_at(j, order[i]);
        if (label < 0 || left[label] == 0) continue;
        left[label]--;
        marked[order[i]] = true;
    }
}

/* Cuts val_set_size off the training rows, stratified by label; both parts keep the file's order. */
static enum bt_status cut_validation(const struct job *j, size_t *train_n, size_t *validation_n)
{
    struct bt__split_data *train = &j->s->split[BT__TRAIN], *part = &j->s->split[BT__VALIDATION];
    size_t n = bt_examples_count(train->examples);
    uint32_t *order = calloc(n + 1, sizeof *order);
    size_t *left = calloc((size_t)j->s->labels.n, sizeof *left);
    bool *marked = calloc(n + 1, sizeof *marked);
    train->pick = calloc(n + 1, sizeof *train->pick);
    part->pick = calloc(n + 1, sizeof *part->pick);
    part->examples = train->examples;
    part->borrowed = true;
    *train_n = *validation_n = 0;
    bool ok = order && left && marked && train->pick && part->pick;
    if (ok) draw_validation(j, n, order, left, marked);
    for (size_t i = 0; ok && i < n; i++) {
        if (marked[i])
            part->pick[(*validation_n)++] = (uint32_t)i;
        else
            train->pick[(*train_n)++] = (uint32_t)i;
    }
    free(order);
    free(left);
    free(marked);
    if (!ok) return no_memory(j);
    if (*validation_n == 0)
        return bt_fail(j->err, BT_INVALID, "data.val_set_size: %g of %zu rows leaves no validation row",
                       j->x->data_val_set_size, n);
    return BT_OK;
}

static enum bt_status load_split(const struct job *j, enum bt__split which,
                                 const struct bt_string_list *files)
{
    struct bt__split_data *d = &j->s->split[which];
    if (files->n == 0) return BT_OK;
    enum bt_status st = load_examples(j, files, j->x->data_max_eval_samples, &d->examples);
    return st ? st : featurise(j, d, bt_examples_count(d->examples), files);
}

static enum bt_status load_splits(const struct job *j)
{
    const struct bt_experiment *x = j->x;
    struct bt__split_data *train = &j->s->split[BT__TRAIN];
    enum bt_status st = load_examples(j, &x->data_train_file, x->data_max_train_samples, &train->examples);
    if (!st) st = find_labels(j);
    size_t n = st ? 0 : bt_examples_count(train->examples), cut = 0;
    if (!st && x->data_val_set_size > 0.0 && x->data_validation_file.n == 0) st = cut_validation(j, &n, &cut);
    if (!st) st = featurise(j, train, n, &x->data_train_file);
    if (!st && cut) st = featurise(j, &j->s->split[BT__VALIDATION], cut, &x->data_train_file);
    if (!st) st = load_split(j, BT__VALIDATION, &x->data_validation_file);
    return st ? st : load_split(j, BT__TEST, &x->data_test_file);
}

static enum bt_status make_model(const struct job *j, const struct bt__model_config *c)
{
    struct bt__model_config named = *c;
    named.label_names = j->s->labels.name; /* lent: bt__model_create copies */
    named.num_labels = j->s->labels.n;
    const struct bt__head_spec head = {
        .kind = BT__HEAD_POOLED, .name = "classifier", .outputs = j->s->labels.n};
    enum bt_status st = bt__model_create(&named, &head, &j->s->model, j->err);
    if (st) return bt_error_prefix(j->err, st, "%s/config.json", j->s->model_dir);
    j->s->fresh = calloc(j->s->model->params.n, sizeof *j->s->fresh);
    return j->s->fresh ? BT_OK : no_memory(j);
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
    if (!st) st = make_model(&j, &c);
    bt__model_config_free(&c);
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
    return st;
}

void bt__setup_free(struct bt__setup *s)
{
    for (int i = 0; i < BT__SPLITS; i++) {
        struct bt__split_data *d = &s->split[i];
        bt__features_free(&d->f);
        free(d->gold);
        free(d->pick);
        if (d->examples && !d->borrowed) bt_examples_free(d->examples);
    }
    bt__labels_free(&s->labels);
    bt__model_free(s->model);
    bt_tokenizer_free(s->tokenizer);
    free(s->fresh);
    free(s->model_dir);
    *s = (struct bt__setup){.model_dir = NULL};
}
