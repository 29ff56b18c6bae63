/* What the columns of a file are to the task: which parts its examples have, what is marked in them, and what the model reads of a row. */
#include "tui/views/data_view.h"

#include <bertty/experiment.h>
#include <bertty/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ── which columns ── */

static ptrdiff_t column_of(const struct data_file *f, const char *name)
{
    return name ? bt_table_find_column(f->table, name) : -1;
}

static void take_choices(struct data_file *f, const struct bt_data_spec *s)
{
    const bool swag = bt_table_dialect(f->table)->format == BT_DATA_SWAG && s->n_choice_columns == 0;
    for (size_t i = 0; f->n_choices < DATA_CHOICES && (swag || i < s->n_choice_columns); i++) {
        char name[32];
        snprintf(name, sizeof name, "ending%zu", i);
        ptrdiff_t found = column_of(f, swag ? name : s->choice_columns[i]);
        if (swag && found < 0) break;
        if (found >= 0) f->choice[f->n_choices++] = found;
    }
}

/* What the experiment says, where it names the file; else what format and names tell. */
void data_take_columns(struct data_file *f, const struct bt_experiment *x)
{
    const struct column_guess guess = columns_guess(f->table, f->column);
    struct bt_data_spec s = {.kind = bt_data_format_kind(bt_table_dialect(f->table)->format)};
    if (x && f->named) s = bt_experiment_data(x);
    f->kind = s.kind;
    const char *second = s.kind == BT_EXAMPLE_QUESTION ? s.context_column
                         : s.kind == BT_EXAMPLE_ASPECT ? s.aspect_column
                                                       : s.text_pair_column;
    f->text = column_of(f, s.text_column);
    f->pair = column_of(f, second);
    f->label = column_of(f, s.label_column);
    if (f->text < 0) {
        f->text = guess.text;
        f->pair = guess.pair;
    }
    if (f->label < 0) f->label = guess.label;
    if (s.kind == BT_EXAMPLE_QUESTION && f->label < 0) f->label = column_of(f, "answers");
    if (s.kind == BT_EXAMPLE_CHOICES) take_choices(f, &s);
    if (s.kind == BT_EXAMPLE_LABEL_SET) f->separator = bt_strdup(s.label_separator ? s.label_separator : ",");
}

static const char *cell_at(const struct bt_row *r, ptrdiff_t column, size_t *n)
{
    bool there = column >= 0 && (size_t)column < r->n;
    *n = there ? r->cell_n[column] : 0;
    return there ? r->cell[column] : NULL;
}

/* ── what each is ── */

static ptrdiff_t right_choice(const struct data_file *f, const struct bt_row *r)
{
    size_t n;
    const char *label = cell_at(r, f->label, &n);
    for (int i = 0; label && i < f->n_choices; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        if (strcmp(label, number) == 0 || strcmp(label, bt_table_column(f->table, (size_t)f->choice[i])) == 0)
            return i;
    }
    return -1;
}

void data_part_name(const struct data_file *f, const struct bt_row *r, size_t column, struct bt_str *out)
{
    static const struct {
        const char *text, *pair, *label;
    } name[] = {[BT_EXAMPLE_TEXT] = {"text", "second text", "label"},
                [BT_EXAMPLE_LABEL_SET] = {"text", "second text", "labels"},
                [BT_EXAMPLE_WORDS] = {"words", "second text", "label"},
                [BT_EXAMPLE_QUESTION] = {"question", "passage", "answers"},
                [BT_EXAMPLE_ASPECT] = {"text", "aspect", "label"},
                [BT_EXAMPLE_CHOICES] = {"text", "how each choice begins", "label"},
                [BT_EXAMPLE_PLAIN] = {"text", "second text", "label"}};
    const ptrdiff_t k = (ptrdiff_t)column;
    if (k == f->text) bt_str_addf(out, "  (%s)", name[f->kind].text);
    if (k == f->pair) bt_str_addf(out, "  (%s)", name[f->kind].pair);
    if (k == f->label) bt_str_addf(out, "  (%s)", name[f->kind].label);
    for (int i = 0; i < f->n_choices; i++)
        if (k == f->choice[i])
            bt_str_addf(out, "  (choice %d%s)", i, right_choice(f, r) == i ? ": the right one ✓" : "");
}

