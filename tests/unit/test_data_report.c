#include "tests/unit/files.h"

#include <bertty/data_report.h>
#include <bertty/str.h>

#define AUTO ((struct bt_data_dialect){.quoting = -1, .header = -1})

static struct bt_error err;

static struct bt_data_report *report(const char *const *files, size_t n, const char *pair, const char *label,
                                     const struct bt_tokenizer *t, size_t max_length)
{
    const struct bt_data_spec spec = {.files = files,
                                      .n_files = n,
                                      .dialect = AUTO,
                                      .text_column = "text",
                                      .text_pair_column = pair,
                                      .label_column = label};
    struct bt_data_report *r;
    if (bt_data_report(&spec, t, max_length, &r, &err)) fail_msg("%s", err.text);
    return r;
}

static void counts_labels_and_lengths(void **state)
{
    (void)state;
    const char *file =
        file_text("a.tsv", "text\tlabel\nab\tx\n\xe4\xbd\xa0\xe5\xa5\xbd!\ty\n\tx\na\xff\tx\n \ty\n");
    struct bt_data_report *r = report(&file, 1, NULL, "label", NULL, 0);
    const struct bt_file_report *f = &r->file[0];
    assert_int_equal(r->n_files, 1);
    assert_string_equal(f->path, file);
    assert_int_equal(f->rows, 5);
    assert_int_equal(f->n_labels, 2);
    assert_string_equal(f->label[0].label, "x");
    assert_int_equal(f->label[0].rows, 3);
    assert_int_equal(f->label[1].rows, 2);
    assert_int_equal(f->empty_texts, 2);
    assert_int_equal(f->invalid_utf8, 1);
    assert_int_equal(f->characters.n, 5);
    assert_int_equal(f->characters.min, 0);
    assert_int_equal(f->characters.max, 3);
    assert_true(f->characters.mean == 8.0 / 5);
    assert_int_equal(f->characters.p50, 2);
    assert_int_equal(f->characters.p90, 3);
    assert_int_equal(f->characters.bin_width, 1);
    assert_int_equal(f->characters.bin[2], 2);
    assert_int_equal(f->pieces.n, 0);
    bt_data_report_free(r);
}

static void counts_pieces(void **state)
{
    (void)state;
    struct bt_tokenizer *t;
    struct bt_tokenizer_options opt = BT_TOKENIZER_DEFAULTS;
    file_text("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\n");
    if (bt_tokenizer_load(files_dir, &opt, &t, &err)) fail_msg("%s", err.text);
    const char *file = file_text("p.tsv", "text\tother\na b\tab\nzz\ta\nabb abb\tb b b\n");
    struct bt_data_report *r = report(&file, 1, "other", NULL, t, 7);
    const struct bt_file_report *f = &r->file[0];
    assert_int_equal(f->n_labels, 0);
    assert_int_equal(f->pieces.n, 3); /* lengths 2+2+3, 1+1+3, 6+3+3 */
    assert_int_equal(f->pieces.min, 5);
    assert_int_equal(f->pieces.p50, 7);
    assert_int_equal(f->pieces.max, 12);
    assert_int_equal(f->truncated, 1);
    assert_int_equal(f->total_pieces, 15);
    assert_int_equal(f->unknown, 1);
    assert_int_equal(f->characters.max, 12);
    bt_data_report_free(r);
    r = report(&file, 1, NULL, NULL, t, 0);
    assert_int_equal(r->file[0].truncated, 0);
    assert_int_equal(r->file[0].pieces.max, 8);
    bt_data_report_free(r);
    bt_tokenizer_free(t);
}

/* ── duplicates, conflicts and overlap against the obvious way ── */

enum { FILES = 3, ROWS = 120 };

struct row {
    int text, pair, label;
};

static bool same_input(const struct row *a, const struct row *b)
{
    return a->text == b->text && a->pair == b->pair;
}

static size_t duplicates_of(const struct row *r)
{
    size_t n = 0;
    for (int i = 0; i < ROWS; i++) {
        bool before = false;
        for (int k = 0; k < i; k++) before = before || same_input(&r[i], &r[k]);
        n += before;
    }
    return n;
}

