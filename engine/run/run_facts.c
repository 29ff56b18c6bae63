#include <bertty/run_facts.h>

#include "metrics/metrics.h"
#include "run/events_files.h"
#include <bertty/events.h>
#include <bertty/file.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes of events: beyond them a run's figures are those of its beginning. At a time: how soon a cancel is heard. */
enum { FACTS_BYTES = 512 << 20, AT_A_TIME = 8 << 20 };
enum { QUIET_LOOKS = 30 }; /* then a run is no longer taken for one that is being written */
/* Of one run, and names of all of them: beyond what anybody logs. */
enum { MAX_FIGURES = 1000, MAX_NAMES = 2000 };

/* Never changed once it is made; shared by the bt_facts that point to it. */
struct settings {
    atomic_uint shares;
    uint64_t stamp; /* of experiment.yaml; 0: there is none */
    struct bt_experiment *x;
    char group[65];
};

struct figures {
    atomic_uint shares;
    uint64_t stamp; /* of all event files; 0: there are none */
    struct bt_run_figure *figure;
    size_t n;
    float curve[BT_FACTS_CURVE];
    size_t n_curve;
};

/* The reader of a run that is being written: what is new is read, not all of it again. */
struct live {
    atomic_uint shares;
    struct bt_series_reader *reader;
    unsigned quiet; /* looks since something came */
};

struct entry {
    char *dir;
    struct settings *settings; /* NULL: never read */
    struct figures *figures;
    struct live *live; /* NULL: it is not written, as far as is known */
};

struct bt_facts {
    struct entry *entry; /* [n] by dir */
    size_t n;
};

static void drop_settings(struct settings *s)
{
    if (!s || atomic_fetch_sub(&s->shares, 1) > 1) return;
    bt_experiment_free(s->x);
    free(s);
}

static void drop_figures(struct figures *g)
{
    if (!g || atomic_fetch_sub(&g->shares, 1) > 1) return;
    for (size_t i = 0; i < g->n; i++) free((char *)(uintptr_t)g->figure[i].name);
    free(g->figure);
    free(g);
}

static void drop_live(struct live *l)
{
    if (!l || atomic_fetch_sub(&l->shares, 1) > 1) return;
    bt_series_free(l->reader);
    free(l);
}

void bt_facts_free(struct bt_facts *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->n; i++) {
        drop_settings(f->entry[i].settings);
        drop_figures(f->entry[i].figures);
        drop_live(f->entry[i].live);
        free(f->entry[i].dir);
    }
    free(f->entry);
    free(f);
}

/* ── has it changed? ── */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t stamp_of(const struct stat *info, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *p = name; *p; p++) h = mix(h, (unsigned char)*p);
    h = mix(mix(h, (uint64_t)info->st_mtim.tv_sec), (uint64_t)info->st_mtim.tv_nsec);
    h = mix(mix(h, (uint64_t)info->st_ino), (uint64_t)info->st_size);
    return h ? h : 1;
}

