#include "batch/label_counts.h"

#include "batch/input_index.h"
#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

static uint32_t *label_slot(const struct bt__label_counts *l, const char *text, size_t n)
{
    size_t i = (size_t)bt__hash_bytes(text, n, 0) & (l->slots - 1);
    for (; l->slot[i]; i = (i + 1) & (l->slots - 1)) {
        const char *at = l->label[l->slot[i] - 1].label;
        if (strncmp(at, text, n) == 0 && at[n] == '\0') break;
    }
    return &l->slot[i];
}

static bool more_labels(struct bt__label_counts *l)
{
    size_t cap = l->cap ? l->cap * 2 : 64;
    struct bt_label_count *more = realloc(l->label, cap * sizeof *more);
    if (more) l->label = more;
    uint32_t *slot = more ? calloc(cap * 2, sizeof *slot) : NULL;
    if (!slot) return false;
    free(l->slot);
    l->slot = slot;
    l->slots = cap * 2;
    l->cap = cap;
    for (size_t i = 0; i < l->n; i++)
        *label_slot(l, l->label[i].label, strlen(l->label[i].label)) = (uint32_t)i + 1;
    return true;
}

bool bt__label_counts_add(struct bt__label_counts *l, const char *text, size_t n)
{
    n = strnlen(text, n);
    if (l->n == l->cap && !more_labels(l)) return false;
    uint32_t *slot = label_slot(l, text, n);
    if (!*slot) {
        char *label = bt_strndup(text, n);
        if (!label) return false;
        l->label[l->n++] = (struct bt_label_count){.label = label};
        *slot = (uint32_t)l->n;
    }
    l->label[*slot - 1].rows++;
    return true;
}

static int most_frequent_first(const void *a, const void *b)
{
    const struct bt_label_count *x = a, *y = b;
    if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
    return strcmp(x->label, y->label);
}

void bt__label_counts_take(struct bt__label_counts *l, struct bt_label_count **label, size_t *n)
{
    if (l->n) qsort(l->label, l->n, sizeof *l->label, most_frequent_first);
    free(l->slot);
    *label = l->label;
    *n = l->n;
    *l = (struct bt__label_counts){0};
}
