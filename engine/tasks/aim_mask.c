/* The aim of a word for a [MASK]. */
#include "tasks/aim.h"

#include "tasks/mlm.h"

/* The token of the n-th mask, from 1, in sequence i; −1: it has fewer. */
static int mask_at(const struct bt__task *t, const struct bt__task_data *d, size_t i, int64_t n)
{
    const int32_t mask = bt_tokenizer_special(t->tokenizer, BT_MASK), *ids = d->f.ids + d->f.start[i];
    for (int k = 0; k < d->f.length[i]; k++)
        if (ids[k] == mask && --n == 0) return k;
    return -1;
}

enum bt_status bt__aim_mask(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                            struct bt__aim *out, struct bt_error *err)
{
    const size_t i = bt__task_first(d, e);
    const int64_t which = wish->word > 0 ? wish->word : 1;
    const int token = mask_at(t, d, i, which);
    if (token < 0 && which > 1)
        return bt_fail(err, BT_INVALID, "mask %lld is not there: the text has fewer [MASK]s",
                       (long long)which);
    if (token < 0) return bt_fail(err, BT_INVALID, "no [MASK] in the text, expected one to explain");
    const float *guess = bt__logits_at(l, i) + (size_t)(which - 1) * (size_t)l->cols;
    const int32_t id = wish->target ? bt_tokenizer_id(t->tokenizer, wish->target) : (int32_t)guess[0];
    const char *piece = id < 0 ? NULL : bt_tokenizer_piece(t->tokenizer, id);
    if (!piece)
        return bt_fail(err, BT_INVALID, "\"%.60s\" is no word of the vocabulary",
                       wish->target ? wish->target : "");
    out->sequence = i;
    out->cell[0] = (struct bt__aim_cell){.token = token, .output = id};
    out->cells = 1;
    out->norm = BT__NORM_OUTPUTS;
    bt_str_addf(&out->name, "%s for mask %lld", piece, (long long)which);
    return BT_OK;
}
