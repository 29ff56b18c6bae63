#include "tui/views/probe_ask.h"

#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/num.h>
#include <bertty/predictor.h>
#include <bertty/run.h>
#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_THREADS = 4 };

/* A checkpoint that is open. A run that was resumed may write the same step again: the model's file tells. */
struct open_model {
    char *path, *dir; /* dir, wish: asked for by this */
    int64_t wish, step;
    struct timespec written;
    struct bt_predictor *predictor;
    bool wanted;
};

struct probe_cache {
    struct open_model model[PROBE_MODELS];
    char *saved_dir; /* whose checkpoints these are */
    int64_t *saved;
    size_t n_saved;
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
    for (int i = 0; i < a->n; i++) free(a->said[i].label);
    free(a->said);
    free(a->error);
    *a = (struct probe_answer){.n = 0, .task = -1, .threshold = (double)NAN};
}

void probe_found_free(struct probe_found *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->n; i++) answer_clear(&f->answer[i]);
    free(f->text);
    free(f->pair);
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
    free(m->dir);
    *m = (struct open_model){.path = NULL};
}

void probe_cache_free(struct probe_cache *c)
{
    for (size_t i = 0; c && i < PROBE_MODELS; i++) close_model(&c->model[i]);
    if (c) free(c->saved_dir);
    if (c) free(c->saved);
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

/* The model that this wish led to last time. */
static struct open_model *known_model(struct probe_cache *c, const char *dir, int64_t wish)
{
    for (size_t i = 0; i < PROBE_MODELS; i++) {
        struct open_model *m = &c->model[i];
        if (m->dir && m->predictor && m->wish == wish && strcmp(m->dir, dir) == 0) return m;
    }
    return NULL;
}

/* The model at a path, opened if it is not; NULL: err says why. */
static struct open_model *model_at(struct probe_cache *c, const char *dir, const char *path,
                                   struct bt_error *err)
{
    struct timespec written;
    if (!written_at(path, &written, err)) return NULL;
    struct open_model *m = find_open(c, path, written);
    if (!m && (m = free_place(c)) && open_at(m, dir, path, err)) return NULL;
    if (m) m->written = written;
    return m;
}

/* The model of a run's checkpoint. */
static struct open_model *model_of(struct probe_cache *c, const char *dir, int64_t wish, bool look,
                                   struct bt_error *err)
{
    char *path = NULL;
    int64_t step = 0;
    struct open_model *m = look ? NULL : known_model(c, dir, wish);
    if (!m) {
        if (bt_run_checkpoint(dir, wish, &path, &step, err)) return NULL;
        m = model_at(c, dir, path, err);
        if (m) {
            m->step = step;
            m->wish = wish;
            free(m->dir);
            m->dir = bt_strdup(dir);
        }
        free(path);
    }
    if (m) m->wanted = true;
    return m;
}

struct bt_predictor *probe_cache_model(struct probe_cache *c, const struct probe_wish *w, size_t i,
                                       int64_t *step, struct bt_error *err)
{
    const struct open_model *m = model_of(c, w->dir[i], w->step[i], false, err);
    if (!m) return NULL;
    *step = m->step;
    return m->predictor;
}

/* ── asking ── */

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static bool copy_said(struct probe_answer *a, const struct bt_output *out)
{
    a->said = calloc(out->n + 1, sizeof *a->said);
    if (!a->said) return false;
    for (size_t i = 0; i < out->n; i++, a->n++) {
        const struct bt_answer *from = &out->answer[i];
        a->said[i] = (struct probe_said){
            .score = from->score, .begin = from->begin, .end = from->end, .chosen = from->chosen};
        if (from->label && !(a->said[i].label = bt_strndup(from->label, from->label_n))) return false;
    }
    a->tokens = out->tokens;
    a->truncated = out->truncated;
    return true;
}

/* Choices stand one a line. */
static bool split_choices(const char *lines, struct bt_input *in, struct bt_part **part)
{
    size_t n = 1;
    for (const char *p = lines; *p; p++) n += *p == '\n';
    *part = calloc(n, sizeof **part);
    for (const char *p = lines; *part && *p;) {
        size_t length = strcspn(p, "\n");
        if (length) (*part)[in->parts++] = (struct bt_part){.text = p, .n = length, .at = -1};
        p += length + (p[length] != '\0');
    }
    in->part = *part;
    return *part != NULL;
}

/* One number for all labels, 0.5 where none is set. */
static double threshold_of(const struct bt_experiment *x)
{
    double number = 0.5;
    if (x->task_type != BT_TYPE_MULTILABEL) return (double)NAN;
    if (x->task_threshold.n == 0) return 0.5;
    return x->task_threshold.n == 1 && bt_parse_double(x->task_threshold.item[0], &number) ? number
                                                                                           : (double)NAN;
}

/* Whether there is something to ask: a task that needs both texts waits for the second one. */
static bool complete(int task, const struct probe_wish *w, const struct bt_input *in)
{
    bool both = task == BT_TYPE_QA || task == BT_TYPE_ABSA;
    if (task == BT_TYPE_MULTIPLE_CHOICE) return in->parts > 1;
    if (both) return *w->text && w->pair && *w->pair;
    if (task == BT_TYPE_MLM) return *w->text;
    return *w->text || (w->pair && *w->pair);
}

/* The input that the task wants; part is to be freed. False: no memory. */
static bool input_of(const struct probe_wish *w, int task, struct bt_input *in, struct bt_part **part)
{
    *in = (struct bt_input){
        .text = w->text, .text_n = strlen(w->text), .pair = w->pair, .pair_n = w->pair ? strlen(w->pair) : 0};
    *part = NULL;
    if (task != BT_TYPE_MULTIPLE_CHOICE) return true;
    in->pair = NULL;
    in->pair_n = 0;
    return split_choices(w->pair ? w->pair : "", in, part);
}

static bool answer(struct probe_answer *a, struct open_model *m, const struct probe_wish *w,
                   struct bt_error *err)
{
    struct bt_input in;
    struct bt_output out;
    struct bt_part *part;
    a->step = m->step;
    a->task = bt_predictor_task(m->predictor);
    a->threshold = threshold_of(bt_predictor_experiment(m->predictor));
    a->most = bt_predictor_max_length(m->predictor);
    bool good = input_of(w, a->task, &in, &part);
    if (good && complete(a->task, w, &in)) {
        double start = now_ms();
        if (bt_predict(m->predictor, &in, &out, err)) {
            free(part);
            return false;
        }
        a->ms = now_ms() - start;
        good = copy_said(a, &out);
    }
    free(part);
    if (!good) bt_fail(err, BT_NOMEM, "no memory for an answer");
    return good;
}

bool probe_answer_text(const struct probe_answer *a, struct bt_str *out)
{
    size_t before = out->len;
    bool one = a->task == BT_TYPE_QA;
    for (int i = 0; i < a->n; i++) {
        const struct probe_said *said = &a->said[i];
        if (!said->chosen) continue;
        if (out->len > before) bt_str_add(out, one ? " " : ", ");
        if (said->label)
            bt_str_add(out, *said->label ? said->label : "(no answer)");
        else
            bt_str_addf(out, "%.4g", said->score);
    }
    if (a->n && out->len == before) bt_str_add(out, "none");
    if (!a->n && a->task == BT_TYPE_NER && a->tokens) bt_str_add(out, "no entities");
    return out->len > before;
}

static void add_pieces(const struct bt_tokenizer *t, const char *text, size_t n, size_t cut,
                       struct bt_str *out)
{
    struct bt_encoding e = {.n = 0};
    if (bt_tokenizer_encode(t, text, n, &e, NULL) == BT_OK)
        for (size_t i = 0; i < e.n; i++) {
            const char *piece = bt_tokenizer_piece(t, e.ids[i]);
            bt_str_addf(out, "%s%s%s", i ? " " : "", i == cut ? "│ " : "", piece ? piece : "?");
        }
    bt_encoding_free(&e);
}

/* The pieces of both texts (of choices, line by line); single texts are cut at the model's length less [CLS] and [SEP]. */
static char *pieces_of(const struct bt_predictor *p, const struct probe_wish *w)
{
    const struct bt_tokenizer *t = bt_predictor_tokenizer(p);
    struct bt_str out = {0};
    add_pieces(t, w->text, strlen(w->text), w->pair ? SIZE_MAX : (size_t)bt_predictor_max_length(p) - 2,
               &out);
    for (const char *line = w->pair, *end; line && *line; line = *end ? end + 1 : end) {
        end = strchrnul(line, '\n');
        if (end > line) bt_str_add(&out, " [SEP] ");
        add_pieces(t, line, (size_t)(end - line), SIZE_MAX, &out);
    }
    return bt_str_take(&out);
}

static bool asks_for_pair(const struct bt_predictor *p)
{
    int task = bt_predictor_task(p);
    return task == BT_TYPE_QA || task == BT_TYPE_ABSA || task == BT_TYPE_MULTIPLE_CHOICE ||
           bt_predictor_experiment(p)->data_text_pair_column;
}

/* One model, on a thread of its own where there are several. */
struct asking {
    struct open_model *model; /* NULL: it could not be opened */
    const struct probe_wish *wish;
    struct probe_answer *answer;
    struct bt_error err;
};

static void *ask_one(void *ctx)
{
    struct asking *q = ctx;
    struct probe_answer *a = q->answer;
    if (q->model && answer(a, q->model, q->wish, &q->err)) return NULL;
    answer_clear(a);
    if (q->model) a->task = bt_predictor_task(q->model->predictor);
    a->error = bt_strdup(q->err.status ? q->err.text : "no memory");
    return NULL;
}

int probe_threads(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n < MOST_THREADS ? (int)n : MOST_THREADS;
}

static void ask_all(struct asking *q, size_t n)
{
    pthread_t thread[PROBE_MODELS];
    bool started[PROBE_MODELS] = {false};
    const int each = n > 0 && (int)n < probe_threads() ? probe_threads() / (int)n : 1;
    for (size_t i = 0; i < n; i++)
        if (q[i].model && bt_predictor_set_threads(q[i].model->predictor, each, &q[i].err)) q[i].model = NULL;
    for (size_t i = 1; i < n; i++) started[i] = pthread_create(&thread[i], NULL, ask_one, &q[i]) == 0;
    for (size_t i = 0; i < n; i++)
        if (!started[i]) ask_one(&q[i]);
    for (size_t i = 1; i < n; i++)
        if (started[i]) pthread_join(thread[i], NULL);
}

/* The checkpoints that can be chosen: listed again when somebody looks for them. */
static void list_saved(struct probe_cache *c, const struct probe_wish *w, struct probe_found *f)
{
    if (w->n == 0) return;
    bool known = c->saved_dir && strcmp(c->saved_dir, w->dir[0]) == 0;
    if (w->look || !known) {
        free(c->saved_dir);
        free(c->saved);
        c->saved = NULL;
        c->saved_dir = bt_strdup(w->dir[0]);
        if (bt_run_checkpoints(w->dir[0], &c->saved, &c->n_saved, NULL)) c->n_saved = 0;
    }
    f->saved = c->n_saved ? calloc(c->n_saved, sizeof *f->saved) : NULL;
    f->n_saved = f->saved ? c->n_saved : 0;
    if (f->saved) memcpy(f->saved, c->saved, c->n_saved * sizeof *f->saved);
}

struct probe_found *probe_ask(struct probe_cache *c, const struct probe_wish *w, const atomic_bool *cancel)
{
    struct probe_found *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->n = w->n;
    f->text = bt_strdup(w->text);
    f->pair = bt_strdup(w->pair);
    for (size_t i = 0; i < PROBE_MODELS; i++) {
        c->model[i].wanted = false;
        f->answer[i].task = -1;
    }
    struct asking q[PROBE_MODELS] = {{.model = NULL}};
    for (size_t i = 0; i < w->n; i++) {
        q[i] = (struct asking){.wish = w, .answer = &f->answer[i]};
        q[i].model = model_of(c, w->dir[i], w->step[i], w->look, &q[i].err);
    }
    if (w->n && q[0].model) f->wants_pair = asks_for_pair(q[0].model->predictor);
    if (!atomic_load(cancel)) ask_all(q, w->n);
    if (w->n && q[0].model && !f->answer[0].error) f->pieces = pieces_of(q[0].model->predictor, w);
    if (atomic_load(cancel) || !f->text) {
        probe_found_free(f);
        return NULL;
    }
    for (size_t i = 0; i < PROBE_MODELS; i++)
        if (!c->model[i].wanted) close_model(&c->model[i]);
    list_saved(c, w, f);
    return f;
}

/* ── explaining ── */

void probe_explained_free(struct probe_explained *e)
{
    if (!e) return;
    bt_explanation_free(e->x);
    free(e->error);
    free(e);
}

/* What is asked of the first model about its input, in one call of the engine. */
struct question {
    enum bt_status (*ask)(void *ctx, struct bt_predictor *p, const struct bt_input *in, struct bt_error *err);
    void *ctx;
    const char *nothing; /* what is said where there is no input yet */
};

/* NULL: it was answered, or cancelled; else why not, for the caller to free. */
static char *ask_first(struct probe_cache *c, const struct probe_wish *w, const struct question *q)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_input in;
    struct bt_part *part = NULL;
    struct open_model *m = model_of(c, w->dir[0], w->step[0], false, &err);
    enum bt_status st = m ? BT_OK : err.status;
    const int task = m ? bt_predictor_task(m->predictor) : -1;
    if (!st && !input_of(w, task, &in, &part)) st = bt_fail(&err, BT_NOMEM, "no memory for a text");
    if (!st && !complete(task, w, &in)) st = bt_fail(&err, BT_INVALID, "%s", q->nothing);
    if (!st) st = q->ask(q->ctx, m->predictor, &in, &err);
    free(part);
    return st && st != BT_CANCELLED ? bt_strdup(err.text) : NULL;
}

