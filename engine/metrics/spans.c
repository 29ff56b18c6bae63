#include "metrics/spans.h"

#include "metrics/ratio.h"
#include <bertty/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counting: the tags' meanings, room for one sentence, and a row of counts for each type in the order of their names. */
struct counting {
    const struct bt__span_results *r;
    struct bt__tag *meaning;        /* [tags] */
    int *type_of;                   /* [tags] */
    const struct bt__tag **type;    /* [types]: a tag that has it */
    struct bt__class_counts *count; /* [types] */
    size_t types;
    struct bt__tag *gold, *predicted; /* [longest sentence] */
    struct bt__entity *gold_entity, *predicted_entity;
    size_t words, right;
};

static void close_counting(struct counting *c)
{
    free(c->meaning);
    free(c->type_of);
    free(c->type);
    free(c->count);
    free(c->gold);
    free(c->predicted);
    free(c->gold_entity);
    free(c->predicted_entity);
}

static enum bt_status reserve(struct counting *c, struct bt_error *err)
{
    const struct bt__span_results *r = c->r;
    size_t tags = (size_t)r->tags + 1, longest = 1;
    for (size_t i = 0; i < r->n; i++)
        if (r->start[i + 1] - r->start[i] > longest) longest = r->start[i + 1] - r->start[i];
    c->meaning = calloc(tags, sizeof *c->meaning);
    c->type_of = calloc(tags, sizeof *c->type_of);
    c->type = calloc(tags, sizeof *c->type);
    c->count = calloc(tags, sizeof *c->count);
    c->gold = calloc(longest, sizeof *c->gold);
    c->predicted = calloc(longest, sizeof *c->predicted);
    c->gold_entity = calloc(longest, sizeof *c->gold_entity);
    c->predicted_entity = calloc(longest, sizeof *c->predicted_entity);
    if (c->meaning && c->type_of && c->type && c->count && c->gold && c->predicted && c->gold_entity &&
        c->predicted_entity)
        return BT_OK;
    return bt_fail(err, BT_NOMEM, "no memory for the metrics of sentences of up to %zu words", longest);
}

static int by_type(const void *a, const void *b)
{
    const struct bt__tag *x = *(const struct bt__tag *const *)a, *y = *(const struct bt__tag *const *)b;
    int order = memcmp(x->type, y->type, x->type_n < y->type_n ? x->type_n : y->type_n);
    return order ? order : (x->type_n > y->type_n) - (x->type_n < y->type_n);
}

static void name_types(struct counting *c)
{
    size_t tags = (size_t)c->r->tags, last = 0;
    for (size_t i = 0; i < tags; i++) {
        c->meaning[i] = bt__tag_parse(c->r->tag[i]);
        c->type[i] = &c->meaning[i];
    }
    if (tags) qsort(c->type, tags, sizeof *c->type, by_type);
    for (size_t i = 0; i < tags; i++) {
        if (i && !bt__tag_same_type(c->type[last], c->type[i])) last++;
        c->type_of[c->type[i] - c->meaning] = (int)last;
        c->type[last] = c->type[i];
    }
    c->types = tags ? last + 1 : 0;
}

static enum bt_status read_sentence(const struct counting *c, const int *ids, size_t n, struct bt__tag *tags,
                                    struct bt__entity *out, size_t *found, struct bt_error *err)
{
    const struct bt__span_results *r = c->r;
    for (size_t i = 0; i < n; i++) {
        tags[i] = c->meaning[ids[i]];
        if (r->strict && !bt__tag_allowed(&tags[i], r->scheme))
            return bt_fail(err, BT_INVALID, "tag %s: found a letter that %s does not have", r->tag[ids[i]],
                           bt__scheme_name(r->scheme));
    }
    *found = bt__tags_entities(tags, n, r->scheme, r->strict, out);
    return BT_OK;
}

