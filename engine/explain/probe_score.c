/* Probe sets: what a model says, and whether that was expected. */
#include <bertty/probe_set.h>

#include "explain/said.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scoring {
    const struct bt_probe_set *s;
    struct bt_predictor *p;
    enum bt__way way;
    int task;
    struct bt__said *said; /* [inputs] of all probes, one after the other */
    size_t n;
    bool failed; /* no memory */
};

/* ── does the set fit the model? ── */

static enum bt_status unfit(const struct scoring *g, const struct bt_probe *p, struct bt_error *err,
                            const char *fmt, ...) BT_PRINTF(4, 5);
static enum bt_status unfit(const struct scoring *g, const struct bt_probe *p, struct bt_error *err,
                            const char *fmt, ...)
{
    char piece[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(piece, sizeof piece, fmt, ap);
    va_end(ap);
    return bt_fail(err, BT_INVALID, "%s:%u: %s", g->s->path, p->line, piece);
}

/* "negative, positive" */
static char *label_list(const struct bt_predictor *p)
{
    struct bt_str list = {0};
    const int n = bt_predictor_labels(p);
    for (int i = 0; i < n && list.len < 200; i++)
        bt_str_addf(&list, "%s%s", i ? ", " : "", bt_predictor_label(p, i));
    if (list.len >= 200) bt_str_add(&list, ", …");
    return bt_str_take(&list);
}

/* An entity's type is what its tags end in. */
static bool is_label(const struct scoring *g, const char *text)
{
    const size_t n = g->way == BT__ENTITIES ? strcspn(text, ":") : strlen(text);
    for (int i = 0; i < bt_predictor_labels(g->p); i++) {
        const char *label = bt_predictor_label(g->p, i);
        const char *type = g->way == BT__ENTITIES && label[0] && label[1] == '-' ? label + 2 : label;
        if (strlen(type) == n && strncmp(type, text, n) == 0) return true;
    }
    return false;
}

static enum bt_status check_label(const struct scoring *g, const struct bt_probe *p, const char *label,
                                  struct bt_error *err)
{
    if (g->task == BT_TYPE_MULTIPLE_CHOICE) {
        for (size_t i = 0; i < p->input[0].n_choices; i++)
            if (strcmp(p->input[0].choice[i], label) == 0) return BT_OK;
        return unfit(g, p, err, "\"%.80s\" is none of the choices", label);
    }
    if (g->way == BT__FREE_TEXT || is_label(g, label)) return BT_OK;
    char *list = label_list(g->p);
    enum bt_status st = unfit(g, p, err, "the model has no label \"%.60s\", expected one of %s", label,
                              list ? list : "its own");
    free(list);
    return st;
}

static enum bt_status check_input(const struct scoring *g, const struct bt_probe *p,
                                  const struct bt_probe_input *in, struct bt_error *err)
{
    const bool choices = g->task == BT_TYPE_MULTIPLE_CHOICE;
    const bool pair = g->task == BT_TYPE_QA || g->task == BT_TYPE_ABSA ||
                      bt_predictor_experiment(g->p)->data_text_pair_column;
    if (choices != (in->n_choices > 0))
        return unfit(g, p, err,
                     choices ? "no choices: the model chooses one of several texts"
                             : "choices: the model does not choose between texts");
    if (!choices && pair && !in->pair)
        return unfit(g, p, err, "no pair: the model wants %s",
                     g->task == BT_TYPE_QA     ? "a question (text) and a passage (pair)"
                     : g->task == BT_TYPE_ABSA ? "a sentence (text) and its aspect (pair)"
                                               : "pairs of texts");
    if (in->pair && (choices || g->way == BT__ENTITIES || g->task == BT_TYPE_MLM))
        return unfit(g, p, err, "pair: the model takes no second text");
    if (g->task == BT_TYPE_MLM && !strstr(in->text, "[MASK]"))
        return unfit(g, p, err, "no [MASK] in the text, which is what the model fills");
    return BT_OK;
}

static enum bt_status check_kind(const struct scoring *g, const struct bt_probe *p, struct bt_error *err)
{
    const bool numbers = !isnan(p->at_least) || !isnan(p->at_most);
    if (g->way == BT__NUMBER && (p->expect || p->label))
        return unfit(g, p, err, "%s: the model gives a number, expected %s", p->expect ? "expect" : "label",
                     p->expect ? "at_least or at_most alone" : "none");
    if (g->way == BT__NUMBER && p->kind == BT_PROBE_INVARIANCE && isnan(p->tolerance))
        return unfit(g, p, err, "same_for: the model gives a number, expected a tolerance too");
    if (g->way == BT__NUMBER) return BT_OK;
    if (p->kind == BT_PROBE_MINIMUM && !p->expect)
        return unfit(g, p, err,
                     "at_least and at_most alone are for models that give a number, expected expect too");
    if (p->kind == BT_PROBE_MINIMUM && !p->n_expect && g->way != BT__LABEL_SET && g->way != BT__ENTITIES)
        return unfit(g, p, err, "expect: an empty list, expected what the model is to say");
    if (numbers && ((p->at_least < 0.0 || p->at_least > 1.0) || (p->at_most < 0.0 || p->at_most > 1.0)))
        return unfit(g, p, err, "at_least, at_most: a probability is between 0 and 1");
    if (p->kind != BT_PROBE_RISE && p->kind != BT_PROBE_FALL) return BT_OK;
    if (g->way == BT__ENTITIES || g->way == BT__FREE_TEXT)
        return unfit(g, p, err,
                     "rises_for and falls_for are for labels and numbers, which the model does not give");
    return p->label ? BT_OK : unfit(g, p, err, "no label: whose probability is to change?");
}

static enum bt_status check_probe(const struct scoring *g, const struct bt_probe *p, struct bt_error *err)
{
    enum bt_status st = check_kind(g, p, err);
    for (size_t i = 0; i < p->n_inputs && !st; i++) st = check_input(g, p, &p->input[i], err);
    for (size_t i = 0; i < p->n_expect && !st; i++) st = check_label(g, p, p->expect[i], err);
    return st || !p->label ? st : check_label(g, p, p->label, err);
}

/* ── what the model says ── */

/* The inputs of all probes as one list. */
struct inputs {
    struct scoring *g;
    struct bt_input *in;                /* [n] */
    const struct bt_probe_input **from; /* [n] */
};

static void keep(struct scoring *g, size_t i, const struct bt_probe_input *in, const struct bt_output *out)
{
    if (!g->failed && !bt__said_keep(&g->said[i], g->task, out, in->text)) g->failed = true;
}

static void on_answer(void *ctx, size_t i, const struct bt_output *out)
{
    const struct inputs *a = ctx;
    keep(a->g, i, a->from[i], out);
}

static enum bt_status choose(const struct inputs *a, size_t i, struct bt_error *err)
{
    struct bt_part part[64];
    struct bt_output out;
    struct bt_input in = a->in[i];
    in.parts = (uint32_t)(a->from[i]->n_choices < 64 ? a->from[i]->n_choices : 64);
    in.part = part;
    for (uint32_t c = 0; c < in.parts; c++)
        part[c] =
            (struct bt_part){.text = a->from[i]->choice[c], .n = strlen(a->from[i]->choice[c]), .at = -1};
    enum bt_status st = bt_predict(a->g->p, &in, &out, err);
    if (!st) keep(a->g, i, a->from[i], &out);
    return st;
}

/* Choices are asked one input at a time: only as many choices as another has go together. */
static enum bt_status ask(struct inputs *a, const atomic_bool *cancel, struct bt_error *err)
{
    struct scoring *g = a->g;
    enum bt_status st = BT_OK;
    if (g->task != BT_TYPE_MULTIPLE_CHOICE)
        return bt_predict_all(g->p, a->in, g->n, on_answer, a, cancel, err);
    for (size_t i = 0; i < g->n && !st; i++) {
        if (cancel && atomic_load(cancel)) return bt_fail(err, BT_CANCELLED, "cancelled");
        st = choose(a, i, err);
    }
    return st;
}

static enum bt_status ask_all(struct scoring *g, const atomic_bool *cancel, struct bt_error *err)
{
    struct inputs a = {.g = g};
    for (size_t i = 0; i < g->s->n; i++) g->n += g->s->probe[i].n_inputs;
    a.in = calloc(g->n, sizeof *a.in);
    a.from = calloc(g->n, sizeof *a.from);
    g->said = calloc(g->n, sizeof *g->said);
    enum bt_status st = BT_OK;
    size_t at = 0;
    if (!a.in || !a.from || !g->said) g->failed = true;
    for (size_t i = 0; i < g->s->n && !g->failed; i++)
        for (size_t k = 0; k < g->s->probe[i].n_inputs; k++, at++) {
            const struct bt_probe_input *in = a.from[at] = &g->s->probe[i].input[k];
            a.in[at] = (struct bt_input){.text = in->text,
                                         .text_n = strlen(in->text),
                                         .pair = in->pair,
                                         .pair_n = in->pair ? strlen(in->pair) : 0};
        }
    if (!g->failed) st = ask(&a, cancel, err);
    if (!st && g->failed) st = bt_fail(err, BT_NOMEM, "%s: no memory for its answers", g->s->path);
    free(a.in);
    free(a.from);
    return st;
}

/* ── was it expected? ── */

static bool is_expected(const struct scoring *g, const struct bt_probe *p, const char *label)
{
    for (size_t i = 0; i < p->n_expect; i++)
        if (bt__said_same_text(g->task, p->expect[i], label)) return true;
    return false;
}

/* Of label sets the probability of that part of the expectation which the model believes least. */
static double expected_score(const struct scoring *g, const struct bt_probe *p, const struct bt__said *s)
{
    double score = g->way == BT__LABEL_SET || g->way == BT__ENTITIES ? 1.0 : 0.0;
    if (g->way == BT__NUMBER) return s->n ? s->piece[0].score : (double)NAN;
    for (size_t i = 0; g->way == BT__ENTITIES && i < p->n_expect; i++) {
        const struct bt__piece *a = bt__said_find(s, p->expect[i]);
        score = fmin(score, a && a->chosen ? a->score : 0.0);
    }
    for (size_t i = 0; g->way != BT__ENTITIES && i < s->n; i++) {
        const bool wanted = is_expected(g, p, s->piece[i].label);
        if (g->way == BT__LABEL_SET)
            score = fmin(score, wanted ? s->piece[i].score : 1.0 - s->piece[i].score);
        else if (wanted)
            score = fmax(score, s->piece[i].score);
    }
    return score;
}

static bool as_expected(const struct scoring *g, const struct bt_probe *p, const struct bt__said *s)
{
    size_t chosen = 0, wanted = 0;
    if (!p->expect) return true;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->piece[i].chosen) continue;
        chosen++;
        wanted += is_expected(g, p, s->piece[i].label);
    }
    if (g->way == BT__LABEL_SET || g->way == BT__ENTITIES) {
        for (size_t i = 0; i < p->n_expect; i++) {
            const struct bt__piece *a = bt__said_find(s, p->expect[i]);
            if (!a || !a->chosen) return false;
        }
        return wanted == chosen;
    }
    return chosen > 0 && wanted == chosen;
}

