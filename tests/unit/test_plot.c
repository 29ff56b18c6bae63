/* Plots as text: ticks, ranges, glyphs of the three styles, gaps, and that no spike vanishes. */
#include "tui/plot.h"

#include <bertty/text.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static uint32_t seed;

static double noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)seed / 4294967296.0;
}

/* The plot as lines of UTF-8, spaces at the ends of lines removed; the caller frees. */
static char *text_of(const struct plot_spec *p)
{
    size_t n = (size_t)(p->width * p->height);
    struct plot_cell *cell = calloc(n, sizeof *cell);
    char *out = calloc(n * 4 + (size_t)p->height + 1, 1), *to = out;
    struct plot_area area;
    plot_draw(p, cell, &area);
    for (int row = 0; row < p->height; row++) {
        char *line = to;
        for (int c = 0; c < p->width; c++) to += bt_utf8_encode((int32_t)cell[row * p->width + c].ch, to);
        while (to > line && to[-1] == ' ') to--;
        *to++ = '\n';
    }
    *to = '\0';
    free(cell);
    return out;
}

static void expect(const struct plot_spec *p, const char *expected)
{
    char *text = text_of(p);
    if (strcmp(text, expected) != 0) fail_msg("expected:\n%sgot:\n%s", expected, text);
    free(text);
}

/* ── scales ── */

static void expect_ticks(struct plot_range r, enum plot_x kind, bool log, int most, const char *expected)
{
    struct plot_tick tick[PLOT_MAX_TICKS];
    char line[400] = "";
    int n = plot_ticks(r, kind, log, most, tick);
    for (int i = 0; i < n; i++) {
        strcat(line, i ? " " : "");
        strcat(line, tick[i].text);
    }
    assert_string_equal(line, expected);
}

static void ticks(void **state)
{
    (void)state;
    const struct {
        struct plot_range r;
        enum plot_x kind;
        bool log;
        int most;
        const char *expected;
    } cases[] = {
        {{0, 1}, PLOT_X_NUMBER, false, 6, "0 0.2 0.4 0.6 0.8 1.0"},
        {{0, 1}, PLOT_X_NUMBER, false, 5, "0 0.5 1.0"},
        {{-1, 1}, PLOT_X_NUMBER, false, 5, "-1.0 -0.5 0 0.5 1.0"},
        {{0.84, 0.88}, PLOT_X_NUMBER, false, 5, "0.84 0.85 0.86 0.87 0.88"},
        {{0, 975}, PLOT_X_NUMBER, false, 5, "0 200 400 600 800"},
        {{0, 50000}, PLOT_X_NUMBER, false, 6, "0 10k 20k 30k 40k 50k"},
        {{0, 3e6}, PLOT_X_NUMBER, false, 4, "0 1M 2M 3M"},
        {{0, 5e-5}, PLOT_X_NUMBER, false, 6, "0 1e-5 2e-5 3e-5 4e-5 5e-5"},
        {{2.5e-5, 4e-5}, PLOT_X_NUMBER, false, 4, "2.5e-5 3.0e-5 3.5e-5 4.0e-5"},
        {{1e-6, 1}, PLOT_X_NUMBER, true, 8, "1e-6 1e-5 1e-4 0.001 0.01 0.1 1"},
        {{1e-6, 1}, PLOT_X_NUMBER, true, 4, "1e-6 1e-4 0.01 1"},
        {{0.1, 10}, PLOT_X_NUMBER, true, 7, "0.1 0.2 0.5 1 2 5 10"},
        {{0.1, 10}, PLOT_X_NUMBER, true, 5, "0.1 0.3 1 3 10"},
        {{0.2, 0.45}, PLOT_X_NUMBER, true, 6, "0.20 0.25 0.30 0.35 0.40 0.45"},
        {{0, 90}, PLOT_X_DURATION, false, 4, "0 30s 1m 1m30"},
        {{0, 7300}, PLOT_X_DURATION, false, 5, "0 30m 1h 1h30 2h"},
        {{0, 3 * 86400}, PLOT_X_DURATION, false, 4, "0 24h 2d 3d"},
        {{0, 0.5}, PLOT_X_DURATION, false, 6, "0.0s 0.1s 0.2s 0.3s 0.4s 0.5s"},
        {{1700000000, 1700003600}, PLOT_X_CLOCK, false, 4, "22:30 23:00"},
        {{1700000000, 1700000030}, PLOT_X_CLOCK, false, 4, "22:13:20 22:13:30 22:13:40 22:13:50"},
        {{1, 1}, PLOT_X_NUMBER, false, 5, ""},
        {{0, 1}, PLOT_X_NUMBER, true, 5, ""},
        {{NAN, 1}, PLOT_X_NUMBER, false, 5, ""},
    };
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_ticks(cases[i].r, cases[i].kind, cases[i].log, cases[i].most, cases[i].expected);
}

