/* What of the Charts view outlasts the program. */
#include "tui/views/charts_view.h"

#include <math.h>
#include <stdlib.h>

void charts_keep(const struct view *v, struct bt_json_writer *w)
{
    const struct charts_view *s = v->state;
    if (s->filter) bt_jw_ktext(w, "filter", s->filter);
    bt_jw_kint(w, "axis", s->o.axis);
    bt_jw_kbool(w, "log_x", s->o.log_x);
    bt_jw_kbool(w, "clip", s->o.clip);
    bt_jw_kint(w, "smoothing", s->smoothing);
    bt_jw_kint(w, "columns", s->columns);
    bt_jw_kint(w, "rows", s->rows);
    if (s->focus_name) bt_jw_ktext(w, "panel", s->focus_name);
    if (!s->o.zoomed) return;
    bt_jw_knum(w, "from", s->o.x.min);
    bt_jw_knum(w, "to", s->o.x.max);
}

static int between(const struct bt_json *v, int usual, int most)
{
    int64_t n = bt_json_int(v, usual);
    return n < 0 || n > most ? usual : (int)n;
}

void charts_restore(struct view *v, const struct bt_json *kept)
{
    enum { MOST_PANELS = 12 };
    struct charts_view *s = v->state;
    double from = bt_json_number(bt_json_get(kept, "from"), (double)NAN),
           to = bt_json_number(bt_json_get(kept, "to"), (double)NAN);
    if (!kept) return;
    free(s->filter);
    s->filter = bt_strdup(bt_json_text(bt_json_get(kept, "filter"), NULL));
    s->o.axis = (enum charts_axis)between(bt_json_get(kept, "axis"), CHARTS_STEP, CHARTS_AXES - 1);
    s->o.log_x = bt_json_bool(bt_json_get(kept, "log_x"), s->o.log_x);
    s->o.clip = bt_json_bool(bt_json_get(kept, "clip"), s->o.clip);
    charts_set_smoothing(v, between(bt_json_get(kept, "smoothing"), s->smoothing, 99));
    s->columns = between(bt_json_get(kept, "columns"), 0, MOST_PANELS);
    s->rows = between(bt_json_get(kept, "rows"), 0, MOST_PANELS);
    free(s->focus_name);
    s->focus_name = bt_strdup(bt_json_text(bt_json_get(kept, "panel"), NULL));
    s->o.zoomed = isfinite(from) && isfinite(to) && from < to;
    if (s->o.zoomed) s->o.x = (struct plot_range){.min = from, .max = to};
}