/* Do two inputs lead to the same? Of entities the types in their order: the texts may differ. */
static bool same_decision(const struct scoring *g, const struct bt__said *a, const struct bt__said *b)
{
    size_t i = 0, k = 0;
    if (g->way == BT__NUMBER) return true;
    if (g->way != BT__ENTITIES) return strcmp(a->decision, b->decision) == 0;
    for (; i < a->n && k < b->n; i++, k++)
        if (a->piece[i].type != b->piece[k].type ||
            strncmp(a->piece[i].label, b->piece[k].label, a->piece[i].type) != 0)
            return false;
    return i == a->n && k == b->n;
}

/* The largest change of a score: of every label, of the number, of the entities, of the chosen text. */
static double change(const struct scoring *g, const struct bt__said *a, const struct bt__said *b)
{
    double most = 0.0;
    if (!same_decision(g, a, b) && (g->way == BT__ENTITIES || g->way == BT__FREE_TEXT)) return 1.0;
    for (size_t i = 0; i < a->n; i++) {
        const bool in_order =
            g->way == BT__ENTITIES || g->way == BT__NUMBER || g->task == BT_TYPE_MULTIPLE_CHOICE;
        const struct bt__piece *other =
            in_order ? (i < b->n ? &b->piece[i] : NULL) : bt__said_find(b, a->piece[i].label);
        if (g->way == BT__FREE_TEXT && !a->piece[i].chosen) continue;
        most = fmax(most, fabs(a->piece[i].score - (other ? other->score : 0.0)));
    }
    return most;
}