/* For any range: within it, ascending, at most as many as wanted, at least one where three are allowed. */
static void ticks_of_any_range(void **state)
{
    (void)state;
    struct plot_tick tick[PLOT_MAX_TICKS];
    for (int i = 0; i < 20000; i++) {
        double low = (noise() - 0.5) * pow(10, noise() * 30 - 15), width = pow(10, noise() * 30 - 15);
        struct plot_range r = {.min = low, .max = low + width + fabs(low) * 1e-6};
        enum plot_x kind = noise() < 0.8 ? PLOT_X_NUMBER : PLOT_X_DURATION;
        bool log = noise() < 0.5 && low > 0 && kind == PLOT_X_NUMBER;
        int most = 1 + (int)(noise() * 12), n = plot_ticks(r, kind, log, most, tick);
        assert_in_range(n, most >= 3 ? 1 : 0, most);
        for (int k = 0; k < n; k++) {
            double slack = (r.max - r.min) * 1e-6;
            assert_true(tick[k].at >= r.min - slack && tick[k].at <= r.max + slack);
            assert_true(k == 0 || tick[k].at > tick[k - 1].at);
            assert_in_range(strlen(tick[k].text), 1, PLOT_TICK_TEXT - 1);
        }
    }
}

static void values_as_text(void **state)
{
    (void)state;
    const struct {
        double v;
        const char *text;
    } cases[] = {{0.33814, "0.3381"}, {5e-5, "5e-5"},      {0, "0"},         {2913.4, "2913"},
                 {-1.25, "-1.250"},   {1.25e6, "1.25M"},   {123456, "123k"}, {918.44, "918.4"},
                 {NAN, "nan"},        {-INFINITY, "-inf"}, {1e300, "1e300"}, {-1.2345e-7, "-1.23e-7"},
                 {12.345, "12.35"},   {0.0012, "0.0012"}};
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        plot_value(text, sizeof text, cases[i].v);
        assert_string_equal(text, cases[i].text);
    }
}