static size_t conflicts_of(const struct row *r)
{
    size_t n = 0;
    for (int i = 0; i < ROWS; i++) {
        bool first = true, conflict = false;
        for (int k = 0; k < ROWS; k++) {
            if (!same_input(&r[i], &r[k])) continue;
            first = first && k >= i;
            conflict = conflict || r[k].label != r[i].label;
        }
        n += first && conflict;
    }
    return n;
}

static size_t shared(const struct row *a, const struct row *b, bool label)
{
    size_t n = 0;
    for (int i = 0; i < ROWS; i++) {
        bool found = false;
        for (int k = 0; k < ROWS; k++)
            found = found || (same_input(&b[i], &a[k]) && (!label || b[i].label == a[k].label));
        n += found;
    }
    return n;
}

static const char *write_rows(const char *name, struct row *r, uint32_t *x, int texts)
{
    struct bt_str s = {0};
    bt_str_add(&s, "text\tpair\tlabel\n");
    for (int i = 0; i < ROWS; i++) {
        int *to[] = {&r[i].text, &r[i].pair, &r[i].label};
        const int most[] = {texts, 3, 3};
        for (int k = 0; k < 3; k++) {
            *x = *x * 1664525u + 1013904223u;
            *to[k] = (int)((*x >> 16) % (uint32_t)most[k]);
        }
        bt_str_addf(&s, "a text of number %d\tp%d\tl%d\n", r[i].text, r[i].pair, r[i].label);
    }
    const char *path = file_with(name, s.data, s.len);
    bt_str_free(&s);
    return path;
}

static void agrees_with_the_obvious_way(void **state)
{
    (void)state;
    static const int texts[FILES] = {40, 60, 1000};
    static struct row row[FILES][ROWS];
    const char *files[FILES];
    uint32_t x = 7;
    for (int i = 0; i < FILES; i++) {
        char name[24];
        snprintf(name, sizeof name, "f%d.tsv", i);
        files[i] = write_rows(name, row[i], &x, texts[i]);
    }
    struct bt_data_report *r = report(files, FILES, "pair", "label", NULL, 0);
    for (int i = 0; i < FILES; i++) {
        assert_int_equal(r->file[i].duplicates, duplicates_of(row[i]));
        assert_int_equal(r->file[i].conflicts, conflicts_of(row[i]));
    }
    assert_true(r->file[0].duplicates > 10 && r->file[0].conflicts > 5);
    assert_int_equal(r->n_overlaps, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct bt_overlap *o = &r->overlap[i];
        assert_true(o->first < o->second && o->second < FILES);
        assert_int_equal(o->inputs, shared(row[o->first], row[o->second], false));
        assert_int_equal(o->with_label, shared(row[o->first], row[o->second], true));
    }
    bt_data_report_free(r);
}

static void a_pair_is_more_than_its_texts(void **state)
{
    (void)state;
    const char *file = file_text("pair.tsv", "text\tpair\tlabel\nab\tc\t1\na\tbc\t1\nab\tc\t1\n");
    struct bt_data_report *r = report(&file, 1, "pair", "label", NULL, 0);
    assert_int_equal(r->file[0].duplicates, 1);
    assert_int_equal(r->file[0].conflicts, 0);
    bt_data_report_free(r);
}

static void long_and_short_rows(void **state)
{
    (void)state;
    struct bt_str s = {0};
    bt_str_add(&s, "text\n");
    for (int i = 1; i <= 1000; i++) {
        for (int k = 0; k < i; k++) bt_str_addc(&s, 'x');
        bt_str_addc(&s, '\n');
    }
    const char *file = file_with("lengths.tsv", s.data, s.len);
    bt_str_free(&s);
    struct bt_data_report *r = report(&file, 1, NULL, NULL, NULL, 0);
    const struct bt_lengths *l = &r->file[0].characters;
    assert_int_equal(l->min, 1);
    assert_int_equal(l->p50, 500);
    assert_int_equal(l->p90, 900);
    assert_int_equal(l->p99, 990);
    assert_int_equal(l->max, 1000);
    assert_true(l->mean == 500.5);
    assert_int_equal(l->bin_width, 50);
    size_t sum = 0;
    for (size_t i = 0; i < 32; i++) sum += l->bin[i];
    assert_int_equal(sum, 1000);
    assert_int_equal(l->bin[0], 49);
    bt_data_report_free(r);
}

