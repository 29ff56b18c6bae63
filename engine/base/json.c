#include <bertty/json.h>

#include <bertty/file.h>
#include <bertty/num.h>
#include <bertty/text.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 256 };

static const json_t *in(const struct bt_json *v)
{
    return (const json_t *)(const void *)v;
}

static const struct bt_json *out(const json_t *v)
{
    return (const struct bt_json *)(const void *)v;
}

static bool too_deep(const json_t *v, int depth)
{
    if (depth > DEEPEST) return true;
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_object(v)) {
        json_object_foreach((json_t *)(uintptr_t)v, key, member)
        {
            if (too_deep(member, depth + 1)) return true;
        }
    }
    if (json_is_array(v)) {
        json_array_foreach(v, i, member)
        {
            if (too_deep(member, depth + 1)) return true;
        }
    }
    return false;
}

/* Length of the integer literal at text[0 … n), or 0 if it is none or fits. */
static size_t too_wide(const char *text, size_t n)
{
    size_t digits = text[0] == '-', from = digits;
    while (digits < n && text[digits] >= '0' && text[digits] <= '9') digits++;
    if (digits - from < 19 || (digits < n && strchr(".eE", text[digits]) && text[digits])) return 0;
    char literal[32];
    int64_t fits;
    if (digits >= sizeof literal) return digits;
    memcpy(literal, text, digits);
    literal[digits] = '\0';
    return bt_parse_int64(literal, &fits) ? 0 : digits;
}

/* The text with ".0" behind every integer beyond 64 bits: transformers writes model_max_length as 10³⁰. */
static void widen(const char *text, size_t n, struct bt_str *wide)
{
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (!quoted && (text[i] == '-' || (text[i] >= '0' && text[i] <= '9'))) {
            size_t number = too_wide(text + i, n - i), end = i;
            while (end < n && text[end] && strchr("+-.eE0123456789", text[end])) end++;
            bt_str_addn(wide, text + i, end - i);
            if (number) bt_str_add(wide, ".0");
            i = end - 1;
            continue;
        }
        if (text[i] == '"') quoted = !quoted;
        size_t escape = quoted && text[i] == '\\' && i + 1 < n;
        bt_str_addn(wide, text + i, 1 + escape);
        i += escape;
    }
}

static json_t *parse(const char *text, size_t n, json_error_t *why)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *root = json_loadb(text, n, flags, why);
    if (root || json_error_code(why) != json_error_numeric_overflow) return root;
    struct bt_str wide = {.len = 0};
    widen(text, n, &wide);
    if (!wide.failed) root = json_loadb(wide.data, wide.len, flags, why);
    bt_str_free(&wide);
    return root;
}

/* The string literal that ends at text[end − 1], for a message; "" if there is none. */
static const char *literal_before(const char *text, size_t n, size_t end, size_t *length)
{
    size_t begin = end < 2 || end > n || text[end - 1] != '"' ? end : end - 2;
    while (begin > 0 && begin < end && !(text[begin] == '"' && text[begin - 1] != '\\')) begin--;
    *length = begin < end && text[begin] == '"' ? end - begin : 0;
    return text + end - *length;
}

static void complain(const char *text, size_t n, const char *name, const json_error_t *why,
                     struct bt_error *err)
{
    enum json_error_code code = json_error_code(why);
    size_t length = 0;
    const char *key = "";
    if (code == json_error_duplicate_key && why->position > 0) /* jansson does not tell which */
        key = literal_before(text, n, (size_t)why->position, &length);
    bt_fail(err, code == json_error_out_of_memory ? BT_NOMEM : BT_INVALID,
            "%s:%d:%d: not valid JSON: %s%s%.*s", name, why->line, why->column, why->text, length ? " " : "",
            length < 120 ? (int)length : 120, key);
}

struct bt_json *bt_json_parse(const char *text, size_t n, const char *name, struct bt_error *err)
{
    json_error_t why;
    json_t *root = parse(text, n, &why);
    if (!root) {
        complain(text, n, name, &why, err);
        return NULL;
    }
    if (too_deep(root, 0)) {
        json_decref(root);
        bt_fail(err, BT_INVALID, "%s: JSON nested deeper than %d", name, DEEPEST);
        return NULL;
    }
    return (struct bt_json *)(void *)root;
}

struct bt_json *bt_json_load(const char *path, size_t max_bytes, struct bt_error *err)
{
    char *data;
    size_t n;
    if (bt_file_read(path, max_bytes, &data, &n, err)) return NULL;
    size_t skip = n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct bt_json *root = bt_json_parse(data + skip, n - skip, path, err);
    free(data);
    return root;
}

void bt_json_free(struct bt_json *root)
{
    json_decref((json_t *)(void *)root);
}

enum bt_json_kind bt_json_kind(const struct bt_json *v)
{
    if (!v) return BT_JSON_NULL;
    switch (json_typeof(in(v))) {
    case JSON_OBJECT:
        return BT_JSON_OBJECT;
    case JSON_ARRAY:
        return BT_JSON_ARRAY;
    case JSON_STRING:
        return BT_JSON_STRING;
    case JSON_INTEGER:
        return BT_JSON_INT;
    case JSON_REAL:
        return BT_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return BT_JSON_BOOL;
    default:
        return BT_JSON_NULL;
    }
}

const struct bt_json *bt_json_get(const struct bt_json *object, const char *key)
{
    return out(json_object_get(in(object), key));
}

const struct bt_json *bt_json_at(const struct bt_json *array, size_t i)
{
    return out(json_array_get(in(array), i));
}

size_t bt_json_len(const struct bt_json *v)
{
    return json_is_object(in(v)) ? json_object_size(in(v)) : json_array_size(in(v));
}

const char *bt_json_text(const struct bt_json *v, const char *fallback)
{
    const char *text = json_string_value(in(v));
    return text ? text : fallback;
}

const char *bt_json_textn(const struct bt_json *v, size_t *n)
{
    *n = json_string_length(in(v));
    return json_string_value(in(v));
}

double bt_json_number(const struct bt_json *v, double fallback)
{
    return json_is_number(in(v)) ? json_number_value(in(v)) : fallback;
}

int64_t bt_json_int(const struct bt_json *v, int64_t fallback)
{
    return json_is_integer(in(v)) ? (int64_t)json_integer_value(in(v)) : fallback;
}

bool bt_json_bool(const struct bt_json *v, bool fallback)
{
    return json_is_boolean(in(v)) ? json_is_true(in(v)) : fallback;
}

const void *bt_json_first(const struct bt_json *object)
{
    return json_object_iter((json_t *)(uintptr_t)object);
}

const void *bt_json_next(const struct bt_json *object, const void *it)
{
    return json_object_iter_next((json_t *)(uintptr_t)object, (void *)(uintptr_t)it);
}

const char *bt_json_key(const void *it)
{
    return json_object_iter_key((void *)(uintptr_t)it);
}

const struct bt_json *bt_json_value(const void *it)
{
    return out(json_object_iter_value((void *)(uintptr_t)it));
}
