/* The themes of themes/: each loads, its texts can be read, its series can be told apart, by the colour-blind too in the theme for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/term_glyph.h"
#include "tui/theme.h"
#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a terminal shows where a theme says "default". */
struct ground {
    int32_t fg, bg;
};

struct expected {
    const char *name;
    struct ground ground[2]; /* the plain one, and a usual softer one */
    double text, series;     /* least contrast */
    double distance;         /* least between two series, CIEDE2000; 0: it has no colours */
    double blind;            /* the same as the red-green blind see them; 0: not asked for */
};

#define DARK                                                                                                 \
    {                                                                                                        \
        {.fg = 0xd8d8d8, .bg = 0x000000},                                                                    \
        {                                                                                                    \
            .fg = 0xabb2bf, .bg = 0x282c34                                                                   \
        }                                                                                                    \
    }
#define LIGHT                                                                                                \
    {                                                                                                        \
        {.fg = 0x000000, .bg = 0xffffff},                                                                    \
        {                                                                                                    \
            .fg = 0x383a42, .bg = 0xf5f5f5                                                                   \
        }                                                                                                    \
    }
/* The sixteen are xterm's on xterm's black. */
#define XTERM                                                                                                \
    {                                                                                                        \
        {.fg = 0xe5e5e5, .bg = 0x000000},                                                                    \
        {                                                                                                    \
            .fg = 0xffffff, .bg = 0x000000                                                                   \
        }                                                                                                    \
    }

static const struct expected expected[] = {
    {.name = "16-colour", .ground = XTERM, .text = 4.5, .series = 4.4, .distance = 12},
    {.name = "colour-blind", .ground = DARK, .text = 4.5, .series = 4.5, .distance = 12, .blind = 12},
    {.name = "dark", .ground = DARK, .text = 4.5, .series = 4.5, .distance = 12},
    {.name = "gruvbox", .ground = DARK, .text = 4.5, .series = 4.5, .distance = 12},
    {.name = "high-contrast", .ground = DARK, .text = 7, .series = 7, .distance = 12},
    {.name = "light", .ground = LIGHT, .text = 4.5, .series = 4.5, .distance = 12},
    {.name = "monochrome", .ground = DARK, .text = 4.5, .series = 4.5},
    {.name = "solarized", .ground = DARK, .text = 4.5, .series = 4.5, .distance = 12},
};
enum { N_THEMES = sizeof expected / sizeof *expected };

static struct theme *load(const char *name)
{
    struct bt_error err = {0};
    struct theme *t = NULL;
    char path[64];
    snprintf(path, sizeof path, "themes/%s.yaml", name);
    if (theme_load(path, &t, &err) != BT_OK) fail_msg("%s", err.text);
    return t;
}

static void every_theme_is_known(void **state)
{
    int n = 0;
    (void)state;
    DIR *d = opendir("themes");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0) continue;
        int i = 0;
        while (i < N_THEMES && strncmp(expected[i].name, e->d_name, (size_t)(dot - e->d_name)) != 0) i++;
        if (i == N_THEMES) fail_msg("themes/%s is not tested here", e->d_name);
        n++;
    }
    closedir(d);
    assert_int_equal(n, N_THEMES);
}

/* ── contrast: WCAG 2.1, relative luminance and contrast ratio ── */

