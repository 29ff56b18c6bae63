/* A hand on the metrics for tests. Standard input is a stream of words; each command answers with lines and a line "."; numbers are written so
 * that they read back as they were. A text is its bytes in hexadecimal, "-" if empty, "!" if there is none.
 *
 *     labels N CLASSES SCORES gold… predicted… scores…        SCORES: 1 if there are any
 *     choices N CLASSES gold… predicted…
 *     sets N LABELS SCORES gold… predicted… scores…
 *     numbers N gold… predicted…
 *     language LOSS TOKENS RIGHT
 *     spans SENTENCES TAGS SCHEME STRICT tag… length… gold… predicted…
 *     entities SCHEME STRICT N tag…                          lines "BEGIN END TYPE"
 *     convert FROM TO N tag…                                 a line with a tag each
 *     check SCHEME N tag…                                    lines "PLACE EXPECTED"
 *     answers N V2 ODDS THRESHOLD, then for each question: predicted odds GOLDS gold…
 *     normalize TEXT
 *     names FAMILY                                           a line of names */
#include "metrics/answers.h"
#include "metrics/labels.h"
#include "metrics/language.h"
#include "metrics/numbers.h"
#include "metrics/sets.h"
#include "metrics/spans.h"
#include <bertty/num.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bt_error err;

static char *next_word(void)
{
    static char *line = NULL, *at = NULL;
    static size_t cap = 0;
    for (;;) {
        char *word = at ? strtok_r(NULL, " \n", &at) : NULL;
        if (word) return word;
        if (getline(&line, &cap, stdin) <= 0) {
            free(line);
            line = at = NULL;
            return NULL;
        }
        if ((word = strtok_r(line, " \n", &at))) return word;
    }
}

static char *need_word(void)
{
    char *word = next_word();
    if (word) return word;
    fprintf(stderr, "metrics_tool: input ends within a command\n");
    exit(2);
}

static double number(void)
{
    return strtod(need_word(), NULL);
}

static size_t count(void)
{
    return (size_t)number();
}

static void *room(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);
    if (!p) exit(2);
    return p;
}

