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
    {0xa0, 0xa0, ' '},     {0xb1, 0xb1, '~'},      {0xb7, 0xb7, '.'},     {0xd7, 0xd7, 'x'},
    {0x2010, 0x2015, '-'}, {0x2018, 0x2019, '\''}, {0x201c, 0x201d, '"'}, {0x2022, 0x2022, '*'},
    {0x2026, 0x2026, '~'}, {0x2190, 0x2190, '<'},  {0x2191, 0x2191, '^'}, {0x2192, 0x2192, '>'},
    {0x2193, 0x2193, 'v'}, {0x21b5, 0x21b5, '<'},  {0x2212, 0x2212, '-'}, {0x2248, 0x2248, '~'},
    {0x2264, 0x2264, '<'}, {0x2265, 0x2265, '>'},  {0x2500, 0x2501, '-'}, {0x2502, 0x2503, '|'},
    {0x2504, 0x2505, '-'}, {0x2506, 0x2507, '|'},  {0x2508, 0x2509, '-'}, {0x250a, 0x250b, '|'},
    {0x250c, 0x254b, '+'}, {0x254c, 0x254d, '-'},  {0x254e, 0x254f, '|'}, {0x2550, 0x2550, '='},
    {0x2551, 0x2551, '|'}, {0x2552, 0x256c, '+'},  {0x2581, 0x2583, '.'}, {0x2584, 0x2586, 'o'},
    {0x2587, 0x258a, '#'}, {0x258b, 0x258d, '='},  {0x258e, 0x258f, '|'}, {0x2591, 0x2591, '.'},
    {0x2592, 0x2592, ':'}, {0x2593, 0x2593, '#'},  {0x2596, 0x259f, '#'}, {0x25a0, 0x25a0, '#'},
    {0x25a1, 0x25a1, 'o'}, {0x25aa, 0x25aa, '*'},  {0x25b2, 0x25b5, '^'}, {0x25b6, 0x25ba, '>'},
    {0x25bc, 0x25bf, 'v'}, {0x25c0, 0x25c4, '<'},  {0x25c6, 0x25c6, '*'}, {0x25c7, 0x25c7, 'o'},
    {0x25cb, 0x25cb, 'o'}, {0x25cf, 0x25cf, '*'},  {0x2605, 0x2605, '*'}, {0x2606, 0x2606, '*'},
    {0x2610, 0x2610, ' '}, {0x2611, 0x2612, 'x'},  {0x2713, 0x2714, '+'}, {0x2715, 0x2718, 'x'},
    {0x2800, 0x2800, ' '}, {0x2801, 0x28ff, '*'},
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
static int32_t xterm_colour(int index)
{
    static const int level[] = {0, 95, 135, 175, 215, 255};
    if (index >= 232) return (8 + 10 * (index - 232)) * 0x010101;
    int n = index - 16;
    return level[n / 36] << 16 | level[n / 6 % 6] << 8 | level[n % 6];
}

static int nearest_of_256(int32_t rgb)
{
    int best = 16;
    for (int i = 17; i < 256; i++)
        if (distance(rgb, xterm_colour(i)) < distance(rgb, xterm_colour(best))) best = i;
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
