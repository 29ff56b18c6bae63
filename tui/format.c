#include "tui/format.h"
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
