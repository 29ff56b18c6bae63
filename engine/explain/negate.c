/* Negation by rules, for English:
 *
 *   a form of be, have or do, or a modal verb      gets "not" behind it ("can": "cannot"), and loses one that is there
 *   "isn't", "can't", "won't", …                   become "is", "can", "will", …
 *   "never", "not"                                 are left out
 *   "without"                                      becomes "with"
 *   a text with none of these                      gets "not" before it
 *
 * The rules know no grammar: "have" is taken for an auxiliary verb wherever it stands. */
#include "explain/vary.h"

#include <stdio.h>
#include <string.h>

static const char *const auxiliaries[] = {"am",    "is",    "are", "was",   "were",   "be",   "been", "will",
                                          "would", "shall", "can", "could", "should", "must", "may",  "might",
                                          "do",    "does",  "did", "has",   "have",   "had",  NULL};

static const struct {
    const char *word, *without;
} short_forms[] = {{.word = "can't", .without = "can"},    {.word = "cannot", .without = "can"},
                   {.word = "won't", .without = "will"},   {.word = "shan't", .without = "shall"},
                   {.word = "without", .without = "with"}, {.word = NULL}};

/* A word in small letters, with a plain apostrophe; false: too long to be one of ours. */
static bool plain_word(const char *text, const struct bt__span *s, char out[32])
{
    static const char curly[] = "’";
    size_t n = 0;
    for (size_t i = s->begin; i < s->end;) {
        if (n == 31) return false;
        const bool quote = strncmp(text + i, curly, sizeof curly - 1) == 0;
        const char c = quote ? '\'' : text[i];
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        i += quote ? sizeof curly - 1 : 1;
    }
    out[n] = '\0';
    return true;
}

static bool is_auxiliary(const char *word)
{
    for (size_t i = 0; auxiliaries[i]; i++)
        if (strcmp(word, auxiliaries[i]) == 0) return true;
    return false;
}

static bool is_word(const char *text, const struct bt__spans *s, size_t i, const char *word)
{
    char found[32];
    return i < s->n && plain_word(text, &s->item[i], found) && strcmp(found, word) == 0;
}

/* With the blank before it. */
static void leave_out(struct bt__edits *e, const struct bt__span *s)
{
    size_t begin = s->begin, end = s->end;
    if (begin && e->text[begin - 1] == ' ')
        begin--;
    else if (e->text[end] == ' ')
        end++;
    bt__edits_add(e, BT_VARY_NEGATE, begin, end, "", NULL);
}

/* "isn't" → "is"; keeps a capital. */
static bool make_long(struct bt__edits *e, const struct bt__span *s, const char *word)
{
    const char *without = NULL;
    char stem[32];
    const size_t n = strlen(word);
    for (size_t i = 0; short_forms[i].word; i++)
        if (strcmp(word, short_forms[i].word) == 0) without = short_forms[i].without;
    if (!without && n > 3 && strcmp(word + n - 3, "n't") == 0) {
        memcpy(stem, word, n - 3);
        stem[n - 3] = '\0';
        without = is_auxiliary(stem) ? stem : NULL;
    }
    if (!without) return false;
    struct bt_str put = {0};
    bt_str_addc(&put, e->text[s->begin]);
    bt_str_add(&put, without + 1);
    e->failed |= put.failed;
    bt__edits_add(e, BT_VARY_NEGATE, s->begin, s->end, bt_str_text(&put), NULL);
    bt_str_free(&put);
    return true;
}

static bool negate_word(struct bt__edits *e, const struct bt__spans *s, size_t i)
{
    const struct bt__span *w = &s->item[i];
    char word[32], what[80];
    if (!w->letters || !plain_word(e->text, w, word)) return false;
    if (strcmp(word, "not") == 0 || strcmp(word, "never") == 0) {
        leave_out(e, w);
        return true;
    }
    if (make_long(e, w, word)) return true;
    if (!is_auxiliary(word)) return false;
    if (is_word(e->text, s, i + 1, "not")) return true; /* it is left out in its own turn */
    const char *put = strcmp(word, "can") == 0 ? "not" : " not";
    snprintf(what, sizeof what, "%.*s → %.*s%s", (int)(w->end - w->begin), e->text + w->begin,
             (int)(w->end - w->begin), e->text + w->begin, put);
    bt__edits_add(e, BT_VARY_NEGATE, w->end, w->end, put, what);
    return true;
}

void bt__vary_negate(struct bt__edits *e, const struct bt__spans *s)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++) any |= negate_word(e, s, i);
    if (!any) bt__edits_add(e, BT_VARY_NEGATE, 0, 0, "not ", NULL);
}
