/* The trials of a study: how they stand, and what they tell about each option. */
#include "tui/views/study_view.h"

#include "tui/layout.h"
#include <stdlib.h>
#include <string.h>

enum {
    STUDY_CHOOSE = ACT_OWN,
    STUDY_PICTURE,
    STUDY_SORT,
    STUDY_REVERSE,
    STUDY_MARK,
    STUDY_CLONE,
    STUDY_FINER,
    STUDY_HOLD
};

static const struct action actions[] = {
    {.id = STUDY_CHOOSE, .name = "choose", .keys = "c", .help = "choose another study"},
    {.id = STUDY_PICTURE,
     .name = "picture",
     .keys = "v",
     .help = "beside the trials: means by option, trials over options, best so far"},
    {.id = STUDY_SORT, .name = "sort", .keys = "s", .help = "sort by the next column"},
    {.id = STUDY_REVERSE, .name = "reverse", .keys = "S", .help = "sort the other way round"},
    {.id = STUDY_MARK,
     .name = "mark",
     .keys = "Space",
     .help = "mark the trial's run for Charts and Compare"},
    {.id = STUDY_CLONE,
     .name = "clone",
     .keys = "e",
     .help = "a new experiment file from the trial's settings"},
    {.id = STUDY_FINER,
     .name = "finer",
     .keys = "f",
     .help = "an experiment file with a finer sweep around the trial"},
    {.id = STUDY_HOLD, .name = "hold", .keys = "p", .help = "start no further trial, or go on"},
};

static const struct action signs[] = {
    {.keys = "◂", .help = "the best trial so far"},
    {.keys = "*", .help = "its run is marked"},
    {.keys = "waiting 1/2",
     .help = "stands at the first of two rungs; goes on if it turns out to be among the best"},
    {.keys = "cut", .help = "the median rule has ended it"},
    {.keys = "halted", .help = "a person has stopped it"},
    {.keys = NULL}};

static void tick(struct view *v, double now)
{
    const struct study_view *s = study_of(v);
    (void)now;
    if (!s->found || s->version != app_runs_version(v->app)) study_load(v);
}

/* The directory of the trial's run; NULL, and told: it has none. The caller frees. */
static char *run_of(struct view *v, const struct bt_trial *t)
{
    const struct bt_study *s = study_shown(study_of(v));
    const struct bt_run_list *runs = app_runs(v->app);
    for (size_t i = 0; t && i < runs->n; i++)
        if (strcmp(runs->run[i].id, t->id) == 0) return bt_strdup(runs->run[i].dir);
    if (t) app_say(v->app, ROLE_WARN, "trial %zu has no run yet", study_number(s, t));
    return NULL;
}

static void show_study(struct view *v, const char *name)
{
    struct study_view *s = study_of(v);
    free(s->wanted);
    s->wanted = bt_strdup(name);
    study_load(v);
}

static void receive(struct view *v, const struct app_request *r)
{
    if (r->study) show_study(v, r->study);
}

/* ── actions ── */

static void chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct study_view *s = study_of(v);
    if (!s->found || index < 0 || (size_t)index >= s->found->names.n) return;
    show_study(v, s->found->names.item[index]);
}

static bool choose(struct view *v)
{
    const struct study_view *s = study_of(v);
    if (!s->found || !s->found->names.n) {
        app_say(v->app, ROLE_DIM, "there is no study in %s", app_runs_dir(v->app));
        return true;
    }
    app_choose(v->app, "Which study?", (const char *const *)s->found->names.item, s->found->names.n, chosen,
               v);
    return true;
}

static bool go_to_run(struct view *v)
{
    char *dir = run_of(v, study_current(study_of(v)));
    if (dir) {
        app_choose_run(v->app, dir);
        app_open(v->app, VIEW_CHARTS, &(struct app_request){.run = dir, .step = -1});
    }
    free(dir);
    return true;
}

static bool mark(struct view *v)
{
    char *dir = run_of(v, study_current(study_of(v)));
    if (dir) app_mark(v->app, dir, !app_marked(v->app, dir));
    if (dir) list_act(&study_of(v)->list, ACT_DOWN, 1);
    free(dir);
    return true;
}

static bool clone(struct view *v)
{
    char *dir = run_of(v, study_current(study_of(v)));
    if (dir) app_open(v->app, VIEW_EXPERIMENT, &(struct app_request){.run = dir, .step = -1});
    free(dir);
    return true;
}

