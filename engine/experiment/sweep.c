/* The sweep section, read and checked. */
#include <bertty/sweep.h>

#include "experiment/value.h"
#include <bertty/file.h>
#include <bertty/num.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 20 };

struct reader {
    struct bt_sweep *s;
    struct bt_experiment *scratch; /* takes each value once: what does not fit is refused */
    const char *file;
    struct bt_error *err;
};

static enum bt_status refuse(const struct reader *r, const struct bt_yaml *v, const char *what,
                             const char *expected)
{
    return bt_fail(r->err, BT_INVALID, "%s:%u:%u: sweep: %s%s%.60s%s, expected %s", r->file, v->line,
                   v->column, what, v->text ? " \"" : "", v->text ? v->text : "", v->text ? "\"" : "",
                   expected);
}

/* ── single values ── */

static enum bt_status read_count(const struct reader *r, const struct bt_yaml *v, const char *name,
                                 int64_t low, int64_t high, int64_t *out)
{
    char expected[80];
    if (v->kind == BT_YAML_SCALAR && !v->quoted && bt_parse_int64(v->text, out) && *out >= low &&
        *out <= high)
        return BT_OK;
    snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)low, (long long)high);
    return refuse(r, v, name, expected);
}

static enum bt_status read_trials(struct reader *r, const struct bt_yaml *v)
{
    return read_count(r, v, "trials", 1, BT_SWEEP_MOST, &r->s->trials);
}

static enum bt_status read_draw(struct reader *r, const struct bt_yaml *v)
{
    return read_count(r, v, "seed", 0, INT32_MAX, &r->s->draw);
}

static enum bt_status read_factor(struct reader *r, const struct bt_yaml *v)
{
    return read_count(r, v, "reduction_factor", 2, 100, &r->s->reduction_factor);
}

static enum bt_status read_rungs(struct reader *r, const struct bt_yaml *v)
{
    return read_count(r, v, "rungs", 1, 10, &r->s->rungs);
}

static enum bt_status read_startup(struct reader *r, const struct bt_yaml *v)
{
    return read_count(r, v, "startup_trials", 1, BT_SWEEP_MOST, &r->s->startup_trials);
}

static enum bt_status read_warmup(struct reader *r, const struct bt_yaml *v)
{
    double *out = &r->s->warmup_fraction;
    bool fine = v->kind == BT_YAML_SCALAR && bt_parse_double(v->text, out) && *out >= 0.0 && *out <= 1.0;
    return fine ? BT_OK : refuse(r, v, "warmup_fraction", "a number from 0 to 1");
}

static enum bt_status read_tokens(struct reader *r, const struct bt_yaml *v)
{
    double n;
    if (v->kind != BT_YAML_SCALAR || !bt_parse_double(v->text, &n) || !(n >= 1.0) || n > 9e15)
        return refuse(r, v, "max_tokens", "a number from 1 to 9e15");
    r->s->max_tokens = (int64_t)n;
    return BT_OK;
}

static enum bt_status read_time(struct reader *r, const struct bt_yaml *v)
{
    if (v->kind != BT_YAML_SCALAR || !bt_parse_duration(v->text, &r->s->max_seconds))
        return refuse(r, v, "max_time", BT_A_DURATION);
    return BT_OK;
}

static enum bt_status read_metric(struct reader *r, const struct bt_yaml *v)
{
    if (v->kind != BT_YAML_SCALAR || bt_yaml_is_null(v) || !v->text[0] || r->s->metric)
        return refuse(r, v, "metric", "the name of one, as in eval.metric_for_best_model");
    r->s->metric = bt_strdup(v->text);
    return r->s->metric ? BT_OK : bt_fail(r->err, BT_NOMEM, "no memory for a sweep");
}

static int word(const struct bt_yaml *v, const char *const *words, int n)
{
    for (int i = 0; i < n && v->kind == BT_YAML_SCALAR; i++)
        if (strcmp(v->text, words[i]) == 0) return i;
    return -1;
}

