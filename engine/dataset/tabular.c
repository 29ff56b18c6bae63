/* Tables: CSV, TSV, JSONL and SWAG's CSV, a record an example. */
#include "dataset/tabular.h"

#include <bertty/num.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

/* ── which columns ── */

/* A number followed by '-': that column and all that stands behind it. */
static bool open_range(const char *name, int64_t *from)
{
    size_t n = strlen(name);
    char digits[20];
    if (n < 2 || n > sizeof digits || name[n - 1] != '-') return false;
    memcpy(digits, name, n - 1);
    digits[n - 1] = '\0';
    return bt_parse_int64(digits, from) && *from >= 1;
}

bool bt_data_column_is_range(const char *name)
{
    int64_t from;
    return open_range(name, &from);
}

static enum bt_status add_role(struct bt__table_load *t, const char *name, int what)
{
    struct bt__loader *l = t->l;
    int64_t from;
    if (t->n == BT__ROLES)
        return bt_fail(l->err, BT_INVALID, "%s: more than %d columns are asked for", l->path, BT__ROLES);
    struct bt__role *r = &t->role[t->n];
    *r = (struct bt__role){.name = name, .what = what, .column = bt__head_column(&l->head, name)};
    if (r->column < 0 && t->d->format != BT_DATA_JSONL && open_range(name, &from) &&
        (uint64_t)from <= l->head.n) {
        r->column = (ptrdiff_t)from - 1;
        r->rest = true;
    }
    if (r->column < 0) return bt__head_no_column(&l->head, l->path, name, l->err);
    t->at[what] = t->n++;
    return BT_OK;
}

static bool has(const struct bt__loader *l, const char *name)
{
    for (size_t i = 0; i < l->head.n; i++) {
        if (strcmp(l->head.name[i], name) == 0) return true;
    }
    return false;
}

/* The column asked for, or the usual one if the file has it. */
static const char *usual(const struct bt__loader *l, const char *asked, const char *name)
{
    return asked || !has(l, name) ? asked : name;
}

static enum bt_status no_column(const struct bt__loader *l, const char *what)
{
    return bt_fail(l->err, BT_INVALID,
                   "%s: no %s column given, expected data.%s_column: its name or number from 1", l->path,
                   what, what);
}

static enum bt_status choice_roles(struct bt__table_load *t)
{
    const struct bt_data_spec *s = t->l->spec;
    enum bt_status st = BT_OK;
    for (size_t i = 0; !st && i < s->n_choice_columns; i++)
        st = add_role(t, s->choice_columns[i], BT__CHOICE);
    if (s->n_choice_columns) return st;
    for (int i = 0; !st && i < 10; i++) {
        char name[] = "ending0";
        name[6] = (char)('0' + i);
        if (!has(t->l, name)) break;
        st = add_role(t, t->l->head.name[bt__head_column(&t->l->head, name)], BT__CHOICE);
    }
    if (!st && t->at[BT__CHOICE] == SIZE_MAX)
        return bt_fail(t->l->err, BT_INVALID, "%s: no choice columns given: data.choice_columns", t->l->path);
    return st;
}

/* The choices are the roles from choice to the last. */
static enum bt_status find_roles(struct bt__table_load *t)
{
    struct bt__loader *l = t->l;
    const struct bt_data_spec *s = l->spec;
    bool swag = t->d->format == BT_DATA_SWAG, question = s->kind == BT_EXAMPLE_QUESTION;
    const char *text = s->text_column, *pair = s->text_pair_column, *label = s->label_column,
               *id = s->id_column;
    if (swag || question) text = usual(l, text, swag ? "sent1" : "question");
    if (swag) pair = usual(l, pair, "sent2");
    if (swag) label = usual(l, label, "label");
    if (s->kind == BT_EXAMPLE_ASPECT) pair = s->aspect_column;
    if (question) {
        pair = usual(l, s->context_column, "context");
        label = usual(l, label, "answers");
        id = usual(l, id, "id");
    }
    if (!text) return no_column(l, "text");
    if (!pair && question) return no_column(l, "context");
    if (!pair && s->kind == BT_EXAMPLE_ASPECT) return no_column(l, "aspect");
    enum bt_status st = add_role(t, text, BT__TEXT);
    if (!st && pair) st = add_role(t, pair, BT__PAIR);
    if (!st && label) st = add_role(t, label, BT__LABEL);
    if (!st && id) st = add_role(t, id, BT__ID);
    if (!st && s->kind == BT_EXAMPLE_CHOICES) st = choice_roles(t);
    return st;
}

/* ── one record ── */

