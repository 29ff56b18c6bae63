#include "dataset/formats.h"
#include "dataset/store.h"

#include <stdlib.h>
#include <string.h>

/* Columns whose names tell that the first row is a header. */
enum { WANTED = 64 };

static size_t wanted_columns(const struct bt_data_spec *s, const char *wanted[WANTED])
{
    const char *const fixed[] = {s->text_column,   s->text_pair_column, s->label_column,
                                 s->aspect_column, s->context_column,   s->id_column};
    size_t n = sizeof fixed / sizeof *fixed;
    memcpy(wanted, fixed, sizeof fixed);
    for (size_t i = 0; i < s->n_choice_columns && n < WANTED; i++) wanted[n++] = s->choice_columns[i];
    return n;
}

/* A kind that takes its texts from a column that is named is one of tables. */
static int kind_of(const struct bt_data_spec *s)
{
    return s->kind == BT_EXAMPLE_PLAIN && s->text_column ? BT_EXAMPLE_TEXT : (int)s->kind;
}

static enum bt_status check_kind(const struct bt__loader *l, const struct bt__format *f)
{
    static const char *const holds[] = {[BT_EXAMPLE_TEXT] = "tables",
                                        [BT_EXAMPLE_LABEL_SET] = "tables",
                                        [BT_EXAMPLE_WORDS] = "conll and jsonl files",
                                        [BT_EXAMPLE_QUESTION] = "squad files and tables",
                                        [BT_EXAMPLE_ASPECT] = "semeval files and tables",
                                        [BT_EXAMPLE_CHOICES] = "swag files and tables",
                                        [BT_EXAMPLE_PLAIN] = "text files and tables"};
    if (!f->looks || f->kind == l->spec->kind) return BT_OK;
    return bt_fail(l->err, BT_INVALID, "%s: data.format is %s, but this task reads %s", l->path, f->name,
                   holds[l->spec->kind]);
}

/* A range of columns goes on to the line's end, so that nothing in it is a quote, and the first line hardly a header. */
static struct bt_data_dialect dialect_of(const struct bt_data_spec *s, const char *const *wanted, size_t n)
{
    struct bt_data_dialect d = s->dialect;
    for (size_t i = 0; i < n; i++) {
        if (!wanted[i] || !bt_data_column_is_range(wanted[i])) continue;
        if (d.quoting < 0) d.quoting = 0;
        if (d.header < 0) d.header = 0;
    }
    return d;
}

enum bt_status bt__head_of_spec(struct bt__source *s, const struct bt_data_spec *spec, struct bt__head *out,
                                struct bt_error *err)
{
    const char *wanted[WANTED];
    size_t n = wanted_columns(spec, wanted);
    struct bt_data_dialect asked = dialect_of(spec, wanted, n);
    return bt__head_read(s, kind_of(spec), &asked, wanted, n, out, err);
}

static enum bt_status load_file(struct bt__loader *l, size_t file)
{
    l->file = (uint32_t)file;
    l->path = l->spec->files[file];
    enum bt_status st = bt__source_open(l->path, &l->source, l->err);
    if (!st) st = bt__head_of_spec(&l->source, l->spec, &l->head, l->err);
    const struct bt__format *f = bt__format_of(l->head.dialect.format);
    if (!st) st = check_kind(l, f);
    if (!st) st = f->load(l);
    l->to->empty += l->source.empty;
    l->parts = 0;
    bt__head_free(&l->head);
    bt__source_close(&l->source);
    return st;
}

static enum bt_status load_files(struct bt__loader *l)
{
    enum bt_status st = BT_OK;
    const struct bt_data_spec *s = l->spec;
    l->to->found = calloc(s->n_files + 1, sizeof *l->to->found);
    if (!l->to->found) return bt_fail(l->err, BT_NOMEM, "no memory for the examples");
    l->to->n_found = s->n_files;
    if (s->class_names_file && (s->label_column || s->kind == BT_EXAMPLE_WORDS))
        st = bt__classes_load(s->class_names_file, &l->classes, l->err);
    for (size_t i = 0; !st && i < s->n_files && bt__loader_wants_more(l); i++) st = load_file(l, i);
    return st;
}

enum bt_status bt_examples_load(const struct bt_data_spec *spec, struct bt_examples **out,
                                struct bt_error *err)
{
    struct bt_error own = {0};
    bool table = spec->kind == BT_EXAMPLE_TEXT || spec->kind == BT_EXAMPLE_LABEL_SET;
    struct bt__loader l = {.spec = spec, .err = err ? err : &own, .to = calloc(1, sizeof *l.to)};
    *out = NULL;
    if (table && !spec->text_column) {
        free(l.to);
        return bt_fail(err, BT_INVALID,
                       "%s: no text column given, expected data.text_column: its name or number from 1",
                       spec->n_files ? spec->files[0] : "data");
    }
    if (!l.to) return bt_fail(err, BT_NOMEM, "no memory for the examples");
    enum bt_status st = load_files(&l);
    bt__classes_free(&l.classes);
    bt_str_free(&l.scratch);
    free(l.part);
    if (st)
        bt_examples_free(l.to);
    else
        *out = l.to;
    return st;
}

void bt_example_text(const struct bt_example *x, struct bt_str *out)
{
    if (x->text_n) bt_str_addn(out, x->text, x->text_n);
    for (uint32_t i = 0; !x->text_n && i < x->parts; i++) {
        bt_str_add(out, i ? " " : "");
        bt_str_addn(out, x->part[i].text, x->part[i].n);
    }
    if (!x->pair) return;
    bt_str_add(out, " | ");
    bt_str_addn(out, x->pair, x->pair_n);
}
