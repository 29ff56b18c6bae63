/* What the files of the predictor share: opening and single inputs, many inputs, evaluation. */
#ifndef BERTTY_RUN_PREDICTOR_PARTS_H
#define BERTTY_RUN_PREDICTOR_PARTS_H

#include "run/evaluate.h"
#include "run/settings.h"
#include <bertty/predictor.h>

struct bt_predictor {
    char *dir;
    struct bt_experiment *
        x; /* the run's; of a model alone: defaults, the task that its configuration tells, and its own length */
    bool alone;
    bool untrained; /* its head; only where vectors are all that is asked for */
    struct bt_tokenizer *tokenizer;
    struct bt__task *task;
    struct bt__pool *pool;
    int threads; /* as they were asked for */
    struct bt__model *m;
    struct bt__pass *pass;
    struct bt__pass_limits limits; /* what pass has memory for; only ever grows */
    struct bt__task_data last;     /* the last single input: its answers may point into it */
    struct bt__answers answers;    /* of the last input */
    float *logits;                 /* [n_logits] likewise */
    struct bt_predictor
        *lm; /* its masked language model, opened when it is first asked for; NULL: not yet, or it has none */
    bool lm_known; /* it was looked for */
};

/* As bt_predictor_open() of a model alone, with settings x, which are taken over in any case. */
enum bt_status bt__predictor_open_as(const char *dir, struct bt_experiment *x, int threads,
                                     struct bt_predictor **out, struct bt_error *err);
/* The model as a masked language model, if its checkpoint has that head: p itself where this is its task, else one that p owns. *out NULL: it has none. */
enum bt_status bt__predictor_lm(struct bt_predictor *p, struct bt_predictor **out, struct bt_error *err);

/* Sequences of n inputs. The caller frees d in any case. */
enum bt_status bt__predictor_prepare(struct bt_predictor *p, const struct bt_input *in, size_t n,
                                     struct bt__task_data *d, struct bt_error *err);
/* Memory of the pass for at least this much. */
enum bt_status bt__predictor_reserve(struct bt_predictor *p, const struct bt__pass_limits *need,
                                     struct bt_error *err);
/* Memory of the pass for batches of all sequences of f; limits receives those of a batch. */
enum bt_status bt__predictor_room(struct bt_predictor *p, const struct bt__features *f,
                                  struct bt__pass_limits *limits, struct bt_error *err);
/* Logits, and where d->gold is known the loss, of all of d in length-sorted batches. The caller frees e. */
enum bt_status bt__predictor_run(struct bt_predictor *p, const struct bt__task_data *d,
                                 const atomic_bool *cancel, struct bt__evaluation *e, struct bt_error *err);

#endif
