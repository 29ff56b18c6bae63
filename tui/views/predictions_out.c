/* From a prediction to other places: Probe, the row's file, the clipboard, a file. */
#include "tui/views/predictions_view.h"

#include <bertty/file.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct bt_example *example_of(const struct pred_view *s, const struct bt_prediction *r)
{
    return pred_example(s->p, s->texts ? s->texts->examples : NULL, r);
}

static void say_no_text(struct view *v, const struct bt_prediction *r)
{
    const struct pred_view *s = v->state;
    if (s->texts && s->texts->err.status != BT_OK)
        app_say_error(v->app, &s->texts->err);
    else if (s->texts)
        app_say(v->app, ROLE_WARN, "row %" PRId64 ": its file no longer says what it said", r->id);
    else
        app_say(v->app, ROLE_TEXT, "the texts are still being read");
}

/* What Probe asks for: of a sentence its words with blanks between them, of choices one a line. */
static void probe_texts(const struct pred_view *s, const struct bt_example *x, struct bt_str *text,
                        struct bt_str *lines)
{
    bool words = s->p->kind == BT_ROWS_TAGS, choices = s->p->kind == BT_ROWS_LABELS;
    if (!words) bt_str_addn(text, x->text ? x->text : "", x->text ? x->text_n : 0);
    for (uint32_t i = 0; (words || choices) && i < x->parts; i++) {
        struct bt_str *to = words ? text : lines;
        bt_str_add(to, i == 0 ? "" : words ? " " : "\n");
        bt_str_addn(to, x->part[i].text, x->part[i].n);
    }
}

bool pred_to_probe(struct view *v, bool why)
{
    const struct pred_view *s = v->state;
    const struct bt_prediction *r = pred_row(s);
    const struct bt_example *x = r ? example_of(s, r) : NULL;
    if (!r) return false;
    if (!x) {
        say_no_text(v, r);
        return true;
    }
    struct bt_str text = {0}, lines = {0};
    probe_texts(s, x, &text, &lines);
    const struct app_request q = {.run = s->run,
                                  .step = s->p->step,
                                  .why = why,
                                  .text = bt_str_text(&text),
                                  .pair = lines.len ? bt_str_text(&lines) : x->pair};
    app_open(v->app, VIEW_PROBE, &q);
    bt_str_free(&text);
    bt_str_free(&lines);
    return true;
}

bool pred_open_row(struct view *v, const struct bt_texts *texts, int64_t id)
{
    const struct pred_view *s = v->state;
    const struct bt_examples *e = texts ? texts->examples : NULL;
    if (!e || id < 1 || (uint64_t)id > bt_examples_count(e)) return false;
    const struct bt_example *x = bt_examples_at(e, (size_t)id - 1);
    if (x->file >= texts->n_files) return false;
    struct app_request q = {.path = texts->file[x->file], .row = 1, .run = s->run, .step = -1};
    for (size_t i = (size_t)id - 1; i-- > 0 && bt_examples_at(e, i)->file == x->file;) q.row++;
    app_open(v->app, VIEW_DATA, &q);
    return true;
}

bool pred_to_data(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_prediction *r = pred_row(s);
    if (!r) return false;
    if (!example_of(s, r) || !pred_open_row(v, s->texts, r->id)) say_no_text(v, r);
    return true;
}

static struct pred_written written_of(const struct pred_view *s)
{
    return (struct pred_written){
        .p = s->p, .texts = s->texts ? s->texts->examples : NULL, .notes = &s->notes};
}

bool pred_copy(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_prediction *r = pred_row(s);
    struct bt_str all = {0};
    if (!r) return false;
    size_t row = (size_t)(r - s->p->row);
    const struct pred_written of = written_of(s);
    pred_write_tsv(&of, &row, 1, &all);
    const char *line = strchr(bt_str_text(&all), '\n'); /* behind the header */
    if (!all.failed && line) term_copy(app_term(v->app), line + 1, strlen(line + 1));
    app_say(v->app, ROLE_TEXT, "row %" PRId64 " copied", r->id);
    bt_str_free(&all);
    return true;
}

/* ── export ── */

struct job {
    struct view *v;
    char *path;
    size_t rows;
    struct bt_str text;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    bt_str_free(&j->text);
    free(j->path);
    free(j);
}

static void write_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    (void)cancel;
    bt_file_write_atomic(j->path, bt_str_text(&j->text), j->text.len, &j->err);
}

static void write_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    if (j->err.status != BT_OK)
        app_say_error(j->v->app, &j->err);
    else if (!cancelled)
        app_say(j->v->app, ROLE_GOOD, "%zu row%s written to %s", j->rows, j->rows == 1 ? "" : "s", j->path);
    job_free(j);
}

static bool is_json(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcasecmp(dot, ".jsonl") == 0 || strcasecmp(dot, ".json") == 0);
}

/* The rows are written down at once, so that a later change of the view does not change the file. */
static void save_now(void *ctx)
{
    struct view *v = ctx;
    struct pred_view *s = v->state;
    struct job *j = s->p ? calloc(1, sizeof *j) : NULL;
    if (!j) return;
    *j = (struct job){.v = v, .path = bt_strdup(s->export_path), .rows = s->n};
    const struct pred_written of = written_of(s);
    (is_json(s->export_path) ? pred_write_jsonl : pred_write_tsv)(&of, s->index, s->n, &j->text);
    struct app_task t = {.run = write_run, .done = write_done, .ctx = j, .owner = &s->owner_out};
    if (j->path && !j->text.failed && app_submit(v->app, &t)) return;
    app_say(v->app, ROLE_BAD, "not enough memory to write the rows");
    job_free(j);
}

static void save_as(void *ctx, const char *path)
{
    struct view *v = ctx;
    struct pred_view *s = v->state;
    char *own = path && *path ? bt_strdup(path) : NULL;
    if (!own) return;
    free(s->export_path);
    s->export_path = own;
    app_confirm_replace(v->app, own, save_now, v);
}

bool pred_export(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p || !s->n) {
        app_say(v->app, ROLE_WARN, "there are no rows to write");
        return true;
    }
    char *name =
        bt_strfmt("%s-%s-%" PRId64 ".tsv", bt_path_base(s->run), pred_split_name(s->split), s->p->step);
    app_ask(v->app, &(struct app_prompt){.what = "write the rows to (.tsv .jsonl): ",
                                         .initial = name,
                                         .history = "predictions-export",
                                         .done = save_as,
                                         .ctx = v});
    free(name);
    return true;
}