static void errors_name_the_file(void **state)
{
    (void)state;
    const char *files[] = {file_text("good.tsv", "text\tlabel\na\t1\n"),
                           file_text("bad.tsv", "text\tlabel\na\t\n")};
    const struct bt_data_spec spec = {
        .files = files, .n_files = 2, .dialect = AUTO, .text_column = "text", .label_column = "label"};
    struct bt_data_report *r;
    assert_int_equal(bt_data_report(&spec, NULL, 0, &r, &err), BT_INVALID);
    assert_null(r);
    assert_non_null(strstr(err.text, "bad.tsv:2: the label is empty"));
}

/* ── kinds that are no labelled texts ── */

static struct bt_data_report *kind_report(const char *const *files, size_t n, struct bt_data_spec spec)
{
    struct bt_data_report *r;
    spec.files = files;
    spec.n_files = n;
    spec.dialect = AUTO;
    if (bt_data_report(&spec, NULL, 0, &r, &err)) fail_msg("%s", err.text);
    return r;
}

static void expect_counts(const struct bt_label_count *label, size_t n, const char *expected)
{
    struct bt_str s = {0};
    for (size_t i = 0; i < n; i++) bt_str_addf(&s, "%s%s %zu", i ? ", " : "", label[i].label, label[i].rows);
    assert_string_equal(bt_str_text(&s), expected);
    bt_str_free(&s);
}

static void words_and_entities(void **state)
{
    (void)state;
    const char *files[] = {file_text("a.conll", "a\tB-X\nb\tI-X\nc\tI-Y\n\na\tO\n\na\tB-X\n"),
                           file_text("b.conll", "a\tO\n\nd e\tO\n")};
    struct bt_data_report *r = kind_report(files, 2, (struct bt_data_spec){.kind = BT_EXAMPLE_WORDS});
    const struct bt_file_report *f = &r->file[0];
    assert_int_equal(f->kind, BT_EXAMPLE_WORDS);
    assert_int_equal(f->rows, 3);
    assert_int_equal(f->total_parts, 5);
    assert_int_equal(f->parts.max, 3);
    expect_counts(f->label, f->n_labels, "B-X 2, I-X 1, I-Y 1, O 1");
    expect_counts(f->entity, f->n_entities, "X 2, Y 1");
    assert_int_equal(f->duplicates, 1);
    assert_int_equal(f->conflicts, 1);
    assert_string_equal(f->found,
                        "conll: 2 columns separated by tabs, word in 1, tag in 2, empty lines end sentences");
    assert_int_equal(r->n_overlaps, 1);
    assert_int_equal(r->overlap[0].inputs, 1);
    assert_int_equal(r->overlap[0].with_label, 1);
    bt_data_report_free(r);
}

static void expect_scheme(const char *tags, const char *scheme, const char *entities)
{
    struct bt_str s = {0};
    for (const char *p = tags; *p;) {
        size_t n = strcspn(p, " ");
        if (n) bt_str_addf(&s, "w\t%.*s", (int)n, p);
        bt_str_add(&s, "\n");
        p += n + (p[n] == ' ');
    }
    const char *file = file_text("s.conll", bt_str_text(&s));
    bt_str_free(&s);
    struct bt_data_report *r = kind_report(&file, 1, (struct bt_data_spec){.kind = BT_EXAMPLE_WORDS});
    if (scheme)
        assert_string_equal(r->file[0].scheme, scheme);
    else
        assert_null(r->file[0].scheme);
    expect_counts(r->file[0].entity, r->file[0].n_entities, entities);
    bt_data_report_free(r);
}

