#include "tui/signed_bar.h"

#include <math.h>

static void repeat(struct bt_str *out, const char *sign, int n)
{
    for (int i = 0; i < n; i++) bt_str_add(out, sign);
}

void signed_bar(struct bt_str *out, double value, int columns, bool only_right)
{
    const int half = only_right ? columns - 1 : (columns - 1) / 2;
    const double size = fmin(fabs(value), 1.0);
    const int filled = isfinite(value) ? (int)(size * half + 0.5) : 0;
    const bool left = value < 0.0 && !only_right;
    if (!only_right) repeat(out, " ", half - (left ? filled : 0));
    if (left) repeat(out, "▒", filled);
    bt_str_add(out, "│");
    if (!left) repeat(out, "▇", filled);
}
