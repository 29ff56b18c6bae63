#include "model/trainable.h"

#include <limits.h>
#include <string.h>

/* "bert.pooler.dense.weight" is of the modules bert, pooler, dense, and pooler.dense. */
static bool of_module(const char *name, const char *module)
{
    size_t n = strlen(module);
    for (const char *at = name; n > 0 && (at = strstr(at, module)); at++)
        if ((at == name || at[-1] == '.') && (at[n] == '.' || at[n] == '\0')) return true;
    return false;
}

static bool kept_out(const struct bt__param *p, const struct bt__freeze *f)
{
    if (p->head || p->adapter) return false;
    if (p->layer < 0 ? f->embeddings : p->layer < f->layers) return true;
    if (!f->biases && !f->adapters) return false;
    for (size_t i = 0; i < f->n_modules; i++)
        if (of_module(p->name, f->module[i])) return false;
    return !f->biases || !of_module(p->name, "bias");
}

void bt__params_freeze(struct bt__params *p, const struct bt__freeze *f)
{
    for (size_t i = 0; i < p->n; i++) p->item[i].frozen = kept_out(&p->item[i], f);
}

bool bt__params_has(const struct bt__params *p, const char *module)
{
    for (size_t i = 0; i < p->n; i++)
        if (of_module(p->item[i].name, module)) return true;
    return false;
}

struct bt__trainable bt__params_trainable(const struct bt__params *p)
{
    struct bt__trainable t = {.first_layer = INT_MAX};
    int top = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct bt__param *q = &p->item[i];
        if (q->layer > top) top = q->layer;
        if (!q->frozen && q->layer >= 0 && q->layer < t.first_layer) t.first_layer = q->layer;
        if (!q->frozen && q->layer < 0) t.embeddings = true;
    }
    if (t.first_layer > top) t.first_layer = top;
    return t;
}
