/* Reading a run's predictions, the texts that belong to them, and what earlier steps said. */
#include "tui/views/predictions_view.h"

#include <bertty/file.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 60, MOST_SCORES = 20000000 };

const char *pred_split_name(enum pred_split split)
{
    static const char *const name[PRED_SPLITS] = {[PRED_VALIDATION] = "validation", [PRED_TEST] = "test"};
    return name[split];
}

void pred_texts_free(struct bt_texts *t)
{
    if (!t) return;
    bt_texts_clear(t);
    free(t);
}

void pred_forget(struct pred_view *s)
{
    pred_slice_forget_rows(s);
    bt_predictions_free(s->p);
    pred_matrix_free(&s->matrix);
    pred_facts_free(&s->facts);
    pred_texts_free(s->texts);
    bt_thresholds_free(s->thresholds);
    bt_row_notes_clear(&s->notes);
    free(s->steps);
    free(s->history);
    s->p = NULL;
    s->texts = NULL;
    s->thresholds = NULL;
    s->steps = NULL;
    s->history = NULL;
    s->n_steps = s->other_steps = s->n_history = s->n = 0;
    s->err = (struct bt_error){0};
}

/* What a task reads, and for whom. */
struct job {
    struct view *v;
    char *run;
    enum pred_split split;
    int64_t step;
    char *path;   /* a file whose split is to be shown; NULL: any */
    bool foreign; /* the run was not evaluated on it */
    struct bt_predictions *p;
    struct pred_facts facts; /* of p */
    struct bt_thresholds *thresholds;
    struct bt_row_notes notes;
    struct bt_error notes_err;
    bool slide;   /* also those of sets, which take a while */
    double *kept; /* [n_kept] decides p anew; NULL: no */
    int n_kept;
    struct bt_error err;
    int64_t *steps;
    size_t n_steps, other_steps;
    struct bt_texts *texts;
    size_t most; /* the last row whose text is needed */
    float *history;
    size_t n_history, n_rows;
    int64_t *id; /* [n_rows] of the predictions whose history is read */
    int *gold;
};

static void job_free(struct job *j)
{
    bt_predictions_free(j->p);
    pred_facts_free(&j->facts);
    pred_texts_free(j->texts);
    bt_thresholds_free(j->thresholds);
    bt_row_notes_clear(&j->notes);
    free(j->kept);
    free(j->run);
    free(j->path);
    free(j->steps);
    free(j->history);
    free(j->id);
    free(j->gold);
    free(j);
}

static struct job *job_new(struct view *v)
{
    struct pred_view *s = v->state;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (struct job){.v = v,
                      .run = bt_strdup(s->run),
                      .split = s->split,
                      .step = s->step,
                      .path = bt_strdup(s->wanted_file)};
    if (j->run) return j;
    job_free(j);
    return NULL;
}

static bool submit(struct job *j, void (*run)(void *, const atomic_bool *), void (*done)(void *, bool),
                   const void *owner)
{
    struct app_task t = {.run = run, .done = done, .ctx = j, .owner = owner};
    if (app_submit(j->v->app, &t)) return true;
    job_free(j);
    return false;
}

static bool still_wanted(const struct job *j)
{
    const struct pred_view *s = j->v->state;
    return s->run && strcmp(s->run, j->run) == 0 && s->split == j->split;
}

static struct bt_experiment *experiment_of(const char *run, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    (void)bt_run_experiment(run, &x, err);
    return x;
}

/* ── texts ── */

struct bt_texts *pred_texts_read(const struct bt_experiment *x, const char *split, size_t most)
{
    struct bt_texts *t = calloc(1, sizeof *t);
    if (t) bt_texts_read(x, split, most, t);
    return t;
}

static void texts_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    (void)cancel;
    if ((j->texts = calloc(1, sizeof *j->texts)))
        bt_texts_load(j->run, pred_split_name(j->split), j->most, j->texts);
}

static void texts_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct pred_view *s = j->v->state;
    if (!cancelled && still_wanted(j) && !s->texts) {
        s->texts = j->texts;
        j->texts = NULL;
        pred_slice_forget_rows(s);
        pred_update(j->v);
    }
    job_free(j);
}

/* ── history ── */

