#include "tui/commands/compare_pair.h"

#include "tui/plot.h"
#include <math.h>
#include <stdlib.h>

/* ── which runs ── */

int compare_find(const char *command, const char *runs, const struct cli_args *args, struct bt_run_at **out,
                 size_t *n)
{
    enum { MOST = 31 }; /* columns of a table */
    struct bt_error err = {0};
    *n = 0;
    if (args->n > MOST) return cli_misuse(command, "%d runs, expected at most %d", args->n, MOST);
    if (!(*out = calloc(MOST, sizeof **out))) return CLI_FAILED;
    for (; *n < (size_t)args->n; ++*n) {
        char *dir;
        struct bt_run_at *r = &(*out)[*n];
        if (bt_run_find(runs, args->v[*n], &dir, &r->step, &err) != BT_OK) return cli_fail(&err);
        r->dir = dir;
    }
    return CLI_DONE;
}

void compare_found_free(struct bt_run_at *run, size_t n)
{
    for (size_t i = 0; i < n; i++) free((char *)(uintptr_t)run[i].dir);
    free(run);
}

/* ── for people ── */

/* Numbers and answers may have no confidence. */
static void said_cell(struct cli_table *t, const char *said, double p)
{
    const char *text = *said ? said : "(none)";
    if (isnan(p))
        cli_table_cell(t, "%s", text);
    else
        cli_table_cell(t, "%s %.2f", text, p);
}

static void tell_rows(const struct bt_pairing *p)
{
    struct cli_table t = {.columns = 4, .right = 1};
    static const char *const heads[] = {"row", "gold", "A", "B"};
    for (int i = 0; i < 4; i++) cli_table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < p->n; i++) {
        const struct bt_pair_row *r = &p->row[i];
        if (r->first == r->second) continue;
        cli_table_cell(&t, "%lld", (long long)r->id);
        cli_table_cell(&t, "%s", r->gold);
        said_cell(&t, r->first, r->p_first);
        said_cell(&t, r->second, r->p_second);
    }
    cli_line("%s", "");
    cli_table_print(&t);
}

static void tell_counts(const struct bt_pairing *p)
{
    cli_line("%s", "");
    cli_line("predictions on %s, %zu rows (A at step %lld, B at step %lld)", p->split, p->n,
             (long long)p->step_first, (long long)p->step_second);
    bool numbers = p->kind == BT_ROWS_NUMBERS;
    if (numbers)
        cli_line("  A nearer to gold %zu, B nearer to gold %zu, as near as the other %zu",
                 p->count[BT_ONLY_FIRST], p->count[BT_ONLY_SECOND], p->count[BT_BOTH_RIGHT]);
    else
        cli_line("  both right %zu, only A right %zu, only B right %zu, both wrong %zu",
                 p->count[BT_BOTH_RIGHT], p->count[BT_ONLY_FIRST], p->count[BT_ONLY_SECOND],
                 p->count[BT_BOTH_WRONG]);
    cli_line("  same prediction on %.1f %%, %s p = %.4g",
             p->n ? 100.0 * (double)p->agree / (double)p->n : 0.0,
             numbers ? "sign test" : "McNemar's exact test", p->p);
    if (p->only_first || p->only_second || p->gold_differs)
        cli_line("  left out: %zu rows only in A, %zu only in B, %zu with different gold labels",
                 p->only_first, p->only_second, p->gold_differs);
}

/* A number as far as it tells something; "-" where there is none. */
static void number_cell(struct cli_table *t, double x)
{
    char text[32];
    plot_value(text, sizeof text, x);
    cli_table_cell(t, "%s", isnan(x) ? "-" : text);
}

static void signed_cell(struct cli_table *t, double x)
{
    char text[32];
    plot_value(text, sizeof text, fabs(x));
    if (isnan(x))
        cli_table_cell(t, "-");
    else
        cli_table_cell(t, "%s%s", x < 0 ? "-" : "+", text);
}

static void heads(struct cli_table *t, const char *const *head)
{
    for (size_t i = 0; i < t->columns; i++) cli_table_cell(t, "%s", head[i]);
}

