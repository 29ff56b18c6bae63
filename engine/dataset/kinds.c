/* What a record of a table becomes, by the kind of example. */
#include "dataset/tabular.h"

#include <bertty/num.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum bt_status take_label(struct bt__table_load *t, struct bt_example *x)
{
    const struct bt__role *label = bt__role_of(t, BT__LABEL);
    const struct bt_data_spec *s = t->l->spec;
    if (!label) return BT_OK;
    size_t n = label->cell_n;
    const char *until =
        s->label_until ? memmem(label->cell, n, s->label_until, strlen(s->label_until)) : NULL;
    if (until) n = (size_t)(until - label->cell);
    x->label = bt__loader_keep_tag(t->l, label->cell, n, &x->label_n);
    if (!x->label) return bt__loader_no_memory(t->l, x->line);
    return bt__loader_label(t->l, x->line, label->name, &x->label, &x->label_n);
}

static enum bt_status take_plain(struct bt__table_load *t, struct bt_example *x)
{
    (void)t;
    (void)x;
    return BT_OK;
}

static enum bt_status take_aspect(struct bt__table_load *t, struct bt_example *x)
{
    const char *found = x->pair_n ? strstr(x->text, x->pair) : NULL;
    if (found) {
        x->mark = (size_t)(found - x->text);
        x->mark_n = x->pair_n;
    }
    return take_label(t, x);
}

/* ── label sets ── */

static enum bt_status add_label(struct bt__table_load *t, struct bt_example *x, const char *p, size_t n)
{
    struct bt__loader *l = t->l;
    const char *column = bt__role_of(t, BT__LABEL)->name;
    while (n > 0 && memchr(" \t\r\n", *p, 4)) p++, n--;
    while (n > 0 && memchr(" \t\r\n", p[n - 1], 4)) n--;
    if (n == 0) return BT_OK;
    struct bt_part *part = bt__loader_part(l, x->line);
    if (!part || !(part->text = bt__loader_keep_tag(l, p, n, &part->n)))
        return bt__loader_no_memory(l, x->line);
    enum bt_status st = bt__loader_label(l, x->line, column, &part->text, &part->n);
    for (size_t i = 0; !st && i + 1 < l->parts; i++) {
        if (l->part[i].n != part->n || memcmp(l->part[i].text, part->text, part->n) != 0) continue;
        l->parts--;
        break;
    }
    return st;
}

static enum bt_status split_labels(struct bt__table_load *t, struct bt_example *x, const struct bt__role *r)
{
    const char *separator = t->l->spec->label_separator ? t->l->spec->label_separator : ",";
    const char *p = r->cell, *end = p + r->cell_n, *stop;
    size_t k = strlen(separator);
    enum bt_status st = BT_OK;
    while (!st && k > 0 && (stop = memmem(p, (size_t)(end - p), separator, k))) {
        st = add_label(t, x, p, (size_t)(stop - p));
        p = stop + k;
    }
    return st ? st : add_label(t, x, p, (size_t)(end - p));
}

static enum bt_status list_labels(struct bt__table_load *t, struct bt_example *x, const struct bt_json *list)
{
    struct bt_str text = {0};
    enum bt_status st = BT_OK;
    for (size_t i = 0; !st && i < bt_json_len(list); i++) {
        const struct bt_json *v = bt_json_at(list, i);
        enum bt_json_kind kind = bt_json_kind(v);
        bt_str_clear(&text);
        bt__json_text(v, &text);
        if (kind == BT_JSON_ARRAY || kind == BT_JSON_OBJECT || kind == BT_JSON_NULL)
            st = bt_fail(t->l->err, BT_INVALID, "%s:%zu: label %zu of the list is no string and no number",
                         t->l->path, x->line, i + 1);
        else
            st = text.failed ? bt__loader_no_memory(t->l, x->line)
                             : add_label(t, x, bt_str_text(&text), text.len);
    }
    bt_str_free(&text);
    return st;
}

static enum bt_status take_labels(struct bt__table_load *t, struct bt_example *x)
{
    const struct bt__role *r = bt__role_of(t, BT__LABEL);
    if (!r) return BT_OK;
    x->label = bt__loader_keep_tag(t->l, r->cell, r->cell_n, &x->label_n);
    if (!x->label) return bt__loader_no_memory(t->l, x->line);
    if (bt_json_kind(r->json) == BT_JSON_ARRAY) return list_labels(t, x, r->json);
    if (bt_json_kind(r->json) != BT_JSON_OBJECT) return split_labels(t, x, r);
    return bt_fail(t->l->err, BT_INVALID, "%s:%zu: member '%s' is an object, expected a list of labels",
                   t->l->path, x->line, r->name);
}

/* ── choices ── */

