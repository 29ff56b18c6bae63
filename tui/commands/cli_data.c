#include "tui/commands/cli_data.h"

#include "tui/commands/cli.h"
#include <bertty/json.h>
#include <bertty/num.h>
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 30, LABELS = 20, LINES = 12 };

static const char *const kind_names[] = {
    [BT_EXAMPLE_TEXT] = "text",         [BT_EXAMPLE_LABEL_SET] = "labels", [BT_EXAMPLE_WORDS] = "words",
    [BT_EXAMPLE_QUESTION] = "question", [BT_EXAMPLE_ASPECT] = "aspect",    [BT_EXAMPLE_CHOICES] = "choices",
    [BT_EXAMPLE_PLAIN] = "plain"};
/* What a row is, and what it has several of. */
static const char *const row_names[] = {
    [BT_EXAMPLE_TEXT] = "rows",          [BT_EXAMPLE_LABEL_SET] = "rows", [BT_EXAMPLE_WORDS] = "sentences",
    [BT_EXAMPLE_QUESTION] = "questions", [BT_EXAMPLE_ASPECT] = "rows",    [BT_EXAMPLE_CHOICES] = "rows",
    [BT_EXAMPLE_PLAIN] = "texts"};
static const char *const part_names[] = {[BT_EXAMPLE_LABEL_SET] = "labels a row",
                                         [BT_EXAMPLE_WORDS] = "words a sentence",
                                         [BT_EXAMPLE_QUESTION] = "answers a question",
                                         [BT_EXAMPLE_CHOICES] = "choices a row"};

static double percent(size_t part, size_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* A bar of eighths of a column where the terminal knows them. */
static const char *bar(struct bt_str *out, size_t n, size_t most)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    size_t parts = most ? (size_t)lround(8.0 * BAR * (double)n / (double)most) : 0;
    bool utf8 = MB_CUR_MAX > 1;
    if (n > 0 && parts == 0) parts = 1;
    bt_str_clear(out);
    for (size_t i = 0; i < parts / 8; i++) bt_str_add(out, utf8 ? "█" : "#");
    if (parts % 8) bt_str_add(out, utf8 ? eighths[parts % 8] : "#");
    return bt_str_text(out);
}

/* ── for people ── */

/* The columns of a table; other formats have none to name. */
static void tell_columns(const struct cli_data_facts *f)
{
    struct bt_str s = {0};
    if (!f->spec->text_column) return;
    bt_str_addf(&s, "text: column %s", f->spec->text_column);
    if (f->spec->text_pair_column) bt_str_addf(&s, ", pair: %s", f->spec->text_pair_column);
    if (f->spec->aspect_column) bt_str_addf(&s, ", aspect: %s", f->spec->aspect_column);
    if (f->spec->context_column) bt_str_addf(&s, ", context: %s", f->spec->context_column);
    if (f->spec->label_column) bt_str_addf(&s, ", label: %s", f->spec->label_column);
    if (f->label_first)
        bt_str_add(
            &s,
            " (guessed: a label, a blank and a text on each line; --delimiter ' ' --text 2- --label 1, in an "
            "experiment data.delimiter: \" \" and so on)");
    else if (f->guessed)
        bt_str_add(&s, f->spec->label_column ? " (guessed)" : " (guessed; no label found: --label COL)");
    cli_line("%s", bt_str_text(&s));
    bt_str_free(&s);
}

static bool all_numbers(const struct bt_file_report *f, double *low, double *high, double *mean)
{
    double v, sum = 0;
    for (size_t i = 0; i < f->n_labels; i++) {
        if (!bt_parse_double(f->label[i].label, &v)) return false;
        *low = i == 0 ? v : fmin(*low, v);
        *high = i == 0 ? v : fmax(*high, v);
        sum += v * (double)f->label[i].rows;
    }
    *mean = sum / (double)f->rows;
    return f->n_labels > 0;
}

static void tell_counts(const struct bt_label_count *label, size_t n, size_t whole)
{
    struct cli_table t = {.columns = 5, .right = 4 | 8};
    struct bt_str s = {0};
    for (size_t i = 0; i < n && i < LABELS; i++) {
        cli_table_cell(&t, "   ");
        bt_str_clear(&s);
        bt_text_fit(&s, label[i].label, strlen(label[i].label), 40);
        cli_table_cell(&t, "%s", bt_str_text(&s));
        cli_table_cell(&t, "%zu", label[i].rows);
        cli_table_cell(&t, "%.1f %%", percent(label[i].rows, whole));
        cli_table_cell(&t, "%s", bar(&s, label[i].rows, label[0].rows));
    }
    cli_table_print(&t);
    if (n > LABELS) cli_line("    … and %zu more", n - LABELS);
    bt_str_free(&s);
}

static size_t total(const struct bt_label_count *label, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += label[i].rows;
    return sum;
}

