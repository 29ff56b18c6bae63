/* An input of which one text varies: what is asked of its variants, and its words. */
#include "explain/vary.h"

#include "base/unicode.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

const char *const bt_varies[] = {
    [BT_VARY_DROP] = "drop", [BT_VARY_SWAP] = "swap", [BT_VARY_NEGATE] = "negate", [BT_VARY_TYPO] = "typo",
    [BT_VARY_CASE] = "case", [BT_VARY_LIST] = "list", [BT_VARIES] = NULL};

enum { TOGETHER = 1024, AT_ONCE = 64 /* inputs */ };

/* ── the input ── */

static enum bt_status take_text(struct bt__varying *v, const char *text, size_t n, struct bt_error *err)
{
    char *copy = bt_strndup(text, n);
    v->text = copy;
    if (!copy) return bt_fail(err, BT_NOMEM, "no memory for a text");
    for (char *c = copy; c < copy + n; c++) /* a text ends at a NUL, as those that are typed do */
        if (!*c) *c = ' ';
    return copy[strspn(copy, " \t\r\n\v\f")]
               ? BT_OK
               : bt_fail(err, BT_INVALID, "the text is empty: there is nothing to vary in it");
}

enum bt_status bt__vary_begin(struct bt__varying *v, struct bt_predictor *p, const struct bt_input *in,
                              int field, struct bt_error *err)
{
    const int choice = field - BT_VARY_CHOICE;
    *v = (struct bt__varying){
        .p = p, .in = in, .field = field, .task = bt_predictor_task(p), .together = TOGETHER};
    if (field == BT_VARY_TEXT) return take_text(v, in->text, in->text_n, err);
    if (field == BT_VARY_PAIR && !in->pair)
        return bt_fail(err, BT_INVALID, "there is no second text to vary");
    if (field == BT_VARY_PAIR) return take_text(v, in->pair, in->pair_n, err);
    if (choice >= 0 && v->task == BT_TYPE_MULTIPLE_CHOICE && (uint32_t)choice < in->parts)
        return take_text(v, in->part[choice].text, in->part[choice].n, err);
    return bt_fail(err, BT_INVALID, "there is no choice %d to vary, expected a number from 0 to %d", choice,
                   v->task == BT_TYPE_MULTIPLE_CHOICE ? (int)in->parts - 1 : -1);
}

void bt__vary_end(struct bt__varying *v)
{
    free((char *)v->text);
    *v = (struct bt__varying){.p = NULL};
}

enum bt_status bt__vary_cancelled(const struct bt__varying *v, struct bt_error *err)
{
    if (!v->cancel || !atomic_load(v->cancel)) return BT_OK;
    return bt_fail(err, BT_CANCELLED, "the search for counterfactuals was cancelled");
}

struct bt_input bt__vary_input(const struct bt__varying *v, const char *text, struct bt_part *part)
{
    struct bt_input in = *v->in;
    const size_t n = strlen(text);
    const bool choices = v->task == BT_TYPE_MULTIPLE_CHOICE;
    in.mark_n = 0;
    in.parts = choices ? in.parts : 0; /* words that were cut beforehand are no longer those of the text */
    in.part = part;
    for (uint32_t i = 0; i < in.parts; i++) part[i] = v->in->part[i];
    if (v->field == BT_VARY_PAIR) {
        in.pair = text;
        in.pair_n = n;
    } else if (v->field >= BT_VARY_CHOICE) {
        part[v->field - BT_VARY_CHOICE].text = text;
        part[v->field - BT_VARY_CHOICE].n = n;
    } else {
        in.text = text;
        in.text_n = n;
    }
    return in;
}

bool bt__vary_holds_answers(const struct bt__varying *v)
{
    return v->task == BT_TYPE_QA ? v->field == BT_VARY_PAIR : v->field == BT_VARY_TEXT;
}

/* ── asking ── */

struct asking {
    const struct bt__varying *v;
    const struct bt_input *in;
    struct bt__said *said;
    int tokens; /* of the longest answer so far */
    bool failed;
};

