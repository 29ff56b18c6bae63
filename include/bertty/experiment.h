/* Experiment files: the options of include/bertty/options.def in YAML, one map for each group.
 *
 *     optim:
 *       learning_rate: 3e-5
 *
 * Paths in a file are relative to the current directory or, if they do not exist there, to the directory of the experiment file.
 * The caller frees an experiment with bt_experiment_free(). */
#ifndef BERTTY_EXPERIMENT_H
#define BERTTY_EXPERIMENT_H

#include <bertty/str.h>
#include <stdint.h>

/* data.max_seq_length of qa where nobody sets it. */
enum { BT_QA_LENGTH = 384 };

struct bt_string_list {
    char **item; /* n of them, owned */
    size_t n;
};

/* The choices, in the order of options.def. */
enum {
    BT_CHECKPOINT_FORMAT_AUTO,
    BT_CHECKPOINT_FORMAT_SAFETENSORS,
    BT_CHECKPOINT_FORMAT_TORCH_BIN,
    BT_CHECKPOINT_FORMAT_TF_CKPT
};
enum { BT_DO_LOWER_CASE_AUTO, BT_DO_LOWER_CASE_TRUE, BT_DO_LOWER_CASE_FALSE };
enum { BT_STRIP_ACCENTS_AUTO, BT_STRIP_ACCENTS_TRUE, BT_STRIP_ACCENTS_FALSE };
enum { BT_TOKENIZER_COMPAT_HF, BT_TOKENIZER_COMPAT_GOOGLE };
enum { BT_HIDDEN_ACT_AUTO, BT_HIDDEN_ACT_GELU, BT_HIDDEN_ACT_GELU_TANH, BT_HIDDEN_ACT_RELU };
enum { BT_POOLING_CLS, BT_POOLING_MEAN };
enum {
    BT_TYPE_CLASSIFICATION,
    BT_TYPE_REGRESSION,
    BT_TYPE_NER,
    BT_TYPE_QA,
    BT_TYPE_ABSA,
    BT_TYPE_MULTILABEL,
    BT_TYPE_MULTIPLE_CHOICE,
    BT_TYPE_MLM
};
enum { BT_ABSA_FORMAT_SPC, BT_ABSA_FORMAT_NLI_M, BT_ABSA_FORMAT_QA_M };
enum { BT_SCHEME_IOB1, BT_SCHEME_IOB2, BT_SCHEME_IOE1, BT_SCHEME_IOE2, BT_SCHEME_IOBES, BT_SCHEME_BILOU };
enum { BT_EVAL_MODE_CONLLEVAL, BT_EVAL_MODE_STRICT };
enum {
    BT_FORMAT_AUTO,
    BT_FORMAT_CSV,
    BT_FORMAT_TSV,
    BT_FORMAT_JSONL,
    BT_FORMAT_CONLL,
    BT_FORMAT_SQUAD,
    BT_FORMAT_SEMEVAL,
    BT_FORMAT_SWAG,
    BT_FORMAT_TEXT
};
enum { BT_NEGATIVE_AUTO, BT_NEGATIVE_TRUE, BT_NEGATIVE_FALSE };
enum { BT_QUOTING_AUTO, BT_QUOTING_TRUE, BT_QUOTING_FALSE };
enum { BT_HEADER_AUTO, BT_HEADER_TRUE, BT_HEADER_FALSE };
enum {
    BT_TRUNCATION_LONGEST_FIRST,
    BT_TRUNCATION_ONLY_FIRST,
    BT_TRUNCATION_ONLY_SECOND,
    BT_TRUNCATION_HEAD_TAIL,
    BT_TRUNCATION_SLIDING_WINDOW
};
enum { BT_ADAPTER_NONE, BT_ADAPTER_BITFIT, BT_ADAPTER_LORA };
enum { BT_OPTIM_ADAMW, BT_OPTIM_BERT_ADAM, BT_OPTIM_ADAFACTOR, BT_OPTIM_SGD };
enum {
    BT_LR_LINEAR,
    BT_LR_COSINE,
    BT_LR_COSINE_WITH_RESTARTS,
    BT_LR_POLYNOMIAL,
    BT_LR_CONSTANT,
    BT_LR_CONSTANT_WITH_WARMUP,
    BT_LR_INVERSE_SQRT,
    BT_LR_REDUCE_ON_PLATEAU
};
enum { BT_PRECISION_FP32, BT_PRECISION_BF16 };
enum { BT_EVAL_NO, BT_EVAL_EPOCH, BT_EVAL_STEPS };
enum { BT_GREATER_IS_BETTER_AUTO, BT_GREATER_IS_BETTER_TRUE, BT_GREATER_IS_BETTER_FALSE };
enum { BT_SAVE_NO, BT_SAVE_EPOCH, BT_SAVE_STEPS, BT_SAVE_BEST };

enum bt_option_kind {
    BT_OPTION_TEXT,
    BT_OPTION_LIST,
    BT_OPTION_INT,
    BT_OPTION_REAL,
    BT_OPTION_BOOL,
    BT_OPTION_CHOICE
};

struct bt_option {
    const char *group, *name, *key; /* "optim", "learning_rate", "optim.learning_rate" */
    enum bt_option_kind kind;
    bool nullable; /* null is allowed (text, or a number without a default) */
    double
        fallback; /* default of numbers, switches (0, 1) and choices (index); −1 where null is the default */
    const char *text;    /* default of a text; NULL: null */
    double low, high;    /* range of numbers, both included */
    const char *unit;    /* "" if there is none */
    const char *choices; /* "a|b|c"; NULL for other kinds */
    const char *help;    /* one line */
    size_t offset;       /* of the field in struct bt_experiment */
};

