/* Regular expressions over bytes that are mostly UTF-8: PCRE2 with its JIT compiler.
 *
 * Syntax is Perl's; \w, \d, \b and case know all of Unicode; bytes that are no valid UTF-8 are matched by nothing. No pattern hangs: a text on which
 * one takes too long is given up, and the caller is told. An expression belongs to one thread at a time. */
#ifndef BERTTY_REGEX_H
#define BERTTY_REGEX_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>

struct bt_regex;

enum {
    BT_REGEX_ICASE = 1,  /* upper and lower case are the same */
    BT_REGEX_LITERAL = 2 /* the pattern stands for itself */
};

/* n bytes of pattern. The message says what is wrong and at which character; *at (or NULL) receives that place in bytes. The caller
 * frees *out with bt_regex_free(). */
enum bt_status bt_regex_compile(const char *pattern, size_t n, int flags, struct bt_regex **out, size_t *at,
                                struct bt_error *err);
/* As a person types it: "/re/" or "/re/i", anything else is plain text without regard to case. */
enum bt_status bt_regex_typed(const char *text, struct bt_regex **out, struct bt_error *err);
/* The text begins with a / that no other one closes yet: somebody may be typing an expression. */
bool bt_regex_unfinished(const char *text);
void bt_regex_free(struct bt_regex *r); /* NULL is fine */

enum bt_match { BT_MATCH_NONE, BT_MATCH_FOUND, BT_MATCH_GAVE_UP };

/* The first match that begins at or after byte from: bytes [*begin, *end), which may be empty. */
enum bt_match bt_regex_find(struct bt_regex *r, const char *bytes, size_t n, size_t from, size_t *begin,
                            size_t *end);

/* Whatever it matches in a text it also matches, perhaps longer, where that text stands in a larger one between bytes that are no letters:
 * so it may be looked for in many texts at once. False with anchors, lookarounds and the like, and after it gave up once. */
bool bt_regex_local(const struct bt_regex *r);

#endif
