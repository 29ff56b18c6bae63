#include "tui/theme.h"
#include <bertty/file.h>
#include <bertty/yaml.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THEME_BYTES = 64 * 1024, MAX_NAMES = 256 };

static const char *const role_names[ROLES] = {
#define X(role, name, attributes) [role] = name,
    THEME_ROLES(X)
#undef X
};
static const unsigned plain[ROLES] = {
#define X(role, name, attributes) [role] = attributes,
    THEME_ROLES(X)
#undef X
};

unsigned theme_plain_attributes(enum role role)
{
    return plain[role];
}

/* ── where themes are ── */

/* base/relative, or the directory of the program + relative if base is NULL; NULL without memory. */
static char *from_program(const char *relative)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return NULL;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash) *slash = '\0';
    return bt_path_join(self, relative);
}

static char *from_config(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && *config) return bt_path_join(config, "bertty/themes");
    return home && *home ? bt_path_join(home, ".config/bertty/themes") : NULL;
}

/* The i-th directory of themes, the user's first; false behind the last. *dir may be NULL: there is none of that kind. */
static bool theme_directory(int i, char **dir)
{
    static const char *const relative[] = {"../share/bertty/themes", "themes", "../themes", "../../themes"};
    enum { N = sizeof relative / sizeof *relative };
    if (i > N) return false;
    *dir = i == 0 ? from_config() : from_program(relative[i - 1]);
    return true;
}

static char *find_theme(const char *name)
{
    char *dir;
    if (strchr(name, '/')) return bt_strdup(name);
    for (int i = 0; theme_directory(i, &dir); i++) {
        char *path = dir ? bt_strfmt("%s/%s.yaml", dir, name) : NULL;
        free(dir);
        if (path && bt_path_exists(path)) return path;
        free(path);
    }
    return NULL;
}

static bool known(char *const *names, size_t n, const char *name, size_t length)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) return true;
    return false;
}

static void add_names(const char *dir, char **names, size_t *n)
{
    DIR *d = opendir(dir);
    if (!d) return;
    for (struct dirent *entry; (entry = readdir(d)) && *n < MAX_NAMES;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || dot == entry->d_name || strcmp(dot, ".yaml") != 0) continue;
        size_t length = (size_t)(dot - entry->d_name);
        if (known(names, *n, entry->d_name, length)) continue;
        if ((names[*n] = bt_strndup(entry->d_name, length))) ++*n;
    }
    closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **theme_names(size_t *n)
{
    char **names = calloc(MAX_NAMES + 1, sizeof *names), *dir;
    *n = 0;
    if (!names) return NULL;
    for (int i = 0; theme_directory(i, &dir); i++) {
        if (dir) add_names(dir, names, n);
        free(dir);
    }
    if (!known(names, *n, "monochrome", strlen("monochrome")) && *n < MAX_NAMES &&
        (names[*n] = bt_strdup("monochrome")))
        ++*n;
    qsort(names, *n, sizeof *names, by_name);
    return names;
}

void theme_names_free(char **names, size_t n)
{
    for (size_t i = 0; names && i < n; i++) free(names[i]);
    free(names);
}

/* ── reading one ── */

static enum bt_status fault(const char *path, const struct bt_yaml *at, const char *expected,
                            struct bt_error *err)
{
    return bt_fail(err, BT_INVALID, "%s:%u:%u: found '%s', expected %s", path, at->line, at->column,
                   at->text ? at->text : "a list or a map", expected);
}

/* In the order of their numbers; the bright ones follow. */
static const char *const palette[] = {"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"};
enum { N_PALETTE = sizeof palette / sizeof *palette };

static bool parse_name(const char *text, int32_t *colour)
{
    static const char bright[] = "bright-";
    size_t skip = strncmp(text, bright, sizeof bright - 1) == 0 ? sizeof bright - 1 : 0;
    if (strcmp(text, "default") == 0) {
        *colour = THEME_DEFAULT_COLOUR;
        return true;
    }
    for (int i = 0; i < N_PALETTE; i++) {
        if (strcmp(text + skip, palette[i]) != 0) continue;
        *colour = THEME_PALETTE + i + (skip ? N_PALETTE : 0);
        return true;
    }
    return false;
}

static bool parse_colour(const char *text, int32_t *colour)
{
    char *end;
    if (parse_name(text, colour)) return true;
    if (text[0] != '#' || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6) return false;
    *colour = (int32_t)strtol(text + 1, &end, 16);
    return true;
}

static enum bt_status read_colour(const char *path, const struct bt_yaml *v, int32_t *colour,
                                  struct bt_error *err)
{
    if (v->kind == BT_YAML_SCALAR && parse_colour(v->text, colour)) return BT_OK;
    return fault(
        path, v,
        "a colour: \"#rrggbb\", default, or black, red, green, yellow, blue, magenta, cyan, white, bright-…",
        err);
}

