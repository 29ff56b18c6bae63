/* Counter-based random numbers: a value is a pure function of (seed, stream, step, position).
 *
 * Nothing is advanced, so a resumed run, another number of threads or another order of evaluation draws the same numbers.
 * bt__rng_key() mixes seed, stream and step with SplitMix64's finaliser (Steele, Lea & Flood 2014); the value at a
 * position is two rounds of a 32-bit xorshift-multiply hash (the constants are C. Wellons' lowbias32), which compilers vectorise. */
#ifndef BERTTY_BASE_RNG_H
#define BERTTY_BASE_RNG_H

#include <stdint.h>

/* One stream for each use, so that no two uses share numbers. Layers add their index × BT__STREAM_STRIDE. */
enum bt__stream {
    BT__STREAM_BOOTSTRAP = 0, /* rows of a resample: step = which one; no layers */
    BT__STREAM_INIT = 1,
    BT__STREAM_ORDER,
    BT__STREAM_SPLIT,
    BT__STREAM_DROP_EMBED,
    BT__STREAM_DROP_POOLED,
    BT__STREAM_DROP_PROBS,
    BT__STREAM_DROP_ATTN,
    BT__STREAM_DROP_FFN,
    BT__STREAM_DROP_LORA, /* and one for each further kind of adapter */
    BT__STREAM_MASK = 15, /* which tokens are masked, and by what; no layers */
    BT__STREAM_STRIDE = 16,
    BT__STREAM_TYPO =
        BT__STREAM_STRIDE, /* where words are mistyped: step = which one; no layers, nor has BOOTSTRAP */
    BT__STREAM_SWEEP = 2 * BT__STREAM_STRIDE /* what a trial tries: step = which draw; no layers */
};

struct bt__rng {
    uint32_t k0, k1;
};

static inline uint64_t bt__mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline struct bt__rng bt__rng_key(uint64_t seed, uint64_t stream, uint64_t step)
{
    uint64_t k = bt__mix64(seed + 0x9e3779b97f4a7c15u);
    k = bt__mix64(k ^ (stream * 0xd1342543de82ef95u + 1));
    k = bt__mix64(k ^ (step * 0x9e3779b97f4a7c15u + 2));
    return (struct bt__rng){.k0 = (uint32_t)k, .k1 = (uint32_t)(k >> 32)};
}

static inline uint32_t bt__mix32(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ (x >> 16);
}

/* 32 random bits for a position. */
static inline uint32_t bt__rng_u32(struct bt__rng r, uint32_t position)
{
    return bt__mix32(bt__mix32(position ^ r.k0) + r.k1);
}

/* Uniform in [0, 1), 53 bits, from positions 2p and 2p+1. */
static inline double bt__rng_uniform(struct bt__rng r, uint32_t p)
{
    uint64_t hi = bt__rng_u32(r, 2 * p), lo = bt__rng_u32(r, 2 * p + 1);
    return (double)((hi << 21) ^ (lo >> 11)) * 0x1p-53;
}

#endif
