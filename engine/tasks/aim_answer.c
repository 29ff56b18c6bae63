/* The aim of an answer to a question: the score of its beginning and that of its end. */
#include "tasks/aim.h"
#include "tasks/qa_nbest.h"

#include <math.h>
#include <string.h>

/* The answer of the n best with this text, or the first of all; NULL: it is not among them. */
static const struct bt__qa_span *wished(const struct bt__qa_nbest *k, const char *context, const char *target)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct bt__qa_span *s = &k->item[i];
        if (!target || (s->end - s->begin == strlen(target) &&
                        memcmp(context + s->begin, target, s->end - s->begin) == 0))
            return s;
    }
    return NULL;
}

/* No answer is read at [CLS], of the window that is least for it; an answer in the window that its score comes from. */
static void place(const struct bt__task_data *d, const struct bt__logits *l, size_t e,
                  const struct bt__qa_span *s, struct bt__aim *out)
{
    const struct bt__qa_windows *all = bt__qa_windows_of(d);
    double nearest = HUGE_VAL;
    for (size_t i = bt__task_first(d, e); i < bt__task_first(d, e + 1); i++) {
        const struct bt__qa_window *w = &all->window[i];
        const uint32_t *begin = all->begin + w->place + w->from, *end = all->end + w->place + w->from;
        uint32_t from = 0, to = 0;
        while (s->end && from < w->n && begin[from] != s->begin) from++;
        to = from;
        while (s->end && to < w->n && end[to] != s->end) to++;
        if (s->end && (from == w->n || to == w->n)) continue;
        const uint32_t a = s->end ? w->first + from : 0, b = s->end ? w->first + to : 0;
        const float *logits = bt__logits_at(l, i);
        double off = fabs((double)logits[2 * a] + (double)logits[2 * b + 1] - s->score);
        if (off >= nearest) continue;
        nearest = off;
        out->sequence = i;
        out->cell[0] = (struct bt__aim_cell){.token = (int)a, .output = 0};
        out->cell[1] = (struct bt__aim_cell){.token = (int)b, .output = 1};
        out->cells = 2;
    }
}

enum bt_status bt__aim_answer(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, size_t e, const struct bt__aim_wish *wish,
                              struct bt__aim *out, struct bt_error *err)
{
    const struct bt__qa_rules rules = bt__qa_rules_of(t, d);
    const char *context = bt__task_example(d, e)->pair;
    struct bt__qa_nbest k = {.n = 0};
    if (!context) context = "";
    enum bt_status st = bt__aim_no_word(wish, err);
    if (!st) st = bt__qa_nbest(&k, &rules, d, l, e, err);
    const struct bt__qa_span *s = st ? NULL : wished(&k, context, wish->target);
    if (s) place(d, l, e, s, out);
    if (!st && !out->cells)
        st = bt_fail(err, BT_INVALID, "\"%.60s\" is none of the %zu best answers, expected one of them",
                     wish->target ? wish->target : "", k.n);
    out->norm = BT__NORM_ROWS;
    if (!st && s->end)
        bt_str_addn(&out->name, context + s->begin, s->end - s->begin);
    else if (!st)
        bt_str_add(&out->name, "no answer");
    bt__qa_nbest_free(&k);
    return st;
}
