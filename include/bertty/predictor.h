/* A trained model, ready to answer. One thread at a time for each predictor; several predictors may work at once. */
#ifndef BERTTY_PREDICTOR_H
#define BERTTY_PREDICTOR_H

#include <bertty/dataset.h>
#include <bertty/tokenizer.h>
#include <bertty/train.h>
#include <stdatomic.h>

struct bt_predictor;

struct bt_predictor_spec {
    const char
        *model_dir; /* a checkpoint or any Hugging Face directory with a sequence-classification head */
    const char *
        run_dir; /* NULL, or the run whose experiment gives max_seq_length, truncation, data settings, tokenizer options */
    int threads; /* 0: all processors */
};
/* BT_INVALID: the model has no trained head (tensor named). */
enum bt_status bt_predictor_open(const struct bt_predictor_spec *spec, struct bt_predictor **out,
                                 struct bt_error *err);
void bt_predictor_free(struct bt_predictor *p); /* NULL is fine */

int bt_predictor_labels(const struct bt_predictor *p);
const char *bt_predictor_label(const struct bt_predictor *p, int i); /* id2label's order; borrowed */
const struct bt_tokenizer *bt_predictor_tokenizer(const struct bt_predictor *p);
int bt_predictor_max_length(const struct bt_predictor *p);

struct bt_input {
    const char *text, *pair; /* pair NULL: single */
    size_t text_n, pair_n;
};
struct bt_output {
    const float *logits, *scores; /* [labels]; borrowed until the next call */
    int predicted;
    int tokens; /* with [CLS] and [SEP], after cutting */
    bool truncated;
};
/* One input: a few milliseconds. */
enum bt_status bt_predict(struct bt_predictor *p, const struct bt_input *in, struct bt_output *out,
                          struct bt_error *err);
/* Many, in length-sorted batches; logits and scores [n, labels] are the caller's arrays (either may be NULL). cancel may be NULL. */
enum bt_status bt_predict_all(struct bt_predictor *p, const struct bt_input *in, size_t n, float *logits,
                              float *scores, const atomic_bool *cancel, struct bt_error *err);

struct bt_evaluation_result {
    size_t rows;
    struct bt_metrics metrics;
    double tokens_per_s;
    int n_labels;
    int64_t *confusion;              /* [n_labels, n_labels]: row = gold, column = predicted */
    double *precision, *recall, *f1; /* [n_labels] */
    int *gold, *predicted;           /* [rows] */
    float *scores;                   /* [rows, n_labels] */
};
/* Metrics on labelled files (all rows); spec NULL: the run's own data settings with these files. The data's labels are the model's names, or numbers
 * where those are LABEL_0, LABEL_1, …; any other is BT_INVALID with file and line. */
enum bt_status bt_predictor_eval(struct bt_predictor *p, const char *const *files, size_t n_files,
                                 const struct bt_data_spec *spec, struct bt_evaluation_result **out,
                                 struct bt_error *err);
void bt_evaluation_result_free(struct bt_evaluation_result *r);

#endif