struct explaining {
    const struct bt_explain_spec *how;
    struct bt_explanation *x;
};

static enum bt_status explain(void *ctx, struct bt_predictor *p, const struct bt_input *in,
                              struct bt_error *err)
{
    struct explaining *e = ctx;
    return bt_explain(p, in, e->how, &e->x, err);
}

struct probe_explained *probe_explain(struct probe_cache *c, const struct probe_wish *w,
                                      const struct bt_explain_spec *how)
{
    struct explaining x = {.how = how};
    const struct question q = {.ask = explain, .ctx = &x, .nothing = "there is nothing to explain yet"};
    struct probe_explained *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->method = how->method;
    e->error = ask_first(c, w, &q);
    e->x = x.x;
    if (e->x || e->error) return e;
    probe_explained_free(e);
    return NULL;
}

/* ── varying ── */

void probe_varied_free(struct probe_varied *x)
{
    if (!x) return;
    bt_variants_free(x->variants);
    bt_flip_free(x->flip);
    free(x->error);
    free(x);
}

struct varying {
    const struct bt_vary_spec *how;
    const struct bt_flip_spec *flip;
    struct probe_varied *x;
};

static enum bt_status vary(void *ctx, struct bt_predictor *p, const struct bt_input *in, struct bt_error *err)
{
    struct varying *v = ctx;
    return v->flip ? bt_flip_find(p, in, v->flip, &v->x->flip, err)
                   : bt_vary(p, in, v->how, &v->x->variants, err);
}