static void nice_ranges(void **state)
{
    (void)state;
    const struct {
        struct plot_range r;
        bool log;
        struct plot_range expected;
    } cases[] = {
        {{0.13, 0.69}, false, {0, 0.8}},    {{0.845, 0.871}, false, {0.84, 0.88}},
        {{3, 3}, false, {2.6, 3.4}},        {{0, 0}, false, {-1, 1}},
        {{-5, 12}, false, {-5, 15}},        {{0.03, 4}, true, {0.02, 5}},
        {{1e-5, 1e-5}, true, {5e-6, 2e-5}}, {{1, 1000}, true, {1, 1000}},
        {{-3, -3}, false, {-3.4, -2.6}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plot_range got = plot_nice(cases[i].r, cases[i].log, 5);
        assert_true(fabs(got.min - cases[i].expected.min) < 1e-9);
        assert_true(fabs(got.max - cases[i].expected.max) < 1e-9);
    }
}

static void ranges_of_values(void **state)
{
    (void)state;
    double x[200], y[200];
    for (int i = 0; i < 200; i++) {
        x[i] = i;
        y[i] = 1 + i * 0.01;
    }
    y[0] = NAN;
    y[1] = -INFINITY;
    y[100] = 1000;
    y[150] = -4;
    struct plot_line line = {.x = x, .y = y, .n = 200};
    struct plot_range all = {.min = 0, .max = 199}, r;
    assert_true(plot_values(&line, 1, all, false, false, &r));
    assert_true(r.min == -4 && r.max == 1000);
    assert_true(plot_values(&line, 1, all, true, false, &r));
    assert_true(r.min == 1.02 && r.max == 1000);
    assert_true(plot_values(&line, 1, all, false, true, &r));
    assert_true(r.min > 1 && r.max < 3);
    assert_true(plot_values(&line, 1, (struct plot_range){.min = 10, .max = 20}, false, false, &r));
    assert_true(r.min == 1.1 && r.max == 1.2);
    assert_false(plot_values(&line, 1, (struct plot_range){.min = 0, .max = 1}, false, false, &r));
}

/* ── drawings ── */

static const double line_x[] = {0, 10, 20, 30, 40}, line_y[] = {0, 4, 2, 2, 1};
static const struct plot_line one_line = {.x = line_x, .y = line_y, .n = 5, .marked = true};

static struct plot_spec spec(int width, int height, enum plot_glyphs glyphs, const struct plot_line *line,
                             size_t n)
{
    return (struct plot_spec){.width = width,
                              .height = height,
                              .glyphs = glyphs,
                              .x = {.min = 0, .max = 40},
                              .y = {.min = 0, .max = 4},
                              .line = line,
                              .n_lines = n};
}

static void three_styles(void **state)
{
    (void)state;
    struct plot_spec p = spec(30, 8, PLOT_BRAILLE, &one_line, 1);
    expect(&p, "4┤      ⡴●⢄\n"
               " │    ⢀⡜⠁  ⠙⢦⡀\n"
               " │   ⢀⠞      ⠉⠢⡀\n"
               "2┤  ⢠⠋         ●⠉⠉⠉⠉⠉⠉●⠑⠒⠤⣀⡀\n"
               " │ ⡰⠃                      ⠈⠑●\n"
               "0┤●⠁\n"
               " └┬─────────────┬────────────┬\n"
               "  0            20           40\n");
    p.glyphs = PLOT_BLOCK;
    expect(&p, "4┤      ▟●▄\n"
               " │     ▞   ▀▄\n"
               " │   ▗▛      ▀▚▖\n"
               "2┤  ▄▘         ●▀▀▀▀▀▀●▀▀▄▄▖\n"
               " │ ▟▘                      ▝▀●\n"
               "0┤●\n"
               " └┬─────────────┬────────────┬\n"
               "  0            20           40\n");
    p.glyphs = PLOT_ASCII;
    expect(&p, "4+      |o|\n"
               " |     |'  ||.\n"
               " |    |'     '|.\n"
               "2+  .|         o''''''o'-..\n"
               " | ||                      ''o\n"
               "0+o'\n"
               " ++-------------+------------+\n"
               "  0            20           40\n");
}

static void small_sizes(void **state)
{
    (void)state;
    struct plot_spec p = spec(12, 3, PLOT_BRAILLE, &one_line, 1);
    expect(&p, "  ⡰⠳⣄\n"
               " ⡴⠁ ⠈●⠤⠤⠤⢄⡀\n"
               "⡼⠁        ⠈●\n");
    for (int w = 0; w < 30; w++)
        for (int h = 0; h < 10; h++) {
            p = spec(w, h, (enum plot_glyphs)(w % 3), &one_line, 1);
            p.cursor = true;
            free(text_of(&p));
        }
}

static void gaps(void **state)
{
    (void)state;
    double x[41], y[41];
    for (int i = 0; i <= 40; i++) {
        x[i] = i;
        y[i] = 1 + i * 0.05;
    }
    for (int i = 10; i < 20; i++) y[i] = NAN;
    y[30] = INFINITY;
    struct plot_line line = {.x = x, .y = y, .n = 41};
    struct plot_spec p = spec(30, 8, PLOT_ASCII, &line, 1);
    expect(&p, "4+                    ^\n"
               " |                       ...|-\n"
               " |             ....----'''\n"
               "2+    ...x     x\n"
               " |-|''\n"
               "0+\n"
               " ++-------------+------------+\n"
               "  0            20           40\n");
    p.log_y = true;
    p.y = (struct plot_range){.min = 1, .max = 4};
    y[35] = 0; /* has no place on a logarithmic axis */
    expect(&p, " |                    ^\n"
               " |                     ...----\n"
               " |             ...|-|'''\n"
               "2+             x\n"
               " |   ..-'x\n"
               "1+.-''                    v\n"
               " ++-------------+------------+\n"
               "  0            20           40\n");
}

static void two_lines_cursor_and_events(void **state)
{
    (void)state;
    static const double other[] = {3, 3, 3, 3, 3};
    const struct plot_line lines[] = {
        one_line, {.x = line_x, .y = other, .n = 5, .colour = 1, .dashed = true, .marked = true}};
    const struct plot_event event[] = {{.x = 10, .ch = '*'}, {.x = 41, .ch = '*'}};
    struct plot_spec p = spec(40, 9, PLOT_ASCII, lines, 2);
    p.cursor = true;
    p.cursor_x = 25;
    p.event = event;
    p.n_events = 2;
    expect(&p, "4+        |o|.           !\n"
               " |*.  .. |:* '||  ..* .. !..  *.  ..  .*\n"
               " |     .|       '-.      !\n"
               "2+    ||           'o---------o..\n"
               " |  .|'                  !       '|-..\n"
               " | .|                    !            'o\n"
               "0+o'                     !\n"
               " ++--------*---------+--------+--------+\n"
               "  0       10        20       30       40\n");
}

/* A line that enters the window from the left and leaves it to the right reaches both edges. */
static void zoomed_line_crosses_the_window(void **state)
{
    (void)state;
    static const double x[] = {-1000, 1000}, y[] = {2, 2};
    struct plot_line line = {.x = x, .y = y, .n = 2};
    struct plot_spec p = spec(30, 8, PLOT_ASCII, &line, 1);
    expect(&p, "4+\n"
               " |\n"
               " |\n"
               "2+''''''''''''''''''''''''''''\n"
               " |\n"
               "0+\n"
               " ++-------------+------------+\n"
               "  0            20           40\n");
}

/* ── exactness ── */

/* Dot rows set in a column of braille dots. */
static bool dot(const struct plot_cell *cell, const struct plot_spec *p, const struct plot_area *a, int x,
                int y)
{
    static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const struct plot_cell *c = &cell[(a->top + y / 4) * p->width + a->left + x / 2];
    return c->ch >= 0x2800 && c->ch < 0x2900 && (c->ch & bit[y % 4][x % 2]);
}

/* The extremes of every column of dots, computed from every point, are there. */
static void every_extreme_is_drawn(void **state)
{
    (void)state;
    enum { N = 20000, W = 70, H = 20 };
    static double x[N], y[N];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = noise() < 0.001 ? noise() * 10 : noise();
    }
    struct plot_line line = {.x = x, .y = y, .n = N};
    struct plot_spec p = spec(W, H, PLOT_BRAILLE, &line, 1);
    p.x = (struct plot_range){.min = 0, .max = N - 1};
    p.y = (struct plot_range){.min = 0, .max = 10};
    static struct plot_cell cell[W * H];
    struct plot_area a;
    plot_draw(&p, cell, &a);
    for (int i = 0; i < N; i++) {
        int column = (int)lround(x[i] / (N - 1) * (a.width * 2 - 1));
        int row = (int)lround((1 - y[i] / 10) * (a.height * 4 - 1));
        /* not only the extremes: between them the column is filled */
        assert_true(dot(cell, &p, &a, column, row));
    }
}

