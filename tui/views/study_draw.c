/* The Study view on the screen: the trials, and what they tell. */
#include "tui/views/study_view.h"

#include "tui/empty.h"
#include "tui/signed_bar.h"
#include <bertty/file.h>
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── the trials ── */

static enum role state_role(enum bt_trial_state s)
{
    static const enum role roles[] = {
        [BT_TRIAL_PLANNED] = ROLE_DIM, [BT_TRIAL_QUEUED] = ROLE_DIM,  [BT_TRIAL_RUNNING] = ROLE_ACCENT,
        [BT_TRIAL_WAITING] = ROLE_DIM, [BT_TRIAL_CUT] = ROLE_DIM,     [BT_TRIAL_FINISHED] = ROLE_GOOD,
        [BT_TRIAL_FAILED] = ROLE_BAD,  [BT_TRIAL_HALTED] = ROLE_WARN, [BT_TRIAL_LOST] = ROLE_BAD};
    return roles[s];
}

static void add_value(struct bt_str *out, double v)
{
    char text[PLOT_TICK_TEXT];
    plot_value(text, sizeof text, v);
    bt_str_add(out, isnan(v) ? "-" : text);
}

/* By its name: the directories of marked runs may be spelled in other ways than the study's. */
static bool is_marked(const struct view *v, const struct bt_trial *t)
{
    size_t n;
    const char *const *marks = app_marks(v->app, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(bt_path_base(marks[i]), t->id) == 0) return true;
    return false;
}

static void trial_cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    struct view *v = ctx;
    const struct study_view *s = study_of(v);
    const struct bt_study *study = study_shown(s);
    const struct bt_trial *t = &study->trial[s->row[row]], *best = bt_study_best(study);
    const char *value;
    switch (column) {
    case COL_NUMBER:
        bt_str_addf(out, "%s%zu", is_marked(v, t) ? "*" : "", study_number(study, t));
        break;
    case COL_STATE:
        bt_str_add(out, bt_trial_state_name(t->state));
        if (t->state == BT_TRIAL_WAITING) bt_str_addf(out, " %d/%lld", t->rung + 1, (long long)study->rungs);
        *role = state_role(t->state);
        break;
    case COL_STEP:
        if (t->total) bt_str_addf(out, "%.0f%%", floor(100.0 * (double)t->step / (double)t->total));
        break;
    case COL_LAST:
        add_value(out, t->value);
        break;
    case COL_BEST:
        add_value(out, t->best);
        if (t == best) *role = ROLE_GOOD;
        if (t == best) bt_str_add(out, " ◂");
        break;
    default:
        value = bt_trial_value(t, s->found->option[column - COL_OPTIONS].option);
        bt_str_add(out, value ? value : "-");
    }
}

struct list_look study_look(struct view *v, struct list_column column[COL_OPTIONS + STUDY_SHOWN])
{
    struct study_view *s = study_of(v);
    const size_t all = study_shown(s) ? s->found->n_options : 0,
                 shown = all < STUDY_SHOWN ? all : STUDY_SHOWN;
    column[COL_NUMBER] = (struct list_column){.title = "#", .min = 3, .max = 6, .right = true};
    column[COL_STATE] = (struct list_column){.title = "State", .min = 8, .max = 12};
    column[COL_STEP] = (struct list_column){.title = "Done", .min = 4, .max = 4, .right = true};
    column[COL_LAST] = (struct list_column){.title = "Last", .min = 6, .max = 10, .right = true, .drop = 3};
    column[COL_BEST] = (struct list_column){.title = "Best", .min = 10, .max = 12, .right = true};
    for (size_t i = 0; i < shown; i++)
        column[COL_OPTIONS + i] = (struct list_column){
            .title = s->found->option[i].option->name, .min = 7, .max = 24, .drop = i > 1};
    return (struct list_look){.column = column,
                              .n_columns = COL_OPTIONS + (int)shown,
                              .sorted = s->sorted,
                              .descending = s->descending,
                              .focused = v->focus == STUDY_TRIALS,
                              .cell = trial_cell,
                              .ctx = v};
}

/* ── what each option makes of the metric ── */

/* Line `row` of the text: the option it belongs to, and its value (−1: the heading, −2: the blank line behind). */
static const struct bt_study_option *at_line(const struct study_found *f, size_t row, ptrdiff_t *value)
{
    for (size_t i = 0; i < f->n_options; i++) {
        const size_t lines = f->option[i].n + 2;
        if (row < lines) {
            *value = row == 0 ? -1 : row <= f->option[i].n ? (ptrdiff_t)row - 1 : -2;
            return &f->option[i];
        }
        row -= lines;
    }
    return NULL;
}

static size_t lines_of(const struct study_found *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n_options; i++) n += f->option[i].n + 2;
    return n;
}

/* From the worst mean to the best. */
static double share_of(const struct bt_study *s, const struct bt_study_option *o, double mean)
{
    double low = (double)INFINITY, high = (double)-INFINITY;
    for (size_t i = 0; i < o->n; i++) {
        low = fmin(low, o->value[i].mean);
        high = fmax(high, o->value[i].mean);
    }
    if (!(high > low)) return 0.5;
    return s->greater_is_better ? (mean - low) / (high - low) : (high - mean) / (high - low);
}

