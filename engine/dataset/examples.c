#include "dataset/cells.h"
#include "dataset/classes.h"
#include "dataset/dialect.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT, PAIR, LABEL, ROLES };

enum { CHUNK = 1 << 20 };

struct chunk {
    struct chunk *next;
    size_t used, cap;
    char bytes[];
};

struct bt_examples {
    struct bt_example *at;
    size_t n, cap, invalid_utf8, empty;
    struct chunk *text;
};

struct loader {
    const struct bt_data_spec *spec;
    struct bt_examples *to;
    struct bt__classes classes;
    struct bt__source source; /* of the file that is read */
    struct bt__head head;
    struct bt__csv *csv;
    struct bt_row row;
    struct bt_str scratch;
    const char *wanted[ROLES]; /* the columns asked for; NULL: none */
    ptrdiff_t column[ROLES];   /* where they are in this file */
    bool invalid;              /* the record held invalid UTF-8 */
    struct bt_error *err;
};

/* ── keeping ── */

static char *keep(struct bt_examples *e, const char *bytes, size_t n)
{
    struct chunk *c = e->text;
    if (!c || c->cap - c->used <= n) {
        size_t cap = n < CHUNK ? CHUNK : n + 1;
        c = malloc(sizeof *c + cap);
        if (!c) return NULL;
        *c = (struct chunk){.next = e->text, .cap = cap};
        e->text = c;
    }
    char *to = c->bytes + c->used;
    if (n) memcpy(to, bytes, n);
    to[n] = '\0';
    c->used += n + 1;
    return to;
}

static struct bt_example *add(struct bt_examples *e)
{
    if (e->n == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 1024;
        struct bt_example *more = realloc(e->at, cap * sizeof *more);
        if (!more) return NULL;
        e->at = more;
        e->cap = cap;
    }
    e->at[e->n] = (struct bt_example){0};
    return &e->at[e->n++];
}

static enum bt_status no_memory(const struct loader *l, const struct bt__record *rec)
{
    return bt_fail(l->err, BT_NOMEM, "%s:%zu: no memory for this record", l->source.path, rec->line);
}

/* A cell as valid UTF-8, kept. */
static const char *keep_cell(struct loader *l, const char *bytes, size_t n, size_t *kept_n)
{
    if (bt_utf8_valid(bytes, n) < n) {
        bt_str_clear(&l->scratch);
        bt__utf8_repair(&l->scratch, bytes, n);
        if (l->scratch.failed) return NULL;
        l->invalid = true;
        bytes = l->scratch.data;
        n = l->scratch.len;
    }
    *kept_n = n;
    return keep(l->to, bytes, n);
}

/* ── one record ── */

static enum bt_status take_label(struct loader *l, const struct bt__record *rec, struct bt_example *x)
{
    const char *path = l->source.path;
    if (strspn(x->label, " \t") == x->label_n)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: the label is empty, expected one in column '%s'", path,
                       rec->line, l->wanted[LABEL]);
    if (strlen(x->label) != x->label_n)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: a NUL byte in the label (column '%s')", path, rec->line,
                       l->wanted[LABEL]);
    if (!l->classes.n) return BT_OK;
    const char *name = bt__classes_find(&l->classes, x->label);
    if (!name)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: label '%.60s', expected 0 … %zu or a name from %s", path,
                       rec->line, x->label, l->classes.n - 1, l->classes.path);
    x->label_n = strlen(name);
    x->label = keep(l->to, name, x->label_n);
    return x->label ? BT_OK : no_memory(l, rec);
}

static enum bt_status take(struct loader *l, const struct bt__record *rec, uint32_t file,
                           const char *const cell[ROLES], const size_t cell_n[ROLES])
{
    struct bt_example *x = add(l->to);
    if (!x) return no_memory(l, rec);
    x->line = rec->line;
    x->file = file;
    x->text = keep_cell(l, cell[TEXT], cell_n[TEXT], &x->text_n);
    if (cell[PAIR]) x->pair = keep_cell(l, cell[PAIR], cell_n[PAIR], &x->pair_n);
    if (cell[LABEL]) x->label = keep_cell(l, cell[LABEL], cell_n[LABEL], &x->label_n);
    if (!x->text || !x->pair != !cell[PAIR] || !x->label != !cell[LABEL]) return no_memory(l, rec);
    l->to->invalid_utf8 += l->invalid;
    return x->label ? take_label(l, rec, x) : BT_OK;
}

static enum bt_status ragged(const struct loader *l, const struct bt__record *rec, int role)
{
    size_t at = (size_t)l->column[role] + 1, found = l->row.n;
    const char *s = found == 1 ? "" : "s";
    if (l->head.dialect.header)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: found %zu column%s, expected %zu: '%s' is missing",
                       l->source.path, rec->line, found, s, l->head.n, l->head.name[at - 1]);
    return bt_fail(l->err, BT_INVALID, "%s:%zu: found %zu column%s, expected %zu: column %zu is missing",
                   l->source.path, rec->line, found, s, l->head.n, at);
}

static enum bt_status take_cells(struct loader *l, const struct bt__record *rec, uint32_t file)
{
    const char *cell[ROLES] = {0};
    size_t cell_n[ROLES] = {0};
    enum bt_status st = bt__cells_split(&l->head.dialect, l->csv, l->source.path, rec, &l->row, l->err);
    if (st) return st;
    for (int role = 0; role < ROLES; role++) {
        if (!l->wanted[role]) continue;
        if ((size_t)l->column[role] >= l->row.n) return ragged(l, rec, role);
        cell[role] = l->row.cell[l->column[role]];
        cell_n[role] = l->row.cell_n[l->column[role]];
    }
    l->invalid = false;
    return take(l, rec, file, cell, cell_n);
}

