/* The threshold slider: what comes of it when a label is given from another probability on. */
#include "tui/views/predictions_view.h"

#include <bertty/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double step = 0.01;

bool pred_threshold_shown(const struct pred_view *s)
{
    return s->sliding && s->p && (s->thresholds || s->loading);
}

static bool sets(const struct pred_view *s)
{
    return s->p->kind == BT_ROWS_SETS;
}

static const char *name_of(const struct pred_view *s, int label)
{
    return label == BT_THRESHOLD_ALL ? "all labels" : s->p->label[label];
}

/* The threshold that is kept for a label; 0.5 where none is, or not the same for all. */
static double kept_for(const struct pred_view *s, int label)
{
    double found = (double)NAN;
    if (!s->kept || s->n_kept != s->p->n_labels) return 0.5;
    for (int i = 0; i < s->n_kept; i++) {
        if (label != BT_THRESHOLD_ALL && i != label) continue;
        if (i > 0 && label == BT_THRESHOLD_ALL && s->kept[i] != found) return 0.5;
        found = s->kept[i];
    }
    return isnan(found) ? 0.5 : found;
}

bool pred_threshold_show(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->p) return false;
    if (pred_threshold_shown(s)) {
        s->sliding = false;
        v->focus = PRED_LIST;
        return true;
    }
    const bool later = sets(s) && !s->thresholds; /* they are counted when somebody asks */
    if (!s->thresholds && !later) {
        app_say(v->app, ROLE_TEXT,
                "a threshold decides between two labels, or about sets of labels: these rows have neither");
        return true;
    }
    s->sliding = true;
    s->positive = sets(s) ? BT_THRESHOLD_ALL : 1;
    for (int i = 0; !sets(s) && s->kept && i < s->n_kept; i++)
        if (!isnan(s->kept[i])) s->positive = i;
    s->threshold = kept_for(s, s->positive);
    v->focus = PRED_MATRIX;
    if (later) pred_load(v);
    return true;
}

/* ── keys ── */

static void next_label(struct pred_view *s, int by)
{
    const int first = sets(s) ? BT_THRESHOLD_ALL : 0, n = s->p->n_labels - first;
    s->positive = first + (((s->positive - first + by) % n) + n) % n;
    s->threshold = kept_for(s, s->positive);
}

/* Multiples of a step, so that the way there and back ends where it began. */
static void slide(struct pred_view *s, double by)
{
    const double to = round((s->threshold + by) / step) * step;
    s->threshold = fmin(fmax(to, 0), 1);
}

static bool keep(struct view *v)
{
    struct pred_view *s = v->state;
    const int n = s->p->n_labels;
    double *kept = calloc((size_t)n, sizeof *kept);
    if (!kept) return true;
    for (int i = 0; i < n; i++) {
        const bool before = sets(s) && s->kept && s->n_kept == n;
        kept[i] = s->positive == i || s->positive == BT_THRESHOLD_ALL ? s->threshold
                  : before                                            ? s->kept[i]
                                                                      : (double)NAN;
    }
    free(s->kept);
    s->kept = kept;
    s->n_kept = n;
    s->sliding = false;
    v->focus = PRED_LIST;
    app_say(v->app, ROLE_GOOD, "%s is given from %.4g on here: %% and u take that back",
            name_of(s, s->positive), s->threshold);
    pred_load(v);
    return true;
}

bool pred_threshold_forget(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->kept) {
        app_say(v->app, ROLE_TEXT, "the rows are as they were predicted");
        return true;
    }
    free(s->kept);
    s->kept = NULL;
    if (s->p) s->threshold = 0.5;
    app_say(v->app, ROLE_TEXT, "decided as it was predicted");
    pred_load(v);
    return true;
}

bool pred_threshold_best(struct view *v)
{
    struct pred_view *s = v->state;
    if (!pred_threshold_shown(s) || !s->thresholds) {
        app_say(v->app, ROLE_TEXT, "%% first: the threshold");
        return true;
    }
    const double best = bt_thresholds_best(s->thresholds, s->positive);
    if (isnan(best))
        app_say(v->app, ROLE_TEXT, "no row is %s: no threshold is better than another",
                name_of(s, s->positive));
    else
        s->threshold = best;
    return true;
}

bool pred_threshold_act(struct view *v, int action, int count)
{
    struct pred_view *s = v->state;
    if (!s->thresholds) return action != ACT_ESCAPE; /* still being counted */
    switch (action) {
    case ACT_LEFT:
    case ACT_RIGHT:
        slide(s, action == ACT_LEFT ? -step * count : step * count);
        return true;
    case ACT_PAGE_UP:
    case ACT_PAGE_DOWN:
        slide(s, action == ACT_PAGE_DOWN ? -10 * step : 10 * step);
        return true;
    case ACT_UP:
    case ACT_DOWN:
        next_label(s, action == ACT_UP ? -count : count);
        return true;
    case ACT_HOME:
    case ACT_END:
        s->threshold = action == ACT_HOME ? 0 : 1;
        return true;
    case ACT_ENTER:
        return keep(v);
    default:
        return false;
    }
}

/* ── drawing ── */

