/* The names of keys. */
#include "tui/keymap.h"
#include <bertty/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct key_name {
    int32_t key;
    const char *name;
};

static const struct key_name names[] = {
    {.key = ' ', .name = "Space"},
    {.key = KEY_CODE_UP, .name = "Up"},
    {.key = KEY_CODE_DOWN, .name = "Down"},
    {.key = KEY_CODE_LEFT, .name = "Left"},
    {.key = KEY_CODE_RIGHT, .name = "Right"},
    {.key = KEY_CODE_HOME, .name = "Home"},
    {.key = KEY_CODE_END, .name = "End"},
    {.key = KEY_CODE_PAGE_UP, .name = "PgUp"},
    {.key = KEY_CODE_PAGE_DOWN, .name = "PgDn"},
    {.key = KEY_CODE_INSERT, .name = "Ins"},
    {.key = KEY_CODE_DELETE, .name = "Del"},
    {.key = KEY_CODE_BACKSPACE, .name = "Backspace"},
    {.key = KEY_CODE_ENTER, .name = "Enter"},
    {.key = KEY_CODE_ESCAPE, .name = "Esc"},
    {.key = KEY_CODE_TAB, .name = "Tab"},
    {.key = KEY_CODE_BACKTAB, .name = "Shift-Tab"},
};

void key_name(const struct event *e, struct bt_str *out)
{
    char bytes[4];
    if (e->alt) bt_str_add(out, "Alt-");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].key != e->key) continue;
        bt_str_add(out, names[i].name);
        return;
    }
    if (e->key >= KEY_CODE_F1 && e->key <= KEY_CODE_F12)
        bt_str_addf(out, "F%d", (int)(e->key - KEY_CODE_F1 + 1));
    else if (e->key > 0 && e->key < 0x20)
        bt_str_addf(out, "Ctrl-%c", (char)(e->key <= 26 ? e->key + 'a' - 1 : e->key + '@'));
    else if (e->key < KEY_CODE_BASE)
        bt_str_addn(out, bytes, bt_utf8_encode(e->key, bytes));
}

static int32_t parse_function_key(const char *name)
{
    char *end;
    if (name[0] != 'F' || name[1] < '1' || name[1] > '9') return 0;
    long n = strtol(name + 1, &end, 10);
    return *end || n > 12 ? 0 : KEY_CODE_F1 + (int32_t)n - 1;
}

int32_t key_parse(const char *name, bool *alt)
{
    int32_t cp;
    *alt = strncmp(name, "Alt-", 4) == 0;
    if (*alt) name += 4;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i].name, name) == 0) return names[i].key;
    if (strncmp(name, "Ctrl-", 5) == 0 && name[5] >= '@' && name[5] <= 'z' && !name[6]) return name[5] & 0x1f;
    int32_t f = parse_function_key(name);
    if (f) return f;
    size_t n = strlen(name);
    return n && bt_utf8_decode(name, n, &cp) == n ? cp : 0;
}

const char *key_nearest(const char *name)
{
    const char *all[sizeof names / sizeof *names];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) all[i] = names[i].name;
    return bt_nearest(name, all, sizeof names / sizeof *names);
}