static void take_step(struct job *j, size_t k, const struct bt_predictions *p)
{
    float *to = j->history + k * j->n_rows;
    for (size_t i = 0; i < j->n_rows; i++) {
        const struct bt_prediction *r = i < p->n ? &p->row[i] : NULL;
        bool same = r && r->id == j->id[i];
        bool scored = same && r->scores && j->gold[i] >= 0 && j->gold[i] < p->n_labels;
        to[i] = scored ? r->scores[j->gold[i]] : same && p->kind != BT_ROWS_LABELS ? (float)r->quality : NAN;
    }
}

static void history_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    size_t first = j->n_steps - j->n_history;
    for (size_t k = 0; k < j->n_history && !atomic_load(cancel); k++) {
        struct bt_predictions *p = NULL;
        if (bt_predictions_load(j->run, pred_split_name(j->split), j->steps[first + k], &p, NULL) == BT_OK &&
            p->step == j->steps[first + k])
            take_step(j, k, p);
        else
            for (size_t i = 0; i < j->n_rows; i++) j->history[k * j->n_rows + i] = NAN;
        bt_predictions_free(p);
    }
}

static void history_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct pred_view *s = j->v->state;
    if (!cancelled && still_wanted(j) && s->p && s->p->n == j->n_rows) {
        free(s->history);
        s->history = j->history;
        s->n_history = j->n_history;
        j->history = NULL;
        app_redraw(j->v->app);
    }
    job_free(j);
}

static void load_history(struct view *v)
{
    struct pred_view *s = v->state;
    struct job *j = job_new(v);
    size_t most = s->p->n ? MOST_SCORES / s->p->n : 0;
    if (!j) return;
    app_cancel(v->app, &s->owner_history);
    j->n_rows = s->p->n;
    j->n_steps = s->n_steps;
    j->n_history = s->n_steps < MOST_STEPS ? s->n_steps : MOST_STEPS;
    if (j->n_history > most) j->n_history = most;
    j->steps = calloc(s->n_steps + 1, sizeof *j->steps);
    j->id = calloc(j->n_rows + 1, sizeof *j->id);
    j->gold = calloc(j->n_rows + 1, sizeof *j->gold);
    j->history = calloc(j->n_history * j->n_rows + 1, sizeof *j->history);
    if (!j->steps || !j->id || !j->gold || !j->history) {
        job_free(j);
        return;
    }
    if (s->n_steps) memcpy(j->steps, s->steps, s->n_steps * sizeof *j->steps);
    for (size_t i = 0; i < j->n_rows; i++) {
        j->id[i] = s->p->row[i].id;
        j->gold[i] = s->p->row[i].gold;
    }
    submit(j, history_run, history_done, &s->owner_history);
}

/* ── predictions ── */

static bool reads_file(const struct bt_experiment *x, enum pred_split split, const char *path)
{
    const struct bt_data_spec spec = bt_experiment_split(x, pred_split_name(split));
    for (size_t i = 0; i < spec.n_files; i++)
        if (bt_same_file(spec.files[i], path)) return true;
    return false;
}

enum pred_naming pred_split_of(const char *run, const char *file, enum pred_split *split)
{
    struct bt_experiment *x = experiment_of(run, NULL);
    if (!x) return PRED_UNKNOWN;
    bool test = reads_file(x, PRED_TEST, file), validation = reads_file(x, PRED_VALIDATION, file);
    if (test && !validation) *split = PRED_TEST;
    if (validation) *split = PRED_VALIDATION;
    bt_experiment_free(x);
    return test || validation ? PRED_NAMED : PRED_NOT_NAMED;
}

static void load_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    int64_t *other = NULL;
    (void)cancel;
    j->foreign = j->path && pred_split_of(j->run, j->path, &j->split) == PRED_NOT_NAMED;
    enum pred_split opposite = j->split == PRED_TEST ? PRED_VALIDATION : PRED_TEST;
    bt_predictions_steps(j->run, pred_split_name(opposite), &other, &j->other_steps, NULL);
    free(other);
    bt_predictions_steps(j->run, pred_split_name(j->split), &j->steps, &j->n_steps, NULL);
    if (bt_predictions_load(j->run, pred_split_name(j->split), j->step, &j->p, &j->err) != BT_OK) return;
    bt_row_notes_load(j->run, pred_split_name(j->split), &j->notes, &j->notes_err);
    if (j->p->kind != BT_ROWS_SETS || j->slide) bt_thresholds_make(j->p, &j->thresholds, NULL);
    bool fine = true;
    if (j->kept && j->n_kept == j->p->n_labels) fine = bt_predictions_decide(j->p, j->kept, NULL) == BT_OK;
    if (fine && pred_facts_make(j->p, &j->facts)) return;
    bt_predictions_free(j->p);
    j->p = NULL;
    bt_fail(&j->err, BT_NOMEM, "%s: not enough memory for the predictions", j->run);
}

