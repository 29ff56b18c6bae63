#include "tui/views/marks.h"

#include <stdlib.h>
#include <string.h>

/* The runs that the list was made from: the workbench's own may have changed when something is chosen. */
struct choice {
    struct app *app;
    char **dir;
    size_t n;
};

static void choice_free(struct choice *c)
{
    for (size_t i = 0; i < c->n; i++) free(c->dir[i]);
    free(c->dir);
    free(c);
}

static void chosen(void *ctx, int index)
{
    struct choice *c = ctx;
    if (index >= 0 && (size_t)index < c->n) {
        const char *dir = c->dir[index];
        app_mark(c->app, dir, !app_marked(c->app, dir));
        app_redraw(c->app);
    }
    choice_free(c);
}

static struct choice *choice_new(struct app *a, const struct bt_run_list *runs)
{
    struct choice *c = calloc(1, sizeof *c);
    if (!c || !(c->dir = calloc(runs->n, sizeof *c->dir))) {
        free(c);
        return NULL;
    }
    c->app = a;
    for (; c->n < runs->n && (c->dir[c->n] = bt_strdup(runs->run[c->n].dir)); c->n++) continue;
    return c;
}

void marks_choose(struct app *a)
{
    const struct bt_run_list *runs = app_runs(a);
    struct choice *c = runs->n ? choice_new(a, runs) : NULL;
    char **item = c ? calloc(c->n + 1, sizeof *item) : NULL;
    size_t n = 0;
    for (; item && n < c->n; n++) {
        const struct bt_run_status *r = &runs->run[n];
        item[n] =
            bt_strfmt("[%c] %s  %s", app_marked(a, r->dir) ? 'x' : ' ', r->id, bt_run_state_name(r->state));
        if (!item[n]) break;
    }
    if (n) app_choose(a, "Show or no longer show", (const char *const *)item, n, chosen, c);
    if (!n && c) choice_free(c);
    for (size_t i = 0; i < n; i++) free(item[i]);
    free(item);
    if (!n && app_runs_known(a))
        app_say(a, ROLE_WARN, "there is no run in %s", app_runs_dir(a));
    else if (!n)
        app_say(a, ROLE_TEXT, "the runs in %s are just being read", app_runs_dir(a));
}
