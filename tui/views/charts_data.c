#include "tui/views/charts_data.h"
#include "tui/views/charts_info.h"

#include <bertty/file.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that a poll reads of all runs together: few while nothing is shown yet, then many, so that panels are not drawn again and again. */
enum {
    FIRST_BYTES = 4 << 20,
    POLL_BYTES = 96 << 20,

    SMOOTH_FROM = 8,
    BLOCKS_FROM = 4096
};

struct charts_run_private {
    bool gone;                       /* to be freed when no poll is under way */
    struct bt_series_reader *reader; /* opened by a poll; the run's own from the end of that poll on */
    struct charts_info info;         /* what the last poll found */
    char *error;
    bool more;
    struct charts_warnings warnings;
    struct charts_cache *caches; /* one for each tag that was ever prepared */
};

/* x and the smoothed values of one series, kept until the series, the axis or the weight changes. */
struct charts_cache {
    struct charts_cache *next;
    char *tag;
    double *x, *smooth;
    struct plot_block *blocks, *smooth_blocks; /* of the values and of smooth */
    size_t n, cap;
    uint64_t version, scale_version;
    enum charts_axis axis;
    double weight; /* that smooth was made with; 0: it is not of these values */
    bool valid;
};

struct charts_poll {
    struct charts_run **run;
    size_t n;
    bool ran; /* a poll that never ran has found nothing */
    uint64_t budget;
};

/* ── runs ── */

static void run_free(struct charts_run *r)
{
    while (r->own && r->own->caches) {
        struct charts_cache *c = r->own->caches;
        r->own->caches = c->next;
        free(c->tag);
        free(c->x);
        free(c->smooth);
        free(c->blocks);
        free(c->smooth_blocks);
        free(c);
    }
    if (r->own) {
        bt_series_free(r->own->reader);
        charts_info_free(&r->own->info);
        free(r->own->error);
        free(r->own->warnings.at);
    }
    charts_info_free(&r->info);
    free(r->own);
    free(r->error);
    free(r->dir);
    free(r->id);
    free(r);
}

static unsigned free_colour(const struct charts *c)
{
    for (unsigned colour = 0;; colour++) {
        bool used = false;
        for (size_t i = 0; i < c->n_runs; i++) used |= !c->run[i]->own->gone && c->run[i]->colour == colour;
        if (!used) return colour;
    }
}

static struct charts_run *run_new(const struct charts *c, const char *dir)
{
    struct charts_run *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->own = calloc(1, sizeof *r->own);
    r->dir = bt_strdup(dir);
    r->id = bt_strdup(bt_path_base(dir));
    if (!r->own || !r->dir || !r->id) {
        run_free(r);
        return NULL;
    }
    r->info.best = r->own->info.best = -1;
    r->colour = free_colour(c);
    return r;
}

static void sweep(struct charts *c)
{
    size_t kept = 0;
    if (c->busy) return;
    for (size_t i = 0; i < c->n_runs; i++)
        if (c->run[i]->own->gone)
            run_free(c->run[i]);
        else
            c->run[kept++] = c->run[i];
    c->n_runs = kept;
}

static struct charts_run *find_run(const struct charts *c, const char *dir)
{
    for (size_t i = 0; i < c->n_runs; i++)
        if (strcmp(c->run[i]->dir, dir) == 0) return c->run[i];
    return NULL;
}

static void free_panels(struct charts *c)
{
    for (size_t i = 0; i < c->n_panels; i++) free(c->panel[i].curve);
    free(c->panel);
    c->panel = NULL;
    c->n_panels = 0;
}

static bool build_panels(struct charts *c);

bool charts_set_runs(struct charts *c, const char *const *dirs, size_t n)
{
    if (c->cap_runs < c->n_runs + n) {
        struct charts_run **more = realloc(c->run, (c->n_runs + n) * sizeof(struct charts_run *));
        if (!more) return false;
        c->run = more;
        c->cap_runs = c->n_runs + n;
    }
    for (size_t i = 0; i < c->n_runs; i++) c->run[i]->own->gone = true;
    for (size_t i = 0; i < n; i++) { /* first those that stay, so that nobody takes their colour */
        struct charts_run *r = find_run(c, dirs[i]);
        if (r) r->own->gone = false;
    }
    for (size_t i = 0, placed = 0; i < n; i++) {
        struct charts_run *r = find_run(c, dirs[i]);
        if (!r && !(r = run_new(c, dirs[i]))) return false;
        size_t at = 0; /* the order of dirs, those that are gone behind */
        while (at < c->n_runs && c->run[at] != r) at++;
        if (at < placed) continue; /* named twice */
        if (at == c->n_runs) c->n_runs++;
        memmove(c->run + placed + 1, c->run + placed, (at - placed) * sizeof(struct charts_run *));
        c->run[placed++] = r;
    }
    free_panels(c); /* their curves may point into what is freed now */
    sweep(c);
    return build_panels(c);
}

