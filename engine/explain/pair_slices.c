#include <bertty/pair_slices.h>
#include <bertty/row_filter.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 64, QUARTERS = 4 };

/* ── a slice ── */

static struct bt_pair_slice *add(struct bt_pair_slices *s, enum bt_slice_by by, char *name, size_t most)
{
    struct bt_pair_slice *more = name ? realloc(s->slice, (s->n + 1) * sizeof *more) : NULL;
    size_t *row = more ? calloc(most + 1, sizeof *row) : NULL;
    if (more) s->slice = more;
    if (!row) {
        free(name);
        return NULL;
    }
    more[s->n] = (struct bt_pair_slice){.by = by, .name = name, .row = row};
    return &more[s->n++];
}

static void judge(const struct bt_pairing *p, struct bt_pair_slice *s)
{
    bool numbers = p->kind == BT_ROWS_NUMBERS;
    double first = 0, second = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_pair_row *r = &p->row[s->row[i]];
        first += numbers ? fabs(r->value_first - r->gold_value) : r->quality_first;
        second += numbers ? fabs(r->value_second - r->gold_value) : r->quality_second;
        s->count[r->outcome]++;
    }
    s->first = s->n ? first / (double)s->n : (double)NAN;
    s->second = s->n ? second / (double)s->n : (double)NAN;
    s->p = bt_mcnemar_exact(s->count[BT_ONLY_FIRST], s->count[BT_ONLY_SECOND]);
}

/* ── by label ── */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The gold labels, sorted; 0 if they are too many to tell anything. */
static size_t gold_labels(const struct bt_pairing *p, const char *label[MOST_LABELS])
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t k = 0;
        while (k < n && strcmp(label[k], p->row[i].gold) != 0) k++;
        if (k < n) continue;
        if (n == MOST_LABELS) return 0;
        label[n++] = p->row[i].gold;
    }
    qsort(label, n, sizeof *label, by_text);
    return n;
}

/* Of questions only whether they have an answer. */
static const char *group_of(const struct bt_pairing *p, const struct bt_pair_row *r)
{
    return p->kind == BT_ROWS_LABELS ? r->gold : *r->gold ? "has an answer" : "has no answer";
}

static bool by_label(const struct bt_pairing *p, struct bt_pair_slices *out)
{
    const char *label[MOST_LABELS] = {"has an answer", "has no answer"};
    size_t n = p->kind == BT_ROWS_LABELS ? gold_labels(p, label) : p->kind == BT_ROWS_ANSWERS ? 2 : 0;
    for (size_t k = 0; k < n; k++) {
        struct bt_pair_slice *s = add(out, BT_SLICE_LABEL, bt_strdup(label[k]), p->n);
        if (!s) return false;
        for (size_t i = 0; i < p->n; i++)
            if (strcmp(group_of(p, &p->row[i]), label[k]) == 0) s->row[s->n++] = i;
    }
    return true;
}

/* ── by length ── */

struct length {
    size_t characters, row;
};

static int shorter(const void *a, const void *b)
{
    const struct length *x = a, *y = b;
    if (x->characters != y->characters) return x->characters < y->characters ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static size_t lengths(const struct bt_pairing *p, const struct bt_examples *e, struct length *out)
{
    struct bt_str text = {0};
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_example *x = bt_pair_example(p, e, &p->row[i]);
        if (!x) continue;
        bt_str_clear(&text);
        bt_pair_add_text(p, x, &text);
        out[n++] = (struct length){.characters = bt_utf8_count(bt_str_text(&text), text.len), .row = i};
    }
    bt_str_free(&text);
    qsort(out, n, sizeof *out, shorter);
    return n;
}

