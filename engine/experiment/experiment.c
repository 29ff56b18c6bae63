#include <bertty/experiment.h>

#include "experiment/value.h"
#include <bertty/file.h>
#include <bertty/sweep.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 20 };

static enum bt_status put_default(struct bt_experiment *x, const struct bt_option *o, struct bt_error *err)
{
    void *field = bt__field(x, o);
    switch (o->kind) {
    case BT_OPTION_TEXT:
        *(char **)field = bt_strdup(o->text);
        return o->text && !*(char **)field ? bt_fail(err, BT_NOMEM, "no memory for an experiment") : BT_OK;
    case BT_OPTION_LIST:
        *(struct bt_string_list *)field = (struct bt_string_list){.n = 0};
        return BT_OK;
    case BT_OPTION_INT:
        *(int64_t *)field = (int64_t)o->fallback;
        return BT_OK;
    case BT_OPTION_REAL:
        *(double *)field = o->fallback;
        return BT_OK;
    case BT_OPTION_BOOL:
        *(bool *)field = o->fallback > 0.0;
        return BT_OK;
    case BT_OPTION_CHOICE:
        *(int *)field = (int)o->fallback;
        return BT_OK;
    }
    return BT_OK;
}

static void clear(struct bt_experiment *x, const struct bt_option *o)
{
    if (o->kind == BT_OPTION_TEXT) free(*(char **)bt__field(x, o));
    if (o->kind == BT_OPTION_LIST) bt__list_free(bt__field(x, o));
}

enum bt_status bt_experiment_reset(struct bt_experiment *x, const struct bt_option *o, struct bt_error *err)
{
    clear(x, o);
    x->set[bt_option_index(o)] = false;
    x->line[bt_option_index(o)] = 0;
    return put_default(x, o, err);
}

enum bt_status bt_experiment_new(struct bt_experiment **out, struct bt_error *err)
{
    struct bt_experiment *x = calloc(1, sizeof *x);
    if (!x) return bt_fail(err, BT_NOMEM, "no memory for an experiment");
    const struct bt_option *o = bt_options(NULL);
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        enum bt_status st = put_default(x, &o[i], err);
        if (!st) continue;
        bt_experiment_free(x);
        return st;
    }
    *out = x;
    return BT_OK;
}

void bt_experiment_free(struct bt_experiment *x)
{
    if (!x) return;
    for (size_t i = 0; i < BT_OPTIONS; i++) clear(x, &bt_options(NULL)[i]);
    free(x->path);
    free(x);
}

/* ── reading ── */

static enum bt_status unknown_group(const struct bt_yaml *key, const char *name, struct bt_error *err)
{
    const char *groups[BT_OPTIONS];
    size_t n = 0;
    const struct bt_option *o = bt_options(NULL);
    for (size_t i = 0; i < BT_OPTIONS; i++)
        if (i == 0 || strcmp(o[i].group, o[i - 1].group) != 0) groups[n++] = o[i].group;
    const char *near = bt_nearest(key->text, groups, n);
    const struct bt_option *elsewhere = bt_option_find(key->text);
    if (elsewhere)
        return bt_fail(err, BT_INVALID,
                       "%s:%u:%u: %s stands outside of its group, expected it under %s:", name, key->line,
                       key->column, elsewhere->name, elsewhere->group);
    return bt_fail(
        err, BT_INVALID, "%s:%u:%u: unknown group \"%.40s\"%s%s%s", name, key->line, key->column, key->text,
        near ? ", did you mean \"" : ", expected model, task, data, train, optim, eval, run or sweep",
        near ? near : "", near ? "\"?" : "");
}

static enum bt_status unknown_key(const struct bt_yaml *key, const char *group, const char *name,
                                  struct bt_error *err)
{
    const char *names[BT_OPTIONS];
    size_t n = 0;
    const struct bt_option *o = bt_options(NULL);
    for (size_t i = 0; i < BT_OPTIONS; i++)
        if (strcmp(o[i].group, group) == 0) names[n++] = o[i].name;
    const char *near = bt_nearest(key->text, names, n);
    const struct bt_option *elsewhere = bt_option_find(key->text);
    if (!near && elsewhere)
        return bt_fail(err, BT_INVALID, "%s:%u:%u: %s has no option \"%.40s\", it belongs under %s:", name,
                       key->line, key->column, group, key->text, elsewhere->group);
    return bt_fail(err, BT_INVALID, "%s:%u:%u: %s has no option \"%.40s\"%s%s%s", name, key->line,
                   key->column, group, key->text, near ? ", did you mean \"" : "", near ? near : "",
                   near ? "\"?" : "");
}

static const struct bt_option *in_group(const char *group, const char *name)
{
    const struct bt_option *o = bt_options(NULL);
    for (size_t i = 0; i < BT_OPTIONS; i++)
        if (strcmp(o[i].group, group) == 0 && strcmp(o[i].name, name) == 0) return &o[i];
    return NULL;
}

static bool group_exists(const char *group)
{
    const struct bt_option *o = bt_options(NULL);
    for (size_t i = 0; i < BT_OPTIONS; i++)
        if (strcmp(o[i].group, group) == 0) return true;
    return false;
}

/* What a study tries is no setting of a run: it has to be right, and is read by who makes the study. */
static enum bt_status check_sweep(const struct bt_yaml *section, const char *name, struct bt_error *err)
{
    struct bt_sweep s;
    enum bt_status st = bt_sweep_read(section, name, &s, err);
    bt_sweep_clear(&s);
    return st;
}