static double value_of(const struct scoring *g, const struct bt_probe *p, const struct bt__said *s)
{
    const struct bt__piece *a = g->way == BT__NUMBER ? (s->n ? s->piece : NULL) : bt__said_find(s, p->label);
    return a ? a->score : (double)NAN;
}

/* ── results ── */

static void add_number(struct bt_str *s, double v)
{
    bt_str_addf(s, "%.4g", v);
}

static char *wanted_text(const struct bt_probe *p)
{
    struct bt_str s = {0};
    for (size_t i = 0; i < p->n_expect; i++) bt_str_addf(&s, "%s%s", i ? ", " : "", p->expect[i]);
    if (p->expect && !p->n_expect) bt_str_add(&s, "nothing");
    if (!isnan(p->at_least)) {
        bt_str_add(&s, s.len ? ", at least " : "at least ");
        add_number(&s, p->at_least);
    }
    if (!isnan(p->at_most)) {
        bt_str_add(&s, s.len ? ", at most " : "at most ");
        add_number(&s, p->at_most);
    }
    return bt_str_take(&s);
}

static void minimum(const struct scoring *g, const struct bt_probe *p, const struct bt__said *s,
                    struct bt_probe_result *r)
{
    r->score = expected_score(g, p, s);
    r->passed =
        as_expected(g, p, s) && !(r->score < p->at_least) && !(r->score > p->at_most) && !isnan(r->score);
    r->said = bt_strdup(s->decision);
    if (!r->passed) r->why = wanted_text(p);
}

