/* What a run predicted. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Predictions", true);
    term_print(t, in, 1, 2, ROLE_TEXT, "%s", "There are no predictions yet.");
    term_print(t, in, 3, 2, ROLE_DIM, "%s", "They appear with the first evaluation of the chosen run.");
}

const struct view_ops view_predictions = {.name = "Predictions", .panes = 1, .draw = draw};