void charts_free(struct charts *c)
{
    free_panels(c);
    for (size_t i = 0; i < c->n_runs; i++) run_free(c->run[i]);
    free(c->run);
    *c = (struct charts){0};
}

/* ── reading, on any thread ── */

/* What there is to read, as far as the budget goes. */
static enum bt_status poll_events(struct charts_run_private *own, uint64_t *budget, struct bt_error *err)
{
    uint64_t before = bt_series_bytes(own->reader);
    if (*budget == 0) {
        own->more = true;
        return BT_OK;
    }
    enum bt_status status = bt_series_poll(own->reader, (size_t)*budget, &own->more, err);
    uint64_t used = bt_series_bytes(own->reader) - before;
    *budget -= used < *budget ? used : *budget;
    return status;
}

static void poll_one(struct charts_run *r, uint64_t *budget, bool alone)
{
    struct bt_error err = {0};
    struct charts_run_private *own = r->own;
    charts_info_free(&own->info);
    free(own->error);
    own->error = NULL;
    own->more = false;
    enum bt_status status = own->reader ? BT_OK : bt_series_open(r->dir, &own->reader, &err);
    if (status == BT_OK) status = poll_events(own, budget, &err);
    if (status != BT_OK) own->error = bt_strdup(err.text);
    charts_info_read(r->dir, alone ? &own->warnings : NULL, &own->info);
}

struct charts_poll *charts_begin(struct charts *c)
{
    struct charts_poll *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->run = calloc(c->n_runs + 1, sizeof(struct charts_run *));
    if (!p->run) {
        free(p);
        return NULL;
    }
    p->budget = c->n_panels ? POLL_BYTES : FIRST_BYTES;
    for (size_t i = 0; i < c->n_runs; i++)
        if (!c->run[i]->own->gone) p->run[p->n++] = c->run[i];
    c->busy = true;
    return p;
}

void charts_poll_run(struct charts_poll *p)
{
    p->ran = true;
    for (size_t i = 0; i < p->n; i++) poll_one(p->run[i], &p->budget, p->n == 1);
}

/* Takes over what a poll found about one run. */
static bool take_over(struct charts_run *r)
{
    struct charts_run_private *own = r->own;
    r->reader = own->reader;
    bool changed = r->reader && bt_series_commit(r->reader);
    if (!charts_info_same(&r->info, &own->info)) {
        struct charts_info old = r->info;
        r->info = own->info;
        own->info = old;
        changed = true;
    }
    if (strcmp(r->error ? r->error : "", own->error ? own->error : "") != 0) {
        char *old = r->error;
        r->error = own->error;
        own->error = old;
        changed = true;
    }
    if (!own->more && !r->loaded) changed = r->loaded = true;
    return changed;
}

bool charts_end(struct charts *c, struct charts_poll *p, bool *more)
{
    bool changed = false;
    c->busy = *more = false;
    for (size_t i = 0; i < p->n; i++) {
        *more |= p->run[i]->own->more;
        if (p->ran && !p->run[i]->own->gone) changed |= take_over(p->run[i]);
    }
    free(p->run);
    free(p);
    sweep(c);
    if (changed) build_panels(c);
    return changed;
}

/* ── panels ── */

const char *charts_group(const char *tag, bool *eval)
{
    static const struct {
        const char *word;
        bool eval;
    } words[] = {{"train", false},     {"training", false}, {"eval", true},  {"test", true},
                 {"validation", true}, {"val", true},       {"valid", true}, {"dev", true}};
    *eval = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].word);
        if (strncmp(tag, words[i].word, n) != 0 || (tag[n] != '/' && tag[n] != '_') || !tag[n + 1]) continue;
        *eval = words[i].eval;
        return tag + n + 1;
    }
    return tag;
}

int charts_split(const char *tag)
{
    bool eval;
    const char *name = charts_group(tag, &eval);
    return name > tag ? (int)(name - tag - 1) : 0;
}

/* What one wants to see first stands first, what one hardly ever wants to see last; a run has the metrics of its task alone. */
static int rank(const char *name)
{
    /* the loss, what the tasks are judged by (those of one task side by side), then the training's own */
    static const char *const first[] = {
        "loss",      "accuracy",    "f1",         "exact_match",     "exact",    "precision",
        "recall",    "f1_macro",    "f1_micro",   "subset_accuracy", "mcc",      "pearson",
        "spearman",  "mse",         "perplexity", "HasAns_f1",       "NoAns_f1", "learning_rate",
        "grad_norm", "tokens_per_s"};
    enum { N = sizeof first / sizeof *first };
    if (strncmp(name, "epoch_", 6) == 0) name += 6; /* Keras's */
    for (int i = 0; i < N; i++)
        if (strcmp(name, first[i]) == 0) return i;
    return strcmp(name, "epoch") == 0 || strcmp(name, "tokens") == 0 ? N + 2
           : strncmp(name, "system/", 7) == 0                        ? N + 1
                                                                     : N;
}

