#include <bertty/str.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and the NUL. */
static bool grow(struct bt_str *s, size_t n)
{
    if (s->failed) return false;
    if (n < s->cap && s->len < s->cap - n) return true;
    size_t cap = s->cap ? s->cap : 64;
    while (cap - s->len <= n && cap <= ((size_t)-1) / 4) cap *= 2;
    char *data = cap - s->len > n ? realloc(s->data, cap) : NULL;
    if (!data) {
        s->failed = true;
        return false;
    }
    s->data = data;
    s->cap = cap;
    return true;
}

void bt_str_addn(struct bt_str *s, const char *bytes, size_t n)
{
    if (!grow(s, n)) return;
    if (n) memcpy(s->data + s->len, bytes, n);
    s->len += n;
    s->data[s->len] = '\0';
}

void bt_str_add(struct bt_str *s, const char *text)
{
    bt_str_addn(s, text, strlen(text));
}

void bt_str_addc(struct bt_str *s, char c)
{
    bt_str_addn(s, &c, 1);
}

void bt_str_addf(struct bt_str *s, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n >= 0 && grow(s, (size_t)n)) {
        vsnprintf(s->data + s->len, (size_t)n + 1, fmt, again);
        s->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void bt_str_clear(struct bt_str *s)
{
    s->len = 0;
    s->failed = false;
    if (s->data) s->data[0] = '\0';
}

void bt_str_free(struct bt_str *s)
{
    free(s->data);
    *s = (struct bt_str){.data = NULL};
}

char *bt_str_take(struct bt_str *s)
{
    char *data = s->failed ? NULL : s->data ? s->data : bt_strdup("");
    if (s->failed) free(s->data);
    *s = (struct bt_str){.data = NULL};
    return data;
}

const char *bt_str_text(const struct bt_str *s)
{
    return s->data ? s->data : "";
}

bool bt_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

char *bt_strdup(const char *text)
{
    return text ? bt_strndup(text, strlen(text)) : NULL;
}

char *bt_strndup(const char *bytes, size_t n)
{
    char *copy = malloc(n + 1);
    if (!copy) return NULL;
    if (n) memcpy(copy, bytes, n);
    copy[n] = '\0';
    return copy;
}

char *bt_strfmt(const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (text) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

enum { LONGEST_NAME = 63 };

static int folded(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
static int distance(const char *a, size_t na, const char *b, size_t nb)
{
    int row[3][LONGEST_NAME + 2];
    for (size_t j = 0; j <= nb; j++) row[0][j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int differs = folded(a[i - 1]) != folded(b[j - 1]);
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + differs);
            bool swapped = i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                           folded(a[i - 2]) == folded(b[j - 1]);
            if (swapped) now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[na % 3][nb];
}

const char *bt_nearest(const char *word, const char *const *names, size_t n)
{
    size_t length = strlen(word);
    if (length > LONGEST_NAME) return NULL;
    int best = (int)(length / 3 > 1 ? length / 3 : 1) + 1;
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t m = strlen(names[i]);
        if (m > LONGEST_NAME) continue;
        int d = distance(word, length, names[i], m);
        if (d < best) {
            best = d;
            found = names[i];
        }
    }
    return found;
}
