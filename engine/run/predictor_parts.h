/* What the files of the predictor share: opening and single inputs, many inputs, evaluation. */
#ifndef BERTTY_RUN_PREDICTOR_PARTS_H
#define BERTTY_RUN_PREDICTOR_PARTS_H

#include "run/evaluate.h"
#include "run/settings.h"
#include <bertty/predictor.h>

struct bt_predictor {
    char *dir;
    struct bt_experiment *x; /* the run's; NULL: a model alone */
    struct bt__features_options features;
    struct bt_tokenizer *tokenizer;
    struct bt__pool *pool;
    struct bt__model *m;
    struct bt__pass *pass;
    struct bt__pass_limits limits; /* what pass has memory for; only ever grows */
    struct bt__batch batch;        /* of single inputs */
    float *scores;                 /* [labels] */
};

/* Memory of the pass for at least this much. */
enum bt_status bt__predictor_reserve(struct bt_predictor *p, const struct bt__pass_limits *need,
                                     struct bt_error *err);
/* The tokens of texts [n]. BT_INVALID: pairs, and the model has no second token type. The caller frees f. */
enum bt_status bt__predictor_features(struct bt_predictor *p, const struct bt__text *texts, size_t n,
                                      struct bt__features *f, struct bt_error *err);
/* Logits, and with gold [f->n] loss and confusion, of all of f in length-sorted batches. The caller frees e. */
enum bt_status bt__predictor_run(struct bt_predictor *p, const struct bt__features *f, const int *gold,
                                 const atomic_bool *cancel, struct bt__evaluation *e, struct bt_error *err);

#endif
