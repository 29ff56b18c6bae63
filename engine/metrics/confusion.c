#include "metrics/confusion.h"

#include <stdlib.h>

enum bt_status bt__confusion_create(struct bt__confusion *c, int classes, struct bt_error *err)
{
    *c = (struct bt__confusion){.classes = classes,
                                .count = calloc((size_t)classes * (size_t)classes, sizeof *c->count)};
    return c->count ? BT_OK
                    : bt_fail(err, BT_NOMEM, "no memory for a confusion matrix of %d classes", classes);
}

void bt__confusion_free(struct bt__confusion *c)
{
    free(c->count);
    *c = (struct bt__confusion){.classes = 0};
}

void bt__confusion_add(struct bt__confusion *c, int gold, int predicted)
{
    c->count[(size_t)gold * (size_t)c->classes + (size_t)predicted]++;
}

struct bt__class_counts bt__confusion_class(const struct bt__confusion *c, int which)
{
    const size_t n = (size_t)c->classes, k = (size_t)which;
    struct bt__class_counts r = {.hit = c->count[k * n + k]};
    for (size_t i = 0; i < n; i++) {
        r.gold += c->count[k * n + i];
        r.predicted += c->count[i * n + k];
    }
    return r;
}
