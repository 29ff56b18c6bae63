/* Counterfactuals: what becomes of a text, how answers differ, and the search for the fewest words, on a small random model. */
#include "explain/flips.h"
#include "tests/unit/random_model.h"
#include <bertty/counterfactual.h>

#include <math.h>
#include <stdio.h>

/* ── variants of a text ── */

static struct bt__edits edits(const char *text)
{
    return (struct bt__edits){.text = text};
}

static void edits_free(struct bt__edits *e)
{
    for (size_t i = 0; i < e->n; i++) bt__variant_free(&e->item[i]);
    free(e->item);
    *e = (struct bt__edits){.text = NULL};
}

static struct bt__spans spans(struct bt_predictor *p, const char *text)
{
    struct bt__spans s;
    expect(bt__spans_of(bt_predictor_tokenizer(p), text, &s, &err));
    return s;
}

/* want: the texts, ended by NULL, in any order. */
static void are(const struct bt__edits *e, const char *const *want)
{
    size_t n = 0;
    for (; want[n]; n++) {
        bool found = false;
        for (size_t i = 0; i < e->n; i++) found |= strcmp(e->item[i].text, want[n]) == 0;
        if (!found) fail_msg("\"%s\" is not among the variants of \"%s\"", want[n], e->text);
    }
    if (e->n != n) fail_msg("%zu variants of \"%s\", expected %zu", e->n, e->text, n);
    for (size_t i = 0; i < e->n; i++) { /* what is said of the edit is true */
        const struct bt_variant *v = &e->item[i];
        char *again = bt_strfmt("%.*s%.*s%s", (int)v->begin, e->text, (int)v->put, v->text + v->begin,
                                e->text + v->end);
        assert_string_equal(again, v->text);
        free(again);
    }
}

static void words_of_a_text(void **state)
{
    static const char text[] = "Don't say well-made, [MASK] 'x' é–1";
    static const char *const want[] = {"Don't", "say", "well-made", "x", "é", "1"};
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt__spans s = spans(p, text);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!s.item[i].letters) continue;
        assert_true(n < 6);
        assert_int_equal(s.item[i].end - s.item[i].begin, strlen(want[n]));
        assert_memory_equal(text + s.item[i].begin, want[n], strlen(want[n]));
        n++;
    }
    assert_int_equal(n, 6);
    free(s.item);
    bt_predictor_free(p);
}

static void dropping(void **state)
{
    static const char *const want[] = {"very good.", "A good.", "A very.", NULL};
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt__edits e = edits("A very good.");
    struct bt__spans s = spans(p, e.text);
    bt__vary_drop(&e, &s);
    are(&e, want);
    edits_free(&e);
    free(s.item);
    e = edits("film film"); /* twice the same is once */
    s = spans(p, e.text);
    bt__vary_drop(&e, &s);
    assert_int_equal(e.n, 1);
    edits_free(&e);
    free(s.item);
    e = edits("film"); /* nothing would be left */
    s = spans(p, e.text);
    bt__vary_drop(&e, &s);
    assert_int_equal(e.n, 0);
    free(s.item);
    bt_predictor_free(p);
}

static void negating(void **state)
{
    static const struct {
        const char *text, *want[4];
    } cases[] = {{"It is good", {"It is not good"}},
                 {"It is not good", {"It is good"}},
                 {"Isn't it bad?", {"Is it bad?"}},
                 {"You can see", {"You cannot see"}},
                 {"You cannot see", {"You can see"}},
                 {"I won’t go and was there", {"I will go and was there", "I won’t go and was not there"}},
                 {"I never saw it", {"I saw it"}},
                 {"Never again", {"again"}},
                 {"without sense", {"with sense"}},
                 {"a good film", {"not a good film"}},
                 {"This island", {"not This island"}}};
    (void)state;
    struct bt_predictor *p = open_it();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt__edits e = edits(cases[i].text);
        struct bt__spans s = spans(p, e.text);
        bt__vary_negate(&e, &s);
        are(&e, cases[i].want);
        edits_free(&e);
        free(s.item);
    }
    bt_predictor_free(p);
}

