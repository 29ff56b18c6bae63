/* From an experiment to what a run works on: model, tokenizer, task, and each split as sequences with gold values.
 *
 * The caller frees with bt__setup_free(). */
#ifndef BERTTY_RUN_SETUP_H
#define BERTTY_RUN_SETUP_H

#include "formats/hf_dir.h"
#include "tasks/task.h"

enum bt__split { BT__TRAIN, BT__VALIDATION, BT__TEST, BT__SPLITS };

struct bt__setup {
    char *model_dir;
    enum bt__weights_kind
        weights; /* which of its files: of the experiment's model what that says, of a run's checkpoint our own */
    struct bt_tokenizer *tokenizer;
    struct bt__model *model;
    bool *fresh; /* [model->params.n] parameters that the checkpoint does not have */
    struct bt__load_report report;
    struct bt__task *task;
    struct bt__task_data split[BT__SPLITS];
};

/* Says what goes on ("reading train.tsv"); may be NULL. */
typedef void bt__say_fn(void *ctx, const char *text);

/* Reads configuration and tokenizer from model_dir (a checkpoint, or the experiment's model), and the data; checks everything that can be
 * checked before a launch. The weights are left zero. */
enum bt_status bt__setup_data(struct bt__setup *s, const struct bt_experiment *x, const char *model_dir,
                              struct bt__pool *pool, bt__say_fn *say, void *ctx, struct bt_error *err);
/* The data alone, without a model: sequences have no tokens. Of tasks on texts and pairs. */
enum bt_status bt__setup_texts(struct bt__setup *s, const struct bt_experiment *x, struct bt__pool *pool,
                               bt__say_fn *say, void *ctx, struct bt_error *err);
/* Then the weights: the model's, and fresh ones drawn with the experiment's seed where it has none. */
enum bt_status bt__setup_weights(struct bt__setup *s, const struct bt_experiment *x, bt__say_fn *say,
                                 void *ctx, struct bt_error *err);
void bt__setup_free(struct bt__setup *s);

/* "train", "validation", "test" */
const char *bt__split_name(enum bt__split s);

#endif
