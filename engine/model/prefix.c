#include "model/prefix.h"

#include "model/pass_internal.h"
#include "model/trainable.h"
#include <stdlib.h>
#include <string.h>

struct bt__prefix {
    int layer, hidden;
    size_t n;
    const size_t *start; /* [n + 1] */
    bool *known;         /* [n] */
    float *x;            /* [start[n], H]: input of the layer */
    size_t size;         /* floats of x */
};

int bt__prefix_layer(const struct bt__model *m)
{
    const struct bt__trainable t = bt__params_trainable(&m->params);
    const int last = m->config.num_hidden_layers - 1;
    if (t.embeddings) return 0;
    return t.first_layer < last ? t.first_layer : last;
}

bool bt__prefix_drops(const struct bt__model *m)
{
    return m->config.hidden_dropout_prob > 0.0f || m->config.attention_probs_dropout_prob > 0.0f;
}

size_t bt__prefix_bytes(const struct bt__model *m, size_t tokens, size_t n)
{
    return tokens * (size_t)m->config.hidden_size * sizeof(float) + n * sizeof(bool);
}

enum bt_status bt__prefix_create(const struct bt__model *m, const size_t *start, size_t n,
                                 struct bt__prefix **out, struct bt_error *err)
{
    struct bt__prefix *x = calloc(1, sizeof *x);
    if (x) {
        *x = (struct bt__prefix){.layer = bt__prefix_layer(m),
                                 .hidden = m->config.hidden_size,
                                 .n = n,
                                 .start = start,
                                 .known = calloc(n + 1, sizeof *x->known)};
        x->size = start[n] * (size_t)x->hidden;
        x->x = bt__floats_alloc(x->size);
    }
    if (!x || !x->known || !x->x) {
        bt__prefix_free(x);
        return bt_fail(err, BT_NOMEM, "no memory for what the frozen layers make of %zu sequences", n);
    }
    *out = x;
    return BT_OK;
}

void bt__prefix_free(struct bt__prefix *x)
{
    if (!x) return;
    bt__floats_free(x->x, x->size);
    free(x->known);
    free(x);
}

void bt__pass_use_prefix(struct bt__pass *p, struct bt__prefix *x)
{
    p->prefix = x;
}

int bt__prefix_kept(const struct bt__pass *p)
{
    return p->prefix && !(p->training && bt__prefix_drops(p->m)) ? p->prefix->layer : 0;
}

/* Sequence i of the batch: its rows of the prefix, and how many floats they are. */
static float *rows_of(const struct bt__pass *p, int i, size_t *n)
{
    const struct bt__prefix *x = p->prefix;
    const size_t source = (size_t)p->batch->source[i];
    *n = (x->start[source + 1] - x->start[source]) * (size_t)x->hidden;
    return x->x + x->start[source] * (size_t)x->hidden;
}

bool bt__prefix_load(struct bt__pass *p)
{
    size_t n;
    for (int i = 0; i < p->batch->n; i++)
        if (!p->prefix->known[p->batch->source[i]]) return false;
    for (int i = 0; i < p->batch->n; i++) {
        const float *from = rows_of(p, i, &n);
        memcpy(p->x0 + bt__at(p->batch->start[i], p->prefix->hidden), from, n * sizeof *from);
    }
    return true;
}

void bt__prefix_store(struct bt__pass *p, const float *x)
{
    size_t n;
    for (int i = 0; i < p->batch->n; i++) {
        float *to = rows_of(p, i, &n);
        memcpy(to, x + bt__at(p->batch->start[i], p->prefix->hidden), n * sizeof *to);
        p->prefix->known[p->batch->source[i]] = true;
    }
}
