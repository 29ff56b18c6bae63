#include "tui/views/probe_ask.h"

#include <bertty/file.h>
#include <bertty/predictor.h>
#include <bertty/run.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A checkpoint that is open. A run that was resumed may write the same step again: the model's file tells. */
struct open_model {
    char *path;
    int64_t step;
    struct timespec written;
    struct bt_predictor *predictor;
    bool wanted;
};

struct probe_cache {
    struct open_model model[PROBE_MODELS];
};

void probe_wish_free(struct probe_wish *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->n; i++) free(w->dir[i]);
    free(w->text);
    free(w->pair);
    free(w);
}

static void answer_clear(struct probe_answer *a)
{
    for (int i = 0; a->label && i < a->n; i++) free(a->label[i]);
    free(a->label);
    free(a->score);
    free(a->error);
    *a = (struct probe_answer){.n = 0};
}

void probe_found_free(struct probe_found *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->n; i++) answer_clear(&f->answer[i]);
    free(f->pieces);
    free(f->saved);
    free(f);
}

struct probe_cache *probe_cache_new(void)
{
    return calloc(1, sizeof(struct probe_cache));
}

static void close_model(struct open_model *m)
{
    bt_predictor_free(m->predictor);
    free(m->path);
    *m = (struct open_model){.path = NULL};
}

void probe_cache_free(struct probe_cache *c)
{
    for (size_t i = 0; c && i < PROBE_MODELS; i++) close_model(&c->model[i]);
    free(c);
}

/* ── opening ── */

static bool same_file(const struct open_model *m, const char *path, struct timespec written)
{
    return m->path && strcmp(m->path, path) == 0 && m->written.tv_sec == written.tv_sec &&
           m->written.tv_nsec == written.tv_nsec;
}

static enum bt_status open_at(struct open_model *m, const char *run_dir, const char *path,
                              struct bt_error *err)
{
    struct bt_predictor_spec spec = {.model_dir = path, .run_dir = run_dir, .threads = 1};
    close_model(m);
    m->path = bt_strdup(path);
    enum bt_status st = m->path ? bt_predictor_open(&spec, &m->predictor, err)
                                : bt_fail(err, BT_NOMEM, "no memory for a model");
    if (st) close_model(m);
    return st;
}

/* The place of a model that nobody asked for in this call. There are as many places as models, so there always is one. */
static struct open_model *free_place(struct probe_cache *c)
{
    struct open_model *empty = NULL, *unwanted = NULL;
    for (size_t i = 0; i < PROBE_MODELS; i++) {
        struct open_model *m = &c->model[i];
        if (!m->path && !empty) empty = m;
        if (m->path && !m->wanted && !unwanted) unwanted = m;
    }
    return empty ? empty : unwanted;
}

static struct open_model *find_open(struct probe_cache *c, const char *path, struct timespec written)
{
    for (size_t i = 0; i < PROBE_MODELS; i++)
        if (same_file(&c->model[i], path, written)) return &c->model[i];
    return NULL;
}

static bool written_at(const char *path, struct timespec *when, struct bt_error *err)
{
    struct stat info;
    char *weights = bt_path_join(path, "model.safetensors");
    bool good = weights && stat(weights, &info) == 0;
    if (good)
        *when = info.st_mtim;
    else
        bt_fail_errno(err, "%s", weights ? weights : path);
    free(weights);
    return good;
}

/* The model of a run's checkpoint, opened if it is not; NULL: err says why. */
static struct open_model *model_of(struct probe_cache *c, const char *dir, int64_t wish, struct bt_error *err)
{
    char *path = NULL;
    int64_t step = 0;
    struct timespec written;
    if (bt_run_checkpoint(dir, wish, &path, &step, err)) return NULL;
    struct open_model *m = NULL;
    if (written_at(path, &written, err)) {
        m = find_open(c, path, written);
        if (!m) {
            m = free_place(c);
            if (m && open_at(m, dir, path, err)) m = NULL;
        }
    }
    if (m) {
        m->step = step;
        m->written = written;
        m->wanted = true;
    }
    free(path);
    return m;
}

