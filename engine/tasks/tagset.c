#include "tasks/tagset.h"

#include "batch/tag_scheme.h"
#include <stdlib.h>
#include <string.h>

/* ── sets ── */

void bt__tagset_free(struct bt__tagset *s)
{
    bt__labels_free(&s->names);
    free(s->meaning);
    s->meaning = NULL;
}

static const struct bt__tag outside = {.letter = 'O', .type = "_", .type_n = 1};

struct bt__tag bt__tagset_read(const struct bt__tagset *s, const char *text, size_t n)
{
    if (s->raw) return (struct bt__tag){.type = text, .type_n = n};
    if (!bt__tag_in_scheme(text, n)) return outside;
    struct bt__tag t = bt__tag_parse(text);
    if (t.letter == 'M') t.letter = 'I'; /* BMES */
    return t;
}

static enum bt_status fill(struct bt__tagset *s, const char *const *names, size_t n, struct bt_error *err)
{
    struct bt__labels copy;
    enum bt_status st = bt__labels_from_names(&copy, names, n, err);
    if (st) return st;
    bt__tagset_free(s);
    s->names = copy;
    s->meaning = calloc(n + 1, sizeof *s->meaning);
    if (!s->meaning) return bt_fail(err, BT_NOMEM, "no memory for %zu tags", n);
    for (size_t i = 0; i < n; i++) s->meaning[i] = bt__tagset_read(s, copy.name[i], strlen(copy.name[i]));
    return BT_OK;
}

enum bt_status bt__tagset_fill(struct bt__tagset *s, const struct bt__labels *names, struct bt_error *err)
{
    return fill(s, (const char *const *)names->name, (size_t)names->n, err);
}

int bt__tagset_find(const struct bt__tagset *s, const struct bt__tag *t)
{
    for (int i = 0; i < s->names.n; i++)
        if (s->meaning[i].letter == t->letter && (t->letter == 'O' || bt__tag_same_type(&s->meaning[i], t)))
            return i;
    return -1;
}

static void write_tag(const struct bt__tag *t, struct bt_str *out)
{
    bool untyped = t->type_n == 1 && t->type[0] == '_';
    if (!t->letter)
        bt_str_addn(out, t->type, t->type_n);
    else if (untyped)
        bt_str_addc(out, t->letter);
    else
        bt__tag_write(t, out);
}

enum bt_status bt__tagset_add(struct bt__tagset *s, const struct bt__tag *t, int *id, struct bt_error *err)
{
    *id = bt__tagset_find(s, t);
    if (*id >= 0) return BT_OK;
    struct bt_str text = {.len = 0};
    const size_t n = (size_t)s->names.n;
    const char **names = calloc(n + 2, sizeof *names);
    write_tag(t, &text);
    enum bt_status st =
        names && !text.failed ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for %zu tags", n + 1);
    for (size_t i = 0; !st && i < n; i++) names[i] = s->names.name[i];
    if (!st) {
        names[n] = bt_str_text(&text);
        st = fill(s, names, n + 1, err);
    }
    if (!st) *id = (int)n;
    bt_str_free(&text);
    free(names);
    return st;
}

/* ── data ── */

static enum bt_status no_tag(const struct bt__task_data *d, const struct bt_example *e, size_t word,
                             struct bt_error *err)
{
    if (e->parts == 0)
        return bt_fail(err, BT_INVALID, "%s:%zu: no words, expected words with tags", bt__task_file(d, e),
                       e->line);
    return bt_fail(err, BT_INVALID, "%s:%zu: word %zu has no tag, expected one", bt__task_file(d, e),
                   e->part[word].line, word + 1);
}

static enum bt_status survey(const struct bt__task_data *d, struct bt__tag_survey *out,
                             struct bt__tag_scheme *scheme, struct bt__label_counts *types,
                             struct bt_error *err)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        if (e->parts == 0) return no_tag(d, e, 0, err);
        for (size_t k = 0; k < e->parts; k++)
            if (!e->part[k].tag) return no_tag(d, e, k, err);
        if (!bt__tag_scheme_add(scheme, e->part, e->parts, types))
            return bt_fail(err, BT_NOMEM, "no memory for the types of entities");
        out->words += e->parts;
    }
    return BT_OK;
}

enum bt_status bt__tag_survey(const struct bt__task_data *d, struct bt__tag_survey *out, struct bt_error *err)
{
    struct bt__tag_scheme scheme = {.bare = 0};
    struct bt__label_counts types = {.n = 0};
    struct bt_label_count *type;
    size_t n;
    *out = (struct bt__tag_survey){.words = 0};
    enum bt_status st = survey(d, out, &scheme, &types, err);
    bt__label_counts_take(&types, &type, &n);
    for (size_t i = 0; i < n; i++) free(type[i].label);
    free(type);
    for (int i = 0; i < 256; i++) out->entities += scheme.prefix[i];
    out->foreign = scheme.bare;
    out->scheme = bt__tag_scheme_name(&scheme);
    out->from = scheme.prefix['L'] + scheme.prefix['U'] ? BT__BILOU : BT__IOB1;
    return st;
}

bool bt__tag_survey_raw(const struct bt__tag_survey *v)
{
    return v->foreign > v->entities;
}

static bool reserve(struct bt__tag_reader *r, size_t n)
{
    if (n <= r->cap && r->tag) return true;
    size_t cap = r->cap * 2 > n ? r->cap * 2 : n + 64;
    bt__tag_reader_free(r);
    r->given = calloc(cap, sizeof *r->given);
    r->tag = calloc(cap, sizeof *r->tag);
    r->entity = calloc(cap, sizeof *r->entity);
    r->cap = cap;
    return r->given && r->tag && r->entity;
}

enum bt_status bt__tag_reader_read(struct bt__tag_reader *r, const struct bt__tagset *s, enum bt__scheme from,
                                   const struct bt_part *word, size_t n, struct bt_error *err)
{
    if (!reserve(r, n)) return bt_fail(err, BT_NOMEM, "no memory for the tags of %zu words", n);
    for (size_t i = 0; i < n; i++) r->given[i] = bt__tagset_read(s, word[i].tag, word[i].tag_n);
    if (s->raw)
        memcpy(r->tag, r->given, n * sizeof *r->tag);
    else
        bt__tags_convert(r->given, n, from, s->scheme, r->entity, r->tag);
    return BT_OK;
}

void bt__tag_reader_free(struct bt__tag_reader *r)
{
    free(r->given);
    free(r->tag);
    free(r->entity);
    *r = (struct bt__tag_reader){.cap = 0};
}
