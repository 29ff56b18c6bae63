/* What a user may write for the workbench: themes and key maps. */
#include "tests/fuzz/fuzz.h"

#include "tui/keymap.h"
#include "tui/theme.h"

static enum bt_status read_theme(const char *path, const char *dir, const char *text, size_t n,
                                 struct bt_error *err)
{
    struct theme *t = NULL;
    (void)dir, (void)text, (void)n;
    const enum bt_status st = theme_load(path, &t, err);
    if (!st) theme_free(t);
    return st;
}

static enum bt_status read_keys(const char *path, const char *dir, const char *text, size_t n,
                                struct bt_error *err)
{
    struct keymap *k = NULL;
    (void)path, (void)dir, (void)text, (void)n;
    const enum bt_status st = keymap_load(&k, err);
    keymap_free(k);
    return st;
}

const struct fuzz_target fuzz_screen[] = {{.name = "theme", .file = "x.yaml", .read = read_theme},
                                          {.name = "keys", .file = "bertty/keys.yaml", .read = read_keys},
                                          {.name = NULL}};