static void tell_bootstrap(const struct bt_bootstrap *b)
{
    static const char *const head[] = {"", "A", "B", "B - A", "95 % from", "to", "p"};
    struct cli_table t = {.columns = 7, .right = ~1u};
    if (!b->n) return;
    cli_line("%s", "");
    cli_line("metrics of these rows, paired bootstrap of %d draws", BT_BOOTSTRAP_DRAWS);
    heads(&t, head);
    for (size_t i = 0; i < b->n; i++) {
        const struct bt_bootstrap_metric *m = &b->metric[i];
        cli_table_cell(&t, "%s", m->name);
        number_cell(&t, m->first);
        number_cell(&t, m->second);
        signed_cell(&t, m->difference);
        signed_cell(&t, m->low);
        signed_cell(&t, m->high);
        number_cell(&t, m->p);
    }
    cli_table_print(&t);
}

/* Not more columns than a table has. */
static void tell_matrix(const struct bt_pair_matrix *m)
{
    enum { MOST = 16 };
    struct cli_table t = {.columns = m->n + 1, .right = ~1u};
    if (!m->n || m->n > MOST) return;
    cli_line("%s", "");
    cli_line("who says what: A down, B across");
    cli_table_cell(&t, "%s", "");
    for (size_t i = 0; i < m->n; i++) cli_table_cell(&t, "%s", m->label[i]);
    for (size_t i = 0; i < m->n; i++) {
        cli_table_cell(&t, "%s", m->label[i]);
        for (size_t k = 0; k < m->n; k++) cli_table_cell(&t, "%zu", m->count[i * m->n + k]);
    }
    cli_table_print(&t);
}

static const char *slice_kind(enum bt_slice_by by)
{
    static const char *const name[] = {
        [BT_SLICE_LABEL] = "gold", [BT_SLICE_LENGTH] = "length", [BT_SLICE_EXPRESSION] = "filter"};
    return name[by];
}

static void tell_slices(const struct bt_pair_slices *s, enum bt_rows_kind kind)
{
    static const char *const head[] = {"", "slice", "rows", "A", "B", "B - A", "only A", "only B", "p"};
    struct cli_table t = {.columns = 9, .right = ~3u};
    if (!s->n) return;
    cli_line("%s", "");
    cli_line("slices, %s", kind == BT_ROWS_NUMBERS   ? "mean error"
                           : kind == BT_ROWS_ANSWERS ? "mean F1"
                                                     : "share that is right");
    heads(&t, head);
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_pair_slice *x = &s->slice[i];
        cli_table_cell(&t, "%s", x->by == BT_SLICE_LENGTH ? "" : slice_kind(x->by)); /* its name says it */
        cli_table_cell(&t, "%s", x->name);
        cli_table_cell(&t, "%zu", x->n);
        number_cell(&t, x->first);
        number_cell(&t, x->second);
        signed_cell(&t, x->second - x->first);
        cli_table_cell(&t, "%zu", x->count[BT_ONLY_FIRST]);
        cli_table_cell(&t, "%zu", x->count[BT_ONLY_SECOND]);
        number_cell(&t, x->p);
    }
    cli_table_print(&t);
}

void compare_pair_tell(const struct bt_versus *v, bool rows)
{
    tell_counts(v->pairing);
    tell_bootstrap(&v->bootstrap);
    tell_matrix(&v->matrix);
    tell_slices(&v->slices, v->pairing->kind);
    if (rows && v->pairing->agree < v->pairing->n) tell_rows(v->pairing);
}

/* ── for programs ── */

