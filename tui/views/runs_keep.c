/* What of the Runs view outlasts the program. */
#include "tui/views/runs_view.h"

#include <stdlib.h>

void runs_keep(const struct view *v, struct bt_json_writer *w)
{
    const struct runs_view *s = runs_of(v);
    if (s->filter_text) bt_jw_ktext(w, "filter", s->filter_text);
    bt_jw_kint(w, "sort", s->sort);
    bt_jw_kbool(w, "descending", s->descending);
    bt_jw_kbool(w, "folded", s->folded);
    bt_jw_kbool(w, "hidden", s->hidden);
    if (s->reference) bt_jw_ktext(w, "reference", s->reference);
}

void runs_restore(struct view *v, const struct bt_json *kept)
{
    struct runs_view *s = runs_of(v);
    int64_t sort = bt_json_int(bt_json_get(kept, "sort"), RUNS_AGE);
    s->sort = sort < 0 || sort >= RUNS_COLUMNS ? RUNS_AGE : (enum runs_column)sort;
    s->descending = bt_json_bool(bt_json_get(kept, "descending"), false);
    s->folded = bt_json_bool(bt_json_get(kept, "folded"), false);
    s->hidden = bt_json_bool(bt_json_get(kept, "hidden"), false);
    free(s->reference);
    s->reference = bt_strdup(bt_json_text(bt_json_get(kept, "reference"), NULL));
    runs_set_filter(v, bt_json_text(bt_json_get(kept, "filter"), ""));
}
