/* What the files of many runs say beyond their status: the settings, the figures. Read once and kept while the files are unchanged: each bt_facts shares what has not
 * changed with the one before, so that a worker can make a new one while the screen is drawn from the old one.
 *
 * The caller frees with bt_facts_free(). What bt_facts_of() gives is borrowed from it. */
#ifndef BERTTY_RUN_FACTS_H
#define BERTTY_RUN_FACTS_H

#include <bertty/experiment.h>
#include <bertty/run.h>
#include <stdatomic.h>

enum { BT_FACTS_SETTINGS = 1, BT_FACTS_FIGURES = 2 };
enum { BT_FACTS_CURVE = 64 };

struct bt_run_figure {
    const char *name; /* tag as in the file, "eval/accuracy": clean it before showing it */
    double last,
        best; /* best: the least where less is better (losses, errors), else the greatest; NaN: only NaN was logged */
};

/* Zeros: not read, or not there. */
struct bt_run_facts {
    const struct bt_experiment *settings;
    const char
        *group; /* the same text for runs whose settings differ in nothing but train.seed and the name */
    const struct bt_run_figure *figure; /* [n_figures] by name */
    size_t n_figures;
    const float *curve; /* [n_curve ≤ BT_FACTS_CURVE] train/loss in equal parts, the mean of each */
    size_t n_curve;
};

struct bt_facts;
struct bt_facts_wish {
    const char *dir;
    unsigned
        need; /* BT_FACTS_…: to be read or looked at again; what is known besides is taken over as it is */
};
/* *out holds the n directories of wish. previous: NULL or an earlier one, which stays valid; no two calls at once with the same one. Files that cannot be read leave their facts at zero: only want of memory and
 * *cancel (may be NULL) are failures. Of more than 512 MiB of events the first are read. */
enum bt_status bt_facts_read(const struct bt_facts_wish *wish, size_t n, const struct bt_facts *previous,
                             const atomic_bool *cancel, struct bt_facts **out, struct bt_error *err);
void bt_facts_free(struct bt_facts *f); /* f may be NULL */

struct bt_run_facts bt_facts_of(const struct bt_facts *f, const char *dir); /* f may be NULL */
/* Everything that need asks for has been read of that run (even if nothing was found). */
bool bt_facts_known(const struct bt_facts *f, const char *dir, unsigned need);
/* Names of all figures, by name, each once; the caller frees *name (the texts are borrowed). False: no memory. */
bool bt_facts_names(const struct bt_facts *f, const char ***name, size_t *n);

/* Does any run have a figure that the name means? */
bool bt_facts_any(const struct bt_facts *f, const char *name);
/* The figure that a short name means: the tag itself, else "eval/NAME", "test/NAME", "train/NAME", or any folder's. NULL: none. */
const struct bt_run_figure *bt_run_figure(const struct bt_run_facts *f, const char *name);

#endif
