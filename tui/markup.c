#include "tui/markup.h"

#include <bertty/text.h>
#include <string.h>

static const char *entity(int32_t c)
{
    return c == '<'    ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '&'  ? "&amp;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : NULL;
}

void markup_char(struct bt_str *out, int32_t c)
{
    char bytes[4];
    if (entity(c) && c != '"' && c != '\'')
        bt_str_add(out, entity(c));
    else
        bt_str_addn(out, bytes, bt_utf8_encode(c, bytes));
}

void markup_textn(struct bt_str *out, const char *bytes, size_t n)
{
    struct bt_str clean = {0};
    bt_text_clean(&clean, bytes, n);
    for (const char *p = bt_str_text(&clean); *p; p++)
        if (entity(*p))
            bt_str_add(out, entity(*p));
        else
            bt_str_addc(out, *p);
    out->failed |= clean.failed;
    bt_str_free(&clean);
}

void markup_text(struct bt_str *out, const char *text)
{
    markup_textn(out, text, strlen(text));
}
