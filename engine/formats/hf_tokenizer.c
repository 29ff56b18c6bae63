/* The tokenizer's files of a model directory, copied; where the experiment decided about case or accents itself, the copies say so. */
#include "formats/hf_dir.h"
#include "formats/peft.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/tokenizer.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 30, DEEPEST = 30 };

static enum bt_status put(const char *dir, const char *name, const void *data, size_t n, struct bt_error *err)
{
    char *path = bt_path_join(dir, name);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    enum bt_status st = bt_file_write_atomic(path, data, n, err);
    free(path);
    return st;
}

enum bt_status bt__hf_put(const char *dir, const char *name, struct bt_str *text, struct bt_error *err)
{
    bt_str_addc(text, '\n');
    enum bt_status st = text->failed ? bt_fail(err, BT_NOMEM, "%s/%s: no memory", dir, name)
                                     : put(dir, name, text->data, text->len, err);
    bt_str_free(text);
    return st;
}

/* *found: the file was there. */
static enum bt_status copy(const char *from, const char *to, const char *name, bool *found,
                           struct bt_error *err)
{
    char *data, *path = bt_path_join(from, name);
    size_t n;
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", from);
    *found = bt_path_exists(path);
    enum bt_status st = *found ? bt_file_read(path, LARGEST, &data, &n, err) : BT_OK;
    if (*found && !st) {
        st = put(to, name, data, n, err);
        free(data);
    }
    free(path);
    return st;
}

/* The pieces of tokenizer.json's vocabulary in the order of their numbers, a line each. */
static enum bt_status vocabulary_from_json(const char *from, const char *to, struct bt_error *err)
{
    char *path = bt_path_join(from, "tokenizer.json");
    struct bt_json *root = path ? bt_json_load(path, LARGEST, err) : NULL;
    free(path);
    if (!root) return path ? (err ? err->status : BT_INVALID) : bt_fail(err, BT_NOMEM, "%s: no memory", from);
    const struct bt_json *vocab = bt_json_get(bt_json_get(root, "model"), "vocab");
    size_t n = bt_json_len(vocab);
    const char **piece = calloc(n + 1, sizeof *piece);
    for (const void *it = bt_json_first(vocab); it && piece; it = bt_json_next(vocab, it)) {
        int64_t id = bt_json_int(bt_json_value(it), -1);
        if (id >= 0 && (size_t)id < n) piece[id] = bt_json_key(it);
    }
    struct bt_str text = {.data = NULL, .failed = !piece};
    for (size_t i = 0; piece && i < n; i++) {
        bt_str_add(&text, piece[i] ? piece[i] : "[unused]");
        if (i + 1 < n) bt_str_addc(&text, '\n');
    }
    enum bt_status st = bt__hf_put(to, "vocab.txt", &text, err);
    free(piece);
    bt_json_free(root);
    return st;
}

static enum bt_status write_tokenizer_config(const char *dir, bool do_lower_case, struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "tokenizer_class", "BertTokenizer");
    bt_jw_kbool(&w, "do_lower_case", do_lower_case);
    bt_jw_end_object(&w);
    return bt__hf_put(dir, "tokenizer_config.json", &text, err);
}

/* ── what the experiment decided ── */

/* Writes a value again; in a BertNormalizer and in tokenizer_config.json (root) the decided flags take the place of the old ones. */
struct rewrite {
    struct bt_json_writer w;
    const struct bt__hf_case *letters;
    const char *lower_key; /* "lowercase" or "do_lower_case" */
    bool too_deep;
};

static void write_flag(struct rewrite *r, const char *key, int flag)
{
    if (flag >= 0) bt_jw_kbool(&r->w, key, flag);
}

static void write_value(struct rewrite *r, const struct bt_json *v, bool decided);

static bool replaced(const struct rewrite *r, const char *key)
{
    return (strcmp(key, r->lower_key) == 0 && r->letters->do_lower_case >= 0) ||
           (strcmp(key, "strip_accents") == 0 && r->letters->strip_accents >= 0);
}

static void write_object(struct rewrite *r, const struct bt_json *v, bool decided)
{
    bool here = decided || strcmp(bt_json_text(bt_json_get(v, "type"), ""), "BertNormalizer") == 0;
    bt_jw_object(&r->w);
    for (const void *it = bt_json_first(v); it; it = bt_json_next(v, it)) {
        if (here && replaced(r, bt_json_key(it))) continue;
        bt_jw_key(&r->w, bt_json_key(it));
        write_value(r, bt_json_value(it), false);
    }
    if (here) write_flag(r, r->lower_key, r->letters->do_lower_case);
    if (here) write_flag(r, "strip_accents", r->letters->strip_accents);
    bt_jw_end_object(&r->w);
}

