/* JSONL with a list of words and one of tags in each object; tags are names, or numbers with class_names_file. */
#include "dataset/tabular.h"

#include <stdlib.h>
#include <string.h>

static enum bt_status wrong_list(const struct bt__table_load *t, size_t line, const char *name)
{
    return bt_fail(t->l->err, BT_INVALID, "%s:%zu: member '%s' is no list", t->l->path, line, name);
}

static enum bt_status add_tag(struct bt__table_load *t, struct bt_part *part, const struct bt_json *tag)
{
    struct bt__loader *l = t->l;
    enum bt_json_kind kind = bt_json_kind(tag);
    if (kind != BT_JSON_STRING && kind != BT_JSON_INT)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: tag %zu is no string and no whole number", l->path,
                       part->line, l->parts);
    bt_str_clear(&t->text);
    bt__json_text(tag, &t->text);
    part->tag =
        t->text.failed ? NULL : bt__loader_keep_tag(l, bt_str_text(&t->text), t->text.len, &part->tag_n);
    if (!part->tag) return bt__loader_no_memory(l, part->line);
    return bt__loader_label(l, part->line, t->tags, &part->tag, &part->tag_n);
}

static enum bt_status take_words(struct bt__table_load *t, size_t line, const struct bt_json *words,
                                 const struct bt_json *tags)
{
    struct bt__loader *l = t->l;
    enum bt_status st = BT_OK;
    for (size_t i = 0; !st && i < bt_json_len(words); i++) {
        size_t n = 0;
        const char *text = bt_json_textn(bt_json_at(words, i), &n);
        if (!text || n == 0)
            return bt_fail(l->err, BT_INVALID, "%s:%zu: word %zu is %s", l->path, line, i + 1,
                           text ? "empty" : "no string");
        struct bt_part *part = bt__loader_part(l, line);
        if (!part || !(part->text = bt__loader_keep(l, text, n, &part->n)))
            return bt__loader_no_memory(l, line);
        if (tags) st = add_tag(t, part, bt_json_at(tags, i));
    }
    return st;
}

static enum bt_status take(struct bt__table_load *t, const struct bt__record *rec)
{
    struct bt__loader *l = t->l;
    t->root = bt__json_record(l->path, rec, &l->invalid, l->err);
    if (!t->root) return l->err->status;
    const struct bt_json *words = bt_json_get(t->root, t->tokens);
    const struct bt_json *tags = t->tags ? bt_json_get(t->root, t->tags) : NULL;
    if (bt_json_kind(words) != BT_JSON_ARRAY) return wrong_list(t, rec->line, t->tokens);
    if (t->tags && bt_json_kind(tags) != BT_JSON_ARRAY) return wrong_list(t, rec->line, t->tags);
    if (tags && bt_json_len(words) != bt_json_len(tags))
        return bt_fail(l->err, BT_INVALID, "%s:%zu: %zu words but %zu tags", l->path, rec->line,
                       bt_json_len(words), bt_json_len(tags));
    enum bt_status st = take_words(t, rec->line, words, tags);
    if (st || l->parts == 0) return st;
    struct bt_example *x = bt__loader_add(l, rec->line);
    return x ? bt__loader_words(l, x) : bt__loader_no_memory(l, rec->line);
}

static const char *member(const struct bt__loader *l, const char *asked, const char *const *usual)
{
    if (asked) {
        ptrdiff_t i = bt__head_column(&l->head, asked);
        return i < 0 ? NULL : l->head.name[i];
    }
    for (; *usual; usual++) {
        for (size_t i = 0; i < l->head.n; i++) {
            if (strcmp(l->head.name[i], *usual) == 0) return *usual;
        }
    }
    return NULL;
}

enum bt_status bt__json_words(struct bt__table_load *t)
{
    static const char *const tokens[] = {"tokens", "words", NULL}, *const tags[] = {"tags", "ner_tags",
                                                                                    "labels", NULL};
    const struct bt__loader *l = t->l;
    const struct bt_data_spec *s = l->spec;
    t->tokens = member(l, s->tokens_column, tokens);
    t->tags = member(l, s->tags_column, tags);
    t->takes_object = take;
    if (!t->tokens)
        return bt__head_no_column(&l->head, l->path, s->tokens_column ? s->tokens_column : "tokens", l->err);
    if (!t->tags && s->tags_column) return bt__head_no_column(&l->head, l->path, s->tags_column, l->err);
    return BT_OK;
}
