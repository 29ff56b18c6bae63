/* The runs under a runs directory. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    const struct bt_run_list *runs = app_runs(v->app);
    struct rect in = term_box(t, area, "Runs", true);
    if (!runs->n) {
        term_print(t, in, 1, 2, ROLE_TEXT, "No runs in %s.", app_runs_dir(v->app));
        term_print(t, in, 3, 2, ROLE_DIM,
                   "Pick an experiment file in 3 Experiment and launch it, or leave and type `make demo`.");
        return;
    }
    for (size_t i = 0; i < runs->n && (int)i < in.h; i++)
        term_print(t, in, (int)i, 1, ROLE_TEXT, "%s  %s", bt_run_state_name(runs->run[i].state),
                   runs->run[i].id);
}

const struct view_ops view_runs = {.name = "Runs", .panes = 1, .draw = draw};