static enum bt_status read_flag(const char *path, const struct bt_yaml *v, unsigned flag,
                                unsigned *attributes, struct bt_error *err)
{
    bool on = v->kind == BT_YAML_SCALAR && strcmp(v->text, "true") == 0;
    if (!on && !(v->kind == BT_YAML_SCALAR && strcmp(v->text, "false") == 0))
        return fault(path, v, "true or false", err);
    *attributes = on ? *attributes | flag : *attributes & ~flag;
    return BT_OK;
}

static enum bt_status read_member(const char *path, const struct bt_yaml *key, const struct bt_yaml *v,
                                  struct theme_style *style, struct bt_error *err)
{
    static const struct {
        const char *name;
        unsigned flag;
    } flags[] = {{.name = "bold", .flag = THEME_BOLD},
                 {.name = "dim", .flag = THEME_DIM},
                 {.name = "underline", .flag = THEME_UNDERLINE},
                 {.name = "reverse", .flag = THEME_REVERSE}};
    if (strcmp(key->text, "fg") == 0) return read_colour(path, v, &style->fg, err);
    if (strcmp(key->text, "bg") == 0) return read_colour(path, v, &style->bg, err);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(key->text, flags[i].name) == 0)
            return read_flag(path, v, flags[i].flag, &style->attributes, err);
    return fault(path, key, "fg, bg, bold, dim, underline or reverse", err);
}

static enum bt_status read_style(const char *path, const struct bt_yaml *v, struct theme_style *style,
                                 struct bt_error *err)
{
    *style = (struct theme_style){.fg = THEME_DEFAULT_COLOUR, .bg = THEME_DEFAULT_COLOUR};
    if (v->kind == BT_YAML_SCALAR) return read_colour(path, v, &style->fg, err);
    if (v->kind != BT_YAML_MAP)
        return fault(path, v, "a colour or a map with fg, bg, bold, dim, underline, reverse", err);
    for (size_t i = 0; i < v->n; i++) {
        enum bt_status status = read_member(path, v->keys[i], v->items[i], style, err);
        if (status != BT_OK) return status;
    }
    return BT_OK;
}

static enum bt_status unknown_role(const char *path, const struct bt_yaml *key, struct bt_error *err)
{
    const char *near = bt_nearest(key->text, role_names, ROLES);
    return bt_fail(err, BT_INVALID, "%s:%u:%u: no role '%s'%s%s%s", path, key->line, key->column, key->text,
                   near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static enum bt_status read_roles(const char *path, const struct bt_yaml *root, struct theme *t,
                                 struct bt_error *err)
{
    if (root->kind != BT_YAML_MAP) return fault(path, root, "a map of roles", err);
    for (size_t i = 0; i < root->n; i++) {
        int role = 0;
        while (role < ROLES && strcmp(root->keys[i]->text, role_names[role]) != 0) role++;
        if (role == ROLES) return unknown_role(path, root->keys[i], err);
        enum bt_status status = read_style(path, root->items[i], &t->style[role], err);
        if (status != BT_OK) return status;
    }
    return BT_OK;
}

static struct theme *monochrome(const char *name)
{
    struct theme *t = calloc(1, sizeof *t);
    if (!t || !(t->name = bt_strdup(name))) {
        free(t);
        return NULL;
    }
    for (int r = 0; r < ROLES; r++)
        t->style[r] = (struct theme_style){
            .fg = THEME_DEFAULT_COLOUR, .bg = THEME_DEFAULT_COLOUR, .attributes = plain[r]};
    return t;
}

static enum bt_status not_found(const char *name, struct bt_error *err)
{
    size_t n;
    char **names = theme_names(&n);
    const char *near = names ? bt_nearest(name, (const char *const *)names, n) : NULL;
    struct bt_str list = {0};
    for (size_t i = 0; names && i < n; i++) bt_str_addf(&list, "%s%s", i ? ", " : "", names[i]);
    if (near)
        bt_fail(err, BT_NOTFOUND, "no theme '%s' (did you mean '%s'?)", name, near);
    else
        bt_fail(err, BT_NOTFOUND, "no theme '%s': there are %s", name, bt_str_text(&list));
    theme_names_free(names, n);
    bt_str_free(&list);
    return BT_NOTFOUND;
}

enum bt_status theme_load(const char *name, struct theme **out, struct bt_error *err)
{
    char *path = find_theme(name);
    if (!path && strcmp(name, "monochrome") != 0) return not_found(name, err);
    struct theme *t = monochrome(name);
    enum bt_status status = t ? BT_OK : bt_fail(err, BT_NOMEM, "theme %s", name);
    if (status == BT_OK && path) {
        struct bt_error yaml_err = {0};
        struct bt_yaml *root = bt_yaml_load(path, MAX_THEME_BYTES, &yaml_err);
        status = root ? read_roles(path, root, t, err) : bt_fail(err, yaml_err.status, "%s", yaml_err.text);
        bt_yaml_free(root);
    }
    free(path);
    if (status == BT_OK)
        *out = t;
    else
        theme_free(t);
    return status;
}

void theme_free(struct theme *t)
{
    if (!t) return;
    free(t->name);
    free(t);
}
