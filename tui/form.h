/* The form over an experiment file: what its fields hold. No terminal, no files.
 *
 * The file's text is the only truth: a change of a field is a change of one value in the text (comments, order and spelling stay), and the
 * fields are read from the text anew. So undo is a list of texts, and what is saved is what was shown. Fields are numbered as in bt_options().
 * Everything that is returned is borrowed until the next change. */
#ifndef TUI_FORM_H
#define TUI_FORM_H

#include <bertty/experiment.h>

struct form;

enum form_mark {
    FORM_DEFAULT, /* does not stand in the file */
    FORM_SET,     /* stands in the file, as it was saved */
    FORM_CHANGED, /* differs from what was saved */
    FORM_INVALID, /* cannot be read as its type, or out of range */
};

enum { FORM_NO_FIELD = BT_OPTIONS };

struct form_fault {
    size_t field;  /* FORM_NO_FIELD: concerns the file */
    unsigned line; /* of the text, from 1; 0: unknown */
    const char *text;
};

struct form *form_new(void); /* an empty file; NULL without memory */
void form_free(struct form *f);

/* Starts with the text of a file (or of none: path NULL), as it was saved. Nothing is left of what was there before. */
enum bt_status form_load(struct form *f, const char *text, size_t n, const char *path, struct bt_error *err);
/* Another text as one change. */
enum bt_status form_replace(struct form *f, const char *text, size_t n, struct bt_error *err);
/* The text has been saved there. */
enum bt_status form_saved(struct form *f, const char *path, const char *text, size_t n, struct bt_error *err);
bool form_undo(struct form *f);
bool form_redo(struct form *f);

const char *form_path(const struct form *f); /* NULL: none yet */
const char *form_text(const struct form *f, size_t *n);
const char *form_saved_text(const struct form *f, size_t *n);
bool form_dirty(const struct form *f);
uint64_t form_version(const struct form *f); /* changes with the text */
/* Why the text is no YAML at all (there are no fields then); NULL if it is. */
const char *form_broken(const struct form *f);
/* Invalid fields have their default. .path and .line are those of the text. */
const struct bt_experiment *form_values(const struct form *f);
const struct bt_experiment *form_saved_values(const struct form *f);

enum form_mark form_field_mark(const struct form *f, size_t field);
const char *form_field_fault(const struct form *f, size_t field); /* NULL: fine */
/* Appends the value as it is spelled in the file (else the default), in one line. */
void form_show(const struct form *f, size_t field, struct bt_str *out);
/* All that is wrong with the fields and between them, the fields' own faults first. */
size_t form_faults(const struct form *f);
struct form_fault form_fault(const struct form *f, size_t i);
/* Fields that differ from what was saved; in_file: counts those too whose line is gone although the value is the same. */
size_t form_changes(const struct form *f);
size_t form_removed(const struct form *f); /* those whose line is gone from the file */

/* ── changing a field ── */

/* As typed: a text needs no quotes, a list no brackets, nothing means the default. What is no value of the field's type is kept and marked, unless
 * the file would not be YAML any more: then BT_INVALID and nothing changes. */
enum bt_status form_put(struct form *f, size_t field, const char *typed, struct bt_error *err);
/* The value that x has. */
enum bt_status form_put_value(struct form *f, size_t field, const struct bt_experiment *x,
                              struct bt_error *err);
/* Takes the line out of the file: back to the default. */
enum bt_status form_reset(struct form *f, size_t field, struct bt_error *err);
/* by > 0 up, < 0 down: the next choice, the other side of a switch, a number by small steps or (coarse) by large ones. False: a field without steps. */
bool form_step(struct form *f, size_t field, int by, bool coarse);
/* What form_put() takes to get the same value. */
void form_typed(const struct form *f, size_t field, struct bt_str *out);
/* A text or list that names files or directories. */
bool form_is_path(size_t field);
/* Appends range, unit and default of a field in words: "1 … 65536 rows, default 32". */
void form_about(size_t field, struct bt_str *out);

/* ── lines ── */

/* For each line of text b whether it is not in a (or changed); flag has room for form_count_lines(b). */
size_t form_count_lines(const char *text, size_t n);
bool form_new_lines(const char *a, size_t a_n, const char *b, size_t b_n, bool *flag);

#endif
