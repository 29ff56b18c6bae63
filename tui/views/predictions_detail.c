/* The row under the cursor, as its kind is read. */
#include "tui/views/predictions_spans.h"
#include "tui/views/predictions_view.h"

#include <bertty/file.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ABOVE = 5 /* scores above the text */ };

static void put_score(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r, int i)
{
    int label_w = pred_label_width(s, d->width / 2), room = d->width - label_w - 10;
    struct bt_str line = {0}, label = {0};
    int n = (int)(r->scores[i] * (float)room + 0.5f);
    int w = bt_text_fit(&label, s->p->label[i], strlen(s->p->label[i]), label_w);
    bt_str_addf(&line, "%s%*s %.3f ", bt_str_text(&label), label_w - w, "", (double)r->scores[i]);
    for (int k = 0; k < n; k++) bt_str_add(&line, "▇");
    const char *mark = i == r->predicted ? (r->gold == i || r->gold < 0 ? "✓" : "✗")
                       : i == r->gold    ? "g"
                                         : " ";
    enum role role = i == r->gold ? ROLE_GOOD : i == r->predicted ? ROLE_BAD : ROLE_TEXT;
    sheet_print(d, role, 0, "%s %s", mark, bt_str_text(&line));
    bt_str_free(&line);
    bt_str_free(&label);
}

/* The label with the greatest score below one that was shown already (−1: none yet); −1: there are no more. */
static int next_score(const struct pred_view *s, const struct bt_prediction *r, int last)
{
    int best = -1;
    for (int i = 0; i < s->p->n_labels; i++) {
        bool after =
            last < 0 || r->scores[i] < r->scores[last] || (r->scores[i] == r->scores[last] && i > last);
        if (after && (best < 0 || r->scores[i] > r->scores[best])) best = i;
    }
    return best;
}

/* A few labels in their order; many by their scores, from one on: the first ones stand above the text, the others below. Returns the last. */
static int put_scores(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r, int from,
                      int most)
{
    if (!r->scores) return -1;
    if (s->p->n_labels <= MOST_ABOVE) {
        for (int i = 0; from < 0 && i < s->p->n_labels; i++) put_score(d, s, r, i);
        return s->p->n_labels - 1;
    }
    int at = from;
    for (int n = 0; n < most; n++) {
        int next = next_score(s, r, at);
        if (next < 0) break;
        put_score(d, s, r, at = next);
    }
    return at;
}

/* p(gold) over the steps: eight heights, a gap where a step says nothing about the row. */
static void put_history(struct sheet *d, const struct pred_view *s, size_t row)
{
    struct bt_str spark = {0};
    float first = NAN, last = NAN;
    size_t known = 0, skipped = s->n_steps - s->n_history;
    int room = d->width - 10;
    size_t from = s->n_history > (size_t)(room > 1 ? room : 1) ? s->n_history - (size_t)room : 0;
    for (size_t k = from; k < s->n_history; k++) {
        float p = s->history[k * s->p->n + row];
        int level = isnan(p) ? 0 : p >= 1 ? 7 : p <= 0 ? 0 : (int)(p * 8);
        char glyph[4];
        size_t n = bt_utf8_encode(isnan(p) ? ' ' : 0x2581 + level, glyph);
        bt_str_addn(&spark, glyph, n);
        if (isnan(p)) continue;
        if (known++ == 0) first = p;
        last = p;
    }
    if (known > 1) {
        const char *what = s->p->kind == BT_ROWS_LABELS    ? "p(gold)"
                           : s->p->kind == BT_ROWS_ANSWERS ? "F1"
                                                           : "right";
        sheet_print(d, ROLE_DIM, 0, "%s over steps %" PRId64 " to %" PRId64, what, s->steps[skipped + from],
                    s->steps[s->n_steps - 1]);
        sheet_print(d, ROLE_ACCENT, 0, "%s  %.2f → %.2f", bt_str_text(&spark), (double)first, (double)last);
    }
    bt_str_free(&spark);
}

/* ── the example ── */

static const struct bt_example *example_of(const struct pred_view *s, const struct bt_prediction *r)
{
    return pred_example(s->p, s->texts ? s->texts->examples : NULL, r);
}