static enum bt_status ragged(const struct bt__table_load *t, const struct bt__record *rec,
                             const struct bt__role *r)
{
    const struct bt__loader *l = t->l;
    size_t at = (size_t)r->column + 1, found = t->row.n;
    const char *s = found == 1 ? "" : "s";
    if (t->d->header)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: found %zu column%s, expected %zu: '%s' is missing",
                       l->path, rec->line, found, s, l->head.n, l->head.name[at - 1]);
    return bt_fail(l->err, BT_INVALID, "%s:%zu: found %zu column%s, expected %zu: column %zu is missing",
                   l->path, rec->line, found, s, l->head.n, at);
}

/* From the column on to the record's end, as it stands there. */
static void take_rest(const struct bt__table_load *t, const struct bt__record *rec, struct bt__role *r)
{
    const char *p = rec->data, *end = p + rec->n;
    for (ptrdiff_t i = 0; i < r->column; i++)
        p = (const char *)memchr(p, t->d->delimiter, (size_t)(end - p)) + 1;
    r->cell = p;
    r->cell_n = (size_t)(end - p);
}

static enum bt_status find_cells(struct bt__table_load *t, const struct bt__record *rec)
{
    struct bt__loader *l = t->l;
    enum bt_status st = bt__cells_split(t->d, t->csv, l->path, rec, &t->row, l->err);
    for (size_t i = 0; !st && i < t->n; i++) {
        struct bt__role *r = &t->role[i];
        if ((size_t)r->column >= t->row.n) return ragged(t, rec, r);
        r->cell = t->row.cell[r->column];
        r->cell_n = t->row.cell_n[r->column];
        if (r->rest) take_rest(t, rec, r);
    }
    return st;
}

/* A member that may be a list or an object: the reader of its kind looks at it. */
static bool may_be_list(const struct bt__table_load *t, const struct bt__role *r)
{
    enum bt_example_kind kind = t->l->spec->kind;
    return (kind == BT_EXAMPLE_LABEL_SET && r->what == BT__LABEL) ||
           (kind == BT_EXAMPLE_QUESTION && r->what == BT__LABEL) ||
           (kind == BT_EXAMPLE_CHOICES && r->what == BT__CHOICE);
}

/* The member's text goes to the row's cells, so that CSV and JSON go the same way from there. */
static enum bt_status add_member(struct bt__table_load *t, const struct bt__record *rec, struct bt__role *r)
{
    struct bt__loader *l = t->l;
    const char *name = l->head.name[r->column];
    const struct bt_json *v = bt_json_get(t->root, name);
    enum bt_json_kind kind = bt_json_kind(v);
    bool list = kind == BT_JSON_ARRAY || kind == BT_JSON_OBJECT;
    r->json = v;
    if (!v && !may_be_list(t, r))
        return bt_fail(l->err, BT_INVALID, "%s:%zu: no member '%s', expected one in each object", l->path,
                       rec->line, name);
    if ((list && !may_be_list(t, r)) ||
        (kind == BT_JSON_NULL && r->what != BT__LABEL && r->what != BT__ID && r->what != BT__CHOICE))
        return bt_fail(l->err, BT_INVALID, "%s:%zu: member '%s' is %s, expected a string", l->path, rec->line,
                       name,
                       kind == BT_JSON_ARRAY    ? "an array"
                       : kind == BT_JSON_OBJECT ? "an object"
                                                : "null");
    bt_str_clear(&l->scratch);
    bt__json_text(v, &l->scratch);
    if (l->scratch.failed) return bt__loader_no_memory(l, rec->line);
    bt__row_cell(&t->row, bt_str_text(&l->scratch), l->scratch.len);
    return BT_OK;
}

static enum bt_status find_members(struct bt__table_load *t, const struct bt__record *rec)
{
    struct bt__loader *l = t->l;
    t->root = bt__json_record(l->path, rec, &l->invalid, l->err);
    if (!t->root) return l->err->status;
    enum bt_status st = BT_OK;
    bt__row_begin(&t->row);
    for (size_t i = 0; !st && i < t->n; i++) st = add_member(t, rec, &t->role[i]);
    if (st) return st;
    if (!bt__row_end(&t->row)) return bt__loader_no_memory(l, rec->line);
    for (size_t i = 0; i < t->n; i++) {
        t->role[i].cell = t->row.cell[i];
        t->role[i].cell_n = t->row.cell_n[i];
    }
    return BT_OK;
}

const struct bt__role *bt__role_of(const struct bt__table_load *t, int what)
{
    return t->at[what] == SIZE_MAX ? NULL : &t->role[t->at[what]];
}

