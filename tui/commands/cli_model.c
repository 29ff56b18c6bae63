#include "tui/commands/cli_model.h"
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/hub.h>
#include <bertty/num.h>
#include <bertty/run.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has(const char *dir, const char *file)
{
    char *path = bt_path_join(dir, file);
    struct stat s;
    bool there = path && stat(path, &s) == 0 && S_ISREG(s.st_mode);
    free(path);
    return there;
}

/* dir/checkpoints/step-000400 → dir, if that is a run. */
static char *run_above(const char *checkpoint, int64_t *step)
{
    char *path = realpath(checkpoint, NULL);
    char *name = path ? strrchr(path, '/') : NULL;
    if (name && strncmp(name, "/step-", 6) == 0 && bt_parse_int64(name + 6, step)) {
        *name = '\0';
        char *folder = strrchr(path, '/');
        if (folder && strcmp(folder, "/checkpoints") == 0) {
            *folder = '\0';
            if (has(path, "experiment.yaml")) return path;
        }
    }
    free(path);
    *step = -1;
    return NULL;
}

/* No run is called so: perhaps a model in the Hugging Face cache is. */
static enum bt_status in_cache(const char *name, enum bt_status status, struct cli_model *m,
                               struct bt_error *err)
{
    struct bt_error run = *err;
    if (bt_path_exists(name) || !bt_hub_is_name(name)) return status;
    enum bt_status st = bt_hub_find(name, &m->dir, err);
    if (st != BT_NOTFOUND) return st;
    return bt_fail(err, status, "%s; nor is it in the cache of models (`bertty pull %s` fetches it)",
                   run.text, name);
}

enum bt_status cli_model_find(const char *runs_dir, const char *name, struct cli_model *m,
                              struct bt_error *err)
{
    *m = (struct cli_model){.step = -1};
    if (has(name, "config.json") || has(name, "bert_config.json") || has(name, "adapter_config.json")) {
        m->run = run_above(name, &m->step);
        m->dir = bt_strdup(name);
        return m->dir ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a name", name);
    }
    int64_t step;
    enum bt_status st = bt_run_find(runs_dir ? runs_dir : "runs", name, &m->run, &step, err);
    if (st == BT_NOTFOUND || (st == BT_INVALID && strchr(name, '@'))) return in_cache(name, st, m, err);
    if (!st) st = bt_run_checkpoint(m->run, step, &m->dir, &m->step, err);
    if (st) cli_model_clear(m);
    return st;
}

void cli_model_clear(struct cli_model *m)
{
    free(m->dir);
    free(m->run);
    *m = (struct cli_model){.step = -1};
}

enum bt_status cli_model_fits(const struct bt_predictor *p, const char *name, bool run,
                              const struct bt_input *in, size_t choices_given, struct bt_error *err)
{
    const int task = bt_predictor_task(p);
    const bool choices = task == BT_TYPE_MULTIPLE_CHOICE;
    const bool pairs = task == BT_TYPE_QA || task == BT_TYPE_ABSA ||
                       (run && !choices && bt_predictor_experiment(p)->data_text_pair_column);
    if (choices && in->parts < 2)
        return bt_fail(err, BT_INVALID, "%s chooses one of several texts: expected --choice for each", name);
    if (!choices && choices_given)
        return bt_fail(err, BT_INVALID, "%s does not choose: --choice is of no use", name);
    if (pairs && !in->pair)
        return bt_fail(err, BT_INVALID, "%s was trained on pairs: --pair is missing", name);
    if (run && !pairs && in->pair)
        return bt_fail(err, BT_INVALID, "%s was trained on single texts, but there is a pair", name);
    return BT_OK;
}
