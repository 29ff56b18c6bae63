#include "tui/views/compare_lines.h"

#include "tui/plot.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const set_names[] = {
    [COMPARE_BOTH_RIGHT] = "both right",
    [COMPARE_ONLY_FIRST] = "only A right (harmful flips)",
    [COMPARE_ONLY_SECOND] = "only B right (beneficial flips)",
    [COMPARE_BOTH_WRONG] = "both wrong",
    [COMPARE_WRONG_APART] = "both wrong, not the same",
    [COMPARE_SAME] = "same prediction",
    [COMPARE_DIFFERENT] = "different predictions",
    [COMPARE_ANY] = "all",
};

/* Numbers are neither right nor wrong. */
static const char *const number_names[] = {
    [COMPARE_BOTH_RIGHT] = "as near to gold as the other",
    [COMPARE_ONLY_FIRST] = "A nearer to gold",
    [COMPARE_ONLY_SECOND] = "B nearer to gold",
    [COMPARE_DIFFERENT] = "different predictions",
    [COMPARE_ANY] = "all",
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
    case COMPARE_ANY:
        return true;
    case COMPARE_PAIR:
        return strcmp(row->first, set->first) == 0 && strcmp(row->second, set->second) == 0;
    }
    return false;
}

static size_t candidates(const struct bt_pairing *p, const struct compare_set *set)
{
    return set->slice ? set->slice->n : p->n;
}

static size_t candidate(const struct compare_set *set, size_t i)
{
    return set->slice ? set->slice->row[i] : i;
}

size_t compare_count(const struct bt_pairing *p, const struct compare_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < candidates(p, set); i++) n += compare_has(set, &p->row[candidate(set, i)]);
    return n;
}

void compare_set_text(const struct compare_set *set, enum bt_rows_kind kind, struct bt_str *out)
{
    if (set->which == COMPARE_PAIR)
        bt_str_addf(out, "A says %s, B says %s", set->first, set->second);
    else
        bt_str_add(out, name_of(kind, set->which));
    if (set->slice) bt_str_addf(out, " of %s", set->slice->name);
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
    for (size_t i = 0; i < candidates(p, set); i++)
        if (compare_has(set, &p->row[candidate(set, i)])) index[n++] = candidate(set, i);
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
    bool asked = false;
    for (size_t i = 0; i < c->n_runs; i++) asked |= c->run[i].step >= 0;
    good &= add(l, COMPARE_HEAD,
                bt_strdup(asked ? "Metrics at the step chosen, else the best or the last"
                                : "Metrics at the best step (else the last)")) != NULL;
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

static bool add_matrix(struct compare_lines *l)
{
    const struct bt_pair_matrix *m = &l->versus->matrix;
    if (!m->n) return true;
    bool good = add(l, COMPARE_HEAD, bt_strdup("Who says what: A down, B across")) != NULL;
    good &= add(l, COMPARE_LABELS, bt_strdup("")) != NULL;
    for (size_t i = 0; i < m->n; i++) good &= add_indexed(l, COMPARE_MATRIX, m->label[i], i);
    return good;
}

static bool add_bootstrap(struct compare_lines *l)
{
    const struct bt_bootstrap *b = &l->versus->bootstrap;
    if (!b->n) return true;
    bool good = add(l, COMPARE_HEAD,
                    bt_strfmt("Metrics of these rows, with the 95 %% interval of B - A by %d paired draws",
                              BT_BOOTSTRAP_DRAWS)) != NULL;
    good &= add_indexed(l, COMPARE_HEADS, "", COMPARE_BOOT_HEADS);
    for (size_t i = 0; i < b->n; i++) good &= add_indexed(l, COMPARE_BOOT, b->metric[i].name, i);
    return good;
}

static const char *slice_means(enum bt_rows_kind kind)
{
    return kind == BT_ROWS_NUMBERS ? "mean error" : kind == BT_ROWS_ANSWERS ? "mean F1" : "share right";
}

static bool add_slices(struct compare_lines *l)
{
    const struct bt_versus *v = l->versus;
    bool good =
        add(l, COMPARE_HEAD, bt_strfmt("Slices, %s (a adds one)", slice_means(v->pairing->kind))) != NULL;
    if (v->slices.n)
        good &= add_indexed(l, COMPARE_HEADS, "", COMPARE_SLICE_HEADS);
    else
        good &= add(l, COMPARE_NOTE, bt_strdup("none")) != NULL;
    for (size_t i = 0; i < v->slices.n; i++)
        good &= add_indexed(l, COMPARE_SLICE, v->slices.slice[i].name, i);
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
    return good && add_bootstrap(l) && add_matrix(l) && add_slices(l);
}

bool compare_lines_make(const struct bt_compare *c, const struct bt_versus *v, const char *why,
                        struct compare_lines *out)
{
    bool good = true;
    const struct bt_pairing *p = v->pairing;
    *out = (struct compare_lines){.versus = v};
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
    *l = (struct compare_lines){0};
}

/* ── cells ── */

bool compare_narrow(const struct compare_line *line)
{
    return line->kind == COMPARE_HEADS || line->kind == COMPARE_BOOT || line->kind == COMPARE_SLICE;
}

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
    case COMPARE_HEADS:
    case COMPARE_BOOT:
    case COMPARE_SLICE:
        return COMPARE_NARROW_CELLS;
    case COMPARE_LABELS:
    case COMPARE_MATRIX:
        return l->versus->matrix.n;
    default:
        return 0;
    }
}

