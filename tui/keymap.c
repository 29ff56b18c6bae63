#include "tui/keymap.h"
#include <bertty/file.h>
#include <bertty/yaml.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_KEYS_BYTES = 64 * 1024, KEY_NAME_SIZE = 32 };

#define WORKBENCH "Workbench"

static const struct action common[] = {
    {.id = ACT_UP, .name = "up", .keys = "k Up", .help = "up", .group = "Moving"},
    {.id = ACT_DOWN, .name = "down", .keys = "j Down", .help = "down", .group = "Moving"},
    {.id = ACT_LEFT, .name = "left", .keys = "h Left", .help = "to the left", .group = "Moving"},
    {.id = ACT_RIGHT, .name = "right", .keys = "l Right", .help = "to the right", .group = "Moving"},
    {.id = ACT_PAGE_UP, .name = "page-up", .keys = "PgUp Ctrl-b", .help = "a page up", .group = "Moving"},
    {.id = ACT_PAGE_DOWN,
     .name = "page-down",
     .keys = "PgDn Ctrl-f",
     .help = "a page down",
     .group = "Moving"},
    {.id = ACT_HALF_UP, .name = "half-up", .keys = "Ctrl-u", .help = "half a page up", .group = "Moving"},
    {.id = ACT_HALF_DOWN,
     .name = "half-down",
     .keys = "Ctrl-d",
     .help = "half a page down",
     .group = "Moving"},
    {.id = ACT_HOME, .name = "first", .keys = "g Home", .help = "to the beginning", .group = "Moving"},
    {.id = ACT_END, .name = "last", .keys = "G End", .help = "to the end", .group = "Moving"},
    {.id = ACT_ENTER, .name = "enter", .keys = "Enter", .help = "go in", .group = "Moving"},
    {.id = ACT_ESCAPE, .name = "back", .keys = "Esc", .help = "come out", .group = "Moving"},
    {.id = ACT_SEARCH, .name = "search", .keys = "/", .help = "search or filter", .group = "Moving"},
    {.id = ACT_NEXT, .name = "next", .keys = "n", .help = "the next find", .group = "Moving"},
    {.id = ACT_PREVIOUS, .name = "previous", .keys = "N", .help = "the find before", .group = "Moving"},
    {.id = ACT_COPY,
     .name = "copy",
     .keys = "y",
     .help = "copy to the terminal's clipboard",
     .group = "Moving"},
    {.id = ACT_NEXT_PANE, .name = "next-pane", .keys = "Tab", .help = "the next pane", .group = WORKBENCH},
    {.id = ACT_PREVIOUS_PANE,
     .name = "previous-pane",
     .keys = "Shift-Tab",
     .help = "the pane before",
     .group = WORKBENCH},
    {.id = ACT_ZOOM,
     .name = "zoom",
     .keys = "z",
     .help = "the focused pane alone, or all",
     .group = WORKBENCH},
    {.id = ACT_LARGER,
     .name = "larger",
     .keys = "}",
     .help = "the pane larger (or drag its border)",
     .group = WORKBENCH},
    {.id = ACT_SMALLER, .name = "smaller", .keys = "{", .help = "the pane smaller", .group = WORKBENCH},
    {.id = ACT_USUAL_SIZE,
     .name = "usual-size",
     .keys = "|",
     .help = "usual panes (double click: one border)",
     .group = WORKBENCH},
    {.id = ACT_COMMAND,
     .name = "command",
     .keys = ":",
     .help = "a command (Tab completes), or a row",
     .group = WORKBENCH},
    {.id = ACT_HELP, .name = "help", .keys = "? F1", .help = "these keys", .group = WORKBENCH},
    {.id = ACT_THEME, .name = "theme", .keys = "T", .help = "choose a theme", .group = WORKBENCH},
    {.id = ACT_REDRAW,
     .name = "redraw",
     .keys = "Ctrl-l",
     .help = "draw the screen anew",
     .group = WORKBENCH},
    {.id = ACT_SUSPEND,
     .name = "suspend",
     .keys = "Ctrl-z",
     .help = "back to the shell; fg returns",
     .group = WORKBENCH},
    {.id = ACT_QUIT, .name = "quit", .keys = "q Ctrl-c", .help = "leave; runs go on", .group = WORKBENCH},
    {.id = ACT_VIEW1, .name = "view-1", .keys = "1 Alt-1", .help = "Runs", .group = "Views"},
    {.id = ACT_VIEW1 + 1, .name = "view-2", .keys = "2 Alt-2", .help = "Data", .group = "Views"},
    {.id = ACT_VIEW1 + 2, .name = "view-3", .keys = "3 Alt-3", .help = "Experiment", .group = "Views"},
    {.id = ACT_VIEW1 + 3, .name = "view-4", .keys = "4 Alt-4", .help = "Charts", .group = "Views"},
    {.id = ACT_VIEW1 + 4, .name = "view-5", .keys = "5 Alt-5", .help = "Predictions", .group = "Views"},
    {.id = ACT_VIEW1 + 5, .name = "view-6", .keys = "6 Alt-6", .help = "Compare", .group = "Views"},
    {.id = ACT_VIEW1 + 6, .name = "view-7", .keys = "7 Alt-7", .help = "Probe", .group = "Views"},
    {.id = ACT_VIEW1 + 7, .name = "view-8", .keys = "8 Alt-8", .help = "Log", .group = "Views"},
    {.id = ACT_VIEW1 + 8, .name = "view-9", .keys = "9 Alt-9", .help = "Study", .group = "Views"},
};
enum { N_COMMON = sizeof common / sizeof *common };

