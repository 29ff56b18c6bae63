/* Reading and writing JSON.
 *
 * Reading: a tree that the root owns; values are borrowed until bt_json_free(root). Every accessor takes NULL (a
 * missing member) and answers with NULL, 0 or the fallback, so that look-ups chain. Duplicate keys, nesting deeper
 * than 256, invalid UTF-8, lone surrogates and trailing text are errors with line and column. An integer beyond 64 bits is read as a real.
 * Writing: a small streaming writer into a struct bt_str; commas and escapes are its business. */
#ifndef BERTTY_JSON_H
#define BERTTY_JSON_H

#include <bertty/str.h>
#include <stdint.h>

struct bt_json; /* a value */

enum bt_json_kind {
    BT_JSON_NULL,
    BT_JSON_BOOL,
    BT_JSON_INT,
    BT_JSON_REAL,
    BT_JSON_STRING,
    BT_JSON_ARRAY,
    BT_JSON_OBJECT
};

/* Parses n bytes; name is used in error messages. NULL on failure. */
struct bt_json *bt_json_parse(const char *text, size_t n, const char *name, struct bt_error *err);
/* Reads and parses a regular file of at most max_bytes. NULL on failure. */
struct bt_json *bt_json_load(const char *path, size_t max_bytes, struct bt_error *err);
void bt_json_free(struct bt_json *root);

enum bt_json_kind bt_json_kind(const struct bt_json *v);                          /* NULL → BT_JSON_NULL */
const struct bt_json *bt_json_get(const struct bt_json *object, const char *key); /* NULL if absent */
const struct bt_json *bt_json_at(const struct bt_json *array, size_t i);
size_t bt_json_len(const struct bt_json *v);                             /* members of array or object */
const char *bt_json_text(const struct bt_json *v, const char *fallback); /* string, else the fallback */
const char *bt_json_textn(const struct bt_json *v,
                          size_t *n); /* string with its length (may hold NUL), else NULL */
double bt_json_number(const struct bt_json *v, double fallback); /* int or real */
int64_t bt_json_int(const struct bt_json *v, int64_t fallback);  /* int only */
bool bt_json_bool(const struct bt_json *v, bool fallback);
/* Members of an object in file order: for (it = bt_json_first(o); it; it = bt_json_next(o, it)) … */
const void *bt_json_first(const struct bt_json *object);
const void *bt_json_next(const struct bt_json *object, const void *it);
const char *bt_json_key(const void *it);
const struct bt_json *bt_json_value(const void *it);

/* The writer. Zero-initialise with BT_JSON_WRITER(&str); depth at most 32. */
struct bt_json_writer {
    struct bt_str *out;
    unsigned depth;
    bool comma[33]; /* a comma is due before the next member at this depth */
    bool after_key;
};
#define BT_JSON_WRITER(str) ((struct bt_json_writer){.out = (str)})

void bt_jw_object(struct bt_json_writer *w); /* { */
void bt_jw_array(struct bt_json_writer *w);  /* [ */
void bt_jw_end_object(struct bt_json_writer *w);
void bt_jw_end_array(struct bt_json_writer *w);
void bt_jw_key(struct bt_json_writer *w, const char *key);
void bt_jw_text(struct bt_json_writer *w, const char *text); /* NULL → null; invalid UTF-8 → U+FFFD */
void bt_jw_textn(struct bt_json_writer *w, const char *text, size_t n);
void bt_jw_int(struct bt_json_writer *w, int64_t v);
void bt_jw_num(struct bt_json_writer *w, double v);  /* shortest that reads back the same; NaN/Inf → null */
void bt_jw_float(struct bt_json_writer *w, float v); /* shortest that reads back the same float */
void bt_jw_bool(struct bt_json_writer *w, bool v);
void bt_jw_null(struct bt_json_writer *w);
void bt_jw_value(struct bt_json_writer *w,
                 const struct bt_json *v); /* one that was read; what lies deeper than 30 shows as "…" */
void bt_jw_members(struct bt_json_writer *w,
                   const struct bt_json *object); /* of an object, into the one that is being written */
/* key + value in one call */
void bt_jw_ktext(struct bt_json_writer *w, const char *key, const char *text);
void bt_jw_kint(struct bt_json_writer *w, const char *key, int64_t v);
void bt_jw_knum(struct bt_json_writer *w, const char *key, double v);
void bt_jw_kbool(struct bt_json_writer *w, const char *key, bool v);

#endif
