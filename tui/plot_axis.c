#include "tui/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LARGEST  1e300  /* beyond it differences overflow */
#define SMALLEST 1e-290 /* below it steps vanish */

/* ── numbers as text ── */

/* 5.00e-05 → 5.00e-5, 1e+07 → 1e7 */
static void shorten_exponent(char *text)
{
    char *e = strchr(text, 'e');
    if (!e) return;
    char *to = e + 1, *from = to;
    if (*from == '-') *to++ = *from++;
    if (*from == '+') from++;
    while (*from == '0' && from[1]) from++;
    memmove(to, from, strlen(from) + 1);
}

static void strip_zeros(char *text)
{
    char *end = text + strlen(text);
    if (!strchr(text, '.') || strchr(text, 'e')) return;
    while (end[-1] == '0') *--end = '\0';
    if (end[-1] == '.') *--end = '\0';
}

static const struct {
    double from, unit;
    const char *suffix;
} units[] = {{.from = 1e9, .unit = 1e9, .suffix = "G"},
             {.from = 1e6, .unit = 1e6, .suffix = "M"},
             {.from = 1e5, .unit = 1e3, .suffix = "k"}};

enum { N_UNITS = sizeof units / sizeof *units };

void plot_value(char *text, size_t size, double value)
{
    double a = fabs(value);
    if (isnan(value)) {
        snprintf(text, size, "nan");
    } else if (isinf(value) || value == 0) {
        snprintf(text, size, "%s", value == 0 ? "0" : value > 0 ? "inf" : "-inf");
    } else if (a >= 1e12 || a < 1e-3) {
        snprintf(text, size, "%.3g", value);
        shorten_exponent(text);
    } else if (a >= units[N_UNITS - 1].from) {
        size_t i = 0;
        while (a < units[i].from) i++;
        snprintf(text, size, "%.3g%s", value / units[i].unit, units[i].suffix);
    } else {
        int decimals = a >= 1000 ? 0 : a >= 100 ? 1 : a >= 10 ? 2 : a >= 1 ? 3 : 4;
        snprintf(text, size, "%.*f", decimals, value);
    }
}

static int decimals_for(double step)
{
    double d = ceil(-log10(step) - 1e-9);
    return d > 0 ? (int)d : 0;
}

static void number_text(char *text, double value, double step)
{
    double a = fabs(value);
    if (a < step * 1e-6) {
        snprintf(text, PLOT_TICK_TEXT, "0");
    } else if (a >= 1e12 || step < 1e-4) {
        int digits = (int)floor(log10(a)) + decimals_for(step);
        snprintf(text, PLOT_TICK_TEXT, "%.*e", digits > 0 && digits < 6 ? digits : 0, value);
        shorten_exponent(text);
    } else if (a >= 1e4 && step >= 100) {
        size_t i = 0;
        while (i < N_UNITS - 1 && a < units[i].from) i++;
        int decimals = decimals_for(step / units[i].unit);
        snprintf(text, PLOT_TICK_TEXT, "%.*f%s", decimals, value / units[i].unit, units[i].suffix);
    } else {
        snprintf(text, PLOT_TICK_TEXT, "%.*f", decimals_for(step), value);
    }
}

static void duration_text(char *text, double value, double step)
{
    int s = value > 0 ? value < 1e9 ? (int)lround(value) : 1000000000 : 0;
    if (step < 1) {
        snprintf(text, PLOT_TICK_TEXT, "%.*fs", decimals_for(step), value);
    } else if (s == 0) {
        snprintf(text, PLOT_TICK_TEXT, "0");
    } else if (s < 60) {
        snprintf(text, PLOT_TICK_TEXT, "%ds", s);
    } else if (s < 3600) {
        snprintf(text, PLOT_TICK_TEXT, s % 60 ? "%dm%02d" : "%dm", s / 60, s % 60);
    } else if (s < 172800) {
        snprintf(text, PLOT_TICK_TEXT, s / 60 % 60 ? "%dh%02d" : "%dh", s / 3600, s / 60 % 60);
    } else {
        snprintf(text, PLOT_TICK_TEXT, s / 3600 % 24 ? "%dd%02dh" : "%dd", s / 86400, s / 3600 % 24);
    }
}

