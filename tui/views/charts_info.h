/* What a run's directory tells the Charts view beside its events: how far it goes, its checkpoints, its warnings. Any thread.
 *
 * The caller frees with charts_info_free(), and the steps of struct charts_warnings. */
#ifndef TUI_VIEWS_CHARTS_INFO_H
#define TUI_VIEWS_CHARTS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct charts_info {
    int64_t total;  /* steps that the run will have; 0 if unknown */
    int64_t best;   /* step of the best checkpoint; −1: none */
    int64_t *saved; /* steps of the checkpoints, ascending */
    size_t n_saved;
    int64_t *warned; /* steps after which the log has a warning; only of a run shown alone */
    size_t n_warned;
    bool live;     /* it is being trained now */
    bool baseline; /* it has one value for all steps */
};

/* The warnings of log.txt, read as it grows. */
struct charts_warnings {
    int64_t offset;
    int64_t step; /* of the last line that names one */
    int64_t *at;
    size_t n, cap;
};

/* Fills info, which must be empty. warnings: what was read of the log so far, or NULL: they are left out. */
void charts_info_read(const char *dir, struct charts_warnings *warnings, struct charts_info *info);
bool charts_info_same(const struct charts_info *a, const struct charts_info *b);
void charts_info_free(struct charts_info *info);

#endif