static enum bt_status read_group(struct bt_experiment *x, const struct bt_yaml *key,
                                 const struct bt_yaml *map, const char *name, struct bt_error *err)
{
    if (strcmp(key->text, "sweep") == 0) return check_sweep(map, name, err);
    if (!group_exists(key->text)) return unknown_group(key, name, err);
    if (bt_yaml_is_null(map)) return BT_OK; /* a group with nothing in it */
    if (map->kind != BT_YAML_MAP)
        return bt_fail(err, BT_INVALID, "%s:%u:%u: %s: found a %s, expected options below it", name,
                       map->line, map->column, key->text, map->kind == BT_YAML_LIST ? "list" : "text");
    for (size_t i = 0; i < map->n; i++) {
        const struct bt_option *o = in_group(key->text, map->keys[i]->text);
        enum bt_status st = o ? bt__value_from_yaml(x, o, map->items[i], name, err)
                              : unknown_key(map->keys[i], key->text, name, err);
        if (st) return st;
    }
    return BT_OK;
}

enum bt_status bt_experiment_parse(const char *text, size_t n, const char *name, struct bt_experiment **out,
                                   struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    struct bt_experiment *x;
    struct bt_yaml *root = bt_yaml_parse(text, n, name, &why);
    if (!root) return bt_fail(err, why.status, "%s", why.text);
    enum bt_status st = bt_experiment_new(&x, err);
    if (st) {
        bt_yaml_free(root);
        return st;
    }
    if (root->kind != BT_YAML_MAP)
        st = bt_fail(err, BT_INVALID, "%s:%u:%u: found a %s, expected the groups model, task, data, …", name,
                     root->line, root->column, root->kind == BT_YAML_LIST ? "list" : "text");
    for (size_t i = 0; i < root->n && !st; i++)
        if (root->kind == BT_YAML_MAP) st = read_group(x, root->keys[i], root->items[i], name, err);
    bt_yaml_free(root);
    if (st)
        bt_experiment_free(x);
    else
        *out = x;
    return st;
}

/* x, which came from path, becomes *out; it is freed if that fails. */
static enum bt_status hand_over(struct bt_experiment *x, const char *path, struct bt_experiment **out,
                                struct bt_error *err)
{
    x->path = path ? bt_strdup(path) : NULL;
    if (path && !x->path) {
        bt_experiment_free(x);
        return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    }
    *out = x;
    return BT_OK;
}

enum bt_status bt_experiment_load(const char *path, struct bt_experiment **out, struct bt_error *err)
{
    struct bt_experiment *x;
    char *data;
    size_t n;
    enum bt_status st = bt_file_read(path, LARGEST, &data, &n, err);
    if (st) return st;
    st = bt_experiment_parse(data, n, path, &x, err);
    free(data);
    return st ? st : hand_over(x, path, out, err);
}

/* ── setting one ── */

static enum bt_status no_option(const char *key, struct bt_error *err)
{
    const char *keys[BT_OPTIONS];
    for (size_t i = 0; i < BT_OPTIONS; i++) keys[i] = bt_options(NULL)[i].key;
    const char *near = bt_nearest(key, keys, BT_OPTIONS);
    return bt_fail(err, BT_NOTFOUND, "no option \"%.60s\"%s%s%s", key, near ? ", did you mean \"" : "",
                   near ? near : "", near ? "\"?" : "");
}

enum bt_status bt_experiment_set(struct bt_experiment *x, const char *key, const char *text,
                                 struct bt_error *err)
{
    const struct bt_option *o = bt_option_find(key);
    if (!o) return no_option(key, err);
    struct bt_error why = {.status = BT_OK};
    struct bt_yaml *v = bt_yaml_parse(text, strlen(text), o->key, &why);
    if (!v) return bt_fail(err, why.status, "%s", why.text);
    struct bt_yaml nothing = {.kind = BT_YAML_SCALAR, .text = (char *)(uintptr_t) ""};
    bool empty = v->kind == BT_YAML_MAP && v->n == 0;
    enum bt_status st = bt__value_from_yaml(x, o, empty ? &nothing : v, NULL, err);
    bt_yaml_free(v);
    return st;
}

enum bt_status bt_experiment_assign(struct bt_experiment *x, const char *assignment, struct bt_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals) return bt_fail(err, BT_INVALID, "\"%.60s\": expected GROUP.NAME=VALUE", assignment);
    char *key = bt_strndup(assignment, (size_t)(equals - assignment));
    if (!key) return bt_fail(err, BT_NOMEM, "no memory for an option");
    enum bt_status st = bt_experiment_set(x, key, equals + 1, err);
    free(key);
    return st;
}

/* ── writing ── */

void bt_experiment_write(const struct bt_experiment *x, struct bt_str *out)
{
    const struct bt_option *o = bt_options(NULL);
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        if (i == 0 || strcmp(o[i].group, o[i - 1].group) != 0)
            bt_str_addf(out, "%s%s:\n", i ? "\n" : "", o[i].group);
        bt_str_addf(out, "  %s: ", o[i].name);
        bt_experiment_get(x, &o[i], out);
        bt_str_addc(out, '\n');
    }
}

enum bt_status bt_experiment_copy(const struct bt_experiment *x, struct bt_experiment **out,
                                  struct bt_error *err)
{
    struct bt_experiment *copy;
    struct bt_str text = {.data = NULL};
    bt_experiment_write(x, &text);
    enum bt_status st = text.failed ? bt_fail(err, BT_NOMEM, "no memory for a copy") : BT_OK;
    if (!st) st = bt_experiment_parse(text.data, text.len, "copy", &copy, err);
    bt_str_free(&text);
    if (st) return st;
    memcpy(copy->set, x->set, sizeof x->set);
    memcpy(copy->line, x->line, sizeof x->line);
    return hand_over(copy, x->path, out, err);
}