/* One edit of the kinds that are said apart, never at the first letter, the same for the same seed. */
static void mistyping(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    char first[8][64];
    for (int round = 0; round < 3; round++) {
        struct bt__edits e = edits("a film, Überraschend");
        struct bt__spans s = spans(p, e.text);
        bt__vary_typos(&e, &s, round == 2 ? 77 : 0);
        assert_true(e.n >= 6 && e.n <= 8); /* "aa" would be one that changes nothing */
        bool same = true;
        for (size_t i = 0; i < e.n; i++) {
            const struct bt_variant *v = &e.item[i];
            const char *word = v->text + v->begin;
            assert_true(v->begin == 2 || v->begin == 8);
            assert_memory_equal(word, e.text + v->begin, 1);
            const ptrdiff_t more = (ptrdiff_t)v->put - (ptrdiff_t)(v->end - v->begin);
            assert_true(more >= -1 && more <= 1);
            if (round == 0) snprintf(first[i], sizeof first[i], "%s", v->text);
            same &= strcmp(first[i], v->text) == 0;
        }
        assert_int_equal(same, round < 2);
        edits_free(&e);
        free(s.item);
    }
    bt_predictor_free(p);
}

static void changing_case(void **state)
{
    static const char *const want[] = {"GUT, ÄRGER", "gut, ärger", "GUT, ärger",
                                       "Gut, ÄRGER", "Gut, Ärger", NULL};
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt__edits e = edits("Gut, ärger");
    struct bt__spans s = spans(p, e.text);
    bt__vary_case(&e, &s);
    are(&e, want);
    edits_free(&e);
    free(s.item);
    bt_predictor_free(p);
}

static void listing(void **state)
{
    static const char *const names[] = {"Anna", "Li", "Peter"};
    static const char *const some[] = {"Li saw it", "Peter saw it", NULL};
    static const char *const all[] = {"Anna film", "Li film", "Peter film", "a Anna",
                                      "a Li",      "a Peter", NULL};
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt__edits e = edits("Anna saw it");
    struct bt__spans s = spans(p, e.text);
    bt__vary_list(&e, &s, names, 3);
    are(&e, some);
    edits_free(&e);
    free(s.item);
    e = edits("a film");
    s = spans(p, e.text);
    bt__vary_list(&e, &s, names, 3);
    are(&e, all);
    edits_free(&e);
    free(s.item);
    bt_predictor_free(p);
}

/* ── how answers differ ── */

static struct bt__piece entity(char *label, size_t begin, size_t end, double score)
{
    return (struct bt__piece){.label = label,
                              .type = strcspn(label, ":"),
                              .begin = begin,
                              .end = end,
                              .score = score,
                              .chosen = true};
}

static void entities_that_moved(void **state)
{
    (void)state;
    struct bt__piece a[] = {entity("PER: Anna", 0, 4, 0.9), entity("LOC: Rome", 14, 18, 0.8)};
    struct bt__piece b[2];
    const struct bt__said before = {.piece = a, .n = 2}, after = {.piece = b, .n = 2};
    const struct bt__said one = {.piece = b, .n = 1};
    /* A word of seven bytes before the second one goes. */
    const struct bt__shift gone = {.begin = 4, .end = 11, .put = 0};
    memcpy(b, a, sizeof b);
    b[1].begin -= 7;
    b[1].end -= 7;
    b[1].score = 0.5;
    struct bt__difference d = bt__said_differ(BT_TYPE_NER, &before, &after, &gone, 1);
    assert_true(!d.flipped && d.after == 0.5 && d.before == 0.8 && strcmp(d.of, "LOC: Rome") == 0);
    b[1] = entity("ORG: Rome", 7, 11, 0.7); /* another type */
    assert_true(bt__said_differ(BT_TYPE_NER, &before, &after, &gone, 1).flipped);
    d = bt__said_differ(BT_TYPE_NER, &before, &one, &gone, 1); /* lost */
    assert_true(d.flipped && d.after == 0.0 && d.before == 0.8);
    /* The entity itself goes: that it is not found is no change. Another name in its place is the same entity. */
    const struct bt__shift itself = {.begin = 13, .end = 18, .put = 0},
                           renamed = {.begin = 14, .end = 18, .put = 6};
    assert_false(bt__said_differ(BT_TYPE_NER, &before, &one, &itself, 1).flipped);
    b[1] = entity("LOC: London", 14, 20, 0.8);
    assert_false(bt__said_differ(BT_TYPE_NER, &before, &after, &renamed, 1).flipped);
    assert_true(bt__said_differ(BT_TYPE_NER, &before, &after, NULL, 0).flipped);
    /* Two edits. */
    const struct bt__shift two[] = {{.begin = 0, .end = 4, .put = 5}, {.begin = 14, .end = 18, .put = 6}};
    b[0] = entity("PER: Peter", 0, 5, 0.9);
    b[1] = entity("LOC: London", 15, 21, 0.8);
    assert_false(bt__said_differ(BT_TYPE_NER, &before, &after, two, 2).flipped);
}

