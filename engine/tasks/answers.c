/* The parts of an answer. */
#include "tasks/task.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 16 };

struct bt__kept {
    struct bt__kept *next;
    char text[];
};

struct bt_answer *bt__answers_add(struct bt__answers *a)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : FIRST;
        struct bt_answer *more = realloc(a->item, cap * sizeof *more);
        if (!more) return NULL;
        a->item = more;
        a->cap = cap;
    }
    a->item[a->n] = (struct bt_answer){.score = 0.0};
    return &a->item[a->n++];
}

struct bt_part *bt__answers_word(struct bt__answers *a)
{
    if (a->words == a->words_cap) {
        size_t cap = a->words_cap ? a->words_cap * 2 : FIRST;
        struct bt_part *more = realloc(a->word, cap * sizeof *more);
        if (!more) return NULL;
        a->word = more;
        a->words_cap = cap;
    }
    a->word[a->words] = (struct bt_part){.at = -1};
    return &a->word[a->words++];
}

const char *bt__answers_keep(struct bt__answers *a, const char *text, size_t n)
{
    struct bt__kept *k = malloc(sizeof *k + n + 1);
    if (!k) return NULL;
    k->next = a->kept;
    a->kept = k;
    if (n) memcpy(k->text, text, n);
    k->text[n] = '\0';
    return k->text;
}

void bt__answers_clear(struct bt__answers *a)
{
    for (struct bt__kept *k = a->kept, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    a->kept = NULL;
    a->n = a->words = 0;
}

void bt__answers_free(struct bt__answers *a)
{
    bt__answers_clear(a);
    free(a->item);
    free(a->word);
    *a = (struct bt__answers){.n = 0};
}
