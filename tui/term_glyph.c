#include "tui/term_glyph.h"
#include <stddef.h>
#include <stdlib.h>

uint32_t glyph_line(unsigned arms)
{
    static const uint32_t lines[16] = {
        [0] = ' ',
        [LINE_UP] = 0x2502,
        [LINE_DOWN] = 0x2502,
        [LINE_UP | LINE_DOWN] = 0x2502,
        [LINE_LEFT] = 0x2500,
        [LINE_UP | LINE_LEFT] = 0x2518,
        [LINE_DOWN | LINE_LEFT] = 0x2510,
        [LINE_UP | LINE_DOWN | LINE_LEFT] = 0x2524,
        [LINE_RIGHT] = 0x2500,
        [LINE_UP | LINE_RIGHT] = 0x2514,
        [LINE_DOWN | LINE_RIGHT] = 0x250c,
        [LINE_UP | LINE_DOWN | LINE_RIGHT] = 0x251c,
        [LINE_LEFT | LINE_RIGHT] = 0x2500,
        [LINE_UP | LINE_LEFT | LINE_RIGHT] = 0x2534,
        [LINE_DOWN | LINE_LEFT | LINE_RIGHT] = 0x252c,
        [LINE_UP | LINE_DOWN | LINE_LEFT | LINE_RIGHT] = 0x253c,
    };
    return lines[arms & 15];
}

struct substitute {
    uint32_t first, last;
    char ascii;
};

static const struct substitute substitutes[] = {
    {.first = 0xa0, .last = 0xa0, .ascii = ' '},     {.first = 0xab, .last = 0xab, .ascii = '{'},
    {.first = 0xbb, .last = 0xbb, .ascii = '}'},     {.first = 0x27e6, .last = 0x27e6, .ascii = '['},
    {.first = 0x27e7, .last = 0x27e7, .ascii = ']'}, {.first = 0xb1, .last = 0xb1, .ascii = '~'},
    {.first = 0xb7, .last = 0xb7, .ascii = '.'},     {.first = 0xd7, .last = 0xd7, .ascii = 'x'},
    {.first = 0x2010, .last = 0x2015, .ascii = '-'}, {.first = 0x2018, .last = 0x2019, .ascii = '\''},
    {.first = 0x201c, .last = 0x201d, .ascii = '"'}, {.first = 0x2022, .last = 0x2022, .ascii = '*'},
    {.first = 0x2026, .last = 0x2026, .ascii = '~'}, {.first = 0x2190, .last = 0x2190, .ascii = '<'},
    {.first = 0x2191, .last = 0x2191, .ascii = '^'}, {.first = 0x2192, .last = 0x2192, .ascii = '>'},
    {.first = 0x2193, .last = 0x2193, .ascii = 'v'}, {.first = 0x21b5, .last = 0x21b5, .ascii = '<'},
    {.first = 0x2212, .last = 0x2212, .ascii = '-'}, {.first = 0x2248, .last = 0x2248, .ascii = '~'},
    {.first = 0x2264, .last = 0x2264, .ascii = '<'}, {.first = 0x2265, .last = 0x2265, .ascii = '>'},
    {.first = 0x2500, .last = 0x2501, .ascii = '-'}, {.first = 0x2502, .last = 0x2503, .ascii = '|'},
    {.first = 0x2504, .last = 0x2505, .ascii = '-'}, {.first = 0x2506, .last = 0x2507, .ascii = '|'},
    {.first = 0x2508, .last = 0x2509, .ascii = '-'}, {.first = 0x250a, .last = 0x250b, .ascii = '|'},
    {.first = 0x250c, .last = 0x254b, .ascii = '+'}, {.first = 0x254c, .last = 0x254d, .ascii = '-'},
    {.first = 0x254e, .last = 0x254f, .ascii = '|'}, {.first = 0x2550, .last = 0x2550, .ascii = '='},
    {.first = 0x2551, .last = 0x2551, .ascii = '|'}, {.first = 0x2552, .last = 0x256c, .ascii = '+'},
    {.first = 0x2581, .last = 0x2583, .ascii = '.'}, {.first = 0x2584, .last = 0x2586, .ascii = 'o'},
    {.first = 0x2587, .last = 0x258a, .ascii = '#'}, {.first = 0x258b, .last = 0x258d, .ascii = '='},
    {.first = 0x258e, .last = 0x258f, .ascii = '|'}, {.first = 0x2591, .last = 0x2591, .ascii = '.'},
    {.first = 0x2592, .last = 0x2592, .ascii = ':'}, {.first = 0x2593, .last = 0x2593, .ascii = '#'},
    {.first = 0x2596, .last = 0x259f, .ascii = '#'}, {.first = 0x25a0, .last = 0x25a0, .ascii = '#'},
    {.first = 0x25a1, .last = 0x25a1, .ascii = 'o'}, {.first = 0x25aa, .last = 0x25aa, .ascii = '*'},
    {.first = 0x25b2, .last = 0x25b5, .ascii = '^'}, {.first = 0x25b6, .last = 0x25ba, .ascii = '>'},
    {.first = 0x25bc, .last = 0x25bf, .ascii = 'v'}, {.first = 0x25c0, .last = 0x25c4, .ascii = '<'},
    {.first = 0x25c6, .last = 0x25c6, .ascii = '*'}, {.first = 0x25c7, .last = 0x25c7, .ascii = 'o'},
    {.first = 0x25cb, .last = 0x25cb, .ascii = 'o'}, {.first = 0x25cf, .last = 0x25cf, .ascii = '*'},
    {.first = 0x2605, .last = 0x2605, .ascii = '*'}, {.first = 0x2606, .last = 0x2606, .ascii = '*'},
    {.first = 0x2610, .last = 0x2610, .ascii = ' '}, {.first = 0x2611, .last = 0x2612, .ascii = 'x'},
    {.first = 0x270e, .last = 0x270e, .ascii = '"'}, {.first = 0x2713, .last = 0x2714, .ascii = '+'},
    {.first = 0x2715, .last = 0x2718, .ascii = 'x'}, {.first = 0x2800, .last = 0x2800, .ascii = ' '},
    {.first = 0x2801, .last = 0x28ff, .ascii = '*'},
};