/* ── asking ── */

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static bool copy_scores(struct probe_answer *a, const struct bt_output *out)
{
    a->label = calloc(out->n + 1, sizeof *a->label);
    a->score = calloc(out->n + 1, sizeof *a->score);
    if (!a->label || !a->score) return false;
    for (size_t i = 0; i < out->n; i++, a->n++) {
        const struct bt_answer *from = &out->answer[i];
        a->score[i] = (float)from->score;
        if (from->chosen) a->predicted = (int)i;
        if (!(a->label[i] = bt_strndup(from->label, from->label_n))) return false;
    }
    a->tokens = out->tokens;
    a->truncated = out->truncated;
    return true;
}

static bool answer(struct probe_answer *a, struct open_model *m, const struct probe_wish *w,
                   struct bt_error *err)
{
    struct bt_input in = {
        .text = w->text, .text_n = strlen(w->text), .pair = w->pair, .pair_n = w->pair ? strlen(w->pair) : 0};
    struct bt_output out;
    a->step = m->step;
    a->most = bt_predictor_max_length(m->predictor);
    if (!in.text_n && !in.pair_n) return true;
    double start = now_ms();
    if (bt_predict(m->predictor, &in, &out, err)) return false;
    a->ms = now_ms() - start;
    if (copy_scores(a, &out)) return true;
    bt_fail(err, BT_NOMEM, "no memory for an answer");
    return false;
}

/* The pieces of the first text; single texts are cut at the model's length less [CLS] and [SEP]. */
static char *pieces_of(const struct bt_predictor *p, const struct probe_wish *w)
{
    const struct bt_tokenizer *t = bt_predictor_tokenizer(p);
    struct bt_encoding e = {.n = 0};
    struct bt_str out = {0};
    size_t cut = w->pair ? SIZE_MAX : (size_t)bt_predictor_max_length(p) - 2;
    if (bt_tokenizer_encode(t, w->text, strlen(w->text), &e, NULL) == BT_OK)
        for (size_t i = 0; i < e.n; i++) {
            const char *piece = bt_tokenizer_piece(t, e.ids[i]);
            bt_str_addf(&out, "%s%s%s", i ? " " : "", i == cut ? "\u2502 " : "", piece ? piece : "?");
        }
    bt_encoding_free(&e);
    return bt_str_take(&out);
}

static bool trained_on_pairs(const char *dir)
{
    struct bt_experiment *x = NULL;
    char *path = bt_path_join(dir, "experiment.yaml");
    bool pairs = path && bt_experiment_load(path, &x, NULL) == BT_OK && x->data_text_pair_column;
    bt_experiment_free(x);
    free(path);
    return pairs;
}

static void ask_one(struct probe_cache *c, const struct probe_wish *w, size_t i, struct probe_found *f)
{
    struct bt_error err = {.status = BT_OK};
    struct open_model *m = model_of(c, w->dir[i], w->step[i], &err);
    if (m && answer(&f->answer[i], m, w, &err)) {
        if (i == 0) f->pieces = pieces_of(m->predictor, w);
        return;
    }
    answer_clear(&f->answer[i]);
    f->answer[i].error = bt_strdup(err.status ? err.text : "no memory");
}

struct probe_found *probe_ask(struct probe_cache *c, const struct probe_wish *w, const atomic_bool *cancel)
{
    struct probe_found *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->n = w->n;
    for (size_t i = 0; i < PROBE_MODELS; i++) c->model[i].wanted = false;
    for (size_t i = 0; i < w->n && !atomic_load(cancel); i++) ask_one(c, w, i, f);
    if (atomic_load(cancel)) {
        probe_found_free(f);
        return NULL;
    }
    for (size_t i = 0; i < PROBE_MODELS; i++)
        if (!c->model[i].wanted) close_model(&c->model[i]);
    f->wants_pair = w->n > 0 && trained_on_pairs(w->dir[0]);
    if (w->n > 0 && bt_run_checkpoints(w->dir[0], &f->saved, &f->n_saved, NULL)) f->n_saved = 0;
    return f;
}