/* The first answer of a JSON record's list, {"text": […], "answer_start": […]} or a text; its place or the first one that holds it. */
static bool find_answer(const struct data_file *f, const struct bt_row *r, struct data_mark *m)
{
    size_t n, context_n;
    const char *cell = cell_at(r, f->label, &n), *context = cell_at(r, f->pair, &context_n);
    if (!cell || !context || n == 0) return false;
    struct bt_json *v = *cell == '{' || *cell == '[' ? bt_json_parse(cell, n, "answers", NULL) : NULL;
    const struct bt_json *answer = v && bt_json_kind(v) == BT_JSON_ARRAY ? bt_json_at(v, 0) : v;
    const struct bt_json *texts = bt_json_get(answer, "text");
    if (texts) answer = bt_json_kind(texts) == BT_JSON_ARRAY ? bt_json_at(texts, 0) : texts;
    const char *text = v ? bt_json_textn(answer, &n) : cell;
    const char *found = text && n ? memmem(context, context_n, text, n) : NULL;
    if (found) *m = (struct data_mark){.begin = (size_t)(found - context), .n = n};
    bt_json_free(v);
    return found != NULL;
}

static bool find_aspect(const struct data_file *f, const struct bt_row *r, struct data_mark *m)
{
    size_t n, text_n;
    const char *aspect = cell_at(r, f->pair, &n), *text = cell_at(r, f->text, &text_n);
    const char *found = aspect && text && n ? memmem(text, text_n, aspect, n) : NULL;
    if (found) *m = (struct data_mark){.begin = (size_t)(found - text), .n = n};
    return found != NULL;
}

bool data_mark(const struct data_file *f, const struct bt_row *r, size_t column, struct data_mark *out)
{
    const bool question = f->kind == BT_EXAMPLE_QUESTION;
    bool found = false;
    if (r->mark_n) {
        *out = (struct data_mark){.begin = r->mark, .n = r->mark_n};
        found = column == r->mark_cell;
    } else if (question) {
        found = (ptrdiff_t)column == f->pair && find_answer(f, r, out);
    } else if (f->kind == BT_EXAMPLE_ASPECT) {
        found = (ptrdiff_t)column == f->text && find_aspect(f, r, out);
    }
    out->open = question ? "«" : "⟦";
    out->close = question ? "»" : "⟧";
    return found;
}

/* ── sets of labels ── */

static void trim(const char **p, size_t *n)
{
    while (*n > 0 && memchr(" \t\r\n", **p, 4)) ++*p, --*n;
    while (*n > 0 && memchr(" \t\r\n", (*p)[*n - 1], 4)) --*n;
}

static bool each_listed(const struct bt_json *list, data_label_fn *take, void *ctx)
{
    struct bt_str label = {0};
    bool go_on = true;
    for (size_t i = 0; go_on && i < bt_json_len(list); i++) {
        const struct bt_json *v = bt_json_at(list, i);
        size_t n = 0;
        const char *text = bt_json_textn(v, &n);
        bt_str_clear(&label);
        if (!text) bt_str_addf(&label, "%.17g", bt_json_number(v, 0));
        go_on = text ? take(ctx, text, n) : take(ctx, bt_str_text(&label), label.len);
    }
    bt_str_free(&label);
    return go_on;
}

bool data_each_label(const char *separator, const char *cell, size_t n, data_label_fn *take, void *ctx)
{
    struct bt_json *list = n && *cell == '[' ? bt_json_parse(cell, n, "labels", NULL) : NULL;
    const size_t k = strlen(separator);
    const char *end = cell + n;
    bool go_on = true;
    if (list) {
        go_on = each_listed(list, take, ctx);
        bt_json_free(list);
        return go_on;
    }
    for (const char *p = cell, *stop; go_on && p <= end; p = stop + k) {
        const char *found = k ? memmem(p, (size_t)(end - p), separator, k) : NULL;
        stop = found ? found : end;
        const char *label = p;
        size_t label_n = (size_t)(stop - p);
        trim(&label, &label_n);
        if (label_n) go_on = take(ctx, label, label_n);
        if (!found) break;
    }
    return go_on;
}

/* ── what the model reads ── */

size_t data_inputs(const struct data_file *f)
{
    return f->n_choices ? (size_t)f->n_choices : 1;
}

void data_input(const struct data_file *f, const struct bt_row *r, size_t i, ptrdiff_t text,
                struct data_input *out)
{
    size_t n;
    out->text = cell_at(r, text, &out->n);
    out->pair = cell_at(r, f->pair, &out->pair_n);
    if (!f->n_choices) return;
    const char *choice = cell_at(r, f->choice[i], &n);
    bt_str_clear(&out->joined);
    if (out->pair) bt_str_addf(&out->joined, "%s ", out->pair);
    bt_str_addn(&out->joined, choice ? choice : "", n);
    out->pair = bt_str_text(&out->joined);
    out->pair_n = out->joined.len;
}
