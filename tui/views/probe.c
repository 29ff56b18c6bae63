/* Sentences of your own for a trained model: what is typed is answered as it is typed, by the newest checkpoint of a run that is still trained
 * too, and by several runs side by side. */
#include "tui/views/probe_view.h"

#include "tui/layout.h"
#include "tui/views/marks.h"
#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

enum {
    A_TYPE = ACT_OWN,
    A_PAIR,
    A_CHECKPOINT,
    A_RUNS,
    A_DROP,
    A_CLEAR,
    A_WHY,
    A_VARIANTS,
    A_FLIP,
    A_KINDS,
    A_NEAR,
    A_CONTEXT,
    A_SETS,
    A_TREE,
    A_METHOD,
    A_TARGET,
    A_WORDS,
    A_OF,
    A_LAYER_BELOW,
    A_LAYER_ABOVE,
    A_HEAD_BEFORE,
    A_HEAD_AFTER
};

static const struct action actions[] = {
    {.id = A_TYPE, .name = "type", .keys = "i", .help = "go on typing (Esc leaves the text, Enter keeps it)"},
    {.id = A_PAIR,
     .name = "pair",
     .keys = "P",
     .help = "a second text, or none (where the task leaves it open)"},
    {.id = A_CHECKPOINT, .name = "checkpoint", .keys = "c", .help = "which checkpoint of the run is asked"},
    {.id = A_RUNS, .name = "choose-runs", .keys = "m", .help = "ask another run too, or one no longer"},
    {.id = A_CLEAR, .name = "clear", .keys = "x", .help = "begin with an empty text"},
    {.id = A_DROP, .name = "drop", .keys = "d Del", .help = "forget the kept text under the cursor"},
    {.id = A_WHY,
     .name = "explain",
     .keys = "e",
     .help = "why the first model says so: what each token adds; again: the kept texts"},
    {.id = A_VARIANTS,
     .name = "variants",
     .keys = "v",
     .help =
         "what would change the answer: variants of the text typed in last, ranked; again: the kept texts"},
    {.id = A_KINDS,
     .name = "kinds",
     .keys = "V",
     .help = "which variants: of one kind, of all, or words of your own"},
    {.id = A_FLIP,
     .name = "flip",
     .keys = "f",
     .help = "the fewest words that have to be others for another answer; again: the kept texts"},
    {.id = A_NEAR,
     .name = "near",
     .keys = "r",
     .help = "the training rows nearest to the text, and their labels; again: the kept texts"},
    {.id = A_CONTEXT,
     .name = "layers",
     .keys = "L",
     .help = "a word's vectors in the text and in the kept one under the cursor, layer by layer; again: the "
             "kept texts"},
    {.id = A_SETS,
     .name = "sets",
     .keys = "s",
     .help = "probe sets: saved texts, and whether the models say what they should; again: the kept texts"},
    {.id = A_TREE,
     .name = "edits",
     .keys = "b",
     .help = "the texts that were asked, as a tree of branches with what changed; again: the kept texts"},
    {.id = A_METHOD, .name = "method", .keys = "E", .help = "how it is explained"},
    {.id = A_TARGET, .name = "target", .keys = "t", .help = "what for: a label, an answer, a choice"},
    {.id = A_WORDS, .name = "words", .keys = "w", .help = "explain pieces, or whole words"},
    {.id = A_OF, .name = "of", .keys = "o", .help = "explain the logit, or the probability"},
    {.id = A_LAYER_BELOW, .name = "layer-below", .keys = "[", .help = "attention of the layer below"},
    {.id = A_LAYER_ABOVE, .name = "layer-above", .keys = "]", .help = "… of the layer above"},
    {.id = A_HEAD_BEFORE, .name = "head-before", .keys = "<", .help = "attention of the head before"},
    {.id = A_HEAD_AFTER, .name = "head-after", .keys = ">", .help = "… of the head after; then their mean"},
};

static const struct action signs[] = {
    {.keys = "▸", .help = "what the model decides for"},
    {.keys = "+0.12", .help = "a token that speaks for what is explained; with - against it"},
    {.keys = "▁ … █", .help = "how much of the largest it is"},
    {.keys = "− +", .help = "of edits: words that went, words that came"},
    {.keys = "*", .help = "a variant for which the model decides otherwise"},
    {.keys = "+ x",
     .help = "of probe sets: as expected, or not; a mark for each model, or each checkpoint (. not known)"},
    {.keys = NULL},
};

