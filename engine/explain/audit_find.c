/* Which audit a run belongs to, where its decisions are kept, and whether its data are still those. */
#include <bertty/audit.h>

#include <bertty/file.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* "tiny-audit-2of5" for the name "tiny": 5; 0: no run of such an audit. */
static int64_t folds_of(const char *id, const char *name)
{
    static const char between[] = "-audit-", of[] = "of";
    const size_t n = strlen(name), m = sizeof between - 1;
    char *end;
    if (strncmp(id, name, n) != 0 || strncmp(id + n, between, m) != 0) return 0;
    const char *at = id + n + m;
    if (*at < '1' || *at > '9') return 0;
    const long long part = strtoll(at, &end, 10);
    if (strncmp(end, of, sizeof of - 1) != 0 || end[2] < '1' || end[2] > '9') return 0;
    const long long folds = strtoll(end + 2, &end, 10);
    return *end == '\0' && part <= folds && folds >= 2 && folds <= BT_AUDIT_MOST_FOLDS ? folds : 0;
}

/* The number of folds that most runs there have, the greater one of equals; BT_AUDIT_FOLDS: there are none. */
static int64_t most_runs(const char *runs_dir, const char *name)
{
    size_t runs[BT_AUDIT_MOST_FOLDS + 1] = {0};
    int64_t best = 0;
    DIR *d = opendir(runs_dir);
    for (struct dirent *e; d && (e = readdir(d));) runs[folds_of(e->d_name, name)]++;
    if (d) closedir(d);
    for (int64_t k = 2; k <= BT_AUDIT_MOST_FOLDS; k++)
        if (runs[k] && (!best || runs[k] >= runs[best])) best = k;
    return best ? best : BT_AUDIT_FOLDS;
}

enum bt_status bt_audit_of_run(const char *dir, const char *runs_dir, struct bt_experiment **x,
                               int64_t *folds, struct bt_error *err)
{
    char *name = NULL;
    *x = NULL;
    enum bt_status st = bt_run_experiment(dir, x, err);
    if (!st && !(name = bt_experiment_name(*x))) st = bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    if (!st) *folds = folds_of(bt_path_base(dir), name);
    if (!st && !*folds) *folds = most_runs(runs_dir, name);
    free(name);
    return st;
}

char *bt_audit_decisions_path(const struct bt_experiment *x, const char *runs_dir)
{
    if (x->data_label_decisions) return bt_strdup(x->data_label_decisions);
    char *name = bt_experiment_name(x);
    char *path =
        name ? bt_strfmt("%s/%s.decisions.jsonl", runs_dir ? runs_dir : x->run_output_dir, name) : NULL;
    free(name);
    return path;
}

enum bt_status bt_audit_data(const struct bt_audit_plan *p, const struct bt_data_spec *spec,
                             char hex[BT_DATA_HASH], struct bt_error *err)
{
    enum bt_status st = bt_data_hash_now(spec, hex, err);
    for (size_t k = 0; k < p->n && !st; k++) {
        char then[BT_DATA_HASH];
        if (!p->fold[k].there || bt_data_hash_of_run(p->fold[k].dir, "train", then, NULL)) continue;
        if (strcmp(then, hex) != 0)
            st = bt_fail(err, BT_INVALID,
                         "the training data have changed since %s was trained: %.12s… then, %.12s… now",
                         bt_path_base(p->fold[k].dir), then, hex);
    }
    return st;
}
