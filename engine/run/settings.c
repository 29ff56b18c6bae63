#include "run/settings.h"

#include "formats/adapter.h"
#include "model/trainable.h"
#include "tasks/task.h"
#include <string.h>

/* auto|true|false → −1, 1, 0 */
static int tristate(int choice, int is_auto, int is_true)
{
    return choice == is_auto ? -1 : choice == is_true;
}

struct bt_tokenizer_options bt__tokenizer_options_of(const struct bt_experiment *x)
{
    return (struct bt_tokenizer_options){
        .do_lower_case = tristate(x->model_do_lower_case, BT_DO_LOWER_CASE_AUTO, BT_DO_LOWER_CASE_TRUE),
        .strip_accents = tristate(x->model_strip_accents, BT_STRIP_ACCENTS_AUTO, BT_STRIP_ACCENTS_TRUE),
        .compat = x->model_tokenizer_compat == BT_TOKENIZER_COMPAT_GOOGLE ? BT_COMPAT_GOOGLE : BT_COMPAT_HF};
}

struct bt_data_spec bt_experiment_data(const struct bt_experiment *x)
{
    static const enum bt_data_format format[] = {
        [BT_FORMAT_AUTO] = BT_DATA_AUTO,       [BT_FORMAT_CSV] = BT_DATA_CSV,
        [BT_FORMAT_TSV] = BT_DATA_TSV,         [BT_FORMAT_JSONL] = BT_DATA_JSONL,
        [BT_FORMAT_CONLL] = BT_DATA_CONLL,     [BT_FORMAT_SQUAD] = BT_DATA_SQUAD,
        [BT_FORMAT_SEMEVAL] = BT_DATA_SEMEVAL, [BT_FORMAT_SWAG] = BT_DATA_SWAG,
        [BT_FORMAT_TEXT] = BT_DATA_TEXT};
    return (struct bt_data_spec){
        .dialect = {.format = format[x->data_format],
                    .delimiter = x->data_delimiter ? x->data_delimiter[0] : '\0',
                    .quoting = tristate(x->data_quoting, BT_QUOTING_AUTO, BT_QUOTING_TRUE),
                    .header = tristate(x->data_header, BT_HEADER_AUTO, BT_HEADER_TRUE)},
        .kind = bt__task_ops(x->task_type)->examples,
        .text_column = x->data_text_column,
        .text_pair_column = x->data_text_pair_column,
        .label_column = x->data_label_column,
        .class_names_file = x->data_class_names_file,
        .aspect_column = x->data_aspect_column,
        .context_column = x->data_context_column,
        .tokens_column = x->data_tokens_column,
        .tags_column = x->data_tags_column,
        .id_column = x->data_id_column,
        .choice_columns = (const char *const *)x->data_choice_columns.item,
        .n_choice_columns = x->data_choice_columns.n,
        .label_separator = x->task_label_separator,
        .label_until = x->data_label_until,
        .strict = x->data_strict};
}

struct bt_data_spec bt_experiment_split(const struct bt_experiment *x, const char *split)
{
    const bool test = strcmp(split, "test") == 0,
               train = strcmp(split, "train") == 0 || (!test && bt_experiment_cuts(x));
    const struct bt_string_list *files = train  ? &x->data_train_file
                                         : test ? &x->data_test_file
                                                : &x->data_validation_file;
    const int64_t most = train ? x->data_max_train_samples : x->data_max_eval_samples;
    struct bt_data_spec spec = bt_experiment_data(x);
    spec.files = (const char *const *)files->item;
    spec.n_files = files->n;
    spec.max_samples = most > 0 ? (size_t)most : 0;
    return spec;
}

void bt__model_config_override(struct bt__model_config *c, const struct bt_experiment *x)
{
    static const enum bt__act act[] = {[BT_HIDDEN_ACT_GELU] = BT__ACT_GELU,
                                       [BT_HIDDEN_ACT_GELU_TANH] = BT__ACT_GELU_TANH,
                                       [BT_HIDDEN_ACT_RELU] = BT__ACT_RELU};
    if (x->model_hidden_act != BT_HIDDEN_ACT_AUTO) c->hidden_act = act[x->model_hidden_act];
    if (x->model_hidden_dropout_prob >= 0) c->hidden_dropout_prob = (float)x->model_hidden_dropout_prob;
    if (x->model_attention_probs_dropout_prob >= 0)
        c->attention_probs_dropout_prob = (float)x->model_attention_probs_dropout_prob;
    if (x->model_classifier_dropout >= 0) c->classifier_dropout = (float)x->model_classifier_dropout;
}