/* One wrong value among a hundred thousand shows at every width. */
static void a_spike_never_vanishes(void **state)
{
    (void)state;
    enum { N = 100000 };
    static double x[N], y[N];
    static struct plot_cell cell[200 * 10];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = 0.1;
    }
    struct plot_line line = {.x = x, .y = y, .n = N, .dashed = true};
    for (int width = 20; width < 200; width += 7) {
        int at = (int)(noise() * N);
        y[at] = 4;
        struct plot_spec p = spec(width, 10, (enum plot_glyphs)(width % 3), &line, 1);
        p.x = (struct plot_range){.min = 0, .max = N - 1};
        struct plot_area a;
        plot_draw(&p, cell, &a);
        int column = plot_column(&p, &a, at), found = -1;
        for (int c = 0; c < a.width; c++)
            if (cell[a.top * width + a.left + c].ch != ' ') found = c;
        assert_in_range(found, column - 1 < 0 ? 0 : column - 1, column + 1);
        y[at] = 0.1;
    }
}

/* What blocks of points come to gives the very cells and ranges that the points give: with gaps, below zero, zoomed, on both scales. */
static void blocks_change_nothing(void **state)
{
    (void)state;
    enum { N = 9000, W = 60, H = 12 };
    static double x[N], y[N];
    static struct plot_block block[N / PLOT_BLOCK_POINTS];
    static struct plot_cell with[W * H], without[W * H];
    static const double odd[] = {NAN, INFINITY, -INFINITY, -3, 0, 1e-320, 1e301, 50};
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < N; i++) {
            x[i] = i / 3;
            y[i] = round % 4 && noise() < 0.002 ? odd[(int)(noise() * 8)] : 1 + noise();
        }
        plot_blocks(y, N, block);
        struct plot_line line[] = {{.x = x, .y = y, .n = N, .marked = true},
                                   {.x = x, .y = y, .n = N, .marked = true, .block = block}};
        struct plot_spec p[] = {spec(W, H, (enum plot_glyphs)(round % 3), &line[0], 1),
                                spec(W, H, (enum plot_glyphs)(round % 3), &line[1], 1)};
        struct plot_range all = {.min = noise() * N / 3, .max = N / 3.0}, r[2];
        if (round % 5) all.max = all.min + 1 + noise() * (all.max - all.min);
        struct plot_area a;
        for (int k = 0; k < 2; k++) {
            p[k].log_y = round % 2;
            p[k].x = all;
            bool any = plot_values(&line[k], 1, all, p[k].log_y, false, &r[k]);
            p[k].y = any ? plot_nice(r[k], p[k].log_y, 5) : (struct plot_range){.min = 1, .max = 2};
            plot_draw(&p[k], k ? with : without, &a);
        }
        assert_true(p[0].y.min == p[1].y.min && p[0].y.max == p[1].y.max);
        assert_memory_equal(with, without, sizeof with);
    }
}

