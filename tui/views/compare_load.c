/* Which runs Compare shows, at which steps, and reading them. */
#include "tui/views/compare_view.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

/* ── loading ── */

struct job {
    struct view *view;
    char **dir;
    size_t n;
    int64_t step[2];   /* of the first two */
    char **expression; /* of slices */
    size_t expressions;
    struct compare_found *found;
};

static void free_texts(char **text, size_t n)
{
    for (size_t i = 0; text && i < n; i++) free(text[i]);
    free(text);
}

static char **copy_texts(const char *const *text, size_t n)
{
    char **out = calloc(n + 1, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        if (!(out[i] = bt_strdup(text[i]))) {
            free_texts(out, i);
            return NULL;
        }
    return out;
}

static void found_free(struct compare_found *f)
{
    if (!f) return;
    bt_compare_free(f->compare);
    bt_versus_clear(&f->versus);
    free(f->steps[0]);
    free(f->steps[1]);
    free(f);
}

static void job_free(struct job *j)
{
    free_texts(j->dir, j->n);
    free_texts(j->expression, j->expressions);
    found_free(j->found);
    free(j);
}

/* Steps with predictions, of the first of the usual splits that both have. */
static void find_steps(struct job *j)
{
    static const char *const usual[] = {"test", "validation", "eval", "dev"};
    struct compare_found *f = j->found;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        for (int k = 0; k < 2; k++) {
            free(f->steps[k]);
            f->steps[k] = NULL;
            f->n_steps[k] = 0;
            bt_predictions_steps(j->dir[k], usual[i], &f->steps[k], &f->n_steps[k], NULL);
        }
        if (f->n_steps[0] && f->n_steps[1]) return;
    }
}

/* One run against itself: the newest predictions against those before, until other steps are chosen. */
static bool choose_steps(struct job *j)
{
    struct compare_found *f = j->found;
    size_t n = f->n_steps[0];
    if (strcmp(j->dir[0], j->dir[1]) != 0 || j->step[0] != BT_STEP_NONE) return true;
    if (n < 2) {
        bt_fail(&f->err, BT_NOTFOUND, "%s: %s: mark a second run to compare it with", bt_path_base(j->dir[0]),
                n ? "has predictions of one step only" : "has no predictions");
        return false;
    }
    j->step[0] = f->steps[0][n - 2];
    j->step[1] = f->steps[0][n - 1];
    return true;
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    struct compare_found *f = j->found;
    struct bt_run_at *run = calloc(j->n + 1, sizeof *run);
    if (!run) bt_fail(&f->err, BT_NOMEM, "no memory to compare %zu runs", j->n);
    if (run && j->n == 2) find_steps(j);
    if (run && (j->n != 2 || choose_steps(j))) {
        for (size_t i = 0; i < j->n; i++)
            run[i] = (struct bt_run_at){.dir = j->dir[i], .step = j->n == 2 ? j->step[i] : BT_STEP_NONE};
        bt_compare_load(run, j->n, &f->compare, &f->err);
    }
    if (f->compare && j->n == 2 && !atomic_load(cancel)) {
        const struct bt_versus_request r = {.first = run[0],
                                            .second = run[1],
                                            .expression = (const char *const *)j->expression,
                                            .expressions = j->expressions};
        bt_versus_load(&r, cancel, &f->versus, &f->versus_err);
    }
    free(run);
}

static const char *why_no_pairing(const struct compare_found *f)
{
    if (f->compare->n_runs != 2) return "Mark just two runs to see which rows they predict differently.";
    return f->versus_err.text;
}

/* The rows behind a count stay open if they can: the labels of the old pairing go. */
static void take_over(struct view *v, struct compare_found *f)
{
    struct compare_view *s = v->state;
    struct compare_found *old = s->found;
    compare_lines_free(&s->lines);
    s->found = f;
    if (s->in.set.which == COMPARE_PAIR || s->in.set.slice) s->in.open = false;
    if (f->compare && !compare_lines_make(f->compare, &f->versus, why_no_pairing(f), &s->lines))
        app_say(v->app, ROLE_BAD, "not enough memory for the comparison");
    compare_inside_update(s);
    list_resize(&s->list, s->lines.n);
    if (s->to_end && s->lines.n) s->list.cursor = s->lines.n - 1;
    s->to_end = false;
    found_free(old);
    app_redraw(v->app);
}