static void clock_text(char *text, double value, double step)
{
    time_t t = (time_t)llround(value);
    struct tm local;
    const char *form = step < 60 ? "%H:%M:%S" : step < 86400 ? "%H:%M" : "%m-%d";
    if (!localtime_r(&t, &local) || !strftime(text, PLOT_TICK_TEXT, form, &local)) text[0] = '\0';
}

/* ── steps ── */

/* The least of 1, 2, 5 × 10^k that is ≥ x. */
static double step_125(double x)
{
    double decade = pow(10, floor(log10(x)));
    static const double factor[] = {1, 2, 5, 10};
    for (int i = 0; i < 4; i++)
        if (decade * factor[i] >= x * (1 - 1e-9)) return decade * factor[i];
    return decade * 10;
}

static double step_time(double x)
{
    static const double seconds[] = {1,   2,    5,    10,   15,    30,    60,    120,  300,
                                     600, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
    if (x < seconds[0]) return step_125(x);
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (seconds[i] >= x * (1 - 1e-9)) return seconds[i];
    return 86400 * step_125(x / 86400);
}

static int count_steps(struct plot_range r, double step, double offset)
{
    double n = floor((r.max + offset) / step + 1e-9) - ceil((r.min + offset) / step - 1e-9) + 1;
    return n > 1e6 ? 1000000 : (int)n;
}

static int linear_ticks(struct plot_range r, enum plot_x kind, int most, struct plot_tick *tick)
{
    double (*round_up)(double) = kind == PLOT_X_NUMBER ? step_125 : step_time;
    void (*text)(char *, double, double) = kind == PLOT_X_NUMBER     ? number_text
                                           : kind == PLOT_X_DURATION ? duration_text
                                                                     : clock_text;
    double step = round_up((r.max - r.min) / most), offset = 0;
    if (kind == PLOT_X_CLOCK) { /* steps begin at local midnight */
        time_t t = (time_t)r.min;
        struct tm local;
        if (localtime_r(&t, &local)) offset = (double)local.tm_gmtoff;
    }
    while (count_steps(r, step, offset) > most) step = round_up(step * 1.01);
    int n = count_steps(r, step, offset);
    double first = ceil((r.min + offset) / step - 1e-9);
    for (int i = 0; i < n; i++) {
        tick[i].at = (first + i) * step - offset;
        text(tick[i].text, tick[i].at, step);
    }
    return n > 0 ? n : 0;
}

static void log_text(char *text, double value)
{
    if (value >= 1e-3 && value < 1e4) {
        snprintf(text, PLOT_TICK_TEXT, "%.*f", decimals_for(value / 2), value);
        strip_zeros(text);
    } else {
        snprintf(text, PLOT_TICK_TEXT, "%.0e", value);
        shorten_exponent(text);
    }
}

/* Every `each`-th decade times the first n factors; how many fall into the range. */
static int decade_ticks(struct plot_range r, int each, int n, int most, struct plot_tick *tick)
{
    static const double factor[] = {1, 2, 5};
    int found = 0;
    for (double e = floor(log10(r.min)); e <= log10(r.max) + 1e-9; e += 1) {
        if (fmod(e, each) != 0) continue;
        for (int i = 0; i < n; i++) {
            double at = (n == 2 && i == 1 ? 3 : factor[i]) * pow(10, e);
            if (at < r.min * (1 - 1e-9) || at > r.max * (1 + 1e-9)) continue;
            if (found == most) return most + 1;
            tick[found].at = at;
            log_text(tick[found++].text, at);
        }
    }
    return found;
}

static int log_ticks(struct plot_range r, int most, struct plot_tick *tick)
{
    for (int n = 3; n >= 1; n--) {
        int found = decade_ticks(r, 1, n, most, tick);
        if (found >= 2 && found <= most) return found;
    }
    for (int each = 2; each <= 400; each++) {
        int found = decade_ticks(r, each, 1, most, tick);
        if (found >= 2 && found <= most) return found;
    }
    return linear_ticks(r, PLOT_X_NUMBER, most, tick);
}

int plot_ticks(struct plot_range range, enum plot_x kind, bool log, int most,
               struct plot_tick tick[PLOT_MAX_TICKS])
{
    if (most > PLOT_MAX_TICKS) most = PLOT_MAX_TICKS;
    if (!(range.max > range.min) || !isfinite(range.max - range.min) || most < 1) return 0;
    if (log && range.min <= 0) return 0;
    return log ? log_ticks(range, most, tick) : linear_ticks(range, kind, most, tick);
}

/* ── ranges ── */

static bool usable(double v, bool log)
{
    return fabs(v) <= LARGEST && (!log || v >= SMALLEST);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Leaves out what lies beyond the span of nine in ten values by more than half of it, as a sample has them. */
static void clip_range(const struct plot_line *line, size_t n_lines, struct plot_range x, bool log,
                       struct plot_range *range)
{
    enum { SAMPLE = 4096 };
    double *sample = malloc(SAMPLE * sizeof *sample);
    size_t n = 0, share = SAMPLE / (n_lines ? n_lines : 1);
    for (size_t l = 0; sample && l < n_lines && share; l++) {
        size_t each = line[l].n / share + 1;
        for (size_t i = 0; i < line[l].n && n < SAMPLE; i += each)
            if (line[l].x[i] >= x.min && line[l].x[i] <= x.max && usable(line[l].y[i], log))
                sample[n++] = line[l].y[i];
    }
    if (n >= 50) {
        qsort(sample, n, sizeof *sample, by_value);
        double low = sample[n / 20], high = sample[n - 1 - n / 20];
        double from = log ? low * sqrt(low / high) : low - (high - low) / 2;
        double to = log ? high * sqrt(high / low) : high + (high - low) / 2;
        size_t first = 0, last = n - 1;
        while (sample[first] < from) first++;
        while (sample[last] > to) last--;
        if (sample[last] > sample[first])
            *range = (struct plot_range){.min = sample[first], .max = sample[last]};
    }
    free(sample);
}

static void widen_by(struct plot_range *r, double least, double greatest)
{
    if (least < r->min) r->min = least;
    if (greatest > r->max) r->max = greatest;
}

static void widen_to(const struct plot_line *line, struct plot_range x, bool log, struct plot_range *r)
{
    size_t i = 0, end = line->n;
    if (line->level) {
        if (end && usable(line->y[end - 1], log)) widen_by(r, line->y[end - 1], line->y[end - 1]);
        return;
    }
    if (!line->scattered) plot_window(line->x, line->n, x, &i, &end);
    while (i < end) {
        size_t whole = line->scattered ? 0 : plot_block_at(line->block, i, end, log);
        const struct plot_block *b = whole ? &line->block[i / PLOT_BLOCK_POINTS] : NULL;
        if (b && !(usable(b->least, log) && usable(b->greatest, log))) whole = 0;
        if (whole)
            widen_by(r, b->least, b->greatest);
        else if (line->x[i] >= x.min && line->x[i] <= x.max && usable(line->y[i], log))
            widen_by(r, line->y[i], line->y[i]);
        i += whole ? whole : 1;
    }
}

bool plot_values(const struct plot_line *line, size_t n_lines, struct plot_range x, bool log, bool clip,
                 struct plot_range *range)
{
    struct plot_range r = {.min = INFINITY, .max = -INFINITY};
    for (size_t l = 0; l < n_lines; l++) widen_to(&line[l], x, log, &r);
    if (r.min > r.max) return false;
    if (clip) clip_range(line, n_lines, x, log, &r);
    *range = r;
    return true;
}

/* 1, 2 or 5 × 10^k at or below (above) v. */
static double log_floor(double v)
{
    double up = step_125(v);
    if (up <= v * (1 + 1e-9)) return up;
    double decade = pow(10, floor(log10(v)));
    return v >= 5 * decade ? 5 * decade : v >= 2 * decade ? 2 * decade : decade;
}

struct plot_range plot_nice(struct plot_range r, bool log, int ticks)
{
    if (ticks < 2) ticks = 2;
    if (log) {
        if (r.max <= r.min * 1.0001) r = (struct plot_range){.min = r.min / 1.5, .max = r.max * 1.5};
        return (struct plot_range){.min = log_floor(r.min), .max = step_125(r.max)};
    }
    if (r.max - r.min <= fabs(r.max) * 1e-12 + SMALLEST) {
        double pad = fabs(r.max) > SMALLEST * 1e3 ? fabs(r.max) * 0.1 : 1;
        r = (struct plot_range){.min = r.min - pad, .max = r.max + pad};
    }
    double step = step_125((r.max - r.min) / ticks);
    return (struct plot_range){.min = floor(r.min / step + 1e-9) * step,
                               .max = ceil(r.max / step - 1e-9) * step};
}
