#include "metrics/tags.h"

#include <string.h>
#include <strings.h>

/* A step from one tag to the next: the letters on both sides ("" is any), and whether the types must be the same ('='), different ('!')
 * or may be either ('*'). */
struct step {
    const char *before, *now;
    char types;
};
enum { STEPS = 6 };
#define STEP(from, to, kind)                                                                                 \
    {                                                                                                        \
        .before = from, .now = to, .types = kind                                                             \
    }

/* How a scheme spells: its letters; the steps that start an entity, go on with it and end it. After seqeval/scheme.py, whose strict mode
 * this is to equal; its IOE1 does not know that E after O, or I of another type after E, starts an entity. */
struct spelling {
    const char *name, *letters;
    struct step start[STEPS], inside[STEPS], end[STEPS];
};

static const struct spelling spelling[] = {
    [BT__IOB1] = {.name = "IOB1",
                  .letters = "IOB",
                  .start = {STEP("O", "I", '*'), STEP("I", "I", '!'), STEP("B", "I", '*'),
                            STEP("IB", "B", '=')},
                  .inside = {STEP("BI", "I", '=')},
                  .end = {STEP("IB", "I", '!'), STEP("IB", "O", '*'), STEP("I", "B", '*'),
                          STEP("B", "B", '=')}},
    [BT__IOB2] = {.name = "IOB2",
                  .letters = "IOB",
                  .start = {STEP("", "B", '*')},
                  .inside = {STEP("BI", "I", '=')},
                  .end = {STEP("BI", "OB", '*'), STEP("BI", "I", '!')}},
    [BT__IOE1] = {.name = "IOE1",
                  .letters = "IOE",
                  .start = {STEP("OE", "I", '*'), STEP("I", "I", '!'), STEP("E", "E", '=')},
                  .inside = {STEP("I", "IE", '=')},
                  .end = {STEP("I", "IE", '!'), STEP("I", "O", '*'), STEP("E", "IE", '=')}},
    [BT__IOE2] = {.name = "IOE2",
                  .letters = "IOE",
                  .start = {STEP("OE", "IE", '*'), STEP("I", "IE", '!')},
                  .inside = {STEP("I", "IE", '=')},
                  .end = {STEP("E", "", '*')}},
    [BT__IOBES] = {.name = "IOBES",
                   .letters = "IOBES",
                   .start = {STEP("", "BS", '*')},
                   .inside = {STEP("BI", "IE", '=')},
                   .end = {STEP("SE", "", '*')}},
    [BT__BILOU] = {.name = "BILOU",
                   .letters = "BILOU",
                   .start = {STEP("", "BU", '*')},
                   .inside = {STEP("BI", "IL", '=')},
                   .end = {STEP("UL", "", '*')}},
};
enum { SCHEMES = sizeof spelling / sizeof *spelling };

const char *bt__scheme_name(enum bt__scheme s)
{
    return spelling[s].name;
}

bool bt__scheme_find(const char *name, enum bt__scheme *s)
{
    for (int i = 0; i < SCHEMES; i++)
        if (strcasecmp(spelling[i].name, name) == 0) {
            *s = (enum bt__scheme)i;
            return true;
        }
    return false;
}

static bool has_tag(const char *const *tags, size_t n, char letter, const struct bt__tag *type)
{
    for (size_t i = 0; i < n; i++) {
        const struct bt__tag t = bt__tag_parse(tags[i]);
        if (t.letter == letter && bt__tag_same_type(&t, type)) return true;
    }
    return false;
}

/* Does every type that has an I- have a tag of that letter too? Where each entity has one, it does. */
static bool always_with(const char *const *tags, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++) {
        const struct bt__tag t = bt__tag_parse(tags[i]);
        if (t.letter == 'I' && !has_tag(tags, n, letter, &t)) return false;
    }
    return true;
}

enum bt__scheme bt__scheme_guess(const char *const *tags, size_t n)
{
    bool seen[128] = {false};
    for (size_t i = 0; i < n; i++) seen[(unsigned char)bt__tag_parse(tags[i]).letter & 127] = true;
    if (seen['L'] || seen['U']) return BT__BILOU;
    if (seen['S'] || (seen['B'] && seen['E'])) return BT__IOBES;
    if (seen['E']) return always_with(tags, n, 'E') ? BT__IOE2 : BT__IOE1;
    return seen['B'] && always_with(tags, n, 'B') ? BT__IOB2 : BT__IOB1;
}

static bool has(const char *letters, char c)
{
    return c && strchr(letters, c);
}

struct bt__tag bt__tag_parse(const char *text)
{
    struct bt__tag t = {.letter = (unsigned char)*text < 128 ? *text : '\0'};
    if (*text) text++;
    while (((unsigned char)*text & 0xc0) == 0x80) text++;
    const char *hyphen = strchr(text, '-');
    t.type = hyphen ? hyphen + 1 : text;
    t.type_n = strlen(t.type);
    if (t.type_n) return t;
    t.type = "_", t.type_n = 1;
    return t;
}

bool bt__tag_same_type(const struct bt__tag *a, const struct bt__tag *b)
{
    return a->type_n == b->type_n && memcmp(a->type, b->type, a->type_n) == 0;
}

bool bt__tag_allowed(const struct bt__tag *t, enum bt__scheme s)
{
    return has(spelling[s].letters, t->letter);
}

void bt__tag_write(const struct bt__tag *t, struct bt_str *out)
{
    bt_str_addc(out, t->letter);
    if (t->letter == 'O') return;
    bt_str_addc(out, '-');
    bt_str_addn(out, t->type, t->type_n);
}

static const struct bt__tag outside = {.letter = 'O', .type = "_", .type_n = 1};

/* ── as conlleval ── */

