/* Which theme: the one that was asked for, or what suits the terminal. */
#include "tui/app_private.h"
#include <stdlib.h>
#include <string.h>

const char *theme_short_error(const struct bt_error *err)
{
    const char *text = err->text;
    for (size_t i = 0, n = strcspn(err->text, ":"); err->text[0] == '/' && i < n; i++)
        if (err->text[i] == '/') text = err->text + i + 1;
    return text;
}

void theme_say_error(struct app *a, const struct bt_error *err)
{
    app_say(a, ROLE_BAD, "%s", theme_short_error(err));
}

/* ── at the beginning ── */

static const char *name_for(bool light)
{
    return light ? "light" : "dark";
}

/* "15;0" of some terminals: foreground; background. */
static bool environment_is_light(void)
{
    const char *colours = getenv("COLORFGBG"), *background = colours ? strrchr(colours, ';') : NULL;
    return background && (strcmp(background, ";15") == 0 || strcmp(background, ";7") == 0);
}

enum bt_status theme_begin(struct app *a, const char *name, struct bt_error *err)
{
    const char *asked = name ? name : a->kept_theme;
    struct bt_error fault = {0};
    enum bt_status status = asked ? theme_load(asked, &a->theme, &fault) : BT_NOTFOUND;
    if (status == BT_OK) return status;
    if (name && status == BT_NOTFOUND) {
        *err = fault;
        return status;
    }
    if (asked) theme_say_error(a, &fault);
    a->usual_theme = true;
    if (theme_load(name_for(environment_is_light()), &a->theme, NULL) == BT_OK) return BT_OK;
    return theme_load("monochrome", &a->theme, err);
}

/* ── later ── */

static void set_theme(struct app *a, struct theme *t)
{
    term_set_theme(a->term, t);
    theme_free(a->theme);
    a->theme = t;
    app_redraw(a);
}

enum bt_status theme_use(struct app *a, const char *name, struct bt_error *err)
{
    struct theme *t = NULL;
    enum bt_status status = theme_load(name, &t, err);
    if (status != BT_OK) return status;
    set_theme(a, t);
    free(a->kept_theme);
    a->kept_theme = bt_strdup(name);
    a->chose_theme = true;
    a->usual_theme = false;
    return BT_OK;
}

void theme_follow(struct app *a, bool light)
{
    struct theme *t = NULL;
    bool other = strcmp(a->theme->name, name_for(light)) != 0;
    if (a->usual_theme && other && theme_load(name_for(light), &t, NULL) == BT_OK) set_theme(a, t);
}

static void theme_chosen(void *ctx, int index)
{
    struct app *a = ctx;
    struct bt_error err = {0};
    size_t n;
    char **names = theme_names(&n);
    if (names && index >= 0 && (size_t)index < n && theme_use(a, names[index], &err) != BT_OK)
        theme_say_error(a, &err);
    theme_names_free(names, n);
}

void theme_choose(struct app *a)
{
    size_t n;
    char **names = theme_names(&n);
    if (names) app_choose(a, "Theme", (const char *const *)names, n, theme_chosen, a);
    theme_names_free(names, n);
}
