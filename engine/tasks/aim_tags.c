/* The aim of a word's tag. */
#include "tasks/aim.h"
#include "tasks/ner.h"

#include "tasks/softmax.h"

static enum bt_status no_word(const struct bt__aim_wish *wish, size_t words, const char *why,
                              struct bt_error *err)
{
    return bt_fail(err, BT_INVALID, "word %lld %s, expected a number from 1 to %zu", (long long)wish->word,
                   why, words);
}

/* The tag of a word that has a row. */
static int said_of(const struct bt__logits *l, const struct bt__word *word)
{
    return bt__argmax(l->value + (size_t)word->row * (size_t)l->cols, l->cols);
}

/* The first word of an entity, else the first that the model sees; n: there is none. */
static size_t telling_word(const struct bt__ner_split *s, const struct bt__logits *l,
                           const struct bt__word *word, size_t n)
{
    size_t seen = n;
    for (size_t i = 0; i < n; i++) {
        if (word[i].row == BT__NO_ROW) continue;
        if (said_of(l, &word[i]) != s->outside) return i;
        if (seen == n) seen = i;
    }
    return seen;
}

/* The sequence of a row, and the token of it that the head reads there. */
static void place_of(const struct bt__task_data *d, const struct bt__ner_split *s, uint32_t row,
                     struct bt__aim *out)
{
    size_t i = 0;
    while (s->words.row_start[i + 1] <= row) i++;
    const uint8_t *reads = d->f.reads + d->f.start[i];
    int token = -1;
    for (size_t left = row - s->words.row_start[i] + 1; left > 0;) left -= reads[++token] != 0;
    out->sequence = i;
    out->cell[0].token = token;
}

enum bt_status bt__aim_tags(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                            struct bt__aim *out, struct bt_error *err)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    const struct bt__word *word = s->words.at + s->words.start[e];
    const size_t n = s->words.start[e + 1] - s->words.start[e];
    const size_t at = wish->word > 0 ? (size_t)wish->word - 1 : telling_word(s, l, word, n);
    int label;
    enum bt_status st = bt__aim_label(t, wish->target, &label, err);
    if (st) return st;
    if (wish->word > 0 && at >= n) return no_word(wish, n, "is not there", err);
    if (at >= n) return bt_fail(err, BT_INVALID, "no word in the text that the model sees");
    if (word[at].row == BT__NO_ROW) return no_word(wish, n, "has no piece that the model sees", err);
    if (label < 0) label = said_of(l, &word[at]);
    out->norm = BT__NORM_OUTPUTS;
    out->cells = 1;
    place_of(d, s, word[at].row, out);
    out->cell[0].output = label;
    bt_str_addf(&out->name, "%s of word %zu", t->labels.name[label], at + 1);
    return BT_OK;
}
