#include <bertty/compare.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Labels are few: those that are known are looked for one by one. */
static size_t index_of(const struct bt_pair_matrix *m, const char *label)
{
    size_t i = 0;
    while (i < m->n && strcmp(m->label[i], label) != 0) i++;
    return i;
}

/* False: one too many. */
static bool add_label(struct bt_pair_matrix *m, const char *label)
{
    if (index_of(m, label) < m->n) return true;
    if (m->n == BT_PAIR_LABELS) return false;
    m->label[m->n++] = label;
    return true;
}

enum bt_status bt_pair_matrix_make(const struct bt_pairing *p, struct bt_pair_matrix *out,
                                   struct bt_error *err)
{
    bool few = p->kind == BT_ROWS_LABELS;
    *out = (struct bt_pair_matrix){.label = calloc(BT_PAIR_LABELS, sizeof *out->label)};
    for (size_t i = 0; few && out->label && i < p->n; i++)
        few = add_label(out, p->row[i].first) && add_label(out, p->row[i].second);
    if (!few) out->n = 0;
    out->count = calloc(out->n * out->n + 1, sizeof *out->count);
    if (!out->label || !out->count) {
        bt_pair_matrix_clear(out);
        return bt_fail(err, BT_NOMEM, "no memory for a matrix of labels");
    }
    qsort(out->label, out->n, sizeof *out->label, by_text);
    for (size_t i = 0; out->n && i < p->n; i++)
        out->count[index_of(out, p->row[i].first) * out->n + index_of(out, p->row[i].second)]++;
    return BT_OK;
}

void bt_pair_matrix_clear(struct bt_pair_matrix *m)
{
    free(m->label);
    free(m->count);
    *m = (struct bt_pair_matrix){.n = 0};
}