/* What all kinds have: text, pair, id. */
static enum bt_status take_texts(struct bt__table_load *t, size_t line, struct bt_example **out)
{
    struct bt__loader *l = t->l;
    struct bt_example *x = bt__loader_add(l, line);
    if (!x) return bt__loader_no_memory(l, line);
    const struct bt__role *text = bt__role_of(t, BT__TEXT), *pair = bt__role_of(t, BT__PAIR),
                          *id = bt__role_of(t, BT__ID);
    size_t id_n;
    x->text = bt__loader_keep(l, text->cell, text->cell_n, &x->text_n);
    if (pair && l->spec->kind != BT_EXAMPLE_CHOICES && l->spec->kind != BT_EXAMPLE_QUESTION)
        x->pair = bt__loader_keep(l, pair->cell, pair->cell_n, &x->pair_n);
    else
        pair = NULL;
    if (id) x->id = bt__loader_keep(l, id->cell, id->cell_n, &id_n);
    *out = x;
    return x->text && !x->pair == !pair && !x->id == !id ? BT_OK : bt__loader_no_memory(l, line);
}

static enum bt_status take(struct bt__table_load *t, const struct bt__record *rec)
{
    struct bt_example *x = NULL;
    enum bt_status st = take_texts(t, rec->line, &x);
    if (!st) st = bt__kind_takes[t->l->spec->kind](t, x);
    return st ? st : bt__loader_done(t->l, x);
}

/* ── the file ── */

static enum bt_status tell(struct bt__table_load *t)
{
    struct bt__loader *l = t->l;
    struct bt_str s = {0};
    bt_str_addf(&s, "%s: ", bt_data_format_name(t->d->format));
    if (t->d->format == BT_DATA_JSONL) {
        bt_str_addf(&s, "an object a line, %zu member%s", l->head.n, l->head.n == 1 ? "" : "s");
    } else {
        bt_str_addf(&s, "%zu column%s", l->head.n, l->head.n == 1 ? "" : "s");
        if (t->d->delimiter == '\t')
            bt_str_add(&s, " separated by tabs");
        else
            bt_str_addf(&s, " separated by '%c'", t->d->delimiter);
        bt_str_addf(&s, ", %s, %s", t->d->quoting ? "quoted cells" : "no quoting",
                    t->d->header ? "header" : "no header");
        for (size_t i = 0; i < t->n; i++) {
            if (t->role[i].rest) bt_str_addf(&s, ", the columns from %td on are one", t->role[i].column + 1);
        }
        if (l->head.label_first[0])
            bt_str_addf(&s, ", each line begins with a label ('%s') and a blank", l->head.label_first);
    }
    enum bt_status st = s.failed ? bt__loader_no_memory(l, 1) : bt__loader_found(l, "%s", s.data);
    bt_str_free(&s);
    return st;
}

static enum bt_status read_records(struct bt__table_load *t)
{
    struct bt__record rec;
    struct bt__loader *l = t->l;
    bool json = t->d->format == BT_DATA_JSONL;
    while (bt__loader_wants_more(l)) {
        enum bt_status st = bt__source_next(&l->source, t->d, &rec, l->err);
        if (st == BT_NOTFOUND) break;
        if (!st && t->takes_object) st = t->takes_object(t, &rec);
        if (!st && !t->takes_object) st = json ? find_members(t, &rec) : find_cells(t, &rec);
        if (!st && !t->takes_object) st = take(t, &rec);
        bt_json_free(t->root);
        t->root = NULL;
        if (st) return st;
    }
    return tell(t);
}

enum bt_status bt__load_table(struct bt__loader *l)
{
    struct bt__table_load t = {.l = l, .d = &l->head.dialect};
    for (size_t i = 0; i < BT__WHATS; i++) t.at[i] = SIZE_MAX;
    bool json = t.d->format == BT_DATA_JSONL, words = l->spec->kind == BT_EXAMPLE_WORDS;
    if (words && !json)
        return bt_fail(l->err, BT_INVALID, "%s: %s, but words are read from conll and jsonl files", l->path,
                       bt_data_format_name(t.d->format));
    enum bt_status st = words ? bt__json_words(&t) : find_roles(&t);
    if (!st && t.d->quoting == 1 && !(t.csv = bt__csv_create(t.d->delimiter)))
        st = bt_fail(l->err, BT_NOMEM, "%s: no memory to read it", l->path);
    if (!st) st = read_records(&t);
    bt__context_free(&t.context);
    bt__csv_free(t.csv);
    bt_str_free(&t.text);
    bt_row_free(&t.row);
    return st;
}