/* ── asking ── */

struct job {
    struct view *view;
    struct probe_cache *cache;
    struct probe_wish *wish;
    struct probe_found *found;
};

static void job_free(struct job *j)
{
    probe_wish_free(j->wish);
    probe_found_free(j->found);
    free(j);
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    j->found = probe_ask(j->cache, j->wish, cancel);
}

static void ask(struct view *v);

static bool same_said(const struct probe_said *a, const struct probe_said *b)
{
    if (!a->label != !b->label || (a->label && strcmp(a->label, b->label) != 0)) return false;
    return a->score == b->score && a->begin == b->begin && a->end == b->end && a->chosen == b->chosen;
}

static bool same_answer(const struct probe_answer *a, const struct probe_answer *b)
{
    if (a->step != b->step || a->n != b->n || a->tokens != b->tokens || !a->error != !b->error) return false;
    if (a->error && strcmp(a->error, b->error) != 0) return false;
    for (int i = 0; i < a->n; i++)
        if (!same_said(&a->said[i], &b->said[i])) return false;
    return true;
}

static bool same_found(const struct probe_found *a, const struct probe_found *b)
{
    if (!a || !b || a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_answer(&a->answer[i], &b->answer[i])) return false;
    return true;
}

/* The runs that were asked are those that are shown. */
static void take_runs(struct probe_view *s, struct probe_wish *w)
{
    for (size_t i = 0; i < s->n; i++) free(s->dir[i]);
    s->n = w->n;
    for (size_t i = 0; i < w->n; i++) s->dir[i] = w->dir[i];
    w->n = 0;
}

static void take_over(struct view *v, struct job *j)
{
    struct probe_view *s = v->state;
    bool news = s->stale || !same_found(s->found, j->found);
    take_runs(s, j->wish);
    if (j->found->n && j->found->answer[0].task >= 0) s->task = j->found->answer[0].task;
    bool must = probe_form(s->task)->both;
    if (j->found->wants_pair && (must || !s->pair_decided) && !s->pair_shown) {
        s->pair_shown = true;
        s->again = news = true;
    }
    s->stale = s->again;
    if (news) {
        struct probe_found *old = s->found;
        s->found = j->found;
        j->found = old;
        probe_below_due(s);
        app_redraw_now(v->app); /* whoever types waits for it */
    }
}

static void job_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->view;
    struct probe_view *s = v->state;
    s->busy = false;
    if (!cancelled && j->found) take_over(v, j);
    job_free(j);
    if (s->again && !cancelled) ask(v);
    if (!cancelled) probe_below_go(v);
}

static int64_t checkpoint_of(const struct view *v, const char *dir, bool chosen)
{
    const struct probe_view *s = v->state;
    const struct bt_run_status *r = app_run_status(v->app, dir);
    if (chosen && s->wish != PROBE_AUTOMATIC) return s->wish;
    return r && bt_run_state_alive(r->state) ? BT_STEP_LAST : BT_STEP_BEST;
}

/* The chosen run first, then the other marked ones. */
static bool name_runs(const struct view *v, struct probe_wish *w)
{
    size_t n;
    const char *const *mark = app_marks(v->app, &n);
    const char *chosen = app_run(v->app);
    for (size_t i = 0; i < n + 1 && w->n < PROBE_MODELS; i++) {
        const char *dir = i == 0 ? chosen : mark[i - 1];
        if (!dir || (i > 0 && chosen && strcmp(dir, chosen) == 0)) continue;
        w->step[w->n] = checkpoint_of(v, dir, i == 0);
        if (!(w->dir[w->n] = bt_strdup(dir))) return false;
        w->n++;
    }
    return w->n > 0;
}

struct probe_wish *probe_wish_of(const struct view *v)
{
    const struct probe_view *s = v->state;
    struct probe_wish *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->text = bt_strdup(edit_text(s->text));
    w->pair = s->pair_shown ? bt_strdup(edit_text(s->pair)) : NULL;
    w->look = s->look;
    if (w->text && (w->pair || !s->pair_shown) && name_runs(v, w)) return w;
    probe_wish_free(w);
    return NULL;
}