static void answers_and_labels(void **state)
{
    (void)state;
    struct bt__piece a[] = {{.label = "in Rome", .begin = 4, .end = 11, .score = 0.75, .chosen = true},
                            {.label = "Rome", .begin = 7, .end = 11, .score = 0.25}};
    struct bt__piece b[] = {{.label = "Rome", .begin = 7, .end = 11, .score = 0.5, .chosen = true},
                            {.label = "in Rome", .begin = 4, .end = 11, .score = 0.5}};
    const struct bt__said x = {.piece = a, .n = 2}, y = {.piece = b, .n = 2};
    struct bt__difference d = bt__said_differ(BT_TYPE_QA, &x, &y, NULL, 0);
    assert_true(d.flipped && d.before == 0.75 && d.after == 0.5);
    assert_false(bt__said_differ(BT_TYPE_QA, &x, &x, NULL, 0).flipped);
    /* Sets: the label that is given no longer. */
    b[0].chosen = false;
    d = bt__said_differ(BT_TYPE_MULTILABEL, &x, &y, NULL, 0);
    assert_true(d.flipped && strcmp(d.of, "in Rome") == 0);
    assert_false(bt__said_differ(BT_TYPE_MULTILABEL, &x, &x, NULL, 0).flipped);
    d = bt__said_differ(BT_TYPE_REGRESSION, &x, &y, NULL, 0);
    assert_true(!d.flipped && !d.of && d.before == 0.75 && d.after == 0.5);
}

/* ── variants of an input ── */

static struct bt_variants *vary(struct bt_predictor *p, const char *text, const struct bt_vary_spec *spec)
{
    struct bt_variants *v = NULL;
    const struct bt_input in = input(text);
    expect(bt_vary(p, &in, spec, &v, &err));
    return v;
}

static double score_of(struct bt_predictor *p, const char *text, const char *label, char said[32])
{
    struct bt_output out;
    const struct bt_input in = input(text);
    double score = (double)NAN;
    expect(bt_predict(p, &in, &out, &err));
    for (size_t i = 0; i < out.n; i++) {
        if (out.answer[i].chosen) snprintf(said, 32, "%.*s", (int)out.answer[i].label_n, out.answer[i].label);
        if (strncmp(label, out.answer[i].label, strlen(label)) == 0) score = out.answer[i].score;
    }
    return score;
}

/* What is said of every variant is what the model says of its text; adds to how many there are and how many flip. */
static void check_variants(struct bt_predictor *p, const struct bt_variants *v, size_t kinds[BT_VARIES],
                           size_t *all, size_t *flips)
{
    char said[32];
    size_t flipped = 0;
    assert_int_equal(v->passes, (int64_t)v->n + 1);
    for (size_t i = 0; i < v->n; i++) {
        const struct bt_variant *x = &v->item[i];
        const double before = score_of(p, v->text, x->of, said), after = score_of(p, x->text, x->of, said);
        assert_true(fabs(after - x->after) < 1e-6 && fabs(before - x->before) < 1e-6);
        assert_true(fabs(x->change - fabs(after - before)) < 2e-6);
        assert_string_equal(said, x->said);
        assert_int_equal(x->flipped, strcmp(said, v->said) != 0);
        assert_true(i == 0 || x->change <= v->item[i - 1].change);
        flipped += x->flipped;
        kinds[x->kind]++;
    }
    assert_int_equal(flipped, v->flipped);
    *all += v->n;
    *flips += flipped;
}

