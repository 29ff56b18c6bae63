/* What leaves the charts: a panel as a file, values for the clipboard. */
#include "tui/views/charts_export.h"
#include "tui/views/charts_view.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct app *app;
    struct charts_export *export;
    char *path;
    struct bt_error err;
    enum bt_status status;
};

static void job_free(struct job *j)
{
    charts_export_free(j->export);
    free(j->path);
    free(j);
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    (void)cancel;
    j->status = charts_export_write(j->export, j->path, &j->err);
}

static void job_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    if (!cancelled && j->status == BT_OK)
        app_say(j->app, ROLE_GOOD, "%s written", j->path);
    else if (!cancelled)
        app_say_error(j->app, &j->err);
    job_free(j);
}

static void submit(void *ctx)
{
    struct job *j = ctx;
    struct app_task task = {.run = job_run, .done = job_done, .ctx = j, .owner = j->app};
    if (app_submit(j->app, &task)) return;
    app_say(j->app, ROLE_BAD, "not enough memory");
    job_free(j);
}

static struct job *job_new(struct view *v, const char *path)
{
    struct charts_view *s = v->state;
    struct charts_panel *p = charts_focused(s);
    struct charts_drawing d;
    struct job *j = p ? calloc(1, sizeof *j) : NULL;
    if (!j) return NULL;
    j->app = v->app;
    j->path = bt_strdup(path);
    if (charts_draw_panel(&s->data, p, &s->o, charts_look(&s->looks, p->name), charts_shown_x(s),
                          term_glyphs(app_term(v->app)), &d)) {
        j->export = charts_export_take(p, &d);
        charts_drawing_free(&d);
    }
    if (j->path && j->export) return j;
    job_free(j);
    return NULL;
}

static void save_now(void *ctx)
{
    struct view *v = ctx;
    struct charts_view *s = v->state;
    struct job *j = charts_update(v) ? job_new(v, s->save_path) : NULL;
    if (j)
        submit(j);
    else
        app_say(v->app, ROLE_BAD, "there is no panel to write");
}

static void save_as(void *ctx, const char *path)
{
    struct view *v = ctx;
    struct charts_view *s = v->state;
    struct bt_error err;
    char *own = path && *path ? bt_strdup(path) : NULL;
    if (!own) return;
    free(s->save_path);
    s->save_path = own;
    if (charts_export_check(own, &err))
        app_say_error(v->app, &err);
    else
        app_confirm_replace(v->app, own, save_now, v);
}

bool charts_save(struct view *v, int count)
{
    struct charts_panel *p = charts_focused(v->state);
    (void)count;
    if (!p) return false;
    char *name = bt_strfmt("%s.csv", p->name);
    for (char *c = name; c && *c; c++)
        if (*c == '/') *c = '-';
    app_ask(v->app, &(struct app_prompt){.what = "write the panel to (.csv .svg .txt): ",
                                         .initial = name,
                                         .history = "charts-save",
                                         .done = save_as,
                                         .ctx = v});
    free(name);
    return true;
}

/* The panel's values at the cursor (else the last ones), with tabs between them. */
bool charts_copy(struct view *v)
{
    struct charts_view *s = v->state;
    struct charts_panel *p = charts_focused(s);
    struct bt_str text = {0};
    size_t n = 0;
    if (!p) return false;
    bt_str_add(&text, "run\ttag\tstep\tvalue\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct charts_curve *c = &p->curve[i];
        if (!c->n) continue;
        struct charts_summary m = charts_summarise(c, charts_shown_x(s), &s->o);
        char value[BT_NUMBER_SIZE];
        snprintf(value, sizeof value, "%.7g", c->series->value[m.at]);
        bt_str_addf(&text, "%s\t%s\t%lld\t%s\n", c->run->id, c->series->tag, (long long)c->series->step[m.at],
                    value);
        n++;
    }
    if (!text.failed) term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "%zu value%s of %s copied", n, n == 1 ? "" : "s", p->name);
    bt_str_free(&text);
    return true;
}