static void write_array(struct rewrite *r, const struct bt_json *v)
{
    bt_jw_array(&r->w);
    for (size_t i = 0; i < bt_json_len(v); i++) write_value(r, bt_json_at(v, i), false);
    bt_jw_end_array(&r->w);
}

static void write_value(struct rewrite *r, const struct bt_json *v, bool decided)
{
    size_t n;
    const char *text;
    if (r->w.depth >= DEEPEST) {
        r->too_deep = true;
        bt_jw_null(&r->w);
        return;
    }
    switch (bt_json_kind(v)) {
    case BT_JSON_NULL:
        bt_jw_null(&r->w);
        break;
    case BT_JSON_BOOL:
        bt_jw_bool(&r->w, bt_json_bool(v, false));
        break;
    case BT_JSON_INT:
        bt_jw_int(&r->w, bt_json_int(v, 0));
        break;
    case BT_JSON_REAL:
        bt_jw_num(&r->w, bt_json_number(v, 0.0));
        break;
    case BT_JSON_STRING:
        text = bt_json_textn(v, &n);
        bt_jw_textn(&r->w, text, n);
        break;
    case BT_JSON_ARRAY:
        write_array(r, v);
        break;
    case BT_JSON_OBJECT:
        write_object(r, v, decided);
        break;
    }
}

static enum bt_status rewrite(const char *dir, const char *name, const char *lower_key, bool decided,
                              const struct bt__hf_case *letters, struct bt_error *err)
{
    char *path = bt_path_join(dir, name);
    struct bt_error why = {.status = BT_NOMEM, .text = "no memory for a name"};
    struct bt_json *root = path ? bt_json_load(path, LARGEST, &why) : NULL;
    free(path);
    if (!root) return bt_fail(err, why.status, "%s", why.text);
    struct bt_str text = {.data = NULL};
    struct rewrite r = {.w = BT_JSON_WRITER(&text), .letters = letters, .lower_key = lower_key};
    write_value(&r, root, decided);
    bt_json_free(root);
    if (!r.too_deep) return bt__hf_put(dir, name, &text, err);
    bt_str_free(&text);
    return bt_fail(err, BT_UNSUPPORTED, "%s/%s: nested deeper than %d", dir, name, DEEPEST);
}

static enum bt_status tokenizer_dir(const char *dir, char **found, struct bt_error *err)
{
    return bt__peft_where(dir, "tokenizer.json", "vocab.txt", found, err);
}

enum bt_status bt_tokenizer_of_model(const char *dir, const struct bt_tokenizer_options *opt,
                                     struct bt_tokenizer **out, struct bt_error *err)
{
    char *where;
    *out = NULL;
    enum bt_status st = tokenizer_dir(dir, &where, err);
    if (st) return st;
    st = bt_tokenizer_load(where, opt, out, err);
    free(where);
    return st;
}

static enum bt_status save_from(const char *dir, const char *from, const struct bt__hf_case *letters,
                                struct bt_error *err)
{
    const bool decided = letters->do_lower_case >= 0 || letters->strip_accents >= 0;
    bool vocab, json, config, special;
    enum bt_status st = copy(from, dir, "vocab.txt", &vocab, err);
    if (!st) st = copy(from, dir, "tokenizer.json", &json, err);
    if (!st) st = copy(from, dir, "tokenizer_config.json", &config, err);
    if (!st) st = copy(from, dir, "special_tokens_map.json", &special, err);
    if (!st && !vocab) st = vocabulary_from_json(from, dir, err);
    if (!st && !config) st = write_tokenizer_config(dir, letters->lower_case, err);
    if (!st && decided && json) st = rewrite(dir, "tokenizer.json", "lowercase", false, letters, err);
    if (!st && decided) st = rewrite(dir, "tokenizer_config.json", "do_lower_case", true, letters, err);
    return st;
}

enum bt_status bt__hf_save_tokenizer(const char *dir, const char *model, const struct bt__hf_case *letters,
                                     struct bt_error *err)
{
    char *from;
    enum bt_status st = tokenizer_dir(model, &from, err);
    if (st) return st;
    st = save_from(dir, from, letters, err);
    free(from);
    return st;
}
