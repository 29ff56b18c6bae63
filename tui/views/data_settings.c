/* What the model would read of a row: the settings of the experiment, as they are saved or as the Experiment view edits them, and their tokenizer. */
#include "tui/views/data_view.h"

#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/hub.h>
#include <stdlib.h>
#include <string.h>

/* ── settings ── */

void data_settings_free(struct data_settings *s)
{
    free(s->model);
    free(s->unsaved);
    free(s->of);
    *s = (struct data_settings){.model = NULL};
}

static int tristate(bool automatic, bool yes)
{
    return automatic ? -1 : yes;
}

void data_settings_take(struct data_settings *s, const struct bt_experiment *x)
{
    if (!x->model_name_or_path || bt_hub_find(x->model_name_or_path, &s->model, NULL))
        s->model = bt_strdup(x->model_name_or_path); /* the word pieces say that it is not there */
    bool question = x->task_type == BT_TYPE_QA, set = x->set[BT_OPTION_data_max_seq_length];
    s->words =
        (struct data_words){.max_length = question && !set ? BT_QA_LENGTH : (size_t)x->data_max_seq_length,
                            .truncation = x->data_truncation,
                            .max_query = question ? (size_t)x->task_max_query_length : 0,
                            .overlap = (size_t)x->task_doc_stride,
                            .step = question && x->task_doc_step > 0 ? (size_t)x->task_doc_step : 0};
    s->tokenizer = (struct bt_tokenizer_options){
        .do_lower_case = tristate(x->model_do_lower_case == BT_DO_LOWER_CASE_AUTO,
                                  x->model_do_lower_case == BT_DO_LOWER_CASE_TRUE),
        .strip_accents = tristate(x->model_strip_accents == BT_STRIP_ACCENTS_AUTO,
                                  x->model_strip_accents == BT_STRIP_ACCENTS_TRUE),
        .compat = x->model_tokenizer_compat == BT_TOKENIZER_COMPAT_GOOGLE ? BT_COMPAT_GOOGLE : BT_COMPAT_HF};
}

static bool same_tokenizer(const struct data_settings *a, const struct data_settings *b)
{
    const struct bt_tokenizer_options *p = &a->tokenizer, *q = &b->tokenizer;
    bool model = a->model && b->model ? strcmp(a->model, b->model) == 0 : a->model == b->model;
    return model && p->do_lower_case == q->do_lower_case && p->strip_accents == q->strip_accents &&
           p->compat == q->compat;
}

static bool same_words(const struct data_words *a, const struct data_words *b)
{
    return a->max_length == b->max_length && a->truncation == b->truncation && a->max_query == b->max_query &&
           a->overlap == b->overlap && a->step == b->step;
}

void data_settings_put(struct sheet *p, const struct data_settings *s)
{
    struct bt_str text = {0};
    if (!s->unsaved) return;
    bt_str_addf(&text, "%s as it is edited, not saved yet: %s",
                s->of ? bt_path_base(s->of) : "The experiment", s->unsaved);
    sheet_wrap(p, ROLE_WARN, 0, bt_str_text(&text), text.len);
    bt_str_free(&text);
}

/* ── the tokenizer ── */

struct data_tokens *data_tokens_ref(struct data_tokens *t)
{
    if (t) t->refs++;
    return t;
}

void data_tokens_unref(struct data_tokens *t)
{
    if (!t || --t->refs > 0) return;
    bt_tokenizer_free(t->tokenizer);
    free(t);
}

struct loading {
    struct view *v;
    struct data_file *file;
    struct data_settings of; /* copied: model and tokenizer */
    struct data_tokens *got;
    struct bt_error err;
};

static void loading_free(struct loading *l)
{
    data_tokens_unref(l->got);
    data_file_unref(l->file);
    data_settings_free(&l->of);
    free(l);
}

static void words_run(void *ctx, const atomic_bool *cancel)
{
    struct loading *l = ctx;
    (void)cancel;
    if (l->of.model)
        bt_tokenizer_of_model(l->of.model, &l->of.tokenizer, &l->got->tokenizer, &l->err);
    else
        bt_fail(&l->err, BT_NOTFOUND, "no experiment or run names a model whose word pieces could be shown");
}

static void words_done(void *ctx, bool cancelled)
{
    struct loading *l = ctx;
    struct data_file *f = l->file;
    if (!cancelled && same_tokenizer(&l->of, &f->settings)) {
        data_tokens_unref(f->tokens);
        f->tokens = data_tokens_ref(l->got);
        f->settings.words.tokenizer = l->got->tokenizer;
        f->words_err = l->err;
        f->words_known = true;
        if (f == ((struct data_view *)l->v->state)->file) data_words_came(l->v);
        app_redraw_now(l->v->app);
    }
    loading_free(l);
}

void data_load_words(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->file || s->file->words_asked) return;
    struct loading *l = calloc(1, sizeof *l);
    struct data_tokens *got = calloc(1, sizeof *got);
    if (!l || !got) {
        free(l);
        free(got);
        return;
    }
    *l = (struct loading){.v = v, .file = data_file_ref(s->file), .got = data_tokens_ref(got)};
    l->of.model = bt_strdup(s->file->settings.model);
    l->of.tokenizer = s->file->settings.tokenizer;
    struct app_task t = {.run = words_run, .done = words_done, .ctx = l, .owner = &s->owner_words};
    s->file->words_asked = app_submit(v->app, &t);
    if (!s->file->words_asked) loading_free(l);
}