static void option_line(const struct bt_study *s, const struct bt_study_option *o, ptrdiff_t value,
                        struct bt_str *out, enum role *role)
{
    enum { BAR = 8, NAME = 14 };
    if (value == -2) return;
    if (value == -1) {
        bt_str_add(out, o->option->key);
        if (!isnan(o->spearman)) bt_str_addf(out, "  rank correlation %+.2f", o->spearman);
        *role = ROLE_ACCENT;
        return;
    }
    const struct bt_study_value *v = &o->value[value];
    struct bt_str name = {0};
    bt_text_fit(&name, v->text, strlen(v->text), NAME);
    bt_str_addf(out, " %s%*s ", bt_str_text(&name), NAME - bt_text_width(bt_str_text(&name), name.len), "");
    add_value(out, v->mean);
    bt_str_add(out, " ");
    if (!isnan(v->sd)) bt_str_add(out, "±");
    if (!isnan(v->sd)) add_value(out, v->sd);
    bt_str_addf(out, " n %zu ", v->n);
    signed_bar(out, 0.1 + 0.9 * share_of(s, o, v->mean), BAR, true);
    bt_str_free(&name);
}

static void side_cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct study_view *s = study_of(ctx);
    ptrdiff_t value;
    const struct bt_study_option *o = at_line(s->found, row, &value);
    (void)column;
    if (o) option_line(study_shown(s), o, value, out, role);
}

static void draw_options(struct view *v, struct rect in)
{
    static const struct list_column column[] = {{.min = 10}};
    struct study_view *s = study_of(v);
    const struct list_look look = {.column = column,
                                   .n_columns = 1,
                                   .sorted = -1,
                                   .focused = v->focus == STUDY_SIDE,
                                   .cell = side_cell,
                                   .ctx = v};
    list_resize(&s->side, lines_of(s->found));
    list_draw(app_term(v->app), in, &s->side, &look);
}

/* ── the whole ── */

static char *title(const struct bt_study *s)
{
    struct bt_str out = {0};
    const struct bt_trial *best = bt_study_best(s);
    size_t ended = 0;
    for (size_t i = 0; i < s->n; i++)
        ended += s->trial[i].state == BT_TRIAL_FINISHED || s->trial[i].state == BT_TRIAL_CUT ||
                 s->trial[i].state == BT_TRIAL_FAILED;
    bt_str_addf(&out, "Study · %s · %s · %zu of %zu trials ended", s->name, bt_study_standing(s), ended,
                s->n);
    if (best) bt_str_addf(&out, " · best %s ", s->metric);
    if (best) add_value(&out, best->best);
    return bt_str_take(&out);
}

static void draw_side(struct view *v, struct rect area)
{
    static const char *const names[] = {[STUDY_OPTIONS] = "what each option makes of it",
                                        [STUDY_LINES] = "trials over options",
                                        [STUDY_TIME] = "best so far"};
    struct study_view *s = study_of(v);
    struct rect in = term_box(app_term(v->app), area, names[s->picture], v->focus == STUDY_SIDE);
    s->side.at = (struct rect){.h = 0};
    if (s->picture == STUDY_OPTIONS) draw_options(v, in);
    if (s->picture == STUDY_LINES) study_plot_lines(v, in);
    if (s->picture == STUDY_TIME) study_plot_time(v, in);
}

static void draw_study(struct view *v, struct rect area)
{
    enum { WIDE = 110 };
    struct study_view *s = study_of(v);
    struct term *t = app_term(v->app);
    const struct bt_study *study = study_shown(s);
    const bool beside = area.w >= WIDE;
    const struct border border = {.number = beside,
                                  .rows = !beside,
                                  .share = beside ? 600 : 500,
                                  .min_first = beside ? 50 : 6,
                                  .min_second = beside ? 36 : 7,
                                  .first = 1 << STUDY_TRIALS,
                                  .second = 1 << STUDY_SIDE};
    struct list_column column[COL_OPTIONS + STUDY_SHOWN];
    struct rect first, second;
    const struct list_look look = study_look(v, column);
    app_split(v, &border, area, &first, &second);
    char *text = title(study);
    struct rect in = term_box(t, first, text, v->focus == STUDY_TRIALS);
    free(text);
    if (study->why && in.h > 3) {
        term_print(t, in, 0, 0, ROLE_WARN, "paused: %s", study->why);
        in.y++;
        in.h--;
    }
    list_draw(t, in, &s->list, &look);
    draw_side(v, second);
    term_outline(t, v->focus == STUDY_TRIALS ? first : second);
}

void study_draw(struct view *v, struct rect area)
{
    static const struct empty none = {
        .role = ROLE_TEXT,
        .missing = "There is no study yet.",
        .advice = {
            "A study runs one experiment with several settings: each of its trials is a run.",
            "Give an experiment file a sweep section; S in 3 Experiment begins it, or bertty sweep FILE:",
            "sweep: {options: {optim.learning_rate: [2e-5, 3e-5, 5e-5]}, seeds: [42, 43]}"}};
    struct study_view *s = study_of(v);
    if (study_shown(s)) {
        draw_study(v, area);
        return;
    }
    struct rect in = term_box(app_term(v->app), area, "Study", true);
    const struct empty failed = {.role = ROLE_BAD,
                                 .missing = s->found ? s->found->err.text : NULL,
                                 .advice = {"c chooses another study."}};
    if (s->found && s->found->err.status)
        empty_draw(app_term(v->app), in, &failed);
    else if (s->found)
        empty_draw(app_term(v->app), in, &none);
}
