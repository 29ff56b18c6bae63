/* Files in which every line is a label, a blank and a text: TREC's "DESC:manner How did …", fastText's "__label__good A …", "1 a fine film". */
#include "dataset/dialect.h"

#include <stdio.h>
#include <string.h>

enum { LINES = 1000, LABELS = 200, LONGEST = sizeof((struct bt__head *)0)->label_first - 1 };

static const char word_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* A number, a word with a colon inside, or one of fastText's: what hardly begins a sentence. */
static bool is_label(const char *word, size_t n)
{
    static const char fast_text[] = "__label__";
    const char *colon = memchr(word, ':', n);
    const size_t sign = n > 1 && strchr("+-", word[0]) ? 1 : 0, letters = strspn(word, word_letters);
    if (strspn(word + sign, "0123456789") >= n - sign) return true;
    if (n > sizeof fast_text - 1 && strncmp(word, fast_text, sizeof fast_text - 1) == 0) return true;
    return colon && colon > word && letters == (size_t)(colon - word) && colon + 1 < word + n &&
           letters + 1 + strspn(colon + 1, word_letters) >= n;
}

struct seen {
    struct {
        const char *text;
        size_t n;
    } label[LABELS];
    size_t n, lines;
};

static bool take_label(struct seen *seen, const char *word, size_t n)
{
    for (size_t i = 0; i < seen->n; i++)
        if (seen->label[i].n == n && memcmp(seen->label[i].text, word, n) == 0) return true;
    if (seen->n == LABELS) return false;
    seen->label[seen->n].text = word;
    seen->label[seen->n++].n = n;
    return true;
}

/* line [n]: without its end; the byte behind it is still the page's. */
static bool take_line(struct seen *seen, const char *line, size_t n)
{
    const char *blank = memchr(line, ' ', n);
    const size_t word = blank ? (size_t)(blank - line) : 0;
    seen->lines++;
    return word > 0 && word <= LONGEST && word + 1 < n && is_label(line, word) &&
           take_label(seen, line, word);
}

bool bt__label_first(const struct bt__source *s, char *label, size_t size)
{
    struct seen seen = {.n = 0};
    struct bt__span span;
    for (size_t at = s->at; at < s->n && seen.lines < LINES; at += span.size) {
        if (!bt__line_find(s->buf + at, s->n - at, s->end, &span)) break;
        if (span.body > 0 && !take_line(&seen, s->buf + at, span.body)) return false;
    }
    if (seen.n < 2 || seen.lines < 4 * seen.n) return false; /* numbered lines, say */
    snprintf(label, size, "%.*s", (int)seen.label[0].n, seen.label[0].text);
    return true;
}
