/* The metrics by name, in families that fit what a task predicts.
 *
 * Each family has a struct of results, which the caller fills and keeps, and a function that appends every metric which is defined for them to
 * a struct bt_metrics (labels.h, sets.h, numbers.h, spans.h, answers.h, language.h). Undefined quotients count as 0, as scikit-learn's
 * zero_division=0 has it; where the reference packages answer NaN so does the metric: its help says when. */
#ifndef BERTTY_METRICS_METRICS_H
#define BERTTY_METRICS_METRICS_H

#include "metrics/confusion.h"
#include <bertty/str.h>
#include <bertty/train.h>
#include <stdbool.h>

enum bt__metric_family {
    BT__METRICS_labels,   /* one label for each example */
    BT__METRICS_choices,  /* one of several endings */
    BT__METRICS_sets,     /* any number of labels */
    BT__METRICS_numbers,  /* a number */
    BT__METRICS_spans,    /* entities in tagged words */
    BT__METRICS_answers,  /* a part of a text */
    BT__METRICS_language, /* tokens */
};

/* What results must have for a metric to be defined. */
enum bt__metric_needs {
    BT__NEEDS_NOTHING = 0,
    BT__NEEDS_TWO = 1,    /* exactly two labels */
    BT__NEEDS_SCORES = 2, /* probabilities; of answers: null odds */
    BT__NEEDS_V1 = 4,     /* answers scored as SQuAD 1.1 does */
    BT__NEEDS_V2 = 8,     /* … as SQuAD 2.0 does */
    BT__NEEDS_GOLD = 16,  /* answers: a question that has one */
    BT__NEEDS_NULL = 32,  /* answers: a question that has none */
    BT__SECONDARY = 64,   /* nothing: a figure that is left out of a training run's records */
};

struct bt__labels_view;
struct bt__sets_view;
struct bt__numbers_view;
struct bt__spans_view;
struct bt__answers_view;
struct bt__language_view;

struct bt__metric_row {
    const char *name;
    enum bt__metric_family family;
    bool greater_is_better;
    unsigned needs;
    const char *help; /* a line */
    union {           /* the one that family says */
        double (*labels)(const struct bt__labels_view *v);
        double (*choices)(const struct bt__labels_view *v);
        double (*sets)(const struct bt__sets_view *v);
        double (*numbers)(const struct bt__numbers_view *v);
        double (*spans)(const struct bt__spans_view *v);
        double (*answers)(const struct bt__answers_view *v);
        double (*language)(const struct bt__language_view *v);
    } value;
};

/* The table; a family's first row is what chooses its best checkpoint unless metric_for_best_model says otherwise. */
const struct bt__metric_row *bt__metric_rows(size_t *n);
/* NULL: the family has none of that name ("loss" and the parts for each type have no row). */
const struct bt__metric_row *bt__metric_find(enum bt__metric_family family, const char *name);
/* May metric_for_best_model be this? "loss", a row's name; of spans also "f1_PER", whatever the type. */
bool bt__metric_known(enum bt__metric_family family, const char *name);
bool bt__metric_greater_is_better(enum bt__metric_family family, const char *name);
/* Is less of it better, whatever the task? (No name means different things in two families.) */
bool bt__metric_falls(const char *name);
const char *bt__metric_default(enum bt__metric_family family);
/* Appends "loss, accuracy, f1, …". */
void bt__metric_names(enum bt__metric_family family, struct bt_str *out);

/* Appends a value; beyond BT_MAX_METRICS it is left out. */
void bt__metric_put(struct bt_metrics *out, const char *name, double value);
/* Removes the secondary figures of a family except the one named keep. */
void bt__metrics_brief(enum bt__metric_family family, const char *keep, struct bt_metrics *m);
/* Is the row defined for results that have this? */
bool bt__metric_applies(const struct bt__metric_row *row, enum bt__metric_family family, unsigned has);

struct bt__prf {
    double precision, recall, f1;
};
struct bt__prf bt__prf_of(const struct bt__class_counts *k);

#define METRIC(family, name, fn, greater, needs, help) double fn(const struct bt__##family##_view *v);
#define bt__choices_view                               bt__labels_view
#include "metrics/metrics.def"
#undef bt__choices_view
#undef METRIC

/* Precision, recall and F1 of one class. */
struct bt__prf bt__metric_class(const struct bt__confusion *c, int which);

#endif
