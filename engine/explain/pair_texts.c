#include <bertty/num.h>
#include <bertty/pair_slices.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool same_number(const char *label, double gold)
{
    double number;
    return !label || !bt_parse_double(label, &number) || fabs(number - gold) <= 1e-4 * (1 + fabs(number));
}

const struct bt_example *bt_pair_example(const struct bt_pairing *p, const struct bt_examples *e,
                                         const struct bt_pair_row *row)
{
    if (!e || row->id < 1 || (uint64_t)row->id > bt_examples_count(e)) return NULL;
    const struct bt_example *x = bt_examples_at(e, (size_t)row->id - 1);
    bool same = p->kind == BT_ROWS_LABELS    ? x->label && strcmp(x->label, row->gold) == 0
                : p->kind == BT_ROWS_NUMBERS ? same_number(x->label, row->gold_value)
                                             : true;
    return same ? x : NULL;
}

void bt_pair_add_text(const struct bt_pairing *p, const struct bt_example *x, struct bt_str *out)
{
    bool tags = p->kind == BT_ROWS_TAGS, choices = p->kind == BT_ROWS_LABELS;
    if (!tags && x->text) bt_str_addn(out, x->text, x->text_n);
    for (uint32_t i = 0; (tags || choices) && i < x->parts; i++) {
        bt_str_add(out, tags ? (i ? " " : "") : i ? " / " : " | ");
        bt_str_addn(out, x->part[i].text, x->part[i].n);
    }
    if (!x->pair) return;
    bt_str_add(out, " | ");
    bt_str_addn(out, x->pair, x->pair_n);
}
