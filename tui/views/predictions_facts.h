/* What the rows of a predictions file amount to, whichever the task: which of them are of which slice, the figures over all, and precision and
 * recall of each label or type of entity. No terminal, no files.
 *
 * Made once for a file, by a worker; pred_facts_free() releases it. */
#ifndef TUI_VIEWS_PREDICTIONS_FACTS_H
#define TUI_VIEWS_PREDICTIONS_FACTS_H

#include <bertty/json.h>
#include <bertty/run.h>

enum { PRED_SLICES = 5, PRED_FIGURES = 4, PRED_NO_GROUP = -1 };

/* A label, or a type of entity. */
struct pred_group {
    char *name;
    size_t gold, predicted, right;
    double precision, recall, f1; /* NaN: none of that group */
};

struct pred_figure {
    const char *name; /* static */
    double value;
};

struct pred_facts {
    enum bt_rows_kind kind;
    unsigned *slices;   /* [n] bit k: the row is of slice k */
    unsigned *mistakes; /* [n] how many things are wrong in it */
    size_t of_slice[PRED_SLICES];
    struct pred_group *group;
    size_t n_groups;
    size_t *start; /* [n + 1] row i is of the groups in[start[i]] … in[start[i + 1] − 1] */
    unsigned *in;
    size_t n_in, cap_in;
    struct pred_figure figure[PRED_FIGURES];
    int n_figures;
    double mean_error; /* BT_ROWS_NUMBERS: mean |error|; NaN: nothing to compare with */
};
bool pred_facts_make(const struct bt_predictions *p, struct pred_facts *f); /* false: no memory */
void pred_facts_free(struct pred_facts *f);

/* "missed", …; NULL: the kind has no more. */
const char *pred_slice_name(enum bt_rows_kind kind, int slice);
bool pred_facts_in(const struct pred_facts *f, size_t row, int group);

/* ── entities ── */

struct pred_entity {
    const char *type; /* borrowed */
    size_t type_n;
    size_t begin, end; /* words, end exclusive */
};
/* The entities that tags of any scheme spell; tags without a letter in front are one each. The caller frees *out. false: no memory. */
bool pred_entities(const struct bt_json *tags, struct pred_entity **out, size_t *n);

/* How an entity stands to those of the other side; the order of the slices of BT_ROWS_TAGS. */
enum pred_fault { PRED_MISSED, PRED_SPURIOUS, PRED_TYPE, PRED_BOUNDARY, PRED_RIGHT };
/* other: [n]; alone: what it is if it touches none of them. *which: the one that it is compared with, n: none. */
enum pred_fault pred_entity_fault(const struct pred_entity *e, const struct pred_entity *other, size_t n,
                                  enum pred_fault alone, size_t *which);

/* Whether a list of texts has one. */
bool pred_list_has(const struct bt_json *list, const char *text);

/* ── numbers ── */

/* NaN: fewer than two pairs, or one side is constant. */
double pred_pearson(const double *a, const double *b, size_t n);
double pred_spearman(const double *a, const double *b, size_t n);

#endif