struct probe_varied *probe_vary(struct probe_cache *c, const struct probe_wish *w,
                                const struct bt_vary_spec *how, const struct bt_flip_spec *flip)
{
    struct probe_varied *x = calloc(1, sizeof *x);
    struct varying v = {.how = how, .flip = flip, .x = x};
    const struct question q = {.ask = vary, .ctx = &v, .nothing = "there is nothing to vary yet"};
    if (!x) return NULL;
    x->field = flip ? flip->field : how->field;
    x->error = ask_first(c, w, &q);
    if (x->variants || x->flip || x->error) return x;
    probe_varied_free(x);
    return NULL;
}

/* ── near, and word by word ── */

struct nearing {
    const struct bt_vectors *among;
    struct bt_neighbour *to;
    size_t *n;
};

static enum bt_status near(void *ctx, struct bt_predictor *p, const struct bt_input *in, struct bt_error *err)
{
    struct nearing *x = ctx;
    struct bt_vectors *of = NULL;
    enum bt_status st = bt_vectors_of_input(p, in, BT_VECTOR_AUTO, &of, err);
    if (!st) *x->n = bt_neighbours_find(x->among, of->v, PROBE_NEAREST, x->to);
    bt_vectors_free(of);
    return st;
}

char *probe_nearest(struct probe_cache *c, const struct probe_wish *w, const struct bt_vectors *among,
                    struct bt_neighbour *to, size_t *n)
{
    struct nearing x = {.among = among, .to = to, .n = n};
    const struct question q = {.ask = near, .ctx = &x, .nothing = "there is no text yet"};
    *n = 0;
    return ask_first(c, w, &q);
}

