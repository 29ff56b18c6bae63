#include "tokenizer/vocab.h"

#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}

static size_t start_slot(const struct bt__vocab *v, uint64_t h)
{
    return (size_t)(h ^ h >> 29) & v->mask;
}

int32_t bt__vocab_id(const struct bt__vocab *v, const char *piece)
{
    uint64_t h = hash_of(piece);
    for (size_t s = start_slot(v, h); v->id[s] >= 0; s = (s + 1) & v->mask)
        if (v->hash[s] == h && strcmp(v->piece[v->id[s]], piece) == 0) return v->id[s];
    return -1;
}

/* The later of equal pieces wins, as in the dictionaries of the Python tokenizers. */
static enum bt_status build_index(struct bt__vocab *v, const char *name, struct bt_error *err)
{
    size_t size = 64;
    while (size < (size_t)v->n * 2) size *= 2;
    v->mask = size - 1;
    v->hash = calloc(size, sizeof *v->hash);
    v->id = malloc(size * sizeof *v->id);
    v->length = calloc((size_t)v->n, sizeof *v->length);
    if (!v->hash || !v->id || !v->length)
        return bt_fail(err, BT_NOMEM, "%s: no memory for %d pieces", name, (int)v->n);
    memset(v->id, 0xff, size * sizeof *v->id);
    for (int32_t i = 0; i < v->n; i++) {
        if (!v->piece[i]) continue;
        uint64_t h = hash_of(v->piece[i]);
        size_t s = start_slot(v, h);
        while (v->id[s] >= 0 && !(v->hash[s] == h && strcmp(v->piece[v->id[s]], v->piece[i]) == 0))
            s = (s + 1) & v->mask;
        v->pieces += v->id[s] < 0;
        v->hash[s] = h;
        v->id[s] = i;
        v->length[i] = (uint32_t)strlen(v->piece[i]);
    }
    return BT_OK;
}

static enum bt_status finish(struct bt__vocab *v, const char *name, struct bt_error *err)
{
    enum bt_status st = build_index(v, name, err);
    if (st) bt__vocab_free(v);
    return st;
}

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) lines += text[i] == '\n';
    return lines + (n > 0 && text[n - 1] != '\n');
}

/* Ends a line at its newline; spaces and a carriage return at its end are not part of the piece. */
static char *cut_line(char *begin, char *end)
{
    char *next = memchr(begin, '\n', (size_t)(end - begin));
    char *last = next ? next : end;
    while (last > begin && (last[-1] == '\r' || last[-1] == ' ' || last[-1] == '\t')) last--;
    *last = '\0';
    return next ? next + 1 : end;
}

enum bt_status bt__vocab_from_lines(struct bt__vocab *v, char *text, size_t n, const char *name,
                                    struct bt_error *err)
{
    size_t lines = count_lines(text, n);
    *v = (struct bt__vocab){.text = text};
    enum bt_status st = BT_OK;
    if (lines == 0 || lines > BT__MOST_PIECES)
        st = bt_fail(err, BT_INVALID, "%s: %zu pieces, expected 1 to %d", name, lines, BT__MOST_PIECES);
    else if (memchr(text, '\0', n))
        st = bt_fail(err, BT_INVALID, "%s: a NUL byte, expected text", name);
    else if (!(v->piece = calloc(lines, sizeof *v->piece)))
        st = bt_fail(err, BT_NOMEM, "%s: no memory for %zu pieces", name, lines);
    if (st) {
        bt__vocab_free(v);
        return st;
    }
    for (char *p = text; p < text + n; v->n++) {
        v->piece[v->n] = p;
        p = cut_line(p, text + n);
    }
    return finish(v, name, err);
}

enum bt_status bt__vocab_from_pieces(struct bt__vocab *v, const char *const *pieces, size_t n,
                                     const char *name, struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    *v = (struct bt__vocab){.n = 0};
    if (n == 0 || n > BT__MOST_PIECES)
        return bt_fail(err, BT_INVALID, "%s: %zu pieces, expected 1 to %d", name, n, BT__MOST_PIECES);
    for (size_t i = 0; i < n; i++)
        if (pieces[i]) bt_str_addn(&text, pieces[i], strlen(pieces[i]) + 1);
    v->piece = calloc(n, sizeof *v->piece);
    v->text = bt_str_take(&text);
    if (!v->piece || !v->text) {
        bt__vocab_free(v);
        return bt_fail(err, BT_NOMEM, "%s: no memory for %zu pieces", name, n);
    }
    char *p = v->text;
    for (v->n = 0; (size_t)v->n < n; v->n++) {
        if (!pieces[v->n]) continue;
        v->piece[v->n] = p;
        p += strlen(p) + 1;
    }
    return finish(v, name, err);
}

void bt__vocab_free(struct bt__vocab *v)
{
    free(v->piece);
    free(v->text);
    free(v->length);
    free(v->hash);
    free(v->id);
    *v = (struct bt__vocab){.n = 0};
}
