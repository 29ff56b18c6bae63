/* Named entities: windows, words and their rows, schemes of tags, gold values and figures. */
#include "tests/unit/files.h"

#include "batch/windows.h"
#include "dataset/wrap.h"
#include "tasks/ner.h"
#include <bertty/file.h>
#include <math.h>

static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\nc\n.\n";
enum { CLS = 2, SEP = 3, A = 5, B = 6, MORE_B = 7, C = 8, DOT = 9 };

static struct bt_error err;

static void expect(enum bt_status st)
{
    if (st) fail_msg("%s", err.text);
}

/* ── windows ── */

static size_t context(size_t piece, size_t begin, size_t end)
{
    return piece - begin < end - 1 - piece ? piece - begin : end - 1 - piece;
}

static void check_windows(size_t pieces, size_t room, size_t overlap)
{
    const size_t n = bt__windows(pieces, room, overlap);
    size_t covered = 0, last = 0;
    for (size_t k = 0; k < n; k++) {
        size_t begin = bt__window_begin(pieces, room, overlap, k);
        assert_true(begin <= covered); /* no piece is left out */
        assert_true(k == 0 || begin + overlap <= covered || begin == pieces - room);
        covered = begin + (pieces < room ? pieces : room);
        assert_true(covered <= pieces);
    }
    assert_int_equal(covered, pieces);
    for (size_t q = 0; q < pieces; q++) {
        size_t best = bt__window_best(pieces, room, overlap, q), most = 0;
        size_t at = bt__window_begin(pieces, room, overlap, best);
        assert_true(best >= last && best < n && q >= at);
        last = best;
        for (size_t k = 0; k < n; k++) {
            size_t begin = bt__window_begin(pieces, room, overlap, k),
                   end = pieces < room ? pieces : begin + room;
            if (q >= begin && q < end && context(q, begin, end) > most) most = context(q, begin, end);
        }
        assert_int_equal(context(q, at, pieces < room ? pieces : at + room), most);
    }
}

static void windows(void **state)
{
    (void)state;
    assert_int_equal(bt__window_overlap(128, 126), 63);
    assert_int_equal(bt__window_overlap(20, 126), 20);
    assert_int_equal(bt__windows(0, 10, 5), 1);
    for (size_t pieces = 0; pieces < 60; pieces++)
        for (size_t room = 2; room < 13; room++)
            for (size_t overlap = 0; overlap <= room / 2; overlap++) check_windows(pieces, room, overlap);
}

/* ── a task over a file ── */

struct made {
    struct bt_experiment *x;
    struct bt_tokenizer *tokenizer;
    struct bt__pool *pool;
    struct bt__task *task;
    struct bt__task_data d;
    const char *file;
};

static enum bt_status make(struct made *m, const char *conll, const char *const *settings)
{
    memset(m, 0, sizeof *m);
    file_text("vocab.txt", vocab);
    m->file = file_text("words.conll", conll);
    memset(&err, 0, sizeof err);
    expect(bt_experiment_new(&m->x, &err));
    expect(bt_experiment_assign(m->x, "task.type=ner", &err));
    for (; settings && *settings; settings++) expect(bt_experiment_assign(m->x, *settings, &err));
    expect(bt_tokenizer_load(files_dir, &BT_TOKENIZER_DEFAULTS, &m->tokenizer, &err));
    expect(bt__pool_create(2, &m->pool, &err));
    struct bt_data_spec spec = bt_experiment_data(m->x);
    spec.files = &m->file;
    spec.n_files = 1;
    expect(bt_examples_load(&spec, &m->d.examples, &err));
    m->d.n = bt_examples_count(m->d.examples);
    m->d.files = &m->file;
    enum bt_status st =
        bt__task_create(m->x, m->tokenizer, &m->d, (const char *const *)m->x->task_labels.item,
                        m->x->task_labels.n, &m->task, &err);
    return st ? st : bt__task_build(m->task, &m->d, true, m->pool, &err);
}

static void drop(struct made *m)
{
    bt__task_data_free(&m->d);
    bt__task_free(m->task);
    bt__pool_free(m->pool);
    bt_tokenizer_free(m->tokenizer);
    bt_experiment_free(m->x);
}

/* The gold tags, a sentence a line. */
static void expect_tags(const struct made *m, const char *labels, const char *expected)
{
    const struct bt__ner_split *s = bt__ner_split(&m->d);
    struct bt_str out = {.len = 0}, names = {.len = 0};
    for (int i = 0; i < m->task->labels.n; i++)
        bt_str_addf(&names, "%s%s", i ? " " : "", m->task->labels.name[i]);
    assert_string_equal(bt_str_text(&names), labels);
    for (size_t e = 0; e < m->d.n; e++)
        for (size_t w = s->words.start[e]; w < s->words.start[e + 1]; w++)
            bt_str_addf(&out, "%s%s", s->tags.names.name[s->gold[w]],
                        w + 1 < s->words.start[e + 1] ? " " : "\n");
    assert_string_equal(bt_str_text(&out), expected);
    bt_str_free(&out);
    bt_str_free(&names);
}

