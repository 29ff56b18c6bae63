/* Named entities: a tag for each word (cross-entropy of the first pieces), read as spans. */
#include "tasks/ner.h"

#include "batch/tag_scheme.h"
#include "tasks/aim.h"
#include "tasks/class_weights.h"
#include "tasks/softmax.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct bt__tagset *tags_of(const struct bt__task *t)
{
    return t->own;
}

/* ── tags ── */

static enum bt_status foreign_tag(const struct bt__task_data *d, size_t count, struct bt_error *err)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        for (size_t k = 0; k < e->parts; k++)
            if (!bt__tag_in_scheme(e->part[k].tag, e->part[k].tag_n))
                return bt_fail(err, BT_INVALID,
                               "%s:%zu: tag \"%.40s\" is in no scheme (%zu such in all), which data.strict "
                               "refuses",
                               bt__task_file(d, e), e->part[k].line, e->part[k].tag, count);
    }
    return BT_OK;
}

static enum bt_status look(const struct bt__task *t, const struct bt__task_data *d, bool raw,
                           struct bt__tag_survey *v, struct bt_error *err)
{
    enum bt_status st = bt__tag_survey(d, v, err);
    return !st && v->foreign && !raw && t->x->data_strict ? foreign_tag(d, v->foreign, err) : st;
}

/* All tags of the training data, each in the task's scheme; given: the labels are known, and have to be all. */
static enum bt_status collect(const struct bt__task *t, const struct bt__task_data *train,
                              enum bt__scheme from, bool given, struct bt_error *err)
{
    struct bt__tagset *s = tags_of(t);
    struct bt__tag_reader r = {.cap = 0};
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < train->n && !st; i++) {
        const struct bt_example *e = bt__task_example(train, i);
        int id;
        st = bt__tag_reader_read(&r, s, from, e->part, e->parts, err);
        for (size_t k = 0; k < e->parts && !st; k++) {
            if (!given)
                st = bt__tagset_add(s, &r.tag[k], &id, err);
            else if (bt__tagset_find(s, &r.tag[k]) < 0)
                st = bt_fail(err, BT_INVALID, "%s:%zu: tag \"%.40s\" (%s) is not one of the %d labels",
                             bt__task_file(train, e), e->part[k].line, e->part[k].tag,
                             s->raw ? "as it stands" : bt__scheme_name(s->scheme), s->names.n);
        }
    }
    bt__tag_reader_free(&r);
    return st;
}

static enum bt_status sort_labels(struct bt__task *t, const struct bt__tagset *found, struct bt_error *err)
{
    size_t *length = calloc((size_t)found->names.n + 1, sizeof *length);
    if (!length) return bt_fail(err, BT_NOMEM, "no memory for %d labels", found->names.n);
    for (int i = 0; i < found->names.n; i++) length[i] = strlen(found->names.name[i]);
    enum bt_status st = bt__labels_from_values(&t->labels, (const char *const *)found->names.name, length,
                                               (size_t)found->names.n, err);
    free(length);
    return st;
}

static enum bt_status in_scheme(const struct bt__tagset *s, struct bt_error *err)
{
    for (int i = 0; i < s->names.n && !s->raw; i++)
        if (!bt__tag_in_scheme(s->names.name[i], strlen(s->names.name[i])) ||
            !bt__tag_allowed(&s->meaning[i], s->scheme))
            return bt_fail(err, BT_INVALID, "task.labels: \"%.60s\" is no tag of task.scheme: %s",
                           s->names.name[i], bt__scheme_name(s->scheme));
    return BT_OK;
}

static enum bt_status learn_from(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    struct bt__tagset *s = tags_of(t);
    struct bt__tag_survey v;
    const bool given = t->labels.n > 0;
    enum bt_status st = bt__tag_survey(train, &v, err);
    s->raw = !st && bt__tag_survey_raw(&v);
    s->scheme = (enum bt__scheme)t->x->task_scheme;
    if (!st) st = look(t, train, s->raw, &v, err);
    if (!st && given) st = bt__tagset_fill(s, &t->labels, err);
    if (!st && given) st = in_scheme(s, err);
    if (!st) st = collect(t, train, v.from, given, err);
    if (!st && !given) st = sort_labels(t, s, err);
    if (!st && t->labels.n < 2)
        st = bt_fail(err, BT_INVALID, "%s: every word has the tag \"%s\", expected at least two tags",
                     train->files[0], t->labels.n ? t->labels.name[0] : "");
    if (!st && s->raw && t->x->task_eval_mode == BT_EVAL_MODE_STRICT)
        st = bt_fail(err, BT_INVALID,
                     "%s: the tags are not those of entities, which task.eval_mode: strict needs",
                     train->files[0]);
    return st ? st : bt__tagset_fill(s, &t->labels, err);
}

