#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/slices.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 20, MOST_NAME = 60 };

static char *path_of(const char *runs_dir)
{
    return bt_path_join(runs_dir, "slices.json");
}

static bool add(struct bt_slices *s, const char *name, const char *expression)
{
    struct bt_slice *more = realloc(s->item, (s->n + 1) * sizeof *more);
    if (!more) return false;
    s->item = more;
    struct bt_slice *x = &more[s->n++];
    *x = (struct bt_slice){.name = bt_strdup(name), .expression = bt_strdup(expression)};
    return x->name && x->expression;
}

static enum bt_status take(const struct bt_json *v, const char *path, struct bt_slices *out,
                           struct bt_error *err)
{
    if (bt_json_kind(v) != BT_JSON_OBJECT)
        return bt_fail(err, BT_INVALID, "%s: expected an object with an expression for each name", path);
    for (const void *it = bt_json_first(v); it; it = bt_json_next(v, it)) {
        const char *expression = bt_json_text(bt_json_value(it), NULL);
        if (!expression)
            return bt_fail(err, BT_INVALID, "%s: slice %s: expected a text, an expression", path,
                           bt_json_key(it));
        if (!add(out, bt_json_key(it), expression)) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    }
    return BT_OK;
}

enum bt_status bt_slices_load(const char *runs_dir, struct bt_slices *out, struct bt_error *err)
{
    char *path = path_of(runs_dir);
    enum bt_status status = path ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for slices");
    *out = (struct bt_slices){.n = 0};
    if (path && bt_path_exists(path)) {
        struct bt_json *v = bt_json_load(path, MOST_BYTES, err);
        status = v ? take(v, path, out, err) : err ? err->status : BT_INVALID;
        bt_json_free(v);
    }
    free(path);
    if (status != BT_OK) bt_slices_clear(out);
    return status;
}

void bt_slices_clear(struct bt_slices *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->item[i].name);
        free(s->item[i].expression);
    }
    free(s->item);
    *s = (struct bt_slices){.n = 0};
}

const char *bt_slices_find(const struct bt_slices *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->item[i].name, name) == 0) return s->item[i].expression;
    return NULL;
}

static enum bt_status check_name(const char *name, struct bt_error *err)
{
    struct bt_str clean = {0};
    bt_text_clean(&clean, name, strlen(name));
    bool same = strcmp(bt_str_text(&clean), name) == 0;
    bt_str_free(&clean);
    if (same && *name && strlen(name) <= MOST_NAME) return BT_OK;
    return bt_fail(err, BT_INVALID,
                   "slice '%s': expected a name of at most %d bytes without control characters", name,
                   MOST_NAME);
}

static void write_all(const struct bt_slices *s, const char *name, const char *expression, struct bt_str *out)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bool there = false;
    bt_jw_object(&w);
    for (size_t i = 0; i < s->n; i++) {
        bool this = strcmp(s->item[i].name, name) == 0;
        if (!this || expression) bt_jw_ktext(&w, s->item[i].name, this ? expression : s->item[i].expression);
        there |= this;
    }
    if (!there && expression) bt_jw_ktext(&w, name, expression);
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
}

enum bt_status bt_slices_save(const char *runs_dir, const char *name, const char *expression,
                              struct bt_error *err)
{
    struct bt_slices s;
    struct bt_str text = {0};
    struct bt_error own = {0};
    enum bt_status status = expression ? check_name(name, &own) : BT_OK;
    if (status == BT_OK) status = bt_slices_load(runs_dir, &s, &own);
    if (status != BT_OK) {
        if (err) *err = own;
        return status;
    }
    if (!expression && !bt_slices_find(&s, name))
        status = bt_fail(err, BT_NOTFOUND, "there is no slice '%s'", name);
    char *path = path_of(runs_dir);
    write_all(&s, name, expression, &text);
    if (status == BT_OK && (text.failed || !path)) status = bt_fail(err, BT_NOMEM, "no memory for slices");
    if (status == BT_OK) status = bt_file_write_atomic(path, text.data, text.len, err);
    free(path);
    bt_str_free(&text);
    bt_slices_clear(&s);
    return status;
}
