/* Answers in the form of their task: a number with a gauge, entities in the text, parts of a passage, words for masks. */
#include "tui/views/predictions_spans.h"
#include "tui/views/probe_view.h"

#include <bertty/experiment.h>
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct probe_form forms[] = {
    [BT_TYPE_CLASSIFICATION] = {.text = "Text",
                                .first = "First text",
                                .pair = "Second text",
                                .answers = "Probabilities"},
    [BT_TYPE_REGRESSION] = {.text = "Text",
                            .first = "First text",
                            .pair = "Second text",
                            .answers = "Number"},
    [BT_TYPE_NER] = {.text = "Sentence", .first = "Sentence", .pair = "Second text", .answers = "Entities"},
    [BT_TYPE_QA] = {.text = "Question",
                    .first = "Question",
                    .pair = "Passage",
                    .both = true,
                    .passage = true,
                    .answers = "Answers"},
    [BT_TYPE_ABSA] =
        {.text = "Sentence", .first = "Sentence", .pair = "Aspect", .both = true, .answers = "Probabilities"},
    [BT_TYPE_MLM] = {.text = "Text with [MASK]",
                     .first = "Text with [MASK]",
                     .pair = "Second text",
                     .answers = "Words"},
    [BT_TYPE_MULTILABEL] = {.text = "Text",
                            .first = "First text",
                            .pair = "Second text",
                            .answers = "Labels"},
    [BT_TYPE_MULTIPLE_CHOICE] = {.text = "Text",
                                 .first = "Text",
                                 .pair = "Choices, one a line",
                                 .both = true,
                                 .lines = true,
                                 .answers = "Choices"},
};

const struct probe_form *probe_form(int task)
{
    bool known = task >= 0 && (size_t)task < sizeof forms / sizeof *forms && forms[task].text;
    return &forms[known ? task : BT_TYPE_CLASSIFICATION];
}

/* ── a number ── */

/* Where it lies among those that were answered since the view was opened. */
static void tell_number(struct probe_view *s, const struct probe_answer *a)
{
    enum { ENDS = 20 }; /* columns for the numbers at both ends */
    struct sheet *d = &s->sheet;
    double v = a->said[0].score;
    sheet_print(d, ROLE_MARK, 2, "%.6g", v);
    if (!isfinite(v)) return;
    if (s->least > s->greatest) s->least = s->greatest = 0;
    s->least = fmin(s->least, v);
    s->greatest = fmax(s->greatest, v);
    struct plot_range range = plot_nice((struct plot_range){.min = s->least, .max = s->greatest}, false, 5);
    int room = d->width - ENDS, at = (int)((v - range.min) / (range.max - range.min) * (room - 1) + 0.5);
    struct bt_str line = {0};
    if (room < 4) return;
    for (int i = 0; i < room; i++) bt_str_add(&line, i == at ? "◆" : i < at ? "▇" : "─");
    sheet_print(d, ROLE_TEXT, 2, "%5.4g %s %.4g", range.min, bt_str_text(&line), range.max);
    bt_str_free(&line);
}

/* ── entities ── */

/* As "[Angela Merkel]PER" in the text. */
static void tell_text(struct sheet *d, const struct probe_answer *a, const char *text)
{
    size_t n = 0;
    struct pred_span *span = calloc((size_t)a->n + 1, sizeof *span);
    struct bt_str close = {0};
    struct pred_marked m = {.n = 0};
    for (int i = 0; span && i < a->n; i++) { /* the brackets' texts lie behind one another */
        bt_str_addf(&close, "]%s", a->said[i].label);
        bt_str_addc(&close, '\0');
    }
    const char *at = bt_str_text(&close);
    for (int i = 0; span && !close.failed && i < a->n; i++, at += strlen(at) + 1)
        if (a->said[i].end > a->said[i].begin && a->said[i].end <= strlen(text))
            span[n++] = (struct pred_span){.begin = a->said[i].begin,
                                           .end = a->said[i].end,
                                           .open = "[",
                                           .close = at,
                                           .role = ROLE_MARK};
    if (span) pred_mark_spans(&m, text, strlen(text), span, n, 0);
    pred_marked_put(&m, d, ROLE_TEXT, 2);
    pred_marked_free(&m);
    bt_str_free(&close);
    free(span);
}