/* Two blanks end a sentence. */
static void schemes_of_tags(void **state)
{
    (void)state;
    expect_scheme("B-X I-X O B-X B-X", "IOB2", "X 3");
    expect_scheme("I-X I-X O I-X B-X I-Y  I-X", "IOB1", "X 4, Y 1");
    expect_scheme("B-X O I-X", "IOB1 and IOB2 mixed", "X 2");
    expect_scheme("B-X I-X E-X S-X O", "IOBES", "X 2");
    expect_scheme("B-X I-X L-X U-Y U-Y", "BILOU", "Y 2, X 1");
    expect_scheme("I-X E-X I-X E-X O", "IOE", "X 2");
    expect_scheme("NN VB O", NULL, "");
}

static void questions_and_answers(void **state)
{
    (void)state;
    const char *file = file_text(
        "q.json",
        "{\"data\": [{\"paragraphs\": [{\"context\": \"a b\", \"qas\": [{\"id\": 1, \"question\": \"q\", "
        "\"answers\": [{\"text\": \"a\", \"answer_start\": 0}, {\"text\": \"b\", \"answer_start\": 0}]},"
        "{\"id\": 2, \"question\": \"q\", \"answers\": []}]}]}]}");
    struct bt_data_report *r = kind_report(&file, 1, (struct bt_data_spec){.kind = BT_EXAMPLE_QUESTION});
    const struct bt_file_report *f = &r->file[0];
    assert_int_equal(f->rows, 2);
    assert_int_equal(f->impossible, 1);
    assert_int_equal(f->misaligned, 1);
    assert_int_equal(f->n_odd, 1);
    assert_int_equal(f->total_parts, 2);
    assert_int_equal(f->duplicates, 1);
    assert_int_equal(f->conflicts, 1);
    assert_int_equal(f->characters.max, 4);
    bt_data_report_free(r);
}

static void sets_aspects_and_choices(void **state)
{
    (void)state;
    const char *file = file_text("l.tsv", "t\tl\na\tx,y\na\ty, x\nb\t\n");
    struct bt_data_report *r = kind_report(
        &file, 1,
        (struct bt_data_spec){.kind = BT_EXAMPLE_LABEL_SET, .text_column = "t", .label_column = "l"});
    expect_counts(r->file[0].label, r->file[0].n_labels, "x 2, y 2");
    assert_true(r->file[0].parts.mean == 4.0 / 3);
    assert_int_equal(r->file[0].duplicates, 1);
    assert_int_equal(r->file[0].conflicts, 0);
    bt_data_report_free(r);
    file = file_text("a.tsv", "t\ta\tl\nthe cord\tcord\t1\nthe cord\trope\t0\n");
    r = kind_report(
        &file, 1,
        (struct bt_data_spec){
            .kind = BT_EXAMPLE_ASPECT, .text_column = "t", .aspect_column = "a", .label_column = "l"});
    expect_counts(r->file[0].entity, r->file[0].n_entities, "cord 1, rope 1");
    assert_int_equal(r->file[0].unmarked, 1);
    bt_data_report_free(r);
    file = file_text("s.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,0\na,b,c,dd,1\na,b,c,d,1\n");
    r = kind_report(&file, 1, (struct bt_data_spec){.kind = BT_EXAMPLE_CHOICES});
    assert_int_equal(r->file[0].duplicates, 1);
    assert_int_equal(r->file[0].conflicts, 1);
    assert_int_equal(r->file[0].characters.max, 5);
    assert_int_equal(r->file[0].parts.min, 2);
    bt_data_report_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_labels_and_lengths),   cmocka_unit_test(counts_pieces),
        cmocka_unit_test(agrees_with_the_obvious_way), cmocka_unit_test(a_pair_is_more_than_its_texts),
        cmocka_unit_test(long_and_short_rows),         cmocka_unit_test(errors_name_the_file),
        cmocka_unit_test(words_and_entities),          cmocka_unit_test(schemes_of_tags),
        cmocka_unit_test(questions_and_answers),       cmocka_unit_test(sets_aspects_and_choices),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