/* All options in the order of options.def. Static storage. */
const struct bt_option *bt_options(size_t *n);
/* By "group.name", or by a name that only one group has; NULL if there is none. */
const struct bt_option *bt_option_find(const char *key);
/* Index of an option in the table. */
size_t bt_option_index(const struct bt_option *o);
/* Number of a choice's text, or −1. */
int bt_option_choice(const struct bt_option *o, const char *text, size_t n);
/* Text of choice i: pointer and length, or NULL. */
const char *bt_option_choice_text(const struct bt_option *o, int i, size_t *n);

enum {
#define BT_COUNT(group, name)          BT_OPTION_##group##_##name,
#define TEXT(group, name, ...)         BT_COUNT(group, name)
#define LIST(group, name, ...)         BT_COUNT(group, name)
#define INT(group, name, ...)          BT_COUNT(group, name)
#define REAL(group, name, ...)         BT_COUNT(group, name)
#define INT_OR_NULL(group, name, ...)  BT_COUNT(group, name)
#define REAL_OR_NULL(group, name, ...) BT_COUNT(group, name)
#define BOOL(group, name, ...)         BT_COUNT(group, name)
#define CHOICE(group, name, ...)       BT_COUNT(group, name)
#include <bertty/options.def>
#undef TEXT
#undef LIST
#undef INT
#undef REAL
#undef INT_OR_NULL
#undef REAL_OR_NULL
#undef BOOL
#undef CHOICE
#undef BT_COUNT
    BT_OPTIONS
};

struct bt_experiment {
#define TEXT(group, name, ...)         char *group##_##name;
#define LIST(group, name, ...)         struct bt_string_list group##_##name;
#define INT(group, name, ...)          int64_t group##_##name;
#define REAL(group, name, ...)         double group##_##name;
#define INT_OR_NULL(group, name, ...)  int64_t group##_##name;
#define REAL_OR_NULL(group, name, ...) double group##_##name;
#define BOOL(group, name, ...)         bool group##_##name;
#define CHOICE(group, name, ...)       int group##_##name;
#include <bertty/options.def>
#undef TEXT
#undef LIST
#undef INT
#undef REAL
#undef INT_OR_NULL
#undef REAL_OR_NULL
#undef BOOL
#undef CHOICE
    char *path;                /* the file it came from; NULL for none */
    bool set[BT_OPTIONS];      /* stands in the file or was set */
    unsigned line[BT_OPTIONS]; /* where; 0: not in a file */
};

/* All defaults. */
enum bt_status bt_experiment_new(struct bt_experiment **out, struct bt_error *err);
enum bt_status bt_experiment_load(const char *path, struct bt_experiment **out, struct bt_error *err);
/* n bytes of YAML; name stands for the file in messages. */
enum bt_status bt_experiment_parse(const char *text, size_t n, const char *name, struct bt_experiment **out,
                                   struct bt_error *err);
void bt_experiment_free(struct bt_experiment *x);
enum bt_status bt_experiment_copy(const struct bt_experiment *x, struct bt_experiment **out,
                                  struct bt_error *err);

/* Sets one option from text as it would stand in YAML ("5e-5", "true", "null", "[a, b]"). */
enum bt_status bt_experiment_set(struct bt_experiment *x, const char *key, const char *text,
                                 struct bt_error *err);
/* "key=value" as in --set. */
enum bt_status bt_experiment_assign(struct bt_experiment *x, const char *assignment, struct bt_error *err);
/* Back to the default. */
enum bt_status bt_experiment_reset(struct bt_experiment *x, const struct bt_option *o, struct bt_error *err);
/* Appends the option's value as YAML. */
void bt_experiment_get(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out);
bool bt_experiment_equal(const struct bt_experiment *a, const struct bt_experiment *b,
                         const struct bt_option *o);

/* What must hold between options; the first thing that does not. at, unless NULL, receives the option to blame. */
enum bt_status bt_experiment_validate(const struct bt_experiment *x, const struct bt_option **at,
                                      struct bt_error *err);
/* Finds the files that the options name (globs expanded, relative to the file's directory if need be), turns their paths absolute, and fills in
 * options that follow from others. Errors name the option. */
enum bt_status bt_experiment_resolve(struct bt_experiment *x, struct bt_error *err);
/* What its runs are called after: run.name, else the file's name without directory and ending; the caller frees. NULL: no memory. */
char *bt_experiment_name(const struct bt_experiment *x);
/* Validation rows are cut off the training data. */
static inline bool bt_experiment_cuts(const struct bt_experiment *x)
{
    return x->data_validation_file.n == 0 && (x->data_val_set_size > 0.0 || x->data_num_folds > 0);
}
/* There is validation data. */
static inline bool bt_experiment_validates(const struct bt_experiment *x)
{
    return x->data_validation_file.n > 0 || bt_experiment_cuts(x);
}
/* The metric that decides which checkpoint is best where eval.metric_for_best_model says nothing; static. */
const char *bt_experiment_metric(const struct bt_experiment *x);
/* Every option explicit, grouped; loads back to the same experiment. */
void bt_experiment_write(const struct bt_experiment *x, struct bt_str *out);

/* Changes one value in the text of an experiment file (value as YAML; NULL removes the line), everything else byte for byte as it was. */
enum bt_status bt_experiment_edit(struct bt_str *file, const char *key, const char *value,
                                  struct bt_error *err);

/* In x this option only repeats another one (a data seed that is the seed, a head's learning rate that is the rate), or only says where something lies. */
bool bt_option_repeats(const struct bt_experiment *x, size_t option);

/* False: with x's other choices this option (numbered as in bt_options()) does nothing; why (or NULL) gets what it needs, "needs task.type: ner". */
bool bt_option_applies(const struct bt_experiment *x, size_t option, struct bt_str *why);

#endif
