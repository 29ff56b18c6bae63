#include "metrics/metrics.h"

#include <stdio.h>
#include <string.h>

const struct bt__metric_row *bt__metric_rows(size_t *n)
{
    static const struct bt__metric_row table[] = {
#define METRIC(group, text, fn, greater, need, line)                                                         \
    {.name = #text,                                                                                          \
     .family = BT__METRICS_##group,                                                                          \
     .greater_is_better = (greater),                                                                         \
     .needs = (need),                                                                                        \
     .help = (line),                                                                                         \
     .value.group = fn},
#include "metrics/metrics.def"
#undef METRIC
    };
    *n = sizeof table / sizeof *table;
    return table;
}

const struct bt__metric_row *bt__metric_find(enum bt__metric_family family, const char *name)
{
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (row[i].family == family && strcmp(row[i].name, name) == 0) return &row[i];
    return NULL;
}

bool bt__metric_known(enum bt__metric_family family, const char *name)
{
    if (strcmp(name, "loss") == 0 || bt__metric_find(family, name)) return true;
    return family == BT__METRICS_spans && strncmp(name, "f1_", 3) == 0 && name[3];
}

bool bt__metric_greater_is_better(enum bt__metric_family family, const char *name)
{
    const struct bt__metric_row *row = bt__metric_find(family, name);
    return row ? row->greater_is_better : strcmp(name, "loss") != 0;
}

bool bt__metric_falls(const char *name)
{
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(row[i].name, name) == 0) return !row[i].greater_is_better;
    return strcmp(name, "loss") == 0;
}

const char *bt__metric_default(enum bt__metric_family family)
{
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (row[i].family == family) return row[i].name;
    return "loss";
}

void bt__metric_names(enum bt__metric_family family, struct bt_str *out)
{
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    bt_str_add(out, "loss");
    for (size_t i = 0; i < n; i++)
        if (row[i].family == family) bt_str_addf(out, ", %s", row[i].name);
}

void bt__metric_put(struct bt_metrics *out, const char *name, double value)
{
    if (out->n == BT_MAX_METRICS) return;
    struct bt_metric_value *v = &out->item[out->n++];
    snprintf(v->name, sizeof v->name, "%s", name);
    v->value = value;
}

bool bt__metric_applies(const struct bt__metric_row *row, enum bt__metric_family family, unsigned has)
{
    return row->family == family && (row->needs & ~(has | BT__SECONDARY)) == 0;
}

void bt__metrics_brief(enum bt__metric_family family, const char *keep, struct bt_metrics *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct bt__metric_row *row = bt__metric_find(family, m->item[i].name);
        bool asked = keep && strcmp(keep, m->item[i].name) == 0;
        if (!row || asked || !(row->needs & BT__SECONDARY)) m->item[n++] = m->item[i];
    }
    m->n = n;
}
