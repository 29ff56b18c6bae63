#include "formats/adapter.h"

#include "formats/hf_dir.h"
#include "formats/safetensors.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* peft's names of everything begin so. */
static const char prefix[] = "base_model.model.";

static enum bt_status no_memory(const char *dir, struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "%s: no memory for its adapters", dir);
}

/* ── which parameter goes where ── */

/* Of the base "….query.weight" the adapter's "….query.lora_A.weight". */
static const struct bt__param *part_of(const struct bt__params *p, const struct bt__param *base,
                                       const char *part)
{
    char name[sizeof base->name + 8];
    size_t n = strlen(base->name), end = sizeof ".weight" - 1;
    if (n < end || strcmp(base->name + n - end, ".weight") != 0) return NULL;
    snprintf(name, sizeof name, "%.*s.%s.weight", (int)(n - end), base->name, part);
    const struct bt__param *found = bt__params_find(p, name);
    return found && found->adapter ? found : NULL;
}

bool bt__adapter_of(const struct bt__params *p, const struct bt__param *base, const struct bt__param **a,
                    const struct bt__param **b)
{
    *a = base->adapter ? NULL : part_of(p, base, "lora_A");
    *b = base->adapter ? NULL : part_of(p, base, "lora_B");
    return *a && *b;
}

static bool adapted(const struct bt__params *p, const struct bt__param *q)
{
    const struct bt__param *a, *b;
    return bt__adapter_of(p, q, &a, &b);
}

/* What the adapter's file holds: all that is trained, and the pooler, which the base may not have. */
static bool goes_along(const struct bt__params *p, const struct bt__param *q)
{
    return q->adapter || ((!q->frozen || q->head || q->optional) && !adapted(p, q));
}

static bool has_adapters(const struct bt__params *p)
{
    return p->n > 0 && p->item[p->n - 1].adapter;
}

void bt__adapter_merge(const struct bt__model_config *c, const struct bt__params *p, const float *w,
                       const struct bt__param *base, float *to)
{
    const struct bt__param *a, *b;
    const float scale = c->lora.alpha / (float)c->lora.r;
    memcpy(to, w + base->offset, base->count * sizeof *to);
    if (!bt__adapter_of(p, base, &a, &b)) return;
    for (int row = 0; row < base->rows; row++)
        for (int k = 0; k < a->rows; k++) {
            const float f = scale * w[b->offset + (size_t)row * (size_t)b->cols + (size_t)k];
            const float *from = w + a->offset + (size_t)k * (size_t)a->cols;
            float *at = to + (size_t)row * (size_t)base->cols;
            for (int i = 0; i < base->cols; i++) at[i] += f * from[i];
        }
}

/* ── the settings ── */

static void write_list(struct bt_json_writer *w, const char *key, const struct bt_str *names)
{
    bt_jw_key(w, key);
    bt_jw_array(w);
    for (const char *at = bt_str_text(names); *at; at += strcspn(at, "\n") + 1) {
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\n"), at);
        bt_jw_text(w, name);
    }
    bt_jw_end_array(w);
}

/* "classifier", "pooler", or the module that a parameter belongs to; each once, a line each. */
static void add_module(struct bt_str *names, const struct bt__param *q)
{
    const char *bare = strncmp(q->name, "bert.", 5) == 0 ? q->name + 5 : q->name, *last = strrchr(bare, '.');
    size_t n = q->head || q->optional ? strcspn(bare, ".") : last ? (size_t)(last - bare) : strlen(bare);
    for (const char *at = bt_str_text(names); *at; at += strcspn(at, "\n") + 1)
        if (strcspn(at, "\n") == n && strncmp(at, bare, n) == 0) return;
    bt_str_addf(names, "%.*s\n", (int)n, bare);
}