/* A column that is just one block: the line goes on from its last point. */
static void a_block_is_a_column(void **state)
{
    (void)state;
    enum { W = 40, H = 12, N = 2 * W * PLOT_BLOCK_POINTS };
    static double x[N], y[N];
    static struct plot_block block[N / PLOT_BLOCK_POINTS];
    static struct plot_cell with[W * H], without[W * H];
    for (int i = 0; i < N; i++) {
        x[i] = i - PLOT_BLOCK_POINTS / 2 + 0.5;
        y[i] = i / PLOT_BLOCK_POINTS % 3 * 10 + (double)(i % PLOT_BLOCK_POINTS) / PLOT_BLOCK_POINTS;
    }
    plot_blocks(y, N, block);
    struct plot_line line = {.x = x, .y = y, .n = N};
    struct plot_spec p = spec(W, H, PLOT_BRAILLE, &line, 1);
    struct plot_area a;
    p.y = (struct plot_range){.min = 0, .max = 30};
    plot_draw(&p, without, &a);
    p.x = (struct plot_range){.min = 0, .max = (a.width * 2 - 1) * PLOT_BLOCK_POINTS};
    plot_draw(&p, without, &a);
    line.block = block;
    plot_draw(&p, with, &a);
    assert_memory_equal(with, without, sizeof with);
}