static bool ends(const struct bt__tag *before, const struct bt__tag *now)
{
    char a = before->letter, b = now->letter;
    if (a == 'E' || a == 'S') return true;
    if ((a == 'B' || a == 'I') && has("BSO", b)) return true;
    return a != 'O' && a != '.' && !bt__tag_same_type(before, now);
}

static bool starts(const struct bt__tag *before, const struct bt__tag *now)
{
    char a = before->letter, b = now->letter;
    if (b == 'B' || b == 'S') return true;
    if (has("ESO", a) && (b == 'E' || b == 'I')) return true;
    return b != 'O' && b != '.' && !bt__tag_same_type(before, now);
}

static struct bt__tag meant(struct bt__tag t, enum bt__scheme s)
{
    if (s == BT__BILOU && t.letter == 'L') t.letter = 'E';
    if (s == BT__BILOU && t.letter == 'U') t.letter = 'S';
    return t;
}

static size_t lenient(const struct bt__tag *tags, size_t n, enum bt__scheme s, struct bt__entity *out)
{
    struct bt__tag before = outside;
    size_t found = 0, begin = 0;
    for (size_t i = 0; i <= n; i++) {
        struct bt__tag now = i < n ? meant(tags[i], s) : outside;
        if (ends(&before, &now)) out[found++] = (struct bt__entity){.begin = begin, .end = i, .tag = i - 1};
        if (starts(&before, &now)) begin = i;
        before = now;
    }
    return found;
}

/* ── strictly ── */

static bool matches(const struct step *steps, const struct bt__tag *before, const struct bt__tag *now)
{
    bool same = bt__tag_same_type(before, now);
    for (int i = 0; i < STEPS && steps[i].types; i++) {
        const struct step *p = &steps[i];
        if (*p->before && !has(p->before, before->letter)) continue;
        if (*p->now && !has(p->now, now->letter)) continue;
        if (p->types == '*' || same == (p->types == '=')) return true;
    }
    return false;
}

static size_t strictly(const struct bt__tag *tags, size_t n, enum bt__scheme s, struct bt__entity *out)
{
    const struct spelling *p = &spelling[s];
    size_t found = 0;
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        if (!matches(p->start, i ? &tags[i - 1] : &outside, &tags[i])) continue;
        while (end < n && matches(p->inside, &tags[end - 1], &tags[end])) end++;
        if (matches(p->end, &tags[end - 1], end < n ? &tags[end] : &outside))
            out[found++] = (struct bt__entity){.begin = i, .end = end, .tag = i};
    }
    return found;
}

size_t bt__tags_entities(const struct bt__tag *tags, size_t n, enum bt__scheme s, bool strict,
                         struct bt__entity *out)
{
    return strict ? strictly(tags, n, s, out) : lenient(tags, n, s, out);
}

/* ── writing ── */

/* Whether entity i of the type begins where the one before ends. */
static bool touches(const struct bt__tag *tags, const struct bt__entity *e, size_t entities, size_t i)
{
    if (i == 0 || i >= entities || e[i - 1].end != e[i].begin) return false;
    return bt__tag_same_type(&tags[e[i - 1].tag], &tags[e[i].tag]);
}

struct ends_of {
    char first, last, single;
};

static struct ends_of letters_of(enum bt__scheme s, bool after, bool followed)
{
    switch (s) {
    case BT__IOB1:
        return (struct ends_of){.first = after ? 'B' : 'I', .last = 'I', .single = after ? 'B' : 'I'};
    case BT__IOB2:
        return (struct ends_of){.first = 'B', .last = 'I', .single = 'B'};
    case BT__IOE1:
        return (struct ends_of){.first = 'I', .last = followed ? 'E' : 'I', .single = followed ? 'E' : 'I'};
    case BT__IOE2:
        return (struct ends_of){.first = 'I', .last = 'E', .single = 'E'};
    case BT__IOBES:
        return (struct ends_of){.first = 'B', .last = 'E', .single = 'S'};
    case BT__BILOU:
        return (struct ends_of){.first = 'B', .last = 'L', .single = 'U'};
    }
    return (struct ends_of){.first = 'O', .last = 'O', .single = 'O'};
}

void bt__tags_spell(const struct bt__tag *tags, const struct bt__entity *e, size_t entities, size_t n,
                    enum bt__scheme s, struct bt__tag *out)
{
    for (size_t i = 0; i < n; i++) out[i] = outside;
    for (size_t k = 0; k < entities; k++) {
        struct ends_of l = letters_of(s, touches(tags, e, entities, k), touches(tags, e, entities, k + 1));
        for (size_t i = e[k].begin; i < e[k].end; i++) {
            out[i] = tags[e[k].tag];
            out[i].letter = i == e[k].begin ? l.first : i + 1 == e[k].end ? l.last : 'I';
        }
        if (e[k].end - e[k].begin == 1) out[e[k].begin].letter = l.single;
    }
}

void bt__tags_convert(const struct bt__tag *tags, size_t n, enum bt__scheme from, enum bt__scheme to,
                      struct bt__entity *scratch, struct bt__tag *out)
{
    bt__tags_spell(tags, scratch, lenient(tags, n, from, scratch), n, to, out);
}

size_t bt__tags_check(const struct bt__tag *tags, size_t n, enum bt__scheme s, size_t at,
                      struct bt__entity *scratch, struct bt__tag *spelled, struct bt__tag *expected)
{
    bt__tags_convert(tags, n, s, s, scratch, spelled);
    for (; at < n; at++) {
        const struct bt__tag *t = &tags[at];
        bool foreign = !bt__tag_allowed(t, s);
        if (!foreign && t->letter == spelled[at].letter) continue;
        *expected = foreign ? outside : spelled[at];
        return at;
    }
    return n;
}