static void on_answer(void *ctx, size_t i, const struct bt_output *out)
{
    struct asking *a = ctx;
    if (out->tokens > a->tokens) a->tokens = out->tokens;
    if (!a->failed && !bt__said_keep(&a->said[i], a->v->task, out, a->in[i].text)) a->failed = true;
}

enum bt_status bt__vary_ask(struct bt__varying *v, const char *const *text, size_t n, struct bt__said *said,
                            struct bt_error *err)
{
    struct bt_input in[AT_ONCE];
    struct bt_part *part = calloc(AT_ONCE * ((size_t)v->in->parts + 1), sizeof *part);
    struct asking a = {.v = v, .in = in};
    enum bt_status st = part ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for %zu variants", n);
    for (size_t from = 0, count = 1; from < n && !st; from += count) {
        /* The first one alone tells how many tokens one is. */
        count = a.tokens ? (size_t)(v->together / a.tokens) : 1;
        count = count < 1 ? 1 : count > AT_ONCE ? AT_ONCE : count;
        if (count > n - from) count = n - from;
        for (size_t i = 0; i < count; i++)
            in[i] = bt__vary_input(v, text[from + i], part + i * (size_t)v->in->parts);
        a.said = said + from;
        st = bt_predict_all(v->p, in, count, on_answer, &a, v->cancel, err);
        if (!st && a.failed) st = bt_fail(err, BT_NOMEM, "no memory for the answers to %zu variants", n);
        v->passes += (int64_t)count;
        v->done += (int)count;
        if (!st && v->progress) v->progress(v->ctx, v->done, v->all);
    }
    free(part);
    return st;
}

/* ── words ── */

static bool has_letters(const char *text, size_t n)
{
    int32_t c;
    for (size_t i = 0, length; i < n; i += length) {
        length = bt_utf8_decode(text + i, n - i, &c);
        if (!length) return false;
        const char *category = bt__unicode_category(c);
        if (category[0] == 'L' || category[0] == 'N') return true;
    }
    return false;
}

static bool joins(const char *text, const struct bt__span *s)
{
    static const char *const marks[] = {"'", "’", "-", "‐"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strlen(marks[i]) == s->end - s->begin &&
            strncmp(text + s->begin, marks[i], s->end - s->begin) == 0)
            return true;
    return false;
}

static bool is_special(const struct bt_tokenizer *t, int32_t id)
{
    for (int k = BT_PAD; k <= BT_MASK; k++)
        if (k != BT_UNK && id == bt_tokenizer_special(t, (enum bt_special)k)) return true;
    return false;
}

/* Letters, a mark and letters without a blank between them are one word. */
static void join(const char *text, struct bt__spans *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct bt__span *last = n ? &s->item[n - 1] : NULL;
        const struct bt__span *at = &s->item[i], *next = i + 1 < s->n ? &s->item[i + 1] : NULL;
        if (last && next && last->letters && next->letters && joins(text, at) && last->end == at->begin &&
            at->end == next->begin) {
            last->end = next->end;
            i++;
        } else {
            s->item[n++] = *at;
        }
    }
    s->n = n;
}

enum bt_status bt__spans_of(const struct bt_tokenizer *t, const char *text, struct bt__spans *s,
                            struct bt_error *err)
{
    struct bt_encoding e = {.n = 0};
    enum bt_status st = bt_tokenizer_encode(t, text, strlen(text), &e, err);
    *s = (struct bt__spans){.item = calloc(e.n + 1, sizeof *s->item)};
    if (!st && !s->item) st = bt_fail(err, BT_NOMEM, "no memory for the words of a text");
    for (size_t i = 0, end; !st && i < e.n; i = end) {
        for (end = i + 1; end < e.n && e.word[end] == e.word[i];) end++;
        const size_t begin = e.begin[i], n = e.end[end - 1] - begin;
        s->item[s->n++] =
            (struct bt__span){.begin = begin,
                              .end = begin + n,
                              .letters = has_letters(text + begin, n) && !is_special(t, e.ids[i])};
    }
    if (!st) join(text, s);
    bt_encoding_free(&e);
    return st;
}