static void invariance(const struct scoring *g, const struct bt_probe *p, const struct bt__said *s,
                       struct bt_probe_result *r)
{
    bool worst_differs = false;
    r->passed = true;
    for (size_t i = 1; i < p->n_inputs; i++) {
        const double moved = change(g, &s[0], &s[i]);
        const bool differs = !same_decision(g, &s[0], &s[i]);
        if (differs || moved > p->tolerance || isnan(moved)) r->passed = false;
        if (i == 1 || (differs && !worst_differs) || (differs == worst_differs && moved > r->score)) {
            r->worst = (int)i;
            r->score = moved;
            worst_differs = differs;
        }
    }
    if (r->passed)
        r->said = bt_strdup(s[0].decision);
    else
        r->said = bt_strfmt("%s → %s", s[0].decision, s[r->worst].decision);
    if (!r->passed && isnan(p->tolerance))
        r->why = bt_strdup("the same");
    else if (!r->passed)
        r->why = bt_strfmt("the same, within %.4g", p->tolerance);
}

static void direction(const struct scoring *g, const struct bt_probe *p, const struct bt__said *s,
                      struct bt_probe_result *r)
{
    const double sign = p->kind == BT_PROBE_RISE ? 1.0 : -1.0, from = value_of(g, p, &s[0]);
    for (size_t i = 1; i < p->n_inputs; i++) {
        const double moved = sign * (value_of(g, p, &s[i]) - from);
        if (i > 1 && !(moved < r->score)) continue;
        r->score = moved;
        r->worst = (int)i;
    }
    r->passed = r->score > 0.0 && r->score >= p->by;
    r->said = bt_strfmt("%s%s%.4g → %.4g", p->label ? p->label : "", p->label ? " " : "", from,
                        value_of(g, p, &s[r->worst]));
    if (r->passed) return;
    r->why = p->by > 0.0 ? bt_strfmt("%s by %.4g", p->kind == BT_PROBE_RISE ? "to rise" : "to fall", p->by)
                         : bt_strdup(p->kind == BT_PROBE_RISE ? "to rise" : "to fall");
}

static enum bt_status judge(const struct scoring *g, struct bt_probe_results *out, struct bt_error *err)
{
    const struct bt__said *said = g->said;
    out->result = calloc(g->s->n, sizeof *out->result);
    if (!out->result) return bt_fail(err, BT_NOMEM, "%s: no memory for results", g->s->path);
    for (; out->n < g->s->n; out->n++) {
        const struct bt_probe *p = &g->s->probe[out->n];
        struct bt_probe_result *r = &out->result[out->n];
        if (p->kind == BT_PROBE_MINIMUM)
            minimum(g, p, said, r);
        else if (p->kind == BT_PROBE_INVARIANCE)
            invariance(g, p, said, r);
        else
            direction(g, p, said, r);
        said += p->n_inputs;
        out->passed += r->passed;
        if (!r->said || (!r->passed && !r->why))
            return bt_fail(err, BT_NOMEM, "%s: no memory for results", g->s->path);
    }
    return BT_OK;
}

enum bt_status bt_probe_set_score(const struct bt_probe_set *s, struct bt_predictor *p,
                                  const atomic_bool *cancel, struct bt_probe_results **out,
                                  struct bt_error *err)
{
    struct scoring g = {
        .s = s, .p = p, .task = bt_predictor_task(p), .way = bt__way_of(bt_predictor_task(p))};
    enum bt_status st = BT_OK;
    *out = NULL;
    for (size_t i = 0; i < s->n && !st; i++) st = check_probe(&g, &s->probe[i], err);
    if (!st) st = ask_all(&g, cancel, err);
    struct bt_probe_results *r = st ? NULL : calloc(1, sizeof *r);
    if (!st && !r) st = bt_fail(err, BT_NOMEM, "%s: no memory for results", s->path);
    if (!st) st = judge(&g, r, err);
    for (size_t i = 0; g.said && i < g.n; i++) bt__said_free(&g.said[i]);
    free(g.said);
    if (st) {
        bt_probe_results_free(r);
        return st;
    }
    *out = r;
    return BT_OK;
}

void bt_probe_results_free(struct bt_probe_results *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->n; i++) {
        free(r->result[i].said);
        free(r->result[i].why);
    }
    free(r->result);
    free(r);
}