static enum bt_status read_search(struct reader *r, const struct bt_yaml *v)
{
    static const char *const words[] = {[BT_SWEEP_GRID] = "grid", [BT_SWEEP_RANDOM] = "random"};
    int i = word(v, words, 2);
    if (i < 0) return refuse(r, v, "search", "grid or random");
    r->s->search = (enum bt_sweep_search)i;
    return BT_OK;
}

static const char *const stoppings[] = {
    [BT_SWEEP_NONE] = "none", [BT_SWEEP_ASHA] = "asha", [BT_SWEEP_MEDIAN] = "median"};

const char *bt_sweep_stopping_name(enum bt_sweep_stopping s)
{
    return stoppings[s];
}

static enum bt_status read_stopping(struct reader *r, const struct bt_yaml *v)
{
    int i = word(v, stoppings, 3);
    if (i < 0) return refuse(r, v, "stopping", "none, asha or median");
    r->s->stopping = (enum bt_sweep_stopping)i;
    return BT_OK;
}

/* ── what is tried ── */

/* As the experiment writes it: two ways to write one value are one value. */
static enum bt_status add_value(const struct reader *r, const struct bt_option *o, const struct bt_yaml *v,
                                struct bt_string_list *to)
{
    struct bt_str text = {0};
    enum bt_status st = bt__value_from_yaml(r->scratch, o, v, r->file, r->err);
    if (st) return st;
    bt_experiment_get(r->scratch, o, &text);
    for (size_t i = 0; i < to->n && !st; i++)
        if (strcmp(to->item[i], bt_str_text(&text)) == 0) st = refuse(r, v, o->key, "each value once");
    if (!st && text.failed) st = bt_fail(r->err, BT_NOMEM, "no memory for a sweep");
    if (!st) st = bt__list_add(to, bt_str_text(&text), r->err);
    bt_str_free(&text);
    return st;
}

static enum bt_status add_values(const struct reader *r, const struct bt_option *o,
                                 const struct bt_yaml *list, struct bt_string_list *to)
{
    if (list->kind != BT_YAML_LIST || list->n == 0)
        return refuse(r, list, o->key, "a list of values that is not empty");
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < list->n && !st; i++) st = add_value(r, o, list->items[i], to);
    return st;
}

static enum bt_status read_seeds(struct reader *r, const struct bt_yaml *v)
{
    return add_values(r, &bt_options(NULL)[BT_OPTION_train_seed], v, &r->s->seed);
}

static enum bt_status read_bound(const struct reader *r, const struct bt_option *o, const struct bt_yaml *map,
                                 const char *name, double *out)
{
    const struct bt_yaml *v = bt_yaml_get(map, name);
    if (!v) return refuse(r, map, o->key, "a range {min: …, max: …}");
    enum bt_status st = bt__value_from_yaml(r->scratch, o, v, r->file, r->err);
    if (!st && !bt_parse_double(v->text, out)) st = refuse(r, v, o->key, "a number");
    return st;
}

static enum bt_status check_members(const struct reader *r, const struct bt_option *o,
                                    const struct bt_yaml *map)
{
    static const char *const names[] = {"min", "max", "scale", "steps"};
    for (size_t i = 0; i < map->n; i++)
        if (word(map->keys[i], names, 4) < 0)
            return refuse(r, map->keys[i], o->key, "min, max, scale or steps");
    return BT_OK;
}

static enum bt_status read_range(const struct reader *r, const struct bt_yaml *map, struct bt_sweep_axis *a)
{
    static const char *const scales[] = {"linear", "log"};
    const struct bt_option *o = a->option;
    const struct bt_yaml *scale = bt_yaml_get(map, "scale"), *steps = bt_yaml_get(map, "steps");
    if (o->kind != BT_OPTION_INT && o->kind != BT_OPTION_REAL)
        return refuse(r, map, o->key, "a list of values: only numbers have ranges");
    enum bt_status st = check_members(r, o, map);
    if (!st) st = read_bound(r, o, map, "min", &a->low);
    if (!st) st = read_bound(r, o, map, "max", &a->high);
    if (!st && scale && word(scale, scales, 2) < 0) st = refuse(r, scale, o->key, "scale: linear or log");
    a->log = scale && word(scale, scales, 2) == 1;
    if (!st && !(a->low < a->high)) st = refuse(r, map, o->key, "min below max");
    if (!st && a->log && !(a->low > 0.0)) st = refuse(r, map, o->key, "min above 0 for a logarithmic scale");
    if (!st && steps) st = read_count(r, steps, "steps", 2, BT_SWEEP_MOST, &a->steps);
    return st;
}