/* The member's text goes to the row's cells, so that CSV and JSON go the same way from there. */
static enum bt_status add_member(struct loader *l, const struct bt__record *rec, const struct bt_json *root,
                                 int role)
{
    const char *name = l->head.name[l->column[role]];
    const struct bt_json *v = bt_json_get(root, name);
    enum bt_json_kind kind = bt_json_kind(v);
    if (!v)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: no member '%s', expected one in each object",
                       l->source.path, rec->line, name);
    if (kind == BT_JSON_ARRAY || kind == BT_JSON_OBJECT || (kind == BT_JSON_NULL && role != LABEL))
        return bt_fail(l->err, BT_INVALID, "%s:%zu: member '%s' is %s, expected a string", l->source.path,
                       rec->line, name,
                       kind == BT_JSON_ARRAY    ? "an array"
                       : kind == BT_JSON_OBJECT ? "an object"
                                                : "null");
    bt_str_clear(&l->scratch);
    bt__json_text(v, &l->scratch);
    if (l->scratch.failed) return no_memory(l, rec);
    bt__row_cell(&l->row, bt_str_text(&l->scratch), l->scratch.len);
    return BT_OK;
}

static enum bt_status take_object(struct loader *l, const struct bt__record *rec, uint32_t file)
{
    const char *cell[ROLES] = {0};
    size_t cell_n[ROLES] = {0};
    struct bt_json *root = bt__json_record(l->source.path, rec, &l->invalid, l->err);
    if (!root) return l->err ? l->err->status : BT_INVALID;
    enum bt_status st = BT_OK;
    bt__row_begin(&l->row);
    for (int role = 0; !st && role < ROLES; role++) {
        if (l->wanted[role]) st = add_member(l, rec, root, role);
    }
    bt_json_free(root);
    if (st) return st;
    if (!bt__row_end(&l->row)) return no_memory(l, rec);
    for (int role = 0, i = 0; role < ROLES; role++) {
        if (!l->wanted[role]) continue;
        cell[role] = l->row.cell[i];
        cell_n[role] = l->row.cell_n[i++];
    }
    return take(l, rec, file, cell, cell_n);
}

/* ── one file ── */

static enum bt_status begin_file(struct loader *l, const char *path)
{
    enum bt_status st = bt__source_open(path, &l->source, l->err);
    if (!st) st = bt__head_read(&l->source, &l->spec->dialect, l->wanted, ROLES, &l->head, l->err);
    if (st) return st;
    for (int role = 0; role < ROLES; role++) {
        if (!l->wanted[role]) continue;
        l->column[role] = bt__head_column(&l->head, l->wanted[role]);
        if (l->column[role] < 0) return bt__head_no_column(&l->head, path, l->wanted[role], l->err);
    }
    if (l->head.dialect.quoting != 1) return BT_OK;
    l->csv = bt__csv_create(l->head.dialect.delimiter);
    return l->csv ? BT_OK : bt_fail(l->err, BT_NOMEM, "%s: no memory to read it", path);
}

static void end_file(struct loader *l)
{
    l->to->empty += l->source.empty;
    bt__csv_free(l->csv);
    l->csv = NULL;
    bt__head_free(&l->head);
    bt__source_close(&l->source);
}

static enum bt_status load_file(struct loader *l, size_t file)
{
    struct bt__record rec;
    enum bt_status st = begin_file(l, l->spec->files[file]);
    bool json = l->head.dialect.format == BT_DATA_JSONL;
    while (!st && (!l->spec->max_samples || l->to->n < l->spec->max_samples)) {
        st = bt__source_next(&l->source, &l->head.dialect, &rec, l->err);
        if (!st)
            st = (json ? take_object : take_cells)(l, &rec, (uint32_t)file);
        else if (st == BT_NOTFOUND) {
            end_file(l);
            return BT_OK;
        }
    }
    end_file(l);
    return st;
}

enum bt_status bt_examples_load(const struct bt_data_spec *spec, struct bt_examples **out,
                                struct bt_error *err)
{
    *out = NULL;
    if (!spec->text_column)
        return bt_fail(err, BT_INVALID, "no text column given: its name or number from 1");
    struct bt_error own = {0};
    struct loader l = {.spec = spec,
                       .err = err ? err : &own,
                       .to = calloc(1, sizeof *l.to),
                       .wanted = {spec->text_column, spec->text_pair_column, spec->label_column}};
    if (!l.to) return bt_fail(err, BT_NOMEM, "no memory for the examples");
    enum bt_status st = BT_OK;
    if (spec->class_names_file && spec->label_column)
        st = bt__classes_load(spec->class_names_file, &l.classes, l.err);
    for (size_t i = 0; !st && i < spec->n_files; i++) st = load_file(&l, i);
    bt__classes_free(&l.classes);
    bt_row_free(&l.row);
    bt_str_free(&l.scratch);
    if (st)
        bt_examples_free(l.to);
    else
        *out = l.to;
    return st;
}

/* ── what was read ── */

void bt_examples_free(struct bt_examples *e)
{
    if (!e) return;
    for (struct chunk *c = e->text, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(e->at);
    free(e);
}

size_t bt_examples_count(const struct bt_examples *e)
{
    return e->n;
}

const struct bt_example *bt_examples_at(const struct bt_examples *e, size_t i)
{
    return &e->at[i];
}

size_t bt_examples_invalid_utf8(const struct bt_examples *e)
{
    return e->invalid_utf8;
}

size_t bt_examples_empty(const struct bt_examples *e)
{
    return e->empty;
}
