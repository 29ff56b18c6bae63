/* The masked language model's head of a checkpoint whose task is another. */
#include "run/predictor_parts.h"

#include "formats/weights.h"
#include <stdlib.h>

static const char trained[] = "cls.predictions.transform.dense.weight";

static enum bt_status has_head(const char *dir, bool *has, struct bt_error *err)
{
    struct bt__weights *w = NULL;
    enum bt_status st = bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, err);
    if (st) return st;
    *has = bt__weights_find(w, trained) >= 0;
    bt__weights_close(w);
    return BT_OK;
}

/* The same model, asked for words: with the settings that decide how a text is cut into pieces. */
static enum bt_status open_head(struct bt_predictor *p, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    enum bt_status st = bt_experiment_new(&x, err);
    if (st) return st;
    x->task_type = BT_TYPE_MLM;
    x->data_max_seq_length = p->x->data_max_seq_length;
    x->model_do_lower_case = p->x->model_do_lower_case;
    x->model_strip_accents = p->x->model_strip_accents;
    x->model_tokenizer_compat = p->x->model_tokenizer_compat;
    return bt__predictor_open_as(p->dir, x, bt__pool_threads(p->pool), &p->lm, err);
}

enum bt_status bt__predictor_lm(struct bt_predictor *p, struct bt_predictor **out, struct bt_error *err)
{
    bool has = false;
    enum bt_status st = BT_OK;
    if (p->task->ops == &bt__task_mlm) {
        *out = p;
        return BT_OK;
    }
    if (!p->lm_known) st = has_head(p->dir, &has, err);
    if (!st && has) st = open_head(p, err);
    if (st == BT_INVALID) st = BT_OK; /* half a head is none */
    if (!st) p->lm_known = true;
    *out = p->lm;
    return st;
}
