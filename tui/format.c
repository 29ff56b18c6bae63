#include "tui/format.h"
#include <bertty/text.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void format_count(struct bt_str *out, int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, n);
    for (int i = 0; i < length; i++) {
        bool due = i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0;
        if (due) bt_str_addc(out, ',');
        bt_str_addc(out, digits[i]);
    }
}

void format_duration(struct bt_str *out, double seconds)
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e11) {
        bt_str_addc(out, '?');
        return;
    }
    long s = (long)seconds;
    if (s < 60)
        bt_str_addf(out, "%lds", s);
    else if (s < 3600)
        bt_str_addf(out, "%ldm%02lds", s / 60, s % 60);
    else if (s < 86400)
        bt_str_addf(out, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        bt_str_addf(out, "%ldd%02ldh", s / 86400, s / 3600 % 24);
}

static bool all(const char *p, size_t n, int (*is)(int))
{
    for (size_t i = 0; i < n; i++)
        if (!is((unsigned char)p[i])) return false;
    return true;
}

/* At most 20 columns for ASCII, so that what tells runs of one name apart is never cut off. */
static void short_name(struct bt_str *out, const char *name, size_t n, const char *last)
{
    enum { WHOLE = 13, PART = 14 };
    size_t cut = n;
    if (n > WHOLE + 1) cut = PART;
    while (cut < n && cut > 0 && ((unsigned char)name[cut] & 0xc0) == 0x80) cut--;
    bt_str_addf(out, cut < n ? "%.*s…-%s" : "%.*s-…-%s", (int)cut, name, last);
}

void format_run_id(struct bt_str *out, const char *id)
{
    static const size_t tail = sizeof "-20261124-110859-3f2a" - 1;
    size_t n = strlen(id);
    const char *p = n > tail ? id + n - tail : NULL;
    if (p && p[0] == '-' && all(p + 1, 8, isdigit) && p[9] == '-' && all(p + 10, 6, isdigit) &&
        p[16] == '-' && all(p + 17, 4, isxdigit))
        short_name(out, id, n - tail, p + 17);
    else
        bt_str_add(out, id);
}

void format_end(struct bt_str *out, const char *text, size_t n, int columns)
{
    int width = bt_text_width(text, n);
    if (width <= columns || columns < 2) {
        bt_str_addn(out, text, n);
        return;
    }
    bt_str_add(out, "…");
    bt_text_slice(out, text, n, width - columns + 1, columns - 1);
}
