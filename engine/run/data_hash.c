#include <bertty/data_hash.h>

#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/run.h>
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 24 /* bytes of run.json */ };

static enum bt_status sum_up(const struct bt_str *all, size_t files, char hex[BT_DATA_HASH],
                             struct bt_error *err)
{
    if (all->failed) return bt_fail(err, BT_NOMEM, "no memory for sums");
    if (files == 1)
        memcpy(hex, all->data, BT_DATA_HASH);
    else
        bt_sha256(bt_str_text(all), all->len, hex);
    return BT_OK;
}

enum bt_status bt_data_hash_now(const struct bt_data_spec *spec, char hex[BT_DATA_HASH], struct bt_error *err)
{
    struct bt_str all = {0};
    enum bt_status st =
        spec->n_files ? BT_OK : bt_fail(err, BT_NOTFOUND, "the experiment names no file of this split");
    for (size_t i = 0; i < spec->n_files && !st; i++) {
        char one[BT_DATA_HASH];
        st = bt_sha256_file(spec->files[i], one, err);
        if (!st) bt_str_add(&all, one);
    }
    if (!st) st = sum_up(&all, spec->n_files, hex, err);
    bt_str_free(&all);
    return st;
}

static enum bt_status saved(const char *dir, const struct bt_data_spec *spec, char hex[BT_DATA_HASH],
                            struct bt_error *err)
{
    char *path = bt_path_join(dir, "run.json");
    struct bt_json *run = path ? bt_json_load(path, LARGEST, NULL) : NULL;
    const struct bt_json *data = bt_json_get(run, "data");
    struct bt_str all = {0};
    enum bt_status st = spec->n_files ? BT_OK : BT_NOTFOUND;
    for (size_t i = 0; i < spec->n_files && !st; i++) {
        const char *one = bt_json_text(bt_json_get(data, spec->files[i]), "");
        if (strlen(one) != BT_DATA_HASH - 1) st = BT_NOTFOUND;
        bt_str_add(&all, one);
    }
    if (st) bt_fail(err, st, "%s: run.json does not tell the sums of its data", dir);
    if (!st) st = sum_up(&all, spec->n_files, hex, err);
    bt_str_free(&all);
    bt_json_free(run);
    free(path);
    return st;
}

enum bt_status bt_data_hash_of_run(const char *dir, const char *split, char hex[BT_DATA_HASH],
                                   struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    enum bt_status st = bt_run_experiment(dir, &x, err);
    if (!st) {
        const struct bt_data_spec spec = bt_experiment_split(x, split);
        st = saved(dir, &spec, hex, err);
    }
    bt_experiment_free(x);
    return st;
}
