#include "tui/views/probe_score.h"

#include <bertty/file.h>
#include <bertty/run.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void set_clear(struct probe_scored_set *s)
{
    for (size_t i = 0; i < PROBE_MODELS; i++) {
        bt_probe_results_free(s->of[i]);
        free(s->fault[i]);
    }
    bt_probe_history_free(s->history);
    bt_probe_set_free(s->set);
    free(s->flip);
    free(s->error);
    free(s->path);
}

void probe_scored_free(struct probe_scored *x)
{
    if (!x) return;
    for (size_t i = 0; i < x->n; i++) set_clear(&x->set[i]);
    for (size_t i = 0; i < PROBE_MODELS; i++) free(x->dir[i]);
    free(x->set);
    free(x->trouble);
    free(x);
}

/* The first trouble is told. */
static void trouble(struct probe_scored *x, const struct bt_error *err)
{
    if (!x->trouble) x->trouble = bt_strdup(err->text);
}

/* ── which sets there are ── */

static bool is_set(const char *name)
{
    static const char *const ends[] = {".probe.yaml", ".probe.yml"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t m = strlen(ends[i]);
        if (n > m && name[0] != '.' && strcmp(name + n - m, ends[i]) == 0) return true;
    }
    return false;
}

/* folder: "" is the working directory. */
static bool find_sets(struct probe_scored *x, const char *folder)
{
    DIR *d = opendir(*folder ? folder : ".");
    bool good = true;
    for (struct dirent *e; d && good && x->n < PROBE_SETS && (e = readdir(d));) {
        if (!is_set(e->d_name)) continue;
        char *path = bt_strfmt("%s%s%s", folder, *folder ? "/" : "", e->d_name);
        good = path != NULL;
        if (good) x->set[x->n++].path = path;
    }
    if (d) closedir(d);
    return good;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct probe_scored_set *)a)->path, ((const struct probe_scored_set *)b)->path);
}

static bool load_sets(struct probe_scored *x)
{
    x->set = calloc(PROBE_SETS, sizeof *x->set);
    if (!x->set || !find_sets(x, "experiments") || !find_sets(x, "")) return false;
    qsort(x->set, x->n, sizeof *x->set, by_path);
    for (size_t i = 0; i < x->n; i++) {
        struct bt_error err = {.status = BT_OK};
        if (bt_probe_set_load(x->set[i].path, &x->set[i].set, &err)) x->set[i].error = bt_strdup(err.text);
    }
    return true;
}

/* ── histories ── */

/* Does the history know these results of the step already? */
static bool knows(const struct bt_probe_history *h, int64_t step, const struct bt_probe_results *r)
{
    size_t k = 0;
    while (k < h->n_steps && h->step[k] != step) k++;
    if (k == h->n_steps || r->n != h->n) return false;
    for (size_t i = 0; i < h->n; i++) {
        const struct bt_probe_verdict *v = &h->verdict[i * h->n_steps + k];
        const struct bt_probe_result *one = &r->result[i];
        if (!v->known || v->passed != one->passed || strcmp(v->said, one->said) != 0) return false;
        if (v->score < one->score || v->score > one->score) return false;
    }
    return true;
}

/* What a run's checkpoint said is kept, unless it is kept already. */
static void keep(struct probe_scored *x, const char *run, const struct bt_probe_set *set, int64_t step,
                 const struct bt_probe_results *r)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_probe_history *h = NULL;
    enum bt_status st = bt_probe_history_load(run, set, &h, &err);
    if (!st && !knows(h, step, r)) st = bt_probe_history_add(run, set, step, r, &err);
    if (st) trouble(x, &err);
    bt_probe_history_free(h);
}

static void load_history(struct probe_scored *x, struct probe_scored_set *s)
{
    struct bt_error err = {.status = BT_OK};
    if (bt_probe_history_load(x->dir[0], s->set, &s->history, &err)) trouble(x, &err);
    if (s->history && !bt_probe_flips(s->history, &s->flip, &s->n_flips)) s->n_flips = 0;
}

/* ── scoring ── */

