/* Reading YAML into a tree that knows where everything stood.
 *
 * One document; scalars stay text (whoever knows the option types them). Nesting deeper than 64, aliases and anchors,
 * tags, duplicate keys and more than max_bytes are errors with line and column (counted from 1). The root owns the tree. */
#ifndef BERTTY_YAML_H
#define BERTTY_YAML_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>

enum bt_yaml_kind { BT_YAML_SCALAR, BT_YAML_LIST, BT_YAML_MAP };

struct bt_yaml {
    enum bt_yaml_kind kind;
    char *text;             /* scalar: its value, NUL-terminated, no NUL inside; else NULL */
    bool quoted;            /* scalar written with quotes or as a block: "null" is then a word, not null */
    bool flow;              /* list or map written as [a, b] or {a: b} */
    unsigned line, column;  /* where the value starts */
    size_t begin, end;      /* byte offsets of the value in the file */
    size_t n;               /* items of a list, members of a map */
    struct bt_yaml **items; /* values, n of them */
    struct bt_yaml **keys;  /* map: scalars, n of them; else NULL */
};

/* NULL on failure; an empty document is an empty map. */
struct bt_yaml *bt_yaml_parse(const char *text, size_t n, const char *name, struct bt_error *err);
struct bt_yaml *bt_yaml_load(const char *path, size_t max_bytes, struct bt_error *err);
void bt_yaml_free(struct bt_yaml *root);
const struct bt_yaml *bt_yaml_get(const struct bt_yaml *map,
                                  const char *key); /* NULL if absent or map is NULL */
/* Plain and one of: empty, ~, null, Null, NULL */
bool bt_yaml_is_null(const struct bt_yaml *v);

#endif
