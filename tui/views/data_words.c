#include "tui/views/data_words.h"

#include <bertty/experiment.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LENGTHS = 1 << 20 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* As the trainer does it: of the longer text first, until both are equally long. */
static void cut_longest(size_t *a, size_t *b, size_t room)
{
    size_t *small = *a <= *b ? a : b, *large = *a <= *b ? b : a;
    if (*small * 2 >= room) *small = room / 2;
    *large = room - *small;
}

static void cut_one(size_t *cut, size_t *other, size_t room)
{
    *other = smaller(*other, room);
    *cut = room - *other;
}

/* Windows of `room` pieces that n pieces take. */
static size_t windows(const struct data_words *w, size_t n, size_t room)
{
    size_t step = w->step ? w->step : room > w->overlap ? room - w->overlap : 1;
    return n > room && room > 0 ? 1 + (n - room + step - 1) / step : 1;
}

void data_cut(const struct data_words *w, size_t text, size_t pair, bool has_pair, struct data_cut *out)
{
    size_t special = has_pair ? 3 : 2, room = w->max_length > special ? w->max_length - special : 0;
    *out = (struct data_cut){
        .text = text, .pair = pair, .kept = text, .pair_kept = pair, .special = special, .windows = 1};
    if (w->max_query) out->kept = smaller(text, w->max_query);
    if (w->max_query && w->max_length) out->windows = windows(w, pair, room - smaller(room, out->kept));
    if (w->max_query || !w->max_length || text + pair <= room) return;
    const bool single =
        w->truncation == BT_TRUNCATION_HEAD_TAIL || w->truncation == BT_TRUNCATION_SLIDING_WINDOW;
    if (!has_pair && w->truncation == BT_TRUNCATION_SLIDING_WINDOW) out->windows = windows(w, text, room);
    if (out->windows > 1) return;
    if (w->truncation == BT_TRUNCATION_LONGEST_FIRST || (single && has_pair))
        cut_longest(&out->kept, &out->pair_kept, room);
    else if (w->truncation == BT_TRUNCATION_ONLY_SECOND && pair > 0)
        cut_one(&out->pair_kept, &out->kept, room);
    else
        cut_one(&out->kept, &out->pair_kept, room);
    if (!has_pair && w->truncation == BT_TRUNCATION_HEAD_TAIL) out->tail = out->kept - (out->kept + 3) / 4;
}

static size_t unknown_in(const struct data_words *w, const struct bt_encoding *e)
{
    int32_t unknown = bt_tokenizer_special(w->tokenizer, BT_UNK);
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++) n += e->ids[i] == unknown;
    return n;
}

bool data_encode(const struct data_words *w, const char *text, size_t text_n, const char *pair, size_t pair_n,
                 struct bt_encoding e[2], struct data_cut *out)
{
    if (bt_tokenizer_ids(w->tokenizer, text, text_n, &e[0], NULL) != BT_OK) return false;
    e[1].n = 0;
    if (pair && bt_tokenizer_ids(w->tokenizer, pair, pair_n, &e[1], NULL) != BT_OK) return false;
    data_cut(w, e[0].n, e[1].n, pair != NULL, out);
    out->unknown = unknown_in(w, &e[0]) + unknown_in(w, &e[1]);
    return true;
}

/* ── lengths ── */

static bool room_for(struct data_histogram *h, size_t length)
{
    size_t cap = h->cap ? h->cap : 256;
    while (cap <= length && cap < MOST_LENGTHS) cap *= 2;
    if (cap <= h->cap) return true;
    size_t *more = realloc(h->count, cap * sizeof *more);
    if (!more) return false;
    memset(more + h->cap, 0, (cap - h->cap) * sizeof *more);
    h->count = more;
    h->cap = cap;
    return true;
}

bool data_histogram_add(struct data_histogram *h, size_t length)
{
    if (!room_for(h, length)) return false;
    h->count[smaller(length, h->cap - 1)]++;
    if (h->n == 0 || length < h->min) h->min = length;
    if (length > h->max) h->max = length;
    h->sum += (double)length;
    h->n++;
    return true;
}

void data_histogram_free(struct data_histogram *h)
{
    free(h->count);
    *h = (struct data_histogram){0};
}

size_t data_histogram_at(const struct data_histogram *h, double share)
{
    size_t seen = 0, needed = (size_t)((double)h->n * share + 0.999999);
    for (size_t i = 0; i < h->cap; i++) {
        seen += h->count[i];
        if (h->n && seen >= needed) return i;
    }
    return 0;
}

size_t data_histogram_between(const struct data_histogram *h, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i < to && i < h->cap; i++) n += h->count[i];
    return n;
}

size_t data_histogram_width(const struct data_histogram *h, size_t most)
{
    static const size_t step[] = {1, 2, 4, 5};
    size_t reach = data_histogram_at(h, 0.995) + 1;
    if (most == 0) most = 1;
    for (size_t scale = 1;; scale *= 10)
        for (size_t i = 0; i < sizeof step / sizeof *step; i++)
            if (step[i] * scale * most >= reach) return step[i] * scale;
}
