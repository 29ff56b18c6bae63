/* What of the Predictions view outlasts the program. */
#include "tui/views/predictions_view.h"

#include <stdlib.h>
#include <string.h>

void pred_keep(const struct view *v, struct bt_json_writer *w)
{
    const struct pred_view *s = v->state;
    bt_jw_ktext(w, "split", pred_split_name(s->split));
    bt_jw_kbool(w, "errors", s->query.errors);
    if (s->filter) bt_jw_ktext(w, "filter", s->filter);
    if (!s->known_kind) return;
    bt_jw_kint(w, "kind", s->kind);
    bt_jw_kint(w, "order", s->query.order);
    bt_jw_kbool(w, "reversed", s->query.reversed);
}

void pred_restore(struct view *v, const struct bt_json *kept)
{
    struct pred_view *s = v->state;
    const char *split = bt_json_text(bt_json_get(kept, "split"), "");
    int64_t kind = bt_json_int(bt_json_get(kept, "kind"), -1),
            order = bt_json_int(bt_json_get(kept, "order"), -1);
    if (!kept || s->p) return; /* what is shown stays */
    if (strcmp(split, pred_split_name(PRED_TEST)) == 0) s->split = PRED_TEST;
    s->query.errors = bt_json_bool(bt_json_get(kept, "errors"), false);
    free(s->filter);
    s->filter = bt_strdup(bt_json_text(bt_json_get(kept, "filter"), NULL));
    if (kind < 0 || kind > BT_ROWS_MASKS || order < 0 || order >= PRED_ORDERS) return;
    s->known_kind = true;
    s->kind = (enum bt_rows_kind)kind;
    s->query.order = (enum pred_order)order;
    s->query.reversed = bt_json_bool(bt_json_get(kept, "reversed"), false);
}
