/* The Predictions view's own actions. */
#ifndef TUI_VIEWS_PREDICTIONS_KEYS_H
#define TUI_VIEWS_PREDICTIONS_KEYS_H

#include "tui/view.h"

enum {
    A_EARLIER = ACT_OWN,
    A_LATER,
    A_ERRORS,
    A_SLICE,
    A_CALIBRATION,
    A_EXPRESSION,
    A_NAME,
    A_CHOOSE,
    A_SORT,
    A_REVERSE,
    A_SPLIT,
    A_PROBE,
    A_WHY,
    A_FILE,
    A_EXPORT,
    A_RELOAD,
    A_AUDIT,
    A_KEEP,
    A_RELABEL,
    A_DROP,
    A_UNDO,
    A_QUEUE,
    A_MAP,
    A_THRESHOLD,
    A_BEST,
    A_TAG,
    A_NOTE,
    A_TAGGED,
    A_END
};
enum { PRED_ACTIONS = A_END - ACT_OWN }; /* a row of the table for each */

extern const struct action pred_actions[PRED_ACTIONS];
extern const struct action pred_signs[];
void pred_hints(struct view *v, struct bt_str *out);

#endif
