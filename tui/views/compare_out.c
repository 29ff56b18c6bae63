/* What leaves the Compare view: the table to the clipboard, the report to a file. */
#include "tui/report.h"
#include "tui/views/compare_view.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

/* ── the clipboard ── */

/* Everything as text with tabs, for a spreadsheet or a message. */
bool compare_copy(struct view *v)
{
    struct compare_view *s = v->state;
    struct bt_str text = {0};
    if (!s->found || !s->found->compare) return false;
    for (size_t i = 0; i < s->n; i++) bt_str_addf(&text, "\t%s", s->found->compare->run[i].id);
    for (size_t i = 0; i < s->lines.n; i++) {
        const struct compare_line *l = &s->lines.line[i];
        bt_str_addf(&text, "\n%s", l->text);
        for (size_t k = 0; k < compare_cells(&s->lines, l, s->found->compare); k++) {
            bt_str_addc(&text, '\t');
            compare_cell(&s->lines, l, s->found->compare, k, &text);
        }
    }
    bt_str_addc(&text, '\n');
    if (!text.failed) term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "the comparison is copied: %zu lines", s->lines.n);
    bt_str_free(&text);
    return true;
}

/* ── the report ── */

/* What the report is about, as it was asked for. */
struct job {
    struct view *v;
    char *path;
    char **dir, **expression;
    struct bt_run_at *run; /* borrows dir */
    size_t n, expressions, bytes;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    for (size_t i = 0; j->dir && i < j->n; i++) free(j->dir[i]);
    for (size_t i = 0; j->expression && i < j->expressions; i++) free(j->expression[i]);
    free(j->dir);
    free(j->expression);
    free(j->run);
    free(j->path);
    free(j);
}

static void write_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    struct report *r = NULL;
    struct bt_str page = {0};
    const struct bt_versus_request asked = {.expression = (const char *const *)j->expression,
                                            .expressions = j->expressions};
    if (report_load(j->run, j->n, &asked, cancel, &r, &j->err) != BT_OK) return;
    report_html(r, &page);
    j->bytes = page.len;
    if (page.failed)
        bt_fail(&j->err, BT_NOMEM, "no memory for the report");
    else
        bt_file_write_atomic(j->path, page.data, page.len, &j->err);
    bt_str_free(&page);
    report_free(r);
}

static void write_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    if (j->err.status != BT_OK)
        app_say_error(j->v->app, &j->err);
    else if (!cancelled)
        app_say(j->v->app, ROLE_GOOD, "the report is written to %s: %zu KiB", j->path,
                (j->bytes + 1023) / 1024);
    job_free(j);
}

static bool fill(struct job *j, const struct compare_view *s)
{
    j->n = s->n;
    j->expressions = s->expressions;
    j->dir = calloc(s->n + 1, sizeof *j->dir);
    j->run = calloc(s->n + 1, sizeof *j->run);
    j->expression = calloc(s->expressions + 1, sizeof *j->expression);
    bool good = j->path && j->dir && j->run && j->expression;
    for (size_t i = 0; good && i < s->n; i++) {
        good = (j->dir[i] = bt_strdup(s->dir[i])) != NULL;
        j->run[i] = (struct bt_run_at){.dir = j->dir[i], .step = s->n == 2 ? s->step[i] : BT_STEP_NONE};
    }
    for (size_t i = 0; good && i < s->expressions; i++)
        good = (j->expression[i] = bt_strdup(s->expression[i])) != NULL;
    return good;
}

static void save_now(void *ctx)
{
    struct view *v = ctx;
    struct compare_view *s = v->state;
    struct job *j = s->n >= 2 ? calloc(1, sizeof *j) : NULL;
    if (!j) return;
    *j = (struct job){.v = v, .path = bt_strdup(s->report_path)};
    struct app_task t = {.run = write_run, .done = write_done, .ctx = j, .owner = &s->owner_out};
    if (fill(j, s) && app_submit(v->app, &t)) {
        app_say(v->app, ROLE_TEXT, "writing the report …");
        return;
    }
    app_say(v->app, ROLE_BAD, "not enough memory to write the report");
    job_free(j);
}

static void save_as(void *ctx, const char *path)
{
    struct view *v = ctx;
    struct compare_view *s = v->state;
    char *own = path && *path ? bt_strdup(path) : NULL;
    if (!own) return;
    free(s->report_path);
    s->report_path = own;
    app_confirm_replace(v->app, own, save_now, v);
}

bool compare_report(struct view *v)
{
    struct compare_view *s = v->state;
    if (!s->found || !s->found->compare) {
        app_say(v->app, ROLE_WARN, "there is nothing to write yet");
        return true;
    }
    const char *name = s->report_path ? s->report_path : "comparison.html";
    app_ask(v->app, &(struct app_prompt){.what = "write the report to (.html): ",
                                         .initial = name,
                                         .history = "compare-report",
                                         .done = save_as,
                                         .ctx = v});
    return true;
}
