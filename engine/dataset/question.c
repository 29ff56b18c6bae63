/* Answers are [{"text", "answer_start"}, …], as SQuAD has them, or {"text": […], "answer_start": […]}, as the datasets library writes them.
 * answer_start counts code points. A question without an answer has none in its context, whatever is_impossible says: the official scorer
 * goes by the answers too. */
#include "dataset/question.h"

#include <bertty/num.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 256, REACH = 1 << 20 };

/* ── contexts ── */

static bool begins(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static bool index_steps(struct bt__context *c)
{
    size_t code_points = 0;
    size_t *step = realloc(c->step, (c->n / STEP + 1) * sizeof *step);
    if (!step) return false;
    c->step = step;
    c->steps = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!begins(c->text[i])) continue;
        if (code_points++ % STEP == 0) step[c->steps++] = i;
    }
    c->code_points = code_points;
    return true;
}

bool bt__context_set(struct bt__loader *l, struct bt__context *c, const char *bytes, size_t n)
{
    if (c->text && c->n == n && memcmp(c->text, bytes, n) == 0) return true;
    c->text = bt__loader_keep(l, bytes, n, &c->n);
    return c->text && index_steps(c);
}

void bt__context_free(struct bt__context *c)
{
    free(c->step);
    *c = (struct bt__context){0};
}

/* The byte of a code point, at most the end's. */
static size_t byte_of(const struct bt__context *c, int64_t code_point)
{
    if (code_point <= 0) return 0;
    if ((uint64_t)code_point >= c->code_points) return c->n;
    size_t at = c->step[code_point / STEP], left = (size_t)(code_point % STEP);
    while (left > 0) left -= begins(c->text[++at]);
    return at;
}

static int64_t code_point_of(const struct bt__context *c, size_t byte)
{
    size_t low = 0, high = c->steps;
    if (c->steps == 0) return 0;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        *(c->step[mid] <= byte ? &low : &high) = mid;
    }
    int64_t count = (int64_t)(low * STEP);
    for (size_t i = c->step[low]; i < byte; i++) count += begins(c->text[i]);
    return count;
}

/* The last place of the text that begins in [from, end). */
static const char *find_last(const char *from, const char *end, const char *text, size_t n)
{
    const char *found = NULL, *at;
    while (from < end && (at = memmem(from, (size_t)(end - from) + n - 1, text, n))) {
        found = at;
        from = at + 1;
    }
    return found;
}

/* The code point at which the text stands nearest to another one, REACH bytes around at most; −1: nowhere. Looks back in windows that
 * grow, so that many answers of a long context do not each read all of it. */
static int64_t nearest(const struct bt__context *c, const char *text, size_t n, int64_t to)
{
    size_t middle = byte_of(c, to), left = c->n - middle, window = 4096;
    const char *start = c->text, *from = start + middle, *ahead = NULL;
    if (n > c->n) return -1;
    if (to != INT64_MIN && left > REACH + n) left = REACH + n;
    const char *behind = memmem(from, left, text, n);
    size_t reach = behind ? (size_t)(behind - from) * 4 : REACH; /* a code point has up to 4 bytes */
    if (reach > middle) reach = middle;
    if (reach > REACH) reach = REACH;
    const char *end = c->n - middle < n ? start + c->n - n + 1 : from;
    for (; !ahead && reach > 0; window *= 2) {
        ahead = find_last(from - (window < reach ? window : reach), end, text, n);
        if (window >= reach) break;
    }
    if (!ahead && !behind) return -1;
    int64_t first = ahead ? code_point_of(c, (size_t)(ahead - start)) : -1;
    int64_t second = behind ? code_point_of(c, (size_t)(behind - start)) : -1;
    if (!ahead) return second;
    return !behind || to - first <= second - to ? first : second;
}

/* Says that the answer is not where it should be. stated INT64_MIN: nobody said where. */
static enum bt_status misplaced(struct bt__loader *l, size_t line, const char *id, int64_t stated,
                                const struct bt_part *a)
{
    bt__loader_misaligned(l);
    if (stated == INT64_MIN)
        return bt__loader_odd(l, line, "question %.60s: answer '%.60s' is not in the context", id, a->text);
    if (a->at < 0)
        return bt__loader_odd(
            l, line, "question %.60s: answer '%.60s' is not at %" PRId64 " nor elsewhere in the context", id,
            a->text, stated);
    return bt__loader_odd(l, line, "question %.60s: answer '%.60s' is not at %" PRId64 " but at %" PRId64, id,
                          a->text, stated, a->at);
}