/* A text that the search for the fewest words has led to. */
static char *text_at_the_edge(struct bt_predictor *p)
{
    static const char *const texts[] = {"the good film", "a bad film the good film", "good good good"};
    char *found = NULL;
    for (size_t i = 0; !found && i < sizeof texts / sizeof *texts; i++) {
        const struct bt_input in = input(texts[i]);
        const struct bt_flip_spec how = {.most = 4};
        struct bt_flip *f = NULL;
        expect(bt_flip_find(p, &in, &how, &f, &err));
        if (f->flipped) found = bt_strdup(f->new_text);
        bt_flip_free(f);
    }
    assert_non_null(found);
    return found;
}

static void answers_are_the_model_s(void **state)
{
    static const char *const list[] = {"films"}, *const texts[] = {"a bad film", "good good good",
                                                                   "the goods", "filming"};
    const struct bt_vary_spec spec = {.word = list, .words = 1};
    size_t kinds[BT_VARIES] = {0}, all = 0, flips = 0;
    (void)state;
    struct bt_predictor *p = open_it();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bt_variants *v = vary(p, texts[i], &spec);
        assert_true(!v->own_head && v->lower_case && !v->more);
        check_variants(p, v, kinds, &all, &flips);
        bt_variants_free(v);
    }
    for (int k = 0; k < BT_VARIES; k++) assert_int_equal(kinds[k] > 0, k != BT_VARY_CASE);
    char *near = text_at_the_edge(p); /* one of its words back, and it says what it said */
    struct bt_variants *v = vary(p, near, &spec);
    check_variants(p, v, kinds, &all, &flips);
    bt_variants_free(v);
    free(near);
    if (!flips || flips == all) fail_msg("%zu of %zu flip: nothing would be seen", flips, all);
    bt_predictor_free(p);
}

/* The batches that they are computed in change nothing. */
static void batches_do_not_matter(void **state)
{
    struct bt_vary_spec spec = {.kinds = 1u << BT_VARY_DROP | 1u << BT_VARY_SWAP};
    (void)state;
    struct bt_predictor *p = open_it();
    struct bt_variants *v = vary(p, "the good film a bad film", &spec);
    spec.together = 1;
    struct bt_variants *again = vary(p, "the good film a bad film", &spec);
    assert_int_equal(again->n, v->n);
    for (size_t i = 0; i < v->n; i++) assert_true(fabs(again->item[i].change - v->item[i].change) < 1e-6);
    bt_variants_free(again);
    for (size_t i = 0; i < v->n; i++)
        assert_true(v->item[i].kind == BT_VARY_DROP || v->item[i].kind == BT_VARY_SWAP);
    bt_variants_free(v);
    bt_predictor_free(p);
}

struct stopper {
    atomic_bool stop;
    int calls, at;
};

static void progress(void *ctx, int done, int all)
{
    struct stopper *s = ctx;
    assert_true(done > 0 && done <= all);
    if (++s->calls == s->at) atomic_store(&s->stop, true);
}

static void cancelling(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    struct stopper s = {.at = 3};
    struct bt_variants *v = NULL;
    const struct bt_input in = input("the good film a bad film");
    atomic_init(&s.stop, false);
    const struct bt_vary_spec spec = {.together = 1, .cancel = &s.stop, .progress = progress, .ctx = &s};
    assert_int_equal(bt_vary(p, &in, &spec, &v, &err), BT_CANCELLED);
    assert_null(v);
    assert_int_equal(s.calls, 3);
    struct bt_flip *f = NULL;
    const struct bt_flip_spec how = {.cancel = &s.stop};
    assert_int_equal(bt_flip_find(p, &in, &how, &f, &err), BT_CANCELLED);
    assert_null(f);
    bt_predictor_free(p);
}

/* More variants than there may be: the rest is left out, and told. */
static void too_many(void **state)
{
    enum { MANY = 500 };
    char name[MANY][8];
    const char *list[MANY];
    (void)state;
    struct bt_predictor *p = open_it();
    for (int i = 0; i < MANY; i++) {
        snprintf(name[i], sizeof name[i], "w%d", i);
        list[i] = name[i];
    }
    const struct bt_vary_spec spec = {
        .kinds = 1u << BT_VARY_LIST, .word = list, .words = MANY, .together = 4096};
    struct bt_variants *v = vary(p, "a good film the bad film a film the film", &spec);
    assert_true(v->more);
    assert_int_equal(v->n, BT_VARIANTS);
    bt_variants_free(v);
    bt_predictor_free(p);
}