static void columns_and_back(void **state)
{
    (void)state;
    for (int log = 0; log < 2; log++)
        for (int g = 0; g < 3; g++) {
            struct plot_spec p = spec(60, 10, (enum plot_glyphs)g, NULL, 0);
            p.log_x = log;
            p.x = (struct plot_range){.min = 2, .max = 9000};
            struct plot_area a = {.left = 5, .width = 50, .height = 8};
            for (int c = 0; c < a.width; c++) assert_int_equal(plot_column(&p, &a, plot_x_at(&p, &a, c)), c);
            assert_int_equal(plot_column(&p, &a, -500), -1);
            assert_int_equal(plot_column(&p, &a, 20000), a.width);
        }
}

static void hostile_values(void **state)
{
    (void)state;
    static const double v[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 0, 5e-324, 1};
    double x[8], y[8];
    for (int round = 0; round < 3000; round++) {
        for (int i = 0; i < 8; i++) {
            x[i] = i + noise();
            y[i] = v[(int)(noise() * 8)];
        }
        struct plot_line line = {.x = x, .y = y, .n = 8, .marked = true};
        struct plot_spec p = spec(40, 10, (enum plot_glyphs)(round % 3), &line, 1);
        p.log_y = noise() < 0.5;
        p.x = (struct plot_range){.min = 0, .max = 9};
        if (!plot_values(&line, 1, p.x, p.log_y, false, &p.y)) continue;
        p.y = plot_nice(p.y, p.log_y, 5);
        assert_true(p.y.min < p.y.max);
        free(text_of(&p));
    }
}

/* One value over the whole width, wherever its x is; nothing where it is beyond the axis. */
static void a_level(void **state)
{
    (void)state;
    const double x[] = {-5}, low[] = {0.25}, high[] = {9};
    const struct plot_line line[] = {
        {.x = x, .y = low, .n = 1, .colour = 1, .dashed = true, .level = true, .marked = true},
        {.x = x, .y = high, .n = 1, .dashed = true, .level = true, .marked = true}};
    struct plot_spec p = {.width = 12,
                          .height = 3,
                          .glyphs = PLOT_ASCII,
                          .x = {.min = 0, .max = 10},
                          .y = {.min = 0, .max = 1},
                          .line = line,
                          .n_lines = 2};
    char *text = text_of(&p);
    const char *found = strchr(text, '*'), *last = strrchr(text, '*');
    assert_true(found && last - found == 11);
    for (const char *at = found + 1; at < last; at++)
        assert_true(*at == ((at - found) % 4 >= 2 ? ' ' : found[1]));
    assert_true(found[1] != ' ' && found[4] != ' ');
    assert_null(strchr(text, 'o'));
    free(text);
    struct plot_range r;
    assert_true(plot_values(line, 2, p.x, false, false, &r));
    assert_true(r.min == 0.25 && r.max == 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level),
        cmocka_unit_test(ticks),
        cmocka_unit_test(ticks_of_any_range),
        cmocka_unit_test(values_as_text),
        cmocka_unit_test(nice_ranges),
        cmocka_unit_test(ranges_of_values),
        cmocka_unit_test(three_styles),
        cmocka_unit_test(small_sizes),
        cmocka_unit_test(gaps),
        cmocka_unit_test(two_lines_cursor_and_events),
        cmocka_unit_test(zoomed_line_crosses_the_window),
        cmocka_unit_test(every_extreme_is_drawn),
        cmocka_unit_test(a_spike_never_vanishes),
        cmocka_unit_test(blocks_change_nothing),
        cmocka_unit_test(a_block_is_a_column),
        cmocka_unit_test(columns_and_back),
        cmocka_unit_test(hostile_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