static bool still_wanted(const struct compare_view *s, const struct job *j)
{
    if (s->n != j->n || s->again) return false;
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->dir[i], j->dir[i]) != 0) return false;
    return true;
}

static void job_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->view;
    struct compare_view *s = v->state;
    s->busy = false;
    if (!cancelled && still_wanted(s, j)) {
        struct compare_found *f = j->found;
        j->found = NULL;
        s->step[0] = j->step[0];
        s->step[1] = j->step[1];
        take_over(v, f);
    }
    job_free(j);
    if (s->again && !cancelled) compare_load(v);
}

void compare_load(struct view *v)
{
    struct compare_view *s = v->state;
    s->again = s->busy;
    if (s->busy || s->n < 2) return;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return;
    *j = (struct job){.view = v,
                      .n = s->n,
                      .dir = copy_texts((const char *const *)s->dir, s->n),
                      .step = {s->step[0], s->step[1]},
                      .expression = copy_texts((const char *const *)s->expression, s->expressions),
                      .expressions = s->expressions};
    j->found = calloc(1, sizeof *j->found);
    struct app_task task = {.run = job_run, .done = job_done, .ctx = j, .owner = v};
    s->busy = j->dir && j->found && j->expression && app_submit(v->app, &task);
    if (!s->busy) job_free(j);
}

/* ── which runs ── */

void compare_forget(struct compare_view *s)
{
    compare_lines_free(&s->lines);
    found_free(s->found);
    s->found = NULL;
    s->in.open = false;
}

/* FNV-1a of what a comparison depends on. */
static uint64_t mix(uint64_t h, int64_t v)
{
    return (h ^ (uint64_t)v) * 1099511628211u;
}

static uint64_t signature_of(const struct view *v)
{
    const struct compare_view *s = v->state;
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_run_status *r = app_run_status(v->app, s->dir[i]);
        if (r) h = mix(mix(mix(mix(h, (int64_t)i), r->state), r->last_step), r->best_step);
    }
    return h;
}

void compare_reference_first(struct compare_view *s)
{
    for (size_t i = 1; s->reference && i < s->n; i++) {
        if (strcmp(s->dir[i], s->reference) != 0) continue;
        char *dir = s->dir[i];
        memmove(s->dir + 1, s->dir, i * sizeof *s->dir);
        s->dir[0] = dir;
        return;
    }
}

/* What is shown is forgotten at once: it is of other runs. */
void compare_follow_marks(struct view *v)
{
    struct compare_view *s = v->state;
    size_t n;
    const char *const *dir = app_marks(v->app, &n);
    if (s->started && app_marks_version(v->app) == s->marks) return;
    const char *twice[] = {n ? dir[0] : NULL, n ? dir[0] : NULL}; /* a run alone is compared with itself */
    char **copy = copy_texts(n == 1 ? twice : dir, n == 1 ? 2 : n);
    if (!copy) return;
    free_texts(s->dir, s->n);
    s->dir = copy;
    s->n = n == 1 ? 2 : n;
    s->step[0] = s->step[1] = BT_STEP_NONE;
    s->marks = app_marks_version(v->app);
    s->started = true;
    compare_reference_first(s);
    s->signature = signature_of(v);
    s->cell = s->first_cell = 0;
    compare_forget(s);
    compare_load(v);
    app_redraw(v->app);
}

void compare_tick(struct view *v, double now)
{
    struct compare_view *s = v->state;
    (void)now;
    compare_follow_marks(v);
    uint64_t signature = signature_of(v);
    if (signature == s->signature || s->busy) return;
    s->signature = signature;
    compare_load(v);
}