/* A sentence with its aspect in brackets, wherever the file tells its place. */
static void put_text(struct sheet *d, const struct bt_example *x)
{
    struct pred_marked m = {.n = 0};
    struct pred_span aspect = {
        .begin = x->mark, .end = x->mark + x->mark_n, .open = "⟦", .close = "⟧", .role = ROLE_MARK};
    if (!x->text) return;
    if (!x->mark_n) aspect.end = 0;
    pred_mark_spans(&m, x->text, x->text_n, &aspect, 1, 0);
    pred_marked_put(&m, d, ROLE_TEXT, 0);
    pred_marked_free(&m);
}

static int label_of(const struct bt_predictions *p, const char *name)
{
    for (int i = 0; i < p->n_labels; i++)
        if (strcmp(p->label[i], name) == 0) return i;
    return -1;
}

static void put_choices(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r,
                        const struct bt_example *x)
{
    const char *gold = pred_label(s->p, r->gold), *said = pred_label(s->p, r->predicted);
    for (uint32_t i = 0; i < x->parts; i++) {
        char number[16];
        snprintf(number, sizeof number, "%u", i);
        bool right = strcmp(number, gold) == 0, chosen = strcmp(number, said) == 0;
        enum role role = right ? ROLE_GOOD : chosen ? ROLE_BAD : ROLE_TEXT;
        int label = label_of(s->p, number);
        sheet_print(d, role, 0, "%s %s",
                    chosen  ? (right || r->gold < 0 ? "✓" : "✗")
                    : right ? "g"
                            : " ",
                    number);
        if (r->scores && label >= 0)
            sheet_join(d, role, 3 + (int)strlen(number), "%.3f", (double)r->scores[label]);
        sheet_wrap(d, role, 4, x->part[i].text, x->part[i].n);
    }
}

static void put_where(struct sheet *d, const struct pred_view *s, const struct bt_example *x)
{
    if (x)
        sheet_print(d, ROLE_DIM, 0, "%s:%zu",
                    x->file < s->texts->n_files ? bt_path_base(s->texts->file[x->file]) : "", x->line);
    else if (s->texts && s->texts->examples)
        sheet_print(d, ROLE_WARN, 0, "The file has changed: this row is another one now.");
}

static void put_pair(struct sheet *d, const struct bt_example *x)
{
    if (!x->pair) return;
    sheet_print(d, ROLE_DIM, 0, "second text:");
    sheet_wrap(d, ROLE_TEXT, 0, x->pair, x->pair_n);
}

static void put_verdict(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    bool wrong = r->gold >= 0 && r->gold != r->predicted;
    if (r->gold < 0)
        sheet_print(d, ROLE_TEXT, 0, "predicted %s", pred_label(s->p, r->predicted));
    else
        sheet_print(d, wrong ? ROLE_BAD : ROLE_GOOD, 0, wrong ? "%s, predicted %s" : "%s, as predicted",
                    pred_label(s->p, r->gold), pred_label(s->p, r->predicted));
}

static void put_labels(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    const struct bt_example *x = example_of(s, r);
    put_verdict(d, s, r);
    const bool choices = x && x->parts; /* their scores stand beside them */
    int last = choices ? -1 : put_scores(d, s, r, -1, MOST_ABOVE);
    if (choices) put_text(d, x);
    if (choices) put_choices(d, s, r, x);
    if (s->history && r->gold >= 0) put_history(d, s, (size_t)(r - s->p->row));
    if (x && !choices) put_text(d, x);
    if (x && x->mark_n)
        sheet_print(d, ROLE_DIM, 0, "aspect: %s", x->pair ? x->pair : "");
    else if (x)
        put_pair(d, x);
    put_where(d, s, x);
    if (last >= 0) put_scores(d, s, r, last, s->p->n_labels);
}

/* ── sets of labels ── */

static void put_set_label(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r, int i,
                          const struct bt_json *gold, const struct bt_json *said)
{
    const char *label = s->p->label[i];
    bool chosen = pred_list_has(said, label), wanted = pred_list_has(gold, label);
    const char *mark = !gold              ? (chosen ? "✓" : " ")
                       : chosen && wanted ? "✓"
                       : chosen           ? "+"
                       : wanted           ? "−"
                                          : " ";
    enum role role = !gold || chosen == wanted ? (chosen ? ROLE_GOOD : ROLE_TEXT) : ROLE_BAD;
    int label_w = pred_label_width(s, d->width / 2), room = d->width - label_w - 10;
    struct bt_str line = {0};
    int w = bt_text_fit(&line, label, strlen(label), label_w);
    bt_str_addf(&line, "%*s %.3f ", label_w - w, "", (double)r->scores[i]);
    for (int k = 0; k < (int)(r->scores[i] * (float)room + 0.5f); k++) bt_str_add(&line, "▇");
    sheet_print(d, role, 0, "%s %s", mark, bt_str_text(&line));
    bt_str_free(&line);
}