static void score_one(struct probe_scored *x, struct probe_scored_set *s, struct bt_predictor *p, size_t i,
                      const atomic_bool *stop)
{
    struct bt_error err = {.status = BT_OK};
    if (!s->set || atomic_load(stop)) return;
    if (bt_probe_set_score(s->set, p, stop, &s->of[i], &err))
        s->fault[i] = bt_strdup(err.text);
    else if (x->step[i] >= 0)
        keep(x, x->dir[i], s->set, x->step[i], s->of[i]);
}

static void score_model(struct probe_scored *x, struct probe_cache *c, const struct probe_wish *w, size_t i,
                        const atomic_bool *stop)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_predictor *p = probe_cache_model(c, w, i, &x->step[i], &err);
    for (size_t k = 0; k < x->n && !atomic_load(stop); k++) {
        if (p)
            score_one(x, &x->set[k], p, i, stop);
        else
            x->set[k].fault[i] = bt_strdup(err.text);
    }
}

static bool is_missing(const struct probe_scored_set *s, int64_t step)
{
    return s->of[0] && s->history && !bt_probe_history_has(s->history, step);
}

/* A checkpoint of the first run, for the sets that fit it and do not know it. */
static void score_checkpoint(struct probe_scored *x, int64_t step, const atomic_bool *stop)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_predictor *p = NULL;
    char *path = NULL;
    int64_t found;
    enum bt_status st = bt_run_checkpoint(x->dir[0], step, &path, &found, &err);
    const struct bt_predictor_spec spec = {.model_dir = path, .run_dir = x->dir[0], .threads = 1};
    if (!st) st = bt_predictor_open(&spec, &p, &err);
    for (size_t k = 0; k < x->n && !st && !atomic_load(stop); k++) {
        struct bt_probe_results *r = NULL;
        if (!is_missing(&x->set[k], step)) continue;
        st = bt_probe_set_score(x->set[k].set, p, stop, &r, &err);
        if (!st) keep(x, x->dir[0], x->set[k].set, step, r);
        bt_probe_results_free(r);
    }
    if (st && st != BT_CANCELLED) trouble(x, &err);
    bt_predictor_free(p);
    free(path);
}

/* How many checkpoints of the first run are missing in a history; they are scored where fill says so. */
static int each_missing(struct probe_scored *x, bool fill, const atomic_bool *stop,
                        void (*progress)(void *ctx, int done, int all), void *ctx)
{
    int64_t *step = NULL;
    size_t n = 0;
    int missing = 0;
    if (!x->models || bt_run_checkpoints(x->dir[0], &step, &n, NULL)) return 0;
    for (size_t i = n; i-- > 0 && !atomic_load(stop);) {
        bool any = false;
        for (size_t k = 0; k < x->n; k++) any |= is_missing(&x->set[k], step[i]);
        missing += any;
        if (any && fill) score_checkpoint(x, step[i], stop);
        if (fill) progress(ctx, (int)(n - i), (int)n);
    }
    free(step);
    return missing;
}

static bool start(struct probe_scored *x, const struct probe_wish *w)
{
    x->models = w->n;
    for (size_t i = 0; i < w->n; i++) {
        x->step[i] = -1;
        if (!(x->dir[i] = bt_strdup(w->dir[i]))) return false;
    }
    return load_sets(x);
}

static void histories(struct probe_scored *x)
{
    for (size_t k = 0; k < x->n; k++) {
        struct probe_scored_set *s = &x->set[k];
        bt_probe_history_free(s->history);
        free(s->flip);
        s->history = NULL;
        s->flip = NULL;
        s->n_flips = 0;
        if (s->set && x->models) load_history(x, s);
    }
}

struct probe_scored *probe_score(struct probe_cache *c, const struct probe_wish *w, bool fill,
                                 const atomic_bool *stop, void (*progress)(void *ctx, int done, int all),
                                 void *ctx)
{
    struct probe_scored *x = calloc(1, sizeof *x);
    bool good = x && start(x, w);
    for (size_t i = 0; good && i < w->n && !atomic_load(stop); i++) score_model(x, c, w, i, stop);
    if (good) histories(x);
    if (good) x->missing = each_missing(x, fill, stop, progress, ctx) > 0;
    if (good && fill) histories(x);
    if (good) x->filled = fill;
    if (good && !atomic_load(stop)) return x;
    probe_scored_free(x);
    return NULL;
}
