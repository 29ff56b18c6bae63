/* Reading what a report tells. */
#include "tui/report_parts.h"

#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── the worst rows ── */

enum which { HARMS, BENEFITS, BOTH_WRONG, WRONG };

static const char *const titles[] = {[HARMS] = "Harms: only A is right",
                                     [BENEFITS] = "Benefits: only B is right",
                                     [BOTH_WRONG] = "Both are wrong",
                                     [WRONG] = "Wrong, the worst first"},
                         *const number_titles[] = {[HARMS] = "Harms: A is nearer to gold",
                                                   [BENEFITS] = "Benefits: B is nearer to gold",
                                                   [BOTH_WRONG] = NULL,
                                                   [WRONG] = "The farthest from gold"};

static bool is_of(const struct bt_pairing *p, const struct bt_pair_row *r, enum which w)
{
    if (w == HARMS) return r->outcome == BT_ONLY_FIRST;
    if (w == BENEFITS) return r->outcome == BT_ONLY_SECOND;
    return p->kind == BT_ROWS_NUMBERS || r->outcome == BT_BOTH_WRONG;
}

/* How bad a row is, or how much it changed. */
static double badness(const struct bt_pairing *p, const struct bt_pair_row *r, enum which w)
{
    bool numbers = p->kind == BT_ROWS_NUMBERS;
    double a = numbers ? fabs(r->value_first - r->gold_value) : r->loss_first,
           b = numbers ? fabs(r->value_second - r->gold_value) : r->loss_second;
    double x = w == HARMS ? b - a : w == BENEFITS ? a - b : fmax(a, b);
    return isnan(x) ? 0.0 : x;
}

/* Keeps the worst, in order. */
static void offer(struct report_rows *rows, double *kept, size_t row, double bad)
{
    size_t at = rows->n;
    rows->of++;
    while (at > 0 && kept[at - 1] < bad) at--;
    if (at == REPORT_ROWS) return;
    if (rows->n < REPORT_ROWS) rows->n++;
    for (size_t i = rows->n - 1; i > at; i--) {
        kept[i] = kept[i - 1];
        rows->row[i] = rows->row[i - 1];
    }
    kept[at] = bad;
    rows->row[at] = row;
}

static void choose(struct report *r, const struct bt_pairing *p, const struct bt_examples *e, enum which w,
                   const char *run)
{
    double kept[REPORT_ROWS];
    const char *title = p->kind == BT_ROWS_NUMBERS ? number_titles[w] : titles[w];
    struct report_rows *rows = &r->rows[r->n_rows];
    if (!title) return;
    *rows = (struct report_rows){.title = title, .run = run, .pairing = p, .examples = e};
    for (size_t i = 0; i < p->n; i++)
        if (is_of(p, &p->row[i], w)) offer(rows, kept, i, badness(p, &p->row[i], w));
    r->n_rows++;
}

void report_row_text(const struct report_rows *rows, size_t i, struct bt_str *out)
{
    enum { MOST = 600 };
    const struct bt_example *x =
        bt_pair_example(rows->pairing, rows->examples, &rows->pairing->row[rows->row[i]]);
    struct bt_str text = {0};
    if (x) bt_pair_add_text(rows->pairing, x, &text);
    bool cut = text.len > MOST;
    bt_str_addn(out, bt_str_text(&text), cut ? bt_utf8_valid(bt_str_text(&text), MOST) : text.len);
    if (cut) bt_str_add(out, " …");
    bt_str_free(&text);
}

/* ── reading ── */

const char *report_letter(size_t run)
{
    static const char letters[][2] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
                                      "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z"};
    return letters[run % 26];
}

static void read_alone(struct report *r, const struct bt_run_at *run, size_t i, const char *split)
{
    struct report_own *own = r->own;
    if (bt_pairing_load(run, run, split, &own->alone[i], NULL) != BT_OK) return;
    bt_texts_load(run->dir, own->alone[i]->split, bt_pairing_last_row(own->alone[i]), &own->texts[i]);
    choose(r, own->alone[i], own->texts[i].examples, WRONG, r->compare->run[i].id);
}

static enum bt_status read_two(struct report *r, const struct bt_run_at *run,
                               const struct bt_versus_request *asked, const atomic_bool *cancel,
                               struct bt_error *err)
{
    struct bt_versus_request request = *asked;
    request.first = run[0];
    request.second = run[1];
    enum bt_status status = bt_versus_load(&request, cancel, &r->versus, &r->versus_err);
    bool told = status == BT_NOTFOUND || status == BT_INVALID; /* in the page: the rest of it is there */
    if (told && !asked->split && !asked->expressions) return BT_OK;
    if (status != BT_OK) {
        *err = r->versus_err;
        return status;
    }
    for (int w = HARMS; w <= BOTH_WRONG; w++)
        choose(r, r->versus.pairing, r->versus.texts.examples, (enum which)w, NULL);
    return BT_OK;
}

static bool reserve(struct report *r, size_t n)
{
    struct report_own *own = r->own = calloc(1, sizeof *own);
    if (!own) return false;
    own->events = calloc(n + 1, sizeof *own->events);
    own->alone = calloc(n + 1, sizeof *own->alone);
    own->texts = calloc(n + 1, sizeof *own->texts);
    r->rows = calloc(n + BOTH_WRONG + 1, sizeof *r->rows);
    if (!own->events || !own->alone || !own->texts || !r->rows) return false;
    own->n = n;
    return true;
}

enum bt_status report_load(const struct bt_run_at *run, size_t n, const struct bt_versus_request *asked,
                           const atomic_bool *cancel, struct report **out, struct bt_error *err)
{
    struct report *r = calloc(1, sizeof *r);
    enum bt_status status =
        r && reserve(r, n) ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a report on %zu runs", n);
    if (status == BT_OK) status = bt_compare_load(run, n, &r->compare, err);
    for (size_t i = 0; i < n && status == BT_OK; i++)
        status = bt_series_load(run[i].dir, &r->own->events[i], err);
    if (status == BT_OK && n == 2)
        status = read_two(r, run, asked, cancel, err);
    else
        for (size_t i = 0; i < n && status == BT_OK; i++) read_alone(r, &run[i], i, asked->split);
    if (status == BT_OK)
        *out = r;
    else
        report_free(r);
    return status;
}

void report_free(struct report *r)
{
    struct report_own *own = r ? r->own : NULL;
    if (!r) return;
    for (size_t i = 0; own && i < own->n; i++) {
        bt_series_free(own->events[i]);
        bt_pairing_free(own->alone[i]);
        bt_texts_clear(&own->texts[i]);
    }
    if (own) {
        free(own->events);
        free(own->alone);
        free(own->texts);
    }
    free(own);
    bt_versus_clear(&r->versus);
    bt_compare_free(r->compare);
    free(r->rows);
    free(r);
}
