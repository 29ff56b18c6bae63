#include "formats/peft.h"

#include "formats/hub.h"
#include <bertty/file.h>
#include <bertty/hub.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 16 << 20, MOST_LABELS = 1 << 20 };

static bool there(const char *dir, const char *file)
{
    char *path = bt_path_join(dir, file);
    const bool is = path && bt_path_exists(path);
    free(path);
    return is;
}

bool bt__peft_is(const char *dir)
{
    return there(dir, BT__PEFT_SETTINGS);
}

/* ── what is refused ── */

/* Fields of peft's LoraConfig that make an adapter something else than products beside matrices. */
static const char *const foreign[] = {"use_dora",          "use_qalora",
                                      "use_bdlora",        "lora_bias",
                                      "layer_replication", "alora_invocation_tokens",
                                      "target_parameters", "trainable_token_indices",
                                      "kasa_config",       "arrow_config",
                                      "monteclora_config"};
/* Ways to draw an adapter that leave the base as it was. The others (pissa, olora, loftq, …) change it. */
static const char *const harmless[] = {"gaussian", "eva", "orthogonal"};

static bool is_set(const struct bt_json *v)
{
    switch (bt_json_kind(v)) {
    case BT_JSON_NULL:
        return false;
    case BT_JSON_BOOL:
        return bt_json_bool(v, false);
    case BT_JSON_ARRAY:
    case BT_JSON_OBJECT:
        return bt_json_len(v) > 0;
    default:
        return true;
    }
}

static bool draws_alone(const struct bt_json *v)
{
    const char *name = bt_json_text(v, NULL);
    for (size_t i = 0; name && i < sizeof harmless / sizeof *harmless; i++)
        if (strcmp(name, harmless[i]) == 0) return true;
    return !name;
}

/* A pattern is a regular expression to peft; names with dots are all that is read here. */
static bool is_plain_pattern(const char *key)
{
    return !key[strcspn(key, "^$*+?()[]{}|\\")];
}

static enum bt_status check_patterns(const struct bt__peft *p, struct bt_error *err)
{
    const struct bt_json *map = bt_json_get(p->root, "alpha_pattern");
    for (const void *it = bt_json_first(map); it; it = bt_json_next(map, it)) {
        if (!is_plain_pattern(bt_json_key(it)))
            return bt_fail(err, BT_UNSUPPORTED,
                           "%s: alpha_pattern: \"%.60s\" is a regular expression, expected the end of a name",
                           p->path, bt_json_key(it));
        if (!isfinite(bt_json_number(bt_json_value(it), (double)NAN)))
            return bt_fail(err, BT_INVALID, "%s: alpha_pattern: %.60s is not a number", p->path,
                           bt_json_key(it));
    }
    return BT_OK;
}

static enum bt_status check(const struct bt__peft *p, struct bt_error *err)
{
    const char *type = bt_json_text(bt_json_get(p->root, "peft_type"), "");
    const struct bt_json *drawn = bt_json_get(p->root, "init_lora_weights");
    if (bt_json_kind(p->root) != BT_JSON_OBJECT)
        return bt_fail(err, BT_INVALID, "%s: not a JSON object", p->path);
    if (strcmp(type, "LORA") != 0)
        return bt_fail(err, BT_UNSUPPORTED, "%s: peft_type \"%.40s\", expected LORA", p->path, type);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (is_set(bt_json_get(p->root, foreign[i])))
            return bt_fail(err, BT_UNSUPPORTED,
                           "%s: %s is set: only plain LoRA can be merged, expected it null or false", p->path,
                           foreign[i]);
    if (!draws_alone(drawn))
        return bt_fail(err, BT_UNSUPPORTED,
                       "%s: init_lora_weights \"%.40s\" changes the base too, expected true or gaussian",
                       p->path, bt_json_text(drawn, ""));
    return check_patterns(p, err);
}

/* ── the base ── */

static const char base_field[] = "base_model_name_or_path";

static const char *base_of(const struct bt__peft *p)
{
    return bt_json_text(bt_json_get(p->root, base_field), "");
}

