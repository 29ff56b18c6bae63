#include "tui/commands/cli_predictor.h"

#include <bertty/experiment.h>

enum bt_status cli_predictor_open(struct cli_predictor *c, const char *runs_dir, const char *name,
                                  int64_t threads, bool vectors, struct bt_error *err)
{
    *c = (struct cli_predictor){.p = NULL};
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