/* A model that comes without an experiment tells its scheme by its tags. */
static enum bt_status learn_from_names(struct bt__task *t, struct bt_error *err)
{
    struct bt__tagset *s = tags_of(t);
    int inside = 0, foreign = 0;
    for (int i = 0; i < t->labels.n; i++) {
        const char *name = t->labels.name[i];
        if (!bt__tag_in_scheme(name, strlen(name)))
            foreign++;
        else if (strcmp(name, "O") != 0)
            inside++;
    }
    s->raw = foreign > inside;
    s->scheme = t->x->set[BT_OPTION_task_scheme]
                    ? (enum bt__scheme)t->x->task_scheme
                    : bt__scheme_guess((const char *const *)t->labels.name, (size_t)t->labels.n);
    return bt__tagset_fill(s, &t->labels, err);
}

static enum bt_status learn(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    t->own = calloc(1, sizeof(struct bt__tagset));
    if (!t->own) return bt_fail(err, BT_NOMEM, "no memory for a task");
    return train ? learn_from(t, train, err) : learn_from_names(t, err);
}

static void close_task(struct bt__task *t)
{
    if (t->own) bt__tagset_free(t->own);
    free(t->own);
}

static struct bt__head_spec head(const struct bt__task *t)
{
    return (struct bt__head_spec){.kind = BT__HEAD_TOKENS, .name = "classifier", .outputs = t->labels.n};
}

/* ── gold ── */

static enum bt_status none_known(const struct bt__task *t, const struct bt__task_data *d,
                                 struct bt_error *err)
{
    struct bt_str known = {.len = 0};
    for (int i = 0; i < t->labels.n && i < 6; i++)
        bt_str_addf(&known, "%s%.40s", i ? ", " : "", t->labels.name[i]);
    if (t->labels.n > 6) bt_str_add(&known, ", …");
    enum bt_status st =
        bt_fail(err, BT_INVALID, "%s: no word has one of the model's tags (%s) except O: other data?",
                d->files ? d->files[0] : "input", bt_str_text(&known));
    bt_str_free(&known);
    return st;
}

static enum bt_status read_gold(const struct bt__task *t, const struct bt__task_data *d,
                                struct bt__ner_split *s, struct bt_error *err)
{
    struct bt__tag_reader r = {.cap = 0};
    size_t known = 0, entities = 0;
    enum bt_status st = look(t, d, s->tags.raw, &s->survey, err);
    for (size_t i = 0, word = 0; i < d->n && !st; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        st = bt__tag_reader_read(&r, &s->tags, s->survey.from, e->part, e->parts, err);
        for (size_t k = 0; k < e->parts && !st; k++, word++) {
            int id = 0;
            st = bt__tagset_add(&s->tags, &r.tag[k], &id, err);
            s->gold[word] = id;
            s->unlearnt += id >= t->labels.n;
            entities += id != s->outside;
            known += id != s->outside && id < t->labels.n;
        }
    }
    bt__tag_reader_free(&r);
    return !st && entities && !known ? none_known(t, d, err) : st;
}

static enum bt_status build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err)
{
    struct bt__ner_split *s = calloc(1, sizeof *s);
    if (!s) return bt_fail(err, BT_NOMEM, "no memory for %zu sentences", d->n);
    d->gold = s;
    s->tags = (struct bt__tagset){.scheme = tags_of(t)->scheme, .raw = tags_of(t)->raw};
    enum bt_status st = bt__words_build(t, d, pool, &s->words, err);
    if (!st) st = bt__tagset_fill(&s->tags, &t->labels, err);
    const struct bt__tag outside = bt__tagset_read(&s->tags, "O", 1);
    if (!st) st = bt__tagset_add(&s->tags, &outside, &s->outside, err);
    if (st) return st;
    s->gold = calloc(s->words.n + 1, sizeof *s->gold);
    if (!s->gold) return bt_fail(err, BT_NOMEM, "no memory for %zu tags", s->words.n);
    for (size_t i = 0; !gold && i < s->words.n; i++) s->gold[i] = -1;
    return gold ? read_gold(t, d, s, err) : BT_OK;
}