static bool add_stamp(void *ctx, int at, const char *folder, const char *name)
{
    struct stat info;
    uint64_t *sum = ctx;
    (void)folder;
    if (fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        *sum += stamp_of(&info, name); /* in whatever order */
    return true;
}

static uint64_t events_stamp(const char *dir)
{
    uint64_t sum = 0;
    DIR *d = opendir(dir);
    if (!d) return 0;
    bt__events_each(d, add_stamp, &sum);
    closedir(d);
    return sum;
}

/* ── settings ── */

/* What a seed's repetition changes is put to the default; the rest, written out, is the group. */
static void name_group(struct settings *s)
{
    struct bt_experiment *x = NULL;
    struct bt_str text = {0};
    static const int own[] = {BT_OPTION_train_seed, BT_OPTION_run_name, BT_OPTION_run_output_dir};
    if (bt_experiment_copy(s->x, &x, NULL) != BT_OK) return;
    bool fine = true;
    if (x->train_data_seed == x->train_seed)
        fine = bt_experiment_reset(x, &bt_options(NULL)[BT_OPTION_train_data_seed], NULL) == BT_OK;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        fine &= bt_experiment_reset(x, &bt_options(NULL)[own[i]], NULL) == BT_OK;
    bt_experiment_write(x, &text);
    if (fine && !text.failed) bt_sha256(bt_str_text(&text), text.len, s->group);
    bt_str_free(&text);
    bt_experiment_free(x);
}

static struct settings *read_settings(const char *path, uint64_t stamp)
{
    struct settings *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    atomic_init(&s->shares, 1);
    s->stamp = stamp;
    if (stamp && bt_experiment_load(path, &s->x, NULL) == BT_OK) name_group(s);
    return s;
}

static bool look_at_settings(struct entry *e)
{
    struct stat info;
    char *path = bt_path_join(e->dir, "experiment.yaml");
    if (!path) return false;
    uint64_t stamp = lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? stamp_of(&info, "") : 0;
    if (!e->settings || e->settings->stamp != stamp) {
        struct settings *s = read_settings(path, stamp);
        if (s) drop_settings(e->settings);
        if (s) e->settings = s;
    }
    free(path);
    return e->settings != NULL;
}

/* ── figures ── */

static double better(double a, double b, bool less)
{
    if (isnan(a)) return b;
    if (isnan(b)) return a;
    return less ? fmin(a, b) : fmax(a, b);
}

static bool take_figure(struct figures *g, const struct bt_series *s)
{
    double best = (double)NAN;
    bool less = bt__metric_falls(bt_path_base(s->tag));
    for (size_t i = 0; i < s->n; i++) best = better(best, s->value[i], less);
    char *name = bt_strdup(s->tag);
    if (!name) return false;
    g->figure[g->n++] = (struct bt_run_figure){.name = name, .last = s->value[s->n - 1], .best = best};
    return true;
}

static void take_curve(struct figures *g, const struct bt_series *s)
{
    size_t n = s && s->n < BT_FACTS_CURVE ? s->n : BT_FACTS_CURVE;
    for (size_t i = 0; s && i < n; i++) {
        double sum = 0.0;
        size_t from = s->n * i / n, to = s->n * (i + 1) / n;
        for (size_t k = from; k < to; k++) sum += s->value[k];
        g->curve[i] = (float)(sum / (double)(to - from));
    }
    g->n_curve = s ? n : 0;
}

static bool take_all(struct figures *g, const struct bt_series_reader *r)
{
    size_t all = bt_series_count(r), n = all < MAX_FIGURES ? all : MAX_FIGURES;
    g->figure = calloc(n + 1, sizeof *g->figure);
    bool fine = g->figure != NULL;
    for (size_t i = 0; fine && i < n; i++)
        if (bt_series_at(r, i)->n) fine = take_figure(g, bt_series_at(r, i));
    const struct bt_series *loss = bt_series_find(r, "train/loss");
    if (!loss) loss = bt_series_find(r, "loss");
    take_curve(g, loss ? loss : bt_series_find(r, "train/epoch_loss")); /* Keras's */
    return fine;
}

/* NULL: no memory, or cancelled. */
static struct figures *read_figures(struct bt_series_reader *r, uint64_t stamp, const atomic_bool *cancel)
{
    struct figures *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    atomic_init(&g->shares, 1);
    g->stamp = stamp;
    bool fine = true, more = stamp && r;
    for (size_t bytes = 0; more && bytes < FACTS_BYTES; bytes += AT_A_TIME) {
        if (cancel && atomic_load(cancel)) fine = false;
        if (!fine || bt_series_poll(r, AT_A_TIME, &more, NULL) != BT_OK) break;
        bt_series_commit(r);
    }
    if (r && fine) fine = take_all(g, r);
    if (fine) return g;
    drop_figures(g);
    return NULL;
}

/* The entry's own reader, if it is to be had. */
static struct bt_series_reader *open_live(struct entry *e)
{
    if (e->live) return e->live->reader;
    struct live *l = calloc(1, sizeof *l);
    if (!l || bt_series_open(e->dir, &l->reader, NULL) != BT_OK) {
        free(l);
        return NULL;
    }
    atomic_init(&l->shares, 1);
    e->live = l;
    return l->reader;
}

/* What changes a second time is being written. */
static bool look_at_figures(struct entry *e, const atomic_bool *cancel)
{
    uint64_t stamp = events_stamp(e->dir);
    struct bt_series_reader *own = NULL, *r = NULL;
    if (e->figures && e->figures->stamp == stamp) {
        if (e->live && ++e->live->quiet > QUIET_LOOKS) {
            drop_live(e->live);
            e->live = NULL;
        }
        return true;
    }
    if (e->figures) r = open_live(e);
    if (e->live) e->live->quiet = 0;
    if (!r && stamp && bt_series_open(e->dir, &own, NULL) == BT_OK) r = own;
    struct figures *g = read_figures(r, stamp, cancel);
    bt_series_free(own);
    if (!g) return false;
    drop_figures(e->figures);
    e->figures = g;
    return true;
}

/* ── all of them ── */

static int by_dir(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->dir, ((const struct entry *)b)->dir);
}

static struct entry *find(const struct bt_facts *f, const char *dir)
{
    const struct entry key = {.dir = (char *)(uintptr_t)dir};
    return f && f->n ? bsearch(&key, f->entry, f->n, sizeof key, by_dir) : NULL;
}

static bool begin_entry(struct entry *e, const char *dir, const struct bt_facts *previous)
{
    const struct entry *old = find(previous, dir);
    if (old && old->settings) atomic_fetch_add(&old->settings->shares, 1);
    if (old && old->figures) atomic_fetch_add(&old->figures->shares, 1);
    if (old && old->live) atomic_fetch_add(&old->live->shares, 1);
    *e = (struct entry){.dir = bt_strdup(dir),
                        .settings = old ? old->settings : NULL,
                        .figures = old ? old->figures : NULL,
                        .live = old ? old->live : NULL};
    return e->dir != NULL;
}

