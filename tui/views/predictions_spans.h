/* Texts with what a model found in them, in brackets that tell without colour. No terminal.
 *
 * Zero-initialise; pred_marked_free() releases it. */
#ifndef TUI_VIEWS_PREDICTIONS_SPANS_H
#define TUI_VIEWS_PREDICTIONS_SPANS_H

#include "tui/sheet.h"
#include "tui/views/predictions_facts.h"

struct pred_marked {
    struct bt_str text;
    struct sheet_mark *mark; /* bytes of text */
    size_t n, cap;
};
void pred_marked_free(struct pred_marked *m);
void pred_marked_put(struct pred_marked *m, struct sheet *d, enum role role, int indent);

/* "[Angela Merkel]PER visited Paris": the entities of one side in the words; good or bad as they stand to the other side (judged). */
void pred_mark_entities(struct pred_marked *m, const struct bt_json *words, const struct pred_entity *e,
                        size_t n, const struct pred_entity *other, size_t n_other, bool judged);

/* A part of a text in bytes; end 0: none. */
struct pred_span {
    size_t begin, end;
    const char *open, *close; /* brackets */
    enum role role;
};
/* The text with the spans (n of them, in any order) marked; around > 0: only so many bytes before the first and behind the last one. */
void pred_mark_spans(struct pred_marked *m, const char *text, size_t text_n, const struct pred_span *span,
                     size_t n, size_t around);
/* Bytes before the n-th code point. */
size_t pred_bytes_before(const char *text, size_t text_n, int64_t code_points);

/* "fear +joy −love": labels that both have, those too many, those missing; "none" where there are none. gold NULL: not known. */
void pred_mark_set(struct bt_str *out, const struct bt_json *gold, const struct bt_json *said);

#endif