void probe_layers_free(struct probe_layers *x)
{
    if (!x) return;
    for (size_t i = 0; i < x->n; i++) free(x->word[i]);
    for (int i = 0; x->nearest && i <= x->layers; i++) free(x->nearest[i]);
    free(x->word);
    free(x->nearest);
    free(x->layer);
    free(x->error);
    free(x);
}

/* Both texts as the model reads them, and the words that they share. */
struct reading {
    const char *text, *pair, *word;
    struct bt_layers *a, *b;
    struct probe_layers *x;
};

static ptrdiff_t find_item(const struct bt_layers *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (!l->item[i].special && strcmp(l->item[i].text, text) == 0) return (ptrdiff_t)i;
    return -1;
}

/* Not a comma. */
static bool is_word(const char *text)
{
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || (unsigned char)*text >= 0x80) return true;
    return false;
}

static bool share_words(struct reading *r)
{
    struct probe_layers *x = r->x;
    x->word = calloc(r->a->n + 1, sizeof *x->word);
    for (size_t i = 0; x->word && i < r->a->n; i++) {
        const char *text = r->a->item[i].text;
        if (find_item(r->a, text) != (ptrdiff_t)i || find_item(r->b, text) < 0 || !is_word(text)) continue;
        if (!(x->word[x->n] = bt_strdup(text))) return false;
        const bool wanted = r->word && strcmp(text, r->word) == 0;
        const bool held = r->word && strcmp(x->word[x->chosen], r->word) == 0;
        if (wanted || (!held && strlen(text) > strlen(x->word[x->chosen]))) x->chosen = x->n;
        x->n++;
    }
    return x->word != NULL;
}

