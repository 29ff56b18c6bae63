/* Explaining one input: what is asked about, then the method. */
#include "explain/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const bt_explain_methods[] = {
    [BT_EXPLAIN_GRADIENT] = "gradient",   [BT_EXPLAIN_INTEGRATED] = "integrated",
    [BT_EXPLAIN_OCCLUSION] = "occlusion", [BT_EXPLAIN_ATTENTION] = "attention",
    [BT_EXPLAIN_ROLLOUT] = "rollout",     [BT_EXPLAIN_METHODS] = NULL};
const char *const bt_explain_ofs[] = {
    [BT_EXPLAIN_LOGIT] = "logit", [BT_EXPLAIN_PROBABILITY] = "probability", [BT_EXPLAIN_OFS] = NULL};
const char *const bt_explain_baselines[] = {
    [BT_EXPLAIN_PAD] = "pad", [BT_EXPLAIN_ZERO] = "zero", [BT_EXPLAIN_BASELINES] = NULL};
const char *const bt_explain_rules[] = {
    [BT_EXPLAIN_GAUSS] = "gauss-legendre", [BT_EXPLAIN_TRAPEZOID] = "trapezoid", [BT_EXPLAIN_RULES] = NULL};
const char *const bt_explain_occludes[] = {[BT_EXPLAIN_MASK] = "mask",
                                           [BT_EXPLAIN_PADDING] = "pad",
                                           [BT_EXPLAIN_DELETE] = "delete",
                                           [BT_EXPLAIN_OCCLUDES] = NULL};

bool bt__explain_cancelled(const struct bt__explaining *w)
{
    return w->spec->cancel && atomic_load(w->spec->cancel);
}

enum bt_status bt__explain_cancel(struct bt_error *err)
{
    return bt_fail(err, BT_CANCELLED, "the explanation was cancelled");
}

void bt__explain_tell(const struct bt__explaining *w, int done, int all)
{
    if (w->spec->progress) w->spec->progress(w->spec->ctx, done, all);
}

/* ── what is asked about ── */

bool bt__explain_blank(const struct bt_input *in)
{
    for (size_t i = 0; i < in->text_n; i++)
        if (!strchr(" \t\r\n\v\f", in->text[i]) || !in->text[i]) return false;
    return in->parts == 0;
}

static enum bt_status check(const struct bt__explaining *w, const struct bt_input *in, struct bt_error *err)
{
    const struct bt_explain_spec *s = w->spec;
    const struct bt__model_config *c = &w->p->m->config;
    if (bt__explain_blank(in))
        return bt_fail(err, BT_INVALID, "the text is empty: there is nothing to explain");
    if (s->layer < 0 || s->layer > c->num_hidden_layers)
        return bt_fail(err, BT_INVALID, "no layer %d, expected a number from 1 to %d", s->layer,
                       c->num_hidden_layers);
    if (s->head < 0 || s->head > c->num_attention_heads)
        return bt_fail(err, BT_INVALID, "no head %d, expected a number from 1 to %d", s->head,
                       c->num_attention_heads);
    return BT_OK;
}

/* The sequence that the aim is in. */
static void take_sequence(struct bt__explaining *w)
{
    const struct bt__features *f = &w->d.f;
    const size_t i = w->aim.sequence, at = f->start[i];
    w->ids = f->ids + at;
    w->types = f->types + at;
    w->reads = f->reads ? f->reads + at : NULL;
    w->n = f->length[i];
}

static enum bt_status find_aim(struct bt__explaining *w, const struct bt_input *in, struct bt_error *err)
{
    const struct bt__aim_wish wish = {.target = w->spec->target, .word = w->spec->word};
    const struct bt__task *t = w->p->task;
    enum bt_status st = bt__predictor_prepare(w->p, in, 1, &w->d, err);
    if (!st) st = bt__predictor_run(w->p, &w->d, w->spec->cancel, &w->e, err);
    if (!st) st = t->ops->aim(t, &w->d, &w->e.logits, 0, &wish, &w->aim, err);
    if (!st && w->aim.name.failed) st = bt_fail(err, BT_NOMEM, "no memory for a name");
    if (!st) take_sequence(w);
    return st;
}

static enum bt_status describe(struct bt__explaining *w, struct bt_error *err)
{
    struct bt_explanation *x = w->x;
    const struct bt__model_config *c = &w->p->m->config;
    const bool windows = w->d.f.group <= 1;
    x->target = bt_str_take(&w->aim.name);
    x->probability = w->spec->of == BT_EXPLAIN_PROBABILITY && w->aim.norm != BT__NORM_NONE;
    x->base = x->error = (double)NAN;
    x->layers = c->num_hidden_layers;
    x->heads = c->num_attention_heads;
    x->tokens = w->n;
    x->truncated = w->d.f.truncated > 0;
    x->windows = windows ? (int)w->d.f.n : 1;
    x->choice = windows ? -1 : (int)w->aim.sequence;
    x->window = windows ? (int)w->aim.sequence + 1 : 1;
    return x->target ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for a name");
}

enum bt_status bt__explain_begin(struct bt__explaining *w, const struct bt_input *in, struct bt_error *err)
{
    w->x = calloc(1, sizeof *w->x);
    if (!w->x) return bt_fail(err, BT_NOMEM, "no memory for an explanation");
    enum bt_status st = check(w, in, err);
    if (!st) st = find_aim(w, in, err);
    if (!st) st = describe(w, err);
    if (!st) st = bt__explain_items(w, in, err);
    return st;
}

void bt__explain_end(struct bt__explaining *w)
{
    bt__aim_free(&w->aim);
    bt__evaluation_free(&w->e);
    bt__task_data_free(&w->d);
    bt_explanation_free(w->x);
    w->x = NULL;
}

enum bt_status bt_explain(struct bt_predictor *p, const struct bt_input *in,
                          const struct bt_explain_spec *spec, struct bt_explanation **out,
                          struct bt_error *err)
{
    static enum bt_status (*const method[])(struct bt__explaining *, struct bt_error *) = {
        [BT_EXPLAIN_GRADIENT] = bt__explain_gradient,   [BT_EXPLAIN_INTEGRATED] = bt__explain_integrated,
        [BT_EXPLAIN_OCCLUSION] = bt__explain_occlusion, [BT_EXPLAIN_ATTENTION] = bt__explain_attention,
        [BT_EXPLAIN_ROLLOUT] = bt__explain_rollout,
    };
    struct bt__explaining w = {.p = p, .spec = spec};
    enum bt_status st = bt__explain_begin(&w, in, err);
    if (!st) st = method[spec->method](&w, err);
    if (!st) {
        *out = w.x;
        w.x = NULL;
    }
    bt__explain_end(&w);
    return st;
}

void bt_explanation_free(struct bt_explanation *x)
{
    if (!x) return;
    for (size_t i = 0; i < x->n; i++) free(x->item[i].text);
    free(x->item);
    free(x->target);
    free(x->matrix);
    free(x);
}
