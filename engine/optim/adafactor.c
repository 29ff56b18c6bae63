/* Adafactor (Shazeer & Stern 2018) as transformers' Trainer sets it up: a given learning rate, no scaling by the weights, no momentum. The second
 * moment of a matrix is kept as its rows' and its columns' means; the update of a parameter is scaled down to a root mean square of 1.
 *
 * A matrix is cut into blocks of rows; a vector is a matrix of one row whose columns' moments are all there is. Words that a batch does not have
 * count as rows of zeros. */
#include "optim/optim_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 16 /* at most, of one parameter */ };

static const double EPSILON = 1e-30, DECAY_RATE = -0.8, LARGEST_RMS = 1.0;

struct block {
    size_t param;
    int first, rows; /* rows of the parameter */
    int number;      /* among its blocks */
    double sumsq;    /* of the update */
};

struct part {
    int blocks;
    double mean; /* of the rows' moments */
    float step;  /* learning rate over the update's root mean square */
};

struct own {
    int blocks;
    double beta;       /* decay of the moments at this step */
    struct part *part; /* [params.n], behind the blocks */
    struct block block[];
};

static int rows_of(const struct bt__param *p)
{
    return p->rank == 2 ? p->rows : 1;
}

static int block_rows(const struct bt__param *p)
{
    return (rows_of(p) + BLOCKS - 1) / BLOCKS;
}

static int blocks_of(const struct bt__param *p)
{
    return (rows_of(p) + block_rows(p) - 1) / block_rows(p);
}

/* Moments by row (of a matrix), by column; scratch: 1/√ of the columns', and sums of squares of each block's columns. */
static int slots(const struct bt__optim_settings *s, const struct bt__param *p, struct bt__optim_slot *slot)
{
    int n = 0;
    (void)s;
    if (p->rank == 2)
        slot[n++] = (struct bt__optim_slot){.name = "exp_avg_sq_row", .rank = 1, .shape = {p->rows}};
    slot[n++] = (struct bt__optim_slot){
        .name = p->rank == 2 ? "exp_avg_sq_col" : "exp_avg_sq", .rank = 1, .shape = {p->cols}};
    slot[n++] = (struct bt__optim_slot){.rank = 1, .shape = {p->cols}};
    slot[n++] = (struct bt__optim_slot){.rank = 2, .shape = {blocks_of(p), p->cols}};
    return n;
}

static float *row_moments(const struct bt__optim *o, size_t param)
{
    return o->m->params.item[param].rank == 2 ? bt__optim_state(o, param, 0) : NULL;
}

static float *columns(const struct bt__optim *o, size_t param, int which)
{
    return bt__optim_state(o, param, (o->m->params.item[param].rank == 2) + which);
}

static int cut(const struct bt__optim *o, struct block *block)
{
    int n = 0;
    for (size_t i = 0; i < o->m->params.n; i++) {
        const struct bt__param *p = &o->m->params.item[i];
        if (p->frozen) continue;
        int size = block_rows(p), rows = rows_of(p);
        for (int at = 0; at < rows; at += size, n++)
            if (block)
                block[n] = (struct block){.param = i,
                                          .first = at,
                                          .rows = rows - at < size ? rows - at : size,
                                          .number = at / size};
    }
    return n;
}

static bool create(struct bt__optim *o)
{
    int n = cut(o, NULL);
    size_t blocks = (size_t)n * sizeof(struct block), parts = o->m->params.n * sizeof(struct part);
    struct own *own = o->own = calloc(1, sizeof *own + blocks + parts);
    if (!own) return false;
    own->blocks = cut(o, own->block);
    own->part = (struct part *)(void *)(own->block + n);
    for (int i = 0; i < n; i++) own->part[own->block[i].param].blocks++;
    return true;
}

/* NULL: a row of zeros. */
static const float *gradient_row(const struct bt__optim *o, const struct bt__param *p, int row)
{
    if (p->offset == o->m->word) return bt__optim_word_gradient(o, (size_t)row);
    return bt__optim_gradient(o, p, (size_t)row * (size_t)p->cols);
}