/* What a user's file says about one action. */
struct binding {
    char *view, *action, *keys;
};

struct keymap {
    struct binding *binding;
    size_t n;
};

const struct action *keymap_common(size_t *n)
{
    *n = N_COMMON;
    return common;
}

const char *keymap_spelled(const struct keymap *k, const struct view_ops *view, const struct action *a)
{
    const char *where = view ? view->name : WORKBENCH;
    for (size_t i = 0; k && i < k->n; i++)
        if (strcasecmp(k->binding[i].view, where) == 0 && strcmp(k->binding[i].action, a->name) == 0)
            return k->binding[i].keys;
    return a->keys ? a->keys : "";
}

/* The next word of a list of keys; false at its end. */
static bool next_key(const char **keys, char name[KEY_NAME_SIZE])
{
    const char *p = *keys + strspn(*keys, " ");
    size_t n = strcspn(p, " ");
    *keys = p + n;
    if (n == 0 || n >= KEY_NAME_SIZE) return false;
    memcpy(name, p, n);
    name[n] = '\0';
    return true;
}

static bool has_key(const char *keys, const struct event *e)
{
    char name[KEY_NAME_SIZE];
    while (next_key(&keys, name)) {
        bool alt;
        int32_t key = key_parse(name, &alt);
        if (key && key == e->key && alt == e->alt) return true;
    }
    return false;
}

int keymap_find(const struct keymap *k, const struct view_ops *view, const struct event *e)
{
    for (size_t i = 0; view && i < view->n_actions; i++)
        if (has_key(keymap_spelled(k, view, &view->actions[i]), e)) return view->actions[i].id;
    for (size_t i = 0; i < N_COMMON; i++)
        if (has_key(keymap_spelled(k, NULL, &common[i]), e)) return common[i].id;
    return ACT_NONE;
}

static void add_pretty(struct bt_str *out, const char *name)
{
    static const struct {
        const char *name, *shown;
    } arrows[] = {{.name = "Up", .shown = "↑"},
                  {.name = "Down", .shown = "↓"},
                  {.name = "Left", .shown = "←"},
                  {.name = "Right", .shown = "→"}};
    for (size_t i = 0; i < sizeof arrows / sizeof *arrows; i++)
        if (strcmp(arrows[i].name, name) == 0) name = arrows[i].shown;
    bt_str_add(out, name);
}

static void add_keys(struct bt_str *out, const char *keys)
{
    char name[KEY_NAME_SIZE];
    for (bool first = true; next_key(&keys, name); first = false) {
        if (!first) bt_str_addc(out, ' ');
        add_pretty(out, name);
    }
}

void keymap_keys(const struct keymap *k, const struct view_ops *view, int action, struct bt_str *out)
{
    for (size_t i = 0; view && i < view->n_actions; i++) {
        if (view->actions[i].id != action) continue;
        add_keys(out, keymap_spelled(k, view, &view->actions[i]));
        return;
    }
    for (size_t i = 0; i < N_COMMON; i++)
        if (common[i].id == action) add_keys(out, keymap_spelled(k, NULL, &common[i]));
}

/* ── the user's file ── */