/* One question at a time: while one is under way, edits add up to the next one. */
static void ask(struct view *v)
{
    struct probe_view *s = v->state;
    s->again = s->busy;
    if (s->busy) return;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return;
    *j = (struct job){.view = v, .cache = s->cache, .wish = probe_wish_of(v)};
    struct app_task task = {.run = job_run, .done = job_done, .ctx = j, .owner = v};
    s->busy = j->wish && app_submit(v->app, &task);
    if (s->busy) s->look = false;
    if (!s->busy) job_free(j);
}

static void edited(struct view *v)
{
    struct probe_view *s = v->state;
    s->stale = true;
    probe_below_changed(s, v->focus != PROBE_KEPT);
    app_redraw(v->app);
    ask(v);
}

/* ── following runs ── */

static const double LOOK_EVERY = 2.0; /* seconds between looks for a newer checkpoint */

/* True if other runs are to be asked than last time. */
static bool runs_changed(struct view *v)
{
    struct probe_view *s = v->state;
    const char *run = app_run(v->app);
    bool same = s->run && run ? strcmp(s->run, run) == 0 : s->run == run;
    if (same && s->marks == app_marks_version(v->app)) return false;
    if (!same) {
        free(s->run);
        s->run = bt_strdup(run);
        s->wish = PROBE_AUTOMATIC;
        s->task = -1;
        if (!s->pair_decided) s->pair_shown = false;
    }
    s->marks = app_marks_version(v->app);
    return true;
}

static bool any_alive(const struct view *v)
{
    const struct probe_view *s = v->state;
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_run_status *r = app_run_status(v->app, s->dir[i]);
        if (r && bt_run_state_alive(r->state)) return true;
    }
    return false;
}

static void shown(struct view *v)
{
    struct probe_view *s = v->state;
    if (runs_changed(v)) s->stale = true;
    s->look = true;
    ask(v);
}

static void tick(struct view *v, double now)
{
    struct probe_view *s = v->state;
    probe_below_tick(v);
    if (runs_changed(v)) {
        s->stale = true;
        app_redraw(v->app);
    } else if (s->busy || now - s->looked < LOOK_EVERY ||
               !(any_alive(v) || (s->found && s->found->n && s->found->answer[0].error))) {
        return;
    }
    s->looked = now;
    s->look = true;
    ask(v);
}

/* ── choosing the checkpoint ── */

enum { FIXED = 3 /* choices before the steps */ };

static void checkpoint_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct probe_view *s = v->state;
    static const int64_t fixed[FIXED] = {PROBE_AUTOMATIC, BT_STEP_BEST, BT_STEP_LAST};
    if (index < 0 || (index >= FIXED && (!s->found || (size_t)(index - FIXED) >= s->found->n_saved))) return;
    s->wish = index < FIXED ? fixed[index] : s->found->saved[s->found->n_saved - 1 - (size_t)(index - FIXED)];
    edited(v);
}

static bool choose_checkpoint(struct view *v)
{
    struct probe_view *s = v->state;
    size_t saved = s->found ? s->found->n_saved : 0, n = FIXED + saved;
    const char **item = calloc(n, sizeof *item);
    char **step = calloc(saved + 1, sizeof *step);
    if (item && step) {
        static const char *const fixed[FIXED] = {"automatic: as the run stands", "best", "newest"};
        for (size_t i = 0; i < FIXED; i++) item[i] = fixed[i];
        for (size_t i = 0; i < saved; i++) {
            step[i] = bt_strfmt("step %lld", (long long)s->found->saved[saved - 1 - i]);
            item[FIXED + i] = step[i] ? step[i] : "?";
        }
        app_choose(v->app, "Checkpoint", item, n, checkpoint_chosen, v);
    }
    for (size_t i = 0; step && i < saved; i++) free(step[i]);
    free(step);
    free(item);
    return true;
}

/* ── keys ── */

static void move_focus(struct view *v, int by)
{
    const struct probe_view *s = v->state;
    v->focus = (v->focus + by + PROBE_PANES) % PROBE_PANES;
    if (v->focus == PROBE_PAIR && !s->pair_shown) v->focus = (v->focus + by + PROBE_PANES) % PROBE_PANES;
    app_redraw(v->app);
}

static bool typed(struct view *v, const struct event *e)
{
    struct probe_view *s = v->state;
    bool changed = false;
    if (!edit_key(v->focus == PROBE_PAIR ? s->pair : s->text, e, &changed)) return false;
    if (changed)
        edited(v);
    else
        app_redraw(v->app);
    return true;
}

