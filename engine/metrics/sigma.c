/* Unicode's Final_Sigma condition (section 3.13), as Python's str.lower() has it. */
#include "metrics/answers.h"

#include "base/unicode.h"
#include <bertty/text.h>
#include <string.h>

struct range {
    int32_t first, last;
};

/* Upper or lower case without being letters of that category: ª º, Roman numerals, letters in circles and squares. */
static const struct range cased[] = {
    {.first = 0xaa, .last = 0xaa},       {.first = 0xba, .last = 0xba},
    {.first = 0x2160, .last = 0x217f},   {.first = 0x24b6, .last = 0x24e9},
    {.first = 0x1f130, .last = 0x1f149}, {.first = 0x1f150, .last = 0x1f169},
    {.first = 0x1f170, .last = 0x1f189},
};

static bool is_cased(int32_t c, const char *category)
{
    if (category[0] == 'L' && strchr("ult", category[1])) return true;
    for (size_t i = 0; i < sizeof cased / sizeof *cased; i++)
        if (c >= cased[i].first && c <= cased[i].last) return true;
    return false;
}

/* 1: cased, 0: not, −1: to be passed over. */
static int kind_of(const char *text, size_t n)
{
    int32_t c;
    if (bt_utf8_decode(text, n, &c) != n) return 0;
    return bt__unicode_case_ignorable(c) ? -1 : is_cased(c, bt__unicode_category(c));
}

static bool cased_before(const char *text, size_t at)
{
    while (at > 0) {
        size_t begin = at - 1;
        while (begin > 0 && ((unsigned char)text[begin] & 0xc0) == 0x80) begin--;
        int kind = kind_of(text + begin, at - begin);
        if (kind >= 0) return kind;
        at = begin;
    }
    return false;
}

static bool cased_after(const char *text, size_t n, size_t at)
{
    while (at < n) {
        size_t end = at + 1;
        while (end < n && ((unsigned char)text[end] & 0xc0) == 0x80) end++;
        int kind = kind_of(text + at, end - at);
        if (kind >= 0) return kind;
        at = end;
    }
    return false;
}

bool bt__sigma_is_final(const char *text, size_t n, size_t begin, size_t end)
{
    return cased_before(text, begin) && !cased_after(text, n, end);
}
