/* Figures of runs by name. */
#include "metrics/metrics.h"
#include "run/run_filter.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct named {
    const char *name;
    enum bt_run_column column;
    double scale;
};

static const struct named columns[] = {
    {.name = "metric", .column = BT_RUN_BEST, .scale = 1},
    {.name = "best", .column = BT_RUN_BEST, .scale = 1},
    {.name = "last", .column = BT_RUN_LAST, .scale = 1},
    {.name = "loss", .column = BT_RUN_LOSS, .scale = 1},
    {.name = "step", .column = BT_RUN_STEP, .scale = 1},
    {.name = "epoch", .column = BT_RUN_EPOCH, .scale = 1},
    {.name = "progress", .column = BT_RUN_PROGRESS, .scale = 1},
    {.name = "speed", .column = BT_RUN_SPEED, .scale = 1},
    {.name = "left", .column = BT_RUN_LEFT, .scale = 3600},
    {.name = "eta", .column = BT_RUN_LEFT, .scale = 3600},
    {.name = "age", .column = BT_RUN_AGE, .scale = 3600},
    {.name = "updated", .column = BT_RUN_UPDATED, .scale = 1},
};

/* `eta` and `updated` are understood, but not offered. */
const char *const bt__key_names[] = {"metric",   "best",  "last", "loss", "step", "epoch",
                                     "progress", "speed", "left", "age",  NULL};

double bt_run_number(enum bt_run_column column, const struct bt_run_status *s, double now)
{
    switch (column) {
    case BT_RUN_BEST:
        return s->best;
    case BT_RUN_LAST:
        return s->last;
    case BT_RUN_LOSS:
        return s->train_loss;
    case BT_RUN_STEP:
        return (double)s->step;
    case BT_RUN_EPOCH:
        return s->total > 0 || s->epoch > 0.0 ? s->epoch : (double)NAN;
    case BT_RUN_PROGRESS:
        return s->total > 0 ? (double)s->step / (double)s->total : (double)NAN;
    case BT_RUN_SPEED:
        return s->tokens_per_s > 0.0 ? s->tokens_per_s : (double)NAN;
    case BT_RUN_LEFT:
        return bt_run_state_alive(s->state) ? s->eta_s : (double)NAN;
    case BT_RUN_AGE:
        return s->started > 0.0 ? now - s->started : (double)NAN;
    case BT_RUN_UPDATED:
        return s->updated > 0.0 ? s->updated : (double)NAN;
    case BT_RUN_COLUMNS:
        break;
    }
    return (double)NAN;
}

bool bt__option_is_number(const struct bt_option *o)
{
    return o->kind == BT_OPTION_INT || o->kind == BT_OPTION_REAL;
}

/* null, which only such options may be, is a negative number. */
static double option_number(const struct bt_option *o, const struct bt_experiment *x)
{
    const char *at = (const char *)x + o->offset;
    int64_t i;
    double v;
    if (o->kind == BT_OPTION_INT) {
        memcpy(&i, at, sizeof i);
        v = (double)i;
    } else {
        memcpy(&v, at, sizeof v);
    }
    return o->nullable && v < 0.0 ? (double)NAN : v;
}

/* ── names ── */

static const char *nearest_option(const char *name)
{
    size_t n;
    const struct bt_option *o = bt_options(&n);
    const char **names = calloc(2 * n, sizeof *names);
    const char *near = NULL;
    for (size_t i = 0; names && i < n; i++) {
        names[i] = o[i].name;
        names[n + i] = o[i].key;
    }
    if (names) near = bt_nearest(name, names, 2 * n);
    free(names);
    return near;
}

const struct bt_option *bt__option_named(const char *name, size_t n, struct bt_error *err)
{
    char *copy = bt_strndup(name, n);
    const struct bt_option *o = copy ? bt_option_find(copy) : NULL;
    const char *near = copy && !o ? nearest_option(copy) : NULL;
    if (!copy)
        bt_fail(err, BT_NOMEM, "cfg.: no memory");
    else if (near)
        bt_fail(err, BT_INVALID, "cfg.%s: no such option, did you mean cfg.%s?", copy, near);
    else if (!o)
        bt_fail(err, BT_INVALID, "cfg.%s: no such option (`bertty options` lists them)", copy);
    free(copy);
    return o;
}

