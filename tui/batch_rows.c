#include "tui/batch_rows.h"

#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/run.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── loading ── */

static size_t last_row(const struct bt_batches *b)
{
    int64_t last = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->row[i].row > last) last = b->row[i].row;
    return (size_t)last;
}

/* Last step of the point that a step belongs to: the last steps of a run may be fewer than a point usually has. */
static int64_t end_of(int64_t step, int64_t every)
{
    int64_t first = bt_batches_first(step, every);
    return every > 1 && first <= INT64_MAX - every ? first + every - 1 : step;
}

static enum bt_status load_point(const char *run, int64_t step, int64_t every, struct bt_batches **out,
                                 struct bt_error *err)
{
    struct bt_batches *b;
    enum bt_status st = bt_batches_load(run, bt_batches_first(step, every), end_of(step, every), &b, err);
    if (st) return st;
    const int64_t found = b->last;
    if (found >= bt_batches_first(step, every) && b->first <= end_of(step, every)) {
        *out = b;
        return BT_OK;
    }
    bt_batches_free(b);
    return bt_batches_load(run, bt_batches_first(found, every), end_of(found, every), out, err);
}

static double mean_of(const struct bt_batches *b)
{
    double sum = 0.0;
    for (size_t i = 0; i < b->n; i++) sum += (double)b->row[i].loss;
    return b->n ? sum / (double)b->n : (double)NAN;
}

enum bt_status batch_rows_load(const char *run, int64_t step, int64_t last, struct batch_rows **out,
                               struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    struct batch_rows *b = calloc(1, sizeof *b);
    if (!b) return bt_fail(err, BT_NOMEM, "%s: no memory for a batch", run);
    b->asked = step;
    enum bt_status found = bt_run_experiment(run, &x, &b->texts.err);
    enum bt_status st = last > 0 ? bt_batches_load(run, step, last, &b->batches, err)
                                 : load_point(run, step, x ? x->run_logging_steps : 1, &b->batches, err);
    if (!st) {
        bt_batches_sort(b->batches);
        b->mean = mean_of(b->batches);
        if (!found) bt_texts_read(x, "train", last_row(b->batches), &b->texts);
        *out = b;
    } else {
        batch_rows_free(b);
    }
    bt_experiment_free(x);
    return st;
}

void batch_rows_free(struct batch_rows *b)
{
    if (!b) return;
    bt_batches_free(b->batches);
    bt_texts_clear(&b->texts);
    free(b);
}

/* ── telling ── */

void batch_rows_title(const struct batch_rows *b, struct bt_str *out)
{
    const long long first = (long long)b->batches->first, last = (long long)b->batches->last,
                    asked = (long long)b->asked;
    if (first == last)
        bt_str_addf(out, "step %lld", last);
    else
        bt_str_addf(out, "steps %lld to %lld", first, last);
    if (asked < first || asked > last) bt_str_addf(out, " (nearest to %lld)", asked);
}

const struct bt_example *batch_rows_example(const struct batch_rows *b, size_t i)
{
    return bt_texts_row(&b->texts, b->batches->row[i].row);
}

void batch_rows_text(const struct batch_rows *b, size_t i, struct bt_str *out)
{
    const struct bt_example *x = batch_rows_example(b, i);
    const bool words = b->texts.kind == BT_EXAMPLE_WORDS, choices = b->texts.kind == BT_EXAMPLE_CHOICES;
    if (!x) return;
    if (!words && x->text) bt_str_addn(out, x->text, x->text_n);
    for (uint32_t k = 0; (words || choices) && k < x->parts; k++) {
        bt_str_add(out, words ? (k ? " " : "") : k ? " / " : " | ");
        bt_str_addn(out, x->part[k].text, x->part[k].n);
    }
    if (!x->pair) return;
    bt_str_add(out, " | ");
    bt_str_addn(out, x->pair, x->pair_n);
}

/* The words that have a tag other than O, with it. */
static void add_tags(const struct bt_example *x, struct bt_str *out)
{
    for (uint32_t k = 0, n = 0; k < x->parts; k++) {
        const struct bt_part *p = &x->part[k];
        if (!p->tag || (p->tag_n == 1 && *p->tag == 'O')) continue;
        bt_str_add(out, n++ ? " " : "");
        bt_str_addn(out, p->text, p->n);
        bt_str_addc(out, '/');
        bt_str_addn(out, p->tag, p->tag_n);
    }
}

static void add_parts(const struct bt_example *x, uint32_t most, const char *none, struct bt_str *out)
{
    for (uint32_t k = 0; k < x->parts && k < most; k++) {
        bt_str_add(out, k ? ", " : "");
        bt_str_addn(out, x->part[k].text, x->part[k].n);
    }
    if (!x->parts) bt_str_add(out, none);
}

void batch_rows_gold(const struct batch_rows *b, size_t i, struct bt_str *out)
{
    const struct bt_example *x = batch_rows_example(b, i);
    if (!x) return;
    switch (b->texts.kind) {
    case BT_EXAMPLE_WORDS:
        add_tags(x, out);
        break;
    case BT_EXAMPLE_QUESTION:
        add_parts(x, 1, "(no answer)", out);
        break;
    case BT_EXAMPLE_LABEL_SET:
        add_parts(x, x->parts, "(none)", out);
        break;
    default:
        if (x->label) bt_str_addn(out, x->label, x->label_n);
    }
}

void batch_rows_where(const struct batch_rows *b, size_t i, struct bt_str *out)
{
    const struct bt_batch_row *r = &b->batches->row[i];
    const struct bt_example *x = batch_rows_example(b, i);
    const char *file = x && x->file < b->texts.n_files ? b->texts.file[x->file] : NULL;
    if (file && x->id)
        bt_str_addf(out, "%s %s", bt_path_base(file), x->id);
    else if (file)
        bt_str_addf(out, "%s:%zu", bt_path_base(file), x->line);
    else
        bt_str_addf(out, "row %lld", (long long)r->row);
    if (r->window) bt_str_addf(out, " window %d", r->window);
}

bool batch_rows_place(const struct batch_rows *b, size_t i, const char **file, size_t *row)
{
    const struct bt_example *x = batch_rows_example(b, i);
    if (!x || x->file >= b->texts.n_files || !b->texts.file[x->file]) return false;
    size_t first = (size_t)b->batches->row[i].row - 1;
    *row = 1;
    for (size_t k = first; k-- > 0 && bt_examples_at(b->texts.examples, k)->file == x->file;) ++*row;
    *file = b->texts.file[x->file];
    return true;
}
