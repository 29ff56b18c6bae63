/* An experiment file. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Experiment", true);
    term_print(t, in, 1, 2, ROLE_TEXT, "%s", "No experiment is open.");
    term_print(t, in, 3, 2, ROLE_DIM, "%s", "`:open FILE.yaml` opens one.");
}

const struct view_ops view_experiment = {.name = "Experiment", .panes = 1, .draw = draw};
