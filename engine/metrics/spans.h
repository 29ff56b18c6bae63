/* Entities in tagged words, scored as conlleval (and seqeval's default) or strictly (seqeval's mode='strict'). All arrays are the caller's. */
#ifndef BERTTY_METRICS_SPANS_H
#define BERTTY_METRICS_SPANS_H

#include "metrics/metrics.h"
#include "metrics/tags.h"

struct bt__span_results {
    size_t n;            /* sentences */
    const size_t *start; /* [n + 1]: where each one's words begin */
    const int *gold;     /* [start[n]]: numbers of tags */
    const int *predicted;
    const char *const *tag; /* [tags]; may hold more than the model's labels */
    int tags;
    enum bt__scheme scheme;
    bool strict;
};

/* Appends the metrics of the family spans, then "f1_TYPE" for each type in the order of their names. BT_INVALID: strict, and a tag's letter
 * is not in the scheme. */
enum bt_status bt__span_metrics(const struct bt__span_results *r, struct bt_metrics *out,
                                struct bt_error *err);

struct bt__span_type {
    const char *name; /* not terminated; borrowed from tag, or static */
    size_t name_n;
    struct bt__class_counts count; /* entities: right, predicted, gold (the support) */
    struct bt__prf prf;
};
/* Each type that occurs, in the order of their names; *types is the caller's to free(). */
enum bt_status bt__span_types(const struct bt__span_results *r, struct bt__span_type **types, size_t *n,
                              struct bt_error *err);

struct bt__spans_view {
    const struct bt__span_results *r;
    struct bt__class_counts *count; /* [types]: entities right, predicted, gold */
    size_t types;
    struct bt__class_counts all; /* their sum */
    size_t words, right;         /* words; those whose tag is right */
};

#endif
