/* A trained model, ready to answer. One thread at a time for each predictor; several predictors may work at once. */
#ifndef BERTTY_PREDICTOR_H
#define BERTTY_PREDICTOR_H

#include <bertty/dataset.h>
#include <bertty/tokenizer.h>
#include <bertty/train.h>
#include <stdatomic.h>

struct bt_predictor;

struct bt_predictor_spec {
    const char *model_dir; /* a checkpoint or any Hugging Face directory with a trained head */
    const char *
        run_dir; /* NULL, or the run whose experiment gives task, max_seq_length, truncation, data settings, tokenizer options */
    const char *
        precision; /* of the forward pass, "fp32" or "bf16"; NULL: the run's train.precision, of a model alone fp32. Explanations by gradients are fp32 */
    int threads;   /* 0: all processors */
    bool vectors;  /* what the model says is not asked for: its head need not be trained */
};
/* Without a run the task is that of the model's config.json. BT_INVALID: the model has no trained head (tensor named). */
enum bt_status bt_predictor_open(const struct bt_predictor_spec *spec, struct bt_predictor **out,
                                 struct bt_error *err);
void bt_predictor_free(struct bt_predictor *p); /* NULL is fine */
/* As in the spec, from the next question on; the same bits. */
enum bt_status bt_predictor_set_threads(struct bt_predictor *p, int threads, struct bt_error *err);

int bt_predictor_task(const struct bt_predictor *p); /* BT_TYPE_… */
/* The names of the outputs in id2label's order; 0 where the task has none (a number, a span, a word). */
int bt_predictor_labels(const struct bt_predictor *p);
const char *bt_predictor_label(const struct bt_predictor *p, int i); /* borrowed */
const struct bt_tokenizer *bt_predictor_tokenizer(const struct bt_predictor *p);
int bt_predictor_max_length(const struct bt_predictor *p);
/* The settings that count: the run's, else defaults with the model's task. Borrowed. */
const struct bt_experiment *bt_predictor_experiment(const struct bt_predictor *p);

struct bt_input {
    const char *text,
        *pair; /* as in struct bt_example: pair is the second text, the aspect or the context; NULL: none */
    size_t text_n, pair_n;
    const struct bt_part *part; /* words or choices */
    uint32_t parts;
    size_t mark, mark_n; /* the aspect's place in the text; mark_n 0: not known */
};

/* One piece of what a model says. */
struct bt_answer {
    const char *label; /* class, entity type, answer, word or choice; NULL: a number alone */
    size_t label_n;
    double score; /* its probability; of a regression the number itself */
    size_t begin,
        end; /* bytes of the text (QA: of the context) that it is about; both 0: the whole, or no answer */
    bool chosen; /* what the model decides for; the others are what it thought of too */
};
/* classification, absa, multiple_choice: every label in order, one chosen. multilabel: any number chosen. regression: one. ner: the entities in order,
 * all chosen. qa: the n best, the first chosen. mlm: the likeliest words of each [MASK], the first of each chosen. */
struct bt_output {
    const struct bt_answer *answer; /* [n]; borrowed until the next call, as all that hangs on it */
    size_t n;
    const struct bt_part *
        word; /* [words] ner: the words of the input, as it has them or as the text is cut, with the tags that the model gives */
    size_t words;
    const float *
        logits; /* [n_logits] of the first sequence: a row for each that the head reads; of a text read in windows their mean; of choices: one for each */
    size_t n_logits;
    int tokens; /* of the longest sequence, with [CLS] and [SEP], after cutting */
    bool truncated;
};
/* One input: a few milliseconds. */
enum bt_status bt_predict(struct bt_predictor *p, const struct bt_input *in, struct bt_output *out,
                          struct bt_error *err);
/* Many, in length-sorted batches; then each is called with the answers in the order of the inputs. cancel may be NULL. */
typedef void bt_answer_fn(void *ctx, size_t i, const struct bt_output *out);
enum bt_status bt_predict_all(struct bt_predictor *p, const struct bt_input *in, size_t n, bt_answer_fn *each,
                              void *ctx, const atomic_bool *cancel, struct bt_error *err);

struct bt_evaluation_result {
    size_t rows;
    struct bt_metrics metrics;
    double tokens_per_s;
    int n_labels;                    /* of the table of labels or entity types; 0: there is none */
    char **label;                    /* [n_labels] */
    double *precision, *recall, *f1; /* [n_labels] */
    int64_t *support;                /* [n_labels] gold */
    int64_t *confusion;              /* [n_labels, n_labels]: row = gold, column = predicted; NULL: none */
    int *gold, *predicted;           /* [rows] labels; NULL where an example has not just one */
    float *scores;                   /* [rows, n_labels] probabilities; NULL likewise */
};
/* Metrics on labelled files (all rows); spec NULL: the run's own data settings with these files. The data's labels are the model's names, or numbers
 * where those are LABEL_0, LABEL_1, …; any other is BT_INVALID with file and line. predictions, unless NULL, receives the rows of a predictions file;
 * with them a table of texts needs no label column: there are no metrics then. */
enum bt_status bt_predictor_eval(struct bt_predictor *p, const char *const *files, size_t n_files,
                                 const struct bt_data_spec *spec, struct bt_str *predictions,
                                 struct bt_evaluation_result **out, struct bt_error *err);
void bt_evaluation_result_free(struct bt_evaluation_result *r);

/* From the rows of a predictions file (n bytes) about questions: predictions.json {id: text}, nbest_predictions.json and, where there may be no answer,
 * null_odds.json in a directory, which is made if need be; as SQuAD's evaluation scripts read them. */
enum bt_status bt_squad_files_write(const char *dir, const char *rows, size_t n, struct bt_error *err);

/* The same as a file of gluebenchmark.com's: index<TAB>prediction, by the label's name or number or the value, as the task wants that the path's last component
 * names (CoLA.tsv, MNLI-m.tsv, …). BT_INVALID: there is no such task, or the model is not for it. */
enum bt_status bt_glue_file_check(const struct bt_predictor *p, const char *path, struct bt_error *err);
enum bt_status bt_glue_file_write(const char *path, const char *rows, size_t n, struct bt_error *err);

#endif
