/* What the files of the form share. */
#ifndef TUI_FORM_INTERNAL_H
#define TUI_FORM_INTERNAL_H

#include "tui/form.h"

struct form_field {
    char *raw;   /* as spelled in the text, in one line; NULL: not there */
    char *fault; /* NULL: fine */
    unsigned line;
};

/* A text and what is read from it. */
struct form_page {
    char *text;
    size_t n;
    char *broken;
    struct bt_experiment *x;
    struct form_field field[BT_OPTIONS];
    struct form_fault *fault; /* texts owned */
    size_t n_faults;
};

struct form_undo {
    char *text;
    size_t n;
};

struct form {
    char *path;
    struct form_page now, saved;
    struct form_undo *past, *future;
    size_t n_past, n_future;
    uint64_t version;
    size_t stepped; /* the field of the last step: steps of one field are undone together */
};

/* Reads text (n bytes) into a page that was empty. */
enum bt_status form_read(struct form_page *p, const char *text, size_t n, const char *path,
                         struct bt_error *err);
void form_page_clear(struct form_page *p);
/* As form_replace; the text becomes ours. */
enum bt_status form_take(struct form *f, char *text, size_t n, bool keep_past, struct bt_error *err);

#endif
