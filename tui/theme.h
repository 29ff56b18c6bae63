/* Screen roles and the themes that colour them. A theme is a YAML file in themes/ (installed: share/bertty/themes) or in
 * ~/.config/bertty/themes/; a role that a file leaves out is that of the built-in monochrome theme. A colour is "#rrggbb", default, or one of the terminal's own 16 by its
 * name (red, bright-red). */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include <bertty/error.h>
#include <stddef.h>
#include <stdint.h>

/* role, name in a theme file, attributes without colour */
#define THEME_ROLES(X)                                                                                       \
    X(ROLE_TEXT, "text", 0)                                                                                  \
    X(ROLE_DIM, "dim", THEME_DIM)      /* secondary text, units, hints */                                    \
    X(ROLE_TITLE, "title", THEME_BOLD) /* of panes and the title bar */                                      \
    X(ROLE_BORDER, "border", THEME_DIM)                                                                      \
    X(ROLE_FOCUS, "focus", THEME_BOLD)             /* border and title of the focused pane */                \
    X(ROLE_HEADER, "header", THEME_UNDERLINE)      /* column titles */                                       \
    X(ROLE_CURSOR, "cursor", THEME_REVERSE)        /* the row or field of the cursor in the focused pane */  \
    X(ROLE_CURSOR_IDLE, "cursor_idle", THEME_BOLD) /* … in a pane without the focus */                     \
    X(ROLE_MARK, "mark", THEME_BOLD)               /* marked rows, found text */                             \
    X(ROLE_KEY, "key", THEME_BOLD)                 /* names of keys in hints and help */                     \
    X(ROLE_GOOD, "good", 0)                                                                                  \
    X(ROLE_WARN, "warn", THEME_BOLD)                                                                         \
    X(ROLE_BAD, "bad", THEME_BOLD)                                                                           \
    X(ROLE_ACCENT, "accent", 0)       /* changed settings, the best value */                                 \
    X(ROLE_BAR, "bar", THEME_REVERSE) /* status line */                                                      \
    X(ROLE_SERIES0, "series0", 0)     /* colours of runs and labels, told apart by markers too */            \
    X(ROLE_SERIES1, "series1", 0)                                                                            \
    X(ROLE_SERIES2, "series2", 0)                                                                            \
    X(ROLE_SERIES3, "series3", 0)                                                                            \
    X(ROLE_SERIES4, "series4", 0)                                                                            \
    X(ROLE_SERIES5, "series5", 0)                                                                            \
    X(ROLE_SERIES6, "series6", 0)                                                                            \
    X(ROLE_SERIES7, "series7", 0)

enum { THEME_BOLD = 1, THEME_DIM = 2, THEME_UNDERLINE = 4, THEME_REVERSE = 8 };
enum { THEME_SERIES = 8, THEME_DEFAULT_COLOUR = -1, THEME_PALETTE = 1 << 24 };

enum role {
#define X(role, name, attributes) role,
    THEME_ROLES(X)
#undef X
        ROLES
};
static inline enum role role_series(unsigned n)
{
    return (enum role)((unsigned)ROLE_SERIES0 + n % THEME_SERIES);
}

struct theme_style {
    int32_t fg, bg;      /* 0xRRGGBB, THEME_DEFAULT_COLOUR, or THEME_PALETTE + one of the terminal's 16 */
    unsigned attributes; /* THEME_BOLD | … */
};

struct theme {
    char *name;
    struct theme_style style[ROLES];
};

/* "dark", "light", "monochrome", a user's own name, or a path. The caller frees with theme_free(). */
enum bt_status theme_load(const char *name, struct theme **out, struct bt_error *err);
void theme_free(struct theme *t);
/* What a role looks like without colour. */
unsigned theme_plain_attributes(enum role role);
/* Names of all themes that can be found, sorted; the caller frees them with theme_names_free(). NULL without memory. */
char **theme_names(size_t *n);
void theme_names_free(char **names, size_t n);

#endif