static void expect_converted(const char *conll, const char *scheme, const char *labels, const char *tags)
{
    struct made m;
    const char *const settings[] = {scheme, NULL};
    expect(make(&m, conll, settings));
    expect_tags(&m, labels, tags);
    drop(&m);
}

static void schemes(void **state)
{
    (void)state;
    static const char iob1[] = "a I-X\nb I-X\nc B-X\n. O\n\na I-X\nb I-Y\n",
                      bilou[] = "a B-X\nb L-X\nc U-Y\n. O\n";
    expect_converted(iob1, "task.scheme=IOB2", "B-X B-Y I-X O", "B-X I-X B-X O\nB-X B-Y\n");
    expect_converted(iob1, "task.scheme=IOB1", "B-X I-X I-Y O", "I-X I-X B-X O\nI-X I-Y\n");
    expect_converted(iob1, "task.scheme=IOE1", "E-X I-X I-Y O", "I-X E-X I-X O\nI-X I-Y\n");
    expect_converted(iob1, "task.scheme=IOE2", "E-X E-Y I-X O", "I-X E-X E-X O\nE-X E-Y\n");
    expect_converted(iob1, "task.scheme=IOBES", "B-X E-X O S-X S-Y", "B-X E-X S-X O\nS-X S-Y\n");
    expect_converted(bilou, "task.scheme=BILOU", "B-X L-X O U-Y", "B-X L-X U-Y O\n");
    expect_converted(bilou, "task.scheme=IOB2", "B-X B-Y I-X O", "B-X I-X B-Y O\n");
    expect_converted("a B-X\nb M-X\nc E-X\n. S-Y\na O\n", "task.scheme=IOB2", "B-X B-Y I-X O",
                     "B-X I-X I-X B-Y O\n");
    expect_converted("a B\nb I\nc O\n", "task.scheme=IOBES", "B E O", "B E O\n");
    expect_converted("a DT\nb NN\nc VB\n. O\n", "task.scheme=IOB2", "DT NN O VB", "DT NN VB O\n");
}

static void foreign_tags(void **state)
{
    (void)state;
    static const char text[] = "a B-X\nb I-X\n\nc weird\n. O\n";
    static const char *const strict[] = {"data.strict=true", NULL},
                             *const named[] = {"task.labels=[O, B-X, I-X]", NULL},
                             *const few[] = {"task.labels=[O, B-X]", NULL},
                             *const wrong[] = {"task.labels=[O, S-X]", NULL};
    struct made m;
    expect(make(&m, text, NULL));
    expect_tags(&m, "B-X I-X O", "B-X I-X\nO O\n");
    assert_int_equal(bt__ner_split(&m.d)->survey.foreign, 1);
    drop(&m);
    assert_int_equal(make(&m, text, strict), BT_INVALID);
    assert_non_null(strstr(err.text, "words.conll:4: tag \"weird\""));
    drop(&m);
    expect(make(&m, text, named));
    expect_tags(&m, "O B-X I-X", "B-X I-X\nO O\n");
    drop(&m);
    assert_int_equal(make(&m, text, few), BT_INVALID);
    assert_non_null(strstr(err.text, "words.conll:2: tag \"I-X\""));
    drop(&m);
    assert_int_equal(make(&m, text, wrong), BT_INVALID);
    assert_non_null(strstr(err.text, "\"S-X\" is no tag of task.scheme: IOB2"));
    drop(&m);
    assert_int_equal(make(&m, "a O\nb O\n", NULL), BT_INVALID);
    assert_non_null(strstr(err.text, "every word has the tag \"O\""));
    drop(&m);
}

/* ── words ── */

/* bb is two pieces, abba three; U+200B is none; the first sentence has eight pieces: three windows of four. */
static const char sentences[] = "abb B-X\n\xe2\x80\x8b I-X\na O\nbb B-Y\nc O\n. O\nc O\n\n\xe2\x80\x8b O\n\n"
                                "a B-X\nb I-X\n";
static const char *const narrow[] = {"data.max_seq_length=6", NULL};

static void each_word_in_one_window(void **state)
{
    (void)state;
    struct made m;
    expect(make(&m, sentences, narrow));
    const struct bt__ner_split *s = bt__ner_split(&m.d);
    const struct bt__words *w = &s->words;
    size_t seen[16] = {0};
    assert_int_equal(w->n, 10);
    assert_int_equal(w->windowed, 1);
    for (size_t i = 0; i < m.d.f.n; i++) {
        const int32_t *ids = m.d.f.ids + m.d.f.start[i];
        assert_int_equal(ids[0], CLS);
        assert_int_equal(ids[m.d.f.length[i] - 1], SEP);
        assert_true(m.d.f.length[i] <= 6);
        size_t row = w->row_start[i];
        for (int k = 0; k < m.d.f.length[i]; k++) {
            if (!m.d.f.reads[m.d.f.start[i] + (size_t)k]) continue;
            size_t word = w->of_row[row];
            assert_int_equal(w->at[word].row, row++);
            seen[word]++;
            assert_int_not_equal(ids[k], MORE_B); /* it is a first piece */
        }
        assert_int_equal(row, w->row_start[i + 1]);
    }
    for (size_t i = 0; i < w->n; i++) assert_int_equal(seen[i], i != 1 && i != 7);
    assert_int_equal(w->at[1].row, BT__NO_ROW);
    assert_int_equal(w->at[7].row, BT__NO_ROW);
    drop(&m);
}

