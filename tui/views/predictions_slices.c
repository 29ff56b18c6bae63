/* Filters of the Predictions view by an expression, and those that were given a name: they are kept with the runs. */
#include "tui/views/predictions_filter.h"
#include "tui/views/predictions_view.h"

#include <stdlib.h>
#include <string.h>

/* ── the expression ── */

void pred_slice_forget_rows(struct pred_view *s)
{
    free(s->in);
    s->in = NULL;
}

/* Which rows it holds for; made anew when the rows or their texts are others. */
void pred_slice_apply(struct view *v)
{
    struct pred_view *s = v->state;
    struct bt_error err = {0};
    const struct bt_examples *texts = s->texts ? s->texts->examples : NULL;
    if (!s->expression) pred_slice_forget_rows(s);
    if (s->expression && s->p && !s->in &&
        pred_filter_make(s->expression, s->p, texts, &s->notes, &s->in, &err) != BT_OK)
        app_say_error(v->app, &err);
    s->query.in = s->in;
}

void pred_slice_set(struct view *v, const char *expression)
{
    struct pred_view *s = v->state;
    char *own = expression && *expression ? bt_strdup(expression) : NULL;
    free(s->expression);
    s->expression = own;
    pred_slice_forget_rows(s);
    s->list.cursor = s->list.top = 0;
    s->n = 0;
    pred_update(v);
}

static void expression_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct bt_error err = {0};
    if (!text) return;
    if (*text && pred_filter_check(text, &err) != BT_OK)
        app_say_error(v->app, &err);
    else
        pred_slice_set(v, text);
}

bool pred_slice_ask(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p) return false;
    app_ask(v->app, &(struct app_prompt){.what = "rows where (gold = … and confidence > 0.9): ",
                                         .initial = s->expression ? s->expression : "",
                                         .history = "predictions-expression",
                                         .done = expression_done,
                                         .ctx = v});
    return true;
}

/* ── names ── */

struct job {
    struct view *v;
    char *runs_dir, *name, *expression; /* name NULL: only read */
    struct bt_slices found;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    bt_slices_clear(&j->found);
    free(j->runs_dir);
    free(j->name);
    free(j->expression);
    free(j);
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    (void)cancel;
    if (j->name && bt_slices_save(j->runs_dir, j->name, j->expression, &j->err) != BT_OK) return;
    bt_slices_load(j->runs_dir, &j->found, &j->err);
}

static bool submit(struct view *v, const char *name, const char *expression,
                   void (*done)(void *ctx, bool cancelled))
{
    struct pred_view *s = v->state;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return false;
    *j = (struct job){.v = v,
                      .runs_dir = bt_strdup(app_runs_dir(v->app)),
                      .name = bt_strdup(name),
                      .expression = bt_strdup(expression)};
    struct app_task t = {.run = job_run, .done = done, .ctx = j, .owner = &s->owner_slices};
    if (j->runs_dir && app_submit(v->app, &t)) return true;
    job_free(j);
    return false;
}

static void take_found(struct pred_view *s, struct job *j)
{
    bt_slices_clear(&s->slices);
    s->slices = j->found;
    j->found = (struct bt_slices){.n = 0};
}

static void saved(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    if (j->err.status != BT_OK)
        app_say_error(j->v->app, &j->err);
    else if (!cancelled)
        app_say(j->v->app, ROLE_GOOD, "slice %s %s", j->name, j->expression ? "kept" : "forgotten");
    if (j->err.status == BT_OK) take_found(j->v->state, j);
    job_free(j);
}

static void name_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct pred_view *s = v->state;
    if (text && *text && s->expression) submit(v, text, s->expression, saved);
}

bool pred_slice_name_it(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->expression) {
        app_say(v->app, ROLE_TEXT, "F first: a name is for the rows of an expression");
        return true;
    }
    app_ask(v->app, &(struct app_prompt){
                        .what = "keep this filter as: ", .initial = "", .done = name_done, .ctx = v});
    return true;
}

/* ── choosing one ── */

static void chosen(void *ctx, int index)
{
    struct view *v = ctx;
    const struct pred_view *s = v->state;
    struct bt_error err = {0};
    if (index < 0) return;
    const char *expression = index == 0 ? NULL : s->slices.item[index - 1].expression;
    if (expression && pred_filter_check(expression, &err) != BT_OK)
        app_say_error(v->app, &err);
    else
        pred_slice_set(v, expression);
}

static void show_choice(struct view *v)
{
    struct pred_view *s = v->state;
    size_t n = s->slices.n + 1;
    char **item = calloc(n, sizeof *item);
    bool good = item && (item[0] = bt_strdup("all rows"));
    for (size_t i = 1; good && i < n; i++)
        good = (item[i] = bt_strfmt("%s: %s", s->slices.item[i - 1].name,
                                    s->slices.item[i - 1].expression)) != NULL;
    if (good) app_choose(v->app, "Slices", (const char *const *)item, n, chosen, v);
    for (size_t i = 0; item && i < n; i++) free(item[i]);
    free(item);
}

static void read_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->v;
    struct pred_view *s = v->state;
    if (j->err.status != BT_OK)
        app_say_error(v->app, &j->err);
    else if (!cancelled)
        take_found(s, j);
    bool good = j->err.status == BT_OK && !cancelled && app_in_front(v->app, v);
    job_free(j);
    if (good && s->slices.n)
        show_choice(v);
    else if (good)
        app_say(v->app, ROLE_TEXT, "no slice has a name yet: F filters by an expression, N keeps it");
}

bool pred_slice_choose(struct view *v)
{
    submit(v, NULL, NULL, read_done);
    return true;
}
