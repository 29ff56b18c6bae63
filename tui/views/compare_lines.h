/* What the Compare view shows, line by line, and the rows behind each of its counts. No terminal.
 *
 * Lines own their texts (compare_lines_free()); labels and rows are borrowed from the pairing. */
#ifndef TUI_VIEWS_COMPARE_LINES_H
#define TUI_VIEWS_COMPARE_LINES_H

#include <bertty/str.h>
#include <bertty/versus.h>

enum compare_kind {
    COMPARE_HEAD,    /* a heading: text */
    COMPARE_NOTE,    /* a sentence: text */
    COMPARE_RUN,     /* text, then a cell for each run: index = enum compare_fact */
    COMPARE_METRIC,  /* … index of the metric */
    COMPARE_SETTING, /* … index of the setting */
    COMPARE_COUNT,   /* text, and how many rows: set */
    COMPARE_HEADS,   /* what the cells of the lines below are called: index = enum compare_heads */
    COMPARE_BOOT,    /* a metric of the paired rows: index of the bootstrap's */
    COMPARE_SLICE,   /* index of the slice */
    COMPARE_LABELS,  /* the labels above the matrix */
    COMPARE_MATRIX,  /* a label of the first run: index; a cell for each label of the second */
};
enum compare_heads { COMPARE_BOOT_HEADS, COMPARE_SLICE_HEADS };
enum compare_fact { COMPARE_STATE, COMPARE_BEST, COMPARE_LAST, COMPARE_FACTS };

/* Which rows of a pairing. */
enum compare_which {
    COMPARE_BOTH_RIGHT,
    COMPARE_ONLY_FIRST,
    COMPARE_ONLY_SECOND,
    COMPARE_BOTH_WRONG,
    COMPARE_WRONG_APART, /* both wrong, each in its own way */
    COMPARE_SAME,        /* the same prediction */
    COMPARE_DIFFERENT,
    COMPARE_ANY,
    COMPARE_PAIR, /* the first said `first`, the second `second` */
};
struct compare_set {
    enum compare_which which;
    const char *first, *second;        /* labels of the pairing */
    const struct bt_pair_slice *slice; /* of these rows; NULL: of all */
};

struct compare_line {
    enum compare_kind kind;
    char *text;
    size_t index;
    struct compare_set set;
    size_t count;
};

struct compare_lines {
    struct compare_line *line;
    size_t n;
    const struct bt_versus *versus; /* borrowed; its pairing may be NULL */
};

/* v is borrowed; why (or NULL) says why it has no pairing. False without memory. */
bool compare_lines_make(const struct bt_compare *c, const struct bt_versus *v, const char *why,
                        struct compare_lines *out);
void compare_lines_free(struct compare_lines *l);

/* What a line says about run (or label) i. */
void compare_cell(const struct compare_lines *l, const struct compare_line *line, const struct bt_compare *c,
                  size_t i, struct bt_str *out);
/* Whether a line's cells are numbers of their own, narrow ones, and not one for each run or label. */
bool compare_narrow(const struct compare_line *line);
enum { COMPARE_NARROW_CELLS = 7 };
/* Cells of a line that can be chosen. */
size_t compare_cells(const struct compare_lines *l, const struct compare_line *line,
                     const struct bt_compare *c);
/* The set that a line's cell counts; false: it counts none. */
bool compare_set_of(const struct compare_lines *l, const struct compare_line *line, size_t cell,
                    struct compare_set *set);
/* In words: "only A right: harmful flips". */
void compare_set_text(const struct compare_set *set, enum bt_rows_kind kind, struct bt_str *out);

bool compare_has(const struct compare_set *set, const struct bt_pair_row *row);
size_t compare_count(const struct bt_pairing *p, const struct compare_set *set);

enum compare_order { COMPARE_BY_ROW, COMPARE_BY_LOSS, COMPARE_BY_P, COMPARE_ORDERS };
/* Fills index (of p->n places) with the set's rows in the order; returns how many. BY_LOSS: what the second run made worse first.
 * BY_P: the second run's surest predictions first. */
size_t compare_rows(const struct bt_pairing *p, const struct compare_set *set, enum compare_order order,
                    size_t *index);

/* As good as the best run of it: several may be. */
bool compare_is_best(const struct bt_compare_metric *m, size_t i);

#endif
