/* Tags and notes of rows in the Predictions view: asked for, written by a task, and chosen by. */
#include "tui/views/predictions_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ── writing ── */

struct job {
    struct view *v;
    char *run, *note; /* note NULL: as it is */
    char *words;      /* the tags, ended by NULs */
    const char **tag; /* [n_tags] in words */
    size_t n_tags;
    bool tags; /* they are the row's from now on */
    enum pred_split split;
    int64_t row;
    struct bt_row_notes now;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    bt_row_notes_clear(&j->now);
    free(j->run);
    free(j->note);
    free(j->words);
    free(j->tag);
    free(j);
}

static void write_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    const struct bt_notes_change c = {.add = j->tag, .n_add = j->n_tags, .all = j->tags, .note = j->note};
    (void)cancel;
    bt_row_notes_change(j->run, pred_split_name(j->split), &j->row, 1, &c, &j->now, &j->err);
}

static void tell(const struct job *j)
{
    const struct bt_notes *n = bt_row_notes_of(&j->now, j->row);
    struct bt_str text = {0};
    for (size_t i = 0; n && i < n->n_tags; i++) bt_str_addf(&text, " #%s", n->tag[i]);
    if (j->note)
        app_say(j->v->app, ROLE_GOOD, "row %" PRId64 ": note %s", j->row,
                n && n->note ? "kept" : "taken away");
    else
        app_say(j->v->app, ROLE_GOOD, "row %" PRId64 ":%s", j->row,
                text.len ? bt_str_text(&text) : " no tags");
    bt_str_free(&text);
}

static void write_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->v;
    struct pred_view *s = v->state;
    if (j->err.status) app_say_error(v->app, &j->err);
    if (!j->err.status && !cancelled && s->run && strcmp(s->run, j->run) == 0 && s->split == j->split) {
        tell(j);
        bt_row_notes_clear(&s->notes);
        s->notes = j->now;
        s->notes_err = (struct bt_error){.status = BT_OK};
        j->now = (struct bt_row_notes){.n = 0};
        pred_slice_forget_rows(s);
        pred_update(v);
    }
    job_free(j);
}

static void submit(struct job *j, bool fine)
{
    const struct pred_view *s = j->v->state;
    const struct app_task t = {.run = write_run, .done = write_done, .ctx = j, .owner = &s->owner_notes};
    if (fine && j->run && app_submit(j->v->app, &t)) return;
    app_say(j->v->app, ROLE_BAD, "no memory");
    job_free(j);
}

static struct job *job_new(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_prediction *r = pred_row(s);
    struct job *j = r ? calloc(1, sizeof *j) : NULL;
    if (j) *j = (struct job){.v = v, .run = bt_strdup(s->run), .split = s->split, .row = r->id};
    return j;
}

/* Words with blanks or commas between them; a # before one is how it is shown. */
static bool take_words(struct job *j, const char *text)
{
    j->words = bt_strdup(text);
    j->tag = calloc(strlen(text) / 2 + 2, sizeof *j->tag);
    if (!j->words || !j->tag) return false;
    char *rest = NULL;
    for (char *word = strtok_r(j->words, " ,", &rest); word; word = strtok_r(NULL, " ,", &rest))
        if (word[*word == '#']) j->tag[j->n_tags++] = word + (*word == '#');
    return true;
}

static void tags_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct job *j = text ? job_new(v) : NULL;
    if (!j) return;
    j->tags = true;
    submit(j, take_words(j, text));
}

static void note_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct job *j = text ? job_new(v) : NULL;
    if (!j) return;
    j->note = bt_strdup(text);
    submit(j, j->note != NULL);
}

/* ── asking ── */

static const struct bt_notes *notes_here(const struct pred_view *s)
{
    const struct bt_prediction *r = pred_row(s);
    return r ? bt_row_notes_of(&s->notes, r->id) : NULL;
}

static bool may(struct view *v)
{
    const struct pred_view *s = v->state;
    if (s->notes_err.status) app_say_error(v->app, &s->notes_err);
    return pred_row(s) && !s->notes_err.status;
}

bool pred_notes_tag(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_notes *n = notes_here(s);
    struct bt_str now = {0};
    if (!may(v)) return true;
    for (size_t i = 0; n && i < n->n_tags; i++) bt_str_addf(&now, "%s%s", i ? " " : "", n->tag[i]);
    app_ask(v->app, &(struct app_prompt){.what = "tags of this row: ",
                                         .initial = bt_str_text(&now),
                                         .history = "predictions-tags",
                                         .done = tags_done,
                                         .ctx = v});
    bt_str_free(&now);
    return true;
}

bool pred_notes_write(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_notes *n = notes_here(s);
    if (!may(v)) return true;
    app_ask(v->app, &(struct app_prompt){.what = "note about this row: ",
                                         .initial = n && n->note ? n->note : "",
                                         .history = "predictions-note",
                                         .done = note_done,
                                         .ctx = v});
    return true;
}

/* ── rows with a tag ── */

struct tags {
    const char **name; /* borrowed from the notes */
    size_t *rows, n;
};

static bool count(struct tags *t, const char *name)
{
    size_t i = 0;
    while (i < t->n && strcasecmp(t->name[i], name) != 0) i++;
    if (i == t->n) {
        const char **more = realloc(t->name, (t->n + 1) * sizeof *more);
        if (more) t->name = more;
        size_t *rows = more ? realloc(t->rows, (t->n + 1) * sizeof *rows) : NULL;
        if (rows) t->rows = rows;
        if (!rows) return false;
        t->name[t->n] = name;
        t->rows[t->n++] = 0;
    }
    t->rows[i]++;
    return true;
}

static bool tags_of(const struct bt_row_notes *n, struct tags *t)
{
    bool fine = true;
    for (size_t i = 0; i < n->n; i++)
        for (size_t k = 0; fine && k < n->item[i].notes.n_tags; k++) fine = count(t, n->item[i].notes.tag[k]);
    return fine;
}

static void tags_free(struct tags *t)
{
    free(t->name);
    free(t->rows);
}

static void chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct pred_view *s = v->state;
    struct tags t = {.n = 0};
    if (index < 0) return;
    bool fine = tags_of(&s->notes, &t);
    if (fine && (size_t)index <= t.n) {
        free(s->tag);
        s->tag = index ? bt_strdup(t.name[index - 1]) : NULL;
        s->list.cursor = s->list.top = 0;
        s->n = 0;
        pred_update(v);
    }
    tags_free(&t);
}

bool pred_notes_choose(struct view *v)
{
    const struct pred_view *s = v->state;
    struct tags t = {.n = 0};
    bool fine = tags_of(&s->notes, &t);
    char **item = calloc(t.n + 1, sizeof *item);
    fine = fine && item && (item[0] = bt_strdup("all rows"));
    for (size_t i = 0; fine && i < t.n; i++)
        fine = (item[i + 1] = bt_strfmt("#%s: %zu row%s", t.name[i], t.rows[i], t.rows[i] == 1 ? "" : "s")) !=
               NULL;
    if (fine && t.n)
        app_choose(v->app, "Tags", (const char *const *)item, t.n + 1, chosen, v);
    else if (fine)
        app_say(v->app, ROLE_TEXT, "no row has a tag yet: # gives one");
    for (size_t i = 0; item && i <= t.n; i++) free(item[i]);
    free(item);
    tags_free(&t);
    return true;
}
