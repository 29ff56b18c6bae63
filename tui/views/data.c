/* A data file. */
#include "tui/view.h"

static void draw(struct view *v, struct rect area)
{
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Data", true);
    term_print(t, in, 1, 2, ROLE_TEXT, "%s", "No file is open.");
    term_print(t, in, 3, 2, ROLE_DIM, "%s", "`:open FILE` opens a CSV, TSV or JSONL file.");
}

const struct view_ops view_data = {.name = "Data", .panes = 1, .draw = draw};
