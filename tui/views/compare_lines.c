#include "tui/views/compare_lines.h"

#include "tui/plot.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 64 /* beyond them a matrix tells nothing */ };

static const char *const set_names[] = {
    [COMPARE_BOTH_RIGHT] = "both right",
    [COMPARE_ONLY_FIRST] = "only A right (harmful flips)",
    [COMPARE_ONLY_SECOND] = "only B right (beneficial flips)",
    [COMPARE_BOTH_WRONG] = "both wrong",
    [COMPARE_WRONG_APART] = "both wrong, not the same",
    [COMPARE_SAME] = "same prediction",
    [COMPARE_DIFFERENT] = "different predictions",
};

/* Numbers are neither right nor wrong. */
static const char *const number_names[] = {
    [COMPARE_BOTH_RIGHT] = "as near to gold as the other",
    [COMPARE_ONLY_FIRST] = "A nearer to gold",
    [COMPARE_ONLY_SECOND] = "B nearer to gold",
    [COMPARE_DIFFERENT] = "different predictions",
};

static const char *name_of(enum bt_rows_kind kind, enum compare_which which)
{
    if (kind != BT_ROWS_NUMBERS) return set_names[which];
    return (size_t)which < sizeof number_names / sizeof *number_names ? number_names[which] : NULL;
}

static const char *const fact_names[COMPARE_FACTS] = {
    [COMPARE_STATE] = "state", [COMPARE_BEST] = "best step", [COMPARE_LAST] = "last step"};

/* ── sets of rows ── */

bool compare_has(const struct compare_set *set, const struct bt_pair_row *row)
{
    switch (set->which) {
    case COMPARE_BOTH_RIGHT:
        return row->outcome == BT_BOTH_RIGHT;
    case COMPARE_ONLY_FIRST:
        return row->outcome == BT_ONLY_FIRST;
    case COMPARE_ONLY_SECOND:
        return row->outcome == BT_ONLY_SECOND;
    case COMPARE_BOTH_WRONG:
        return row->outcome == BT_BOTH_WRONG;
    case COMPARE_WRONG_APART:
        return row->outcome == BT_BOTH_WRONG && strcmp(row->first, row->second) != 0;
    case COMPARE_SAME:
        return strcmp(row->first, row->second) == 0;
    case COMPARE_DIFFERENT:
        return strcmp(row->first, row->second) != 0;
    case COMPARE_PAIR:
        return strcmp(row->first, set->first) == 0 && strcmp(row->second, set->second) == 0;
    }
    return false;
}

size_t compare_count(const struct bt_pairing *p, const struct compare_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) n += compare_has(set, &p->row[i]);
    return n;
}

void compare_set_text(const struct compare_set *set, enum bt_rows_kind kind, struct bt_str *out)
{
    if (set->which == COMPARE_PAIR)
        bt_str_addf(out, "A says %s, B says %s", set->first, set->second);
    else
        bt_str_add(out, name_of(kind, set->which));
}

/* Greatest first; what has no value last. */
static double order_value(const struct bt_pair_row *r, enum compare_order order)
{
    double v = order == COMPARE_BY_LOSS ? r->loss_second - r->loss_first : r->p_second;
    return isnan(v) ? -INFINITY : v;
}

struct entry {
    size_t index;
    double value;
};

static int by_value(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

size_t compare_rows(const struct bt_pairing *p, const struct compare_set *set, enum compare_order order,
                    size_t *index)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (compare_has(set, &p->row[i])) index[n++] = i;
    struct entry *e = order == COMPARE_BY_ROW || !n ? NULL : malloc(n * sizeof *e);
    if (!e) return n;
    for (size_t i = 0; i < n; i++)
        e[i] = (struct entry){.index = index[i], .value = order_value(&p->row[index[i]], order)};
    qsort(e, n, sizeof *e, by_value);
    for (size_t i = 0; i < n; i++) index[i] = e[i].index;
    free(e);
    return n;
}

/* ── lines ── */

static struct compare_line *add(struct compare_lines *l, enum compare_kind kind, char *text)
{
    struct compare_line *more = text ? realloc(l->line, (l->n + 1) * sizeof *more) : NULL;
    if (!more) {
        free(text);
        return NULL;
    }
    l->line = more;
    more[l->n] = (struct compare_line){.kind = kind, .text = text};
    return &more[l->n++];
}

static bool add_indexed(struct compare_lines *l, enum compare_kind kind, const char *text, size_t index)
{
    struct compare_line *line = add(l, kind, bt_strdup(text));
    if (line) line->index = index;
    return line != NULL;
}

