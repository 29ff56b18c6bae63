/* The rules are those of transformers' load_tf_weights_in_bert() and of Google's run_classifier.py and run_squad.py. */
#include "formats/tf_names.h"

#include <stdio.h>
#include <string.h>

/* Variables of the heads, by their whole names. */
static const struct {
    const char *google, *ours;
} heads[] = {
    {.google = "output_weights", .ours = "classifier.weight"},
    {.google = "output_bias", .ours = "classifier.bias"},
    {.google = "cls/squad/output_weights", .ours = "qa_outputs.weight"},
    {.google = "cls/squad/output_bias", .ours = "qa_outputs.bias"},
    {.google = "cls/predictions/output_bias", .ours = "cls.predictions.bias"},
    {.google = "cls/seq_relationship/output_weights", .ours = "cls.seq_relationship.weight"},
    {.google = "cls/seq_relationship/output_bias", .ours = "cls.seq_relationship.bias"},
};

/* Last parts of a name. */
static const struct {
    const char *google, *ours;
    enum bt__tf_kind kind;
} last_parts[] = {
    {.google = "kernel", .ours = "weight", .kind = BT__TF_KERNEL},
    {.google = "bias", .ours = "bias", .kind = BT__TF_WEIGHT},
    {.google = "gamma", .ours = "weight", .kind = BT__TF_WEIGHT},
    {.google = "beta", .ours = "bias", .kind = BT__TF_WEIGHT},
    {.google = "word_embeddings", .ours = "word_embeddings.weight", .kind = BT__TF_WEIGHT},
    {.google = "position_embeddings", .ours = "position_embeddings.weight", .kind = BT__TF_WEIGHT},
    {.google = "token_type_embeddings", .ours = "token_type_embeddings.weight", .kind = BT__TF_WEIGHT},
};

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* Moments of Adam and its kin, and what else a trainer counts. */
static bool of_trainer(const char *name)
{
    static const char *const slots[] = {"adam_m",
                                        "adam_v",
                                        "Adam",
                                        "Adam_1",
                                        "lamb_m",
                                        "lamb_v",
                                        "beta1_power",
                                        "beta2_power",
                                        "AdamWeightDecayOptimizer",
                                        "AdamWeightDecayOptimizer_1",
                                        "global_step"};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (strcmp(last_part(name), slots[i]) == 0) return true;
    return false;
}

/* All parts but the last: full stops for slashes, layer.0 for layer_0. The number of bytes written. */
static size_t put_path(const char *name, const char *end, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = name; p < end && n + 1 < size; p++) {
        if (strncmp(p, "layer_", 6) == 0 && (p == name || p[-1] == '/') && p[6] >= '0' && p[6] <= '9') {
            int put = snprintf(out + n, size - n, "layer.");
            n += put > 0 && (size_t)put < size - n ? (size_t)put : 0;
            p += 5;
            continue;
        }
        out[n++] = *p == '/' ? '.' : *p;
    }
    out[n] = '\0';
    return n;
}

enum bt__tf_kind bt__tf_name(const char *variable, char *out, size_t size)
{
    snprintf(out, size, "%s", variable);
    if (of_trainer(variable)) return BT__TF_TRAINER;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (strcmp(variable, heads[i].google) == 0) {
            snprintf(out, size, "%s", heads[i].ours);
            return BT__TF_WEIGHT;
        }
    if (strncmp(variable, "bert/", 5) != 0 && strncmp(variable, "cls/", 4) != 0) return BT__TF_OTHER;
    const char *last = last_part(variable);
    for (size_t i = 0; i < sizeof last_parts / sizeof *last_parts; i++)
        if (strcmp(last, last_parts[i].google) == 0) {
            size_t n = put_path(variable, last, out, size);
            snprintf(out + n, size - n, "%s", last_parts[i].ours);
            return last_parts[i].kind;
        }
    return BT__TF_OTHER;
}
