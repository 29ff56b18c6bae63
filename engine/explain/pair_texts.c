#include <bertty/experiment.h>
#include <bertty/num.h>
#include <bertty/pair_slices.h>
#include <bertty/run.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool copy_files(const struct bt_data_spec *spec, struct bt_pair_texts *out)
{
    out->file = calloc(spec->n_files + 1, sizeof *out->file);
    for (size_t i = 0; out->file && i < spec->n_files; i++) {
        if (!(out->file[i] = bt_strdup(spec->files[i]))) return false;
        out->n_files++;
    }
    return out->file != NULL;
}

static void load_files(const struct bt_experiment *x, const char *split, struct bt_pair_texts *out)
{
    const struct bt_data_spec spec = bt_experiment_split(x, split);
    if (!spec.n_files)
        bt_fail(&out->err, BT_NOTFOUND, "the experiment names no file of the %s split", split);
    else if (!copy_files(&spec, out))
        bt_fail(&out->err, BT_NOMEM, "no memory for the texts");
    else
        bt_examples_load(&spec, &out->examples, &out->err);
}

void bt_pair_texts_load(const char *dir, const char *split, struct bt_pair_texts *out)
{
    struct bt_experiment *x = NULL;
    *out = (struct bt_pair_texts){.n_files = 0};
    if (bt_run_experiment(dir, &x, &out->err) == BT_OK) load_files(x, split, out);
    bt_experiment_free(x);
}

void bt_pair_texts_clear(struct bt_pair_texts *t)
{
    bt_examples_free(t->examples);
    for (size_t i = 0; i < t->n_files; i++) free(t->file[i]);
    free(t->file);
    *t = (struct bt_pair_texts){.n_files = 0};
}

static bool same_number(const char *label, double gold)
{
    double number;
    return !label || !bt_parse_double(label, &number) || fabs(number - gold) <= 1e-4 * (1 + fabs(number));
}

const struct bt_example *bt_pair_example(const struct bt_pairing *p, const struct bt_examples *e,
                                         const struct bt_pair_row *row)
{
    if (!e || row->id < 1 || (uint64_t)row->id > bt_examples_count(e)) return NULL;
    const struct bt_example *x = bt_examples_at(e, (size_t)row->id - 1);
    bool same = p->kind == BT_ROWS_LABELS    ? x->label && strcmp(x->label, row->gold) == 0
                : p->kind == BT_ROWS_NUMBERS ? same_number(x->label, row->gold_value)
                                             : true;
    return same ? x : NULL;
}

void bt_pair_add_text(const struct bt_pairing *p, const struct bt_example *x, struct bt_str *out)
{
    bool tags = p->kind == BT_ROWS_TAGS, choices = p->kind == BT_ROWS_LABELS;
    if (!tags && x->text) bt_str_addn(out, x->text, x->text_n);
    for (uint32_t i = 0; (tags || choices) && i < x->parts; i++) {
        bt_str_add(out, tags ? (i ? " " : "") : i ? " / " : " | ");
        bt_str_addn(out, x->part[i].text, x->part[i].n);
    }
    if (!x->pair) return;
    bt_str_add(out, " | ");
    bt_str_addn(out, x->pair, x->pair_n);
}