static void drop(struct bt__task_data *d)
{
    struct bt__ner_split *s = d->gold;
    bt__words_free(&s->words);
    bt__tagset_free(&s->tags);
    free(s->gold);
    free(s);
}

static void tally(const struct bt__task *t, const struct bt__task_data *d, int64_t *rows)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    for (size_t i = 0; i < s->words.n; i++)
        if (s->gold[i] >= 0 && s->gold[i] < t->labels.n) rows[s->gold[i]]++;
}

static size_t without_pieces(const struct bt__words *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) n += w->at[i].row == BT__NO_ROW;
    return n;
}

static void about_data(const struct bt__task *t, const struct bt__task_data *d, struct bt_str *out)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    const size_t silent = without_pieces(&s->words);
    bt_str_addf(out, "%zu sentences, %zu words", d->n, s->words.n);
    if (s->tags.raw)
        bt_str_add(out, ", tags that are no entities' as they stand");
    else if (s->survey.scheme)
        bt_str_addf(out, ", tags in %s, learnt as %s", s->survey.scheme, bt__scheme_name(s->tags.scheme));
    if (s->words.windowed)
        bt_str_addf(out, "; %zu sentences are read in windows of %lld tokens", s->words.windowed,
                    (long long)t->x->data_max_seq_length);
    if (silent) bt_str_addf(out, "; the tokenizer leaves nothing of %zu words, which count as O", silent);
    if (s->survey.foreign && !s->tags.raw)
        bt_str_addf(out, "; %zu tags are in no scheme and count as O", s->survey.foreign);
    if (s->unlearnt)
        bt_str_addf(out, "; %zu words have tags that the training data does not, and are missed",
                    s->unlearnt);
}

/* ── loss ── */

/* Gold tag of a row of logits as far as the model can learn it, or −1. */
static int target(const struct bt__task *t, const struct bt__ner_split *s, size_t row)
{
    int gold = s->gold[s->words.of_row[row]];
    return gold < t->labels.n ? gold : -1;
}

static double weight(const struct bt__task *t, const struct bt__task_data *d, size_t i)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    double n = 0.0;
    for (size_t r = s->words.row_start[i]; r < s->words.row_start[i + 1]; r++) {
        int gold = target(t, s, r);
        if (gold >= 0) n += bt__class_weight(d, gold);
    }
    return n;
}

double bt__ner_loss(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                    double scale, float *dlogits)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    const size_t k = (size_t)t->labels.n;
    const double smoothing = dlogits ? t->x->train_label_smoothing_factor : 0.0;
    double sum = 0.0;
    for (size_t r = s->words.row_start[i]; r < s->words.row_start[i + 1]; r++) {
        int gold = target(t, s, r);
        if (gold >= 0)
            sum += bt__weighted_cross_entropy(logits, t->labels.n, gold, d->class_weight, smoothing, scale,
                                              dlogits);
        else if (dlogits)
            memset(dlogits, 0, k * sizeof *dlogits);
        logits += k;
        if (dlogits) dlogits += k;
    }
    return sum;
}

/* Of a sentence: the mean probability of its words' gold tags, and whether all of them are right. */
static struct bt__verdict judge(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                                const float *logits)
{
    const struct bt__ner_split *s = bt__ner_split(d);
    const size_t k = (size_t)t->labels.n, from = s->words.row_start[i];
    struct bt__verdict v = {.right = true};
    double sum = 0.0, n = 0.0;
    for (size_t r = from; r < s->words.row_start[i + 1]; r++) {
        const float *row = logits + (r - from) * k;
        int gold = target(t, s, r);
        v.right = v.right && gold == bt__argmax(row, t->labels.n);
        if (gold < 0) continue;
        sum += exp(-bt__cross_entropy(row, t->labels.n, gold, 0.0, 1.0, NULL));
        n += 1.0;
    }
    v.p_gold = n > 0.0 ? (float)(sum / n) : NAN;
    return v;
}

const struct bt__task_ops bt__task_ner = {
    .name = "ner",
    .about = "a tag for each word: named entities",
    .examples = BT_EXAMPLE_WORDS,
    .family = BT__METRICS_spans,
    .architecture = "BertForTokenClassification",
    .learn = learn,
    .close = close_task,
    .head = head,
    .build = build,
    .drop = drop,
    .tally = tally,
    .about_data = about_data,
    .weight = weight,
    .loss = bt__ner_loss,
    .judge = judge,
    .metrics = bt__ner_metrics,
    .row = bt__ner_row,
    .answer = bt__ner_answer,
    .aim = bt__aim_tags,
    .report = bt__ner_report,
};
