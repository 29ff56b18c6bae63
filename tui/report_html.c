/* Writing a report down. */
#include "tui/markup.h"
#include "tui/plot.h"
#include "tui/plot_svg.h"
#include "tui/report_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light "
    "dark;--back:#fff;--text:#1b1b1b;--dim:#666;--line:#ccc;--good:#0a6b2d;--bad:#a3201b}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#15181c;--text:#e4e4e4;--dim:#9a9a9a;--line:#3a3f45;"
    "--good:#6fd08c;--bad:#ff8f86}}\n"
    "body{background:var(--back);color:var(--text);font:15px/1.45 sans-serif;max-width:72em;margin:2em "
    "auto;padding:0 1em}\n"
    "table{border-collapse:collapse;margin:.6em 0 1.4em}th,td{border-bottom:1px solid "
    "var(--line);padding:.25em .7em;"
    "text-align:left;vertical-align:top}\n"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.best{color:var(--good);font-weight:bold}"
    ".wrong{color:var(--bad)}.dim,caption{color:var(--dim)}caption{text-align:left}\n"
    "td.t{white-space:pre-wrap;overflow-wrap:anywhere;max-width:42em}h1,h2{font-weight:600}figure{margin:1em "
    "0}\n";

/* ── cells ── */

static void open_row(struct bt_str *out)
{
    bt_str_add(out, "<tr>");
}

static void close_row(struct bt_str *out)
{
    bt_str_add(out, "</tr>\n");
}

static void head(struct bt_str *out, const char *text, bool number)
{
    bt_str_add(out, number ? "<th class=\"n\">" : "<th>");
    markup_text(out, text);
    bt_str_add(out, "</th>");
}

/* class: static, or NULL. */
static void cell(struct bt_str *out, const char *class, const char *text)
{
    if (class)
        bt_str_addf(out, "<td class=\"%s\">", class);
    else
        bt_str_add(out, "<td>");
    markup_text(out, text);
    bt_str_add(out, "</td>");
}

static void number(struct bt_str *out, double x, bool sign)
{
    char text[40] = "–", value[32];
    plot_value(value, sizeof value, sign ? fabs(x) : x);
    if (!isnan(x)) snprintf(text, sizeof text, "%s%s", !sign ? "" : x < 0 ? "−" : "+", value);
    cell(out, "n", text);
}

static void count(struct bt_str *out, size_t n)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", n);
    cell(out, "n", text);
}

static void heads(struct bt_str *out, const char *const *text, size_t n, size_t numbers_from)
{
    open_row(out);
    for (size_t i = 0; i < n; i++) head(out, text[i], i >= numbers_from);
    close_row(out);
}

static void run_heads(const struct report *r, struct bt_str *out, bool numbers)
{
    open_row(out);
    head(out, "", false);
    for (size_t i = 0; i < r->compare->n_runs; i++) head(out, report_letter(i), numbers);
    close_row(out);
}

/* ── runs, settings, metrics ── */

static void runs(const struct report *r, struct bt_str *out)
{
    static const char *const names[] = {"", "run", "state", "best step", "last step"};
    bt_str_add(out, "<table>\n");
    heads(out, names, 5, 3);
    for (size_t i = 0; i < r->compare->n_runs; i++) {
        const struct bt_compare_run *run = &r->compare->run[i];
        open_row(out);
        cell(out, NULL, report_letter(i));
        cell(out, NULL, run->id);
        cell(out, NULL, *run->state ? run->state : "–");
        number(out, run->best_step < 0 ? (double)NAN : (double)run->best_step, false);
        number(out, run->last_step < 0 ? (double)NAN : (double)run->last_step, false);
        close_row(out);
    }
    bt_str_add(out, "</table>\n");
}

static void settings(const struct report *r, struct bt_str *out)
{
    const struct bt_compare *c = r->compare;
    bt_str_add(out, "<h2>Settings that differ</h2>\n");
    if (!c->n_settings) {
        bt_str_add(out, "<p>None.</p>\n");
        return;
    }
    bt_str_add(out, "<table>\n");
    run_heads(r, out, false);
    for (size_t i = 0; i < c->n_settings; i++) {
        open_row(out);
        cell(out, NULL, c->setting[i].key);
        for (size_t k = 0; k < c->n_runs; k++)
            cell(out, NULL, c->setting[i].value[k] ? c->setting[i].value[k] : "–");
        close_row(out);
    }
    bt_str_add(out, "</table>\n");
}

