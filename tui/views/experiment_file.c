/* Reading an experiment file, saving it, keeping what was not saved. */
#include "tui/views/experiment_view.h"

#include <bertty/file.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };
static const double STAT_S = 1.0; /* how often the file is looked at while it is shown */

/* ── names ── */

/* Under which the unsaved text of a file (or of one without a name) is kept. */
static char *kept_path(const char *path)
{
    char here[PATH_MAX], *real = path ? realpath(path, NULL) : NULL, *kept;
    if (!path && !getcwd(here, sizeof here)) return NULL;
    kept = exp_state_path("unsaved", real ? real : path ? path : here);
    free(real);
    return kept;
}

/* Remembers which file was open last in this directory. */
static char *last_path(void)
{
    char here[PATH_MAX];
    return getcwd(here, sizeof here) ? exp_state_path("last", here) : NULL;
}

static void note_last(const char *path)
{
    char here[PATH_MAX];
    bool below = path[0] != '/' && getcwd(here, sizeof here);
    char *all = below ? bt_path_join(here, path) : bt_strdup(path), *last = last_path();
    if (all && last) (void)bt_file_replace(last, all, strlen(all), NULL);
    free(all);
    free(last);
}

/* ── tasks ── */

enum job_kind { JOB_LOAD, JOB_FIRST, JOB_REREAD, JOB_SAVE, JOB_DROP };

struct job {
    struct view *v;
    enum job_kind kind;
    char *path;
    char *text; /* read, or to be written */
    size_t n;
    char *expected; /* what the file must still hold before it is written; NULL: it must not be there */
    size_t expected_n;
    bool force, unchanged;
    char *kept; /* text of an earlier session */
    enum bt_status status;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    free(j->path);
    free(j->text);
    free(j->expected);
    free(j->kept);
    free(j);
}

static struct job *job_new(struct view *v, enum job_kind kind, const char *path)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (struct job){.v = v, .kind = kind, .path = bt_strdup(path)};
    if (!path || j->path) return j;
    free(j);
    return NULL;
}

static void read_text(struct job *j)
{
    char *kept = kept_path(j->path);
    size_t n;
    j->status = bt_file_read(j->path, LARGEST, &j->text, &j->n, &j->err);
    if (kept && !j->status && bt_file_read(kept, LARGEST, &j->kept, &n, NULL) == BT_OK && n == j->n &&
        memcmp(j->kept, j->text, n) == 0) {
        free(j->kept);
        j->kept = NULL;
    }
    free(kept);
    if (!j->status) note_last(j->path);
}

/* A path below the current directory without it. */
static void make_relative(char *path)
{
    char here[PATH_MAX];
    size_t n = getcwd(here, sizeof here) ? strlen(here) : 0;
    if (n > 1 && strncmp(path, here, n) == 0 && path[n] == '/')
        memmove(path, path + n + 1, strlen(path + n + 1) + 1);
}

/* The one that was open last, else the first of experiments/. */
static void read_first(struct job *j)
{
    char *last = last_path();
    size_t n;
    if (last) (void)bt_file_read(last, PATH_MAX, &j->path, &n, NULL);
    free(last);
    if (j->path && !bt_path_exists(j->path)) {
        free(j->path);
        j->path = NULL;
    }
    if (!j->path) {
        struct bt_str list = {.data = NULL};
        exp_complete_path("experiments/", &list);
        for (const char *p = bt_str_text(&list); *p && !j->path;) {
            size_t length = strcspn(p, "\n");
            char *path = bt_strndup(p, length);
            if (path && exp_is_file(path))
                j->path = path;
            else
                free(path);
            p += length + (p[length] == '\n');
        }
        bt_str_free(&list);
    }
    if (!j->path) return;
    make_relative(j->path);
    read_text(j);
}

static void reread(struct job *j)
{
    j->status = bt_file_read(j->path, LARGEST, &j->text, &j->n, &j->err);
    j->unchanged = !j->status && j->n == j->expected_n && memcmp(j->text, j->expected, j->n) == 0;
}

static void forget_kept(const char *path)
{
    char *kept = kept_path(path);
    if (kept) unlink(kept);
    free(kept);
}

