/* Axes and smoothing of the curves in the Charts view. */
#include "tui/views/charts_curves.h"

#include <bertty/str.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SMOOTH_FROM = 8, BLOCKS_FROM = 4096 };

/* The places of points on an axis. What was logged at the same steps shares them: a run's series mostly were. */
struct places {
    size_t refs, n;
    const int64_t
        *steps; /* of the series that they were made for, when the run's series were at this version */
    uint64_t version;
    double x[];
};

/* x and the smoothed values of one series, kept until the series, the axis or the weight changes. */
struct charts_cache {
    struct charts_cache *next;
    char *tag;
    struct places *places;
    double *smooth;
    struct plot_block *blocks, *smooth_blocks; /* of the values and of smooth */
    size_t n, cap, smooth_cap;
    uint64_t version, scale_version;
    enum charts_axis axis;
    double weight; /* that smooth was made with; 0: it is not of these values */
    uint64_t made; /* a number of its own for each time that something of it was */
    bool valid;
};

void charts_smooth(const double *y, size_t n, double weight, double *smooth)
{
    double mean = 0, left = 1; /* left: the weight that still lies on the zero it began with */
    for (size_t i = 0; i < n; i++) {
        smooth[i] = y[i];
        if (!isfinite(y[i])) continue;
        mean = weight * mean + (1 - weight) * y[i];
        left *= weight;
        smooth[i] = mean / (1 - left);
    }
}

/* The first wall time of a run. */
static double start_of(const struct charts_run *r)
{
    double first = INFINITY;
    for (size_t i = 0; i < bt_series_count(r->reader); i++) {
        const struct bt_series *s = bt_series_at(r->reader, i);
        if (s->n && s->wall[0] < first) first = s->wall[0];
    }
    return first;
}

/* The series whose values an axis shows in place of steps; NULL: it has none, or the run does not log it. */
static const struct bt_series *scale_of(const struct charts_run *r, enum charts_axis axis)
{
    static const char *const epochs[] = {"train/epoch", "epoch"}, *const tokens[] = {
                                                                      "train/tokens",
                                                                      "train/num_input_tokens_seen"};
    const char *const *tag = axis == CHARTS_EPOCH ? epochs : tokens;
    if (axis != CHARTS_EPOCH && axis != CHARTS_TOKENS) return NULL;
    const struct bt_series *s = bt_series_find(r->reader, tag[0]);
    return s ? s : bt_series_find(r->reader, tag[1]);
}

/* A step between those at which something was logged: on the straight line between them; beyond them, on the line through the ends. */
static double interpolate(const struct bt_series *s, const double *value, double step)
{
    size_t low = 0, high = s->n - 1;
    if (s->n == 1) return value[0];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if ((double)s->step[middle] <= step)
            low = middle;
        else
            high = middle;
    }
    double from = (double)s->step[low], to = (double)s->step[high];
    if (to <= from) return value[low];
    return value[low] + (value[high] - value[low]) * (step - from) / (to - from);
}

double charts_step_on(const struct charts_run *r, enum charts_axis axis, double step)
{
    const struct bt_series *scale, *longest = NULL;
    if (axis == CHARTS_STEP || !r->reader) return step;
    if (axis == CHARTS_EPOCH || axis == CHARTS_TOKENS) {
        scale = scale_of(r, axis);
        return scale && scale->n ? interpolate(scale, scale->value, step) : step;
    }
    for (size_t i = 0; i < bt_series_count(r->reader); i++) {
        const struct bt_series *s = bt_series_at(r->reader, i);
        if (!longest || s->n > longest->n) longest = s;
    }
    if (!longest || !longest->n) return (double)NAN;
    return interpolate(longest, longest->wall, step) - (axis == CHARTS_RELATIVE ? start_of(r) : 0);
}

static void fill_x(const struct charts_curve *curve, enum charts_axis axis, double *x)
{
    const struct bt_series *s = curve->series, *scale = scale_of(curve->run, axis);
    double start = axis == CHARTS_RELATIVE ? start_of(curve->run) : 0;
    for (size_t i = 0; i < s->n; i++) {
        if (axis == CHARTS_RELATIVE || axis == CHARTS_WALL)
            x[i] = s->wall[i] - start;
        else
            x[i] =
                scale && scale->n ? interpolate(scale, scale->value, (double)s->step[i]) : (double)s->step[i];
        if (i && !(x[i] >= x[i - 1])) x[i] = x[i - 1]; /* clocks are set back */
    }
}

/* ── places ── */

static void drop_places(struct charts_cache *c)
{
    if (c->places && --c->places->refs == 0) free(c->places);
    c->places = NULL;
}

static bool at_steps(const struct places *p, const struct bt_series *s, uint64_t version)
{
    if (p->n != s->n) return false;
    if (p->steps == s->step && p->version == version) return true; /* series of a run share them, too */
    for (size_t i = 0; i < s->n; i++)
        if (p->x[i] != (double)s->step[i]) return false;
    return true;
}

