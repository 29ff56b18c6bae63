/* Tags and notes in the Runs view: asked for, written by a task, told; and which runs are hidden. */
#include "tui/views/runs_view.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

/* ── the task ── */

struct change {
    struct view *v;
    char **dir; /* [n] owned, as all here */
    size_t n, done;
    char **add, **drop;
    size_t n_add, n_drop;
    bool all;
    char *note;
    struct bt_notes last; /* of the last one that was changed */
    enum bt_status status;
    struct bt_error err;
};

static void free_texts(char **text, size_t n)
{
    for (size_t i = 0; i < n; i++) free(text[i]);
    free(text);
}

static void change_free(struct change *c)
{
    free_texts(c->dir, c->n);
    free_texts(c->add, c->n_add);
    free_texts(c->drop, c->n_drop);
    bt_notes_clear(&c->last);
    free(c->note);
    free(c);
}

static bool append(char ***list, size_t *n, const char *text, size_t length)
{
    char **more = realloc(*list, (*n + 1) * sizeof *more);
    if (more) *list = more;
    if (!more || !(more[*n] = bt_strndup(text, length))) return false;
    ++*n;
    return true;
}

static void write_notes(void *ctx, const atomic_bool *cancel)
{
    struct change *c = ctx;
    const struct bt_notes_change change = {.add = (const char *const *)c->add,
                                           .n_add = c->n_add,
                                           .drop = (const char *const *)c->drop,
                                           .n_drop = c->n_drop,
                                           .all = c->all,
                                           .note = c->note};
    for (; c->done < c->n && !c->status && !atomic_load(cancel); c->done += !c->status) {
        bt_notes_clear(&c->last);
        c->status = bt_notes_change(c->dir[c->done], &change, &c->last, &c->err);
    }
}

static void tell(const struct change *c)
{
    struct app *a = c->v->app;
    const char *id = bt_path_base(c->dir[0]);
    struct bt_str text = {.data = NULL};
    for (size_t i = 0; i < c->last.n_tags; i++) bt_str_addf(&text, " %s", c->last.tag[i]);
    if (c->n > 1)
        app_say(a, ROLE_GOOD, "%zu runs: tags changed", c->done);
    else if (bt_notes_tagged(&c->last, BT_TAG_HIDDEN) && c->n_add == 1 && !c->all)
        app_say(a, ROLE_GOOD, "%s is hidden: + shows hidden runs", id);
    else if (c->note)
        app_say(a, ROLE_GOOD, "%s: note %s", id, c->last.note ? "kept" : "taken away");
    else
        app_say(a, ROLE_GOOD, "%s:%s", id, c->last.n_tags ? bt_str_text(&text) : " no tags");
    bt_str_free(&text);
}

static void written(void *ctx, bool cancelled)
{
    struct change *c = ctx;
    if (!cancelled) {
        if (c->status)
            app_say_error(c->v->app, &c->err);
        else
            tell(c);
        app_refresh(c->v->app);
    }
    change_free(c);
}

/* The run under the cursor; if that is marked, all marked ones. */
static bool take_dirs(struct change *c, const struct bt_run_status *here)
{
    size_t n;
    const char *const *mark = app_marks(c->v->app, &n);
    bool many = n > 1 && app_marked(c->v->app, here->dir), fine = true;
    if (!many) return append(&c->dir, &c->n, here->dir, strlen(here->dir));
    for (size_t i = 0; i < n && fine; i++)
        if (app_run_status(c->v->app, mark[i])) fine = append(&c->dir, &c->n, mark[i], strlen(mark[i]));
    return fine;
}

static void submit(struct change *c, bool fine)
{
    struct view *v = c->v;
    struct app_task t = {.run = write_notes, .done = written, .ctx = c, .owner = v->state};
    if (fine && app_submit(v->app, &t)) return;
    app_say(v->app, ROLE_BAD, "no memory");
    change_free(c);
}

static struct change *change_new(struct view *v)
{
    struct change *c = calloc(1, sizeof *c);
    if (c)
        c->v = v;
    else
        app_say(v->app, ROLE_BAD, "no memory");
    return c;
}

/* ── tags ── */