static int by_place(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static bool add_length(const struct length *l, size_t from, size_t to, struct bt_pair_slices *out)
{
    char *name = bt_strfmt("length %zu to %zu", l[from].characters, l[to - 1].characters);
    struct bt_pair_slice *s = add(out, BT_SLICE_LENGTH, name, to - from);
    if (!s) return false;
    for (size_t i = from; i < to; i++) s->row[s->n++] = l[i].row;
    qsort(s->row, s->n, sizeof *s->row, by_place);
    return true;
}

/* Quarters of the rows; texts of one length are never in two of them. */
static bool by_length(const struct bt_pairing *p, const struct bt_examples *e, struct bt_pair_slices *out)
{
    struct length *l = calloc(p->n + 1, sizeof *l);
    bool good = l != NULL;
    size_t n = good ? lengths(p, e, l) : 0, from = 0;
    for (size_t q = 1; good && q <= QUARTERS && from < n; q++) {
        size_t to = n * q / QUARTERS;
        while (to > 0 && to < n && l[to].characters == l[to - 1].characters) to++;
        if (to > from) good = add_length(l, from, to, out);
        from = to > from ? to : from;
    }
    free(l);
    return good;
}

/* ── by expression ── */

enum { ROW, GOLD, A, B, P_A, P_B, LOSS_A, LOSS_B, TEXT, PAIR, COLUMNS };
static const char *const names[COLUMNS] = {
    [ROW] = "row", [GOLD] = "gold",     [A] = "a",           [B] = "b",       [P_A] = "p_a",
    [P_B] = "p_b", [LOSS_A] = "loss_a", [LOSS_B] = "loss_b", [TEXT] = "text", [PAIR] = "pair"};

static enum bt_status parse(const char *expression, struct bt_row_filter **f, struct bt_error *err)
{
    enum bt_status status = bt_row_filter_parse_names(expression, names, COLUMNS, f, NULL, err);
    if (status || !bt_row_filter_needs_pieces(*f)) return status;
    bt_row_filter_free(*f);
    *f = NULL;
    return bt_fail(err, BT_INVALID, "slice: pieces() belongs to no run here: expected length()");
}

enum bt_status bt_pair_slice_check(const char *expression, struct bt_error *err)
{
    struct bt_row_filter *f;
    enum bt_status status = parse(expression, &f, err);
    bt_row_filter_free(f);
    return status;
}

static void put_text(struct bt_filter_cells *c, int column, const char *text)
{
    bt_filter_cells_text(c, (size_t)column, text, strlen(text));
}

static void fill(struct bt_filter_cells *c, const struct bt_pair_row *r)
{
    bt_filter_cells_number(c, ROW, (double)r->id);
    put_text(c, GOLD, r->gold);
    put_text(c, A, r->first);
    put_text(c, B, r->second);
    bt_filter_cells_number(c, P_A, r->p_first);
    bt_filter_cells_number(c, P_B, r->p_second);
    bt_filter_cells_number(c, LOSS_A, r->loss_first);
    bt_filter_cells_number(c, LOSS_B, r->loss_second);
}

static enum bt_status by_expression(const struct bt_pairing *p, const struct bt_texts *t,
                                    const char *expression, struct bt_pair_slices *out, struct bt_error *err)
{
    struct bt_row_filter *f;
    struct bt_filter_cells c;
    struct bt_str words = {0};
    enum bt_status status = parse(expression, &f, err);
    if (status) return status;
    bt_filter_cells_for(&c, f, COLUMNS);
    const struct bt_examples *e = t ? t->examples : NULL;
    struct bt_pair_slice *s = add(out, BT_SLICE_EXPRESSION, bt_strdup(expression), p->n);
    if (!s) status = bt_fail(err, BT_NOMEM, "no memory for a slice");
    if (s && !e && (c.reads[TEXT] || c.reads[PAIR]))
        status = bt_fail(err, BT_NOTFOUND, "slice %s: the texts cannot be read: %s", expression,
                         t ? t->err.text : "there are none");
    for (size_t i = 0; status == BT_OK && i < p->n; i++) {
        fill(&c, &p->row[i]);
        bt_filter_cells_example(&c, TEXT, PAIR, bt_pair_example(p, e, &p->row[i]), p->kind == BT_ROWS_TAGS,
                                &words);
        if (bt_filter_cells_hold(&c)) s->row[s->n++] = i;
    }
    bt_str_free(&words);
    bt_row_filter_free(f);
    return status;
}

/* ── all ── */

enum bt_status bt_pair_slices_make(const struct bt_pairing *p, const struct bt_texts *t,
                                   const char *const *expression, size_t n, struct bt_pair_slices *out,
                                   struct bt_error *err)
{
    enum bt_status status = BT_OK;
    *out = (struct bt_pair_slices){.n = 0};
    bool good = by_label(p, out) && (!t || !t->examples || by_length(p, t->examples, out));
    if (!good) status = bt_fail(err, BT_NOMEM, "no memory for the slices of %zu rows", p->n);
    for (size_t i = 0; i < n && status == BT_OK; i++) status = by_expression(p, t, expression[i], out, err);
    for (size_t i = 0; i < out->n && status == BT_OK; i++) judge(p, &out->slice[i]);
    if (status != BT_OK) bt_pair_slices_clear(out);
    return status;
}

void bt_pair_slices_clear(struct bt_pair_slices *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->slice[i].name);
        free(s->slice[i].row);
    }
    free(s->slice);
    *s = (struct bt_pair_slices){.n = 0};
}
