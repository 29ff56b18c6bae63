/* Sentences of your own for a trained model. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Probe", true);
    term_print(t, in, 1, 2, ROLE_TEXT, "%s", "There is no trained model yet.");
    term_print(t, in, 3, 2, ROLE_DIM, "%s", "The chosen run needs a checkpoint.");
}

const struct view_ops view_probe = {.name = "Probe", .panes = 1, .draw = draw};