static void tell_labels(const struct bt_file_report *f)
{
    double low, high, mean;
    bool words = f->kind == BT_EXAMPLE_WORDS;
    if (f->n_labels == 0) return;
    if (!words && f->n_labels > LABELS && all_numbers(f, &low, &high, &mean)) {
        cli_line("  labels: %zu different numbers from %g to %g, mean %.4g", f->n_labels, low, high, mean);
        return;
    }
    if (words)
        cli_line("  tags: %zu, %s%s", f->n_labels, f->scheme ? "scheme " : "of no scheme of entities",
                 f->scheme ? f->scheme : "");
    else
        cli_line("  labels: %zu", f->n_labels);
    tell_counts(f->label, f->n_labels, words ? f->total_parts : f->rows);
}

/* Entities or aspects. */
static void tell_entities(const struct bt_file_report *f)
{
    size_t sum = total(f->entity, f->n_entities);
    if (f->n_entities == 0) return;
    if (f->kind == BT_EXAMPLE_WORDS)
        cli_line("  entities: %zu of %zu types", sum, f->n_entities);
    else
        cli_line("  aspects: %zu different ones", f->n_entities);
    tell_counts(f->entity, f->n_entities, sum);
}

static void tell_oddities(const struct bt_file_report *f)
{
    if (f->kind == BT_EXAMPLE_QUESTION)
        cli_line("  questions without an answer: %zu, %.1f %%", f->impossible,
                 percent(f->impossible, f->rows));
    if (f->unmarked) cli_line("  aspects that do not stand in their text: %zu", f->unmarked);
    if (f->misaligned) cli_line("  answers that are not where the file says: %zu", f->misaligned);
    if (f->foreign) cli_line("  tags in no scheme, which count as O: %zu", f->foreign);
    for (size_t i = 0; i < f->n_odd; i++) cli_line("    %s", f->odd[i]);
    if (f->n_odd && f->n_odd < f->misaligned + f->foreign) cli_line("    …");
}

/* The report's bins, some of them together so that there are few lines. */
static void tell_histogram(const struct bt_lengths *l)
{
    struct cli_table t = {.columns = 4, .right = 2 | 4};
    struct bt_str s = {0};
    size_t lines[32] = {0}, used = 32, most = 0, first = 0;
    while (l->bin[used - 1] == 0) used--;
    size_t together = (used + LINES - 1) / LINES, n = (used + together - 1) / together;
    for (size_t i = 0; i < used; i++) lines[i / together] += l->bin[i];
    for (size_t i = 0; i < n; i++) most = lines[i] > most ? lines[i] : most;
    while (lines[first] == 0) first++;
    for (size_t i = first; i < n; i++) {
        size_t width = l->bin_width * together, from = i * width, to = i == n - 1 ? l->max : from + width - 1;
        cli_table_cell(&t, "   ");
        if (from == to)
            cli_table_cell(&t, "%zu", from);
        else
            cli_table_cell(&t, "%zu–%zu", from, to);
        cli_table_cell(&t, "%zu", lines[i]);
        cli_table_cell(&t, "%s", bar(&s, lines[i], most));
    }
    cli_table_print(&t);
    bt_str_free(&s);
}

static void tell_lengths(const char *what, const struct bt_lengths *l)
{
    if (l->n == 0) return;
    cli_line("  %s: %zu to %zu, mean %.1f, median %zu, 90 %% up to %zu, 99 %% up to %zu", what, l->min,
             l->max, l->mean, l->p50, l->p90, l->p99);
    tell_histogram(l);
}

/* Kinds whose long inputs are not cut but read piece by piece. */
static bool in_windows(enum bt_example_kind kind)
{
    return kind == BT_EXAMPLE_WORDS || kind == BT_EXAMPLE_QUESTION || kind == BT_EXAMPLE_PLAIN;
}

static void tell_file(const struct bt_file_report *f, const struct cli_data_facts *facts)
{
    cli_line("%s: %zu %s", f->path, f->rows, row_names[f->kind]);
    cli_line("  recognised as %s", f->found);
    tell_labels(f);
    tell_entities(f);
    if (f->parts.n) tell_lengths(part_names[f->kind], &f->parts);
    tell_lengths("characters", &f->characters);
    tell_lengths("word pieces", &f->pieces);
    if (f->pieces.n && facts->max_length)
        cli_line("  %s %zu pieces: %zu %s, %.1f %%", in_windows(f->kind) ? "in windows of" : "cut at",
                 facts->max_length, f->truncated, row_names[f->kind], percent(f->truncated, f->rows));
    if (f->pieces.n)
        cli_line("  unknown pieces: %zu of %zu, %.2f %%", f->unknown, f->total_pieces,
                 percent(f->unknown, f->total_pieces));
    tell_oddities(f);
    cli_line("  duplicates: %zu %s, %.1f %%", f->duplicates, row_names[f->kind],
             percent(f->duplicates, f->rows));
    if (f->n_labels) cli_line("  inputs with conflicting labels: %zu", f->conflicts);
    if (f->empty_texts) cli_line("  empty texts: %zu", f->empty_texts);
    if (f->invalid_utf8) cli_line("  rows that are no valid UTF-8: %zu", f->invalid_utf8);
}