static void tell_entities(struct sheet *d, const struct probe_answer *a, const char *text)
{
    tell_text(d, a, text);
    for (int i = 0; i < a->n; i++) {
        size_t begin = a->said[i].begin, end = a->said[i].end;
        if (end > strlen(text) || begin > end) continue;
        sheet_print(d, ROLE_TEXT, 2, "%-8s %.4f  %.*s", a->said[i].label, a->said[i].score,
                    (int)(end - begin), text + begin);
    }
    if (!a->n) sheet_print(d, ROLE_DIM, 2, "no entities");
}

/* ── answers to a question ── */

static void tell_answers(struct sheet *d, const struct probe_answer *a, const char *passage)
{
    enum { AROUND = 70, MOST = 20 };
    struct pred_marked m = {.n = 0};
    struct pred_span span = {.open = "⟦", .close = "⟧", .role = ROLE_MARK};
    if (a->n && a->said[0].end <= strlen(passage)) {
        span.begin = a->said[0].begin;
        span.end = a->said[0].end;
    }
    pred_mark_spans(&m, passage, strlen(passage), &span, 1, AROUND);
    pred_marked_put(&m, d, ROLE_TEXT, 2);
    pred_marked_free(&m);
    for (int i = 0; i < a->n && i < MOST; i++)
        sheet_print(d, a->said[i].chosen ? ROLE_MARK : ROLE_TEXT, 0, "%s %.4f  %s",
                    a->said[i].chosen ? "▸" : " ", a->said[i].score,
                    a->said[i].label && *a->said[i].label ? a->said[i].label : "(no answer)");
}

/* ── words for masks ── */

/* The text with the likeliest words in their places, then the candidates of each. */
static void tell_filled(struct sheet *d, const struct probe_answer *a, const char *text)
{
    size_t at = 0, n = strlen(text);
    int mask = 0;
    struct bt_str filled = {0};
    for (int i = 0; i < a->n; i++) {
        const struct probe_said *said = &a->said[i];
        if (!said->chosen || said->begin < at || said->end > n) continue;
        bt_str_addn(&filled, text + at, said->begin - at);
        bt_str_addf(&filled, "⟦%s⟧", said->label);
        at = said->end;
    }
    bt_str_add(&filled, text + at);
    sheet_wrap(d, ROLE_TEXT, 2, bt_str_text(&filled), filled.len);
    for (int i = 0; i < a->n; i++) {
        if (a->said[i].chosen) sheet_print(d, ROLE_DIM, 2, "mask %d", ++mask);
        sheet_print(d, a->said[i].chosen ? ROLE_MARK : ROLE_TEXT, 0, "%s %.4f  %s",
                    a->said[i].chosen ? "▸" : " ", a->said[i].score, a->said[i].label);
    }
    if (!a->n) sheet_print(d, ROLE_DIM, 2, "write [MASK] where a word is to be found");
    bt_str_free(&filled);
}

bool probe_tell(struct probe_view *s, const struct probe_answer *a, const char *text, const char *pair)
{
    switch (a->task) {
    case BT_TYPE_REGRESSION:
        if (a->n) tell_number(s, a);
        return true;
    case BT_TYPE_NER:
        tell_entities(&s->sheet, a, text);
        return true;
    case BT_TYPE_QA:
        tell_answers(&s->sheet, a, pair ? pair : "");
        return true;
    case BT_TYPE_MLM:
        tell_filled(&s->sheet, a, text);
        return true;
    default:
        return false;
    }
}
