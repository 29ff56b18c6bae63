/* Tag schemes: from tags to entities and back.
 *
 * A tag is a letter, a hyphen and the entity's type ("B-PER"), or "O". What a struct bt__tag points to is borrowed from the tag's text. */
#ifndef BERTTY_METRICS_TAGS_H
#define BERTTY_METRICS_TAGS_H

#include <bertty/str.h>
#include <stdbool.h>
#include <stddef.h>

enum bt__scheme { BT__IOB1, BT__IOB2, BT__IOE1, BT__IOE2, BT__IOBES, BT__BILOU };
/* "IOB1", …; static storage. */
const char *bt__scheme_name(enum bt__scheme s);
/* By its name, in upper or lower case; false: none. */
bool bt__scheme_find(const char *name, enum bt__scheme *s);
/* The scheme that a set of tags can be in: BILOU with L or U, IOBES with S or both B and E, IOE2 or IOB2 where every type with an I
 * has an E or a B too, else IOE1 or IOB1. A set in IOB1 or IOE1 in which all types have them cannot be told: bt__tags_check() on sentences can. */
enum bt__scheme bt__scheme_guess(const char *const *tags, size_t n);

struct bt__tag {
    char letter;      /* the first character, 'O': outside; 0: none, or not an ASCII one */
    const char *type; /* not terminated; "_" for a tag that has none */
    size_t type_n;    /* bytes */
};
struct bt__tag bt__tag_parse(const char *text);
bool bt__tag_same_type(const struct bt__tag *a, const struct bt__tag *b);
/* Does the scheme have this letter? */
bool bt__tag_allowed(const struct bt__tag *t, enum bt__scheme s);
/* Appends "B-PER" or "O". */
void bt__tag_write(const struct bt__tag *t, struct bt_str *out);

struct bt__entity {
    size_t begin, end; /* words, end behind the last */
    size_t tag;        /* the word whose tag tells the type */
};

/* The entities of a sentence of n tags, in the order of their ends, into out[n]; returns how many.
 *   lenient: as conlleval and seqeval's default do, whatever the scheme; only under BILOU L and U mean E and S.
 *   strict: those alone that the scheme spells correctly, as seqeval's mode='strict'. */
size_t bt__tags_entities(const struct bt__tag *tags, size_t n, enum bt__scheme s, bool strict,
                         struct bt__entity *out);

/* Spells entities, which do not overlap and are in order, as n tags of a scheme. tags: where the types are. */
void bt__tags_spell(const struct bt__tag *tags, const struct bt__entity *e, size_t entities, size_t n,
                    enum bt__scheme s, struct bt__tag *out);

/* From one scheme to another, read leniently. scratch has room for n entities; out may not be tags. */
void bt__tags_convert(const struct bt__tag *tags, size_t n, enum bt__scheme from, enum bt__scheme to,
                      struct bt__entity *scratch, struct bt__tag *out);

/* The first tag from place at on that is outside the scheme: a letter that it does not have, or one that may not stand there (expected says
 * what should, 'O' for a foreign letter). Returns its place, n if all is well. scratch and spelled have room for n. */
size_t bt__tags_check(const struct bt__tag *tags, size_t n, enum bt__scheme s, size_t at,
                      struct bt__entity *scratch, struct bt__tag *spelled, struct bt__tag *expected);

#endif
