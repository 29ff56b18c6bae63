#include "math/attention.h"

static size_t zmax(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* One packed operand of each kind is in use at a time. */
static size_t right_floats(int n, int d)
{
    return zmax(bt__panel_floats(n, d), bt__panel_floats(d, n));
}

size_t bt__attention_scratch(int n, int d, bool backward)
{
    size_t square = (size_t)n * (size_t)n;
    return (backward ? 2 * square + bt__left_floats(n, n) : square) + right_floats(n, d);
}

/* Where the operands are packed in the scratch. */
struct room {
    float *d, *p, *left, *right;
};

static struct room room_of(const struct bt__attention *a, bool backward)
{
    const size_t square = (size_t)a->n * (size_t)a->n;
    struct room r = {.p = a->scratch, .right = a->scratch + square};
    if (!backward) return r;
    r.d = a->scratch + square;
    r.left = r.d + square;
    r.right = r.left + bt__left_floats(a->n, a->n);
    return r;
}

/* The probabilities after dropout: p itself without dropout. */
static const float *dropped(const struct bt__attention *a, float *buffer)
{
    if (!a->drop.threshold) return a->p;
    a->k->dropout(a->nq * a->n, a->p, &a->drop, a->pos, buffer);
    return buffer;
}

/* A matrix whose rows are ld apart. */
struct matrix {
    const float *at;
    int ld;
};

/* c [rows, cols] = x [rows, k] · what the panels hold */
static void multiply(const struct bt__attention *a, int rows, int cols, int k, struct matrix x,
                     const float *panels, float *c, int ldc)
{
    a->k->fp32.product(&(struct bt__product){.rows = rows,
                                             .cols = cols,
                                             .k = k,
                                             .a = x.at,
                                             .lda = x.ld,
                                             .panels = panels,
                                             .height = k,
                                             .c = c,
                                             .ldc = ldc});
}

/* c [nq, n] = x [nq, d] · y [n, d]ᵀ */
static void times_transposed(const struct bt__attention *a, struct matrix x, struct matrix y, float *room,
                             float *c)
{
    a->k->fp32.pack_transposed(a->d, a->n, y.at, y.ld, room);
    multiply(a, a->nq, a->n, a->d, x, room, c, a->n);
}

/* c [rows, d] = x [rows, k] · y [k, d] */
static void times(const struct bt__attention *a, int rows, int k, struct matrix x, struct matrix y,
                  float *room, float *c, int ldc)
{
    a->k->fp32.pack(k, a->d, y.at, y.ld, room, k);
    multiply(a, rows, a->d, k, x, room, c, ldc);
}

/* c [n, d] = x [nq, n]ᵀ · y [nq, d] */
static void transposed_times(const struct bt__attention *a, const float *x, struct matrix y,
                             const struct room *room, float *c, int ldc)
{
    a->k->fp32.pack_left(a->nq, a->n, x, a->n, room->left);
    times(a, a->n, a->nq, (struct matrix){.at = room->left}, y, room->right, c, ldc);
}

void bt__attention_forward(const struct bt__attention *a, float *out, int ldo)
{
    const struct room room = room_of(a, false);
    const struct matrix q = {.at = a->q, .ld = a->ldq}, key = {.at = a->key, .ld = a->ldkv},
                        value = {.at = a->value, .ld = a->ldkv};
    times_transposed(a, q, key, room.right, a->p);
    for (int i = 0; i < a->nq; i++) a->k->softmax(a->n, a->p + (size_t)i * (size_t)a->n, a->scale);
    const struct matrix p = {.at = dropped(a, room.p), .ld = a->n};
    times(a, a->nq, a->n, p, value, room.right, out, ldo);
}

void bt__attention_backward(const struct bt__attention *a, const float *dout, int ldo, float *dq, int lddq,
                            float *dkey, float *dvalue, int lddkv)
{
    const struct room room = room_of(a, true);
    const struct matrix q = {.at = a->q, .ld = a->ldq}, key = {.at = a->key, .ld = a->ldkv},
                        value = {.at = a->value, .ld = a->ldkv}, dy = {.at = dout, .ld = ldo},
                        d = {.at = room.d, .ld = a->n};
    transposed_times(a, dropped(a, room.p), dy, &room, dvalue, lddkv);
    times_transposed(a, dy, value, room.right, room.d);
    if (a->drop.threshold) a->k->dropout(a->nq * a->n, room.d, &a->drop, a->pos, room.d);
    for (int i = 0; i < a->nq; i++) {
        size_t row = (size_t)i * (size_t)a->n;
        a->k->softmax_backward(a->n, a->p + row, room.d + row, a->scale);
    }
    times(a, a->nq, a->n, d, key, room.right, dq, lddq);
    transposed_times(a, room.d, q, &room, dkey, lddkv);
}