/* The base's name, with its revision if it is the hub's; the caller frees. NULL: no memory. */
static char *full_name(const struct bt__peft *p)
{
    const char *name = base_of(p), *revision = bt_json_text(bt_json_get(p->root, "revision"), NULL);
    const bool dated = revision && bt_hub_is_name(name) && !strchr(name, '@') && !bt_path_exists(name);
    return dated ? bt_strfmt("%s@%s", name, revision) : bt_strdup(name);
}

/* A directory from where we are, as peft takes it; one beside the adapter; a name in the cache. */
static enum bt_status locate(const char *dir, const struct bt__peft *p, char **base, struct bt_error *err)
{
    const char *name = base_of(p);
    if (name[0] != '/' && !bt_path_exists(name)) {
        char *beside = bt_strfmt("%s/%s", dir, name);
        if (beside && bt_path_exists(beside)) {
            *base = beside;
            return BT_OK;
        }
        free(beside);
    }
    char *full = full_name(p);
    if (!full) return bt_fail(err, BT_NOMEM, "no memory for a name");
    enum bt_status st = bt_hub_find(full, base, err);
    free(full);
    return st;
}

static enum bt_status find_base(const char *dir, struct bt__peft *p, struct bt_error *err)
{
    if (!base_of(p)[0])
        return bt_fail(err, BT_INVALID, "%s: no %s, expected the base model: a directory or a name", p->path,
                       base_field);
    enum bt_status st = locate(dir, p, &p->base, err);
    if (st) return bt_error_prefix(err, st, "%s: %s", p->path, base_field);
    if (bt__peft_is(p->base))
        return bt_fail(err, BT_UNSUPPORTED, "%s: %s: %s is an adapter itself, expected a whole model",
                       p->path, base_field, p->base);
    return BT_OK;
}

static enum bt_status read_settings(const char *dir, struct bt__peft *p, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    *p = (struct bt__peft){.path = bt_path_join(dir, BT__PEFT_SETTINGS)};
    if (!p->path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    p->root = bt_json_load(p->path, LARGEST, &why);
    return p->root ? check(p, err) : bt_fail(err, why.status, "%s", why.text);
}

enum bt_status bt__peft_open(const char *dir, struct bt__peft *p, struct bt_error *err)
{
    enum bt_status st = read_settings(dir, p, err);
    if (!st) st = find_base(dir, p, err);
    if (st) {
        bt__peft_close(p);
        return st;
    }
    p->alpha = bt_json_number(bt_json_get(p->root, "lora_alpha"), 8.0);
    p->rank_stabilised = bt_json_bool(bt_json_get(p->root, "use_rslora"), false);
    return BT_OK;
}

enum bt_status bt__peft_base(const char *dir, char **found, char **name, struct bt_error *err)
{
    struct bt__peft p;
    *found = *name = NULL;
    enum bt_status st = read_settings(dir, &p, err);
    if (!st) st = find_base(dir, &p, err);
    if (st == BT_NOTFOUND && bt_hub_is_name(base_of(&p))) {
        *name = full_name(&p);
        st = *name ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a name");
    } else if (!st) {
        *found = p.base;
        p.base = NULL;
    }
    bt__peft_close(&p);
    return st;
}

void bt__peft_close(struct bt__peft *p)
{
    bt_json_free(p->root);
    free(p->path);
    free(p->base);
    *p = (struct bt__peft){.path = NULL};
}

/* The whole of name, or what stands behind one of its dots. */
static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return m <= n && strcmp(name + n - m, end) == 0 && (m == n || name[n - m - 1] == '.');
}

double bt__peft_scale(const struct bt__peft *p, const char *matrix, int64_t r)
{
    const struct bt_json *map = bt_json_get(p->root, "alpha_pattern");
    double alpha = p->alpha;
    for (const void *it = bt_json_first(map); it; it = bt_json_next(map, it))
        if (ends_with(matrix, bt_json_key(it))) {
            alpha = bt_json_number(bt_json_value(it), alpha);
            break;
        }
    return alpha / (p->rank_stabilised ? sqrt((double)r) : (double)r);
}

