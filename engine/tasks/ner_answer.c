/* Named entities: from logits to tags, spans and figures. */
#include "tasks/ner.h"

#include "metrics/spans.h"
#include "tasks/softmax.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── one sentence ── */

static enum bt_status reserve(struct bt__ner_said *s, size_t n, struct bt_error *err)
{
    s->n = n;
    s->entities = 0;
    if (n <= s->cap && s->tag) return BT_OK;
    bt__ner_said_free(s);
    s->cap = n + 64;
    s->n = n;
    s->tag = calloc(s->cap, sizeof *s->tag);
    s->p = calloc(s->cap, sizeof *s->p);
    s->meaning = calloc(s->cap, sizeof *s->meaning);
    s->entity = calloc(s->cap, sizeof *s->entity);
    if (s->tag && s->p && s->meaning && s->entity) return BT_OK;
    return bt_fail(err, BT_NOMEM, "no memory for the tags of %zu words", n);
}

void bt__ner_said_free(struct bt__ner_said *s)
{
    free(s->tag);
    free(s->p);
    free(s->meaning);
    free(s->entity);
    *s = (struct bt__ner_said){.n = 0};
}

/* Tags that are taken as they stand are a span each. */
static void find_entities(const struct bt__task *t, const struct bt__ner_split *split, struct bt__ner_said *s)
{
    const struct bt__tagset *tags = &split->tags;
    for (size_t i = 0; i < s->n; i++) s->meaning[i] = tags->meaning[s->tag[i]];
    if (!tags->raw) {
        s->entities = bt__tags_entities(s->meaning, s->n, tags->scheme,
                                        t->x->task_eval_mode == BT_EVAL_MODE_STRICT, s->entity);
        return;
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->tag[i] != split->outside)
            s->entity[s->entities++] = (struct bt__entity){.begin = i, .end = i + 1, .tag = i};
}

static size_t words_of(const struct bt__ner_split *s, size_t e)
{
    return s->words.start[e + 1] - s->words.start[e];
}

static double probability(const float *logits, int n, int which)
{
    return exp(-bt__cross_entropy(logits, n, which, 0.0, 1.0, NULL));
}

enum bt_status bt__ner_read(const struct bt__task *t, const struct bt__task_data *d,
                            const struct bt__logits *l, size_t e, struct bt__ner_said *out,
                            struct bt_error *err)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    const struct bt__word *word = s->words.at + s->words.start[e];
    enum bt_status st = reserve(out, words_of(s, e), err);
    if (st) return st;
    for (size_t i = 0; i < out->n; i++) {
        const float *row =
            word[i].row == BT__NO_ROW ? NULL : l->value + (size_t)word[i].row * (size_t)l->cols;
        out->tag[i] = row ? bt__argmax(row, l->cols) : s->outside;
        out->p[i] = row ? (float)probability(row, l->cols, out->tag[i]) : 1.0f;
    }
    find_entities(t, s, out);
    return BT_OK;
}

enum bt_status bt__ner_read_gold(const struct bt__task *t, const struct bt__task_data *d, size_t e,
                                 struct bt__ner_said *out, struct bt_error *err)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    enum bt_status st = reserve(out, words_of(s, e), err);
    if (st) return st;
    if (out->n) memcpy(out->tag, s->gold + s->words.start[e], out->n * sizeof *out->tag);
    find_entities(t, s, out);
    return BT_OK;
}

const struct bt__tag *bt__ner_type(const struct bt__ner_said *s, size_t i)
{
    return &s->meaning[s->entity[i].tag];
}

double bt__ner_score(const struct bt__ner_said *s, size_t i)
{
    const struct bt__entity *e = &s->entity[i];
    double sum = 0.0;
    for (size_t w = e->begin; w < e->end; w++) sum += (double)s->p[w];
    return sum / (double)(e->end - e->begin);
}

/* ── figures ── */

static enum bt_status predict_all(const struct bt__task *t, const struct bt__task_data *d,
                                  const struct bt__logits *l, int **out, struct bt_error *err)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    (void)t;
    *out = calloc(s->words.n + 1, sizeof **out);
    if (!*out) return bt_fail(err, BT_NOMEM, "no memory for the tags of %zu words", s->words.n);
    for (size_t i = 0; i < s->words.n; i++) {
        uint32_t row = s->words.at[i].row;
        (*out)[i] =
            row == BT__NO_ROW ? s->outside : bt__argmax(l->value + (size_t)row * (size_t)l->cols, l->cols);
    }
    return BT_OK;
}