static bool add_runs(struct compare_lines *l, const struct bt_compare *c)
{
    bool good = true;
    for (size_t i = 0; i < COMPARE_FACTS; i++) good &= add_indexed(l, COMPARE_RUN, fact_names[i], i);
    good &= add(l, COMPARE_HEAD, bt_strdup("Settings that differ")) != NULL;
    for (size_t i = 0; i < c->n_settings; i++) good &= add_indexed(l, COMPARE_SETTING, c->setting[i].key, i);
    if (!c->n_settings) good &= add(l, COMPARE_NOTE, bt_strdup("none")) != NULL;
    good &= add(l, COMPARE_HEAD, bt_strdup("Metrics at the best step (else the last)")) != NULL;
    for (size_t i = 0; i < c->n_metrics; i++) good &= add_indexed(l, COMPARE_METRIC, c->metric[i].name, i);
    if (!c->n_metrics) good &= add(l, COMPARE_NOTE, bt_strdup("nothing was logged yet")) != NULL;
    return good;
}

static bool add_count(struct compare_lines *l, const struct bt_pairing *p, enum compare_which which)
{
    if (!name_of(p->kind, which)) return true;
    struct compare_line *line = add(l, COMPARE_COUNT, bt_strdup(name_of(p->kind, which)));
    if (!line) return false;
    line->set.which = which;
    line->count = compare_count(p, &line->set);
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Labels are few: those that are known are looked for one by one. */
static bool add_label(struct compare_lines *l, const char *label)
{
    for (size_t i = 0; i < l->n_labels; i++)
        if (strcmp(l->label[i], label) == 0) return true;
    if (l->n_labels == MOST_LABELS) return false;
    const char **more = realloc(l->label, (l->n_labels + 1) * sizeof *more);
    if (!more) return false;
    l->label = more;
    more[l->n_labels++] = label;
    return true;
}

static size_t label_index(const struct compare_lines *l, const char *label)
{
    size_t i = 0;
    while (strcmp(l->label[i], label) != 0) i++;
    return i;
}

static bool add_matrix(struct compare_lines *l, const struct bt_pairing *p)
{
    bool good = true, few = true;
    for (size_t i = 0; few && i < p->n; i++)
        few = add_label(l, p->row[i].first) && add_label(l, p->row[i].second);
    l->matrix = calloc(l->n_labels * l->n_labels + 1, sizeof *l->matrix);
    if (!few || !l->n_labels || !l->matrix) {
        l->n_labels = 0;
        return l->matrix != NULL;
    }
    qsort(l->label, l->n_labels, sizeof *l->label, by_text);
    for (size_t i = 0; i < p->n; i++)
        l->matrix[label_index(l, p->row[i].first) * l->n_labels + label_index(l, p->row[i].second)]++;
    good = add(l, COMPARE_HEAD, bt_strdup("Who says what: A down, B across")) != NULL;
    good &= add(l, COMPARE_LABELS, bt_strdup("")) != NULL;
    for (size_t i = 0; i < l->n_labels; i++) good &= add_indexed(l, COMPARE_MATRIX, l->label[i], i);
    return good;
}

static const char *verdict(double p)
{
    return p < 0.01   ? "chance hardly explains it"
           : p < 0.05 ? "chance seldom explains it"
                      : "chance alone may explain it";
}

/* Means over the rows, of what the kind has beside right and wrong. */
static bool add_means(struct compare_lines *l, const struct bt_pairing *p)
{
    double off_a = 0, off_b = 0, f1_a = 0, f1_b = 0, n = (double)p->n;
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_pair_row *r = &p->row[i];
        off_a += fabs(r->value_first - r->gold_value);
        off_b += fabs(r->value_second - r->gold_value);
        f1_a += r->quality_first;
        f1_b += r->quality_second;
    }
    if (!p->n) return true;
    if (p->kind == BT_ROWS_NUMBERS)
        return add(l, COMPARE_NOTE, bt_strfmt("mean error: A %.4f, B %.4f", off_a / n, off_b / n)) != NULL;
    if (p->kind == BT_ROWS_ANSWERS)
        return add(l, COMPARE_NOTE, bt_strfmt("mean F1: A %.2f, B %.2f", 100 * f1_a / n, 100 * f1_b / n)) !=
               NULL;
    return true;
}

