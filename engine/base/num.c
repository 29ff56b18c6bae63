#include <bertty/num.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a number may be made of: strtod alone would take hexadecimal, "inf", "nan" and leading space. */
static bool plain(const char *text, const char *allowed)
{
    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

/* Text with the locale's decimal point instead of '.', for strtod; false if it does not fit. */
static bool localise(const char *text, char *out, size_t size)
{
    char point[8];
    snprintf(point, sizeof point, "%.1f", 0.5); /* "0.5" or "0,5" */
    size_t n = strlen(text);
    if (n >= size) return false;
    memcpy(out, text, n + 1);
    char *dot = strchr(out, '.');
    if (dot) *dot = point[1];
    return true;
}

bool bt_parse_double(const char *text, double *v)
{
    char copy[128], *end;
    if (!plain(text, "0123456789+-.eE") || !localise(text, copy, sizeof copy)) return false;
    double x = strtod(copy, &end);
    if (*end != '\0' || end == copy || !isfinite(x)) return false;
    *v = x;
    return true;
}

bool bt_parse_int64(const char *text, int64_t *v)
{
    char *end;
    if (!plain(text, "0123456789+-")) return false;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (*end != '\0' || end == text || errno == ERANGE) return false;
    *v = x;
    return true;
}

/* The number of at most 20 characters before *text's first character out of `ends`, which is passed over. */
static bool number_before(const char **text, const char *ends, double *v)
{
    char part[21];
    const size_t n = strcspn(*text, ends);
    if (n >= sizeof part) return false;
    memcpy(part, *text, n);
    part[n] = '\0';
    *text += n + ((*text)[n] != '\0');
    return plain(part, "0123456789.") && bt_parse_double(part, v);
}

/* Hours, minutes and seconds, or the latter two. */
static bool parse_clock(const char *text, double *seconds)
{
    double sum = 0, part;
    int n = 0;
    for (; *text && n < 3; n++) {
        if (!number_before(&text, ":", &part) || (n && part >= 60)) return false;
        sum = 60 * sum + part;
    }
    *seconds = sum;
    return !*text && n > 1;
}

/* Numbers with units, the larger first. */
static bool parse_units(const char *text, double *seconds)
{
    static const char units[] = "dhms";
    static const double of[] = {86400, 3600, 60, 1};
    double part;
    *seconds = 0;
    for (size_t least = 0; *text;) {
        const char *unit = strchr(units, text[strcspn(text, units)]);
        if (!unit || !*unit || (size_t)(unit - units) < least || !number_before(&text, units, &part))
            return false;
        least = (size_t)(unit - units) + 1;
        *seconds += part * of[unit - units];
    }
    return true;
}

bool bt_parse_duration(const char *text, double *seconds)
{
    const double most = 1000 * 86400.0;
    double sum;
    if (!(strchr(text, ':') ? parse_clock(text, &sum) : parse_units(text, &sum))) return false;
    if (sum <= 0 || sum > most) return false;
    *seconds = sum;
    return true;
}

/* printf's decimal comma of other locales back to a point. */
static void unlocalise(char *text)
{
    for (; *text; text++)
        if (*text == ',') *text = '.';
}

/* 10 and not 1e+01, which is no longer and harder to read. */
static bool whole(double v, char out[BT_NUMBER_SIZE])
{
    if (!(fabs(v) < 1e6) || v != floor(v)) return false;
    snprintf(out, BT_NUMBER_SIZE, "%.0f", v);
    return true;
}

/* 5e-5, as people write learning rates, not 5e-05. */
static void shorten_exponent(char *text)
{
    char *zero = strstr(text, "e-0");
    if (zero) memmove(zero + 2, zero + 3, strlen(zero + 3) + 1);
}

const char *bt_format_double(double v, char out[BT_NUMBER_SIZE])
{
    if (whole(v, out)) return out;
    bool small = fabs(v) < 1e-3; /* 2e-4 rather than 0.0002 */
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, BT_NUMBER_SIZE, small ? "%.*e" : "%.*g", small ? digits - 1 : digits, v);
        if (strtod(out, NULL) == v) break;
    }
    unlocalise(out);
    shorten_exponent(out);
    return out;
}

const char *bt_format_float(float v, char out[BT_NUMBER_SIZE])
{
    if (whole((double)v, out)) return out;
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(out, BT_NUMBER_SIZE, "%.*g", digits, (double)v);
        if (strtof(out, NULL) == v) break;
    }
    unlocalise(out);
    return out;
}
