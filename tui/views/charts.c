/* The curves of runs. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Charts", true);
    term_print(t, in, 1, 2, ROLE_TEXT, "%s", "No run has logged anything yet.");
    term_print(t, in, 3, 2, ROLE_DIM, "%s", "A run that is started draws its curves here.");
}

const struct view_ops view_charts = {.name = "Charts", .panes = 1, .draw = draw};