/* Every word's row is its own: logits that say a word's number come back at it. */
static void loss_and_figures(void **state)
{
    (void)state;
    struct made m;
    expect(make(&m, sentences, narrow));
    const struct bt__ner_split *s = bt__ner_split(&m.d);
    const int k = m.task->labels.n;
    size_t rows = s->words.row_start[m.d.f.n];
    struct bt__logits l = {.cols = k};
    l.value = calloc(rows * (size_t)k, sizeof *l.value);
    l.start = calloc(m.d.f.n + 1, sizeof *l.start);
    for (size_t r = 0; r < rows; r++) l.value[r * (size_t)k + (size_t)s->gold[s->words.of_row[r]]] = 20.0f;
    double loss = 0.0, weight = 0.0;
    for (size_t i = 0; i < m.d.f.n; i++) {
        l.start[i + 1] = s->words.row_start[i + 1] * (size_t)k;
        loss += m.task->ops->loss(m.task, &m.d, i, l.value + l.start[i], 1.0, NULL);
        weight += m.task->ops->weight(m.task, &m.d, i);
    }
    assert_int_equal((int)weight, 8); /* ten words, two without a piece */
    assert_true(loss < 1e-6);
    struct bt_metrics metrics = {.n = 0};
    expect(m.task->ops->metrics(m.task, &m.d, &l, &metrics, &err));
    /* gold: X of two words (the second cannot be seen), Y, X; the first is found one word short */
    assert_true(fabs(bt_metrics_get(&metrics, "f1") - 2.0 / 3.0) < 1e-12);
    assert_true(fabs(bt_metrics_get(&metrics, "accuracy") - 0.9) < 1e-12);
    assert_true(bt_metrics_get(&metrics, "f1_Y") == 1.0 && bt_metrics_get(&metrics, "f1_X") == 0.5);
    struct bt__ner_said said = {.n = 0};
    expect(bt__ner_read(m.task, &m.d, &l, 2, &said, &err));
    assert_int_equal(said.entities, 1);
    assert_int_equal(said.entity[0].end, 2);
    assert_true(bt__ner_score(&said, 0) > 0.999);
    bt__ner_said_free(&said);
    free(l.value);
    free(l.start);
    drop(&m);
}

static void no_gradient_without_gold(void **state)
{
    (void)state;
    struct made m;
    expect(make(&m, "a B-X\nb I-X\nc O\n", NULL));
    struct bt__ner_split *s = m.d.gold;
    float logits[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, d[9];
    s->gold[1] = m.task->labels.n; /* a tag that the model does not know */
    for (int i = 0; i < 9; i++) d[i] = NAN;
    assert_int_equal((int)m.task->ops->weight(m.task, &m.d, 0), 2);
    assert_true(m.task->ops->loss(m.task, &m.d, 0, logits, 1.0, d) > 0.0);
    for (int i = 0; i < 9; i++) assert_true(i / 3 == 1 ? d[i] == 0.0f : d[i] != 0.0f && isfinite(d[i]));
    s->gold[1] = 0;
    drop(&m);
}

/* A text that comes uncut: its words and where they stand. */
static void raw_text(void **state)
{
    (void)state;
    struct made m;
    static const char text[] = "  Abb,bb \xe2\x80\x8b c.";
    static const struct {
        uint32_t begin, end;
    } places[] = {{2, 5}, {5, 6}, {6, 8}, {13, 14}, {14, 15}};
    expect(make(&m, "a B-X\nb I-X\nc O\n", NULL));
    struct bt__task_data d = {.n = 1};
    const struct bt_example e = {.text = text, .text_n = strlen(text)};
    expect(bt__examples_wrap(&e, 1, &d.examples, &err));
    expect(bt__task_build(m.task, &d, false, m.pool, &err));
    const struct bt__ner_split *s = bt__ner_split(&d);
    assert_int_equal(s->words.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(s->words.at[i].begin, places[i].begin);
        assert_int_equal(s->words.at[i].end, places[i].end);
        assert_int_equal(s->gold[i], -1);
    }
    bt__task_data_free(&d);
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),          cmocka_unit_test(schemes),
        cmocka_unit_test(foreign_tags),     cmocka_unit_test(each_word_in_one_window),
        cmocka_unit_test(loss_and_figures), cmocka_unit_test(no_gradient_without_gold),
        cmocka_unit_test(raw_text),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