static const struct action *actions_of(const char *section, size_t *n)
{
    if (strcasecmp(section, WORKBENCH) == 0) return keymap_common(n);
    for (int i = 0; i < VIEWS; i++) {
        const struct view_ops *view = view_table((enum view_id)i);
        if (strcasecmp(view->name, section) != 0) continue;
        *n = view->n_actions;
        return view->actions;
    }
    *n = SIZE_MAX;
    return NULL;
}

static bool good_keys(const char *keys)
{
    char name[KEY_NAME_SIZE];
    bool alt;
    while (next_key(&keys, name))
        if (!key_parse(name, &alt)) return false;
    return keys[strspn(keys, " ")] == '\0';
}

static enum bt_status add_binding(struct keymap *k, const char *path, const char *section,
                                  const struct bt_yaml *name, const struct bt_yaml *keys,
                                  struct bt_error *err)
{
    size_t n, i = 0;
    const struct action *actions = actions_of(section, &n);
    while (i < n && strcmp(actions[i].name, name->text) != 0) i++;
    if (i == n)
        return bt_fail(err, BT_INVALID, "%s:%u:%u: '%s' is no action of %s (`?` lists them)", path,
                       name->line, name->column, name->text, section);
    if (keys->kind != BT_YAML_SCALAR || !good_keys(keys->text))
        return bt_fail(err, BT_INVALID,
                       "%s:%u:%u: found '%s', expected keys such as \"m\", \"Ctrl-r\" or \"F5 Space\"", path,
                       keys->line, keys->column, keys->text ? keys->text : "a list or a map");
    struct binding *grown = realloc(k->binding, (k->n + 1) * sizeof *grown);
    if (!grown) return bt_fail(err, BT_NOMEM, "%s", path);
    k->binding = grown;
    struct binding b = {
        .view = bt_strdup(section), .action = bt_strdup(name->text), .keys = bt_strdup(keys->text)};
    grown[k->n++] = b;
    return b.view && b.action && b.keys ? BT_OK : bt_fail(err, BT_NOMEM, "%s", path);
}

static enum bt_status read_bindings(struct keymap *k, const char *path, const struct bt_yaml *root,
                                    struct bt_error *err)
{
    if (root->kind != BT_YAML_MAP)
        return bt_fail(err, BT_INVALID, "%s:1:1: expected a map of views, as in \"runs: {mark: m}\"", path);
    for (size_t i = 0; i < root->n; i++) {
        const struct bt_yaml *name = root->keys[i], *section = root->items[i];
        size_t n;
        if (!actions_of(name->text, &n) && n == SIZE_MAX)
            return bt_fail(err, BT_INVALID, "%s:%u:%u: '%s' is neither a view nor \"workbench\"", path,
                           name->line, name->column, name->text);
        if (section->kind != BT_YAML_MAP)
            return bt_fail(err, BT_INVALID, "%s:%u:%u: expected a map of actions and their keys", path,
                           section->line, section->column);
        for (size_t j = 0; j < section->n; j++) {
            enum bt_status status =
                add_binding(k, path, name->text, section->keys[j], section->items[j], err);
            if (status != BT_OK) return status;
        }
    }
    return BT_OK;
}

static char *keys_path(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && *config) return bt_path_join(config, "bertty/keys.yaml");
    return home && *home ? bt_path_join(home, ".config/bertty/keys.yaml") : NULL;
}

enum bt_status keymap_load(struct keymap **out, struct bt_error *err)
{
    char *path = keys_path();
    struct keymap *k = calloc(1, sizeof *k);
    enum bt_status status = k ? BT_OK : bt_fail(err, BT_NOMEM, "key map");
    if (status == BT_OK && path && bt_path_exists(path)) {
        struct bt_error yaml_err = {0};
        struct bt_yaml *root = bt_yaml_load(path, MAX_KEYS_BYTES, &yaml_err);
        status =
            root ? read_bindings(k, path, root, err) : bt_fail(err, yaml_err.status, "%s", yaml_err.text);
        bt_yaml_free(root);
    }
    free(path);
    if (status == BT_OK)
        *out = k;
    else
        keymap_free(k);
    return status;
}

void keymap_free(struct keymap *k)
{
    if (!k) return;
    for (size_t i = 0; i < k->n; i++) {
        free(k->binding[i].view);
        free(k->binding[i].action);
        free(k->binding[i].keys);
    }
    free(k->binding);
    free(k);
}
