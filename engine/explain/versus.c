#include <bertty/versus.h>

enum bt_status bt_versus_load(const struct bt_versus_request *r, const atomic_bool *cancel,
                              struct bt_versus *out, struct bt_error *err)
{
    *out = (struct bt_versus){.pairing = NULL};
    enum bt_status status = bt_pairing_load(&r->first, &r->second, r->split, &out->pairing, err);
    if (status == BT_OK) status = bt_pair_matrix_make(out->pairing, &out->matrix, err);
    if (status == BT_OK)
        bt_texts_load(r->first.dir, out->pairing->split, bt_pairing_last_row(out->pairing), &out->texts);
    if (status == BT_OK)
        status =
            bt_pair_slices_make(out->pairing, &out->texts, r->expression, r->expressions, &out->slices, err);
    if (status == BT_OK) status = bt_bootstrap_make(out->pairing, cancel, &out->bootstrap, err);
    if (status != BT_OK) bt_versus_clear(out);
    return status;
}

void bt_versus_clear(struct bt_versus *v)
{
    bt_pair_slices_clear(&v->slices);
    bt_texts_clear(&v->texts);
    bt_pair_matrix_clear(&v->matrix);
    bt_pairing_free(v->pairing);
    *v = (struct bt_versus){.pairing = NULL};
}