/* The rows' moments, and the block's share of the columns'. */
static void moments_item(void *ctx, int item, int thread)
{
    struct bt__optim *o = ctx;
    const struct own *own = o->own;
    const struct block *b = &own->block[item];
    const struct bt__param *p = &o->m->params.item[b->param];
    const size_t cols = (size_t)p->cols;
    float *moment = row_moments(o, b->param), *sum = columns(o, b->param, 2) + (size_t)b->number * cols;
    (void)thread;
    memset(sum, 0, sizeof *sum * cols);
    for (int r = b->first; r < b->first + b->rows; r++) {
        const float *g = gradient_row(o, p, r);
        double square = g ? o->k->add_squares(cols, g, o->scale, sum) : 0.0;
        if (moment)
            moment[r] = (float)(own->beta * (double)moment[r] +
                                (1.0 - own->beta) * (square / (double)cols + EPSILON));
    }
}

/* The columns' moments. */
static void columns_item(void *ctx, int item, int thread)
{
    struct bt__optim *o = ctx;
    const size_t i = (size_t)item;
    const struct own *own = o->own;
    const struct bt__param *p = &o->m->params.item[i];
    struct part *part = &own->part[i];
    (void)thread;
    if (part->blocks == 0) return;
    float *moment = columns(o, i, 0), *root = columns(o, i, 1), *sum = columns(o, i, 2);
    const float *row = row_moments(o, i);
    for (int j = 0; j < p->cols; j++) {
        double total = 0.0;
        for (int b = 0; b < part->blocks; b++) total += (double)sum[b * p->cols + j];
        moment[j] = (float)(own->beta * (double)moment[j] +
                            (1.0 - own->beta) * (total / (double)rows_of(p) + EPSILON));
        root[j] = (float)(1.0 / sqrt((double)moment[j]));
    }
    part->mean = 0.0;
    for (int r = 0; row && r < p->rows; r++) part->mean += (double)row[r];
    part->mean /= (double)rows_of(p);
}

/* The factor of row r besides its columns'. */
static double row_factor(const struct bt__optim *o, size_t param, int r)
{
    const struct own *own = o->own;
    const float *row = row_moments(o, param);
    return row ? sqrt(own->part[param].mean / (double)row[r]) : 1.0;
}

static void size_item(void *ctx, int item, int thread)
{
    struct bt__optim *o = ctx;
    struct own *own = o->own;
    struct block *b = &own->block[item];
    const struct bt__param *p = &o->m->params.item[b->param];
    const float *root = columns(o, b->param, 1);
    (void)thread;
    b->sumsq = 0.0;
    for (int r = b->first; r < b->first + b->rows; r++) {
        const float *g = gradient_row(o, p, r);
        if (!g) continue;
        double factor = row_factor(o, b->param, r) * (double)o->scale;
        b->sumsq += factor * factor * o->k->sumsq_product((size_t)p->cols, g, root);
    }
}

static void update_item(void *ctx, int item, int thread)
{
    struct bt__optim *o = ctx;
    const struct own *own = o->own;
    const struct block *b = &own->block[item];
    const struct bt__param *p = &o->m->params.item[b->param];
    const size_t cols = (size_t)p->cols;
    const float *root = columns(o, b->param, 1), keep = o->rate[b->param].keep;
    (void)thread;
    for (int r = b->first; r < b->first + b->rows; r++) {
        float *w = o->m->w + p->offset + (size_t)r * cols;
        const float *g = gradient_row(o, p, r);
        if (g)
            o->k->shrink_subtract(cols, w, g, root, keep,
                                  own->part[b->param].step * (float)row_factor(o, b->param, r));
        else if (keep != 1.0f)
            o->k->scale(cols, w, keep);
    }
}

/* Learning rates over the updates' root mean squares, which are summed block by block. */
static void set_steps(struct bt__optim *o)
{
    struct own *own = o->own;
    for (int i = 0; i < own->blocks;) {
        const size_t param = own->block[i].param;
        double sum = 0.0;
        for (; i < own->blocks && own->block[i].param == param; i++) sum += own->block[i].sumsq;
        double rms = sqrt(sum / (double)o->m->params.item[param].count) / LARGEST_RMS;
        own->part[param].step = (float)(o->rate[param].lr * (double)o->scale / (rms > 1.0 ? rms : 1.0));
    }
}

static void step(struct bt__optim *o, int64_t t)
{
    struct own *own = o->own;
    own->beta = 1.0 - pow((double)t, DECAY_RATE);
    bt__pool_run(o->pool, own->blocks, moments_item, o);
    bt__pool_run(o->pool, (int)o->m->params.n, columns_item, o);
    bt__pool_run(o->pool, own->blocks, size_item, o);
    set_steps(o);
    bt__pool_run(o->pool, own->blocks, update_item, o);
}

const struct bt__optim_ops bt__optim_adafactor = {
    .name = "adafactor", .slots = slots, .create = create, .step = step};