static bool compare_layers(struct reading *r)
{
    struct probe_layers *x = r->x;
    const char *word = x->word[x->chosen];
    x->layers = r->a->layers;
    x->layer = calloc((size_t)x->layers + 1, sizeof *x->layer);
    x->nearest = calloc((size_t)x->layers + 1, sizeof *x->nearest);
    if (!x->layer || !x->nearest) return false;
    bt_context_compare(r->a, (size_t)find_item(r->a, word), r->b, (size_t)find_item(r->b, word), x->layer);
    for (int i = 0; i <= x->layers; i++)
        if (!(x->nearest[i] = bt_strdup(r->b->item[x->layer[i].nearest].text))) return false;
    return true;
}

static enum bt_status read_both(void *ctx, struct bt_predictor *p, const struct bt_input *in,
                                struct bt_error *err)
{
    struct reading *r = ctx;
    const struct bt_input other = {
        .text = r->text, .text_n = strlen(r->text), .pair = r->pair, .pair_n = r->pair ? strlen(r->pair) : 0};
    enum bt_status st = bt_layers_read(p, in, &r->a, err);
    if (!st) st = bt_layers_read(p, &other, &r->b, err);
    if (!st && (!share_words(r) || (r->x->n && !compare_layers(r))))
        st = bt_fail(err, BT_NOMEM, "no memory for the words of two texts");
    bt_layers_free(r->a);
    bt_layers_free(r->b);
    return st;
}

struct probe_layers *probe_layers(struct probe_cache *c, const struct probe_wish *w, const char *text,
                                  const char *pair, const char *word)
{
    struct reading r = {.text = text, .pair = pair, .word = word, .x = calloc(1, sizeof *r.x)};
    const struct question q = {.ask = read_both, .ctx = &r, .nothing = "there is no text yet"};
    if (r.x) r.x->error = ask_first(c, w, &q);
    return r.x;
}
