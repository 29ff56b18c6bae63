/* Unicode's Final_Sigma condition (section 3.13): what Python's str.lower(), and so Google's tokenizer, makes of Σ. */
#include "tokenizer/charmap.h"

#include "base/unicode.h"
#include <bertty/text.h>
#include <string.h>

enum kind { OTHER, CASED, IGNORED };

static enum kind kind_of(int32_t cp)
{
    const char *c = bt__unicode_category(cp);
    if (cp == 0xfffd || (strcmp(c, "Cc") == 0 && cp != '\t' && cp != '\n' && cp != '\r'))
        return IGNORED; /* dropped before */
    if (bt__unicode_case_ignorable(cp)) return IGNORED;
    return c[0] == 'L' && strchr("ult", c[1]) ? CASED : OTHER;
}

/* The kind of the first character behind at that is not ignored. */
static enum kind after(const char *text, size_t at, size_t to)
{
    while (at < to) {
        int32_t cp;
        size_t n = bt_utf8_decode(text + at, to - at, &cp);
        enum kind k = n ? kind_of(cp) : IGNORED;
        if (k != IGNORED) return k;
        at += n ? n : 1;
    }
    return OTHER;
}

static enum kind before(const char *text, size_t from, size_t at)
{
    while (at > from) {
        int32_t cp;
        size_t back = at - 1;
        while (back > from && ((unsigned char)text[back] & 0xc0) == 0x80) back--;
        enum kind k = bt_utf8_decode(text + back, at - back, &cp) == at - back ? kind_of(cp) : IGNORED;
        if (k != IGNORED) return k;
        at = back;
    }
    return OTHER;
}

bool bt__final_sigma(const char *text, size_t from, size_t to, size_t begin, size_t end)
{
    return before(text, from, begin) == CASED && after(text, end, to) != CASED;
}
