#include "tui/commands/counterfactual_tell.h"

#include "tui/commands/cli.h"
#include <bertty/json.h>
#include <bertty/text.h>
#include <math.h>
#include <string.h>

enum { SAID_WIDTH = 30, WHAT_WIDTH = 46 };

/* ── for people ── */

static void tell_decision(const char *said, double score)
{
    if (isnan(score))
        cli_line("%s", said);
    else
        cli_line("%s %.4f", said, score);
}

static void tell_notes(const struct bt_variants *v)
{
    bool swapped = false;
    for (size_t i = 0; i < v->n; i++) swapped |= v->item[i].kind == BT_VARY_SWAP;
    if (swapped)
        cli_line("swap: %s", v->own_head ? "words of the checkpoint's own MLM head"
                                         : "nearest word embeddings (the checkpoint has no MLM head)");
    if (v->lower_case) cli_line("case: not tried, the tokenizer makes all letters small");
    if (v->more) cli_line("only the first %d variants were asked", BT_VARIANTS);
}

void counterfactual_tell_variants(const struct bt_variants *v, size_t limit, int64_t row)
{
    static const char *const titles[] = {"", "change", "before", "after", "says", "kind", "what"};
    enum { COLUMNS = sizeof titles / sizeof *titles };
    struct cli_table t = {.columns = COLUMNS, .right = 1u << 1 | 1u << 2 | 1u << 3};
    if (row) cli_line("row %lld", (long long)row);
    tell_decision(v->said, v->score);
    cli_line("%zu variants, %zu of them decide otherwise (*); %lld forward passes", v->n, v->flipped,
             (long long)v->passes);
    tell_notes(v);
    if (!v->n) return;
    for (size_t k = 0; k < COLUMNS; k++) cli_table_cell(&t, "%s", titles[k]);
    for (size_t i = 0; i < v->n && i < limit; i++) {
        const struct bt_variant *x = &v->item[i];
        cli_table_cell(&t, "%s", x->flipped ? "*" : "");
        cli_table_cell(&t, "%.4f", x->change);
        cli_table_cell(&t, "%.4f", x->before);
        cli_table_cell(&t, "%.4f", x->after);
        cli_table_text(&t, x->said, strlen(x->said), SAID_WIDTH);
        cli_table_cell(&t, "%s", bt_varies[x->kind]);
        cli_table_text(&t, x->what, strlen(x->what), WHAT_WIDTH);
    }
    cli_table_print(&t);
    if (v->n > limit) cli_line("… and %zu that change less (--limit)", v->n - limit);
}

void counterfactual_tell_flip(const struct bt_flip *f, int64_t row)
{
    struct cli_table t = {.columns = 5, .right = 1u << 3 | 1u << 4};
    static const char *const titles[] = {"", "", "", "estimate", "score"};
    if (row) cli_line("row %lld", (long long)row);
    cli_line("%s; score of %s: %.4f", f->said, f->of, f->score);
    for (size_t k = 0; k < 5 && f->n; k++) cli_table_cell(&t, "%s", titles[k]);
    for (size_t i = 0; i < f->n; i++) {
        cli_table_cell(&t, "%s", f->word[i].from);
        cli_table_cell(&t, "→");
        cli_table_cell(&t, "%s", f->word[i].to);
        cli_table_cell(&t, "%+.4f", f->word[i].estimate);
        cli_table_cell(&t, "%.4f", f->word[i].score);
    }
    if (f->n) cli_table_print(&t);
    if (f->n) cli_line("%s", f->new_text);
    if (f->flipped)
        cli_line("%s: flipped by %zu word%s", f->new_said, f->n, f->n == 1 ? "" : "s");
    else if (f->n)
        cli_line("%s: %zu word%s do%s not suffice (--most, --tries)", f->new_said, f->n, f->n == 1 ? "" : "s",
                 f->n == 1 ? "es" : "");
    else
        cli_line("no word that could be replaced makes a difference");
    cli_line("%lld variants tried, %zu replacement%s undone, %lld forward passes, %lld backward",
             (long long)f->tried, f->undone, f->undone == 1 ? "" : "s", (long long)f->passes,
             (long long)f->gradients);
}

/* ── for programs ── */

/* Places count code points. */
static void put_place(struct bt_json_writer *w, const char *text, size_t begin, size_t end)
{
    bt_jw_kint(w, "begin", (int64_t)bt_utf8_count(text, begin));
    bt_jw_kint(w, "end", (int64_t)bt_utf8_count(text, end));
}

static void json_variant(const struct bt_variants *v, const struct bt_variant *x, int64_t row,
                         struct bt_str *out)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    if (row) bt_jw_kint(&w, "row", row);
    bt_jw_ktext(&w, "kind", bt_varies[x->kind]);
    bt_jw_ktext(&w, "what", x->what);
    bt_jw_ktext(&w, "text", x->text);
    put_place(&w, v->text, x->begin, x->end);
    bt_jw_ktext(&w, "said", x->said);
    bt_jw_kbool(&w, "flipped", x->flipped);
    bt_jw_ktext(&w, "of", x->of);
    bt_jw_knum(&w, "before", x->before);
    bt_jw_knum(&w, "after", x->after);
    bt_jw_knum(&w, "change", x->change);
    bt_jw_end_object(&w);
}

void counterfactual_json_variants(const struct bt_variants *v, const char *model, int64_t row)
{
    struct bt_str out = {0};
    for (size_t i = 0; i < v->n; i++) {
        json_variant(v, &v->item[i], row, &out);
        cli_json(&out);
    }
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "model", model);
    if (row) bt_jw_kint(&w, "row", row);
    bt_jw_ktext(&w, "said", v->said);
    bt_jw_knum(&w, "score", v->score);
    bt_jw_kint(&w, "variants", (int64_t)v->n);
    bt_jw_kint(&w, "flipped", (int64_t)v->flipped);
    bt_jw_ktext(&w, "swaps", v->own_head ? "mlm" : "embeddings");
    bt_jw_kbool(&w, "lower_case", v->lower_case);
    bt_jw_kbool(&w, "more", v->more);
    bt_jw_kint(&w, "forward_passes", v->passes);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void json_words(const struct bt_flip *f, struct bt_json_writer *w)
{
    bt_jw_key(w, "words");
    bt_jw_array(w);
    for (size_t i = 0; i < f->n; i++) {
        const struct bt_flip_word *x = &f->word[i];
        bt_jw_object(w);
        bt_jw_ktext(w, "from", x->from);
        bt_jw_ktext(w, "to", x->to);
        put_place(w, f->text, x->begin, x->end);
        bt_jw_knum(w, "estimate", x->estimate);
        bt_jw_knum(w, "score", x->score);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

void counterfactual_json_flip(const struct bt_flip *f, const char *model, int64_t row)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "model", model);
    if (row) bt_jw_kint(&w, "row", row);
    bt_jw_ktext(&w, "said", f->said);
    bt_jw_ktext(&w, "of", f->of);
    bt_jw_knum(&w, "score", f->score);
    json_words(f, &w);
    bt_jw_kbool(&w, "flipped", f->flipped);
    bt_jw_ktext(&w, "new_text", f->new_text);
    bt_jw_ktext(&w, "new_said", f->new_said);
    bt_jw_knum(&w, "new_score", f->new_score);
    bt_jw_kint(&w, "undone", (int64_t)f->undone);
    bt_jw_kint(&w, "tried", f->tried);
    bt_jw_kint(&w, "forward_passes", f->passes);
    bt_jw_kint(&w, "backward_passes", f->gradients);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}
