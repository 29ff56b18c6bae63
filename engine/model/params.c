#include "model/params.h"

#include <bertty/str.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16 /* floats: 64 bytes */ };

struct shape {
    const char *name;
    int rows, cols; /* rows 0: rank 1 */
    bool glued;     /* directly after the one before: query, key and value form one matrix */
};

static void add(struct bt__params *p, const char *prefix, const struct shape *s, int layer)
{
    struct bt__param *q = &p->item[p->n++];
    if (!s->glued) p->total = (p->total + ALIGN - 1) / ALIGN * ALIGN;
    snprintf(q->name, sizeof q->name, "%s%s", prefix, s->name);
    q->rank = s->rows ? 2 : 1;
    q->rows = s->rows ? s->rows : 1;
    q->cols = s->cols;
    q->count = (size_t)q->rows * (size_t)q->cols;
    q->offset = p->total;
    q->layer = layer;
    q->decay = !strstr(s->name, "bias") && !strstr(s->name, "LayerNorm");
    p->total += q->count;
}

static void add_all(struct bt__params *p, const char *prefix, const struct shape *s, size_t n, int layer)
{
    for (size_t i = 0; i < n; i++) add(p, prefix, &s[i], layer);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void add_embeddings(struct bt__params *p, const struct bt__model_config *c)
{
    const int h = c->hidden_size;
    const struct shape s[] = {
        {.name = "word_embeddings.weight", .rows = c->vocab_size, .cols = h},
        {.name = "position_embeddings.weight", .rows = c->max_position_embeddings, .cols = h},
        {.name = "token_type_embeddings.weight", .rows = c->type_vocab_size, .cols = h},
        {.name = "LayerNorm.weight", .cols = h},
        {.name = "LayerNorm.bias", .cols = h}};
    add_all(p, "bert.embeddings.", s, COUNT(s), -1);
}

static void add_layer(struct bt__params *p, const struct bt__model_config *c, int layer)
{
    const int h = c->hidden_size, f = c->intermediate_size;
    const struct shape s[] = {{.name = "attention.self.query.weight", .rows = h, .cols = h},
                              {.name = "attention.self.key.weight", .rows = h, .cols = h, .glued = true},
                              {.name = "attention.self.value.weight", .rows = h, .cols = h, .glued = true},
                              {.name = "attention.self.query.bias", .cols = h},
                              {.name = "attention.self.key.bias", .cols = h, .glued = true},
                              {.name = "attention.self.value.bias", .cols = h, .glued = true},
                              {.name = "attention.output.dense.weight", .rows = h, .cols = h},
                              {.name = "attention.output.dense.bias", .cols = h},
                              {.name = "attention.output.LayerNorm.weight", .cols = h},
                              {.name = "attention.output.LayerNorm.bias", .cols = h},
                              {.name = "intermediate.dense.weight", .rows = f, .cols = h},
                              {.name = "intermediate.dense.bias", .cols = f},
                              {.name = "output.dense.weight", .rows = h, .cols = f},
                              {.name = "output.dense.bias", .cols = h},
                              {.name = "output.LayerNorm.weight", .cols = h},
                              {.name = "output.LayerNorm.bias", .cols = h}};
    char prefix[64];
    snprintf(prefix, sizeof prefix, "bert.encoder.layer.%d.", layer);
    add_all(p, prefix, s, COUNT(s), layer);
}

static void add_pooler(struct bt__params *p, const struct bt__model_config *c)
{
    const int h = c->hidden_size;
    const struct shape s[] = {{.name = "dense.weight", .rows = h, .cols = h},
                              {.name = "dense.bias", .cols = h}};
    size_t first = p->n;
    add_all(p, "bert.pooler.", s, COUNT(s), c->num_hidden_layers);
    for (size_t i = first; i < p->n; i++) p->item[i].optional = true;
}

static void add_lm_head(struct bt__params *p, const struct bt__model_config *c, const char *prefix)
{
    const int h = c->hidden_size;
    const struct shape s[] = {{.name = "transform.dense.weight", .rows = h, .cols = h},
                              {.name = "transform.dense.bias", .cols = h},
                              {.name = "transform.LayerNorm.weight", .cols = h},
                              {.name = "transform.LayerNorm.bias", .cols = h},
                              {.name = "bias", .cols = c->vocab_size}};
    add_all(p, prefix, s, COUNT(s), c->num_hidden_layers);
}

static void add_head(struct bt__params *p, const struct bt__model_config *c, const struct bt__head_spec *head)
{
    const struct shape s[] = {{.name = "weight", .rows = head->outputs, .cols = c->hidden_size},
                              {.name = "bias", .cols = head->outputs}};
    char prefix[64];
    if (head->kind == BT__HEAD_POOLED) add_pooler(p, c);
    size_t first = p->n;
    snprintf(prefix, sizeof prefix, "%s.", head->name);
    if (head->kind == BT__HEAD_MLM)
        add_lm_head(p, c, prefix);
    else
        add_all(p, prefix, s, COUNT(s), c->num_hidden_layers);
    for (size_t i = first; i < p->n; i++) p->item[i].head = true;
}

struct bt__lora_base bt__lora_base(const struct bt__model_config *c, enum bt__lora_kind kind)
{
    static const char *const names[] = {
        [BT__LORA_QUERY] = "attention.self.query", [BT__LORA_KEY] = "attention.self.key",
        [BT__LORA_VALUE] = "attention.self.value", [BT__LORA_OUT] = "attention.output.dense",
        [BT__LORA_UP] = "intermediate.dense",      [BT__LORA_DOWN] = "output.dense"};
    return (struct bt__lora_base){.name = names[kind],
                                  .rows = kind == BT__LORA_UP ? c->intermediate_size : c->hidden_size,
                                  .cols = kind == BT__LORA_DOWN ? c->intermediate_size : c->hidden_size};
}

static void add_adapter(struct bt__params *p, const struct bt__model_config *c, int layer,
                        enum bt__lora_kind kind)
{
    const struct bt__lora_base base = bt__lora_base(c, kind);
    const struct shape s[] = {{.name = ".lora_A.weight", .rows = c->lora.r, .cols = base.cols},
                              {.name = ".lora_B.weight", .rows = base.rows, .cols = c->lora.r}};
    char prefix[64];
    snprintf(prefix, sizeof prefix, "bert.encoder.layer.%d.%s", layer, base.name);
    size_t first = p->n;
    add_all(p, prefix, s, COUNT(s), layer);
    for (size_t i = first; i < p->n; i++) p->item[i].adapter = true;
}

static void add_adapters(struct bt__params *p, const struct bt__model_config *c)
{
    for (int l = c->lora.first_layer; c->lora.r > 0 && l < c->num_hidden_layers; l++)
        for (int kind = 0; kind < BT__LORA_KINDS; kind++)
            if (c->lora.targets >> kind & 1) add_adapter(p, c, l, (enum bt__lora_kind)kind);
}

enum bt_status bt__params_build(struct bt__params *p, const struct bt__model_config *c,
                                const struct bt__head_spec *head, struct bt_error *err)
{
    size_t n = 5 + (16 + 2 * BT__LORA_KINDS) * (size_t)c->num_hidden_layers + 5;
    *p = (struct bt__params){.item = calloc(n, sizeof *p->item)};
    if (!p->item) return bt_fail(err, BT_NOMEM, "no memory for a table of %zu parameters", n);
    add_embeddings(p, c);
    for (int l = 0; l < c->num_hidden_layers; l++) add_layer(p, c, l);
    add_head(p, c, head);
    add_adapters(p, c);
    p->total = (p->total + ALIGN - 1) / ALIGN * ALIGN;
    return BT_OK;
}

void bt__params_free(struct bt__params *p)
{
    free(p->item);
    *p = (struct bt__params){.n = 0};
}

/* Offsets rise. */
const struct bt__param *bt__params_at(const struct bt__params *p, size_t offset)
{
    size_t low = 0, high = p->n;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        *(p->item[mid].offset <= offset ? &low : &high) = mid;
    }
    return &p->item[low];
}

const struct bt__param *bt__params_find(const struct bt__params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->item[i].name, name) == 0) return &p->item[i];
    return NULL;
}
