/* `bertty runs --groups`: repetitions with other seeds as one row. */
#ifndef TUI_COMMANDS_RUNS_GROUPS_H
#define TUI_COMMANDS_RUNS_GROUPS_H

#include <bertty/run_groups.h>

struct runs_groups_wish {
    bool json;
    bool by_mean, least_first; /* sorted by the mean; otherwise a group stands where its first member does */
};
/* Of the n runs of the list whose places run holds, in that order; the facts hold their settings. Runs that stand alone are groups of one. */
enum bt_status runs_tell_groups(const struct bt_run_list *l, const size_t *run, size_t n,
                                const struct bt_facts *facts, const struct runs_groups_wish *wish,
                                struct bt_error *err);

#endif