enum bt_status bt__tokenizer_fits(const struct bt_tokenizer *t, const struct bt__model_config *c,
                                  const char *dir, struct bt_error *err)
{
    int size = bt_tokenizer_vocab_size(t);
    if (size > c->vocab_size)
        return bt_fail(err, BT_INVALID, "%s: the vocabulary has %d entries, but the model embeds only %d",
                       dir, size, c->vocab_size);
    if (bt_tokenizer_special(t, BT_CLS) < 0 || bt_tokenizer_special(t, BT_SEP) < 0)
        return bt_fail(err, BT_INVALID, "%s: the vocabulary has no [CLS] or no [SEP]", dir);
    return BT_OK;
}

/* As peft: a name, or what a name ends with behind a dot. */
static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return m > 0 && m <= n && strcmp(name + n - m, end) == 0 && (m == n || name[n - m - 1] == '.');
}

enum bt_status bt__lora_of(const struct bt_experiment *x, struct bt__model_config *c, struct bt_error *err)
{
    const struct bt_string_list *targets = &x->model_lora_target_modules;
    c->lora = (struct bt__lora){.r = 0};
    if (x->model_adapter != BT_ADAPTER_LORA) return BT_OK;
    c->lora = (struct bt__lora){.r = (int)x->model_lora_r,
                                .alpha = (float)x->model_lora_alpha,
                                .dropout = (float)x->model_lora_dropout,
                                .first_layer = (int)x->model_freeze_layers};
    for (size_t i = 0; i < targets->n; i++) {
        unsigned found = 0;
        for (int kind = 0; kind < BT__LORA_KINDS; kind++)
            if (ends_with(bt__lora_base(c, (enum bt__lora_kind)kind).name, targets->item[i]))
                found |= 1u << kind;
        if (!found)
            return bt_fail(
                err, BT_INVALID,
                "model.lora_target_modules: a layer has no matrix \"%.60s\", expected query, key, value, "
                "dense, attention.output.dense, intermediate.dense or output.dense",
                targets->item[i]);
        c->lora.targets |= found;
    }
    if (c->lora.first_layer >= c->num_hidden_layers)
        return bt_fail(err, BT_INVALID,
                       "model.freeze_layers: %d, but the model has %d layers: none is left to adapt",
                       c->lora.first_layer, c->num_hidden_layers);
    return BT_OK;
}

/* A matrix is adapted or trained itself. */
static enum bt_status not_both(const struct bt__params *p, struct bt_error *err)
{
    const struct bt__param *a, *b;
    for (size_t i = 0; i < p->n; i++)
        if (!p->item[i].frozen && bt__adapter_of(p, &p->item[i], &a, &b))
            return bt_fail(err, BT_INVALID,
                           "model.modules_to_save: %s has an adapter, expected one of the two",
                           p->item[i].name);
    return BT_OK;
}

enum bt_status bt__freeze(const struct bt_experiment *x, struct bt__params *p, struct bt_error *err)
{
    const struct bt_string_list *modules = &x->model_modules_to_save;
    for (size_t i = 0; i < modules->n; i++) {
        const char *name = modules->item[i]; /* the defaults need not be there */
        if (strcmp(name, "classifier") == 0 || strcmp(name, "pooler") == 0 || bt__params_has(p, name))
            continue;
        return bt_fail(err, BT_INVALID, "model.modules_to_save: the model has no module \"%.60s\"", name);
    }
    bt__params_freeze(p, &(struct bt__freeze){.embeddings = x->model_freeze_embeddings,
                                              .layers = (int)x->model_freeze_layers,
                                              .biases = x->model_adapter == BT_ADAPTER_BITFIT,
                                              .adapters = x->model_adapter == BT_ADAPTER_LORA,
                                              .module = (const char *const *)modules->item,
                                              .n_modules = modules->n});
    return not_both(p, err);
}