void cli_data_tell(const struct bt_data_report *r, const struct cli_data_facts *f)
{
    tell_columns(f);
    for (size_t i = 0; i < r->n_files; i++) {
        if (i > 0 || f->spec->text_column) cli_line("%s", "");
        tell_file(&r->file[i], f);
    }
    if (r->n_files > 1) cli_line("%s", "");
    for (size_t i = 0; i < r->n_overlaps; i++) {
        const struct bt_overlap *o = &r->overlap[i];
        const struct bt_file_report *a = &r->file[o->first], *b = &r->file[o->second];
        if (a->n_labels && b->n_labels)
            cli_line("overlap: %zu rows of %s stand in %s, %zu of them with the same label", o->inputs,
                     b->path, a->path, o->with_label);
        else
            cli_line("overlap: %zu rows of %s stand in %s", o->inputs, b->path, a->path);
    }
    if (r->n_files > 1 && r->n_overlaps == 0) cli_line("overlap: none");
}

void cli_data_columns(const char *path, struct bt_table *t, const struct column *c)
{
    struct cli_table out = {.columns = 4, .right = 1};
    struct bt_row row = {0};
    struct bt_str s = {0};
    bool have = bt_table_rows(t) > 0 && bt_table_row(t, 0, &row, NULL) == BT_OK;
    cli_line("%s: %zu columns", path, bt_table_columns(t));
    for (size_t i = 0; i < bt_table_columns(t); i++) {
        char kind[64];
        column_describe(&c[i], kind, sizeof kind);
        cli_table_cell(&out, "%zu", i + 1);
        cli_table_cell(&out, "%s",
                       bt_table_dialect(t)->header == 1 || bt_table_dialect(t)->format == BT_DATA_JSONL
                           ? bt_table_column(t, i)
                           : "");
        cli_table_cell(&out, "%s", kind);
        bt_str_clear(&s);
        if (have && i < row.n) bt_text_fit(&s, row.cell[i], row.cell_n[i], 50);
        cli_table_cell(&out, "%s", bt_str_text(&s));
    }
    cli_table_print(&out);
    bt_str_free(&s);
    bt_row_free(&row);
}

/* ── for programs ── */

static void json_lengths(struct bt_json_writer *w, const char *key, const struct bt_lengths *l)
{
    bt_jw_key(w, key);
    if (l->n == 0) {
        bt_jw_null(w);
        return;
    }
    bt_jw_object(w);
    bt_jw_kint(w, "min", (int64_t)l->min);
    bt_jw_kint(w, "max", (int64_t)l->max);
    bt_jw_knum(w, "mean", l->mean);
    bt_jw_kint(w, "p50", (int64_t)l->p50);
    bt_jw_kint(w, "p90", (int64_t)l->p90);
    bt_jw_kint(w, "p99", (int64_t)l->p99);
    bt_jw_kint(w, "bin_width", (int64_t)l->bin_width);
    bt_jw_key(w, "bins");
    bt_jw_array(w);
    for (size_t i = 0; i < 32; i++) bt_jw_int(w, (int64_t)l->bin[i]);
    bt_jw_end_array(w);
    bt_jw_end_object(w);
}

