/* From the text of a file to fields and faults, whatever is wrong with it. */
#include "tui/form_internal.h"

#include <bertty/yaml.h>
#include <stdlib.h>
#include <string.h>

void form_page_clear(struct form_page *p)
{
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        free(p->field[i].raw);
        free(p->field[i].fault);
    }
    for (size_t i = 0; i < p->n_faults; i++) free((void *)(uintptr_t)p->fault[i].text);
    free(p->fault);
    free(p->text);
    free(p->broken);
    bt_experiment_free(p->x);
    *p = (struct form_page){.n = 0};
}

static enum bt_status no_memory(struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory for the form");
}

static enum bt_status add_fault(struct form_page *p, size_t field, unsigned line, const char *text)
{
    struct form_fault *fault = realloc(p->fault, (p->n_faults + 1) * sizeof *fault);
    if (fault) p->fault = fault;
    char *copy = fault ? bt_strdup(text) : NULL;
    if (!copy) return BT_NOMEM;
    p->fault[p->n_faults++] = (struct form_fault){.field = field, .line = line, .text = copy};
    return BT_OK;
}

/* ── one value ── */

static void quoted(struct bt_str *out, const char *text)
{
    bt_str_addc(out, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            bt_str_addf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            bt_str_addf(out, "\\x%02x", *c);
        else
            bt_str_addc(out, (char)*c);
    }
    bt_str_addc(out, '"');
}

/* The value on one line, in a form that needs no context: block lists and block texts lose theirs. */
static void one_line(struct bt_str *out, const struct bt_yaml *v)
{
    if (v->kind == BT_YAML_SCALAR) {
        if (bt_yaml_is_null(v))
            bt_str_add(out, "null");
        else
            quoted(out, v->text);
    } else if (v->kind == BT_YAML_LIST) {
        bt_str_addc(out, '[');
        for (size_t i = 0; i < v->n; i++) {
            if (i) bt_str_add(out, ", ");
            one_line(out, v->items[i]);
        }
        bt_str_addc(out, ']');
    } else {
        bt_str_add(out, "{map: 0}");
    }
}

static void spelled(struct bt_str *out, const struct bt_yaml *v)
{
    if (v->kind == BT_YAML_SCALAR)
        bt_str_add(out, bt_yaml_is_null(v) ? "null" : v->text);
    else if (v->kind == BT_YAML_MAP)
        bt_str_add(out, "{…}");
    for (size_t i = 0; v->kind == BT_YAML_LIST && i < v->n; i++) {
        if (i) bt_str_add(out, ", ");
        spelled(out, v->items[i]);
    }
    if (v->kind == BT_YAML_LIST && v->n == 0) bt_str_add(out, "[]");
}

