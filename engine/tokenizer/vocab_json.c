/* The vocabulary of a tokenizer.json, past the JSON library: its table of 30,000 members would be most of the time that loading takes. */
#include "tokenizer/vocab.h"

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

struct scan {
    char *p, *end;
    char *to;           /* where the pieces go, one behind the other */
    const char **piece; /* [cap] by id */
    size_t n, cap;      /* largest id + 1 */
    size_t found;
};

static void blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) s->p++;
}

static bool sign(struct scan *s, char c)
{
    blanks(s);
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    return true;
}

/* A text whose only escapes are \" and \\; copied to s->to. */
static const char *text(struct scan *s)
{
    const char *begin = s->to;
    if (!sign(s, '"')) return NULL;
    for (; s->p < s->end && (unsigned char)*s->p >= ' '; s->p++) {
        if (*s->p == '"') {
            s->p++;
            *s->to++ = '\0';
            return begin;
        }
        if (*s->p == '\\' && ++s->p < s->end && *s->p != '"' && *s->p != '\\') return NULL;
        if (s->p < s->end) *s->to++ = *s->p;
    }
    return NULL;
}

static bool number(struct scan *s, size_t *out)
{
    blanks(s);
    const char *begin = s->p;
    for (*out = 0; s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - begin < 9; s->p++)
        *out = *out * 10 + (size_t)(*s->p - '0');
    return s->p > begin && (*begin != '0' || s->p - begin == 1) && *out < BT__MOST_PIECES;
}

static bool place(struct scan *s, const char *piece, size_t id)
{
    if (id >= s->cap) {
        size_t cap = s->cap * 2 > id + 1 ? s->cap * 2 : id + 1024;
        const char **wide = realloc(s->piece, cap * sizeof *wide);
        if (!wide) return false;
        memset(wide + s->cap, 0, (cap - s->cap) * sizeof *wide);
        s->piece = wide;
        s->cap = cap;
    }
    if (s->piece[id]) return false;
    s->piece[id] = piece;
    s->found++;
    if (id >= s->n) s->n = id + 1;
    return true;
}

/* "piece": number, … and the closing brace. */
static bool members(struct scan *s)
{
    do {
        const char *piece = text(s);
        size_t id;
        if (!piece || !sign(s, ':') || !number(s, &id) || !place(s, piece, id)) return false;
    } while (sign(s, ','));
    return sign(s, '}');
}

/* The first "vocab": { of a JSON text; what follows the brace. */
static char *find(char *json, size_t n)
{
    static const char key[] = "\"vocab\"";
    char *at = memmem(json, n, key, sizeof key - 1);
    struct scan s = {.p = at ? at + sizeof key - 1 : NULL, .end = json + n};
    return at && sign(&s, ':') && sign(&s, '{') ? s.p : NULL;
}

bool bt__vocab_cut(struct bt__vocab *v, char *json, size_t *n, const char *name)
{
    static const char instead[] = "\"" BT__VOCAB_CUT "\"";
    char *begin = find(json, *n), *copy = begin ? malloc(*n) : NULL;
    struct scan s = {.p = begin, .end = json + *n, .to = copy};
    bool ok = copy && members(&s);
    const size_t length = ok ? (size_t)(s.p - begin) + 1 : 0; /* with the braces */
    ok = ok && length >= sizeof instead - 1 && bt_utf8_valid(begin, length - 1) == length - 1 &&
         bt__vocab_from_pieces(v, s.piece, s.n, name, NULL) == BT_OK;
    if (ok && v->pieces != s.found) { /* one of them stands there twice */
        bt__vocab_free(v);
        ok = false;
    }
    if (ok) {
        char *to = begin - 1;
        memcpy(to, instead, sizeof instead - 1);
        memmove(to + sizeof instead - 1, s.p, (size_t)(s.end - s.p));
        *n -= length - (sizeof instead - 1);
    }
    free(s.piece);
    free(copy);
    return ok;
}