static void put_set(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    struct bt_json *v = bt_prediction_json(s->p, r);
    const struct bt_json *gold = bt_json_get(v, "gold_labels"), *said = bt_json_get(v, "labels");
    const struct bt_example *x = example_of(s, r);
    struct bt_str all = {0};
    pred_mark_set(&all, gold, said);
    sheet_wrap(d, !r->judged ? ROLE_TEXT : r->correct ? ROLE_GOOD : ROLE_BAD, 0, bt_str_text(&all), all.len);
    bt_str_free(&all);
    if (x) put_text(d, x);
    if (x) put_pair(d, x);
    for (int at = -1, k = 0; r->scores && k < s->p->n_labels; k++) {
        if ((at = next_score(s, r, at)) < 0) break;
        put_set_label(d, s, r, at, gold, said);
    }
    if (gold) sheet_print(d, ROLE_DIM, 0, "✓ right  + extra  − missing");
    if (s->history && r->judged) put_history(d, s, (size_t)(r - s->p->row));
    put_where(d, s, x);
    bt_json_free(v);
}

/* ── numbers ── */

static void put_number(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    const struct bt_example *x = example_of(s, r);
    bool wrong = pred_wrong(s->p, &s->facts, r);
    sheet_print(d, ROLE_TEXT, 0, "predicted %.6g", r->value);
    struct bt_str line = {0};
    bt_str_addf(&line, "gold %.6g: %.4g too %s%s", r->gold_value, fabs(r->value - r->gold_value),
                r->value < r->gold_value ? "low" : "high", wrong ? ", more than the mean error" : "");
    if (!isnan(r->gold_value)) sheet_wrap(d, wrong ? ROLE_BAD : ROLE_GOOD, 0, bt_str_text(&line), line.len);
    bt_str_free(&line);
    if (x) put_text(d, x);
    if (x) put_pair(d, x);
    put_where(d, s, x);
}

/* ── entities ── */

struct sides {
    struct pred_entity *gold, *said;
    size_t n_gold, n_said;
    const struct bt_json *words, *spans;
};

static void add_entity(struct bt_str *out, const struct sides *e, const struct pred_entity *one)
{
    bt_str_addc(out, '[');
    for (size_t i = one->begin; i < one->end; i++)
        bt_str_addf(out, "%s%s", i > one->begin ? " " : "", bt_json_text(bt_json_at(e->words, i), ""));
    bt_str_addc(out, ']');
    bt_str_addn(out, one->type, one->type_n);
}

/* The model's confidence in an entity, where the row has it. */
static void add_score(struct bt_str *out, const struct sides *e, const struct pred_entity *one)
{
    for (size_t i = 0; i < bt_json_len(e->spans); i++) {
        const struct bt_json *span = bt_json_at(e->spans, i);
        if (bt_json_int(bt_json_get(span, "begin"), -1) != (int64_t)one->begin ||
            bt_json_int(bt_json_get(span, "end"), -1) != (int64_t)one->end)
            continue;
        bt_str_addf(out, " %.2f", bt_json_number(bt_json_get(span, "score"), 0));
        return;
    }
}