enum bt_status bt__peft_where(const char *dir, const char *file, const char *or_file, char **found,
                              struct bt_error *err)
{
    struct bt__peft p;
    *found = NULL;
    if (!bt__peft_is(dir) || there(dir, file) || there(dir, or_file)) {
        *found = bt_strdup(dir);
        return *found ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    }
    enum bt_status st = bt__peft_open(dir, &p, err);
    if (st) return st;
    *found = p.base;
    p.base = NULL;
    bt__peft_close(&p);
    return BT_OK;
}

/* ── the configuration ── */

static const struct {
    const char *task_type, *head, *architecture;
} kinds[] = {
    {.task_type = "SEQ_CLS", .head = "classifier.weight", .architecture = "BertForSequenceClassification"},
    {.task_type = "TOKEN_CLS", .head = "classifier.weight", .architecture = "BertForTokenClassification"},
    {.task_type = "QUESTION_ANS", .head = "qa_outputs.weight", .architecture = "BertForQuestionAnswering"}};

static enum bt_status rename_labels(struct bt__model_config *c, int n, const char *path, struct bt_error *err)
{
    char **names = calloc((size_t)n, sizeof *names);
    bool ok = names != NULL;
    for (int i = 0; ok && i < n; i++) ok = (names[i] = bt_strfmt("LABEL_%d", i)) != NULL;
    for (int i = 0; c->label_names && i < c->num_labels; i++) free(c->label_names[i]);
    free(c->label_names);
    c->label_names = names;
    c->num_labels = names ? n : 0;
    c->problem_type[0] = '\0';
    return ok ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for %d labels", path, n);
}

static int64_t rows_of(const struct bt__weights *w, const char *name)
{
    const ptrdiff_t at = bt__weights_find(w, name);
    const struct bt__tensor_info *t = at < 0 ? NULL : bt__weights_at(w, (size_t)at);
    return t && t->rank == 2 ? t->shape[0] : 0;
}

static enum bt_status adjust(const struct bt__peft *p, const struct bt__weights *w,
                             struct bt__model_config *c, struct bt_error *err)
{
    static const char *const words[] = {"bert.embeddings.word_embeddings.weight",
                                        "embeddings.word_embeddings.weight"};
    const char *type = bt_json_text(bt_json_get(p->root, "task_type"), NULL);
    for (size_t i = 0; i < 2; i++) {
        const int64_t rows = rows_of(w, words[i]);
        if (rows > 0 && rows <= INT32_MAX) c->vocab_size = (int)rows;
    }
    size_t k = 0;
    while (k < sizeof kinds / sizeof *kinds &&
           (type ? strcmp(type, kinds[k].task_type) != 0 : !rows_of(w, kinds[k].head)))
        k++;
    if (k == sizeof kinds / sizeof *kinds) return BT_OK;
    const bool named = type || strstr(c->architecture, "Classification") == NULL;
    if (named) snprintf(c->architecture, sizeof c->architecture, "%s", kinds[k].architecture);
    const int64_t n = strcmp(kinds[k].head, "classifier.weight") == 0 ? rows_of(w, kinds[k].head) : 0;
    if (n <= 0 || n > MOST_LABELS || n == c->num_labels) return BT_OK;
    return rename_labels(c, (int)n, p->path, err);
}

enum bt_status bt__peft_config(const char *dir, struct bt__model_config *c, struct bt_error *err)
{
    struct bt__peft p;
    struct bt__weights *w = NULL;
    enum bt_status st = bt__peft_open(dir, &p, err);
    if (st) return st;
    st = bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, err);
    if (!st) st = adjust(&p, w, c, err);
    bt__weights_close(w);
    bt__peft_close(&p);
    return st;
}

const char *bt__peft_plain(const char *name, char *to, size_t size)
{
    static const char prefix[] = "base_model.model.", wrapped[] = ".base_layer";
    const size_t n = sizeof prefix - 1;
    const char *bare = strncmp(name, prefix, n) == 0 ? name + n : name, *cut = strstr(bare, wrapped);
    if (cut)
        snprintf(to, size, "%.*s%s", (int)(cut - bare), bare, cut + sizeof wrapped - 1);
    else
        snprintf(to, size, "%s", bare);
    return to;
}