static void save(struct job *j)
{
    char *now = NULL;
    size_t n = 0;
    if (!j->force && bt_path_exists(j->path)) {
        j->status = bt_file_read(j->path, LARGEST, &now, &n, &j->err);
        if (!j->status && !j->expected) j->status = BT_EXISTS;
        if (!j->status && (n != j->expected_n || memcmp(now, j->expected, n) != 0)) j->status = BT_BUSY;
        free(now);
    }
    if (j->status) return;
    j->status = bt_file_write_atomic(j->path, j->text, j->n, &j->err);
    if (j->status) return;
    forget_kept(j->path);
    note_last(j->path);
}

static void drop(struct job *j)
{
    forget_kept(j->path);
}

static void run_job(void *ctx, const atomic_bool *cancel)
{
    static void (*const run[])(struct job *) = {[JOB_LOAD] = read_text,
                                                [JOB_FIRST] = read_first,
                                                [JOB_REREAD] = reread,
                                                [JOB_SAVE] = save,
                                                [JOB_DROP] = drop};
    struct job *j = ctx;
    (void)cancel;
    run[j->kind](j);
}

static void job_done(void *ctx, bool cancelled);

static void submit(struct view *v, struct job *j)
{
    struct app_task t = {.run = run_job, .done = job_done, .ctx = j, .owner = v->state};
    if (j && app_submit(v->app, &t)) return;
    if (j) job_free(j);
    app_say(v->app, ROLE_BAD, "no memory");
}

/* ── what came of them ── */

void exp_show_from_start(struct view *v)
{
    struct exp_view *s = exp_of(v);
    s->ready = true;
    free(s->origin);
    free(s->filter);
    s->origin = s->filter = NULL;
    s->only_changed = false;
    s->text_left = 0;
    s->text_top = s->check_top = 0;
    s->list.cursor = 0;
    exp_update_rows(v);
    list_act(&s->list, ACT_DOWN, 1);
    s->list.top = 0;
    app_redraw(v->app);
}

static void kept_answered(void *ctx, int index)
{
    struct view *v = ctx;
    struct exp_view *s = exp_of(v);
    struct bt_error err;
    if (index == 0 && s->kept) {
        exp_say_status(v, form_replace(s->form, s->kept, strlen(s->kept), &err), &err);
        s->taken_over = true;
        exp_update_rows(v);
        app_say(v->app, ROLE_GOOD, "taken over: u undoes, w saves");
    } else if (index == 1) {
        submit(v, job_new(v, JOB_DROP, form_path(s->form)));
    }
    free(s->kept);
    s->kept = NULL;
}

void exp_offer_kept(struct view *v)
{
    static const char *const answers[] = {"take them over", "throw them away", "decide later"};
    struct exp_view *s = exp_of(v);
    if (!s->kept || s->offered || s->edit || !app_in_front(v->app, v)) return;
    s->offered = true;
    struct bt_str title = {.data = NULL};
    const char *path = form_path(s->form);
    bt_str_addf(&title, "%s: changes of an earlier session were not saved",
                path ? bt_path_base(path) : "experiment without a file");
    app_choose(v->app, bt_str_text(&title), answers, sizeof answers / sizeof *answers, kept_answered, v);
    bt_str_free(&title);
}

static void loaded(struct job *j)
{
    struct exp_view *s = exp_of(j->v);
    exp_edit_end(j->v);
    exp_other_clear(&s->other);
    exp_check_clear(&s->check); /* of the file before */
    j->status = form_load(s->form, j->text, j->n, j->path, &j->err);
    if (j->status) return;
    exp_show_from_start(j->v);
    free(s->kept);
    s->kept = j->kept;
    j->kept = NULL;
    s->offered = s->taken_over = false;
    exp_offer_kept(j->v);
}

static void first_loaded(struct job *j)
{
    exp_of(j->v)->looking = false;
    if (j->path && !exp_of(j->v)->ready) loaded(j);
}

/* The file changed under us: without changes of ours it is simply shown. */
static void reread_done(struct job *j)
{
    struct exp_view *s = exp_of(j->v);
    const char *path = form_path(s->form);
    if (j->unchanged || s->edit || !path || strcmp(path, j->path) != 0 || form_dirty(s->form)) return;
    j->status = form_replace(s->form, j->text, j->n, &j->err);
    if (!j->status) j->status = form_saved(s->form, j->path, j->text, j->n, &j->err);
    exp_update_rows(j->v);
    if (!j->status) app_say(j->v->app, ROLE_TEXT, "%s was changed: read again", bt_path_base(j->path));
}

static void overwrite(void *ctx);