static void json_rows(struct bt_json_writer *w, const struct bt_pairing *p)
{
    bt_jw_key(w, "rows_that_differ");
    bt_jw_array(w);
    for (size_t i = 0; i < p->n; i++) {
        if (p->row[i].first == p->row[i].second) continue;
        bt_jw_object(w);
        bt_jw_kint(w, "id", p->row[i].id);
        bt_jw_ktext(w, "gold", p->row[i].gold);
        bt_jw_ktext(w, "first", p->row[i].first);
        bt_jw_ktext(w, "second", p->row[i].second);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static void json_bootstrap(struct bt_json_writer *w, const struct bt_bootstrap *b)
{
    bt_jw_key(w, "metrics");
    bt_jw_object(w);
    for (size_t i = 0; i < b->n; i++) {
        const struct bt_bootstrap_metric *m = &b->metric[i];
        bt_jw_key(w, m->name);
        bt_jw_object(w);
        bt_jw_knum(w, "first", m->first);
        bt_jw_knum(w, "second", m->second);
        bt_jw_knum(w, "difference", m->difference);
        bt_jw_knum(w, "low", m->low);
        bt_jw_knum(w, "high", m->high);
        bt_jw_knum(w, "p", m->p);
        bt_jw_kint(w, "draws", (int64_t)m->draws);
        bt_jw_end_object(w);
    }
    bt_jw_end_object(w);
}

static void json_matrix(struct bt_json_writer *w, const struct bt_pair_matrix *m)
{
    if (!m->n) return;
    bt_jw_key(w, "labels");
    bt_jw_array(w);
    for (size_t i = 0; i < m->n; i++) bt_jw_text(w, m->label[i]);
    bt_jw_end_array(w);
    bt_jw_key(w, "matrix");
    bt_jw_array(w);
    for (size_t i = 0; i < m->n; i++) {
        bt_jw_array(w);
        for (size_t k = 0; k < m->n; k++) bt_jw_int(w, (int64_t)m->count[i * m->n + k]);
        bt_jw_end_array(w);
    }
    bt_jw_end_array(w);
}

static void json_slices(struct bt_json_writer *w, const struct bt_pairing *p, const struct bt_pair_slices *s,
                        bool rows)
{
    bt_jw_key(w, "slices");
    bt_jw_array(w);
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_pair_slice *x = &s->slice[i];
        bt_jw_object(w);
        bt_jw_ktext(w, "by", slice_kind(x->by));
        bt_jw_ktext(w, "name", x->name);
        bt_jw_kint(w, "rows", (int64_t)x->n);
        bt_jw_knum(w, "first", x->first);
        bt_jw_knum(w, "second", x->second);
        bt_jw_kint(w, "only_first_right", (int64_t)x->count[BT_ONLY_FIRST]);
        bt_jw_kint(w, "only_second_right", (int64_t)x->count[BT_ONLY_SECOND]);
        bt_jw_knum(w, "mcnemar_p", x->p);
        if (rows) {
            bt_jw_key(w, "ids");
            bt_jw_array(w);
            for (size_t k = 0; k < x->n; k++) bt_jw_int(w, p->row[x->row[k]].id);
            bt_jw_end_array(w);
        }
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static void json_counts(struct bt_json_writer *w, const struct bt_pairing *p)
{
    bt_jw_ktext(w, "split", p->split);
    bt_jw_kint(w, "step_first", p->step_first);
    bt_jw_kint(w, "step_second", p->step_second);
    bt_jw_kint(w, "rows", (int64_t)p->n);
    bt_jw_kint(w, "both_right", (int64_t)p->count[BT_BOTH_RIGHT]);
    bt_jw_kint(w, "only_first_right", (int64_t)p->count[BT_ONLY_FIRST]);
    bt_jw_kint(w, "only_second_right", (int64_t)p->count[BT_ONLY_SECOND]);
    bt_jw_kint(w, "both_wrong", (int64_t)p->count[BT_BOTH_WRONG]);
    bt_jw_kint(w, "agree", (int64_t)p->agree);
    bt_jw_kint(w, "only_in_first", (int64_t)p->only_first);
    bt_jw_kint(w, "only_in_second", (int64_t)p->only_second);
    bt_jw_kint(w, "gold_differs", (int64_t)p->gold_differs);
    bt_jw_knum(w, "mcnemar_p", p->p);
}

void compare_pair_json(struct bt_json_writer *w, const struct bt_versus *v, bool rows)
{
    bt_jw_key(w, "predictions");
    bt_jw_object(w);
    json_counts(w, v->pairing);
    json_bootstrap(w, &v->bootstrap);
    json_matrix(w, &v->matrix);
    json_slices(w, v->pairing, &v->slices, rows);
    if (rows) json_rows(w, v->pairing);
    bt_jw_end_object(w);
}