static bool key_option(const char *name, struct bt_run_key *out, struct bt_error *err)
{
    out->option = bt__option_named(name, strlen(name), err);
    if (!out->option || bt__option_is_number(out->option)) return out->option != NULL;
    bt_fail(err, BT_INVALID, "cfg.%s is no number: expected cfg.%s:WORD or =WORD", name, name);
    return false;
}

enum bt_status bt_run_key_parse(const char *name, struct bt_run_key *out, struct bt_error *err)
{
    *out = (struct bt_run_key){.column = BT_RUN_COLUMNS, .scale = 1};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (strcmp(columns[i].name, name) == 0) {
            out->column = columns[i].column;
            out->scale = columns[i].scale;
            return BT_OK;
        }
    if (strncmp(name, "cfg.", 4) == 0) return key_option(name + 4, out, err) ? BT_OK : BT_INVALID;
    out->last = strncmp(name, "last.", 5) == 0;
    const char *figure = out->last || strncmp(name, "best.", 5) == 0 ? name + 5 : name;
    if (!*figure) return bt_fail(err, BT_INVALID, "%s: expected a figure's name after the point", name);
    out->figure = bt_strdup(figure);
    return out->figure ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory", name);
}

void bt_run_key_clear(struct bt_run_key *k)
{
    free(k->figure);
    *k = (struct bt_run_key){.column = BT_RUN_COLUMNS, .scale = 1};
}

unsigned bt_run_key_need(const struct bt_run_key *k)
{
    return k->figure ? BT_FACTS_FIGURES : k->option ? BT_FACTS_SETTINGS : 0;
}

double bt_run_key_number(const struct bt_run_key *k, const struct bt_run_status *s,
                         const struct bt_run_facts *f, double now)
{
    if (k->column != BT_RUN_COLUMNS) return bt_run_number(k->column, s, now);
    if (k->option) return f->settings ? option_number(k->option, f->settings) : (double)NAN;
    const struct bt_run_figure *figure = k->figure ? bt_run_figure(f, k->figure) : NULL;
    if (!figure) return (double)NAN;
    return k->last ? figure->last : figure->best;
}

bool bt_run_key_falls(const struct bt_run_key *k)
{
    if (k->figure) return bt__metric_falls(bt_path_base(k->figure));
    return k->option || k->column == BT_RUN_LOSS || k->column == BT_RUN_LEFT || k->column == BT_RUN_AGE;
}

const char *const *bt_run_key_names(void)
{
    return bt__key_names;
}

/* ── what no run has ── */

/* Of the built-in names, the tags, and what stands behind their last slash. */
static const char *nearest_figure(const char *name, const char *const *tag, size_t n)
{
    enum { OWN = sizeof columns / sizeof *columns };
    const char **all = calloc(OWN + 2 * n, sizeof *all), *near = NULL;
    for (size_t i = 0; all && i < OWN; i++) all[i] = columns[i].name;
    for (size_t i = 0; all && i < n; i++) {
        const char *slash = strrchr(tag[i], '/');
        all[OWN + i] = tag[i];
        all[OWN + n + i] = slash ? slash + 1 : tag[i];
    }
    if (all) near = bt_nearest(name, all, OWN + 2 * n);
    free(all);
    return near;
}

enum bt_status bt_run_key_check(const struct bt_run_key *k, const struct bt_facts *facts,
                                struct bt_error *err)
{
    const char **tag = NULL;
    size_t n = 0;
    if (!k->figure || bt_facts_any(facts, k->figure)) return BT_OK;
    const char *near = bt_facts_names(facts, &tag, &n) ? nearest_figure(k->figure, tag, n) : NULL;
    enum bt_status st = bt_fail(err, BT_NOTFOUND, "%s: no run has such a figure%s%s%s", k->figure,
                                near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
    free(tag);
    return st;
}