enum bt_status bt_facts_read(const struct bt_facts_wish *wish, size_t n, const struct bt_facts *previous,
                             const atomic_bool *cancel, struct bt_facts **out, struct bt_error *err)
{
    struct bt_facts *f = calloc(1, sizeof *f);
    bool fine = f && (f->entry = calloc(n + 1, sizeof *f->entry)), stop = false;
    *out = NULL;
    for (size_t i = 0; fine && !stop && i < n; i++) {
        struct entry *e = &f->entry[f->n++];
        fine = begin_entry(e, wish[i].dir, previous);
        if (fine && wish[i].need & BT_FACTS_SETTINGS) fine = look_at_settings(e);
        if (fine && wish[i].need & BT_FACTS_FIGURES) fine = look_at_figures(e, cancel);
        stop = cancel && atomic_load(cancel);
    }
    if (!fine || stop) {
        bt_facts_free(f);
        return stop ? bt_fail(err, BT_CANCELLED, "reading the runs was given up")
                    : bt_fail(err, BT_NOMEM, "no memory for what %zu runs say", n);
    }
    if (f->n) qsort(f->entry, f->n, sizeof *f->entry, by_dir);
    *out = f;
    return BT_OK;
}

/* ── answers ── */

struct bt_run_facts bt_facts_of(const struct bt_facts *f, const char *dir)
{
    struct bt_run_facts out = {.settings = NULL};
    const struct entry *e = find(f, dir);
    if (e && e->settings) {
        out.settings = e->settings->x;
        out.group = e->settings->group[0] ? e->settings->group : NULL;
    }
    if (e && e->figures) {
        out.figure = e->figures->figure;
        out.n_figures = e->figures->n;
        out.curve = e->figures->curve;
        out.n_curve = e->figures->n_curve;
    }
    return out;
}

bool bt_facts_known(const struct bt_facts *f, const char *dir, unsigned need)
{
    const struct entry *e = find(f, dir);
    return !need ||
           (e && (!(need & BT_FACTS_SETTINGS) || e->settings) && (!(need & BT_FACTS_FIGURES) || e->figures));
}

/* Names in order, each once. */
struct names {
    const char **name;
    size_t n, cap;
};

static bool add_name(struct names *l, const char *name)
{
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, l->name[middle]);
        if (order == 0) return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (l->n == MAX_NAMES) return true;
    if (l->n == l->cap) {
        const char **more = realloc(l->name, (2 * l->cap + 16) * sizeof *more);
        if (!more) return false;
        l->name = more;
        l->cap = 2 * l->cap + 16;
    }
    memmove(&l->name[low + 1], &l->name[low], (l->n - low) * sizeof *l->name);
    l->name[low] = name;
    l->n++;
    return true;
}

bool bt_facts_names(const struct bt_facts *f, const char ***name, size_t *n)
{
    struct names l = {.name = calloc(1, sizeof *l.name), .cap = 1};
    bool fine = l.name != NULL;
    for (size_t i = 0; f && i < f->n; i++)
        for (size_t k = 0; fine && f->entry[i].figures && k < f->entry[i].figures->n; k++)
            fine = add_name(&l, f->entry[i].figures->figure[k].name);
    if (!fine) {
        free(l.name);
        l = (struct names){.n = 0};
    }
    *name = l.name;
    *n = l.n;
    return fine;
}

static const struct bt_run_figure *exactly(const struct bt_run_facts *f, const char *folder, const char *name)
{
    size_t n = strlen(folder);
    for (size_t i = 0; i < f->n_figures; i++)
        if (strncmp(f->figure[i].name, folder, n) == 0 && strcmp(f->figure[i].name + n, name) == 0)
            return &f->figure[i];
    return NULL;
}

const struct bt_run_figure *bt_run_figure(const struct bt_run_facts *f, const char *name)
{
    static const char *const folders[] = {"", "eval/", "test/", "train/"};
    const struct bt_run_figure *found = NULL;
    for (size_t i = 0; !found && i < sizeof folders / sizeof *folders; i++)
        found = exactly(f, folders[i], name);
    for (size_t i = 0; !found && i < f->n_figures; i++)
        if (strcmp(bt_path_base(f->figure[i].name), name) == 0) found = &f->figure[i];
    return found;
}

bool bt_facts_any(const struct bt_facts *f, const char *name)
{
    bool any = false;
    for (size_t i = 0; f && i < f->n && !any; i++) {
        const struct figures *g = f->entry[i].figures;
        const struct bt_run_facts facts = {.figure = g ? g->figure : NULL, .n_figures = g ? g->n : 0};
        any = bt_run_figure(&facts, name) != NULL;
    }
    return any;
}