/* Where runs lie and what they are called is not what a study tries. */
static bool varies(const struct bt_option *o)
{
    size_t i = bt_option_index(o);
    return i != BT_OPTION_run_output_dir && i != BT_OPTION_run_name;
}

static enum bt_status no_axis(const struct reader *r, const struct bt_yaml *key)
{
    const char *keys[BT_OPTIONS];
    for (size_t i = 0; i < BT_OPTIONS; i++) keys[i] = bt_options(NULL)[i].key;
    const char *near = bt_nearest(key->text, keys, BT_OPTIONS);
    char expected[120];
    snprintf(expected, sizeof expected, near ? "an option: did you mean \"%s\"?" : "an option, %s",
             near ? near : "\"optim.learning_rate\"");
    return refuse(r, key, "options:", expected);
}

static enum bt_status read_axis(const struct reader *r, const struct bt_yaml *key, const struct bt_yaml *v)
{
    struct bt_sweep *s = r->s;
    struct bt_sweep_axis *a = &s->axis[s->n];
    a->option = bt_option_find(key->text);
    if (!a->option) return no_axis(r, key);
    if (!varies(a->option)) return refuse(r, key, "options:", "an option that changes what is trained");
    for (size_t i = 0; i < s->n; i++)
        if (s->axis[i].option == a->option) return refuse(r, key, "options:", "each option once");
    s->n++;
    return v->kind == BT_YAML_MAP ? read_range(r, v, a) : add_values(r, a->option, v, &a->value);
}

static enum bt_status read_options(struct reader *r, const struct bt_yaml *v)
{
    if (v->kind != BT_YAML_MAP || v->n == 0)
        return refuse(r, v, "options", "options with their values: \"optim.learning_rate: [2e-5, 5e-5]\"");
    r->s->axis = calloc(v->n, sizeof *r->s->axis);
    if (!r->s->axis) return bt_fail(r->err, BT_NOMEM, "no memory for a sweep");
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < v->n && !st; i++) st = read_axis(r, v->keys[i], v->items[i]);
    return st;
}

/* ── the whole ── */

static const struct {
    const char *name;
    enum bt_status (*read)(struct reader *r, const struct bt_yaml *v);
} members[] = {{"search", read_search},
               {"options", read_options},
               {"seeds", read_seeds},
               {"trials", read_trials},
               {"seed", read_draw},
               {"stopping", read_stopping},
               {"metric", read_metric},
               {"reduction_factor", read_factor},
               {"rungs", read_rungs},
               {"startup_trials", read_startup},
               {"warmup_fraction", read_warmup},
               {"max_tokens", read_tokens},
               {"max_time", read_time}};
enum { MEMBERS = sizeof members / sizeof *members };

static enum bt_status no_member(const struct reader *r, const struct bt_yaml *key)
{
    const char *names[MEMBERS];
    for (size_t i = 0; i < MEMBERS; i++) names[i] = members[i].name;
    const char *near = bt_nearest(key->text, names, MEMBERS);
    return bt_fail(r->err, BT_INVALID, "%s:%u:%u: sweep has no \"%.40s\"%s%s%s", r->file, key->line,
                   key->column, key->text,
                   near ? ", did you mean \"" : ", expected search, options, seeds, …", near ? near : "",
                   near ? "\"?" : "");
}

/* A setting that would do nothing beside the others. */
static const char *idle(const struct bt_sweep *s)
{
    if (s->search == BT_SWEEP_GRID && s->trials)
        return "trials: a grid has its number; it is for search: random";
    if (s->search == BT_SWEEP_GRID && s->draw >= 0) return "seed: nothing is drawn; it is for search: random";
    if (s->stopping != BT_SWEEP_ASHA && s->reduction_factor) return "reduction_factor is for stopping: asha";
    if (s->stopping != BT_SWEEP_ASHA && s->rungs) return "rungs are for stopping: asha";
    if (s->stopping != BT_SWEEP_MEDIAN && s->startup_trials) return "startup_trials is for stopping: median";
    if (s->stopping != BT_SWEEP_MEDIAN && s->warmup_fraction >= 0.0)
        return "warmup_fraction is for stopping: median";
    return NULL;
}