static struct bt__span_results results_of(const struct bt__task *t, const struct bt__task_data *d,
                                          const int *predicted)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    return (struct bt__span_results){.n = d->n,
                                     .start = s->words.start,
                                     .gold = s->gold,
                                     .predicted = predicted,
                                     .tag = (const char *const *)s->tags.names.name,
                                     .tags = s->tags.names.n,
                                     .scheme = s->tags.scheme,
                                     .strict = t->x->task_eval_mode == BT_EVAL_MODE_STRICT};
}

enum bt_status bt__ner_metrics(const struct bt__task *t, const struct bt__task_data *d,
                               const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err)
{
    int *predicted;
    enum bt_status st = predict_all(t, d, l, &predicted, err);
    if (st) return st;
    const struct bt__span_results r = results_of(t, d, predicted);
    st = bt__span_metrics(&r, out, err);
    free(predicted);
    return st;
}

static bool fill_types(struct bt_evaluation_result *r, const struct bt__span_type *type, size_t n)
{
    r->label = calloc(n + 1, sizeof *r->label);
    r->precision = calloc(n + 1, sizeof *r->precision);
    r->recall = calloc(n + 1, sizeof *r->recall);
    r->f1 = calloc(n + 1, sizeof *r->f1);
    r->support = calloc(n + 1, sizeof *r->support);
    if (!r->label || !r->precision || !r->recall || !r->f1 || !r->support) return false;
    for (size_t i = 0; i < n; i++) {
        r->precision[i] = type[i].prf.precision;
        r->recall[i] = type[i].prf.recall;
        r->f1[i] = type[i].prf.f1;
        r->support[i] = type[i].count.gold;
        if (!(r->label[i] = bt_strndup(type[i].name, type[i].name_n))) return false;
        r->n_labels++;
    }
    return true;
}

enum bt_status bt__ner_report(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_evaluation_result *r,
                              struct bt_error *err)
{
    struct bt__span_type *type = NULL;
    int *predicted;
    size_t n = 0;
    enum bt_status st = predict_all(t, d, l, &predicted, err);
    const struct bt__span_results results = results_of(t, d, predicted);
    if (!st) st = bt__span_types(&results, &type, &n, err);
    if (!st && !fill_types(r, type, n)) st = bt_fail(err, BT_NOMEM, "no memory for %zu types", n);
    free(type);
    free(predicted);
    return st;
}

/* ── answers ── */

static const char *word_text(const struct bt__ner_split *s, const struct bt_example *x, size_t e, size_t i,
                             size_t *n)
{
    const struct bt__word *w = &s->words.at[s->words.start[e] + i];
    *n = w->end - w->begin;
    return x->parts ? x->part[i].text : x->text + w->begin;
}

static enum bt_status tell_words(const struct bt__ner_split *s, const struct bt_example *x, size_t e,
                                 const struct bt__ner_said *said, struct bt__answers *out,
                                 struct bt_error *err)
{
    for (size_t i = 0; i < said->n; i++) {
        struct bt_part *p = bt__answers_word(out);
        if (!p) return bt_fail(err, BT_NOMEM, "no memory for %zu words", said->n);
        *p = (struct bt_part){.tag = s->tags.names.name[said->tag[i]], .at = -1};
        p->text = word_text(s, x, e, i, &p->n);
        p->tag_n = strlen(p->tag);
    }
    return BT_OK;
}

enum bt_status bt__ner_answer(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, size_t e, struct bt__answers *out,
                              struct bt_error *err)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    const struct bt__word *word = s->words.at + s->words.start[e];
    struct bt__ner_said said = {.n = 0};
    enum bt_status st = bt__ner_read(t, d, l, e, &said, err);
    for (size_t i = 0; i < said.entities && !st; i++) {
        struct bt_answer *a = bt__answers_add(out);
        const struct bt__tag *type = bt__ner_type(&said, i);
        const char *label = bt__answers_keep(out, type->type, type->type_n);
        if (!a || !label)
            st = bt_fail(err, BT_NOMEM, "no memory for %zu entities", said.entities);
        else
            *a = (struct bt_answer){.label = label,
                                    .label_n = type->type_n,
                                    .score = bt__ner_score(&said, i),
                                    .begin = word[said.entity[i].begin].begin,
                                    .end = word[said.entity[i].end - 1].end,
                                    .chosen = true};
    }
    if (!st) st = tell_words(s, bt__task_example(d, e), e, &said, out, err);
    bt__ner_said_free(&said);
    return st;
}

/* ── rows ── */