static void put_fault(struct sheet *d, const struct sides *e, enum pred_fault fault,
                      const struct pred_entity *gold, const struct pred_entity *said)
{
    struct bt_str line = {0};
    if (fault == PRED_RIGHT)
        bt_str_add(&line, "✓ ");
    else
        bt_str_addf(&line, "✗ %s: ", pred_slice_name(BT_ROWS_TAGS, (int)fault));
    if (gold) add_entity(&line, e, gold);
    if (gold && said && fault != PRED_RIGHT) bt_str_add(&line, " → ");
    if (said && (fault != PRED_RIGHT || !gold)) add_entity(&line, e, said);
    if (said) add_score(&line, e, said);
    sheet_wrap(d, fault == PRED_RIGHT ? ROLE_GOOD : ROLE_BAD, 0, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static void put_faults(struct sheet *d, const struct sides *e)
{
    size_t which;
    for (size_t i = 0; i < e->n_gold; i++) {
        enum pred_fault fault = pred_entity_fault(&e->gold[i], e->said, e->n_said, PRED_MISSED, &which);
        put_fault(d, e, fault, &e->gold[i], which < e->n_said ? &e->said[which] : NULL);
    }
    for (size_t i = 0; i < e->n_said; i++)
        if (pred_entity_fault(&e->said[i], e->gold, e->n_gold, PRED_SPURIOUS, &which) == PRED_SPURIOUS)
            put_fault(d, e, PRED_SPURIOUS, NULL, &e->said[i]);
}

static void put_sentence(struct sheet *d, const char *title, const struct sides *e, bool gold, bool judged)
{
    struct pred_marked m = {.n = 0};
    if (gold)
        pred_mark_entities(&m, e->words, e->gold, e->n_gold, e->said, e->n_said, judged);
    else
        pred_mark_entities(&m, e->words, e->said, e->n_said, e->gold, e->n_gold, judged);
    sheet_print(d, ROLE_DIM, 0, "%s", title);
    pred_marked_put(&m, d, ROLE_TEXT, 0);
    pred_marked_free(&m);
}

static void put_tags(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    struct bt_json *v = bt_prediction_json(s->p, r);
    struct sides e = {.words = bt_json_get(v, "tokens"), .spans = bt_json_get(v, "spans")};
    bool gold = bt_json_get(v, "gold_tags") != NULL;
    if (pred_entities(bt_json_get(v, "gold_tags"), &e.gold, &e.n_gold) &&
        pred_entities(bt_json_get(v, "tags"), &e.said, &e.n_said)) {
        if (gold) put_sentence(d, "gold", &e, true, true);
        put_sentence(d, "predicted", &e, false, gold);
        if (gold) put_faults(d, &e);
    }
    if (s->history && r->judged) put_history(d, s, (size_t)(r - s->p->row));
    put_where(d, s, example_of(s, r));
    free(e.gold);
    free(e.said);
    bt_json_free(v);
}

/* ── answers ── */

static void put_judgement(struct sheet *d, const struct bt_prediction *r)
{
    const char *said = *r->predicted_text ? r->predicted_text : "(no answer)";
    if (!r->judged) {
        sheet_print(d, ROLE_TEXT, 0, "answer: %s", said);
        return;
    }
    sheet_print(d, r->correct ? ROLE_GOOD : ROLE_BAD, 0, "%s F1 %.0f, %s: %s", r->correct ? "✓" : "✗",
                100 * r->quality, r->correct ? "exact" : "not exact", said);
}

static void put_golds(struct sheet *d, const struct bt_json *golds)
{
    struct bt_str line = {0};
    for (size_t i = 0; i < bt_json_len(golds); i++)
        bt_str_addf(&line, "%s%s", i ? " | " : "gold: ", bt_json_text(bt_json_at(golds, i), ""));
    if (!golds) return;
    if (!line.len) bt_str_add(&line, "gold: (no answer)");
    sheet_wrap(d, ROLE_TEXT, 0, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static struct pred_span span_at(const struct bt_example *x, int64_t begin, int64_t end)
{
    struct pred_span span = {.begin = pred_bytes_before(x->pair, x->pair_n, begin),
                             .end = end > begin ? pred_bytes_before(x->pair, x->pair_n, end) : 0};
    return span;
}

/* Around the answer first, then all of it. */
static void put_context(struct sheet *d, const struct bt_example *x, const struct bt_json *best,
                        size_t around)
{
    struct pred_span span[2] = {{.end = 0}, {.end = 0}};
    struct pred_marked m = {.n = 0};
    span[0] =
        span_at(x, bt_json_int(bt_json_get(best, "begin"), 0), bt_json_int(bt_json_get(best, "end"), 0));
    span[0].role = ROLE_MARK;
    span[0].open = "⟦";
    span[0].close = "⟧";
    if (x->parts && x->part[0].at >= 0) {
        span[1] = span_at(x, x->part[0].at, 0);
        span[1].end = span[1].begin + x->part[0].n <= x->pair_n ? span[1].begin + x->part[0].n : 0;
    }
    span[1].role = ROLE_GOOD;
    span[1].open = "«";
    span[1].close = "»";
    pred_mark_spans(&m, x->pair, x->pair_n, span, 2, around);
    pred_marked_put(&m, d, ROLE_TEXT, 0);
    pred_marked_free(&m);
}

static void put_nbest(struct sheet *d, const struct bt_json *nbest)
{
    if (bt_json_len(nbest)) sheet_print(d, ROLE_DIM, 0, "n best");
    for (size_t i = 0; i < bt_json_len(nbest); i++) {
        const struct bt_json *a = bt_json_at(nbest, i);
        const char *text = bt_json_text(bt_json_get(a, "text"), "");
        sheet_print(d, i ? ROLE_TEXT : ROLE_MARK, 0, "%2zu %.4f %s", i + 1,
                    bt_json_number(bt_json_get(a, "score"), 0), *text ? text : "(no answer)");
    }
}

static void put_answer(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    enum { AROUND = 120 };
    struct bt_json *v = bt_prediction_json(s->p, r);
    const struct bt_json *nbest = bt_json_get(v, "nbest"), *odds = bt_json_get(v, "null_odds");
    const struct bt_example *x = example_of(s, r);
    if (x && x->text) sheet_wrap(d, ROLE_TITLE, 0, x->text, x->text_n);
    put_judgement(d, r);
    put_golds(d, bt_json_get(v, "golds"));
    if (x && x->pair) put_context(d, x, bt_json_at(nbest, 0), AROUND);
    if (odds) sheet_print(d, ROLE_TEXT, 0, "no answer less best answer: %+.3f", bt_json_number(odds, 0));
    put_nbest(d, nbest);
    if (s->history && r->judged) put_history(d, s, (size_t)(r - s->p->row));
    if (x && x->pair && x->pair_n > 2 * AROUND) {
        sheet_print(d, ROLE_DIM, 0, "the whole passage: ⟦predicted⟧ «gold»");
        put_context(d, x, bt_json_at(nbest, 0), 0);
    } else if (x && x->pair) {
        sheet_print(d, ROLE_DIM, 0, "⟦predicted⟧ «gold»");
    }
    put_where(d, s, x);
    bt_json_free(v);
}

/* ── masked words ── */

static void put_masks(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    struct bt_json *v = bt_prediction_json(s->p, r);
    const struct bt_example *x = example_of(s, r);
    sheet_print(d, ROLE_TEXT, 0, "%" PRId64 " of %" PRId64 " masked words right",
                bt_json_int(bt_json_get(v, "right"), 0), bt_json_int(bt_json_get(v, "masked"), 0));
    if (!isnan(r->loss))
        sheet_print(d, ROLE_TEXT, 0, "mean loss %.4f, perplexity %.4g", (double)r->loss,
                    exp((double)r->loss));
    if (x) put_text(d, x);
    put_where(d, s, x);
    bt_json_free(v);
}

static void put_notes(struct sheet *d, const struct bt_notes *n)
{
    struct bt_str tags = {0};
    for (size_t i = 0; n && i < n->n_tags; i++) bt_str_addf(&tags, "%s#%s", i ? " " : "", n->tag[i]);
    if (tags.len) sheet_wrap(d, ROLE_MARK, 0, bt_str_text(&tags), tags.len);
    bt_str_free(&tags);
    if (!n || !n->note) return;
    struct bt_str note = {0};
    bt_str_addf(&note, "✎ %s", n->note);
    sheet_wrap(d, ROLE_ACCENT, 0, bt_str_text(&note), note.len);
    bt_str_free(&note);
}

static void put_row(struct sheet *d, const struct pred_view *s, const struct bt_prediction *r)
{
    static void (*const put[])(struct sheet *, const struct pred_view *, const struct bt_prediction *) = {
        [BT_ROWS_LABELS] = put_labels, [BT_ROWS_SETS] = put_set,       [BT_ROWS_NUMBERS] = put_number,
        [BT_ROWS_TAGS] = put_tags,     [BT_ROWS_ANSWERS] = put_answer, [BT_ROWS_MASKS] = put_masks};
    put_notes(d, bt_row_notes_of(&s->notes, r->id));
    put[s->p->kind](d, s, r);
}

void pred_detail_draw(struct view *v, struct rect area)
{
    struct pred_view *s = v->state;
    struct term *t = app_term(v->app);
    const struct bt_prediction *r = pred_row(s);
    char title[64] = "row";
    if (r) snprintf(title, sizeof title, "row %" PRId64, r->id);
    struct rect in = term_box(t, area, title, v->focus == PRED_DETAIL);
    s->detail_at = area;
    if (!r || in.h < 1 || in.w < 8) return;
    size_t row = (size_t)(r - s->p->row);
    if (row != s->detail_row) s->detail.top = 0;
    s->detail_row = row;
    sheet_begin(&s->detail, in.w);
    put_row(&s->detail, s, r);
    sheet_draw(&s->detail, t, in);
    int below = sheet_rows(&s->detail) - s->detail.top - in.h;
    if (below > 0) term_print(t, area, area.h - 1, 2, ROLE_DIM, " %d more ", below);
}
