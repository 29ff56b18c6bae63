#include "tui/form_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_UNDO = 500 };

struct form *form_new(void)
{
    struct form *f = calloc(1, sizeof *f);
    if (f && form_load(f, "", 0, NULL, NULL) == BT_OK) return f;
    form_free(f);
    return NULL;
}

static void forget(struct form_undo *u, size_t *n)
{
    for (size_t i = 0; i < *n; i++) free(u[i].text);
    *n = 0;
}

void form_free(struct form *f)
{
    if (!f) return;
    forget(f->past, &f->n_past);
    forget(f->future, &f->n_future);
    free(f->past);
    free(f->future);
    form_page_clear(&f->now);
    form_page_clear(&f->saved);
    free(f->path);
    free(f);
}

/* ── texts ── */

static bool push(struct form_undo **list, size_t *n, char *text, size_t length)
{
    if (*n == MOST_UNDO) {
        free((*list)[0].text);
        memmove(*list, *list + 1, (MOST_UNDO - 1) * sizeof **list);
        (*n)--;
    }
    struct form_undo *more = realloc(*list, (*n + 1) * sizeof *more);
    if (!more) return false;
    *list = more;
    more[(*n)++] = (struct form_undo){.text = text, .n = length};
    return true;
}

/* Shows a text; the old one is given back to the caller through *old (or freed). */
static enum bt_status turn_to(struct form *f, const char *text, size_t n, struct form_undo *old,
                              struct bt_error *err)
{
    struct form_page page = {.n = 0};
    enum bt_status st = form_read(&page, text, n, f->path, err);
    if (st) {
        form_page_clear(&page);
        return st;
    }
    if (old) {
        *old = (struct form_undo){.text = f->now.text, .n = f->now.n};
        f->now.text = NULL;
    }
    form_page_clear(&f->now);
    f->now = page;
    f->version++;
    return BT_OK;
}

enum bt_status form_take(struct form *f, char *text, size_t n, bool keep_past, struct bt_error *err)
{
    struct form_undo old;
    if (!text) return bt_fail(err, BT_NOMEM, "no memory for the form");
    if (n == f->now.n && memcmp(text, f->now.text, n) == 0) {
        free(text);
        return BT_OK;
    }
    enum bt_status st = turn_to(f, text, n, &old, err);
    free(text);
    if (st) return st;
    forget(f->future, &f->n_future);
    if (keep_past || !push(&f->past, &f->n_past, old.text, old.n)) free(old.text);
    return BT_OK;
}

enum bt_status form_replace(struct form *f, const char *text, size_t n, struct bt_error *err)
{
    f->stepped = FORM_NO_FIELD;
    return form_take(f, bt_strndup(text, n), n, false, err);
}

static enum bt_status set_path(struct form *f, const char *path, struct bt_error *err)
{
    char *copy = bt_strdup(path);
    if (path && !copy) return bt_fail(err, BT_NOMEM, "no memory for the form");
    free(f->path);
    f->path = copy;
    return BT_OK;
}

static enum bt_status remember(struct form *f, const char *text, size_t n, struct bt_error *err)
{
    struct form_page saved = {.n = 0};
    enum bt_status st = form_read(&saved, text, n, f->path, err);
    if (st) {
        form_page_clear(&saved);
        return st;
    }
    form_page_clear(&f->saved);
    f->saved = saved;
    f->version++;
    return BT_OK;
}

enum bt_status form_load(struct form *f, const char *text, size_t n, const char *path, struct bt_error *err)
{
    enum bt_status st = set_path(f, path, err);
    if (!st) st = turn_to(f, text, n, NULL, err);
    if (!st) st = remember(f, text, n, err);
    forget(f->past, &f->n_past);
    forget(f->future, &f->n_future);
    f->stepped = FORM_NO_FIELD;
    return st;
}

enum bt_status form_saved(struct form *f, const char *path, const char *text, size_t n, struct bt_error *err)
{
    char *now = bt_strndup(f->now.text, f->now.n);
    enum bt_status st = now ? set_path(f, path, err) : BT_NOMEM;
    if (!st) st = remember(f, text, n, err);
    if (!st) st = turn_to(f, now, f->now.n, NULL, err);
    free(now);
    f->stepped = FORM_NO_FIELD;
    return st;
}

static bool travel(struct form *f, struct form_undo *from, size_t *n_from, struct form_undo **to,
                   size_t *n_to)
{
    struct form_undo old;
    if (*n_from == 0) return false;
    struct form_undo *top = &from[*n_from - 1];
    if (turn_to(f, top->text, top->n, &old, NULL)) return false;
    free(top->text);
    (*n_from)--;
    if (!push(to, n_to, old.text, old.n)) free(old.text);
    f->stepped = FORM_NO_FIELD;
    return true;
}

bool form_undo(struct form *f)
{
    return travel(f, f->past, &f->n_past, &f->future, &f->n_future);
}

bool form_redo(struct form *f)
{
    return travel(f, f->future, &f->n_future, &f->past, &f->n_past);
}

/* ── looking ── */

const char *form_path(const struct form *f)
{
    return f->path;
}

const char *form_text(const struct form *f, size_t *n)
{
    if (n) *n = f->now.n;
    return f->now.text;
}

const char *form_saved_text(const struct form *f, size_t *n)
{
    if (n) *n = f->saved.n;
    return f->saved.text;
}

bool form_dirty(const struct form *f)
{
    return f->now.n != f->saved.n || memcmp(f->now.text, f->saved.text, f->now.n) != 0;
}

uint64_t form_version(const struct form *f)
{
    return f->version;
}

const char *form_broken(const struct form *f)
{
    return f->now.broken;
}

const struct bt_experiment *form_values(const struct form *f)
{
    return f->now.x;
}

const struct bt_experiment *form_saved_values(const struct form *f)
{
    return f->saved.x;
}

static bool same_value(const struct form *f, size_t i)
{
    const char *a = f->now.field[i].raw, *b = f->saved.field[i].raw;
    if (!a || !b) return a == b;
    return strcmp(a, b) == 0 ||
           (!f->now.field[i].fault && bt_experiment_equal(f->now.x, f->saved.x, &bt_options(NULL)[i]));
}

enum form_mark form_field_mark(const struct form *f, size_t field)
{
    if (f->now.field[field].fault) return FORM_INVALID;
    if (!same_value(f, field)) return FORM_CHANGED;
    return f->now.field[field].raw ? FORM_SET : FORM_DEFAULT;
}

const char *form_field_fault(const struct form *f, size_t field)
{
    return f->now.field[field].fault;
}

void form_show(const struct form *f, size_t field, struct bt_str *out)
{
    if (f->now.field[field].raw)
        bt_str_add(out, f->now.field[field].raw);
    else
        bt_experiment_get(f->now.x, &bt_options(NULL)[field], out);
}

size_t form_faults(const struct form *f)
{
    return f->now.n_faults;
}

struct form_fault form_fault(const struct form *f, size_t i)
{
    return f->now.fault[i];
}

size_t form_changes(const struct form *f)
{
    size_t n = 0;
    for (size_t i = 0; i < BT_OPTIONS; i++) n += !same_value(f, i);
    return n;
}

size_t form_removed(const struct form *f)
{
    size_t n = 0;
    for (size_t i = 0; i < BT_OPTIONS; i++) n += f->saved.field[i].raw && !f->now.field[i].raw;
    return n;
}
