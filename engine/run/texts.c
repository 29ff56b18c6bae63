#include <bertty/texts.h>

#include <bertty/experiment.h>
#include <bertty/run.h>
#include <bertty/str.h>
#include <stdlib.h>

static bool copy_files(const struct bt_data_spec *spec, struct bt_texts *out)
{
    out->file = calloc(spec->n_files + 1, sizeof *out->file);
    for (size_t i = 0; out->file && i < spec->n_files; i++) {
        if (!(out->file[i] = bt_strdup(spec->files[i]))) return false;
        out->n_files++;
    }
    return out->file != NULL;
}

void bt_texts_read(const struct bt_experiment *x, const char *split, size_t most, struct bt_texts *out)
{
    struct bt_data_spec spec = bt_experiment_split(x, split);
    *out = (struct bt_texts){.kind = spec.kind};
    if (most && (!spec.max_samples || most < spec.max_samples)) spec.max_samples = out->most = most;
    if (!spec.n_files)
        bt_fail(&out->err, BT_NOTFOUND, "the run's experiment names no file for its %s split", split);
    else if (!copy_files(&spec, out))
        bt_fail(&out->err, BT_NOMEM, "no memory for the texts");
    else
        bt_examples_load(&spec, &out->examples, &out->err);
}

void bt_texts_load(const char *run, const char *split, size_t most, struct bt_texts *out)
{
    struct bt_experiment *x = NULL;
    *out = (struct bt_texts){.n_files = 0};
    if (bt_run_experiment(run, &x, &out->err) == BT_OK) bt_texts_read(x, split, most, out);
    bt_experiment_free(x);
}

void bt_texts_clear(struct bt_texts *t)
{
    bt_examples_free(t->examples);
    for (size_t i = 0; i < t->n_files; i++) free(t->file[i]);
    free(t->file);
    *t = (struct bt_texts){.n_files = 0};
}

const struct bt_example *bt_texts_row(const struct bt_texts *t, int64_t row)
{
    if (!t->examples || row < 1 || (uint64_t)row > bt_examples_count(t->examples)) return NULL;
    return bt_examples_at(t->examples, (size_t)row - 1);
}