static void json_counts(struct bt_json_writer *w, const char *key, const char *name,
                        const struct bt_label_count *label, size_t n)
{
    bt_jw_key(w, key);
    bt_jw_array(w);
    for (size_t i = 0; i < n; i++) {
        bt_jw_object(w);
        bt_jw_ktext(w, name, label[i].label);
        bt_jw_kint(w, "rows", (int64_t)label[i].rows);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

/* What only some kinds have. */
static void json_kind(struct bt_json_writer *w, const struct bt_file_report *f)
{
    if (f->n_entities)
        json_counts(w, f->kind == BT_EXAMPLE_WORDS ? "entities" : "aspects", "name", f->entity,
                    f->n_entities);
    if (f->kind == BT_EXAMPLE_WORDS) bt_jw_ktext(w, "scheme", f->scheme);
    if (f->kind == BT_EXAMPLE_ASPECT) bt_jw_kint(w, "unmarked", (int64_t)f->unmarked);
    if (f->parts.n) {
        bt_jw_kint(w, "total_parts", (int64_t)f->total_parts);
        json_lengths(w, "parts", &f->parts);
    }
    if (f->kind == BT_EXAMPLE_WORDS) bt_jw_kint(w, "foreign_tags", (int64_t)f->foreign);
    if (f->kind == BT_EXAMPLE_QUESTION) bt_jw_kint(w, "impossible", (int64_t)f->impossible);
    if (f->kind == BT_EXAMPLE_QUESTION) bt_jw_kint(w, "misaligned", (int64_t)f->misaligned);
    if (f->kind != BT_EXAMPLE_QUESTION && f->n_odd == 0) return;
    bt_jw_key(w, "odd");
    bt_jw_array(w);
    for (size_t i = 0; i < f->n_odd; i++) bt_jw_text(w, f->odd[i]);
    bt_jw_end_array(w);
}

static void json_file(struct bt_json_writer *w, const struct bt_file_report *f,
                      const struct cli_data_facts *facts)
{
    bt_jw_object(w);
    bt_jw_ktext(w, "file", f->path);
    bt_jw_kint(w, "rows", (int64_t)f->rows);
    bt_jw_ktext(w, "found", f->found);
    json_counts(w, "labels", "label", f->label, f->n_labels);
    json_kind(w, f);
    json_lengths(w, "characters", &f->characters);
    json_lengths(w, "pieces", &f->pieces);
    if (f->pieces.n) {
        bt_jw_kint(w, "max_length", (int64_t)facts->max_length);
        bt_jw_kint(w, "truncated", (int64_t)f->truncated);
        bt_jw_kint(w, "unknown_pieces", (int64_t)f->unknown);
        bt_jw_kint(w, "total_pieces", (int64_t)f->total_pieces);
    }
    bt_jw_kint(w, "duplicates", (int64_t)f->duplicates);
    bt_jw_kint(w, "conflicts", (int64_t)f->conflicts);
    bt_jw_kint(w, "empty_texts", (int64_t)f->empty_texts);
    bt_jw_kint(w, "invalid_utf8", (int64_t)f->invalid_utf8);
    bt_jw_end_object(w);
}

static void json_settings(struct bt_json_writer *w, const struct cli_data_facts *f)
{
    char delimiter[2] = {f->dialect->delimiter, '\0'};
    bool table = f->dialect->delimiter && bt_data_format_kind(f->dialect->format) != BT_EXAMPLE_WORDS;
    bt_jw_ktext(w, "kind", kind_names[f->spec->kind]);
    bt_jw_ktext(w, "format", bt_data_format_name(f->dialect->format));
    if (table) {
        bt_jw_ktext(w, "delimiter", delimiter);
        bt_jw_kbool(w, "quoting", f->dialect->quoting == 1);
        bt_jw_kbool(w, "header", f->dialect->header == 1);
    }
    bt_jw_ktext(w, "text", f->spec->text_column);
    bt_jw_ktext(w, "pair", f->spec->text_pair_column);
    bt_jw_ktext(w, "label", f->spec->label_column);
    bt_jw_kbool(w, "guessed", f->guessed);
}

void cli_data_json(const struct bt_data_report *r, const struct cli_data_facts *f)
{
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    for (size_t i = 0; i < r->n_files; i++) {
        w = BT_JSON_WRITER(&text);
        json_file(&w, &r->file[i], f);
        cli_json(&text);
    }
    w = BT_JSON_WRITER(&text);
    size_t rows = 0;
    for (size_t i = 0; i < r->n_files; i++) rows += r->file[i].rows;
    bt_jw_object(&w);
    bt_jw_kint(&w, "files", (int64_t)r->n_files);
    bt_jw_kint(&w, "rows", (int64_t)rows);
    json_settings(&w, f);
    bt_jw_key(&w, "overlaps");
    bt_jw_array(&w);
    for (size_t i = 0; i < r->n_overlaps; i++) {
        const struct bt_overlap *o = &r->overlap[i];
        bt_jw_object(&w);
        bt_jw_ktext(&w, "first", r->file[o->first].path);
        bt_jw_ktext(&w, "second", r->file[o->second].path);
        bt_jw_kint(&w, "inputs", (int64_t)o->inputs);
        bt_jw_kint(&w, "with_label", (int64_t)o->with_label);
        bt_jw_end_object(&w);
    }
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&text);
    bt_str_free(&text);
}

void cli_data_columns_json(const struct bt_table *t, const struct column *c)
{
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    bt_jw_object(&w);
    bt_jw_key(&w, "columns");
    bt_jw_array(&w);
    for (size_t i = 0; i < bt_table_columns(t); i++) {
        char kind[64];
        column_describe(&c[i], kind, sizeof kind);
        bt_jw_object(&w);
        bt_jw_ktext(&w, "name", bt_table_column(t, i));
        bt_jw_ktext(&w, "kind", kind);
        bt_jw_end_object(&w);
    }
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&text);
    bt_str_free(&text);
}
