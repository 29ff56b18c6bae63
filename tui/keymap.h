/* Keys ↔ names ("Space", "Ctrl-r", "Alt-x", "F1", "PgUp", "Enter", "Up", "a"), and which action a key means.
 *
 * The common actions and the workbench's own stand in keymap.c; a view's in its table. A user's ~/.config/bertty/keys.yaml
 * ("runs: {mark: m}") changes the keys of actions by name. */
#ifndef TUI_KEYMAP_H
#define TUI_KEYMAP_H

#include "tui/view.h"

/* The workbench's own actions. */
enum {
    ACT_APP = 50,
    ACT_QUIT = ACT_APP,
    ACT_HELP,
    ACT_COMMAND,
    ACT_NEXT_PANE,
    ACT_PREVIOUS_PANE,
    ACT_ZOOM,
    ACT_LARGER,
    ACT_SMALLER,
    ACT_USUAL_SIZE,
    ACT_REDRAW,
    ACT_THEME,
    ACT_SUSPEND,
    ACT_VIEW1 /* … ACT_VIEW1 + 8 */,
    ACT_APP_END = ACT_VIEW1 + 9
};

struct keymap;
enum bt_status keymap_load(struct keymap **out, struct bt_error *err); /* the user's file, if there is one */
void keymap_free(struct keymap *k);
/* The action of a key in a view: its own first, then the common ones; ACT_NONE if there is none. */
int keymap_find(const struct keymap *k, const struct view_ops *view, const struct event *e);
/* Appends the keys of an action, as the help shows them: "j ↓". */
void keymap_keys(const struct keymap *k, const struct view_ops *view, int action, struct bt_str *out);
/* The common actions and the workbench's. */
const struct action *keymap_common(size_t *n);
/* The keys of the action, as a key map's file spells them: "j Down"; a: of view's table, or with view NULL of the common ones. Borrowed. */
const char *keymap_spelled(const struct keymap *k, const struct view_ops *view, const struct action *a);
/* Appends the name of a key. */
void key_name(const struct event *e, struct bt_str *out);
/* 0 if there is no such key. */
int32_t key_parse(const char *name, bool *alt);
/* The named key that is nearest to a wrong name, or NULL. */
const char *key_nearest(const char *name);

#endif