static int *ints(size_t n)
{
    int *x = room(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (int)number();
    return x;
}

static bool *bools(size_t n)
{
    bool *x = room(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = number() > 0.0;
    return x;
}

static float *floats(size_t n)
{
    float *x = room(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (float)number();
    return x;
}

static double *doubles(size_t n)
{
    double *x = room(n, sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = number();
    return x;
}

static char *text(size_t *n)
{
    const char *word = need_word();
    if (*word == '!') return NULL;
    size_t bytes = *word == '-' ? 0 : strlen(word) / 2;
    char *out = room(bytes, 1);
    for (size_t i = 0; i < bytes; i++) {
        char pair[3] = {word[2 * i], word[2 * i + 1], '\0'};
        out[i] = (char)strtol(pair, NULL, 16);
    }
    if (n) *n = bytes;
    return out;
}

static void put_text(const char *p, size_t n)
{
    if (!n) printf("-");
    for (size_t i = 0; i < n; i++) printf("%02x", (unsigned char)p[i]);
}

static void show(enum bt_status st, const struct bt_metrics *m)
{
    if (st) printf("error %s\n", err.text);
    for (size_t i = 0; i < m->n && !st; i++) printf("%s %.17g\n", m->item[i].name, m->item[i].value);
}

static struct bt_metrics metrics;

static void labels(void)
{
    size_t n = count(), classes = count(), scores = count();
    struct bt__label_results r = {.n = n, .classes = (int)classes};
    int *gold = ints(n), *predicted = ints(n);
    float *score = floats(scores ? n * classes : 0);
    r.gold = gold, r.predicted = predicted, r.scores = scores ? score : NULL;
    show(bt__label_metrics(&r, &metrics, &err), &metrics);
    free(gold);
    free(predicted);
    free(score);
}

static void choices(void)
{
    size_t n = count(), classes = count();
    int *gold = ints(n), *predicted = ints(n);
    struct bt__label_results r = {.n = n, .classes = (int)classes, .gold = gold, .predicted = predicted};
    show(bt__choice_metrics(&r, &metrics, &err), &metrics);
    free(gold);
    free(predicted);
}

static void show_classes(const struct bt__set_results *r)
{
    struct bt__prf *prf = room((size_t)r->labels, sizeof *prf);
    if (bt__set_classes(r, prf, &err)) printf("error %s\n", err.text);
    for (int i = 0; i < r->labels; i++)
        printf("class%d %.17g %.17g %.17g\n", i, prf[i].precision, prf[i].recall, prf[i].f1);
    free(prf);
}

static void sets(void)
{
    size_t n = count(), wide = count(), scores = count();
    bool *gold = bools(n * wide), *predicted = bools(n * wide);
    float *score = floats(scores ? n * wide : 0);
    struct bt__set_results r = {.n = n, .labels = (int)wide, .gold = gold, .predicted = predicted};
    r.scores = scores ? score : NULL;
    show(bt__set_metrics(&r, &metrics, &err), &metrics);
    show_classes(&r);
    free(gold);
    free(predicted);
    free(score);
}

static void numbers(void)
{
    size_t n = count();
    double *gold = doubles(n), *predicted = doubles(n);
    struct bt__number_results r = {.n = n, .gold = gold, .predicted = predicted};
    show(bt__number_metrics(&r, &metrics, &err), &metrics);
    free(gold);
    free(predicted);
}

static void language(void)
{
    struct bt__language_results r = {.loss = number()};
    r.tokens = (int64_t)number();
    r.right = (int64_t)number();
    bt__language_metrics(&r, &metrics);
    show(BT_OK, &metrics);
}

/* ── tags ── */

static enum bt__scheme scheme(void)
{
    enum bt__scheme s;
    if (bt__scheme_find(need_word(), &s)) return s;
    fprintf(stderr, "metrics_tool: no such scheme\n");
    exit(2);
}

static char **texts(size_t n)
{
    char **all = room(n, sizeof *all);
    for (size_t i = 0; i < n; i++) all[i] = text(NULL);
    return all;
}

static void free_texts(char **all, size_t n)
{
    for (size_t i = 0; i < n; i++) free(all[i]);
    free(all);
}

static void show_types(const struct bt__span_results *r)
{
    struct bt__span_type *type;
    size_t n;
    enum bt_status st = bt__span_types(r, &type, &n, &err);
    for (size_t i = 0; i < n && !st; i++) {
        printf("type:%.*s %.17g %.17g %.17g %lld\n", (int)type[i].name_n, type[i].name, type[i].prf.precision,
               type[i].prf.recall, type[i].prf.f1, (long long)type[i].count.gold);
    }
    free(type);
}

static void spans(void)
{
    size_t n = count(), tags = count(), *start = room(n, sizeof *start);
    struct bt__span_results r = {.n = n, .tags = (int)tags, .scheme = scheme()};
    r.strict = count() > 0;
    char **tag = texts(tags);
    for (size_t i = 0; i < n; i++) start[i + 1] = start[i] + count();
    int *gold = ints(start[n]), *predicted = ints(start[n]);
    r.tag = (const char *const *)tag, r.start = start, r.gold = gold, r.predicted = predicted;
    show(bt__span_metrics(&r, &metrics, &err), &metrics);
    show_types(&r);
    free_texts(tag, tags);
    free(start);
    free(gold);
    free(predicted);
}

struct sentence {
    size_t n;
    char **text;
    struct bt__tag *tag, *out;
    struct bt__entity *entity;
};

static struct sentence sentence(void)
{
    struct sentence s = {.n = count()};
    s.text = texts(s.n);
    s.tag = room(s.n, sizeof *s.tag);
    s.out = room(s.n, sizeof *s.out);
    s.entity = room(s.n, sizeof *s.entity);
    for (size_t i = 0; i < s.n; i++) s.tag[i] = bt__tag_parse(s.text[i]);
    return s;
}

static void sentence_free(struct sentence *s)
{
    free_texts(s->text, s->n);
    free(s->tag);
    free(s->out);
    free(s->entity);
}

static void put_tag(const struct bt__tag *t)
{
    struct bt_str s = {.len = 0};
    bt__tag_write(t, &s);
    printf("%s\n", bt_str_text(&s));
    bt_str_free(&s);
}

static void entities(void)
{
    enum bt__scheme as = scheme();
    bool strict = count() > 0;
    struct sentence s = sentence();
    size_t n = bt__tags_entities(s.tag, s.n, as, strict, s.entity);
    for (size_t i = 0; i < n; i++) {
        const struct bt__tag *t = &s.tag[s.entity[i].tag];
        printf("%zu %zu %.*s\n", s.entity[i].begin, s.entity[i].end, (int)t->type_n, t->type);
    }
    sentence_free(&s);
}

static void convert(void)
{
    enum bt__scheme from = scheme(), to = scheme();
    struct sentence s = sentence();
    bt__tags_convert(s.tag, s.n, from, to, s.entity, s.out);
    for (size_t i = 0; i < s.n; i++) put_tag(&s.out[i]);
    sentence_free(&s);
}

static void check(void)
{
    enum bt__scheme as = scheme();
    struct sentence s = sentence();
    struct bt__tag expected;
    for (size_t at = 0; (at = bt__tags_check(s.tag, s.n, as, at, s.entity, s.out, &expected)) < s.n; at++) {
        printf("%zu ", at);
        put_tag(&expected);
    }
    sentence_free(&s);
}

/* ── answers ── */

static struct bt__answer answer(void)
{
    struct bt__answer a = {.golds = 0};
    a.predicted = text(&a.predicted_n);
    a.null_odds = number();
    a.golds = count();
    struct bt__gold_answer *gold = room(a.golds, sizeof *gold);
    for (size_t i = 0; i < a.golds; i++) gold[i].text = text(&gold[i].n);
    a.gold = gold;
    return a;
}

static void show_thresholds(const struct bt__answer_results *r)
{
    for (int by_f1 = 0; by_f1 < 2; by_f1++) {
        double threshold, value;
        if (bt__answer_threshold(r, by_f1, &threshold, &value, &err)) printf("error %s\n", err.text);
        printf("threshold%d %.17g %.17g\n", by_f1, threshold, value);
    }
}

static void answers(void)
{
    struct bt__answer_results r = {.n = count()};
    r.v2 = count() > 0;
    r.has_null_odds = count() > 0;
    r.threshold = number();
    struct bt__answer *item = room(r.n, sizeof *item);
    for (size_t i = 0; i < r.n; i++) item[i] = answer();
    r.item = item;
    show(bt__answer_metrics(&r, &metrics, &err), &metrics);
    if (r.v2 && r.has_null_odds) show_thresholds(&r);
    for (size_t i = 0; i < r.n; i++) {
        for (size_t k = 0; k < item[i].golds; k++) free((void *)(uintptr_t)item[i].gold[k].text);
        free((void *)(uintptr_t)item[i].gold);
        free((void *)(uintptr_t)item[i].predicted);
    }
    free(item);
}

static void normalize(void)
{
    struct bt_str out = {.len = 0};
    size_t n = 0;
    char *raw = text(&n);
    bt__answer_normalize(raw, n, &out);
    put_text(bt_str_text(&out), out.len);
    printf("\n");
    bt_str_free(&out);
    free(raw);
}

static void names(void)
{
    struct bt_str out = {.len = 0};
    bt__metric_names((enum bt__metric_family)count(), &out);
    printf("%s\n", bt_str_text(&out));
    bt_str_free(&out);
}

static const struct {
    const char *name;
    void (*run)(void);
} command[] = {
    {.name = "labels", .run = labels},       {.name = "choices", .run = choices},
    {.name = "sets", .run = sets},           {.name = "numbers", .run = numbers},
    {.name = "language", .run = language},   {.name = "spans", .run = spans},
    {.name = "entities", .run = entities},   {.name = "convert", .run = convert},
    {.name = "check", .run = check},         {.name = "answers", .run = answers},
    {.name = "normalize", .run = normalize}, {.name = "names", .run = names},
};

static bool obey(const char *word)
{
    for (size_t i = 0; i < sizeof command / sizeof *command; i++) {
        if (strcmp(command[i].name, word) != 0) continue;
        metrics.n = 0;
        command[i].run();
        printf(".\n");
        return true;
    }
    fprintf(stderr, "metrics_tool: %s is no command\n", word);
    return false;
}

int main(void)
{
    for (char *word; (word = next_word());)
        if (!obey(word)) return 2;
    return 0;
}
