#include "base/unicode.h"

#include <string.h>

/* Beyond the categories: what Word_Break calls MidLetter, MidNumLet and Single_Quote. */
static const int32_t between[] = {0x27,   0x2e,   0x3a,   0xb7,   0x387,  0x55f,  0x5f4,  0x2018, 0x2019,
                                  0x2024, 0x2027, 0xfe13, 0xfe52, 0xfe55, 0xff07, 0xff0e, 0xff1a};

bool bt__unicode_case_ignorable(int32_t cp)
{
    static const char *const ignored[] = {"Mn", "Me", "Cf", "Lm", "Sk"};
    const char *category = bt__unicode_category(cp);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (strcmp(category, ignored[i]) == 0) return true;
    for (size_t i = 0; i < sizeof between / sizeof *between; i++)
        if (between[i] == cp) return true;
    return false;
}
