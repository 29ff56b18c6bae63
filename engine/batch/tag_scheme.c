#include "batch/tag_scheme.h"

#include <string.h>

static const char tag_letters[] = "BIESLUM";

struct tag {
    char prefix; /* 'O': outside */
    const char *type;
    size_t type_n;
};

bool bt__tag_in_scheme(const char *tag, size_t n)
{
    if (n == 1) return *tag == 'O' || strchr(tag_letters, *tag);
    return n > 2 && strchr(tag_letters, *tag) && tag[1] == '-';
}

static struct tag read_tag(const struct bt_part *p)
{
    struct tag t = {.prefix = 'O'};
    if (!p->tag || (p->tag_n == 1 && p->tag[0] == 'O')) return t;
    if (!bt__tag_in_scheme(p->tag, p->tag_n)) return (struct tag){.prefix = '\0'};
    if (p->tag_n == 1) return (struct tag){.prefix = p->tag[0], .type = "_", .type_n = 1};
    return (struct tag){.prefix = p->tag[0], .type = p->tag + 2, .type_n = p->tag_n - 2};
}

static bool is(char prefix, const char *letters)
{
    return prefix && strchr(letters, prefix);
}

static bool same_type(const struct tag *a, const struct tag *b)
{
    return a->type_n == b->type_n && a->type_n > 0 && memcmp(a->type, b->type, a->type_n) == 0;
}

bool bt__tag_scheme_add(struct bt__tag_scheme *s, const struct bt_part *word, size_t n,
                        struct bt__label_counts *entities)
{
    struct tag before = {.prefix = 'O'};
    for (size_t i = 0; i < n; i++) {
        struct tag t = read_tag(&word[i]);
        bool goes_on = same_type(&before, &t) && !is(before.prefix, "ESLU");
        bool starts = t.type && (is(t.prefix, "BSU") || !goes_on);
        s->bare += t.prefix == '\0';
        if (t.type) s->prefix[(unsigned char)t.prefix]++;
        s->open_starts += starts && t.prefix == 'I';
        s->idle_starts += t.prefix == 'B' && !same_type(&before, &t);
        if (starts && !bt__label_counts_add(entities, t.type, t.type_n)) return false;
        before = t;
    }
    return true;
}

const char *bt__tag_scheme_name(const struct bt__tag_scheme *s)
{
    const size_t *n = s->prefix;
    if (n['B'] + n['I'] + n['E'] + n['S'] + n['L'] + n['U'] == 0) return NULL;
    if (n['L'] + n['U'] > 0) return "BILOU";
    if (n['S'] > 0 || (n['E'] > 0 && n['B'] > 0)) return "IOBES";
    if (n['E'] > 0) return "IOE";
    if (s->open_starts == 0) return "IOB2";
    return s->idle_starts == 0 ? "IOB1" : "IOB1 and IOB2 mixed";
}
