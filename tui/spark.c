#include "tui/spark.h"

#include <bertty/text.h>
#include <math.h>

struct scale {
    float low, high;
};

static struct scale scale_of(const float *v, size_t n)
{
    struct scale s = {.low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v[i])) continue;
        s.low = fminf(s.low, v[i]);
        s.high = fmaxf(s.high, v[i]);
    }
    return s;
}

/* 0 (lowest) to levels − 1, what never changes in the middle; −1: no number. */
static int level(const struct scale *s, float v, int levels)
{
    if (isnan(v)) return -1;
    if (isinf(v)) return v > 0 ? levels - 1 : 0;
    if (!(s->high > s->low)) return levels / 2;
    int at = (int)((v - s->low) / (s->high - s->low) * (float)levels);
    return at < levels ? at : levels - 1;
}

/* The mean of part i of m; NaN where one of them is. */
static float part(const float *v, size_t n, size_t i, size_t m)
{
    size_t from = n * i / m, to = n * (i + 1) / m;
    float sum = 0.0f;
    for (size_t k = from; k < to; k++) sum += v[k];
    return sum / (float)(to - from);
}

static void add(struct bt_str *out, uint32_t code_point)
{
    char bytes[4];
    bt_str_addn(out, bytes, bt_utf8_encode((int32_t)code_point, bytes));
}

/* Left and right dot of a cell by level. */
static void add_braille(struct bt_str *out, int left, int right)
{
    static const uint32_t dots[2][4] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};
    if (left == -1 || right == -1)
        add(out, 0xd7); /* × */
    else
        add(out, 0x2800 | dots[0][left] | (right >= 0 ? dots[1][right] : 0));
}

static void add_one(struct bt_str *out, int at, bool ascii)
{
    static const char heights[] = ".-'";
    if (at < 0)
        add(out, ascii ? 'x' : 0xd7);
    else
        add(out, ascii ? (uint32_t)heights[at] : 0x2581 + (uint32_t)at); /* ▁ … █ */
}

void spark_add(struct bt_str *out, const float *value, size_t n, int columns, enum plot_glyphs glyphs)
{
    enum { NOTHING = -2 };
    size_t per = glyphs == PLOT_BRAILLE ? 2 : 1, room = columns > 0 ? (size_t)columns * per : 0;
    size_t m = n < room ? n : room;
    int levels = glyphs == PLOT_BRAILLE ? 4 : glyphs == PLOT_BLOCK ? 8 : 3;
    float mean[256];
    if (m > sizeof mean / sizeof *mean) m = sizeof mean / sizeof *mean;
    for (size_t i = 0; i < m; i++) mean[i] = part(value, n, i, m);
    struct scale s = scale_of(mean, m);
    for (size_t i = 0; i < m; i += per) {
        int here = level(&s, mean[i], levels);
        if (per == 2)
            add_braille(out, here, i + 1 < m ? level(&s, mean[i + 1], levels) : NOTHING);
        else
            add_one(out, here, glyphs == PLOT_ASCII);
    }
}
