/* From a row to what any run predicts for it: the runs that were evaluated on its file, to choose from. */
#include "tui/format.h"
#include "tui/views/data_view.h"
#include "tui/views/predictions_view.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    struct view *v;
    char *path;
    size_t row;  /* from 1 */
    char **run;  /* [n] directories, newest first */
    char **text; /* [n] what the list says of each */
    size_t n, asked,
        waiting; /* asked: runs that were looked at; waiting: of them those that name the file but have no predictions yet */
};

static void asking_free(struct asking *a)
{
    for (size_t i = 0; a->run && i < a->asked; i++) free(a->run[i]);
    for (size_t i = 0; a->text && i < a->asked; i++) free(a->text[i]);
    free(a->run);
    free(a->text);
    free(a->path);
    free(a);
}

/* "train-3f2a · validation, 4 steps up to 400 · accuracy 0.8716"; NULL: it has none. */
static char *describe(const char *run, enum pred_split split, const char *best)
{
    int64_t *steps = NULL;
    size_t n = 0;
    struct bt_str out = {0};
    if (bt_predictions_steps(run, pred_split_name(split), &steps, &n, NULL) == BT_OK && n) {
        bt_str_addf(&out, "%s · %s, %zu step%s up to %lld", bt_path_base(run), pred_split_name(split), n,
                    n == 1 ? "" : "s", (long long)steps[n - 1]);
        bt_str_add(&out, best);
    }
    free(steps);
    char *text = n ? bt_str_take(&out) : NULL;
    bt_str_free(&out);
    return text;
}

/* Leaves those that have predictions of the file, at the front. */
static void ask_run(void *ctx, const atomic_bool *cancel)
{
    struct asking *a = ctx;
    for (size_t i = 0; i < a->asked && !atomic_load(cancel); i++) {
        enum pred_split split = PRED_VALIDATION;
        char *best = a->text[i], *run = a->run[i];
        a->text[i] = a->run[i] = NULL;
        bool names = pred_split_of(run, a->path, &split) == PRED_NAMED;
        char *text = names ? describe(run, split, best ? best : "") : NULL;
        free(best);
        a->waiting += names && !text;
        if (!text) {
            free(run);
            continue;
        }
        a->run[a->n] = run;
        a->text[a->n++] = text;
    }
}

static void go(const struct asking *a, size_t i)
{
    const struct app_request r = {.run = a->run[i], .path = a->path, .row = a->row, .step = -1};
    app_open(a->v->app, VIEW_PREDICTIONS, &r);
}

static void chosen(void *ctx, int index)
{
    struct asking *a = ctx;
    if (index >= 0 && (size_t)index < a->n) go(a, (size_t)index);
    asking_free(a);
}

static void tell_none(const struct asking *a)
{
    const char *name = bt_path_base(a->path);
    if (a->waiting)
        app_say(a->v->app, ROLE_WARN, "%s: %zu run%s evaluate%s on it, and none has predictions yet", name,
                a->waiting, a->waiting == 1 ? "" : "s", a->waiting == 1 ? "s" : "");
    else
        app_say(a->v->app, ROLE_WARN, "%s: none of %zu run%s has it as validation or test data", name,
                a->asked, a->asked == 1 ? "" : "s");
}

static void ask_done(void *ctx, bool cancelled)
{
    struct asking *a = ctx;
    struct view *v = a->v;
    app_redraw_now(v->app);
    if (cancelled || !app_in_front(v->app, v) || a->n == 0) {
        if (!cancelled && a->n == 0) tell_none(a);
        asking_free(a);
        return;
    }
    struct bt_str title = {0};
    bt_str_addf(&title, "What predicts row %zu of %s?", a->row, bt_path_base(a->path));
    app_choose(v->app, bt_str_text(&title), (const char *const *)a->text, a->n, chosen, a);
    bt_str_free(&title);
}

static char *best_of(const struct bt_run_status *r)
{
    struct bt_str out = {0};
    if (r->metric && r->best == r->best) bt_str_addf(&out, " · best %s %.4f", r->metric, r->best);
    char *text = bt_strdup(bt_str_text(&out));
    bt_str_free(&out);
    return text;
}

bool data_ask_runs(struct view *v, size_t row)
{
    struct data_view *s = v->state;
    const struct bt_run_list *runs = app_runs(v->app);
    struct asking *a = calloc(1, sizeof *a);
    if (!a) return true;
    *a = (struct asking){.v = v, .path = bt_strdup(s->file->path), .row = row + 1};
    a->run = calloc(runs->n + 1, sizeof *a->run);
    a->text = calloc(runs->n + 1, sizeof *a->text);
    for (size_t i = 0; a->run && a->text && i < runs->n; i++) {
        a->run[a->asked] = bt_strdup(runs->run[i].dir);
        a->text[a->asked++] = best_of(&runs->run[i]);
    }
    struct app_task t = {.run = ask_run, .done = ask_done, .ctx = a, .owner = &s->owner_runs};
    app_cancel(v->app, &s->owner_runs);
    if (!a->path || !a->run || !a->text || !app_submit(v->app, &t)) asking_free(a);
    return true;
}
