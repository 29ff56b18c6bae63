#include "dataset/wrap.h"

#include "dataset/store.h"
#include <stdlib.h>
#include <string.h>

enum bt_status bt__examples_wrap(const struct bt_example *at, size_t n, struct bt_examples **out,
                                 struct bt_error *err)
{
    struct bt_examples *e = calloc(1, sizeof *e);
    if (e) e->at = malloc((n + 1) * sizeof *e->at);
    if (!e || !e->at) {
        free(e);
        return bt_fail(err, BT_NOMEM, "no memory for %zu examples", n);
    }
    if (n) memcpy(e->at, at, n * sizeof *at);
    e->n = e->cap = n;
    *out = e;
    return BT_OK;
}
