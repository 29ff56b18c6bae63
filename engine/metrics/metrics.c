#include "metrics/metrics.h"

const struct bt__metric *bt__metrics(size_t *n)
{
    static const struct bt__metric table[] = {
#define METRIC(text, fn, labels) {.name = #text, .value = fn, .classes = labels},
#include "metrics/metrics.def"
#undef METRIC
    };
    *n = sizeof table / sizeof *table;
    return table;
}