enum bt_status bt__question_answer(struct bt__loader *l, const struct bt__context *c, size_t line,
                                   const char *id, const char *bytes, size_t n, int64_t stated)
{
    if (n == 0) return BT_OK;
    struct bt_part *a = bt__loader_part(l, line);
    if (!a || !(a->text = bt__loader_keep(l, bytes, n, &a->n))) return bt__loader_no_memory(l, line);
    size_t byte = byte_of(c, stated);
    bool inside = stated >= 0 && (uint64_t)stated <= c->code_points;
    if (inside && c->n - byte >= a->n && memcmp(c->text + byte, a->text, a->n) == 0) {
        a->at = stated;
        return BT_OK;
    }
    a->at = nearest(c, a->text, a->n, stated);
    return stated == INT64_MIN && a->at >= 0 ? BT_OK : misplaced(l, line, id, stated, a);
}

/* ── answers ── */

static enum bt_status wrong(const struct bt__loader *l, size_t line, const char *id, const char *what)
{
    return bt_fail(l->err, BT_INVALID, "%s:%zu: question %s: %s", l->path, line, id, what);
}

static enum bt_status take_answer(struct bt__loader *l, const struct bt__context *c, size_t line,
                                  const char *id, const struct bt_json *text, const struct bt_json *start)
{
    size_t n = 0;
    const char *bytes = bt_json_textn(text, &n);
    if (!bytes) return wrong(l, line, id, "an answer has no text, expected a string");
    if (start && bt_json_kind(start) != BT_JSON_INT && bt_json_kind(start) != BT_JSON_NULL)
        return wrong(l, line, id, "an answer_start is no whole number");
    return bt__question_answer(l, c, line, id, bytes, n, bt_json_int(start, INT64_MIN));
}

enum bt_status bt__question_answers(struct bt__loader *l, const struct bt__context *c, size_t line,
                                    const char *id, const struct bt_json *a)
{
    enum bt_status st = BT_OK;
    const struct bt_json *text = bt_json_get(a, "text"), *start;
    if (bt_json_kind(a) == BT_JSON_NULL) return BT_OK;
    if (bt_json_kind(a) == BT_JSON_STRING) return take_answer(l, c, line, id, a, NULL);
    if (bt_json_kind(a) == BT_JSON_ARRAY) {
        for (size_t i = 0; !st && i < bt_json_len(a); i++) {
            const struct bt_json *one = bt_json_at(a, i);
            if (bt_json_kind(one) == BT_JSON_STRING)
                st = take_answer(l, c, line, id, one, NULL);
            else
                st = take_answer(l, c, line, id, bt_json_get(one, "text"), bt_json_get(one, "answer_start"));
        }
        return st;
    }
    start = bt_json_get(a, "answer_start");
    if (bt_json_kind(text) == BT_JSON_STRING) return take_answer(l, c, line, id, text, start);
    if (bt_json_kind(text) != BT_JSON_ARRAY)
        return wrong(l, line, id, "answers is neither a list nor an object with text and answer_start");
    if (start && bt_json_len(start) != bt_json_len(text))
        return wrong(l, line, id, "answers has not as many answer_start as text");
    for (size_t i = 0; !st && i < bt_json_len(text); i++)
        st = take_answer(l, c, line, id, bt_json_at(text, i), bt_json_at(start, i));
    return st;
}

/* ── questions ── */

enum bt_status bt__question_take(struct bt__loader *l, const struct bt__question *q,
                                 const struct bt__context *c)
{
    size_t n = 0;
    const char *text = bt_json_textn(q->question, &n), *id = "without an id";
    struct bt_str name = {0};
    if (!text)
        return bt_fail(l->err, BT_INVALID, "%s:%zu: a question without a text, expected a string", l->path,
                       q->line);
    struct bt_example *x = bt__loader_add(l, q->line);
    if (!x) return bt__loader_no_memory(l, q->line);
    x->pair = c->text;
    x->pair_n = c->n;
    x->text = bt__loader_keep(l, text, n, &x->text_n);
    if (q->id && bt_json_kind(q->id) != BT_JSON_NULL) {
        bt__json_text(q->id, &name);
        size_t kept;
        if (!name.failed) x->id = id = bt__loader_keep(l, bt_str_text(&name), name.len, &kept);
    }
    bool ok = x->text && id && !name.failed;
    bt_str_free(&name);
    if (!ok) return bt__loader_no_memory(l, q->line);
    enum bt_status st = bt__question_answers(l, c, q->line, id, q->answers);
    if (st) return st;
    x->impossible = l->parts == 0;
    return bt__loader_done(l, x);
}
