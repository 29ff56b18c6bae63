#include "tests/fuzz/mutate.h"

#include <ctype.h>
#include <string.h>

struct change {
    struct fuzz_input *in;
    const struct fuzz_input *other;
    uint64_t state;
};

/* Steele et al. 2014, "Fast splittable pseudorandom number generators": numbers that follow each other give sequences that do not. */
static uint64_t next(struct change *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t draw(struct change *c, size_t below)
{
    return below ? (size_t)(next(c) % below) : 0;
}

/* n bytes in the place of `over` ones; what does not fit is left as it is. */
static void put(struct fuzz_input *in, size_t at, size_t over, const void *bytes, size_t n)
{
    if (over > in->n - at) over = in->n - at;
    if (in->n - over + n > FUZZ_LARGEST) return;
    memmove(in->bytes + at + n, in->bytes + at + over, in->n - at - over);
    if (n) memcpy(in->bytes + at, bytes, n);
    in->n += n - over;
}

static void flip(struct change *c)
{
    if (c->in->n) c->in->bytes[draw(c, c->in->n)] ^= (uint8_t)(1 << draw(c, 8));
}

static void set(struct change *c)
{
    static const uint8_t some[] = {0, 1, 9, 10, 13, 27, ' ', '"', ',', '0', '[', '{', '}', 0x7f, 0x80, 0xff};
    const uint8_t byte = draw(c, 2) ? some[draw(c, sizeof some)] : (uint8_t)next(c);
    if (c->in->n) c->in->bytes[draw(c, c->in->n)] = byte;
}

static void cut(struct change *c)
{
    const size_t at = draw(c, c->in->n + 1), most = draw(c, 4) ? 16 : c->in->n;
    put(c->in, at, 1 + draw(c, most), NULL, 0);
}

static void end(struct change *c)
{
    c->in->n = draw(c, c->in->n + 1);
}

/* A piece, again behind itself or elsewhere. */
static void repeat(struct change *c)
{
    uint8_t piece[256];
    const size_t from = draw(c, c->in->n + 1), left = c->in->n - from;
    const size_t n = draw(c, (left < sizeof piece ? left : sizeof piece) + 1);
    memcpy(piece, c->in->bytes + from, n);
    size_t at = draw(c, 2) ? from : draw(c, c->in->n + 1), over = draw(c, 2) ? n : 0;
    for (size_t times = 1 + draw(c, draw(c, 8) ? 2 : 40); times > 0; times--, over = 0)
        put(c->in, at, over, piece, n);
}

static void splice(struct change *c)
{
    const size_t from = draw(c, c->other->n + 1), at = draw(c, c->in->n + 1);
    const size_t n = draw(c, 2) ? c->other->n - from : draw(c, c->other->n - from + 1);
    put(c->in, at, draw(c, 2) ? c->in->n : draw(c, 16), c->other->bytes + from, n);
}

/* Of 1, 2, 4 or 8 bytes, either end first: 0, −1, the least, the largest, near the size, or one more or less. */
static void number(struct change *c)
{
    const size_t bytes = (size_t)1 << draw(c, 4);
    if (c->in->n < bytes) return;
    uint8_t *p = c->in->bytes + draw(c, c->in->n - bytes + 1);
    const uint64_t top = (uint64_t)1 << (8 * bytes - 1), off = next(c) % 5 - 2;
    const uint64_t values[] = {0, UINT64_MAX, top, top - 1, c->in->n, *p + off, top / 4, (uint64_t)1 << 32};
    const uint64_t value = values[draw(c, sizeof values / sizeof *values)] + (draw(c, 2) ? off : 0);
    const size_t turn = draw(c, 4) ? 0 : bytes - 1;
    for (size_t i = 0; i < bytes; i++) p[i ^ turn] = (uint8_t)(value >> 8 * i);
}

static const char *const numbers[] = {"0",
                                      "-1",
                                      "1",
                                      "-0",
                                      "1e999",
                                      "-1e-999",
                                      "0.1",
                                      "2147483647",
                                      "-2147483648",
                                      "4294967296",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "18446744073709551616",
                                      "99999999999999999999999999",
                                      "NaN",
                                      "Infinity",
                                      "null",
                                      "1e15"};

/* The digits at a place, or those behind it. */
static void digits(struct change *c)
{
    const char *word = numbers[draw(c, sizeof numbers / sizeof *numbers)];
    size_t at = draw(c, c->in->n + 1), n = 0;
    while (at < c->in->n && !isdigit(c->in->bytes[at])) at++;
    while (at + n < c->in->n && isdigit(c->in->bytes[at + n])) n++;
    if (n) put(c->in, at, n, word, strlen(word));
}

static void word(struct change *c)
{
    static const char *const words[] = {"null",
                                        "true",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        "{\"a\":",
                                        "\"",
                                        "\"\"",
                                        "\\u0000",
                                        "\\ud800",
                                        "\r\n",
                                        "\n\n",
                                        "\t",
                                        ",",
                                        ": &a",
                                        "*a",
                                        "- - ",
                                        "? ",
                                        "|\n",
                                        "\xef\xbb\xbf",
                                        "\xff",
                                        "\xed\xa0\x80",
                                        "\xc2\x9b",
                                        "\xe2\x80\xae",
                                        "\x1b[2J",
                                        "../",
                                        "/",
                                        "%s",
                                        "\\",
                                        "#",
                                        "    "};
    const char *w = draw(c, 3) ? words[draw(c, sizeof words / sizeof *words)]
                               : numbers[draw(c, sizeof numbers / sizeof *numbers)];
    put(c->in, draw(c, c->in->n + 1), draw(c, 2) ? draw(c, 4) : 0, w, strlen(w));
}

static void zeros(struct change *c)
{
    static const uint8_t none[16];
    put(c->in, draw(c, c->in->n + 1), draw(c, 2) ? 16 : 0, none, 1 + draw(c, sizeof none));
}

void fuzz_mutate(struct fuzz_input *in, const struct fuzz_input *other, uint64_t seed)
{
    static void (*const kinds[])(struct change * c) = {flip,   flip,   set,    cut,    end,  repeat, splice,
                                                       number, number, digits, digits, word, word,   zeros};
    struct change c = {.in = in, .other = other, .state = seed};
    for (size_t n = 1 + draw(&c, 4); n > 0; n--) kinds[draw(&c, sizeof kinds / sizeof *kinds)](&c);
}