static double linear(int32_t rgb, int shift)
{
    double c = (rgb >> shift & 255) / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(int32_t rgb)
{
    return 0.2126 * linear(rgb, 16) + 0.7152 * linear(rgb, 8) + 0.0722 * linear(rgb, 0);
}

static double contrast(int32_t a, int32_t b)
{
    double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
    return x > y ? x / y : y / x;
}

static int32_t seen(int32_t colour, int32_t otherwise, bool few)
{
    if (colour < 0) return otherwise;
    if (colour & THEME_PALETTE) return palette_colour(colour & 255);
    return few ? palette_colour(colour_index(colour, 256)) : colour;
}

/* The colours of a role on a ground, as the screen makes them (term_shared.c): what it leaves out is the text's, then the terminal's. */
static struct ground colours_of(const struct theme *t, enum role role, struct ground g, bool few)
{
    const struct theme_style *s = &t->style[role], *text = &t->style[ROLE_TEXT];
    return (struct ground){.fg = seen(s->fg < 0 ? text->fg : s->fg, g.fg, few),
                           .bg = seen(s->bg < 0 ? text->bg : s->bg, g.bg, few)};
}

/* Lines of frames carry no text: they need only be seen. */
static double least(const struct expected *e, int role)
{
    return role == ROLE_BORDER ? 1.5 : role >= ROLE_SERIES0 ? e->series : e->text;
}

/* With 256 colours what is lost by rounding may cost a twentieth. */
static void texts_can_be_read(void **state)
{
    int bad = 0;
    (void)state;
    for (int i = 0; i < N_THEMES; i++) {
        const struct expected *e = &expected[i];
        struct theme *t = load(e->name);
        for (int k = 0; k < 4 * ROLES; k++) {
            int role = k / 4;
            bool few = k & 2;
            struct ground c = colours_of(t, (enum role)role, e->ground[k & 1], few);
            double ratio = contrast(c.fg, c.bg), wanted = least(e, role) * (few ? 0.95 : 1);
            if (ratio < wanted)
                print_error("%s: role %d: #%06x on #%06x%s: %.2f, wanted %.2f\n", e->name, role,
                            (unsigned)c.fg, (unsigned)c.bg, few ? " (256 colours)" : "", ratio, wanted);
            bad += ratio < wanted;
        }
        theme_free(t);
    }
    assert_int_equal(bad, 0);
}

/* ── distance ── */

struct lab {
    double l, a, b;
};

/* Machado, Oliveira, Fernandes 2009, “A Physiologically-based Model for Simulation of Color Vision Deficiency”, severity 1, on linear RGB. */
static const double usual[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
static const double protanopia[3][3] = {
    {0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}};
static const double deuteranopia[3][3] = {
    {0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}};

static double clamp(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* CIE 15: f(t) of L*a*b*. */
static double curve(double t)
{
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

/* sRGB (IEC 61966-2-1, D65) as an eye sees it, in CIE L*a*b*. */
static struct lab lab_of(int32_t rgb, const double eye[3][3])
{
    double in[3] = {linear(rgb, 16), linear(rgb, 8), linear(rgb, 0)}, c[3];
    for (int i = 0; i < 3; i++) c[i] = clamp(eye[i][0] * in[0] + eye[i][1] * in[1] + eye[i][2] * in[2]);
    double x = curve((0.4124564 * c[0] + 0.3575761 * c[1] + 0.1804375 * c[2]) / 0.95047);
    double y = curve(0.2126729 * c[0] + 0.7151522 * c[1] + 0.0721750 * c[2]);
    double z = curve((0.0193339 * c[0] + 0.1191920 * c[1] + 0.9503041 * c[2]) / 1.08883);
    return (struct lab){.l = 116 * y - 16, .a = 500 * (x - y), .b = 200 * (y - z)};
}

static double cos_of(double degrees)
{
    return cos(degrees * acos(-1) / 180);
}

static double hue(double a, double b)
{
    double h = atan2(b, a) * 180 / acos(-1);
    return h < 0 ? h + 360 : h;
}

static double mean_hue(double h, double k)
{
    if (fabs(h - k) <= 180) return (h + k) / 2;
    return h + k < 360 ? (h + k + 360) / 2 : (h + k - 360) / 2;
}

static double chroma_7(double c)
{
    return sqrt(pow(c, 7) / (pow(c, 7) + pow(25, 7)));
}

/* CIEDE2000; Sharma, Wu, Dalal 2005, “The CIEDE2000 Color-Difference Formula: Implementation Notes, …”, equations 2 to 22. */
static double difference(struct lab p, struct lab q)
{
    double g = 1 + 0.5 * (1 - chroma_7((hypot(p.a, p.b) + hypot(q.a, q.b)) / 2));
    double c1 = hypot(g * p.a, p.b), c2 = hypot(g * q.a, q.b), h1 = hue(g * p.a, p.b), h2 = hue(g * q.a, q.b);
    bool grey = c1 == 0 || c2 == 0;
    double dh = grey ? 0 : remainder(h2 - h1, 360);
    double h = grey ? h1 + h2 : mean_hue(h1, h2), l = (p.l + q.l) / 2 - 50, c = (c1 + c2) / 2;
    double t = 1 - 0.17 * cos_of(h - 30) + 0.24 * cos_of(2 * h) + 0.32 * cos_of(3 * h + 6) -
               0.20 * cos_of(4 * h - 63);
    double dl = (q.l - p.l) / (1 + 0.015 * l * l / sqrt(20 + l * l)), dc = (c2 - c1) / (1 + 0.045 * c);
    double dH = 2 * sqrt(c1 * c2) * sin(dh / 2 * acos(-1) / 180) / (1 + 0.015 * c * t);
    double turn = 60 * exp(-pow((h - 275) / 25, 2));
    double rt = -sin(turn * acos(-1) / 180) * 2 * chroma_7(c);
    return sqrt(dl * dl + dc * dc + dH * dH + rt * dc * dH);
}

#define LAB(l_, a_, b_)                                                                                      \
    {                                                                                                        \
        .l = (l_), .a = (a_), .b = (b_)                                                                      \
    }

/* Of table 1 of that paper, and of equal colours. */
static void distances_are_those_of_the_paper(void **state)
{
    static const struct {
        struct lab p, q;
        double d;
    } pairs[] = {
        {.p = LAB(50, 2.6772, -79.7751), .q = LAB(50, 0, -82.7485), .d = 2.0425},
        {.p = LAB(50, -1.3802, -84.2814), .q = LAB(50, 0, -82.7485), .d = 1.0000},
        {.p = LAB(50, 2.4900, -0.0010), .q = LAB(50, -2.4900, 0.0009), .d = 7.1792},
        {.p = LAB(50, 2.4900, -0.0010), .q = LAB(50, -2.4900, 0.0011), .d = 7.2195},
        {.p = LAB(50, 2.5, 0), .q = LAB(73, 25, -18), .d = 27.1492},
        {.p = LAB(60.2574, -34.0099, 36.2677), .q = LAB(60.4626, -34.1751, 39.4387), .d = 1.2644},
        {.p = LAB(22.7233, 20.0904, -46.6940), .q = LAB(23.0331, 14.9730, -42.5619), .d = 2.0373},
        {.p = LAB(2.0776, 0.0795, -1.1350), .q = LAB(0.9033, -0.0636, -0.5514), .d = 0.9082},
        {.p = LAB(50, 0, 0), .q = LAB(50, 0, 0), .d = 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_float_equal(difference(pairs[i].p, pairs[i].q), pairs[i].d, 0.5e-4);
        assert_float_equal(difference(pairs[i].q, pairs[i].p), pairs[i].d, 0.5e-4);
    }
    assert_float_equal(contrast(0xffffff, 0x000000), 21, 1e-9);
    assert_float_equal(contrast(0x777777, 0xffffff), 4.478, 1e-3);
    assert_true(difference(lab_of(0xff0000, usual), lab_of(0x00c000, usual)) > 50);
    assert_true(difference(lab_of(0xb4a000, deuteranopia), lab_of(0x7fc000, deuteranopia)) < 10);
}

static int too_near(const struct theme *t, const enum role *role, int n, double wanted,
                    const double eye[3][3], const struct expected *e)
{
    int bad = 0;
    for (int k = 0; k < n * n * 2; k++) {
        bool few = k & 1;
        int i = k / 2 % n, j = k / 2 / n;
        if (i >= j) continue;
        int32_t a = colours_of(t, role[i], e->ground[0], few).fg,
                b = colours_of(t, role[j], e->ground[0], few).fg;
        double d = difference(lab_of(a, eye), lab_of(b, eye));
        if (d < wanted)
            print_error("%s: #%06x and #%06x%s: %.2f, wanted %.2f\n", e->name, (unsigned)a, (unsigned)b,
                        few ? " (256 colours)" : "", d, wanted);
        bad += d < wanted;
    }
    return bad;
}

static void series_can_be_told_apart(void **state)
{
    static const enum role verdict[] = {ROLE_GOOD, ROLE_WARN, ROLE_BAD};
    enum role series[THEME_SERIES];
    int bad = 0;
    (void)state;
    for (unsigned n = 0; n < THEME_SERIES; n++) series[n] = role_series(n);
    for (int i = 0; i < N_THEMES; i++) {
        const struct expected *e = &expected[i];
        struct theme *t = load(e->name);
        bad += too_near(t, series, THEME_SERIES, e->distance, usual, e);
        bad += too_near(t, verdict, 3, e->distance, usual, e);
        bad += too_near(t, series, THEME_SERIES, e->blind, protanopia, e);
        bad += too_near(t, series, THEME_SERIES, e->blind, deuteranopia, e);
        bad += too_near(t, verdict, 3, e->blind, protanopia, e);
        bad += too_near(t, verdict, 3, e->blind, deuteranopia, e);
        theme_free(t);
    }
    assert_int_equal(bad, 0);
}

/* The theme for terminals with sixteen colours takes nothing but those. */
static void sixteen_are_sixteen(void **state)
{
    struct theme *t = load("16-colour");
    (void)state;
    for (int r = 0; r < ROLES; r++) {
        assert_true(t->style[r].fg < 0 || (t->style[r].fg & THEME_PALETTE && (t->style[r].fg & 255) < 16));
        assert_true(t->style[r].bg < 0 || (t->style[r].bg & THEME_PALETTE && (t->style[r].bg & 255) < 16));
    }
    assert_int_equal(t->style[ROLE_BAD].fg, THEME_PALETTE + 9);
    assert_int_equal(t->style[ROLE_DIM].fg, THEME_PALETTE + 7);
    theme_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_theme_is_known),
        cmocka_unit_test(texts_can_be_read),
        cmocka_unit_test(distances_are_those_of_the_paper),
        cmocka_unit_test(series_can_be_told_apart),
        cmocka_unit_test(sixteen_are_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
