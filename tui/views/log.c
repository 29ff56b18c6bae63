/* The log of the chosen run. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Log", true);
    term_print(t, in, 1, 2, ROLE_TEXT, "%s", "There is no log yet.");
    term_print(t, in, 3, 2, ROLE_DIM, "%s", "It begins with the first run.");
}

const struct view_ops view_log = {.name = "Log", .panes = 1, .draw = draw};