static const char *task_type(const struct bt__model_config *c)
{
    static const struct {
        const char *architecture, *type;
    } types[] = {{.architecture = "BertForSequenceClassification", .type = "SEQ_CLS"},
                 {.architecture = "BertForTokenClassification", .type = "TOKEN_CLS"},
                 {.architecture = "BertForQuestionAnswering", .type = "QUESTION_ANS"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].architecture, c->architecture) == 0) return types[i].type;
    return NULL;
}

static void write_layers(struct bt_json_writer *w, const struct bt__model_config *c)
{
    if (c->lora.first_layer == 0) return;
    bt_jw_key(w, "layers_to_transform");
    bt_jw_array(w);
    for (int l = c->lora.first_layer; l < c->num_hidden_layers; l++) bt_jw_int(w, l);
    bt_jw_end_array(w);
    bt_jw_ktext(w, "layers_pattern", "layer");
}

static void write_settings(struct bt_json_writer *w, const struct bt__model_config *c,
                           const struct bt__params *p, const char *base)
{
    struct bt_str targets = {.len = 0}, modules = {.len = 0};
    for (int kind = 0; kind < BT__LORA_KINDS; kind++)
        if (c->lora.targets >> kind & 1)
            bt_str_addf(&targets, "%s\n", bt__lora_base(c, (enum bt__lora_kind)kind).name);
    for (size_t i = 0; i < p->n; i++)
        if (!p->item[i].adapter && goes_along(p, &p->item[i])) add_module(&modules, &p->item[i]);
    bt_jw_object(w);
    bt_jw_ktext(w, "peft_type", "LORA");
    bt_jw_ktext(w, "task_type", task_type(c));
    bt_jw_ktext(w, "base_model_name_or_path", base);
    bt_jw_kint(w, "r", c->lora.r);
    bt_jw_knum(w, "lora_alpha", (double)c->lora.alpha);
    bt_jw_key(w, "lora_dropout");
    bt_jw_float(w, c->lora.dropout);
    write_list(w, "target_modules", &targets);
    write_list(w, "modules_to_save", &modules);
    write_layers(w, c);
    bt_jw_ktext(w, "bias", "none");
    bt_jw_kbool(w, "fan_in_fan_out", false);
    bt_jw_kbool(w, "inference_mode", true);
    bt_jw_end_object(w);
    w->out->failed = w->out->failed || targets.failed || modules.failed;
    bt_str_free(&targets);
    bt_str_free(&modules);
}

/* ── writing ── */

/* The language model's head is one module to peft: its file needs the decoder too, which is tied to other parameters. */
static const struct {
    const char *name, *tied_to;
} tied[] = {{.name = "cls.predictions.decoder.weight", .tied_to = "bert.embeddings.word_embeddings.weight"},
            {.name = "cls.predictions.decoder.bias", .tied_to = "cls.predictions.bias"}};
enum { TIED = sizeof tied / sizeof *tied };

static const struct bt__param *tied_to(const struct bt__params *p, size_t i)
{
    return bt__params_find(p, "cls.predictions.bias") ? bt__params_find(p, tied[i].tied_to) : NULL;
}

static struct bt__tensor_out tensor_of(const struct bt__param *q, const float *w, const char *name)
{
    return (struct bt__tensor_out){.name = name,
                                   .rank = q->rank,
                                   .shape = {q->rank == 2 ? q->rows : q->cols, q->cols},
                                   .data = w + q->offset};
}

typedef bool choose_fn(const struct bt__params *p, const struct bt__param *q);

