#include "tui/commands/cli_predictor.h"

#include <bertty/experiment.h>
#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

const char *const cli_precisions[] = {"auto", "fp32", "bf16", NULL};

const char *cli_precision(int choice)
{
    return choice > 0 ? cli_precisions[choice] : NULL;
}

enum bt_status cli_predictor_open(struct cli_predictor *c, const char *runs_dir, const char *name,
                                  int64_t threads, bool vectors, struct bt_error *err)
{
    *c = (struct cli_predictor){.name = name};
    enum bt_status st = cli_model_find(runs_dir, name, &c->model, err);
    const struct bt_predictor_spec spec = {
        .model_dir = c->model.dir, .run_dir = c->model.run, .threads = (int)threads, .vectors = vectors};
    return st ? st : bt_predictor_open(&spec, &c->p, err);
}

void cli_predictor_close(struct cli_predictor *c)
{
    bt_predictor_free(c->p);
    cli_model_clear(&c->model);
    c->p = NULL;
}

enum bt_status cli_predictor_fits(const struct cli_predictor *c, const struct bt_input *in, size_t choices,
                                  struct bt_error *err)
{
    const int task = bt_predictor_task(c->p);
    const bool run = c->model.run, chooses = task == BT_TYPE_MULTIPLE_CHOICE;
    const bool pairs = task == BT_TYPE_QA || task == BT_TYPE_ABSA ||
                       (run && !chooses && bt_predictor_experiment(c->p)->data_text_pair_column);
    if (chooses && in->parts < 2)
        return bt_fail(err, BT_INVALID, "%s chooses one of several texts: expected --choice for each",
                       c->name);
    if (!chooses && choices)
        return bt_fail(err, BT_INVALID, "%s does not choose: --choice is of no use", c->name);
    if (pairs && !in->pair)
        return bt_fail(err, BT_INVALID, "%s was trained on pairs: --pair is missing", c->name);
    if (run && !pairs && in->pair)
        return bt_fail(err, BT_INVALID, "%s was trained on single texts, but there is a pair", c->name);
    return BT_OK;
}

enum bt_status cli_input_of(const char *text, const char *pair, const struct cli_list *choice,
                            struct bt_input *in, struct bt_part **part, struct bt_error *err)
{
    *part = calloc(choice->n + 1, sizeof **part);
    if (!*part) return bt_fail(err, BT_NOMEM, "no memory for %zu choices", choice->n);
    for (size_t i = 0; i < choice->n; i++)
        (*part)[i] = (struct bt_part){.text = choice->item[i], .n = strlen(choice->item[i]), .at = -1};
    *in = (struct bt_input){.text = text,
                            .text_n = strlen(text),
                            .pair = pair,
                            .pair_n = pair ? strlen(pair) : 0,
                            .part = *part,
                            .parts = (uint32_t)choice->n};
    return BT_OK;
}

enum bt_status cli_examples_load(const struct bt_predictor *p, const char *file, bool labels,
                                 struct bt_examples **out, struct bt_error *err)
{
    struct bt_data_spec spec = bt_experiment_data(bt_predictor_experiment(p));
    spec.files = &file;
    spec.n_files = 1;
    if (!labels) spec.label_column = spec.tags_column = spec.class_names_file = NULL;
    if (spec.kind == BT_EXAMPLE_TEXT && !spec.text_column) {
        spec.dialect =
            (struct bt_data_dialect){.format = BT_DATA_TSV, .delimiter = '\t', .quoting = 0, .header = 0};
        spec.text_column = "1";
    }
    return bt_examples_load(&spec, out, err);
}

static struct bt_input input_of(const struct bt_predictor *p, const struct bt_example *x)
{
    const bool answers = bt_predictor_task(p) == BT_TYPE_QA;
    return (struct bt_input){.text = x->text,
                             .text_n = x->text_n,
                             .pair = x->pair,
                             .pair_n = x->pair_n,
                             .part = answers ? NULL : x->part,
                             .parts = answers ? 0 : x->parts,
                             .mark = x->mark,
                             .mark_n = x->mark_n};
}

enum bt_status cli_predictor_rows(const struct cli_predictor *c, const char *file,
                                  const struct cli_list *rows,
                                  enum bt_status (*ask)(void *ctx, const struct bt_input *in, int64_t row,
                                                        struct bt_error *err),
                                  void *ctx, struct bt_error *err)
{
    struct bt_examples *e = NULL;
    enum bt_status st = cli_examples_load(c->p, file, false, &e, err);
    if (st) return st;
    const size_t n = bt_examples_count(e);
    for (size_t i = 0; i < (rows->n ? rows->n : n) && !st && !cli_output_gone(); i++) {
        int64_t row = (int64_t)i + 1;
        if (rows->n && (!bt_parse_int64(rows->item[i], &row) || row < 1 || (size_t)row > n)) {
            st = bt_fail(err, BT_INVALID, "%s: no row %.40s, expected a number from 1 to %zu", file,
                         rows->item[i], n);
            break;
        }
        const struct bt_input in = input_of(c->p, bt_examples_at(e, (size_t)row - 1));
        st = ask(ctx, &in, row, err);
        if (st && st != BT_CANCELLED) bt_error_prefix(err, st, "%s, row %lld", file, (long long)row);
    }
    bt_examples_free(e);
    return st;
}