static enum bt_status add_choice(struct bt__table_load *t, struct bt_example *x, const char *bytes, size_t n)
{
    struct bt__loader *l = t->l;
    const struct bt__role *start = bt__role_of(t, BT__PAIR);
    struct bt_str text = {0};
    struct bt_part *part = bt__loader_part(l, x->line);
    if (start) bt_str_addn(&text, start->cell, start->cell_n);
    if (start) bt_str_addc(&text, ' ');
    bt_str_addn(&text, bytes, n);
    if (part && !text.failed) part->text = bt__loader_keep(l, bt_str_text(&text), text.len, &part->n);
    bt_str_free(&text);
    return part && part->text ? BT_OK : bt__loader_no_memory(l, x->line);
}

static enum bt_status list_choices(struct bt__table_load *t, struct bt_example *x, const struct bt__role *r)
{
    enum bt_status st = BT_OK;
    for (size_t i = 0; !st && i < bt_json_len(r->json); i++) {
        size_t n = 0;
        const char *text = bt_json_textn(bt_json_at(r->json, i), &n);
        if (!text)
            return bt_fail(t->l->err, BT_INVALID, "%s:%zu: choice %zu of '%s' is no string", t->l->path,
                           x->line, i + 1, r->name);
        st = add_choice(t, x, text, n);
    }
    return st;
}

/* A number from 0, or the name of the right choice's column. */
static enum bt_status right_choice(struct bt__table_load *t, struct bt_example *x, size_t first)
{
    const struct bt__role *r = bt__role_of(t, BT__LABEL);
    struct bt__loader *l = t->l;
    int64_t number;
    char digits[24];
    if (!r) return BT_OK;
    const char *cell = r->cell;
    size_t found = SIZE_MAX;
    if (bt_parse_int64(cell, &number) && number >= 0 && (uint64_t)number < l->parts) found = (size_t)number;
    for (size_t i = first; found == SIZE_MAX && i < t->n; i++) {
        if (strcmp(l->head.name[t->role[i].column], cell) == 0) found = i - first;
    }
    if (found == SIZE_MAX)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: label '%.60s', expected 0 … %zu or a choice's column",
                       l->path, x->line, cell, l->parts - 1);
    int n = snprintf(digits, sizeof digits, "%zu", found);
    x->label = bt__loader_keep_tag(l, digits, (size_t)n, &x->label_n);
    return x->label ? BT_OK : bt__loader_no_memory(l, x->line);
}

static enum bt_status take_choices(struct bt__table_load *t, struct bt_example *x)
{
    struct bt__loader *l = t->l;
    size_t first = t->at[BT__CHOICE];
    enum bt_status st = BT_OK;
    while (first > 0 && t->role[first - 1].what == BT__CHOICE) first--;
    for (size_t i = first; !st && i < t->n; i++) {
        const struct bt__role *r = &t->role[i];
        if (bt_json_kind(r->json) == BT_JSON_ARRAY)
            st = list_choices(t, x, r);
        else if (t->d->format == BT_DATA_JSONL && bt_json_kind(r->json) != BT_JSON_STRING)
            st = bt_fail(l->err, BT_INVALID, "%s:%zu: no choice '%s', expected a string", l->path, x->line,
                         r->name);
        else
            st = add_choice(t, x, r->cell, r->cell_n);
    }
    if (st) return st;
    if (l->parts < 2)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: %zu choices, expected at least two", l->path, x->line,
                       l->parts);
    if (t->choices == 0) t->choices = l->parts;
    if (l->parts != t->choices)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: %zu choices, expected %zu as in the records before",
                       l->path, x->line, l->parts, t->choices);
    return right_choice(t, x, first);
}

/* ── questions ── */

static enum bt_status take_question(struct bt__table_load *t, struct bt_example *x)
{
    struct bt__loader *l = t->l;
    const struct bt__role *context = bt__role_of(t, BT__PAIR), *answers = bt__role_of(t, BT__LABEL);
    enum bt_status st = BT_OK;
    if (!bt__context_set(l, &t->context, context->cell, context->cell_n))
        return bt__loader_no_memory(l, x->line);
    x->pair = t->context.text;
    x->pair_n = t->context.n;
    const char *id = x->id ? x->id : "without an id";
    if (answers && answers->json)
        st = bt__question_answers(l, &t->context, x->line, id, answers->json);
    else if (answers)
        st = bt__question_answer(l, &t->context, x->line, id, answers->cell, answers->cell_n, INT64_MIN);
    x->impossible = answers && l->parts == 0;
    return st;
}

bt__kind_take *const bt__kind_takes[] = {
    [BT_EXAMPLE_TEXT] = take_label,        [BT_EXAMPLE_LABEL_SET] = take_labels,
    [BT_EXAMPLE_QUESTION] = take_question, [BT_EXAMPLE_ASPECT] = take_aspect,
    [BT_EXAMPLE_CHOICES] = take_choices,   [BT_EXAMPLE_PLAIN] = take_plain};