static bool sort_by(struct view *v, int column)
{
    struct study_view *s = study_of(v);
    const struct bt_study *study = study_shown(s);
    if (!study) return false;
    const bool same = s->sorted == column;
    s->sorted = column;
    const bool figure = column == COL_BEST || column == COL_LAST;
    s->descending = same ? !s->descending : figure && study->greater_is_better;
    study_sort(s);
    return true;
}

static bool sort_next(struct view *v)
{
    const struct study_view *s = study_of(v);
    struct list_column column[COL_OPTIONS + STUDY_SHOWN];
    if (!study_shown(s)) return false;
    const struct list_look look = study_look(v, column);
    return sort_by(v, (s->sorted + 1) % look.n_columns);
}

static bool copy(struct view *v)
{
    const struct bt_trial *t = study_current(study_of(v));
    struct bt_str text = {0};
    if (!t) return false;
    for (size_t i = 0; i < t->set.n; i++) bt_str_addf(&text, "%s--set %s", i ? " " : "", t->set.item[i]);
    term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_GOOD, "the settings are in the clipboard");
    bt_str_free(&text);
    return true;
}

static bool act(struct view *v, int action, int count)
{
    struct study_view *s = study_of(v);
    if (action == STUDY_CHOOSE) return choose(v);
    if (!study_shown(s)) return false;
    switch (action) {
    case STUDY_PICTURE:
        s->picture = (s->picture + 1) % STUDY_PICTURES;
        return true;
    case STUDY_SORT:
        return sort_next(v);
    case STUDY_REVERSE:
        return sort_by(v, s->sorted);
    case STUDY_MARK:
        return mark(v);
    case STUDY_CLONE:
        return clone(v);
    case STUDY_FINER:
        return study_finer(v);
    case STUDY_HOLD:
        return study_hold(v);
    case ACT_ENTER:
        return go_to_run(v);
    case ACT_COPY:
        return copy(v);
    default:
        return list_act(v->focus == STUDY_SIDE && s->picture == STUDY_OPTIONS ? &s->side : &s->list, action,
                        count);
    }
}

static bool mouse(struct view *v, const struct event *e)
{
    struct study_view *s = study_of(v);
    struct list_column column[COL_OPTIONS + STUDY_SHOWN];
    bool activated = false;
    int title = -1;
    if (!study_shown(s)) return false;
    const struct list_look look = study_look(v, column);
    if (!layout_in(s->list.at, e->y, e->x) && e->y + 1 != s->list.at.y) return false;
    if (!list_mouse(&s->list, e, &look, &activated, &title)) return false;
    v->focus = STUDY_TRIALS;
    if (title >= 0) return sort_by(v, title);
    return activated ? go_to_run(v) : true;
}

static void hints(struct view *v, struct bt_str *out)
{
    if (study_shown(study_of(v)))
        bt_str_add(out, "Enter charts  v picture  s sort  Space mark  f finer sweep  p pause");
    else
        bt_str_add(out, "c choose");
}

static bool settling(const struct view *v)
{
    const struct study_view *s = v->state;
    return !s->found;
}

/* ── coming and going ── */

static void keep(const struct view *v, struct bt_json_writer *w)
{
    const struct study_view *s = v->state;
    bt_jw_kint(w, "picture", s->picture);
    bt_jw_ktext(w, "study", s->wanted);
}

static void restore(struct view *v, const struct bt_json *kept)
{
    struct study_view *s = study_of(v);
    const int64_t picture = bt_json_int(bt_json_get(kept, "picture"), STUDY_OPTIONS);
    s->picture = picture >= 0 && picture < STUDY_PICTURES ? (int)picture : STUDY_OPTIONS;
    free(s->wanted);
    s->wanted = bt_strdup(bt_json_text(bt_json_get(kept, "study"), NULL));
    s->version = 0;
}

static void close_study(struct view *v)
{
    struct study_view *s = study_of(v);
    study_found_free(s->found);
    free(s->row);
    free(s->wanted);
    free(s->finer);
}

static bool open_study(struct view *v)
{
    study_of(v)->sorted = COL_BEST;
    return true;
}

static const int idle[] = {ACT_SEARCH, ACT_NEXT, ACT_PREVIOUS, ACT_ESCAPE, ACT_NONE};

const struct view_ops view_study = {
    .name = "Study",
    .size = sizeof(struct study_view),
    .panes = 2,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .signs = signs,
    .idle = idle,
    .open = open_study,
    .close = close_study,
    .receive = receive,
    .settling = settling,
    .draw = study_draw,
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .hints = hints,
    .keep = keep,
    .restore = restore,
};
