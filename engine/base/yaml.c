#include <bertty/yaml.h>

#include <bertty/file.h>
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEEPEST = 64 };

struct reader {
    yaml_parser_t parser;
    const char *name;
    const char *text;       /* n bytes */
    size_t n, chars, bytes; /* a known pair of offsets: in code points as libyaml counts, and in bytes */
    struct bt_error *err;
    enum bt_status status;
};

/* Byte offset of the code point that libyaml counts as number index. */
static size_t byte_at(struct reader *r, size_t index)
{
    if (index < r->chars) r->chars = r->bytes = 0;
    while (r->chars < index && r->bytes < r->n) {
        do r->bytes++;
        while (r->bytes < r->n && ((unsigned char)r->text[r->bytes] & 0xc0) == 0x80);
        r->chars++;
    }
    return r->bytes;
}

static void complain(struct reader *r, const yaml_mark_t *at, enum bt_status status, const char *what)
{
    if (r->status) return;
    r->status = bt_fail(r->err, status, "%s:%zu:%zu: %s", r->name, at->line + 1, at->column + 1, what);
}

/* libyaml says where it was and what it was doing; NULL marks are its way of saying nothing. */
static void parser_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        r->status = bt_fail(r->err, BT_NOMEM, "%s: no memory", r->name);
    } else if (p->error == YAML_READER_ERROR) {
        r->status = bt_fail(r->err, BT_INVALID, "%s: byte %zu: %s", r->name, p->problem_offset, p->problem);
    } else {
        struct bt_str text = {.data = NULL};
        bt_str_addf(&text, "%s%s%s", p->problem ? p->problem : "not valid YAML", p->context ? ", " : "",
                    p->context ? p->context : "");
        complain(r, &p->problem_mark, BT_INVALID, bt_str_text(&text));
        bt_str_free(&text);
    }
}

static struct bt_yaml *node(struct reader *r, enum bt_yaml_kind kind, const yaml_event_t *e)
{
    struct bt_yaml *v = calloc(1, sizeof *v);
    if (!v) {
        complain(r, &e->start_mark, BT_NOMEM, "no memory");
        return NULL;
    }
    v->kind = kind;
    v->line = (unsigned)e->start_mark.line + 1;
    v->column = (unsigned)e->start_mark.column + 1;
    v->begin = byte_at(r, e->start_mark.index);
    v->end = byte_at(r, e->end_mark.index);
    return v;
}

void bt_yaml_free(struct bt_yaml *v)
{
    if (!v) return;
    for (size_t i = 0; i < v->n; i++) {
        if (v->items) bt_yaml_free(v->items[i]);
        if (v->keys) bt_yaml_free(v->keys[i]);
    }
    free(v->items);
    free(v->keys);
    free(v->text);
    free(v);
}

/* Next event; false when the parser fails or the file uses what is not allowed. */
static bool next(struct reader *r, yaml_event_t *e)
{
    if (r->status) return false;
    if (!yaml_parser_parse(&r->parser, e)) {
        parser_error(r);
        return false;
    }
    if (e->type == YAML_ALIAS_EVENT)
        complain(r, &e->start_mark, BT_INVALID, "aliases (*name) are not supported");
    bool anchor = (e->type == YAML_SCALAR_EVENT && e->data.scalar.anchor) ||
                  (e->type == YAML_SEQUENCE_START_EVENT && e->data.sequence_start.anchor) ||
                  (e->type == YAML_MAPPING_START_EVENT && e->data.mapping_start.anchor);
    bool tag = (e->type == YAML_SCALAR_EVENT && e->data.scalar.tag) ||
               (e->type == YAML_SEQUENCE_START_EVENT && e->data.sequence_start.tag) ||
               (e->type == YAML_MAPPING_START_EVENT && e->data.mapping_start.tag);
    if (anchor) complain(r, &e->start_mark, BT_INVALID, "anchors (&name) are not supported");
    if (tag) complain(r, &e->start_mark, BT_INVALID, "tags (!name) are not supported");
    if (!r->status) return true;
    yaml_event_delete(e);
    return false;
}

static struct bt_yaml *scalar(struct reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    if (memchr(text, '\0', e->data.scalar.length)) {
        complain(r, &e->start_mark, BT_INVALID, "a NUL character in a value");
        return NULL;
    }
    struct bt_yaml *v = node(r, BT_YAML_SCALAR, e);
    if (!v) return NULL;
    v->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    v->text = bt_strndup(text, e->data.scalar.length);
    if (v->text) return v;
    complain(r, &e->start_mark, BT_NOMEM, "no memory");
    bt_yaml_free(v);
    return NULL;
}

static struct bt_yaml *value(struct reader *r, yaml_event_t *e, int depth);

/* Makes room for one more member. */
static bool extend(struct reader *r, struct bt_yaml *v, const yaml_event_t *e)
{
    if (v->n & (v->n - 1)) return true; /* room is doubled at powers of two */
    size_t cap = v->n ? v->n * 2 : 1;
    struct bt_yaml **items = realloc(v->items, cap * sizeof *items);
    if (items) v->items = items;
    struct bt_yaml **keys = v->kind == BT_YAML_MAP ? realloc(v->keys, cap * sizeof *keys) : NULL;
    if (keys) v->keys = keys;
    if (items && (keys || v->kind != BT_YAML_MAP)) return true;
    complain(r, &e->start_mark, BT_NOMEM, "no memory");
    return false;
}