/* "optim.learning_rate: found …" without the key: the field says it. */
static const char *without_key(const char *text, const char *key)
{
    size_t n = strlen(key);
    return strncmp(text, key, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static enum bt_status read_field(struct form_page *p, size_t i, const struct bt_yaml *v)
{
    const struct bt_option *o = &bt_options(NULL)[i];
    struct form_field *field = &p->field[i];
    struct bt_str text = {.data = NULL}, raw = {.data = NULL};
    struct bt_error why = {.status = BT_OK};
    one_line(&text, v);
    spelled(&raw, v);
    enum bt_status st = text.failed || raw.failed ? BT_NOMEM : BT_OK;
    if (!st && bt_experiment_set(p->x, o->key, bt_str_text(&text), &why)) {
        field->fault = bt_strdup(without_key(why.text, o->key));
        st = field->fault ? add_fault(p, i, v->line, field->fault) : BT_NOMEM;
    }
    bt_str_free(&text);
    field->raw = bt_str_take(&raw);
    field->line = v->line;
    p->x->set[i] = true;
    p->x->line[i] = v->line;
    return field->raw ? st : BT_NOMEM;
}

/* ── the whole ── */

static enum bt_status read_group(struct form_page *p, const char *group, const struct bt_yaml *map,
                                 bool *strange)
{
    enum bt_status st = BT_OK;
    const struct bt_option *o = bt_options(NULL);
    bool known = false;
    for (size_t i = 0; i < BT_OPTIONS && !known; i++) known = strcmp(o[i].group, group) == 0;
    if (!known || (map->kind != BT_YAML_MAP && !bt_yaml_is_null(map))) *strange = true;
    for (size_t k = 0; known && map->kind == BT_YAML_MAP && k < map->n && !st; k++) {
        size_t i = 0;
        while (i < BT_OPTIONS &&
               (strcmp(o[i].group, group) != 0 || strcmp(o[i].name, map->keys[k]->text) != 0))
            i++;
        if (i < BT_OPTIONS)
            st = read_field(p, i, map->items[k]);
        else
            *strange = true;
    }
    return st;
}

/* What the reader says about keys that it does not know. Fields that are faulty get their default first, so that they do not hide it. */
static enum bt_status strange_keys(struct form_page *p, const char *name)
{
    struct bt_str text = {.data = NULL}, value = {.data = NULL};
    struct bt_experiment *x = NULL;
    struct bt_error why = {.status = BT_OK};
    bt_str_addn(&text, p->text, p->n);
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        if (!p->field[i].fault) continue;
        bt_str_clear(&value);
        bt_experiment_get(p->x, &bt_options(NULL)[i], &value);
        (void)bt_experiment_edit(&text, bt_options(NULL)[i].key, bt_str_text(&value), NULL);
    }
    enum bt_status st = text.failed || value.failed ? BT_NOMEM : BT_OK;
    if (!st && bt_experiment_parse(bt_str_text(&text), text.len, name, &x, &why))
        st = add_fault(p, FORM_NO_FIELD, 0, why.text);
    bt_experiment_free(x);
    bt_str_free(&text);
    bt_str_free(&value);
    return st;
}

/* Makes a blamed option acceptable, so that the next complaint can be heard: its default, and if that is blamed too, some value. */
static enum bt_status appease(struct bt_experiment *x, const struct bt_option *o)
{
    if (x->set[bt_option_index(o)]) return bt_experiment_reset(x, o, NULL);
    return bt_experiment_set(x, o->key, o->kind == BT_OPTION_INT ? "1" : "\"?\"", NULL);
}

static enum bt_status between_fields(struct form_page *p)
{
    struct bt_experiment *copy = NULL;
    unsigned blamed[BT_OPTIONS] = {0};
    const struct bt_option *at = NULL;
    struct bt_error why;
    enum bt_status st = bt_experiment_copy(p->x, &copy, NULL);
    if (!st) free(copy->path);
    if (!st) copy->path = NULL; /* messages without the file's name */
    while (!st && bt_experiment_validate(copy, &at, &why) && at && blamed[bt_option_index(at)] < 2) {
        size_t i = bt_option_index(at);
        blamed[i]++;
        if (!p->field[i].fault) {
            p->field[i].fault = bt_strdup(without_key(why.text, at->key));
            st = p->field[i].fault ? add_fault(p, i, p->x->line[i], p->field[i].fault) : BT_NOMEM;
        }
        if (appease(copy, at)) break;
        at = NULL;
    }
    bt_experiment_free(copy);
    return st;
}

enum bt_status form_read(struct form_page *p, const char *text, size_t n, const char *path,
                         struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    bool strange = false;
    const char *name = path ? path : "experiment";
    if (bt_experiment_new(&p->x, err)) return BT_NOMEM;
    p->text = bt_strndup(text, n);
    p->n = n;
    p->x->path = bt_strdup(path);
    if (!p->text || (path && !p->x->path)) return no_memory(err);
    struct bt_yaml *root = bt_yaml_parse(text, n, name, &why);
    if (!root || root->kind != BT_YAML_MAP) {
        bt_yaml_free(root);
        p->broken = bt_strdup(root ? "the file holds no groups of options (model:, data:, …)" : why.text);
        return p->broken && !add_fault(p, FORM_NO_FIELD, 0, p->broken) ? BT_OK : no_memory(err);
    }
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < root->n && !st; i++)
        st = read_group(p, root->keys[i]->text, root->items[i], &strange);
    bt_yaml_free(root);
    if (!st && strange) st = strange_keys(p, name);
    if (!st) st = between_fields(p);
    return st ? no_memory(err) : BT_OK;
}