/* Another series' that are the steps of this one too, or NULL. */
static struct places *places_of_another(const struct charts_curve *curve)
{
    const uint64_t version = bt_series_version(curve->run->reader);
    for (const struct charts_cache *c = curve->run->caches; c; c = c->next)
        if (c->places && c->axis == CHARTS_STEP && at_steps(c->places, curve->series, version))
            return c->places;
    return NULL;
}

static bool find_places(const struct charts_curve *curve, enum charts_axis axis)
{
    struct charts_cache *c = curve->cache;
    const size_t n = curve->series->n;
    drop_places(c);
    if (axis == CHARTS_STEP && (c->places = places_of_another(curve))) {
        c->places->refs++;
        return true;
    }
    c->places = malloc(sizeof *c->places + n * sizeof *c->places->x);
    if (!c->places) return false;
    *c->places = (struct places){
        .refs = 1, .n = n, .steps = curve->series->step, .version = bt_series_version(curve->run->reader)};
    fill_x(curve, axis, c->places->x);
    return true;
}

/* ── kept ── */

void charts_forget(struct charts_run *r)
{
    while (r->caches) {
        struct charts_cache *c = r->caches;
        r->caches = c->next;
        free(c->tag);
        drop_places(c);
        free(c->smooth);
        free(c->blocks);
        free(c->smooth_blocks);
        free(c);
    }
}

static struct charts_cache *cache_for(struct charts_curve *curve)
{
    struct charts_cache *c = curve->run->caches;
    while (c && strcmp(c->tag, curve->series->tag) != 0) c = c->next;
    if (c) return c;
    if (!(c = calloc(1, sizeof *c)) || !(c->tag = bt_strdup(curve->series->tag))) {
        free(c);
        return NULL;
    }
    c->next = curve->run->caches;
    return curve->run->caches = c;
}

static bool grow_doubles(double **to, size_t n)
{
    double *more = realloc(*to, n * sizeof *more);
    if (more) *to = more;
    return more != NULL;
}

static bool grow_blocks(struct plot_block **to, size_t n)
{
    struct plot_block *more = realloc(*to, (n / PLOT_BLOCK_POINTS + 1) * sizeof *more);
    if (more) *to = more;
    return more != NULL;
}

/* Room for n points; for their smoothed values only if there are to be any: hundreds of runs may be shown. */
static bool cache_reserve(struct charts_cache *c, size_t n, bool smoothed)
{
    if (n > c->cap) {
        const size_t cap = n + n / 8 + 16;
        if (!grow_blocks(&c->blocks, cap)) return false;
        c->cap = cap;
    }
    if (!smoothed || c->smooth_cap == c->cap) return true;
    if (!grow_doubles(&c->smooth, c->cap) || !grow_blocks(&c->smooth_blocks, c->cap)) return false;
    c->smooth_cap = c->cap;
    return true;
}

static void smooth_all(struct charts_cache *c, const struct bt_series *s, double weight)
{
    charts_smooth(s->value, s->n, weight, c->smooth);
    if (s->n >= BLOCKS_FROM) plot_blocks(c->smooth, s->n, c->smooth_blocks);
}

static uint64_t made; /* the number that was given last */

static bool prepare(struct charts_curve *curve, enum charts_axis axis, double weight)
{
    const struct bt_series *s = curve->series, *scale = scale_of(curve->run, axis);
    uint64_t scale_version = scale ? scale->version : 0;
    struct charts_cache *c = curve->cache ? curve->cache : (curve->cache = cache_for(curve));
    if (!c || !cache_reserve(c, s->n, weight > 0)) return false;
    bool x_good =
        c->valid && c->version == s->version && c->axis == axis && c->scale_version == scale_version;
    const bool smoothed = weight > 0 && (!x_good || c->weight != weight);
    if (!x_good && !find_places(curve, axis)) return c->valid = false;
    if (smoothed) smooth_all(c, s, weight);
    if (!x_good || smoothed) c->made = ++made;
    if ((!c->valid || c->version != s->version) && s->n >= BLOCKS_FROM)
        plot_blocks(s->value, s->n, c->blocks);
    c->valid = true;
    c->n = s->n;
    c->version = s->version;
    c->scale_version = scale_version;
    c->axis = axis;
    if (weight > 0 || !x_good) c->weight = weight;
    curve->x = c->places->x;
    curve->smooth = weight > 0 ? c->smooth : NULL;
    curve->blocks = s->n >= BLOCKS_FROM ? c->blocks : NULL;
    curve->smooth_blocks = s->n >= BLOCKS_FROM && weight > 0 ? c->smooth_blocks : NULL;
    curve->n = s->n;
    curve->made = c->made;
    return true;
}

/* What was set, not measured, has no noise. */
static bool measured(const char *name)
{
    return strcmp(name, "learning_rate") != 0 && strcmp(name, "epoch") != 0 && strcmp(name, "tokens") != 0;
}

bool charts_prepare(struct charts_panel *panel, enum charts_axis axis, double weight)
{
    for (size_t i = 0; i < panel->n; i++) {
        struct charts_curve *curve = &panel->curve[i];
        bool smooth = !curve->eval && curve->series->n >= SMOOTH_FROM && measured(panel->name);
        if (!prepare(curve, axis, smooth ? weight : 0)) return false;
    }
    return true;
}

size_t charts_at(const double *x, size_t n, double at)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}
