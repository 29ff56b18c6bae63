/* Probe sets: saved inputs, and what a model is expected to say of them. Three kinds, those of CheckList (Ribeiro et al. 2020, "Beyond Accuracy"):
 * minimum functionality, invariance, direction. A file of one is called NAME.probe.yaml:
 *
 *     probes:
 *       - name: negation                                  # else the text
 *         text: This film is not good.
 *         expect: negative
 *         at_least: 0.6                                   # probability
 *       - text: Anna liked the film.
 *         same_for: [Peter liked the film., Li liked the film.]
 *         tolerance: 0.1                                  # no probability moves by more
 *       - text: The food was fine.
 *         rises_for: [The food was fine and the staff lovely.]
 *         label: positive
 *         by: 0.05
 *
 * A set, results and a history own everything that hangs on them and are freed as a whole. */
#ifndef BERTTY_PROBE_SET_H
#define BERTTY_PROBE_SET_H

#include <bertty/predictor.h>

enum bt_probe_kind {
    BT_PROBE_MINIMUM,    /* expect */
    BT_PROBE_INVARIANCE, /* same_for */
    BT_PROBE_RISE,       /* rises_for */
    BT_PROBE_FALL,       /* falls_for */
    BT_PROBE_KINDS
};
const char *bt_probe_kind_name(enum bt_probe_kind kind); /* "minimum", "invariance", "direction" */

struct bt_probe_input {
    char *text, *pair; /* pair NULL: none */
    char **choice;     /* [n_choices] of multiple choice */
    size_t n_choices;
};

struct bt_probe {
    char *name;
    enum bt_probe_kind kind;
    unsigned line;                /* of the file, from 1 */
    struct bt_probe_input *input; /* [n_inputs]: the original, then the variants that it is compared with */
    size_t n_inputs;
    char **
        expect; /* [n_expect] minimum: a label, an answer or a word, any of them; of label sets and entities ("TYPE: text") all of them and no other */
    size_t n_expect;
    double at_least,
        at_most; /* minimum: the probability of what is expected; of a regression the number. NaN: not asked for */
    char *label;      /* direction: whose probability; NULL: of a regression the number */
    double by;        /* direction: at least, ≥ 0 */
    double tolerance; /* invariance: at most, ≥ 0; NaN: only what the model decides for counts */
    char key
        [17]; /* hex: the same for probes that ask the same, whatever their name; what a history knows them by */
};

enum { BT_PROBES = 2000, BT_PROBE_VARIANTS = 1000 }; /* at most: of a set, of a probe */
struct bt_probe_set {
    char *path;
    char *name; /* the file's without .probe.yaml, .yaml or .yml */
    struct bt_probe *probe;
    size_t n;
};
/* BT_INVALID names file, line, and what was expected instead. */
enum bt_status bt_probe_set_load(const char *path, struct bt_probe_set **out, struct bt_error *err);
void bt_probe_set_free(struct bt_probe_set *s); /* s may be NULL */

/* ── scoring ── */

struct bt_probe_result {
    bool passed;
    char *said; /* what the model decides for; in failed invariance and direction "original → variant" */
    char *why;  /* what was expected; NULL: it passed */
    double
        score; /* minimum: the probability of what was expected (regression: the number); invariance: the largest change of a probability; direction:
                     the smallest change the expected way (negative: the other way) */
    int worst; /* the input that score is of */
};
struct bt_probe_results {
    struct bt_probe_result *result; /* [n], of the set's probes in order */
    size_t n, passed;
};
/* All inputs in length-sorted batches. BT_INVALID, before anything is computed, where a probe does not fit the model: an unknown label, a pair that is missing, a direction
 * of something that has no label; with file and line. cancel may be NULL. */
enum bt_status bt_probe_set_score(const struct bt_probe_set *s, struct bt_predictor *p,
                                  const atomic_bool *cancel, struct bt_probe_results **out,
                                  struct bt_error *err);
void bt_probe_results_free(struct bt_probe_results *r); /* r may be NULL */

/* ── history: RUN/probes/NAME.jsonl, a line for each checkpoint that was scored, which outlives the checkpoint ── */

struct bt_probe_verdict {
    bool known, passed; /* known false: this probe was not in the set then */
    double score;
    char *said;
};
struct bt_probe_history {
    size_t n_steps, n;                /* n: the set's probes */
    int64_t *step;                    /* [n_steps] ascending */
    struct bt_probe_verdict *verdict; /* [n, n_steps] */
};
/* No file: no steps. Lines that cannot be understood are passed over. */
enum bt_status bt_probe_history_load(const char *run_dir, const struct bt_probe_set *s,
                                     struct bt_probe_history **out, struct bt_error *err);
void bt_probe_history_free(struct bt_probe_history *h); /* h may be NULL */
/* Are all probes of the set known at the step? */
bool bt_probe_history_has(const struct bt_probe_history *h, int64_t step);

/* A probe that passed where it had failed when it was known last, or the other way. */
struct bt_probe_flip {
    size_t probe, from, to; /* from, to: which steps of the history */
};
/* By step, then in the set's order; the caller frees *out. False: no memory. */
bool bt_probe_flips(const struct bt_probe_history *h, struct bt_probe_flip **out, size_t *n);
/* A step's results; replaces what is there of the same probes at that step. */
enum bt_status bt_probe_history_add(const char *run_dir, const struct bt_probe_set *s, int64_t step,
                                    const struct bt_probe_results *r, struct bt_error *err);

#endif