/* ── the fewest words ── */

/* F with word vectors moved by step along (embedding of id − of the token's own). */
static double value_at(struct bt__explaining *w, struct bt__asker *a, int token, int32_t id, double step)
{
    const struct bt__model *m = w->p->m;
    const size_t h = (size_t)m->config.hidden_size;
    const float *table = m->w + m->word;
    float *x = calloc((size_t)w->n * h, sizeof *x);
    double value;
    for (int i = 0; i < w->n; i++) memcpy(x + (size_t)i * h, table + (size_t)w->ids[i] * h, h * sizeof *x);
    for (size_t k = 0; k < h; k++) {
        const double old = (double)table[(size_t)w->ids[token] * h + k];
        x[(size_t)token * h + k] = (float)(old + step * ((double)table[(size_t)id * h + k] - old));
    }
    const struct bt__variant same = bt__asker_same(w);
    bt__asker_clear(a);
    expect(bt__asker_add(a, &same, &err));
    bt__asker_ask(a, x, &value);
    free(x);
    return value;
}

/* The estimate is the derivative along the way from one word to the other. */
static void estimate_is_a_derivative(void **state)
{
    enum { MOST = 64 };
    static const double STEP = 4e-3;
    (void)state;
    struct bt_predictor *p = open_it();
    const struct bt_input in = input("the good film");
    const struct bt_explain_spec how = {.of = BT_EXPLAIN_PROBABILITY, .words = true};
    struct bt__explaining w = {.p = p, .spec = &how};
    struct bt__candidate item[MOST];
    struct bt__candidates best = {.item = item, .most = MOST};
    struct bt__lexicon lexicon;
    struct bt__asker a;
    expect(bt__lexicon_make(&lexicon, p, &err));
    assert_int_equal(lexicon.n, 5);
    expect(bt__explain_begin(&w, &in, &err));
    const struct bt__estimating what = {.lexicon = &lexicon};
    expect(bt__flip_estimate(&w, &what, &best, &err));
    assert_int_equal(best.n, 3 * 4); /* three words, four others for each */
    expect(bt__asker_open(&a, &w, 1, false, 1, &err));
    for (int i = 0; i < best.n; i++) {
        int token = 1;
        while (w.x->item[token].begin != item[i].begin) token++;
        const double slope =
            (value_at(&w, &a, token, item[i].id, STEP) - value_at(&w, &a, token, item[i].id, -STEP)) /
            (2.0 * STEP);
        assert_true(fabs(slope - item[i].estimate) < 2e-3 * (1.0 + fabs(slope)));
        assert_true(i == 0 || item[i].estimate >= item[i - 1].estimate); /* F is to fall */
    }
    bt__asker_close(&a);
    bt__explain_end(&w);
    bt__lexicon_free(&lexicon);
    bt_predictor_free(p);
}

/* The text of f without its replacement k. */
static char *without(const struct bt_flip *f, size_t k)
{
    struct bt_str text = {0};
    size_t at = 0;
    for (size_t b = 0; b <= strlen(f->text); b++)
        for (size_t j = 0; j < f->n; j++)
            if (j != k && f->word[j].begin == b) {
                bt_str_addn(&text, f->text + at, b - at);
                bt_str_add(&text, f->word[j].to);
                at = f->word[j].end;
            }
    bt_str_add(&text, f->text + at);
    return bt_str_take(&text);
}

static void check_flip(struct bt_predictor *p, const struct bt_flip *f)
{
    char said[32], before[32];
    score_of(p, f->text, "pos", before);
    assert_string_equal(before, f->said);
    assert_string_equal(f->of, f->said);
    assert_true(fabs(score_of(p, f->new_text, f->of, said) - f->new_score) < 1e-6);
    assert_string_equal(said, f->new_said);
    assert_int_equal(f->flipped, strcmp(said, before) != 0);
    assert_true(f->gradients > 0 && f->tried >= (int64_t)(f->n + f->undone) && f->passes > f->tried);
    for (size_t k = 0; f->flipped && f->n > 1 && k < f->n; k++) { /* without any of them it would not do */
        char *text = without(f, k);
        score_of(p, text, "pos", said);
        assert_string_equal(said, before);
        free(text);
    }
}