/* Both lists are in the order of their ends, of which each has one at a place at most. */
static void compare(struct counting *c, const int *gold, size_t golds, const int *predicted,
                    size_t predictions)
{
    const struct bt__entity *g = c->gold_entity, *p = c->predicted_entity;
    for (size_t i = 0; i < golds; i++) c->count[c->type_of[gold[g[i].tag]]].gold++;
    for (size_t i = 0; i < predictions; i++) c->count[c->type_of[predicted[p[i].tag]]].predicted++;
    for (size_t i = 0, j = 0; i < golds && j < predictions;) {
        int type = c->type_of[gold[g[i].tag]];
        if (g[i].end == p[j].end && g[i].begin == p[j].begin && type == c->type_of[predicted[p[j].tag]])
            c->count[type].hit++;
        size_t end = g[i].end < p[j].end ? g[i].end : p[j].end;
        i += g[i].end == end;
        j += p[j].end == end;
    }
}

static enum bt_status count_sentence(struct counting *c, const int *gold, const int *predicted, size_t n,
                                     struct bt_error *err)
{
    size_t golds, predictions;
    enum bt_status st = read_sentence(c, gold, n, c->gold, c->gold_entity, &golds, err);
    if (!st) st = read_sentence(c, predicted, n, c->predicted, c->predicted_entity, &predictions, err);
    if (st) return st;
    compare(c, gold, golds, predicted, predictions);
    for (size_t i = 0; i < n; i++) c->right += gold[i] == predicted[i];
    c->words += n;
    return BT_OK;
}

/* Only the types that occur stay. */
static void drop_absent(struct counting *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->types; i++) {
        if (c->count[i].gold + c->count[i].predicted == 0) continue;
        c->count[kept] = c->count[i];
        c->type[kept++] = c->type[i];
    }
    c->types = kept;
}

static enum bt_status count_all(const struct bt__span_results *r, struct counting *c, struct bt_error *err)
{
    *c = (struct counting){.r = r};
    enum bt_status st = reserve(c, err);
    if (!st) name_types(c);
    for (size_t i = 0; i < r->n && !st; i++) {
        size_t at = r->start[i];
        st = count_sentence(c, r->gold + at, r->predicted + at, r->start[i + 1] - at, err);
    }
    if (!st) drop_absent(c);
    return st;
}

static void put_type(const struct bt__tag *type, const struct bt__class_counts *k, struct bt_metrics *out)
{
    char name[sizeof out->item->name];
    snprintf(name, sizeof name, "f1_%.*s", (int)type->type_n, type->type);
    name[bt_utf8_valid(name, strlen(name))] = '\0';
    bt__metric_put(out, name, bt__ratio(k, BT__F1));
}

enum bt_status bt__span_metrics(const struct bt__span_results *r, struct bt_metrics *out,
                                struct bt_error *err)
{
    struct counting c;
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    enum bt_status st = count_all(r, &c, err);
    struct bt__spans_view v = {
        .r = r, .count = c.count, .types = c.types, .words = c.words, .right = c.right};
    if (!st) v.all = bt__counts_sum(c.count, c.types);
    for (size_t i = 0; i < n && !st; i++)
        if (bt__metric_applies(&row[i], BT__METRICS_spans, 0))
            bt__metric_put(out, row[i].name, row[i].value.spans(&v));
    for (size_t i = 0; i < c.types && !st; i++) put_type(c.type[i], &c.count[i], out);
    close_counting(&c);
    return st;
}

enum bt_status bt__span_types(const struct bt__span_results *r, struct bt__span_type **types, size_t *n,
                              struct bt_error *err)
{
    struct counting c;
    enum bt_status st = count_all(r, &c, err);
    struct bt__span_type *all = st ? NULL : calloc(c.types + 1, sizeof *all);
    if (!st && !all) st = bt_fail(err, BT_NOMEM, "no memory for %zu types", c.types);
    for (size_t i = 0; i < c.types && !st; i++)
        all[i] = (struct bt__span_type){.name = c.type[i]->type,
                                        .name_n = c.type[i]->type_n,
                                        .count = c.count[i],
                                        .prf = bt__prf_of(&c.count[i])};
    *types = all;
    *n = st ? 0 : c.types;
    close_counting(&c);
    return st;
}
