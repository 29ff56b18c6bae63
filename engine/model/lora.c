/* Adapters of low rank in a pass: the narrow sides, their gradients, and what they add to the products beside them. */
#include "model/pass_internal.h"

static struct bt__dropout drop_of(const struct bt__pass *p, int layer, enum bt__lora_kind kind)
{
    return bt__pass_mask(p, (enum bt__stream)(BT__STREAM_DROP_LORA + (int)kind), layer,
                         p->m->config.lora.dropout);
}

static float scale_of(const struct bt__pass *p)
{
    return p->m->config.lora.alpha / (float)p->m->config.lora.r;
}

static struct bt__narrow narrow_of(const struct bt__pass *p, const struct bt__lora_use *use)
{
    return (struct bt__narrow){.kernels = p->k,
                               .rows = use->rows,
                               .r = p->m->config.lora.r,
                               .scale = scale_of(p),
                               .scratch = p->scratch};
}

void bt__lora_forward(struct bt__pass *p, int layer, const struct bt__lora_use *use, int n,
                      struct bt__lora_side *side)
{
    struct bt__narrow narrow[3];
    struct bt__job jobs[3];
    side->n = 0;
    for (int i = 0, begin = 0; i < n; i++) {
        const enum bt__lora_kind kind = use[i].kind;
        const struct bt__lora_base base = bt__lora_base(&p->m->config, kind);
        const struct bt__layer_at *at = &p->m->layer[layer];
        if (bt__lora_has(p, layer, kind)) {
            struct bt__narrow *t = &narrow[side->n];
            *t = narrow_of(p, &use[i]);
            t->k = t->ldx = base.cols;
            t->x = use[i].x;
            t->a = p->m->w + at->lora_a[kind];
            t->u = p->layer[layer].low[kind];
            t->drop = drop_of(p, layer, kind);
            side->add[side->n] = (struct bt__low_rank){.r = t->r,
                                                       .narrow = t->u,
                                                       .wide = p->m->w + at->lora_b[kind],
                                                       .begin = begin,
                                                       .cols = base.rows};
            jobs[side->n++] = bt__job_narrow(t);
        }
        begin += base.rows;
    }
    if (side->n) bt__run_jobs(p->pool, p->panels, jobs, side->n);
}

void bt__lora_backward(struct bt__pass *p, int layer, const struct bt__lora_use *use, int n,
                       struct bt__lora_side *side)
{
    struct bt__narrow narrow[3];
    struct bt__job jobs[3];
    side->n = 0;
    for (int i = 0; i < n; i++) {
        const enum bt__lora_kind kind = use[i].kind;
        const struct bt__layer_at *at = &p->m->layer[layer];
        if (!bt__lora_has(p, layer, kind)) continue;
        struct bt__narrow *t = &narrow[side->n];
        *t = narrow_of(p, &use[i]);
        t->k = bt__lora_base(&p->m->config, kind).rows;
        t->x = use[i].dy;
        t->ldx = use[i].lddy;
        t->a = p->m->w + at->lora_b[kind];
        t->back = true;
        t->u = p->dlow[kind];
        side->add[side->n] = (struct bt__low_rank){
            .r = t->r, .narrow = t->u, .wide = p->m->w + at->lora_a[kind], .drop = drop_of(p, layer, kind)};
        jobs[side->n++] = bt__job_narrow(t);
    }
    if (side->n) bt__run_jobs(p->pool, p->panels, jobs, side->n);
}

void bt__lora_weights(struct bt__pass *p, int layer, const struct bt__lora_use *use, int n, bool first)
{
    struct bt__linear_weight w[6];
    struct bt__job jobs[6];
    const int r = p->m->config.lora.r;
    int count = 0;
    for (int i = 0; i < n && !p->limits.inputs; i++) {
        const enum bt__lora_kind kind = use[i].kind;
        const struct bt__lora_base base = bt__lora_base(&p->m->config, kind);
        const struct bt__layer_at *at = &p->m->layer[layer];
        if (!bt__lora_has(p, layer, kind)) continue;
        struct bt__linear_weight *a = &w[count], *b = &w[count + 1];
        *a = bt__weight_grad(p, &p->k->fp32, use[i].rows, r, base.cols, p->dlow[kind], use[i].x,
                             at->lora_a[kind], first);
        a->drop = drop_of(p, layer, kind);
        *b = bt__weight_grad(p, &p->k->fp32, use[i].rows, base.rows, r, use[i].dy, p->layer[layer].low[kind],
                             at->lora_b[kind], first);
        b->lddy = use[i].lddy;
        jobs[count++] = bt__job_linear_weight(a);
        jobs[count++] = bt__job_linear_weight(b);
    }
    if (count) bt__run_jobs(p->pool, p->panels, jobs, count);
}
