#include "tui/view.h"
#include <strings.h>

const struct view_ops *view_table(enum view_id id)
{
    static const struct view_ops *const table[VIEWS] = {
#define VIEW(number, symbol) [number] = &symbol,
#include "tui/views/views.def"
#undef VIEW
    };
    return table[id];
}

enum bt_status view_named(const char *name, enum view_id *id, struct bt_error *err)
{
    const char *names[VIEWS];
    for (int i = 0; i < VIEWS; i++) {
        names[i] = view_table((enum view_id)i)->name;
        *id = (enum view_id)i;
        if (strcasecmp(names[i], name) == 0) return BT_OK;
    }
    const char *near = bt_nearest(name, names, VIEWS);
    if (near) return bt_fail(err, BT_INVALID, "no view '%s' (did you mean '%s'?)", name, near);
    return bt_fail(
        err, BT_INVALID,
        "no view '%s': there are runs, data, experiment, charts, predictions, compare, probe and log", name);
}
