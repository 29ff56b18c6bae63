#include "tui/views/charts_curves.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that a poll reads of all runs together: few while nothing is shown yet, then many, so that panels are not drawn again and again. */
enum { FIRST_BYTES = 4 << 20, POLL_BYTES = 96 << 20 };
/* A run that is over, and of which nothing came for so many looks, is looked at in its turn, so many of them in a poll. */
enum { QUIET_LOOKS = 20, TURNS = 16 };

struct charts_run_private {
    bool gone;                       /* to be freed when no poll is under way */
    struct bt_series_reader *reader; /* opened by a poll; the run's own from the end of that poll on */
    struct charts_info info;         /* what the last poll found */
    char *error;
    bool more;
    int quiet; /* looks since the last one that found something */
    struct charts_warnings warnings;
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
    charts_forget(r);
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
    r->own->quiet = QUIET_LOOKS;
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

static bool attended(const struct charts_run *r)
{
    return (!r->loaded && !r->error) || r->info.live || r->own->quiet < QUIET_LOOKS;
}

void charts_attend(struct charts *c, const char *dir)
{
    struct charts_run *r = find_run(c, dir);
    if (r) r->own->quiet = 0;
}

/* Those that are attended to, and the next few of the others. */
static void choose_runs(struct charts *c, struct charts_poll *p)
{
    size_t others = 0, at = 0;
    for (size_t i = 0; i < c->n_runs; i++) others += !c->run[i]->own->gone && !attended(c->run[i]);
    const size_t from = others ? c->turn % others : 0;
    for (size_t i = 0; i < c->n_runs; i++) {
        if (c->run[i]->own->gone) continue;
        const bool turn = !attended(c->run[i]) && (at++ + others - from) % others < TURNS;
        if (turn || attended(c->run[i])) p->run[p->n++] = c->run[i];
    }
    c->turn = from + TURNS;
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
    choose_runs(c, p);
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
    if (changed && r->loaded)
        own->quiet = 0;
    else if (own->quiet < QUIET_LOOKS)
        own->quiet++;
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
