/* What a person decided about labels of training rows, mostly from an audit (<bertty/audit.h>): a file of JSON lines, as `bertty audit --json` writes them,
 *     {"row": 12, "given": "positive", "decision": "relabel", "label": "negative"}
 * with the decision keep, relabel or drop. Lines without a decision, or without a row, say nothing. The data stay as they are; data.label_decisions applies the file.
 *
 * A list owns its texts: bt_label_decisions_clear(). */
#ifndef BERTTY_LABEL_DECISIONS_H
#define BERTTY_LABEL_DECISIONS_H

#include <bertty/error.h>
#include <stddef.h>
#include <stdint.h>

enum bt_verdict { BT_UNDECIDED, BT_KEEP, BT_RELABEL, BT_DROP };
const char *bt_verdict_name(enum bt_verdict v); /* "keep"; "" for BT_UNDECIDED */

struct bt_label_decision {
    int64_t row; /* of the training data, from 1 */
    enum bt_verdict verdict;
    char *given; /* the label that was looked at; NULL: the line does not say */
    char *label; /* BT_RELABEL: what it becomes, "label" or else "likelier"; NULL: the line does not say */
    size_t line; /* of the file, from 1 */
};
struct bt_label_decisions {
    struct bt_label_decision *item; /* [n] by row */
    size_t n;
    char *
        data; /* version of the data that they are about (<bertty/data_hash.h>); NULL: the file does not say */
};
/* BT_INVALID, with file and line: no JSON object, a decision that is none, two about the same row. */
enum bt_status bt_label_decisions_load(const char *path, struct bt_label_decisions *out,
                                       struct bt_error *err);
/* What was decided about a row; NULL: nothing. Borrowed. */
const struct bt_label_decision *bt_label_decisions_of(const struct bt_label_decisions *d, int64_t row);
/* BT_INVALID: they are about another version of the data than this one. */
enum bt_status bt_label_decisions_about(const struct bt_label_decisions *d, const char *path,
                                        const char *data, struct bt_error *err);
void bt_label_decisions_clear(struct bt_label_decisions *d);

/* Puts one decision in place of what the file says about its row, by an atomic replacement under a lock of its directory; BT_UNDECIDED takes it back. The file need not be there. What else stands in it, in
 * other lines and in this one, stays. data: version of the data, written into a line of its own at the top; NULL: not known. A damaged file stays as it is (BT_INVALID). */
enum bt_status bt_label_decisions_set(const char *path, const struct bt_label_decision *d, const char *data,
                                      struct bt_error *err);

#endif