static void saved(struct job *j)
{
    struct exp_view *s = exp_of(j->v);
    size_t faults = form_faults(s->form);
    j->status = form_saved(s->form, j->path, j->text, j->n, &j->err);
    exp_update_rows(j->v);
    if (j->status) return;
    free(s->origin);
    s->origin = NULL;
    exp_list_files(j->v);
    if (faults)
        app_say(j->v->app, ROLE_WARN, "%s saved, with %zu fault%s in it", j->path, faults,
                faults == 1 ? "" : "s");
    else
        app_say(j->v->app, ROLE_GOOD, "%s saved", j->path);
}

static void save_refused(struct job *j)
{
    struct exp_view *s = exp_of(j->v);
    struct bt_str question = {.data = NULL};
    if (!app_in_front(j->v->app, j->v)) {
        app_say(j->v->app, ROLE_BAD, "%s is not saved: there is another one", j->path);
        return;
    }
    bt_str_addf(&question,
                j->status == BT_EXISTS ? "%s exists: overwrite it?"
                                       : "%s was changed by somebody else: overwrite it?",
                j->path);
    free(s->save_path);
    s->save_path = bt_strdup(j->path);
    app_confirm(j->v->app, bt_str_text(&question), overwrite, j->v);
    bt_str_free(&question);
}

static void nothing(struct job *j)
{
    (void)j;
}

static void job_done(void *ctx, bool cancelled)
{
    static void (*const then[])(struct job *) = {[JOB_LOAD] = loaded,
                                                 [JOB_FIRST] = first_loaded,
                                                 [JOB_REREAD] = reread_done,
                                                 [JOB_SAVE] = saved,
                                                 [JOB_DROP] = nothing};
    struct job *j = ctx;
    if (!cancelled) {
        bool asked = j->kind == JOB_SAVE && (j->status == BT_EXISTS || j->status == BT_BUSY);
        if (asked)
            save_refused(j);
        else if (!j->status)
            then[j->kind](j);
        if (j->kind == JOB_FIRST) exp_of(j->v)->looking = false;
        if (j->status && !asked && j->kind != JOB_REREAD) app_say_error(j->v->app, &j->err);
        if (!j->unchanged) app_redraw(j->v->app);
    }
    job_free(j);
}

/* ── opening ── */

void exp_first_file(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (s->looking) return;
    s->looking = true;
    submit(v, job_new(v, JOB_FIRST, NULL));
}

static void open_wanted(void *ctx)
{
    struct view *v = ctx;
    struct exp_view *s = exp_of(v);
    if (s->wanted) submit(v, job_new(v, JOB_LOAD, s->wanted));
    if (s->wanted_run) exp_clone(v, NULL, s->wanted_run);
    free(s->wanted);
    free(s->wanted_run);
    s->wanted = s->wanted_run = NULL;
}

static void open_after_question(struct view *v, const char *path, const char *run)
{
    struct exp_view *s = exp_of(v);
    struct bt_str question = {.data = NULL};
    free(s->wanted);
    free(s->wanted_run);
    s->wanted = bt_strdup(path);
    s->wanted_run = bt_strdup(run);
    if (!form_dirty(s->form)) {
        open_wanted(v);
        return;
    }
    const char *now = form_path(s->form);
    bt_str_addf(&question, "Leave %s without saving the changes?",
                now ? bt_path_base(now) : "the new experiment");
    app_confirm(v->app, bt_str_text(&question), open_wanted, v);
    bt_str_free(&question);
}

void exp_open_path(struct view *v, const char *path)
{
    open_after_question(v, path, NULL);
}

void exp_open_run(struct view *v, const char *dir)
{
    open_after_question(v, NULL, dir);
}

void exp_fresh(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct bt_error err;
    if (form_dirty(s->form)) {
        app_say(v->app, ROLE_WARN, "save the changes first (w), or undo them (u)");
        return;
    }
    exp_check_clear(&s->check);
    exp_say_status(v, form_load(s->form, "", 0, NULL, &err), &err);
    exp_show_from_start(v);
}

/* ── saving ── */

static void save_to(struct view *v, const char *path, bool force)
{
    struct exp_view *s = exp_of(v);
    struct job *j = job_new(v, JOB_SAVE, path);
    size_t n;
    if (j) {
        const char *text = form_text(s->form, &n), *now = form_path(s->form);
        j->text = bt_strndup(text, n);
        j->n = n;
        j->force = force;
        if (now && strcmp(now, path) == 0) {
            text = form_saved_text(s->form, &n);
            j->expected = bt_strndup(text, n);
            j->expected_n = n;
        }
        if (!j->text) {
            job_free(j);
            j = NULL;
        }
    }
    submit(v, j);
}