static bool add_pairing(struct compare_lines *l, const struct bt_pairing *p)
{
    bool good = add(l, COMPARE_HEAD,
                    bt_strfmt("Predictions on %s: %zu rows, A at step %" PRId64 ", B at step %" PRId64,
                              p->split, p->n, p->step_first, p->step_second)) != NULL;
    for (int which = COMPARE_BOTH_RIGHT; which <= COMPARE_DIFFERENT; which++)
        good &= add_count(l, p, (enum compare_which)which);
    good &=
        add(l, COMPARE_NOTE,
            bt_strfmt("%s: p = %.3g, %s", p->kind == BT_ROWS_NUMBERS ? "sign test" : "McNemar's exact test",
                      p->p, verdict(p->p))) != NULL;
    good &= add_means(l, p);
    if (p->only_first || p->only_second || p->gold_differs)
        good &= add(l, COMPARE_NOTE,
                    bt_strfmt("left out: %zu rows only in A, %zu only in B, %zu with different gold %s",
                              p->only_first, p->only_second, p->gold_differs,
                              p->kind == BT_ROWS_LABELS ? "labels" : "values")) != NULL;
    return good && (p->kind != BT_ROWS_LABELS || add_matrix(l, p));
}

bool compare_lines_make(const struct bt_compare *c, const struct bt_pairing *p, const char *why,
                        struct compare_lines *out)
{
    bool good = true;
    *out = (struct compare_lines){0};
    good = add_runs(out, c);
    if (p) {
        good &= add_pairing(out, p);
    } else if (why) {
        good &= add(out, COMPARE_HEAD, bt_strdup("Predictions")) != NULL;
        good &= add(out, COMPARE_NOTE, bt_strdup(why)) != NULL;
    }
    if (!good) compare_lines_free(out);
    return good;
}

void compare_lines_free(struct compare_lines *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->line[i].text);
    free(l->line);
    free(l->label);
    free(l->matrix);
    *l = (struct compare_lines){0};
}

/* ── cells ── */

size_t compare_cells(const struct compare_lines *l, const struct compare_line *line,
                     const struct bt_compare *c)
{
    switch (line->kind) {
    case COMPARE_RUN:
    case COMPARE_METRIC:
    case COMPARE_SETTING:
        return c->n_runs;
    case COMPARE_COUNT:
        return 1;
    case COMPARE_LABELS:
    case COMPARE_MATRIX:
        return l->n_labels;
    default:
        return 0;
    }
}

bool compare_set_of(const struct compare_lines *l, const struct compare_line *line, size_t cell,
                    struct compare_set *set)
{
    if (line->kind == COMPARE_COUNT) {
        *set = line->set;
        return true;
    }
    if (line->kind != COMPARE_MATRIX || cell >= l->n_labels) return false;
    *set =
        (struct compare_set){.which = COMPARE_PAIR, .first = l->label[line->index], .second = l->label[cell]};
    return true;
}

static void fact(const struct bt_compare_run *r, size_t which, struct bt_str *out)
{
    int64_t step = which == COMPARE_BEST ? r->best_step : r->last_step;
    if (which == COMPARE_STATE)
        bt_str_add(out, *r->state ? r->state : "-");
    else if (step < 0)
        bt_str_add(out, "-");
    else
        bt_str_addf(out, "%" PRId64, step);
}

bool compare_is_best(const struct bt_compare_metric *m, size_t i)
{
    return m->best >= 0 && m->value[i] == m->value[m->best];
}

static void metric_cell(const struct bt_compare_metric *m, size_t i, struct bt_str *out)
{
    char text[32];
    if (isnan(m->value[i])) {
        bt_str_add(out, "- ");
        return;
    }
    double v = m->value[i];
    if (v == floor(v) && fabs(v) >= 10 && fabs(v) < 1e9)
        snprintf(text, sizeof text, "%.0f", v);
    else
        plot_value(text, sizeof text, v);
    bt_str_addf(out, "%s%c", text, compare_is_best(m, i) ? '*' : ' ');
}

/* What equals the reference, the first run, needs no second look. */
static void setting_cell(const struct bt_compare_setting *s, size_t i, struct bt_str *out)
{
    const char *value = s->value[i], *reference = s->value[0];
    if (i && value && reference && strcmp(value, reference) == 0)
        bt_str_add(out, "=");
    else
        bt_str_add(out, value ? value : "-");
}

void compare_cell(const struct compare_lines *l, const struct compare_line *line, const struct bt_compare *c,
                  const struct bt_pairing *p, size_t i, struct bt_str *out)
{
    if (line->kind == COMPARE_RUN)
        fact(&c->run[i], line->index, out);
    else if (line->kind == COMPARE_METRIC)
        metric_cell(&c->metric[line->index], i, out);
    else if (line->kind == COMPARE_SETTING)
        setting_cell(&c->setting[line->index], i, out);
    else if (line->kind == COMPARE_LABELS)
        bt_str_add(out, l->label[i]);
    else if (line->kind == COMPARE_COUNT)
        bt_str_addf(out, "%zu  %.1f %%", line->count,
                    p->n ? 100.0 * (double)line->count / (double)p->n : 0.0);
    else if (line->kind == COMPARE_MATRIX)
        bt_str_addf(out, "%zu", l->matrix[line->index * l->n_labels + i]);
}