enum { S_ROWS, S_A, S_B, S_DIFFERENCE, S_ONLY_A, S_ONLY_B, S_P };
enum { M_A, M_B, M_DIFFERENCE, M_LOW, M_HIGH, M_P, M_DRAWS };
static const char *const heads[][COMPARE_NARROW_CELLS] = {[COMPARE_BOOT_HEADS] = {[M_A] = "A",
                                                                                  [M_B] = "B",
                                                                                  [M_DIFFERENCE] = "B-A",
                                                                                  [M_LOW] = "from",
                                                                                  [M_HIGH] = "to",
                                                                                  [M_P] = "p",
                                                                                  [M_DRAWS] = "draws"},
                                                          [COMPARE_SLICE_HEADS] = {[S_ROWS] = "rows",
                                                                                   [S_A] = "A",
                                                                                   [S_B] = "B",
                                                                                   [S_DIFFERENCE] = "B-A",
                                                                                   [S_ONLY_A] = "only A",
                                                                                   [S_ONLY_B] = "only B",
                                                                                   [S_P] = "p"}};

bool compare_set_of(const struct compare_lines *l, const struct compare_line *line, size_t cell,
                    struct compare_set *set)
{
    const struct bt_pair_matrix *m = &l->versus->matrix;
    if (line->kind == COMPARE_COUNT) {
        *set = line->set;
        return true;
    }
    if (line->kind == COMPARE_SLICE) {
        *set = (struct compare_set){.which = cell == S_ONLY_A   ? COMPARE_ONLY_FIRST
                                             : cell == S_ONLY_B ? COMPARE_ONLY_SECOND
                                                                : COMPARE_ANY,
                                    .slice = &l->versus->slices.slice[line->index]};
        return true;
    }
    if (line->kind != COMPARE_MATRIX || cell >= m->n) return false;
    *set =
        (struct compare_set){.which = COMPARE_PAIR, .first = m->label[line->index], .second = m->label[cell]};
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

static void number(struct bt_str *out, double x, bool sign)
{
    char text[32];
    plot_value(text, sizeof text, sign ? fabs(x) : x);
    if (isnan(x))
        bt_str_add(out, "-");
    else
        bt_str_addf(out, "%s%s", !sign ? "" : x < 0 ? "-" : "+", text);
}

static void boot_cell(const struct bt_bootstrap_metric *m, size_t i, struct bt_str *out)
{
    const double value[] = {[M_A] = m->first, [M_B] = m->second,  [M_DIFFERENCE] = m->difference,
                            [M_LOW] = m->low, [M_HIGH] = m->high, [M_P] = m->p};
    if (i == M_DRAWS)
        bt_str_addf(out, "%zu", m->draws);
    else
        number(out, value[i], i >= M_DIFFERENCE && i <= M_HIGH);
}

static void slice_cell(const struct bt_pair_slice *s, size_t i, struct bt_str *out)
{
    if (i == S_ROWS)
        bt_str_addf(out, "%zu", s->n);
    else if (i == S_ONLY_A || i == S_ONLY_B)
        bt_str_addf(out, "%zu", s->count[i == S_ONLY_A ? BT_ONLY_FIRST : BT_ONLY_SECOND]);
    else if (i == S_DIFFERENCE)
        number(out, s->second - s->first, true);
    else
        number(out, i == S_A ? s->first : i == S_B ? s->second : s->p, false);
}

static void pair_cell(const struct compare_lines *l, const struct compare_line *line, size_t i,
                      struct bt_str *out)
{
    const struct bt_versus *v = l->versus;
    size_t rows = v->pairing ? v->pairing->n : 0;
    if (line->kind == COMPARE_HEADS)
        bt_str_add(out, heads[line->index][i]);
    else if (line->kind == COMPARE_BOOT)
        boot_cell(&v->bootstrap.metric[line->index], i, out);
    else if (line->kind == COMPARE_SLICE)
        slice_cell(&v->slices.slice[line->index], i, out);
    else if (line->kind == COMPARE_LABELS)
        bt_str_add(out, v->matrix.label[i]);
    else if (line->kind == COMPARE_COUNT)
        bt_str_addf(out, "%zu  %.1f %%", line->count,
                    rows ? 100.0 * (double)line->count / (double)rows : 0.0);
    else if (line->kind == COMPARE_MATRIX)
        bt_str_addf(out, "%zu", v->matrix.count[line->index * v->matrix.n + i]);
}

void compare_cell(const struct compare_lines *l, const struct compare_line *line, const struct bt_compare *c,
                  size_t i, struct bt_str *out)
{
    if (line->kind == COMPARE_RUN)
        fact(&c->run[i], line->index, out);
    else if (line->kind == COMPARE_METRIC)
        metric_cell(&c->metric[line->index], i, out);
    else if (line->kind == COMPARE_SETTING)
        setting_cell(&c->setting[line->index], i, out);
    else
        pair_cell(l, line, i, out);
}
