/* The keys of the Predictions view, its marks, and what the bottom line says of them. */
#include "tui/views/predictions_keys.h"

#include "tui/views/predictions_audit.h"
#include "tui/views/predictions_map.h"

const struct action pred_actions[PRED_ACTIONS] = {
    {.id = A_EARLIER, .name = "earlier", .keys = "[ <", .help = "predictions of the step before"},
    {.id = A_LATER, .name = "later", .keys = "] >", .help = "… of the step after"},
    {.id = A_ERRORS, .name = "errors", .keys = "e", .help = "only wrong predictions, or all"},
    {.id = A_SLICE,
     .name = "slice",
     .keys = "f",
     .help = "rows by what is wrong in them: missed, too high and so on"},
    {.id = A_EXPRESSION,
     .name = "expression",
     .keys = "F",
     .help = "rows by an expression: gold = a and length(text) > 99"},
    {.id = A_NAME, .name = "name-slice", .keys = "N", .help = "give that filter a name, kept with the runs"},
    {.id = A_CHOOSE, .name = "choose-slice", .keys = "V", .help = "the rows of a filter that has a name"},
    {.id = A_CALIBRATION,
     .name = "calibration",
     .keys = "c",
     .help = "calibration curve and ECE, or the matrix again"},
    {.id = A_SORT, .name = "sort", .keys = "s", .help = "by row, loss, confidence, error and so on"},
    {.id = A_REVERSE, .name = "reverse", .keys = "S", .help = "the other way round"},
    {.id = A_SPLIT, .name = "split", .keys = "t", .help = "validation or test rows"},
    {.id = A_PROBE, .name = "probe", .keys = "p", .help = "try the text in Probe"},
    {.id = A_WHY, .name = "explain", .keys = "E", .help = "why the model says so, in Probe"},
    {.id = A_FILE, .name = "file", .keys = "o", .help = "the row in its file, in Data"},
    {.id = A_EXPORT, .name = "export", .keys = "x", .help = "write the rows to a file (TSV, JSONL)"},
    {.id = A_RELOAD, .name = "reload", .keys = "R", .help = "read the predictions again"},
    {.id = A_AUDIT,
     .name = "audit",
     .keys = "A",
     .help = "probable label errors of the training rows, or the predictions again",
     .group = "Label audit"},
    {.id = A_KEEP, .name = "keep", .keys = "K", .help = "the label is right", .group = "Label audit"},
    {.id = A_RELABEL,
     .name = "relabel",
     .keys = "r",
     .help = "the suggested label (Enter: another one)",
     .group = "Label audit"},
    {.id = A_DROP,
     .name = "drop",
     .keys = "d",
     .help = "leave the row out of the training",
     .group = "Label audit"},
    {.id = A_UNDO,
     .name = "undo",
     .keys = "u",
     .help = "take the last decision (a kept threshold) back",
     .group = "Label audit"},
    {.id = A_QUEUE,
     .name = "queue-audit",
     .keys = "Q",
     .help = "queue the runs that are missing",
     .group = "Label audit"},
    {.id = A_MAP,
     .name = "map",
     .keys = "m",
     .help = "data map: how the training took each row, or the predictions again",
     .group = "Data map"},
    {.id = A_THRESHOLD,
     .name = "threshold",
     .keys = "%",
     .help = "from which probability on a label is given",
     .group = "Threshold"},
    {.id = A_BEST,
     .name = "best",
     .keys = "b",
     .help = "the threshold with the best F1",
     .group = "Threshold"},
    {.id = A_TAG, .name = "tag", .keys = "#", .help = "tags of the row, kept in the run's directory"},
    {.id = A_NOTE, .name = "note", .keys = "w", .help = "a note about the row"},
    {.id = A_TAGGED, .name = "tagged", .keys = "M", .help = "only the rows with a tag"},
};

const struct action pred_signs[] = {
    {.keys = "✗", .help = "a wrong row; of numbers, farther off than the mean"},
    {.keys = "✓ ✗ g",
     .help = "of labels and choices: predicted and right, predicted and wrong, the gold one"},
    {.keys = "✓ + −", .help = "of label sets: right, extra, missing"},
    {.keys = "[…]TYPE", .help = "an entity"},
    {.keys = "⟦…⟧", .help = "the aspect; of a passage, the predicted answer"},
    {.keys = "«…»", .help = "the gold answer"},
    {.keys = "#…", .help = "a tag of the row; ✎: a note"},
    {.keys = "▲ ★", .help = "the threshold, and the one with the best F1"},
    {.keys = "✓ → −", .help = "in the label audit: kept, relabelled, dropped"},
    {.keys = "1-9 + # @",
     .help = "in the data map: so many rows in a cell; ten, a hundred, a thousand or more"},
    {.keys = NULL},
};

void pred_hints(struct view *v, struct bt_str *out)
{
    static const char *const text[PRED_PANES] = {
        [PRED_LIST] =
            "Enter probe  e errors  s sort  / filter  [ ] step  t split  % threshold  m map  A audit  # tag",
        [PRED_MATRIX] = "← ↑ ↓ → cell  Enter its rows  c calibration  % threshold  Tab row  z zoom",
        [PRED_DETAIL] = "↑ ↓ scroll  Enter probe  z zoom  Tab rows",
    };
    static const char *const other[PRED_PANES] = {
        [PRED_LIST] =
            "Enter probe  e errors  f slices  s sort  / filter  [ ] step  t split  o file  m map  # tag",
        [PRED_MATRIX] = "↑ ↓ choose  Enter its rows  f slices  Tab row  z zoom",
        [PRED_DETAIL] = "↑ ↓ scroll  Enter probe  z zoom  Tab rows",
    };
    const struct pred_view *s = v->state;
    bool labels = s->p && s->p->kind == BT_ROWS_LABELS;
    if (s->mode == PRED_AUDIT) {
        pred_audit_hints(v, out);
        return;
    }
    if (s->mode == PRED_MAP) {
        pred_map_hints(v, out);
        return;
    }
    if (pred_threshold_shown(s) && v->focus == PRED_MATRIX) {
        bt_str_add(out, "← → threshold  ↑ ↓ label  b best F1  Enter keep  Esc leave  u as predicted");
        return;
    }
    if (pred_calibration_shown(s) && v->focus == PRED_MATRIX) {
        bt_str_add(out, "↑ ↓ choose  Enter its rows  c matrix  Tab row  z zoom");
        return;
    }
    bt_str_add(out, !s->p ? "t other split  R read again" : labels ? text[v->focus] : other[v->focus]);
}