char glyph_ascii(uint32_t code_point)
{
    if (code_point >= 0x20 && code_point < 0x7f) return (char)code_point;
    for (size_t i = 0; i < sizeof substitutes / sizeof *substitutes; i++)
        if (code_point >= substitutes[i].first && code_point <= substitutes[i].last)
            return substitutes[i].ascii;
    return '?';
}

static int squared(int a)
{
    return a * a;
}

static int distance(int32_t a, int32_t b)
{
    return 3 * squared((a >> 16 & 255) - (b >> 16 & 255)) + 4 * squared((a >> 8 & 255) - (b >> 8 & 255)) +
           2 * squared((a & 255) - (b & 255));
}

/* Colours from 16 on are the same everywhere: a cube of 6 × 6 × 6, then 24 greys. */
int32_t palette_colour(int index)
{
    static const int level[] = {0, 95, 135, 175, 215, 255};
    static const int32_t first[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
                                      0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
                                      0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};
    if (index < 16) return first[index < 0 ? 0 : index];
    if (index >= 232) return (8 + 10 * (index - 232)) * 0x010101;
    int n = index - 16;
    return level[n / 36] << 16 | level[n / 6 % 6] << 8 | level[n % 6];
}

static int nearest_of_256(int32_t rgb)
{
    int best = 16;
    for (int i = 17; i < 256; i++)
        if (distance(rgb, palette_colour(i)) < distance(rgb, palette_colour(best))) best = i;
    return best;
}

/* Eight colours look different on every terminal: what counts is the hue. */
static int by_hue(int32_t rgb, int colours)
{
    int r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;
    int most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b);
    if (most - least < 40) {
        if (most < 64) return 0;
        if (colours >= 16) return most < 150 ? 8 : most < 220 ? 7 : 15;
        return 7;
    }
    int half = (most + least) / 2;
    int index = (r > half ? 1 : 0) | (g > half ? 2 : 0) | (b > half ? 4 : 0);
    return colours >= 16 && most > 200 ? index + 8 : index;
}

int colour_index(int32_t rgb, int colours)
{
    return colours >= 256 ? nearest_of_256(rgb) : by_hue(rgb, colours);
}