static bool key(struct view *v, const struct event *e)
{
    struct probe_view *s = v->state;
    bool tab = e->kind == EVENT_KEY && !e->alt && (e->key == KEY_CODE_TAB || e->key == KEY_CODE_BACKTAB);
    if (!app_run(v->app) && !s->n) return false; /* no text is in sight */
    if (v->focus != PROBE_KEPT) s->field = v->focus;
    if (tab) {
        move_focus(v, e->key == KEY_CODE_TAB ? 1 : -1);
        return true;
    }
    if (v->focus == PROBE_KEPT) return false;
    if (e->kind == EVENT_KEY && !e->alt && e->key == KEY_CODE_ESCAPE) {
        v->focus = PROBE_KEPT;
        app_redraw(v->app);
        return true;
    }
    bool lines = v->focus == PROBE_PAIR && probe_form(s->task)->lines;
    if (e->kind == EVENT_KEY && e->key == KEY_CODE_ENTER && lines && !e->alt) {
        edit_insert(s->pair, "\n", 1);
        edited(v);
        return true;
    }
    if (e->kind == EVENT_KEY && !e->alt && e->key == KEY_CODE_ENTER) {
        probe_keep(v);
        app_redraw(v->app);
        return true;
    }
    return typed(v, e);
}

static bool typing(const struct view *v)
{
    const struct probe_view *s = v->state;
    return v->focus != PROBE_KEPT && (app_run(v->app) || s->n);
}

static bool toggle_pair(struct view *v)
{
    struct probe_view *s = v->state;
    if (s->pair_shown && probe_form(s->task)->both) {
        app_say(v->app, ROLE_TEXT, "this task needs both texts");
        return true;
    }
    s->pair_shown = !s->pair_shown;
    s->pair_decided = true;
    v->focus = s->pair_shown ? PROBE_PAIR : PROBE_TEXT;
    edited(v);
    return true;
}

static bool clear_text(struct view *v)
{
    struct probe_view *s = v->state;
    edit_set(s->text, "");
    edit_set(s->pair, "");
    v->focus = PROBE_TEXT;
    edited(v);
    return true;
}

void probe_take_text(struct view *v, const char *text, const char *pair)
{
    struct probe_view *s = v->state;
    char *both[] = {bt_strdup(text), bt_strdup(pair)}; /* they may be the texts themselves */
    if (both[0] && (both[1] || !pair)) {
        edit_set(s->text, both[0]);
        edit_set(s->pair, both[1] ? both[1] : "");
        s->pair_shown = pair != NULL;
        s->pair_decided = true;
        edited(v);
    }
    free(both[0]);
    free(both[1]);
}

static void copy_text(struct view *v)
{
    const struct probe_view *s = v->state;
    const struct probe_below_ops *below = probe_below_ops(v);
    const char *text = below->copied ? below->copied(v) : NULL;
    if (!text) text = edit_text(s->text);
    term_copy(app_term(v->app), text, strlen(text));
    app_say(v->app, ROLE_TEXT, "copied: %s", text);
}

/* Keys of what stands below the answers. */
static bool below_act(struct view *v, int action)
{
    if (action < A_WHY || action > A_HEAD_AFTER) return false;
    switch (action) {
    case A_WHY:
    case A_NEAR:
    case A_CONTEXT:
        probe_below_show(v, action == A_WHY ? BELOW_WHY : action == A_NEAR ? BELOW_NEAR : BELOW_CONTEXT);
        v->focus = PROBE_KEPT;
        break;
    case A_VARIANTS:
    case A_FLIP:
        probe_vary_show(v, action == A_FLIP);
        break;
    case A_KINDS:
        probe_vary_kinds(v);
        break;
    case A_SETS:
        probe_sets_show(v);
        break;
    case A_TREE:
        probe_branches_show(v);
        break;
    case A_METHOD:
        probe_why_method(v);
        break;
    case A_TARGET:
        probe_why_target(v);
        break;
    case A_WORDS:
        probe_why_words(v);
        break;
    case A_OF:
        probe_why_of(v);
        break;
    default:
        probe_why_look(v, (action == A_LAYER_ABOVE) - (action == A_LAYER_BELOW),
                       (action == A_HEAD_AFTER) - (action == A_HEAD_BEFORE));
    }
    return true;
}