/* Rows of another kind: other columns, orders and groups. */
static void take_kind(struct pred_view *s)
{
    s->query.slice = s->query.group = PRED_ANY;
    if (s->known_kind && s->kind == s->p->kind) return;
    s->kind = s->p->kind;
    s->known_kind = true;
    s->query.order = pred_first_order(s->kind);
    s->query.reversed = false;
    s->side = (struct list){0};
}

static void take_over(struct view *v, struct job *j)
{
    struct pred_view *s = v->state;
    if (s->split != j->split) {
        pred_texts_free(s->texts);
        s->texts = NULL;
        s->split = j->split;
    }
    pred_slice_forget_rows(s);
    bt_predictions_free(s->p);
    pred_matrix_free(&s->matrix);
    pred_facts_free(&s->facts);
    bt_thresholds_free(s->thresholds);
    free(s->steps);
    free(s->history);
    s->thresholds = j->thresholds;
    j->thresholds = NULL;
    bt_row_notes_clear(&s->notes);
    s->notes = j->notes;
    s->notes_err = j->notes_err;
    j->notes = (struct bt_row_notes){.n = 0};
    s->p = j->p;
    s->facts = j->facts;
    j->facts = (struct pred_facts){.kind = BT_ROWS_LABELS};
    s->err = j->err;
    s->steps = j->steps;
    s->n_steps = j->n_steps;
    s->other_steps = j->other_steps;
    s->history = NULL;
    s->n_history = 0;
    j->p = NULL;
    j->steps = NULL;
    if (s->p) take_kind(s);
    if (s->p) pred_calibration_make(s->p, &s->calibration);
    if (s->p && !pred_matrix_make(s->p, &s->matrix)) app_say(v->app, ROLE_BAD, "not enough memory to count");
}

/* Another view asked for a row of a file that the run was not evaluated on. */
static void drop_wanted(struct view *v)
{
    struct pred_view *s = v->state;
    app_say(v->app, ROLE_WARN, "%s was not evaluated on %s", bt_path_base(s->run),
            s->wanted_file ? bt_path_base(s->wanted_file) : "that file");
    free(s->wanted_file);
    s->wanted_file = NULL;
    s->wanted = 0;
}

static void load_rest(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p) return;
    const size_t last = bt_predictions_last_row(s->p);
    if (s->texts && s->texts->most && s->texts->most < last) {
        pred_texts_free(s->texts); /* of fewer rows */
        s->texts = NULL;
    }
    struct job *j = s->texts ? NULL : job_new(v);
    if (j) j->most = last;
    if (j) submit(j, texts_run, texts_done, &s->owner_texts);
    load_history(v);
}

static void load_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->v;
    struct pred_view *s = v->state;
    bool ours = !cancelled && s->run && strcmp(s->run, j->run) == 0;
    s->loading = false;
    if (ours && !s->again) {
        take_over(v, j);
        if (j->foreign) drop_wanted(v);
        pred_update(v);
        load_rest(v);
        app_redraw_now(v->app);
    }
    job_free(j);
    if (s->again && !cancelled) pred_load(v);
}

void pred_load(struct view *v)
{
    struct pred_view *s = v->state;
    s->again = s->loading;
    if (s->loading || !s->run) return;
    struct job *j = job_new(v);
    if (j) j->slide = s->sliding;
    if (j && s->kept && (j->kept = calloc((size_t)s->n_kept, sizeof *j->kept))) {
        memcpy(j->kept, s->kept, (size_t)s->n_kept * sizeof *j->kept);
        j->n_kept = s->n_kept;
    }
    s->loading = j && submit(j, load_run, load_done, &s->owner_load);
}
