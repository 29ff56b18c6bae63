#include "model/config.h"

#include <bertty/str.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum bt_status in_range(const char *name, const char *field, long value, long low, long high,
                               struct bt_error *err)
{
    if (value >= low && value <= high) return BT_OK;
    return bt_fail(err, BT_INVALID, "%s: %s is %ld, expected %ld to %ld", name, field, value, low, high);
}

static enum bt_status check_floats(const struct bt__model_config *c, const char *name, struct bt_error *err)
{
    const struct {
        const char *field;
        float value, low, high;
    } rows[] = {{.field = "layer_norm_eps", .value = c->layer_norm_eps, .low = 0.0f, .high = 0.1f},
                {.field = "initializer_range", .value = c->initializer_range, .low = 0.0f, .high = 10.0f},
                {.field = "hidden_dropout_prob", .value = c->hidden_dropout_prob, .low = 0.0f, .high = 0.99f},
                {.field = "attention_probs_dropout_prob",
                 .value = c->attention_probs_dropout_prob,
                 .low = 0.0f,
                 .high = 0.99f}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(rows[i].value >= rows[i].low && rows[i].value <= rows[i].high))
            return bt_fail(err, BT_INVALID, "%s: %s is %g, expected %g to %g", name, rows[i].field,
                           (double)rows[i].value, (double)rows[i].low, (double)rows[i].high);
    return BT_OK;
}

enum bt_status bt__model_config_check(const struct bt__model_config *c, const char *name,
                                      struct bt_error *err)
{
    const struct {
        const char *field;
        long value, low, high;
    } rows[] = {
        {.field = "vocab_size", .value = c->vocab_size, .low = 1, .high = 10000000},
        {.field = "hidden_size", .value = c->hidden_size, .low = 1, .high = 16384},
        {.field = "num_hidden_layers", .value = c->num_hidden_layers, .low = 1, .high = 256},
        {.field = "num_attention_heads", .value = c->num_attention_heads, .low = 1, .high = 1024},
        {.field = "intermediate_size", .value = c->intermediate_size, .low = 1, .high = 65536},
        {.field = "max_position_embeddings", .value = c->max_position_embeddings, .low = 2, .high = 65536},
        {.field = "type_vocab_size", .value = c->type_vocab_size, .low = 1, .high = 256},
        {.field = "the number of labels", .value = c->num_labels, .low = 0, .high = 100000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (in_range(name, rows[i].field, rows[i].value, rows[i].low, rows[i].high, err)) return BT_INVALID;
    if (c->hidden_size % c->num_attention_heads != 0)
        return bt_fail(err, BT_INVALID, "%s: hidden_size %d is not a multiple of num_attention_heads %d",
                       name, c->hidden_size, c->num_attention_heads);
    return check_floats(c, name, err);
}

double bt__model_setting(const struct bt__model_config *c, const char *name)
{
    for (int i = 0; i < c->settings; i++)
        if (strcmp(c->setting[i].name, name) == 0) return c->setting[i].value;
    return (double)NAN;
}

void bt__model_set(struct bt__model_config *c, const char *name, double value)
{
    int i = 0;
    while (i < c->settings && strcmp(c->setting[i].name, name) != 0) i++;
    if (i == BT__MODEL_SETTINGS || strlen(name) >= sizeof c->setting[i].name) return;
    memcpy(c->setting[i].name, name, strlen(name) + 1);
    c->setting[i].value = value;
    if (i == c->settings) c->settings++;
}

const char *bt__model_asked(const struct bt__model_config *c, const char *key)
{
    for (int i = 0; i < c->n_asked; i++)
        if (strcmp(c->asked[i].key, key) == 0) return c->asked[i].value;
    return NULL;
}

enum bt_status bt__model_ask(struct bt__model_config *c, const char *key, const char *value,
                             struct bt_error *err)
{
    struct bt__model_option *more = realloc(c->asked, ((size_t)c->n_asked + 1) * sizeof *more);
    if (more) c->asked = more;
    struct bt__model_option one = {.key = more ? bt_strdup(key) : NULL,
                                   .value = more ? bt_strdup(value) : NULL};
    if (one.key && one.value) {
        c->asked[c->n_asked++] = one;
        return BT_OK;
    }
    free(one.key);
    free(one.value);
    return bt_fail(err, BT_NOMEM, "no memory for the model's options");
}

void bt__model_asked_free(struct bt__model_config *c)
{
    for (int i = 0; i < c->n_asked; i++) {
        free(c->asked[i].key);
        free(c->asked[i].value);
    }
    free(c->asked);
    c->asked = NULL;
    c->n_asked = 0;
}

void bt__model_config_free(struct bt__model_config *c)
{
    bt__model_asked_free(c);
    for (int i = 0; c->label_names && i < c->num_labels; i++) free(c->label_names[i]);
    free(c->label_names);
    *c = (struct bt__model_config){.num_labels = 0};
}

enum bt_status bt__model_config_copy(struct bt__model_config *dst, const struct bt__model_config *src,
                                     struct bt_error *err)
{
    *dst = *src;
    dst->label_names = NULL;
    dst->asked = NULL;
    dst->n_asked = 0;
    bool ok = true;
    for (int i = 0; ok && i < src->n_asked; i++)
        ok = !bt__model_ask(dst, src->asked[i].key, src->asked[i].value, NULL);
    if (ok && src->label_names && src->num_labels > 0)
        ok = (dst->label_names = calloc((size_t)src->num_labels, sizeof *dst->label_names)) != NULL;
    for (int i = 0; ok && dst->label_names && i < src->num_labels; i++)
        ok = (dst->label_names[i] = bt_strdup(src->label_names[i])) != NULL;
    if (ok) return BT_OK;
    bt__model_config_free(dst);
    return bt_fail(err, BT_NOMEM, "no memory for a copy of a configuration");
}
