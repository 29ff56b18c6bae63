/* What differs between runs. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Compare", true);
    term_print(t, in, 1, 2, ROLE_TEXT, "%s", "Fewer than two runs are marked.");
    term_print(t, in, 3, 2, ROLE_DIM, "%s", "Mark some in 1 Runs.");
}

const struct view_ops view_compare = {.name = "Compare", .panes = 1, .draw = draw};
