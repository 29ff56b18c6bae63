/* The option table. */
#include <bertty/experiment.h>

#include <string.h>

#define ROW(g, nm)                                                                                           \
    .group = #g, .name = #nm, .key = #g "." #nm, .offset = offsetof(struct bt_experiment, g##_##nm)

static const struct bt_option table[BT_OPTIONS] = {
#define TEXT(g, nm, def, txt)                                                                                \
    {ROW(g, nm), .kind = BT_OPTION_TEXT, .nullable = true, .fallback = -1, .text = def, .unit = "",          \
     .help = txt},
#define LIST(g, nm, txt) {ROW(g, nm), .kind = BT_OPTION_LIST, .unit = "", .help = txt},
#define INT(g, nm, def, lo, hi, un, txt)                                                                     \
    {ROW(g, nm),          .kind = BT_OPTION_INT, .fallback = (double)(def),                                  \
     .low = (double)(lo), .high = (double)(hi),  .unit = un,                                                 \
     .help = txt},
#define REAL(g, nm, def, lo, hi, un, txt)                                                                    \
    {ROW(g, nm),          .kind = BT_OPTION_REAL, .fallback = (double)(def),                                 \
     .low = (double)(lo), .high = (double)(hi),   .unit = un,                                                \
     .help = txt},
#define INT_OR_NULL(g, nm, lo, hi, un, txt)                                                                  \
    {ROW(g, nm),          .kind = BT_OPTION_INT, .nullable = true, .fallback = -1,                           \
     .low = (double)(lo), .high = (double)(hi),  .unit = un,       .help = txt},
#define REAL_OR_NULL(g, nm, lo, hi, un, txt)                                                                 \
    {ROW(g, nm),          .kind = BT_OPTION_REAL, .nullable = true, .fallback = -1,                          \
     .low = (double)(lo), .high = (double)(hi),   .unit = un,       .help = txt},
#define BOOL(g, nm, def, txt)                                                                                \
    {ROW(g, nm), .kind = BT_OPTION_BOOL, .fallback = (double)(def), .unit = "", .help = txt},
#define CHOICE(g, nm, def, list, txt)                                                                        \
    {ROW(g, nm), .kind = BT_OPTION_CHOICE, .fallback = (double)(def),                                        \
     .unit = "", .choices = list,          .help = txt},
#include <bertty/options.def>
#undef TEXT
#undef LIST
#undef INT
#undef REAL
#undef INT_OR_NULL
#undef REAL_OR_NULL
#undef BOOL
#undef CHOICE
};

const struct bt_option *bt_options(size_t *n)
{
    if (n) *n = BT_OPTIONS;
    return table;
}

size_t bt_option_index(const struct bt_option *o)
{
    return (size_t)(o - table);
}

const struct bt_option *bt_option_find(const char *key)
{
    const struct bt_option *by_name = NULL;
    int found = 0;
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        if (strcmp(table[i].key, key) == 0) return &table[i];
        if (strcmp(table[i].name, key) == 0) {
            by_name = &table[i];
            found++;
        }
    }
    return found == 1 ? by_name : NULL;
}

const char *bt_option_choice_text(const struct bt_option *o, int i, size_t *n)
{
    const char *p = o->choices;
    for (; p && i > 0; i--) {
        p = strchr(p, '|');
        if (p) p++;
    }
    *n = p ? strcspn(p, "|") : 0;
    return p;
}

int bt_option_choice(const struct bt_option *o, const char *text, size_t n)
{
    size_t length;
    const char *choice;
    for (int i = 0; (choice = bt_option_choice_text(o, i, &length)); i++)
        if (length == n && memcmp(choice, text, n) == 0) return i;
    return -1;
}