static bool act(struct view *v, int action, int count)
{
    struct probe_view *s = v->state;
    app_redraw(v->app);
    switch (action) {
    case A_TYPE:
        v->focus = PROBE_TEXT;
        return true;
    case A_PAIR:
        return toggle_pair(v);
    case A_CHECKPOINT:
        return choose_checkpoint(v);
    case A_RUNS:
        marks_choose(v->app);
        return true;
    case A_CLEAR:
        return clear_text(v);
    case A_DROP:
        if (s->below == BELOW_KEPT) probe_kept_drop(v);
        return true;
    case ACT_COPY:
        copy_text(v);
        return true;
    default:
        return below_act(v, action) || probe_below_ops(v)->act(v, action, count);
    }
}

static bool mouse(struct view *v, const struct event *e)
{
    struct probe_view *s = v->state;
    const bool wheel = e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN;
    for (int i = 0; i < PROBE_PANES; i++)
        if (e->button == MOUSE_LEFT && !e->release && layout_in(s->at[i], e->y, e->x)) v->focus = i;
    if (v->focus != PROBE_KEPT) s->field = v->focus;
    app_redraw(v->app);
    if (v->focus == PROBE_TEXT && edit_click(s->text, e)) return true;
    if (v->focus == PROBE_PAIR && edit_click(s->pair, e)) return true;
    if (layout_in(s->at[PROBE_KEPT], e->y, e->x)) probe_below_ops(v)->mouse(v, e);
    return wheel || e->button == MOUSE_LEFT;
}

static void hints(struct view *v, struct bt_str *out)
{
    const struct probe_view *s = v->state;
    if (v->focus == PROBE_KEPT)
        probe_below_ops(v)->hints(v, out);
    else
        bt_str_addf(out, "Esc leave the text, for other keys  Enter %s  Tab next",
                    v->focus == PROBE_PAIR && probe_form(s->task)->lines ? "next line" : "keep");
}

/* ── coming and going ── */

static bool open_view(struct view *v)
{
    struct probe_view *s = v->state;
    s->wish = PROBE_AUTOMATIC;
    s->task = -1;
    probe_why_open(s);
    probe_vary_open(s);
    probe_near_open(s);
    probe_context_open(s);
    probe_sets_open(s);
    probe_branches_open(s);
    s->text = edit_new(true);
    s->pair = edit_new(true);
    s->cache = probe_cache_new();
    return s->text && s->pair && s->cache;
}

static void close_view(struct view *v)
{
    struct probe_view *s = v->state;
    probe_kept_free(s);
    probe_why_free(s);
    probe_vary_free(s);
    probe_near_free(s);
    probe_context_free(s);
    probe_sets_free(s);
    probe_branches_free(s);
    probe_found_free(s->found);
    probe_cache_free(s->cache);
    sheet_free(&s->sheet);
    for (size_t i = 0; i < s->n; i++) free(s->dir[i]);
    edit_free(s->text);
    edit_free(s->pair);
    free(s->run);
}

static void receive(struct view *v, const struct app_request *r)
{
    struct probe_view *s = v->state;
    if (r->run) app_choose_run(v->app, r->run);
    runs_changed(v);
    if (r->run && r->step > 0) s->wish = r->step;
    if (r->text) {
        edit_set(s->text, r->text);
        edit_set(s->pair, r->pair ? r->pair : "");
        s->pair_shown = r->pair != NULL;
        s->pair_decided = false;
        v->focus = PROBE_TEXT;
    }
    if (r->why) {
        s->below = BELOW_WHY;
        v->focus = PROBE_KEPT; /* where its keys are */
    }
    edited(v);
}

static const int idle[] = {ACT_SEARCH, ACT_NEXT, ACT_PREVIOUS, ACT_NONE};

const struct view_ops view_probe = {.name = "Probe",
                                    .size = sizeof(struct probe_view),
                                    .panes = PROBE_PANES,
                                    .actions = actions,
                                    .n_actions = sizeof actions / sizeof *actions,
                                    .signs = signs,
                                    .idle = idle,
                                    .open = open_view,
                                    .close = close_view,
                                    .shown = shown,
                                    .receive = receive,
                                    .draw = probe_draw,
                                    .act = act,
                                    .key = key,
                                    .typing = typing,
                                    .mouse = mouse,
                                    .tick = tick,
                                    .keep = probe_branches_keep,
                                    .restore = probe_branches_restore,
                                    .hints = hints};