/* "PER: Peter Blackburn; LOC: BRUSSELS"; of tags as they stand, these. */
static void add_text(const struct bt__ner_split *s, const struct bt_example *x, size_t e,
                     const struct bt__ner_said *said, struct bt_str *out)
{
    size_t n;
    for (size_t i = 0; s->tags.raw && i < said->n; i++)
        bt_str_addf(out, "%s%s", i ? " " : "", s->tags.names.name[said->tag[i]]);
    for (size_t i = 0; !s->tags.raw && i < said->entities; i++) {
        const struct bt__tag *type = bt__ner_type(said, i);
        bt_str_addf(out, "%s%.*s:", i ? "; " : "", (int)type->type_n, type->type);
        for (size_t w = said->entity[i].begin; w < said->entity[i].end; w++) {
            const char *text = word_text(s, x, e, w, &n);
            bt_str_addc(out, ' ');
            bt_str_addn(out, text, n);
        }
    }
    if (out->len == 0) bt_str_add(out, "no entities");
}

static void write_tags(const struct bt__ner_split *s, const char *key, const struct bt__ner_said *said,
                       struct bt_json_writer *w)
{
    bt_jw_key(w, key);
    bt_jw_array(w);
    for (size_t i = 0; i < said->n; i++) bt_jw_text(w, s->tags.names.name[said->tag[i]]);
    bt_jw_end_array(w);
}

static void write_words(const struct bt__ner_split *s, const struct bt_example *x, size_t e, size_t words,
                        struct bt_json_writer *w)
{
    size_t n;
    bt_jw_key(w, "tokens");
    bt_jw_array(w);
    for (size_t i = 0; i < words; i++) {
        const char *text = word_text(s, x, e, i, &n);
        bt_jw_textn(w, text, n);
    }
    bt_jw_end_array(w);
}

static void write_spans(const struct bt__ner_said *said, struct bt_json_writer *w)
{
    bt_jw_key(w, "spans");
    bt_jw_array(w);
    for (size_t i = 0; i < said->entities; i++) {
        bt_jw_object(w);
        bt_jw_key(w, "type");
        bt_jw_textn(w, bt__ner_type(said, i)->type, bt__ner_type(said, i)->type_n);
        bt_jw_kint(w, "begin", (int64_t)said->entity[i].begin);
        bt_jw_kint(w, "end", (int64_t)said->entity[i].end);
        bt_jw_key(w, "score");
        bt_jw_float(w, (float)bt__ner_score(said, i));
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

/* Mean over the words that have one. */
static double loss_of(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                      size_t e)
{
    double sum = 0.0, n = 0.0;
    for (size_t i = bt__task_first(d, e); i < d->f.n && bt__task_example_of(d, i) == e; i++) {
        sum += bt__ner_loss(t, d, i, bt__logits_at(l, i), 1.0, NULL);
        n += t->ops->weight(t, d, i);
    }
    return n > 0.0 ? sum / n : 0.0;
}

/* A sentence is as sure as its least sure word. */
static float least(const struct bt__ner_said *said)
{
    float p = 1.0f;
    for (size_t i = 0; i < said->n; i++) p = said->p[i] < p ? said->p[i] : p;
    return p;
}

static bool same_tags(const struct bt__ner_said *a, const struct bt__ner_said *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->tag, b->tag, a->n * sizeof *a->tag) == 0);
}

static void write_row(const struct bt__ner_split *s, const struct bt_example *x, size_t e,
                      const struct bt__ner_said *said, const struct bt__ner_said *gold,
                      struct bt_json_writer *w)
{
    struct bt_str text = {.len = 0};
    if (gold) {
        add_text(s, x, e, gold, &text);
        bt_jw_ktext(w, "gold", bt_str_text(&text));
        bt_str_clear(&text);
    }
    add_text(s, x, e, said, &text);
    bt_jw_ktext(w, "prediction", bt_str_text(&text));
    if (gold) bt_jw_kbool(w, "correct", same_tags(said, gold));
    bt_jw_key(w, "score");
    bt_jw_float(w, least(said));
    write_words(s, x, e, said->n, w);
    if (gold) write_tags(s, "gold_tags", gold, w);
    write_tags(s, "tags", said, w);
    write_spans(said, w);
    bt_str_free(&text);
}

enum bt_status bt__ner_row(const struct bt__task *t, const struct bt__task_data *d,
                           const struct bt__logits *l, size_t e, struct bt_json_writer *w,
                           struct bt_error *err)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    const size_t first = s->words.start[e];
    const bool known = words_of(s, e) > 0 && s->gold[first] >= 0;
    struct bt__ner_said said = {.n = 0}, gold = {.n = 0};
    enum bt_status st = bt__ner_read(t, d, l, e, &said, err);
    if (!st && known) st = bt__ner_read_gold(t, d, e, &gold, err);
    if (!st) write_row(s, bt__task_example(d, e), e, &said, known ? &gold : NULL, w);
    if (!st && known) {
        bt_jw_key(w, "loss");
        bt_jw_float(w, (float)loss_of(t, d, l, e));
    }
    bt__ner_said_free(&said);
    bt__ner_said_free(&gold);
    return st;
}