static void metrics(const struct report *r, struct bt_str *out)
{
    const struct bt_compare *c = r->compare;
    bt_str_add(out, "<h2>Metrics</h2>\n");
    if (!c->n_metrics) {
        bt_str_add(out, "<p>Nothing was logged yet.</p>\n");
        return;
    }
    bt_str_add(
        out,
        "<table><caption>At the step named, else at the best, else at the last; * is the best.</caption>\n");
    run_heads(r, out, true);
    for (size_t i = 0; i < c->n_metrics; i++) {
        const struct bt_compare_metric *m = &c->metric[i];
        open_row(out);
        cell(out, NULL, m->name);
        for (size_t k = 0; k < c->n_runs; k++) {
            char text[40], value[32];
            bool best = m->best >= 0 && m->value[k] == m->value[m->best];
            plot_value(value, sizeof value, m->value[k]);
            snprintf(text, sizeof text, "%s%s", isnan(m->value[k]) ? "–" : value, best ? " *" : "");
            cell(out, best ? "n best" : "n", text);
        }
        close_row(out);
    }
    bt_str_add(out, "</table>\n");
}

/* ── two runs ── */

static void outcomes(const struct bt_pairing *p, struct bt_str *out)
{
    static const char *const names[] = {"both right", "only A right: harms", "only B right: benefits",
                                        "both wrong"},
                             *const nearer[] = {"as near to gold as the other", "A nearer to gold: harms",
                                                "B nearer to gold: benefits", NULL};
    const char *const *name = p->kind == BT_ROWS_NUMBERS ? nearer : names;
    bt_str_addf(out, "<p>%zu rows of the split ", p->n);
    markup_text(out, p->split);
    bt_str_addf(out,
                ", A at step %" PRId64 ", B at step %" PRId64 "; the same prediction on %zu.</p>\n<table>\n",
                p->step_first, p->step_second, p->agree);
    for (int i = 0; i < BT_OUTCOMES; i++) {
        if (!name[i]) continue;
        open_row(out);
        cell(out, NULL, name[i]);
        count(out, p->count[i]);
        close_row(out);
    }
    bt_str_addf(out, "</table>\n<p>%s: p = %.3g</p>\n",
                p->kind == BT_ROWS_NUMBERS ? "Sign test" : "McNemar’s exact test", p->p);
    if (p->only_first || p->only_second || p->gold_differs)
        bt_str_addf(out,
                    "<p>Left out: %zu rows only in A, %zu only in B, %zu with different gold values.</p>\n",
                    p->only_first, p->only_second, p->gold_differs);
}

static void bootstrap(const struct bt_bootstrap *b, struct bt_str *out)
{
    static const char *const names[] = {"", "A", "B", "B − A", "95 % from", "to", "p"};
    if (!b->n) return;
    bt_str_addf(out, "<table><caption>Metrics of these rows, paired bootstrap of %d draws</caption>\n",
                BT_BOOTSTRAP_DRAWS);
    heads(out, names, 7, 1);
    for (size_t i = 0; i < b->n; i++) {
        const struct bt_bootstrap_metric *m = &b->metric[i];
        open_row(out);
        cell(out, NULL, m->name);
        number(out, m->first, false);
        number(out, m->second, false);
        number(out, m->difference, true);
        number(out, m->low, true);
        number(out, m->high, true);
        number(out, m->p, false);
        close_row(out);
    }
    bt_str_add(out, "</table>\n");
}

static void matrix(const struct bt_pair_matrix *m, struct bt_str *out)
{
    if (!m->n) return;
    bt_str_add(out, "<table><caption>Who says what: A down, B across</caption>\n");
    open_row(out);
    head(out, "", false);
    for (size_t i = 0; i < m->n; i++) head(out, m->label[i], true);
    close_row(out);
    for (size_t i = 0; i < m->n; i++) {
        open_row(out);
        head(out, m->label[i], false);
        for (size_t k = 0; k < m->n; k++) count(out, m->count[i * m->n + k]);
        close_row(out);
    }
    bt_str_add(out, "</table>\n");
}