static int by_rank(const void *a, const void *b)
{
    const char *x = ((const struct charts_panel *)a)->name, *y = ((const struct charts_panel *)b)->name;
    int difference = rank(x) - rank(y);
    return difference ? difference : strcmp(x, y);
}

static struct charts_panel *panel_for(struct charts *c, const char *name)
{
    for (size_t i = 0; i < c->n_panels; i++)
        if (strcmp(c->panel[i].name, name) == 0) return &c->panel[i];
    struct charts_panel *panel = realloc(c->panel, (c->n_panels + 1) * sizeof *panel);
    if (!panel) return NULL;
    c->panel = panel;
    panel[c->n_panels] = (struct charts_panel){.name = name};
    return &panel[c->n_panels++];
}

static bool add_curve(struct charts *c, struct charts_run *r, const struct bt_series *s)
{
    bool eval;
    struct charts_panel *panel = panel_for(c, charts_group(s->tag, &eval));
    struct charts_curve *curve = panel ? realloc(panel->curve, (panel->n + 1) * sizeof *curve) : NULL;
    if (!curve) return false;
    panel->curve = curve;
    curve[panel->n++] = (struct charts_curve){.run = r, .series = s, .eval = eval};
    return true;
}

/* Names are borrowed from the series, which live as long as their runs. */
static bool build_panels(struct charts *c)
{
    bool good = true;
    free_panels(c);
    for (size_t i = 0; i < c->n_runs; i++) {
        struct charts_run *r = c->run[i];
        if (r->own->gone || !r->reader) continue;
        for (size_t k = 0; good && k < bt_series_count(r->reader); k++)
            good = add_curve(c, r, bt_series_at(r->reader, k));
    }
    if (c->n_panels) qsort(c->panel, c->n_panels, sizeof *c->panel, by_rank);
    return good;
}

/* ── axes and smoothing ── */

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

static struct charts_cache *cache_for(struct charts_curve *curve)
{
    struct charts_cache *c = curve->run->own->caches;
    while (c && strcmp(c->tag, curve->series->tag) != 0) c = c->next;
    if (c) return c;
    if (!(c = calloc(1, sizeof *c)) || !(c->tag = bt_strdup(curve->series->tag))) {
        free(c);
        return NULL;
    }
    c->next = curve->run->own->caches;
    return curve->run->own->caches = c;
}

static bool cache_reserve(struct charts_cache *c, size_t n)
{
    if (n <= c->cap) return true;
    size_t cap = n + n / 2 + 64;
    double *x = realloc(c->x, cap * sizeof *x);
    if (x) c->x = x;
    double *smooth = realloc(c->smooth, cap * sizeof *smooth);
    if (smooth) c->smooth = smooth;
    if (!x || !smooth) return false;
    const size_t n_blocks = cap / PLOT_BLOCK_POINTS + 1;
    struct plot_block *blocks = realloc(c->blocks, n_blocks * sizeof *blocks);
    if (blocks) c->blocks = blocks;
    struct plot_block *smooth_blocks = realloc(c->smooth_blocks, n_blocks * sizeof *smooth_blocks);
    if (smooth_blocks) c->smooth_blocks = smooth_blocks;
    if (!blocks || !smooth_blocks) return false;
    c->cap = cap;
    return true;
}

static void smooth_all(struct charts_cache *c, const struct bt_series *s, double weight)
{
    charts_smooth(s->value, s->n, weight, c->smooth);
    if (s->n >= BLOCKS_FROM) plot_blocks(c->smooth, s->n, c->smooth_blocks);
}

static bool prepare(struct charts_curve *curve, enum charts_axis axis, double weight)
{
    const struct bt_series *s = curve->series, *scale = scale_of(curve->run, axis);
    uint64_t scale_version = scale ? scale->version : 0;
    struct charts_cache *c = curve->cache ? curve->cache : (curve->cache = cache_for(curve));
    if (!c || !cache_reserve(c, s->n)) return false;
    bool x_good =
        c->valid && c->version == s->version && c->axis == axis && c->scale_version == scale_version;
    if (!x_good) fill_x(curve, axis, c->x);
    if (weight > 0 && (!x_good || c->weight != weight)) smooth_all(c, s, weight);
    if ((!c->valid || c->version != s->version) && s->n >= BLOCKS_FROM)
        plot_blocks(s->value, s->n, c->blocks);
    c->valid = true;
    c->n = s->n;
    c->version = s->version;
    c->scale_version = scale_version;
    c->axis = axis;
    if (weight > 0 || !x_good) c->weight = weight;
    curve->x = c->x;
    curve->smooth = weight > 0 ? c->smooth : NULL;
    curve->blocks = s->n >= BLOCKS_FROM ? c->blocks : NULL;
    curve->smooth_blocks = s->n >= BLOCKS_FROM && weight > 0 ? c->smooth_blocks : NULL;
    curve->n = s->n;
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