/* ── while they are edited ── */

struct following {
    struct view *v;
    struct data_file *file;
    struct bt_experiment *x; /* as it is edited; NULL: nothing is */
    char *saved;             /* the experiment whose settings hold otherwise */
    struct data_settings got;
};

static void following_free(struct following *w)
{
    data_file_unref(w->file);
    bt_experiment_free(w->x);
    data_settings_free(&w->got);
    free(w->saved);
    free(w);
}

/* "max_seq_length 16 (saved: 8)", …: what makes other pieces of a text, or cuts them elsewhere. NULL: nothing does. */
static char *differences(const struct bt_experiment *x)
{
    static const int which[] = {BT_OPTION_data_max_seq_length, BT_OPTION_data_truncation,
                                BT_OPTION_model_name_or_path,  BT_OPTION_model_do_lower_case,
                                BT_OPTION_model_strip_accents, BT_OPTION_model_tokenizer_compat,
                                BT_OPTION_task_type,           BT_OPTION_task_max_query_length,
                                BT_OPTION_task_doc_stride,     BT_OPTION_task_doc_step};
    struct bt_experiment *saved = NULL;
    struct bt_str out = {0}, now = {0}, before = {0};
    if (x->path) bt_experiment_load(x->path, &saved, NULL);
    for (size_t i = 0; i < sizeof which / sizeof *which; i++) {
        const struct bt_option *o = &bt_options(NULL)[which[i]];
        bt_str_clear(&now);
        bt_str_clear(&before);
        bt_experiment_get(x, o, &now);
        if (saved) bt_experiment_get(saved, o, &before);
        if (saved ? strcmp(bt_str_text(&now), bt_str_text(&before)) == 0 : !x->set[which[i]]) continue;
        bt_str_addf(&out, "%s%s %s", out.len ? ", " : "", o->name, bt_str_text(&now));
        if (saved) bt_str_addf(&out, " (saved: %s)", before.len ? bt_str_text(&before) : "none");
    }
    bt_experiment_free(saved);
    bt_str_free(&now);
    bt_str_free(&before);
    char *text = out.len ? bt_str_take(&out) : NULL;
    bt_str_free(&out);
    return text;
}

/* The file that is edited is the one that the settings are of, or its values name the data file. */
static bool concerns(const struct following *w)
{
    const struct bt_experiment *x = w->x;
    return (x->path && w->saved && bt_same_file(x->path, w->saved)) || data_names_file(x, w->file->path);
}

static void follow_run(void *ctx, const atomic_bool *cancel)
{
    struct following *w = ctx;
    (void)cancel;
    if (w->x) {
        w->got.unsaved = differences(w->x);
        bt_experiment_resolve(w->x, NULL); /* what it finds is enough */
    }
    if (w->x && w->got.unsaved && concerns(w)) {
        data_settings_take(&w->got, w->x);
        w->got.of = bt_strdup(w->x->path);
        return;
    }
    struct bt_experiment *saved = data_load_experiment(w->saved);
    free(w->got.unsaved);
    w->got.unsaved = NULL;
    if (saved) data_settings_take(&w->got, saved);
    bt_experiment_free(saved);
}

void data_settings_use(struct view *v, struct data_settings *got)
{
    struct data_view *s = v->state;
    struct data_file *f = s->file;
    bool tokenizer = same_tokenizer(got, &f->settings), words = same_words(&got->words, &f->settings.words);
    struct data_settings before = f->settings;
    f->settings = *got;
    *got = before;
    f->settings.words.tokenizer = tokenizer ? before.words.tokenizer : NULL;
    if (f->settings.of) { /* once it is saved they stay its own */
        free(f->settings_of);
        f->settings_of = bt_strdup(f->settings.of);
    }
    app_redraw(v->app);
    if (tokenizer && words) return;
    if (!tokenizer && f->words_asked) {
        f->words_known = f->words_asked = false;
        data_filter_keep_where(s);
        data_load_words(v);
    }
    data_walk_stop(v, &s->owner_lengths);
    data_lengths_clear(s);
}

static void follow_done(void *ctx, bool cancelled)
{
    struct following *w = ctx;
    const struct data_view *s = w->v->state;
    if (!cancelled && w->file == s->file) data_settings_use(w->v, &w->got);
    following_free(w);
}

void data_follow_edits(struct view *v)
{
    struct data_view *s = v->state;
    uint64_t version = 0;
    const struct bt_experiment *x = app_edited(v->app, &version);
    if (!s->file || version == s->file->edits_seen) return;
    bool first = s->file->edits_seen == 0;
    s->file->edits_seen = version;
    if (first && !x) return; /* as it was opened */
    struct following *w = calloc(1, sizeof *w);
    if (!w) return;
    *w = (struct following){.v = v, .file = data_file_ref(s->file)};
    w->saved = bt_strdup(s->file->settings_of ? s->file->settings_of : s->file->experiment);
    if (x) bt_experiment_copy(x, &w->x, NULL);
    struct app_task t = {.run = follow_run, .done = follow_done, .ctx = w, .owner = &s->owner_edits};
    app_cancel(v->app, &s->owner_edits);
    if (!app_submit(v->app, &t)) following_free(w);
}
