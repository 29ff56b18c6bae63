/* Changing one value in the text of an experiment file and nothing else. */
#include "experiment/value.h"

#include <bertty/yaml.h>
#include <string.h>

/* Replaces bytes [begin, end) of the file. */
static enum bt_status splice(struct bt_str *file, size_t begin, size_t end, const char *text,
                             struct bt_error *err)
{
    struct bt_str out = {.data = NULL};
    bt_str_addn(&out, bt_str_text(file), begin);
    bt_str_add(&out, text);
    bt_str_addn(&out, bt_str_text(file) + end, file->len - end);
    if (out.failed) {
        bt_str_free(&out);
        return bt_fail(err, BT_NOMEM, "no memory to change the file");
    }
    bt_str_free(file);
    *file = out;
    return BT_OK;
}

static size_t line_begin(const struct bt_str *f, size_t at)
{
    while (at > 0 && f->data[at - 1] != '\n') at--;
    return at;
}

/* Behind the newline of the line that holds at. */
static size_t line_end(const struct bt_str *f, size_t at)
{
    while (at < f->len && f->data[at] != '\n') at++;
    return at < f->len ? at + 1 : at;
}

/* Where a value's own text ends: a block's end mark stands at the next content, so comments and empty lines behind it are not its own. */
static size_t value_end(const struct bt_str *f, const struct bt_yaml *v)
{
    size_t end = v->end;
    while (end > v->begin && strchr(" \t\r\n", f->data[end - 1])) end--;
    if (v->n && !v->flow) return value_end(f, v->items[v->n - 1]);
    return end;
}

static const struct bt_yaml *key_of(const struct bt_yaml *map, const char *name, size_t *index)
{
    for (size_t i = 0; map && map->kind == BT_YAML_MAP && i < map->n; i++)
        if (strcmp(map->keys[i]->text, name) == 0) {
            *index = i;
            return map->keys[i];
        }
    return NULL;
}

/* Whether the key has a line to itself, as it has in block style. */
static bool own_line(const struct bt_str *f, const struct bt_yaml *key)
{
    size_t begin = line_begin(f, key->begin);
    return strspn(f->data + begin, " ") >= key->begin - begin;
}

static enum bt_status remove_value(struct bt_str *f, const struct bt_yaml *group, size_t i,
                                   struct bt_error *err)
{
    const struct bt_yaml *key = group->keys[i], *v = group->items[i];
    if (own_line(f, key)) {
        size_t begin = line_begin(f, key->begin), last = value_end(f, v);
        return splice(f, begin, line_end(f, last > key->end ? last : key->end), "", err);
    }
    size_t begin = i > 0 ? value_end(f, group->items[i - 1]) : key->begin;
    size_t end = i > 0 ? value_end(f, v) : group->n > 1 ? group->keys[1]->begin : value_end(f, v);
    return splice(f, begin, end, "", err);
}

static enum bt_status replace_value(struct bt_str *f, const struct bt_yaml *key, const struct bt_yaml *v,
                                    const char *value, struct bt_error *err)
{
    size_t begin = v->begin, end = value_end(f, v);
    if (v->kind == BT_YAML_SCALAR && end > begin && begin > key->end)
        return splice(f, begin, end, value, err);
    if (v->flow) return splice(f, begin, end, value, err);
    /* nothing there, or a block list below the key: the value goes behind the colon */
    size_t colon = key->end;
    while (colon < f->len && f->data[colon] != ':') colon++;
    struct bt_str text = {.data = NULL};
    bt_str_addf(&text, ": %s", value);
    enum bt_status st = splice(f, colon, v->n ? end : colon + 1, bt_str_text(&text), err);
    bt_str_free(&text);
    return st;
}

/* A new line behind the group's last one, indented like it. */
static enum bt_status add_to_group(struct bt_str *f, const struct bt_yaml *key, const struct bt_yaml *group,
                                   const char *name, const char *value, struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    bool filled = group->kind == BT_YAML_MAP && group->n > 0;
    size_t at, indent = 2;
    if (filled && group->flow) {
        at = value_end(f, group->items[group->n - 1]);
        bt_str_addf(&text, ", %s: %s", name, value);
    } else {
        const struct bt_yaml *last = filled ? group->items[group->n - 1] : key;
        size_t end = filled ? value_end(f, last) : key->end;
        if (filled && end < group->keys[group->n - 1]->end) end = group->keys[group->n - 1]->end;
        if (filled) indent = group->keys[0]->begin - line_begin(f, group->keys[0]->begin);
        at = line_end(f, end);
        bool newline = at > 0 && f->data[at - 1] != '\n';
        bt_str_addf(&text, "%s%*s%s: %s\n", newline ? "\n" : "", (int)indent, "", name, value);
    }
    enum bt_status st = splice(f, at, at, bt_str_text(&text), err);
    bt_str_free(&text);
    return st;
}

static enum bt_status add_group(struct bt_str *f, const struct bt_option *o, const char *value,
                                struct bt_error *err)
{
    bool newline = f->len > 0 && f->data[f->len - 1] != '\n';
    bt_str_addf(f, "%s%s%s:\n  %s: %s\n", newline ? "\n" : "", f->len ? "\n" : "", o->group, o->name, value);
    return f->failed ? bt_fail(err, BT_NOMEM, "no memory to change the file") : BT_OK;
}

static enum bt_status edit(struct bt_str *file, const struct bt_yaml *root, const struct bt_option *o,
                           const char *value, struct bt_error *err)
{
    size_t g, i;
    const struct bt_yaml *group_key = key_of(root, o->group, &g);
    const struct bt_yaml *group = group_key ? root->items[g] : NULL;
    const struct bt_yaml *key = key_of(group, o->name, &i);
    if (key && !value) return remove_value(file, group, i, err);
    if (key) return replace_value(file, key, group->items[i], value, err);
    if (!value) return BT_OK;
    return group ? add_to_group(file, group_key, group, o->name, value, err) : add_group(file, o, value, err);
}

enum bt_status bt_experiment_edit(struct bt_str *file, const char *key, const char *value,
                                  struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    const struct bt_option *o = bt_option_find(key);
    if (!o) return bt_fail(err, BT_NOTFOUND, "no option \"%.60s\"", key);
    struct bt_yaml *root = bt_yaml_parse(bt_str_text(file), file->len, "experiment", &why);
    if (!root) return bt_fail(err, why.status, "%s", why.text);
    enum bt_status st = root->kind == BT_YAML_MAP ? edit(file, root, o, value, err)
                                                  : bt_fail(err, BT_INVALID, "the file holds no options");
    bt_yaml_free(root);
    return st;
}
