/* Data files: as examples of what a task reads, and as the table that the Data view shows. */
#include "tests/fuzz/fuzz.h"

#include "dataset/classes.h"
#include <bertty/dataset.h>
#include <bertty/regex.h>
#include <bertty/table.h>
#include <string.h>

/* Every part of every example ends where it says. */
static void walk(const struct bt_examples *e)
{
    for (size_t i = 0; i < bt_examples_count(e); i++) {
        const struct bt_example *x = bt_examples_at(e, i);
        if (x->text && x->text[x->text_n]) fuzz_broken("a text without its end");
        if (x->pair && x->pair[x->pair_n]) fuzz_broken("a second text without its end");
        if (x->label && x->label[x->label_n]) fuzz_broken("a label without its end");
        if (x->line == 0) fuzz_broken("an example without a line");
        if (x->mark + x->mark_n > x->text_n) fuzz_broken("an aspect outside its sentence");
        for (uint32_t k = 0; k < x->parts; k++) {
            const struct bt_part *p = &x->part[k];
            if (p->text[p->n] || (p->tag && p->tag[p->tag_n])) fuzz_broken("a part without its end");
            if (p->at > (int64_t)x->pair_n) fuzz_broken("an answer outside its passage");
        }
    }
}

static void walk_table(const char *path, const struct bt_data_dialect *dialect)
{
    struct bt_table *t = NULL;
    struct bt_row row = {0};
    struct bt_error err = {.status = BT_OK};
    bool done = false;
    if (bt_table_open(path, dialect, &t, &err) != BT_OK) return;
    while (!done && bt_table_scan(t, 1 << 20, NULL, &done, &err) == BT_OK) continue;
    for (size_t i = 0; i < bt_table_rows(t); i++) {
        const enum bt_status st = bt_table_row(t, i, &row, &err);
        for (size_t k = 0; st == BT_OK && k < row.n; k++)
            if (row.cell[k][row.cell_n[k]]) fuzz_broken("a cell without its end");
    }
    bt_row_free(&row);
    bt_table_free(t);
}

static enum bt_status examples(const char *path, const struct bt_data_spec *how, struct bt_error *err)
{
    struct bt_data_spec spec = *how;
    struct bt_examples *e = NULL;
    spec.files = &path;
    spec.n_files = 1;
    const enum bt_status st = bt_examples_load(&spec, &e, err);
    if (st == BT_OK) walk(e);
    bt_examples_free(e);
    walk_table(path, &spec.dialect);
    return st;
}

static enum bt_status texts(const char *path, enum bt_data_format format, struct bt_error *err)
{
    const struct bt_data_spec spec = {.dialect = {.format = format, .quoting = -1, .header = -1},
                                      .text_column = "text",
                                      .label_column = "label"};
    return examples(path, &spec, err);
}

static enum bt_status kind(const char *path, enum bt_example_kind what, struct bt_error *err)
{
    const struct bt_data_spec spec = {.dialect = {.quoting = -1, .header = -1}, .kind = what};
    return examples(path, &spec, err);
}

/* As GLUE's files are read: columns by number, several labels in a cell, the label in front of the text. */
static enum bt_status pairs(const char *path, struct bt_error *err)
{
    const struct bt_data_spec spec = {.dialect = {.quoting = 0, .header = -1},
                                      .text_column = "2",
                                      .text_pair_column = "3-",
                                      .label_column = "1",
                                      .label_separator = ",",
                                      .label_until = ":",
                                      .id_column = "1",
                                      .kind = BT_EXAMPLE_LABEL_SET};
    return examples(path, &spec, err);
}

static enum bt_status label_names(const char *path, struct bt_error *err)
{
    struct bt__classes c;
    const enum bt_status st = bt__classes_load(path, &c, err);
    for (size_t i = 0; !st && i < c.n; i++) {
        const char *found = bt__classes_find(&c, c.name[i]);
        if (!*c.name[i] || (found && !*found)) fuzz_broken("a class without a name");
    }
    if (!st) bt__classes_free(&c);
    return st;
}

#define READ(name, call)                                                                                     \
    static enum bt_status read_##name(const char *path, const char *dir, const char *text, size_t n,         \
                                      struct bt_error *err)                                                  \
    {                                                                                                        \
        (void)dir, (void)text, (void)n;                                                                      \
        return call;                                                                                         \
    }
READ(table, texts(path, BT_DATA_AUTO, err))
READ(csv, texts(path, BT_DATA_CSV, err))
READ(tsv, texts(path, BT_DATA_TSV, err))
READ(jsonl, texts(path, BT_DATA_JSONL, err))
READ(pairs, pairs(path, err))
READ(plain, kind(path, BT_EXAMPLE_PLAIN, err))
READ(words, kind(path, BT_EXAMPLE_WORDS, err))
READ(questions, kind(path, BT_EXAMPLE_QUESTION, err))
READ(aspects, kind(path, BT_EXAMPLE_ASPECT, err))
READ(choices, kind(path, BT_EXAMPLE_CHOICES, err))
READ(label_names, label_names(path, err))

#define TABLE                                                                                                \
    "engine/dataset/tabular.c engine/dataset/csv.c engine/dataset/cells.c engine/dataset/source.c "          \
    "engine/dataset/records.c engine/dataset/dialect.c engine/dataset/profile.c engine/dataset/header.c "    \
    "engine/dataset/table.c engine/dataset/plain_lines.c "
const struct fuzz_target fuzz_data[] = {
    {.name = "csv", .file = "x.csv", .sources = TABLE, .read = read_csv},
    {.name = "tsv", .file = "x.tsv", .sources = TABLE, .read = read_tsv},
    {.name = "table", .file = "x.txt", .sources = TABLE "engine/dataset/label_first.c", .read = read_table},
    {.name = "jsonl", .file = "x.jsonl", .sources = TABLE "engine/dataset/json_record.c", .read = read_jsonl},
    {.name = "pairs", .file = "x.tsv", .sources = TABLE, .read = read_pairs},
    {.name = "plain", .file = "x.txt", .sources = "engine/dataset/text.c", .read = read_plain},
    {.name = "conll", .file = "x.conll", .sources = "engine/dataset/conll.c", .read = read_words},
    {.name = "words", .file = "w.jsonl", .sources = "engine/dataset/json_words.c", .read = read_words},
    {.name = "squad", .file = "x.json", .sources = "engine/dataset/squad.c", .read = read_questions},
    {.name = "questions", .file = "q.jsonl", .sources = "engine/dataset/question.c", .read = read_questions},
    {.name = "seg", .file = "x.seg", .sources = "engine/dataset/semeval.c", .read = read_aspects},
    {.name = "swag", .file = "s.csv", .sources = TABLE, .read = read_choices},
    {.name = "label-names",
     .file = "classes.txt",
     .sources = "engine/dataset/classes.c",
     .read = read_label_names},
    {.name = NULL}};
