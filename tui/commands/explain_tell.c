#include "tui/commands/explain_tell.h"

#include "tui/commands/cli.h"
#include "tui/signed_bar.h"
#include <bertty/json.h>
#include <bertty/text.h>
#include <math.h>

static const char *of_what(const struct bt_explanation *x)
{
    return x->probability ? "probability" : "logit";
}

/* ── for people ── */

static void tell_integrated(const struct bt_explain_spec *how, const struct bt_explanation *x)
{
    const char *from = how->baseline == BT_EXPLAIN_ZERO ? "zeros" : "[CLS] [PAD] … [SEP]";
    if (isnan(x->error))
        cli_line("integrated gradients from %s: nothing differs from it", from);
    else
        cli_line("integrated gradients from %s (%.4f), %d steps, completeness error %.2f %%%s", from, x->base,
                 x->steps, 100.0 * x->error,
                 x->capped ? ": above what was asked for, --most-steps allows no more" : "");
}

static void tell_head(const struct bt_explain_spec *how, const struct bt_explanation *x)
{
    cli_line("%s of %s: %.4f", of_what(x), x->target, x->value);
    switch (how->method) {
    case BT_EXPLAIN_INTEGRATED:
        tell_integrated(how, x);
        break;
    case BT_EXPLAIN_OCCLUSION:
        cli_line("occlusion (%s): what is lost without it", bt_explain_occludes[how->occlude]);
        break;
    case BT_EXPLAIN_ATTENTION:
        if (x->head)
            cli_line("attention of layer %d of %d, head %d of %d", x->layer, x->layers, x->head, x->heads);
        else
            cli_line("attention of layer %d of %d, mean of its %d heads", x->layer, x->layers, x->heads);
        break;
    case BT_EXPLAIN_ROLLOUT:
        cli_line("attention rolled out through %d layers", x->layers);
        break;
    default:
        cli_line("gradient × input");
    }
    if (x->windows > 1)
        cli_line("the text is read in %d windows: this is number %d", x->windows, x->window);
    else if (x->truncated)
        cli_line("the text was cut to %d tokens", x->tokens);
}

void explain_tell_text(const struct bt_explain_spec *how, const struct bt_explanation *x, int columns)
{
    struct cli_table t = {.columns = 3, .right = 1u << 1};
    const bool only_right = how->method == BT_EXPLAIN_ATTENTION || how->method == BT_EXPLAIN_ROLLOUT;
    struct bt_str bar = {.len = 0};
    double most = 0.0;
    tell_head(how, x);
    for (size_t i = 0; i < x->n;
         i++) /* [CLS] and [SEP], at which attention rests, would make all else small */
        if (!x->item[i].special) most = fmax(most, fabs(x->item[i].score));
    for (size_t i = 0; i < x->n; i++) {
        const struct bt_explained *e = &x->item[i];
        bt_str_clear(&bar);
        signed_bar(&bar, most > 0.0 ? e->score / most : 0.0, columns, only_right);
        cli_table_cell(&t, "%s", e->text);
        cli_table_cell(&t, only_right ? "%.4f" : "%+.4f", e->score);
        cli_table_cell(&t, "%s", bt_str_text(&bar));
    }
    cli_table_print(&t);
    bt_str_free(&bar);
}

/* ── for programs ── */

static void tell_item(struct bt_json_writer *w, const struct bt_explained *e, const char *text)
{
    bt_jw_object(w);
    bt_jw_ktext(w, "text", e->text);
    bt_jw_knum(w, "score", e->score);
    if (e->end > 0 && text) {
        bt_jw_kint(w, "begin", (int64_t)bt_utf8_count(text, e->begin));
        bt_jw_kint(w, "end", (int64_t)bt_utf8_count(text, e->end));
    }
    bt_jw_kint(w, "first", e->first);
    bt_jw_kint(w, "tokens", e->tokens);
    bt_jw_kint(w, "segment", e->pair);
    bt_jw_kbool(w, "special", e->special);
    bt_jw_end_object(w);
}

static void tell_matrix(struct bt_json_writer *w, const struct bt_explanation *x)
{
    bt_jw_key(w, "matrix");
    bt_jw_array(w);
    for (size_t i = 0; i < x->n; i++) {
        bt_jw_array(w);
        for (size_t j = 0; j < x->n; j++) bt_jw_num(w, x->matrix[i * x->n + j]);
        bt_jw_end_array(w);
    }
    bt_jw_end_array(w);
}

static void tell_method(struct bt_json_writer *w, const struct bt_explain_spec *how,
                        const struct bt_explanation *x)
{
    bt_jw_ktext(w, "method", bt_explain_methods[how->method]);
    if (how->method == BT_EXPLAIN_INTEGRATED) {
        bt_jw_ktext(w, "baseline", bt_explain_baselines[how->baseline]);
        bt_jw_ktext(w, "rule", bt_explain_rules[how->rule]);
        bt_jw_knum(w, "baseline_value", x->base);
        bt_jw_knum(w, "completeness_error", x->error);
        bt_jw_kint(w, "steps", x->steps);
        bt_jw_kbool(w, "capped", x->capped);
    }
    if (how->method == BT_EXPLAIN_OCCLUSION) bt_jw_ktext(w, "occlude", bt_explain_occludes[how->occlude]);
    if (how->method == BT_EXPLAIN_ATTENTION) {
        bt_jw_kint(w, "layer", x->layer);
        bt_jw_kint(w, "head", x->head);
    }
}

void explain_tell_json(const struct bt_explain_spec *how, const struct bt_explanation *x,
                       const struct bt_input *in, int64_t row, struct bt_str *out)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    const char *pair = x->choice >= 0 ? in->part[x->choice].text : in->pair;
    bt_jw_object(&w);
    if (row) bt_jw_kint(&w, "row", row);
    bt_jw_ktext(&w, "target", x->target);
    bt_jw_ktext(&w, "of", of_what(x));
    bt_jw_knum(&w, "value", x->value);
    tell_method(&w, how, x);
    bt_jw_kint(&w, "tokens", x->tokens);
    bt_jw_kbool(&w, "truncated", x->truncated);
    bt_jw_kint(&w, "window", x->window);
    bt_jw_kint(&w, "windows", x->windows);
    bt_jw_ktext(&w, "by", how->words ? "word" : "piece");
    bt_jw_key(&w, "items");
    bt_jw_array(&w);
    for (size_t i = 0; i < x->n; i++) tell_item(&w, &x->item[i], x->item[i].pair ? pair : in->text);
    bt_jw_end_array(&w);
    if (x->matrix) tell_matrix(&w, x);
    bt_jw_end_object(&w);
}
