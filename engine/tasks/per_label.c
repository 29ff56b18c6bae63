#include "tasks/per_label.h"

#include <bertty/num.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The number of an item, and how many bytes of it name a label; −1: it is for all. */
static bool split(const char *item, ptrdiff_t *name, double *value)
{
    const char *at = strrchr(item, '=');
    *name = at ? at - item : -1;
    return bt_parse_double(at ? at + 1 : item, value) && isfinite(*value) && *name != 0;
}

bool bt__per_label_fits(const struct bt_string_list *list, double low, double high)
{
    ptrdiff_t name;
    double value;
    for (size_t i = 0; i < list->n; i++)
        if (!split(list->item[i], &name, &value) || value < low || value > high) return false;
    return true;
}

static enum bt_status take(const struct bt__per_label *how, const char *item, const struct bt__labels *l,
                           bool *said, double *to, struct bt_error *err)
{
    ptrdiff_t name;
    double value;
    if (!split(item, &name, &value) || value < how->low || value > how->high)
        return bt_fail(err, BT_INVALID, "%s: \"%.60s\", expected a number from %g to %g, or LABEL=NUMBER",
                       how->option, item, how->low, how->high);
    int one = name < 0 ? l->n : bt__labels_find(l, item, (size_t)name);
    if (one < 0)
        return bt_fail(err, BT_INVALID, "%s: \"%.60s\": there is no such label among the %d", how->option,
                       item, l->n);
    if (said[one])
        return bt_fail(err, BT_INVALID, "%s: \"%.60s\": said twice, expected one number for each label",
                       how->option, item);
    said[one] = true;
    for (int i = name < 0 ? 0 : one; i < (name < 0 ? l->n : one + 1); i++)
        if (name >= 0 || !said[i]) to[i] = value;
    return BT_OK;
}

enum bt_status bt__per_label_read(const struct bt__per_label *how, const struct bt_string_list *list,
                                  const struct bt__labels *l, double *to, struct bt_error *err)
{
    bool *said = calloc((size_t)l->n + 1, sizeof *said); /* the last: the number for all */
    if (!said) return bt_fail(err, BT_NOMEM, "no memory for %d labels", l->n);
    enum bt_status st = BT_OK;
    for (int i = 0; i < l->n; i++) to[i] = how->fallback;
    for (size_t i = 0; i < list->n && !st; i++) st = take(how, list->item[i], l, said, to, err);
    free(said);
    return st;
}