/* Something that is missing. */
static const char *wanting(const struct bt_sweep *s)
{
    if (s->n == 0 && s->seed.n < 2) return "nothing varies: expected options or at least two seeds";
    if (s->search == BT_SWEEP_RANDOM && s->n == 0) return "a random search needs options";
    if (s->search == BT_SWEEP_RANDOM && !s->trials) return "a random search needs trials: how many";
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_sweep_axis *a = &s->axis[i];
        if (bt_option_index(a->option) == BT_OPTION_train_seed && s->seed.n)
            return "seeds and train.seed under options: expected one of them";
        if (!a->value.n && s->search == BT_SWEEP_GRID && !a->steps)
            return "a range in a grid needs steps: how many values";
        if (a->steps && s->search == BT_SWEEP_RANDOM) return "steps are for search: grid";
    }
    return NULL;
}

static enum bt_status check(const struct reader *r, const struct bt_yaml *section)
{
    const char *why = idle(r->s);
    if (!why) why = wanting(r->s);
    if (!why) return BT_OK;
    return bt_fail(r->err, BT_INVALID, "%s:%u: sweep: %s", r->file, section->line, why);
}

static void fill_defaults(struct bt_sweep *s)
{
    if (s->draw < 0) s->draw = 42;
    if (!s->reduction_factor) s->reduction_factor = 3;
    if (!s->rungs) s->rungs = 2;
    if (!s->startup_trials) s->startup_trials = 5;
    if (s->warmup_fraction < 0.0) s->warmup_fraction = 0.2;
}

enum bt_status bt_sweep_read(const struct bt_yaml *section, const char *file, struct bt_sweep *out,
                             struct bt_error *err)
{
    struct reader r = {.s = out, .file = file, .err = err};
    *out = (struct bt_sweep){.draw = -1, .warmup_fraction = -1.0};
    if (section->kind != BT_YAML_MAP)
        return refuse(&r, section, "found a value", "search, options, seeds, …");
    enum bt_status st = bt_experiment_new(&r.scratch, err);
    for (size_t i = 0; i < section->n && !st; i++) {
        size_t k = 0;
        while (k < MEMBERS && strcmp(members[k].name, section->keys[i]->text) != 0) k++;
        st = k < MEMBERS ? members[k].read(&r, section->items[i]) : no_member(&r, section->keys[i]);
    }
    if (!st) st = check(&r, section);
    bt_experiment_free(r.scratch);
    if (!st) fill_defaults(out);
    return st;
}

enum bt_status bt_sweep_parse(const char *text, size_t n, const char *name, struct bt_sweep *out,
                              struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    *out = (struct bt_sweep){.n = 0};
    struct bt_yaml *root = bt_yaml_parse(text, n, name, &why);
    if (!root) return bt_fail(err, why.status, "%s", why.text);
    const struct bt_yaml *section = root->kind == BT_YAML_MAP ? bt_yaml_get(root, "sweep") : NULL;
    enum bt_status st = section ? bt_sweep_read(section, name, out, err)
                                : bt_fail(err, BT_NOTFOUND,
                                          "%s: no section \"sweep:\", which says what is to be tried", name);
    bt_yaml_free(root);
    return st;
}

enum bt_status bt_sweep_load(const char *path, struct bt_sweep *out, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    char *text = NULL;
    size_t n = 0;
    *out = (struct bt_sweep){.n = 0};
    enum bt_status st = bt_file_read(path, LARGEST, &text, &n, &why);
    if (st) return bt_fail(err, st, "%s", why.text);
    st = bt_sweep_parse(text, n, path, out, err);
    free(text);
    return st;
}

void bt_sweep_clear(struct bt_sweep *s)
{
    for (size_t i = 0; i < s->n; i++) bt__list_free(&s->axis[i].value);
    free(s->axis);
    bt__list_free(&s->seed);
    free(s->metric);
    *s = (struct bt_sweep){.n = 0};
}