void pred_threshold_title(const struct pred_view *s, struct bt_str *out)
{
    const bool ours = s->kept && s->n_kept == s->p->n_labels;
    bool same = ours && sets(s);
    for (int i = 0; same && i < s->n_kept; i++) same = s->kept[i] == s->kept[0];
    if (same) bt_str_addf(out, ", all labels ≥ %.4g", s->kept[0]);
    for (int i = 0; ours && !same && i < s->n_kept; i++)
        if (!isnan(s->kept[i])) bt_str_addf(out, ", %s ≥ %.4g", s->p->label[i], s->kept[i]);
}

static int place(double threshold, int w)
{
    return (int)(threshold * (w - 1) + 0.5);
}

static void draw_bar(struct term *t, struct rect in, int y, double threshold, double best)
{
    const int w = in.w - 4;
    if (w < 5) return;
    term_put(t, in, y, 0, ROLE_DIM, '0');
    term_put(t, in, y, in.w - 1, ROLE_DIM, '1');
    for (int x = 0; x < w; x++) term_put(t, in, y, 2 + x, ROLE_BORDER, 0x2500);
    if (!isnan(best)) term_put(t, in, y, 2 + place(best, w), ROLE_ACCENT, 0x2605); /* ★ */
    term_put(t, in, y, 2 + place(threshold, w), ROLE_MARK, 0x25b2);                /* ▲ */
}

static int draw_figure(struct term *t, struct rect in, int y, int x, const char *name, double value)
{
    x += term_print(t, in, y, x, ROLE_DIM, "%s ", name);
    if (isnan(value)) return x + term_print(t, in, y, x, ROLE_TEXT, "%s", "-") + 2;
    return x + term_print(t, in, y, x, ROLE_TEXT, "%.4f", value) + 2;
}

enum { NAME_W = 11, COUNT_W = 12, NARROW = 38 };

static void draw_name(struct term *t, struct rect in, int y, int right, int width, const char *name)
{
    struct bt_str text = {0};
    const int w = bt_text_fit(&text, name, strlen(name), width - 1);
    term_print(t, in, y, right - w, ROLE_HEADER, "%s", bt_str_text(&text));
    bt_str_free(&text);
}

static void draw_count(struct term *t, struct rect in, int y, int right, enum role role, size_t n)
{
    char text[24];
    const int w = snprintf(text, sizeof text, "%zu", n);
    term_print(t, in, y, right - w, n ? role : ROLE_DIM, "%s", text);
}

/* Gold downwards, given to the right; of sets the label or none. */
static void draw_counts(struct term *t, struct rect in, int y, const struct pred_view *s,
                        const struct bt_threshold_at *at)
{
    const int width = in.w < NARROW ? (in.w - NAME_W) / 2 : COUNT_W, first = NAME_W + width,
              second = first + width;
    const char *name = s->positive == BT_THRESHOLD_ALL ? "label" : name_of(s, s->positive),
               *other = sets(s) ? "not" : name_of(s, 1 - s->positive);
    const struct rect names = {.y = in.y, .x = in.x, .h = in.h, .w = NAME_W};
    term_print(t, names, y, 0, ROLE_DIM, "%s", "gold ↓");
    draw_name(t, in, y, first, width, name);
    draw_name(t, in, y, second, width, other);
    term_text(t, names, y + 1, 0, ROLE_TEXT, name, strlen(name));
    draw_count(t, in, y + 1, first, ROLE_GOOD, at->tp);
    draw_count(t, in, y + 1, second, ROLE_BAD, at->fn);
    term_text(t, names, y + 2, 0, ROLE_TEXT, other, strlen(other));
    draw_count(t, in, y + 2, first, ROLE_BAD, at->fp);
    draw_count(t, in, y + 2, second, ROLE_GOOD, at->tn);
}

static void draw_slider(struct term *t, struct rect in, const struct pred_view *s)
{
    const double best = bt_thresholds_best(s->thresholds, s->positive);
    const struct bt_threshold_at at = bt_thresholds_at(s->thresholds, s->positive, s->threshold);
    int x = term_print(t, in, 0, 0, ROLE_TEXT, "from %.4g on", s->threshold) + 2;
    if (!isnan(best))
        term_print(t, in, 0, x, ROLE_ACCENT, "★ F1 %.4f from %.4g",
                   bt_thresholds_at(s->thresholds, s->positive, best).f1, best);
    draw_bar(t, in, 1, s->threshold, best);
    const bool narrow = in.w < NARROW;
    x = draw_figure(t, in, 2, 0, narrow ? "prec" : "precision", at.precision);
    draw_figure(t, in, 2, x, narrow ? "rec" : "recall", at.recall);
    x = draw_figure(t, in, 3, 0, "F1", at.f1);
    draw_figure(t, in, 3, x, s->positive == BT_THRESHOLD_ALL ? "rows all right" : "accuracy", at.accuracy);
    if (in.h >= 7) draw_counts(t, in, 4, s, &at);
}

void pred_threshold_draw(struct view *v, struct rect area)
{
    struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    bt_str_addf(&title, "threshold · %s", name_of(s, s->positive));
    struct rect in = term_box(t, area, bt_str_text(&title), v->focus == PRED_MATRIX);
    bt_str_free(&title);
    s->matrix_at = in;
    if (in.h < 2 || in.w < 10) return;
    if (s->thresholds)
        draw_slider(t, in, s);
    else
        term_print(t, in, 0, 0, ROLE_DIM, "%s", "counting …");
}
