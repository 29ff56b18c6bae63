/* Sentiment about an aspect of a text: one label of several (cross-entropy) for a text and an aspect.
 *
 * What the model reads is [CLS] text [SEP] second [SEP]; task.absa_format says what the second text is. An aspect may name a target too,
 * TARGET#ASPECT, as SemEval 2015's and 2016's categories do (FOOD#QUALITY).
 *
 *     spc     the aspect as it stands                     (BERT-SPC: Song et al. 2019, arXiv 1902.09314)
 *     nli_m   "TARGET - ASPECT"; without a target the aspect by itself
 *     qa_m    "what do you think of the ASPECT of TARGET ?"; without a target "… of it ?"
 *
 * nli_m and qa_m: Sun et al. 2019 (arXiv 1903.09588), section 2.2; where there is no target, as their programs write the second text for SemEval
 * 2014 (generate_semeval_NLI_M.py, generate_semeval_QA_M.py of ABSA-BERT-pair). */
#include "tasks/classes.h"
#include "tasks/inputs.h"

#include <stdlib.h>
#include <string.h>

/* A .seg file has no columns; a table needs all three, and its reader tells which is missing where none is given. */
static bool check(const struct bt_experiment *x, int *which, const char **what)
{
    static const char missing[] = "missing, expected a column's name or number";
    const char *column[] = {x->data_text_column, x->data_aspect_column, x->data_label_column};
    const int option[] = {BT_OPTION_data_text_column, BT_OPTION_data_aspect_column,
                          BT_OPTION_data_label_column};
    bool some = column[0] || column[1] || column[2];
    *which = BT_OPTION_data_text_pair_column;
    *what = "absa has no second text, expected data.aspect_column";
    if (x->data_text_pair_column) return false;
    *what = missing;
    for (int i = 0; some && i < 3; i++) {
        *which = option[i];
        if (!column[i]) return false;
    }
    return true;
}

/* ── the second text ── */

struct part {
    const char *p;
    size_t n;
};

static struct part trimmed(const char *p, size_t n)
{
    while (n > 0 && *p == ' ') p++, n--;
    while (n > 0 && p[n - 1] == ' ') n--;
    return (struct part){.p = p, .n = n};
}

/* What stands around the first '#'; an aspect such as "C#" has no target. */
static void cut(struct part whole, struct part *target, struct part *aspect)
{
    const char *at = memchr(whole.p, '#', whole.n);
    *target = (struct part){.n = 0};
    *aspect = whole;
    if (!at) return;
    struct part left = trimmed(whole.p, (size_t)(at - whole.p)),
                right = trimmed(at + 1, whole.n - (size_t)(at - whole.p) - 1);
    if (left.n == 0 || right.n == 0) return;
    *target = left;
    *aspect = right;
}

static void add(struct bt_str *to, struct part what)
{
    bt_str_addn(to, what.p, what.n);
}

static void write_nli(struct part target, struct part aspect, struct bt_str *to)
{
    add(to, target);
    if (target.n) bt_str_add(to, " - ");
    add(to, aspect);
}

static void write_qa(struct part target, struct part aspect, struct bt_str *to)
{
    bt_str_add(to, "what do you think of the ");
    add(to, aspect);
    bt_str_add(to, " of ");
    add(to, target.n ? target : (struct part){.p = "it", .n = 2});
    bt_str_add(to, " ?");
}

static void write_second(int format, const struct bt_example *e, struct bt_str *to)
{
    struct part target, aspect, whole = {.p = e->pair, .n = e->pair_n};
    if (format == BT_ABSA_FORMAT_SPC) {
        add(to, whole);
        return;
    }
    cut(whole, &target, &aspect);
    if (format == BT_ABSA_FORMAT_NLI_M)
        write_nli(target, aspect, to);
    else
        write_qa(target, aspect, to);
}

/* texts [d->n]: pairs stand in *seconds one behind the other. */
static enum bt_status write_all(const struct bt__task *t, const struct bt__task_data *d,
                                struct bt__text *texts, struct bt_str *seconds, struct bt_error *err)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        if (!e->pair || trimmed(e->pair, e->pair_n).n == 0)
            return bt_fail(err, BT_INVALID, "%s:%zu: no aspect, expected one", bt__task_file(d, e), e->line);
        size_t before = seconds->len;
        write_second(t->x->task_absa_format, e, seconds);
        texts[i] = (struct bt__text){.text = e->text, .text_n = e->text_n, .pair_n = seconds->len - before};
    }
    if (seconds->failed) return bt_fail(err, BT_NOMEM, "no memory for %zu aspects", d->n);
    const char *at = bt_str_text(seconds);
    for (size_t i = 0; i < d->n; i++) {
        texts[i].pair = at;
        at += texts[i].pair_n;
    }
    return BT_OK;
}

static enum bt_status build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err)
{
    struct bt_str seconds = {.len = 0};
    struct bt__text *texts = calloc(d->n + 1, sizeof *texts);
    enum bt_status st = texts ? write_all(t, d, texts, &seconds, err)
                              : bt_fail(err, BT_NOMEM, "no memory for %zu examples", d->n);
    if (!st) st = bt__task_texts(t, d, texts, d->n, 1, pool, err);
    bt_str_free(&seconds);
    free(texts);
    return st ? st : bt__classes_gold(t, d, gold, err);
}

const struct bt__task_ops bt__task_absa = {
    .name = "absa",
    .about = "the sentiment about an aspect of a text",
    .examples = BT_EXAMPLE_ASPECT,
    .check = check,
    .build = build,
    BT__CLASSES_OPS,
};