/* Signed words change, others are the whole list; of several runs they are added. */
static bool take_words(struct change *c, const char *text)
{
    bool fine = true, plain = false;
    while (fine && *(text += strspn(text, " ,\t"))) {
        size_t n = strcspn(text, " ,\t");
        bool add = text[0] == '+', drop = text[0] == '-';
        plain |= !add && !drop;
        fine = drop ? append(&c->drop, &c->n_drop, text + 1, n - 1)
                    : append(&c->add, &c->n_add, text + add, n - add);
        text += n;
    }
    c->all = c->n == 1 && (plain || !(c->n_add + c->n_drop));
    return fine;
}

static void tags_typed(void *ctx, const char *text)
{
    struct view *v = ctx;
    const struct bt_run_status *here = text ? runs_asked(v) : NULL;
    struct change *c = here ? change_new(v) : NULL;
    if (!c) return;
    bool fine = take_dirs(c, here) && take_words(c, text);
    submit(c, fine);
}

/* Tags that other runs have. */
static void complete_tag(void *ctx, const char *before, struct bt_str *out)
{
    struct view *v = ctx;
    const struct bt_run_list *list = app_runs(v->app);
    const char *word = before;
    for (const char *p = before; *p; p++)
        if (*p == ' ' || *p == ',') word = p + 1;
    word += *word == '+' || *word == '-';
    struct bt_str asked = {.data = NULL}, found = {.data = NULL};
    bt_str_addf(&asked, "tag:%s", word);
    bt_run_filter_complete(bt_str_text(&asked), list, NULL, &found);
    for (const char *p = bt_str_text(&found); *p; p += strcspn(p, "\n") + 1)
        bt_str_addf(out, "%.*s%.*s\n", (int)(word - before), before, (int)strcspn(p, "\n") - 4, p + 4);
    bt_str_free(&asked);
    bt_str_free(&found);
}

void runs_ask_tags(struct view *v, const struct bt_run_status *here)
{
    size_t marks;
    struct bt_str what = {.data = NULL}, now = {.data = NULL};
    app_marks(v->app, &marks);
    bool many = marks > 1 && app_marked(v->app, here->dir);
    for (size_t i = 0; !many && i < here->notes.n_tags; i++) bt_str_addf(&now, "%s ", here->notes.tag[i]);
    if (many)
        bt_str_addf(&what, "tags of the %zu marked runs (+new -old): ", marks);
    else
        bt_str_add(&what, "tags: ");
    struct app_prompt p = {.what = bt_str_text(&what),
                           .initial = bt_str_text(&now),
                           .history = "runs-tags",
                           .done = tags_typed,
                           .complete = complete_tag,
                           .ctx = v};
    runs_ask_about(v, here);
    app_ask(v->app, &p);
    bt_str_free(&what);
    bt_str_free(&now);
}

/* ── the note ── */

static void note_typed(void *ctx, const char *text)
{
    struct view *v = ctx;
    const struct bt_run_status *here = text ? runs_asked(v) : NULL;
    struct change *c = here ? change_new(v) : NULL;
    if (!c) return;
    bool fine = append(&c->dir, &c->n, here->dir, strlen(here->dir)) && (c->note = bt_strdup(text));
    submit(c, fine);
}

void runs_ask_note(struct view *v, const struct bt_run_status *here)
{
    struct app_prompt p = {
        .what = "note: ", .initial = here->notes.note, .history = "runs-note", .done = note_typed, .ctx = v};
    runs_ask_about(v, here);
    app_ask(v->app, &p);
}

/* ── hiding ── */

void runs_hide(struct view *v, const struct bt_run_status *here)
{
    struct change *c = change_new(v);
    if (!c) return;
    bool back = bt_notes_tagged(&here->notes, BT_TAG_HIDDEN), fine = take_dirs(c, here);
    fine = fine && (back ? append(&c->drop, &c->n_drop, BT_TAG_HIDDEN, strlen(BT_TAG_HIDDEN))
                         : append(&c->add, &c->n_add, BT_TAG_HIDDEN, strlen(BT_TAG_HIDDEN)));
    submit(c, fine);
}

void runs_show_hidden(struct view *v)
{
    struct runs_view *s = runs_of(v);
    s->hidden = !s->hidden;
    runs_refresh(v);
    app_say(v->app, ROLE_TEXT,
            s->hidden ? "hidden runs are shown, with a - before them" : "hidden runs are left out");
}
