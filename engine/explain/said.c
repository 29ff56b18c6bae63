#include "explain/said.h"

#include "metrics/answers.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum bt__way bt__way_of(int task)
{
    switch (task) {
    case BT_TYPE_REGRESSION:
        return BT__NUMBER;
    case BT_TYPE_NER:
        return BT__ENTITIES;
    case BT_TYPE_MULTILABEL:
        return BT__LABEL_SET;
    case BT_TYPE_QA:
    case BT_TYPE_MLM:
        return BT__FREE_TEXT;
    default:
        return BT__ONE_LABEL;
    }
}

void bt__said_free(struct bt__said *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->piece[i].label);
    free(s->piece);
    free(s->decision);
    *s = (struct bt__said){.n = 0};
}

static char *name_of(enum bt__way way, const struct bt_answer *a, const char *text)
{
    if (way == BT__ENTITIES)
        return bt_strfmt("%.*s: %.*s", (int)a->label_n, a->label, (int)(a->end - a->begin), text + a->begin);
    return a->label ? bt_strndup(a->label, a->label_n) : bt_strdup("");
}

static char *decision_of(int task, const struct bt__said *s)
{
    struct bt_str text = {0};
    size_t n = 0;
    if (bt__way_of(task) == BT__NUMBER) return bt_strfmt("%.4g", s->n ? s->piece[0].score : (double)NAN);
    for (size_t i = 0; i < s->n; i++)
        if (s->piece[i].chosen) bt_str_addf(&text, "%s%s", n++ ? ", " : "", s->piece[i].label);
    if (text.len == 0) bt_str_add(&text, task == BT_TYPE_QA ? "no answer" : "nothing");
    return bt_str_take(&text);
}

bool bt__said_keep(struct bt__said *s, int task, const struct bt_output *out, const char *text)
{
    const enum bt__way way = bt__way_of(task);
    *s = (struct bt__said){.piece = calloc(out->n + 1, sizeof *s->piece)};
    for (size_t i = 0; s->piece && i < out->n; i++) {
        const struct bt_answer *a = &out->answer[i];
        char *label = name_of(way, a, text);
        if (!label) return false;
        s->piece[s->n++] = (struct bt__piece){.label = label,
                                              .type = way == BT__ENTITIES ? a->label_n : 0,
                                              .score = a->score,
                                              .begin = a->begin,
                                              .end = a->end,
                                              .chosen = a->chosen};
    }
    if (s->piece) s->decision = decision_of(task, s);
    return s->decision != NULL;
}

const struct bt__piece *bt__said_find(const struct bt__said *s, const char *label)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->piece[i].label, label) == 0) return &s->piece[i];
    return NULL;
}

bool bt__said_same_text(int task, const char *a, const char *b)
{
    if (task != BT_TYPE_QA) return strcmp(a, b) == 0;
    struct bt_str x = {0}, y = {0};
    bt__answer_normalize(a, strlen(a), &x);
    bt__answer_normalize(b, strlen(b), &y);
    const bool same = strcmp(bt_str_text(&x), bt_str_text(&y)) == 0;
    bt_str_free(&x);
    bt_str_free(&y);
    return same;
}