static enum bt_status save_some(const char *dir, const char *file, const struct bt__params *p, const float *w,
                                choose_fn *choose, const char *before, struct bt_error *err)
{
    struct bt__tensor_out *t = calloc(p->n + TIED, sizeof *t);
    char **names = calloc(p->n + TIED, sizeof *names), *path = bt_path_join(dir, file);
    size_t n = 0;
    bool ok = t && names && path;
    for (size_t i = 0; ok && i < p->n; i++) {
        const struct bt__param *q = &p->item[i];
        if (!choose(p, q)) continue;
        names[n] = bt_strfmt("%s%s", before, q->name);
        t[n] = tensor_of(q, w, names[n]);
        ok = names[n++] != NULL;
    }
    for (size_t i = 0; ok && choose == goes_along && i < TIED; i++) {
        if (!tied_to(p, i)) continue;
        names[n] = bt_strfmt("%s%s", before, tied[i].name);
        t[n] = tensor_of(tied_to(p, i), w, names[n]);
        ok = names[n++] != NULL;
    }
    enum bt_status st = ok ? bt__safetensors_write(path, t, n, err) : no_memory(dir, err);
    for (size_t i = 0; names && i < n; i++) free(names[i]);
    free(names);
    free(path);
    free(t);
    return st;
}

enum bt_status bt__adapter_save(const char *dir, const struct bt__model_config *c, const struct bt__params *p,
                                const float *w, const char *base, struct bt_error *err)
{
    if (!has_adapters(p)) return BT_OK;
    struct bt_str text = {.len = 0};
    struct bt_json_writer j = BT_JSON_WRITER(&text);
    write_settings(&j, c, p, base);
    enum bt_status st = bt__hf_put(dir, BT__ADAPTER_SETTINGS, &text, err);
    if (!st) st = save_some(dir, BT__ADAPTER_WEIGHTS, p, w, goes_along, prefix, err);
    return st ? st : save_some(dir, BT__ADAPTER_BASE, p, w, adapted, "", err);
}

size_t bt__adapter_bytes(const struct bt__params *p)
{
    size_t floats = 0;
    for (size_t i = 0; has_adapters(p) && i < p->n; i++)
        if (goes_along(p, &p->item[i]) || adapted(p, &p->item[i])) floats += p->item[i].count;
    for (size_t i = 0; has_adapters(p) && i < TIED; i++)
        if (tied_to(p, i)) floats += tied_to(p, i)->count;
    return floats * sizeof(float);
}

/* ── reading ── */

static enum bt_status load_one(const struct bt__safetensors *s, const char *path, const char *before,
                               const struct bt__param *q, float *to, struct bt_error *err)
{
    char name[sizeof q->name + sizeof prefix];
    snprintf(name, sizeof name, "%s%s", before, q->name);
    ptrdiff_t at = bt__safetensors_find(s, name);
    if (at < 0) return bt_fail(err, BT_DAMAGED, "%s: no tensor %s", path, name);
    const struct bt__tensor_info *t = bt__safetensors_at(s, (size_t)at);
    if (t->rank != q->rank || t->shape[0] != (q->rank == 2 ? q->rows : q->cols) ||
        t->shape[q->rank - 1] != q->cols)
        return bt_fail(err, BT_DAMAGED, "%s: tensor %s has %zu elements in another shape, expected [%d, %d]",
                       path, name, t->count, q->rows, q->cols);
    return bt__safetensors_read_f32(s, (size_t)at, to, 1, err);
}

static enum bt_status load_some(const char *dir, const char *file, const struct bt__params *p, float *w,
                                choose_fn *choose, const char *before, struct bt_error *err)
{
    struct bt__safetensors *s = NULL;
    char *path = bt_path_join(dir, file);
    enum bt_status st = path ? bt__safetensors_open(path, &s, err) : no_memory(dir, err);
    for (size_t i = 0; !st && i < p->n; i++)
        if (choose(p, &p->item[i])) st = load_one(s, path, before, &p->item[i], w + p->item[i].offset, err);
    bt__safetensors_close(s);
    free(path);
    return st;
}

enum bt_status bt__adapter_load(const char *dir, const struct bt__params *p, float *w, struct bt_error *err)
{
    if (!has_adapters(p)) return BT_OK;
    enum bt_status st = load_some(dir, BT__ADAPTER_WEIGHTS, p, w, goes_along, prefix, err);
    return st ? st : load_some(dir, BT__ADAPTER_BASE, p, w, adapted, "", err);
}