static bool key_is_new(struct reader *r, const struct bt_yaml *v, const struct bt_yaml *key,
                       const yaml_mark_t *at)
{
    for (size_t i = 0; i < v->n; i++) {
        if (strcmp(v->keys[i]->text, key->text) != 0) continue;
        struct bt_str text = {.data = NULL};
        bt_str_addf(&text, "key \"%s\" stands here again, first in line %u", key->text, v->keys[i]->line);
        complain(r, at, BT_INVALID, bt_str_text(&text));
        bt_str_free(&text);
        return false;
    }
    return true;
}

/* Reads one key of a map; NULL at the end or on failure. */
static struct bt_yaml *read_key(struct reader *r, const struct bt_yaml *map, yaml_event_t *e)
{
    struct bt_yaml *key = NULL;
    if (e->type != YAML_SCALAR_EVENT)
        complain(r, &e->start_mark, BT_INVALID, "a key must be a plain word");
    else
        key = scalar(r, e);
    if (key && !key_is_new(r, map, key, &e->start_mark)) {
        bt_yaml_free(key);
        key = NULL;
    }
    return key;
}

/* Members up to the closing event, whose place ends v. */
static void members(struct reader *r, struct bt_yaml *v, int depth)
{
    yaml_event_t e;
    while (next(r, &e)) {
        bool end = e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT;
        if (end) v->end = byte_at(r, e.end_mark.index);
        struct bt_yaml *key = NULL, *item = NULL;
        if (!end && extend(r, v, &e)) {
            if (v->kind == BT_YAML_MAP) {
                key = read_key(r, v, &e);
                yaml_event_delete(&e);
                if (!key || !next(r, &e)) {
                    bt_yaml_free(key);
                    return;
                }
            }
            item = value(r, &e, depth);
        }
        yaml_event_delete(&e);
        if (!item) {
            bt_yaml_free(key);
            return;
        }
        if (key) v->keys[v->n] = key;
        v->items[v->n++] = item;
    }
}

static struct bt_yaml *value(struct reader *r, yaml_event_t *e, int depth)
{
    if (e->type == YAML_SCALAR_EVENT) return scalar(r, e);
    if (depth > DEEPEST) { /* at once: libyaml's scanner takes quadratic time for all of it */
        complain(r, &e->start_mark, BT_INVALID, "nested deeper than 64");
        return NULL;
    }
    bool map = e->type == YAML_MAPPING_START_EVENT;
    struct bt_yaml *v = node(r, map ? BT_YAML_MAP : BT_YAML_LIST, e);
    if (!v) return NULL;
    v->flow = map ? e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                  : e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    members(r, v, depth + 1);
    if (!r->status) return v;
    bt_yaml_free(v);
    return NULL;
}

static struct bt_yaml *document(struct reader *r)
{
    struct bt_yaml *root = NULL;
    yaml_event_t e;
    while (next(r, &e)) {
        yaml_event_type_t type = e.type;
        bool content = type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                       type == YAML_MAPPING_START_EVENT;
        if (content && root) complain(r, &e.start_mark, BT_INVALID, "a second document, expected one");
        if (content && !root) root = value(r, &e, 1);
        yaml_event_delete(&e);
        if (type == YAML_STREAM_END_EVENT) break;
    }
    if (!r->status && !root) {
        root = calloc(1, sizeof *root);
        if (root)
            *root = (struct bt_yaml){.kind = BT_YAML_MAP, .line = 1, .column = 1};
        else
            r->status = bt_fail(r->err, BT_NOMEM, "%s: no memory", r->name);
    }
    if (!r->status) return root;
    bt_yaml_free(root);
    return NULL;
}

struct bt_yaml *bt_yaml_parse(const char *text, size_t n, const char *name, struct bt_error *err)
{
    struct reader r = {.name = name, .text = text, .n = n, .err = err};
    if (!yaml_parser_initialize(&r.parser)) {
        bt_fail(err, BT_NOMEM, "%s: no memory", name);
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    struct bt_yaml *root = document(&r);
    yaml_parser_delete(&r.parser);
    return root;
}

struct bt_yaml *bt_yaml_load(const char *path, size_t max_bytes, struct bt_error *err)
{
    char *data;
    size_t n;
    if (bt_file_read(path, max_bytes, &data, &n, err)) return NULL;
    struct bt_yaml *root = bt_yaml_parse(data, n, path, err);
    free(data);
    return root;
}

const struct bt_yaml *bt_yaml_get(const struct bt_yaml *map, const char *key)
{
    for (size_t i = 0; map && map->kind == BT_YAML_MAP && i < map->n; i++)
        if (strcmp(map->keys[i]->text, key) == 0) return map->items[i];
    return NULL;
}

bool bt_yaml_is_null(const struct bt_yaml *v)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (!v || v->kind != BT_YAML_SCALAR || v->quoted) return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(v->text, nulls[i]) == 0) return true;
    return false;
}
