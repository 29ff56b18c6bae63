/* A growing byte string.
 *
 * Zero-initialise to make an empty one; bt_str_free() releases it. data is NULL while nothing was ever appended, else
 * NUL-terminated (the NUL is not counted in len). An allocation failure is sticky: failed becomes true, the
 * contents stay as they were, later appends do nothing; check failed once at the end. */
#ifndef BERTTY_STR_H
#define BERTTY_STR_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>

struct bt_str {
    char *data;
    size_t len, cap; /* bytes */
    bool failed;
};

void bt_str_add(struct bt_str *s, const char *text);             /* NUL-terminated text */
void bt_str_addn(struct bt_str *s, const char *bytes, size_t n); /* n bytes */
void bt_str_addc(struct bt_str *s, char c);
void bt_str_addf(struct bt_str *s, const char *fmt, ...) BT_PRINTF(2, 3);
void bt_str_clear(struct bt_str *s); /* len = 0, memory and failed kept/reset */
void bt_str_free(struct bt_str *s);  /* back to the zero state */
char *bt_str_take(struct bt_str *s); /* the caller frees with free(); "" if empty; NULL if failed */
const char *bt_str_text(const struct bt_str *s); /* never NULL: "" if empty; borrowed */

char *bt_strdup(const char *text);                     /* NULL in, NULL out; the caller frees */
bool bt_same_text(const char *a, const char *b);       /* NULL is the same as NULL alone */
char *bt_strndup(const char *bytes, size_t n);         /* the caller frees */
char *bt_strfmt(const char *fmt, ...) BT_PRINTF(1, 2); /* the caller frees; NULL without memory */

/* The entry of names (n of them) that is nearest to word by Damerau-Levenshtein distance (ASCII case folded), or NULL
 * if none is within max(1, strlen(word)/3). Borrowed from names. For “did you mean”. */
const char *bt_nearest(const char *word, const char *const *names, size_t n);

#endif
