#include "batch/input_index.h"

#include "base/rng.h"
#include <stdlib.h>
#include <string.h>

uint64_t bt__hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t h = bt__mix64(seed + 0x9e3779b97f4a7c15u + n), word;
    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        h = bt__mix64(h ^ word);
    }
    word = 0;
    if (n) memcpy(&word, p, n);
    return bt__mix64(h ^ word) + n;
}

static void hash_more(const char *bytes, size_t n, uint64_t *a, uint64_t *b)
{
    *a = bt__hash_bytes(bytes, n, *a);
    *b = bt__hash_bytes(bytes, n, *b);
}

/* Choices and words are inputs too (the same text may be cut into other words). */
static void hash_input(const struct bt_example *e, enum bt_example_kind kind, uint64_t *a, uint64_t *b)
{
    bool parts = kind == BT_EXAMPLE_CHOICES || kind == BT_EXAMPLE_WORDS;
    *a = 1;
    *b = 2;
    hash_more(e->text, e->text_n, a, b);
    if (e->pair) hash_more(e->pair, e->pair_n, a, b);
    for (size_t i = 0; parts && i < e->parts; i++) hash_more(e->part[i].text, e->part[i].n, a, b);
}

/* The right answer, whatever it is made of: labels of a set in any order, tags and answers in theirs. */
static uint64_t hash_label(const struct bt_example *e, enum bt_example_kind kind)
{
    uint64_t h = 3, sum = 0;
    bool label = e->label && kind != BT_EXAMPLE_LABEL_SET;
    if (label) h = bt__hash_bytes(e->label, e->label_n, h);
    for (size_t i = 0; kind == BT_EXAMPLE_WORDS && i < e->parts; i++) {
        label = label || e->part[i].tag;
        if (e->part[i].tag) h = bt__hash_bytes(e->part[i].tag, e->part[i].tag_n, h);
    }
    for (size_t i = 0; kind == BT_EXAMPLE_QUESTION && i < e->parts; i++)
        h = bt__hash_bytes(e->part[i].text, e->part[i].n, h);
    for (size_t i = 0; kind == BT_EXAMPLE_LABEL_SET && i < e->parts; i++)
        sum += bt__hash_bytes(e->part[i].text, e->part[i].n, 3);
    label = label || kind == BT_EXAMPLE_QUESTION || (kind == BT_EXAMPLE_LABEL_SET && e->label);
    h += sum;
    if (!label) return 0;
    return h ? h : 1;
}

/* ── the set of labelled inputs ── */

static uint64_t labelled_key(const struct bt__input *input, uint64_t label)
{
    uint64_t key = bt__mix64(bt__mix64(input->a ^ bt__mix64(label + input->file)) ^ input->b);
    return key ? key : 1;
}

static uint64_t *labelled_slot(uint64_t *table, size_t slots, uint64_t key)
{
    size_t i = (size_t)key & (slots - 1);
    while (table[i] && table[i] != key) i = (i + 1) & (slots - 1);
    return &table[i];
}

static bool more_labelled(struct bt__input_index *x)
{
    size_t slots = x->labelled_slots ? x->labelled_slots * 2 : 4096;
    uint64_t *table = calloc(slots, sizeof *table);
    if (!table) return false;
    for (size_t i = 0; i < x->labelled_slots; i++) {
        if (x->labelled[i]) *labelled_slot(table, slots, x->labelled[i]) = x->labelled[i];
    }
    free(x->labelled);
    x->labelled = table;
    x->labelled_slots = slots;
    return true;
}

static bool add_labelled(struct bt__input_index *x, uint64_t key)
{
    if (2 * (x->n_labelled + 1) > x->labelled_slots && !more_labelled(x)) return false;
    uint64_t *slot = labelled_slot(x->labelled, x->labelled_slots, key);
    x->n_labelled += *slot == 0;
    *slot = key;
    return true;
}

/* ── inputs ── */

static uint32_t *input_slot(const struct bt__input_index *x, uint64_t a, uint64_t b)
{
    size_t i = (size_t)a & (x->slots - 1);
    for (; x->slot[i]; i = (i + 1) & (x->slots - 1)) {
        const struct bt__input *at = &x->input[x->slot[i] - 1];
        if (at->a == a && at->b == b) break;
    }
    return &x->slot[i];
}

/* Inputs are in the order of files, so the last one of a hash takes its slot. */
static bool more_slots(struct bt__input_index *x)
{
    size_t slots = x->slots ? x->slots * 2 : 4096;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table) return false;
    free(x->slot);
    x->slot = table;
    x->slots = slots;
    for (size_t i = 0; i < x->n; i++) *input_slot(x, x->input[i].a, x->input[i].b) = (uint32_t)i + 1;
    return true;
}

static bool more_inputs(struct bt__input_index *x)
{
    size_t cap = x->cap ? x->cap * 2 : 1024;
    struct bt__input *more = x->n < UINT32_MAX / 2 ? realloc(x->input, cap * sizeof *more) : NULL;
    if (!more) return false;
    x->input = more;
    x->cap = cap;
    return true;
}

bool bt__input_add(struct bt__input_index *x, const struct bt_example *e, uint32_t file,
                   struct bt__input_seen *seen)
{
    uint64_t a, b, label = hash_label(e, x->kind);
    if (x->n == x->cap && !more_inputs(x)) return false;
    if (2 * (x->n + 1) > x->slots && !more_slots(x)) return false;
    hash_input(e, x->kind, &a, &b);
    uint32_t *slot = input_slot(x, a, b), earlier = *slot;
    struct bt__input *at = earlier ? &x->input[earlier - 1] : NULL;
    *seen = (struct bt__input_seen){.duplicate = at && at->file == file};
    if (seen->duplicate) {
        seen->new_conflict = !at->conflict && at->label != label;
        at->conflict = at->label != label || at->conflict;
    } else {
        at = &x->input[x->n++];
        *at = (struct bt__input){.a = a, .b = b, .label = label, .file = file, .earlier = earlier};
        *slot = (uint32_t)x->n;
    }
    seen->at = (uint32_t)(at - x->input);
    return label == 0 || add_labelled(x, labelled_key(at, label));
}

bool bt__input_has_label(const struct bt__input_index *x, const struct bt__input *input,
                         const struct bt_example *e)
{
    uint64_t label = hash_label(e, x->kind);
    return label && *labelled_slot(x->labelled, x->labelled_slots, labelled_key(input, label)) != 0;
}

void bt__input_index_free(struct bt__input_index *x)
{
    free(x->input);
    free(x->slot);
    free(x->labelled);
    *x = (struct bt__input_index){0};
}