static void slices(const struct bt_pair_slices *s, enum bt_rows_kind kind, struct bt_str *out)
{
    static const char *const names[] = {"slice", "rows", "A", "B", "B − A", "only A", "only B", "p"};
    if (!s->n) return;
    bt_str_addf(out, "<table><caption>Slices of the rows: %s</caption>\n",
                kind == BT_ROWS_NUMBERS   ? "mean error"
                : kind == BT_ROWS_ANSWERS ? "mean F1"
                                          : "share that is right");
    heads(out, names, 8, 1);
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_pair_slice *x = &s->slice[i];
        open_row(out);
        cell(out, NULL, x->name);
        count(out, x->n);
        number(out, x->first, false);
        number(out, x->second, false);
        number(out, x->second - x->first, true);
        count(out, x->count[BT_ONLY_FIRST]);
        count(out, x->count[BT_ONLY_SECOND]);
        number(out, x->p, false);
        close_row(out);
    }
    bt_str_add(out, "</table>\n");
}

static void two(const struct report *r, struct bt_str *out)
{
    const struct bt_versus *v = &r->versus;
    if (!v->pairing && r->versus_err.status == BT_OK) return;
    bt_str_add(out, "<h2>Predictions of A and B</h2>\n");
    if (!v->pairing) {
        bt_str_add(out, "<p>");
        markup_text(out, r->versus_err.text);
        bt_str_add(out, "</p>\n");
        return;
    }
    outcomes(v->pairing, out);
    bootstrap(&v->bootstrap, out);
    matrix(&v->matrix, out);
    slices(&v->slices, v->pairing->kind, out);
}

/* ── the worst examples ── */

static void said(struct bt_str *out, const char *text, double p, bool right)
{
    bt_str_add(out, right ? "<td>" : "<td class=\"wrong\">✗ ");
    markup_text(out, *text ? text : "(none)");
    if (!isnan(p)) bt_str_addf(out, " <span class=\"dim\">%.2f</span>", p);
    bt_str_add(out, "</td>");
}

static void example(const struct report_rows *rows, size_t i, struct bt_str *out)
{
    const struct bt_pair_row *x = &rows->pairing->row[rows->row[i]];
    bool numbers = rows->pairing->kind == BT_ROWS_NUMBERS;
    struct bt_str text = {0};
    report_row_text(rows, i, &text);
    open_row(out);
    count(out, (size_t)x->id);
    cell(out, NULL, *x->gold ? x->gold : "(none)");
    said(out, x->first, x->p_first, numbers || x->outcome == BT_ONLY_FIRST);
    if (!rows->run) said(out, x->second, x->p_second, numbers || x->outcome == BT_ONLY_SECOND);
    bt_str_add(out, "<td class=\"t\">");
    markup_textn(out, bt_str_text(&text), text.len);
    bt_str_add(out, "</td>");
    close_row(out);
    bt_str_free(&text);
}

static void examples(const struct report_rows *rows, struct bt_str *out)
{
    bt_str_add(out, "<h3>");
    markup_text(out, rows->title);
    if (rows->run) bt_str_add(out, ": ");
    if (rows->run) markup_text(out, rows->run);
    bt_str_addf(out, "</h3>\n<p class=\"dim\">%zu of %zu</p>\n", rows->n, rows->of);
    if (!rows->n) return;
    bt_str_add(out, "<table>\n");
    open_row(out);
    head(out, "row", true);
    head(out, "gold", false);
    head(out, rows->run ? "predicted" : "A", false);
    if (!rows->run) head(out, "B", false);
    head(out, rows->examples ? "text" : "text: the file cannot be read", false);
    close_row(out);
    for (size_t i = 0; i < rows->n; i++) example(rows, i, out);
    bt_str_add(out, "</table>\n");
}

void report_html(const struct report *r, struct bt_str *out)
{
    bt_str_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                    "'unsafe-inline'\">\n<title>");
    for (size_t i = 0; i < r->compare->n_runs; i++) {
        bt_str_add(out, i ? ", " : "");
        markup_text(out, r->compare->run[i].id);
    }
    bt_str_addf(out, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<h1>%s</h1>\n", style,
                plot_svg_style(), r->compare->n_runs == 1 ? "A run" : "Runs side by side");
    runs(r, out);
    settings(r, out);
    metrics(r, out);
    two(r, out);
    bt_str_add(out, "<h2>Curves</h2>\n");
    report_curves(r, out);
    if (r->n_rows) bt_str_add(out, "<h2>Examples</h2>\n");
    for (size_t i = 0; i < r->n_rows; i++) examples(&r->rows[i], out);
    bt_str_add(out, "</body>\n</html>\n");
}
