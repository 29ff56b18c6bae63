/* One vector for each row: the last layer's at [CLS], or the mean over the tokens. */
#include "explain/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const bt_vector_poolings[] = {[BT_VECTOR_AUTO] = "auto",
                                          [BT_VECTOR_CLS] = "cls",
                                          [BT_VECTOR_MEAN] = "mean",
                                          [BT_VECTOR_POOLINGS] = NULL};

struct bt_vectors *bt__vectors_new(size_t n, int hidden)
{
    struct bt_vectors *v = calloc(1, sizeof *v);
    if (v)
        *v = (struct bt_vectors){.n = n, .hidden = hidden, .v = calloc(n * (size_t)hidden + 1, sizeof *v->v)};
    if (v && v->v) return v;
    bt_vectors_free(v);
    return NULL;
}

void bt_vectors_free(struct bt_vectors *v)
{
    if (!v) return;
    free(v->v);
    free(v);
}

static enum bt_vector_pooling settled(const struct bt_predictor *p, enum bt_vector_pooling wish)
{
    if (wish != BT_VECTOR_AUTO) return wish;
    return p->m->head.kind == BT__HEAD_POOLED && !p->untrained ? BT_VECTOR_CLS : BT_VECTOR_MEAN;
}

/* ── passes ── */

struct encoding {
    const struct bt_vectors_spec *spec;
    const struct bt__task_data *d;
    struct bt_vectors *v;
    size_t sequences;
};

static void take(void *ctx, const struct bt__pass *pass, const struct bt__batch *b)
{
    struct encoding *w = ctx;
    const size_t h = (size_t)w->v->hidden;
    const float *hidden = bt__pass_hidden(pass);
    for (int i = 0; i < b->n; i++) {
        float *to = w->v->v + bt__task_example_of(w->d, (size_t)b->source[i]) * h;
        const int from = b->read_start[i], end = b->read_start[i + 1];
        for (int r = from; r < end; r++)
            for (size_t c = 0; c < h; c++) to[c] += hidden[(size_t)r * h + c] / (float)(end - from);
    }
    w->sequences += (size_t)b->n;
    if (w->spec->progress) w->spec->progress(w->spec->ctx, w->sequences * w->d->n / w->d->f.n, w->d->n);
}

static bool go_on(void *ctx)
{
    const struct encoding *w = ctx;
    return !w->spec->cancel || !atomic_load(w->spec->cancel);
}

static void normalise(struct bt_vectors *v)
{
    const size_t h = (size_t)v->hidden;
    for (size_t i = 0; i < v->n; i++) {
        double sum = 0.0;
        for (size_t c = 0; c < h; c++) sum += (double)v->v[i * h + c] * (double)v->v[i * h + c];
        for (size_t c = 0; c < h && sum > 0.0; c++)
            v->v[i * h + c] = (float)((double)v->v[i * h + c] / sqrt(sum));
    }
}

/* The tokens that vectors are made of, whatever the task reads. */
static bool read_tokens(struct bt__features *f, enum bt_vector_pooling pooling)
{
    free(f->reads);
    f->reads = pooling == BT_VECTOR_MEAN ? malloc(f->start[f->n] + 1) : NULL;
    if (f->reads) memset(f->reads, 1, f->start[f->n]);
    return pooling != BT_VECTOR_MEAN || f->reads;
}

static enum bt_status encode(struct bt_predictor *p, struct bt__task_data *d,
                             const struct bt_vectors_spec *spec, struct bt_vectors **out,
                             struct bt_error *err)
{
    struct bt__pass_limits limits;
    struct bt_vectors *v = bt__vectors_new(d->n, p->m->config.hidden_size);
    struct encoding w = {.spec = spec, .d = d, .v = v};
    enum bt_status st = v && read_tokens(&d->f, settled(p, spec->pooling))
                            ? bt__predictor_room(p, &d->f, &limits, err)
                            : bt_fail(err, BT_NOMEM, "no memory for the vectors of %zu rows", d->n);
    if (!st) st = bt__encode_all(p->pass, &limits, d, take, go_on, &w, err);
    if (!st) normalise(v);
    if (st)
        bt_vectors_free(v);
    else
        *out = v;
    return st;
}

static enum bt_status encode_rows(struct bt_predictor *p, struct bt_examples *e,
                                  const struct bt_vectors_spec *spec, struct bt_vectors **out,
                                  struct bt_error *err)
{
    struct bt__task_data d = {.examples = e, .borrowed = true, .n = bt_examples_count(e)};
    enum bt_status st = bt__task_build(p->task, &d, false, p->pool, err);
    if (!st) st = encode(p, &d, spec, out, err);
    bt__task_data_free(&d);
    return st;
}

enum bt_status bt_vectors_of_rows(struct bt_predictor *p, struct bt_examples *e,
                                  const struct bt_vectors_spec *spec, struct bt_vectors **out,
                                  struct bt_error *err)
{
    const size_t n = bt_examples_count(e);
    char *path = spec->keep ? bt__vector_path(p, e, settled(p, spec->pooling)) : NULL;
    *out = path ? bt__vectors_read(path, n, p->m->config.hidden_size) : NULL;
    enum bt_status st = BT_OK;
    if (!*out) {
        st = n ? encode_rows(p, e, spec, out, err)
               : bt_fail(err, BT_INVALID, "there are no rows to compare with");
        if (!st && path) bt__vectors_write(path, *out);
    }
    free(path);
    return st;
}

enum bt_status bt_vectors_of_input(struct bt_predictor *p, const struct bt_input *in,
                                   enum bt_vector_pooling pooling, struct bt_vectors **out,
                                   struct bt_error *err)
{
    const struct bt_vectors_spec spec = {.pooling = pooling};
    struct bt__task_data d = {.n = 0};
    enum bt_status st = bt__predictor_prepare(p, in, 1, &d, err);
    if (!st) st = encode(p, &d, &spec, out, err);
    bt__task_data_free(&d);
    return st;
}