static void overwrite(void *ctx)
{
    struct view *v = ctx;
    struct exp_view *s = exp_of(v);
    if (s->save_path) save_to(v, s->save_path, true);
    free(s->save_path);
    s->save_path = NULL;
}

static void save_as_typed(void *ctx, const char *text)
{
    struct view *v = ctx;
    if (text && text[strspn(text, " ")]) save_to(v, text, false);
}

static void complete_path(void *ctx, const char *before, struct bt_str *out)
{
    (void)ctx;
    exp_complete_path(before, out);
}

void exp_ask_save_as(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct bt_str initial = {.data = NULL};
    const char *name = form_values(s->form)->run_name;
    if (form_path(s->form))
        bt_str_add(&initial, form_path(s->form));
    else
        bt_str_addf(&initial, "experiments/%s.yaml", name && !strchr(name, '/') ? name : "new");
    struct app_prompt p = {.what = "save as: ",
                           .initial = bt_str_text(&initial),
                           .history = "save-as",
                           .done = save_as_typed,
                           .complete = complete_path,
                           .ctx = v};
    app_ask(v->app, &p);
    bt_str_free(&initial);
}

void exp_save(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (!form_path(s->form))
        exp_ask_save_as(v);
    else if (!form_dirty(s->form))
        app_say(v->app, ROLE_TEXT, "%s: nothing to save", form_path(s->form));
    else
        save_to(v, form_path(s->form), false);
}

/* Settings without a file that were launched live on in the run. */
bool exp_worth_keeping(const struct exp_view *s)
{
    return s->form && form_dirty(s->form) && (form_path(s->form) || form_version(s->form) != s->launched);
}

/* At a hang-up there is nobody to ask any more, so the text is kept and offered next time. */
void exp_autosave(struct view *v)
{
    struct exp_view *s = exp_of(v);
    size_t n;
    s->taken_over = false;
    if (s->form && s->edit) (void)form_put(s->form, s->edited, edit_text(s->edit), NULL);
    if (!exp_worth_keeping(s)) return;
    char *kept = kept_path(form_path(s->form));
    const char *text = form_text(s->form, &n);
    if (kept) (void)bt_file_replace(kept, text, n, NULL);
    free(kept);
}

/* ── the editor ── */

/* A text that is not saved is edited in a copy, and stays unsaved. */
static void edit_copy(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct bt_error err;
    size_t n;
    const char *text = form_text(s->form, &n);
    char *copy = exp_state_path("editing", form_path(s->form) ? form_path(s->form) : ""), *back = NULL;
    enum bt_status st =
        copy ? bt_file_replace(copy, text, n, &err) : bt_fail(&err, BT_IO, "no place for a copy of the text");
    if (!st && app_edit_file(v->app, copy)) st = bt_file_read(copy, LARGEST, &back, &n, &err);
    if (!st && back) st = form_replace(s->form, back, n, &err);
    exp_say_status(v, st, &err);
    if (copy) unlink(copy);
    free(copy);
    free(back);
    exp_update_rows(v);
}

static void look_at_file(struct view *v)
{
    struct exp_view *s = exp_of(v);
    struct job *j = job_new(v, JOB_REREAD, form_path(s->form));
    size_t n;
    if (j) {
        const char *text = form_saved_text(s->form, &n);
        j->expected = bt_strndup(text, n);
        j->expected_n = n;
    }
    if (j && j->expected)
        submit(v, j);
    else if (j)
        job_free(j);
}

void exp_editor(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (!form_path(s->form) || form_dirty(s->form)) {
        edit_copy(v);
        return;
    }
    if (app_edit_file(v->app, form_path(s->form)))
        look_at_file(v);
    else
        app_say(v->app, ROLE_BAD, "no editor could be started: set EDITOR");
}

void exp_file_tick(struct view *v, double now)
{
    struct exp_view *s = exp_of(v);
    exp_offer_kept(v);
    if (!form_path(s->form) || now - s->stat_at < STAT_S || app_pending(v->app, v->state)) return;
    s->stat_at = now;
    look_at_file(v);
}

void exp_file_close(struct exp_view *s)
{
    /* Whoever took them over and left without saving has been asked: they are not offered once more. */
    if (s->form && s->taken_over) forget_kept(form_path(s->form));
    free(s->origin);
    free(s->wanted);
    free(s->wanted_run);
    free(s->save_path);
    free(s->kept);
}