/* With few tries the search errs, and there is something to undo. */
static void flips_are_real_and_needed(void **state)
{
    static const char *const word[] = {"good", "bad", "film", "a", "the", "films", "filming"};
    size_t flipped = 0, undone = 0;
    (void)state;
    struct bt_predictor *p = open_it();
    for (unsigned i = 0; i < 60; i++) {
        struct bt_str text = {0};
        struct bt_flip *f = NULL;
        for (unsigned k = 0; k < 3 + i % 5; k++)
            bt_str_addf(&text, "%s%s", k ? " " : "", word[(i * 5 + k * k * 3 + i * k) % 7]);
        const struct bt_input in = input(bt_str_text(&text));
        const struct bt_flip_spec how = {.most = 6, .tries = 1 + (int)i % 3};
        expect(bt_flip_find(p, &in, &how, &f, &err));
        check_flip(p, f);
        flipped += f->flipped;
        undone += f->undone;
        bt_flip_free(f);
        bt_str_free(&text);
    }
    if (!flipped || !undone) fail_msg("%zu flip, %zu undone: nothing would be seen", flipped, undone);
    bt_predictor_free(p);
}

static void flips_to_a_target(void **state)
{
    (void)state;
    struct bt_predictor *p = open_it();
    const struct bt_input in = input("a bad film the good film");
    int reached = 0;
    for (int i = 0; i < LABELS; i++) {
        struct bt_flip *f = NULL;
        const struct bt_flip_spec how = {.most = 6, .target = bt_predictor_label(p, i)};
        const enum bt_status st = bt_flip_find(p, &in, &how, &f, &err);
        if (st) {
            assert_int_equal(st, BT_INVALID);
            assert_non_null(strstr(err.text, "decides for already"));
            continue;
        }
        assert_string_equal(f->of, how.target);
        assert_int_equal(f->flipped, strcmp(f->new_said, how.target) == 0);
        assert_true(f->new_score >= f->score);
        reached += f->flipped;
        bt_flip_free(f);
    }
    assert_true(reached > 0);
    bt_predictor_free(p);
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        int field;
        const char *target, *said;
    } cases[] = {{" \t", 0, NULL, "the text is empty"},
                 {"a", BT_VARY_PAIR, NULL, "no second text"},
                 {"a", BT_VARY_CHOICE, NULL, "no choice 0"},
                 {"a", 0, "good", "no label \"good\", expected one of: neg, neutral, pos"}};
    (void)state;
    struct bt_predictor *p = open_it();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct bt_input in = input(cases[i].text);
        struct bt_variants *v = NULL;
        struct bt_flip *f = NULL;
        const struct bt_flip_spec how = {.field = cases[i].field, .target = cases[i].target};
        assert_int_equal(bt_flip_find(p, &in, &how, &f, &err), BT_INVALID);
        if (!strstr(err.text, cases[i].said)) fail_msg("\"%s\" does not say: %s", err.text, cases[i].said);
        if (cases[i].target) continue;
        const struct bt_vary_spec spec = {.field = cases[i].field};
        assert_int_equal(bt_vary(p, &in, &spec, &v, &err), BT_INVALID);
        if (!strstr(err.text, cases[i].said)) fail_msg("\"%s\" does not say: %s", err.text, cases[i].said);
    }
    bt_predictor_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_of_a_text),
                                       cmocka_unit_test(dropping),
                                       cmocka_unit_test(negating),
                                       cmocka_unit_test(mistyping),
                                       cmocka_unit_test(changing_case),
                                       cmocka_unit_test(listing),
                                       cmocka_unit_test(entities_that_moved),
                                       cmocka_unit_test(answers_and_labels),
                                       cmocka_unit_test(answers_are_the_model_s),
                                       cmocka_unit_test(batches_do_not_matter),
                                       cmocka_unit_test(cancelling),
                                       cmocka_unit_test(too_many),
                                       cmocka_unit_test(estimate_is_a_derivative),
                                       cmocka_unit_test(flips_are_real_and_needed),
                                       cmocka_unit_test(flips_to_a_target),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
