/* The readers of data that is no table: CoNLL columns, SQuAD's JSON, SemEval's aspects, plain text. */
#include "tests/unit/examples.h"

#include <bertty/table.h>

static struct bt_data_spec of(enum bt_example_kind kind)
{
    return (struct bt_data_spec){.dialect = AUTO, .kind = kind};
}

/* found: what the file is recognised as, or NULL to leave that alone. */
static void expect(const char *name, const char *content, struct bt_data_spec spec, const char *rows,
                   const char *found)
{
    struct bt_examples *e = expect_told(file_text(name, content), spec, " · ", rows);
    if (found) assert_string_equal(bt_examples_found(e, 0), found);
    assert_null(bt_examples_found(e, 1));
    bt_examples_free(e);
}

static void refuse(const char *name, const char *content, struct bt_data_spec spec, const char *message)
{
    struct bt_examples *e;
    enum bt_status st = load(file_text(name, content), spec, &e);
    assert_null(e);
    assert_int_not_equal(st, BT_OK);
    assert_int_equal(err.status, st);
    assert_int_equal(strncmp(err.text, files_dir, strlen(files_dir)), 0);
    if (message[strlen(message) - 1] == ' ') /* a path follows */
        assert_int_equal(strncmp(err.text + strlen(files_dir) + 1, message, strlen(message)), 0);
    else
        assert_string_equal(err.text + strlen(files_dir) + 1, message);
}

/* Rows of the file as a table: cells between |, rows between newlines. */
static void expect_table(const char *name, const char *content, enum bt_data_format format, const char *rows)
{
    struct bt_table *t;
    struct bt_row row = {0};
    struct bt_str s = {0};
    const struct bt_data_dialect any = AUTO;
    if (bt_table_open(file_text(name, content), &any, &t, &err)) fail_msg("%s", err.text);
    assert_int_equal(bt_table_dialect(t)->format, format);
    for (size_t i = 0; i < bt_table_rows(t); i++) {
        if (bt_table_row(t, i, &row, &err)) fail_msg("%s", err.text);
        assert_int_equal(row.n, bt_table_columns(t));
        for (size_t k = 0; k < row.n; k++) bt_str_addf(&s, "%s%s", k ? "|" : i ? "\n" : "", row.cell[k]);
    }
    assert_string_equal(bt_str_text(&s), rows);
    bt_str_free(&s);
    bt_row_free(&row);
    bt_table_free(t);
}

/* ── CoNLL ── */

static void conll_columns(void **state)
{
    (void)state;
    const struct bt_data_spec words = of(BT_EXAMPLE_WORDS);
    expect("c.txt", "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nPeter NNP I-NP I-PER\n",
           words, "3:EU rejects{EU/I-ORG rejects/O} · 6:Peter{Peter/I-PER}",
           "conll: 4 columns separated by blanks, word in 1, tag in 4, empty lines end sentences, -DOCSTART- "
           "lines");
    expect("c.txt", "a\tB-X\nb\tO\n\t\n\"\tO\n", words, "1:a b{a/B-X b/O} · 4:\"{\"/O}",
           "conll: 2 columns separated by tabs, word in 1, tag in 2, empty or blank lines end sentences");
    expect("c.txt", "a \t O\r\n  \r\nb   O", words, "1:a{a/O} · 3:b{b/O}", NULL);
    expect("c.txt", "New York\tO\nb\tO\n", words, "1:New York b{New York/O b/O}", NULL);
    expect("c.txt", "-DOCSTART- O\na O\n-DOCSTART- O\nb O\n", words, "2:a{a/O} · 4:b{b/O}", NULL);
    expect("c.txt", "a\n\nb\n", words, "1:a{a} · 3:b{b}",
           "conll: 1 column separated by blanks, word in 1, no tags, empty lines end sentences");
    expect("c.txt", "\n\n", words, "", "conll: no words");
    struct bt_data_spec second = words;
    second.tokens_column = "2";
    second.tags_column = "3";
    expect("c.txt", "1 a O x y\n2 b B-Z x\n", second, "1:a b{a/O b/B-Z}", NULL);
    struct bt_data_spec bar = words;
    bar.dialect.delimiter = '|';
    expect("c.txt", "a b|O\nc||B-X\n", bar, "1:a b c{a b/O c/B-X}", NULL);
}

static void conll_odd_tokens(void **state)
{
    (void)state;
    const struct bt_data_spec words = of(BT_EXAMPLE_WORDS);
    expect("c.txt",
           "\xef\xbb\xbf"
           "a\tO\n\xef\xbb\xbf\tO\n\xe2\x80\x8b\tB-X\n#tag\tO\n#\tO\n",
           words, "1:a \xef\xbb\xbf \xe2\x80\x8b #tag #{a/O \xef\xbb\xbf/O \xe2\x80\x8b/B-X #tag/O #/O}",
           NULL);
    expect("c.txt", "# NN O\n1 CD O\n\na NN O\n", words, "1:# 1{#/O 1/O} · 4:a{a/O}", NULL);
    expect(
        "c.txt", "# id 1 en\na _ _ O\n\n# id 2 en\nb _ _ O\n", words, "1:a{a/O} · 4:b{b/O}",
        "conll: 4 columns separated by blanks, word in 1, tag in 4, empty lines end sentences, # comments");
    expect("c.conllu",
           "# text = "
           "du\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\tx\t_\t2\ta\t_\t_\n2\tle\tle\tDET\tx\t_"
           "\t0\tb\t_\t_\n"
           "2.1\tn\tn\tN\t_\t_\t_\t_\t_\t_\n#x\n",
           words, "1:de le{de/ADP le/DET}",
           "conll (CoNLL-U): 10 columns separated by tabs, word in 2, tag in 4, empty lines end sentences, # "
           "comments");
}

static void conll_refusals(void **state)
{
    (void)state;
    struct bt_data_spec words = of(BT_EXAMPLE_WORDS);
    refuse("c.txt", "a NN O\nb O\nc NN O\n", words, "c.txt:2: found 2 columns, expected 3");
    refuse("c.txt", "a O\n\nb\nc O\n", words, "c.txt:3: found 1 column, expected 2");
    refuse("c.txt", "a NN O\nb NN O\nc d NN O\n", words,
           "c.txt:3: found 4 columns, expected 3; is the tag in the last one? name data.tags_column");
    words.tags_column = "4";
    refuse("c.txt", "a NN O\n", words, "c.txt: no column 4: its lines have 3 columns");
    words.tags_column = "ner";
    refuse("c.txt", "a NN O\n", words,
           "c.txt: data.tags_column is 'ner', expected a number from 1 to 64: CoNLL columns have no names");
    words.tags_column = NULL;
    words.class_names_file = file_text("class.txt", "O\nB-X\n");
    expect("c.txt", "a 0\nb 1\n", words, "1:a b{a/O b/B-X}", NULL);
    refuse("c.txt", "a 0\nb 2\n", words, "c.txt:2: label '2', expected 0 … 1 or a name from ");
}

static void words_in_jsonl(void **state)
{
    (void)state;
    struct bt_data_spec words = of(BT_EXAMPLE_WORDS);
    expect("w.jsonl",
           "{\"tokens\": [\"a\", \"b c\"], \"ner_tags\": [\"O\", \"B-X\"]}\n{\"tokens\": [], \"ner_tags\": "
           "[]}\n",
           words, "1:a b c{a/O b c/B-X}", "jsonl: an object a line, 2 members");
    refuse("w.jsonl", "{\"tokens\": [\"a\"], \"tags\": []}\n", words, "w.jsonl:1: 1 words but 0 tags");
    refuse("w.jsonl", "{\"tokens\": [\"\"], \"tags\": [1]}\n", words, "w.jsonl:1: word 1 is empty");
    refuse("w.jsonl", "{\"tokens\": [\"a\"], \"tags\": [[]]}\n", words,
           "w.jsonl:1: tag 1 is no string and no whole number");
    words.class_names_file = file_text("class.txt", "O\nB-X\n");
    words.tokens_column = "w";
    words.tags_column = "t";
    expect("w.jsonl", "{\"w\": [\"a\", \"b\"], \"t\": [1, 0]}\n", words, "1:a b{a/B-X b/O}", NULL);
}

/* ── SQuAD ── */

static const char squad[] =
    "{\"version\": \"v2.0\", \"data\": [{\"title\": \"t\", \"paragraphs\": [\n"
    "{\"qas\": [{\"id\": 7, \"question\": \"who?\", \"x\": [1, {}], \"answers\": [\n"
    "{\"text\": \"Zoë\", \"answer_start\": 3}, {\"text\": \"now\", \"answer_start\": 11}]},\n"
    "{\"question\": \"why?\", \"id\": \"b\", \"is_impossible\": true, \"plausible_answers\": [{}],\n"
    " \"answers\": []}],\n"
    "\"context\": \"é: Zoë, it, now\"}]}]}";

static void squad_files(void **state)
{
    (void)state;
    const struct bt_data_spec question = of(BT_EXAMPLE_QUESTION);
    expect("s.json", squad, question, "2:who?/é: Zoë, it, now#7{Zoë=3 now=12} · 4:why?/é: Zoë, it, now#b!",
           "squad: SQuAD 2.0 JSON, 2 questions in 1 paragraph, 1 without an answer, 1 misaligned answer");
    expect("s.json", "{\"data\": []}", question, "", "squad: SQuAD 1.1 JSON, 0 questions");
    expect("s.json",
           "\xef\xbb\xbf{\"data\": [{\"id\": \"1\", \"question\": \"q\", \"context\": \"a\\u0062a\", "
           "\"answers\": {\"text\": [\"a\"], "
           "\"answer_start\": [2]}}]}",
           question, "1:q/aba#1{a=2}", "squad: SQuAD 1.1 JSON, 1 question");
}

/* The nearest place that holds the answer is taken; where none does, −1. */
static void squad_misaligned(void **state)
{
    (void)state;
    struct bt_examples *e;
    struct bt_data_spec question = of(BT_EXAMPLE_QUESTION);
    const char *file =
        "{\"data\": [{\"paragraphs\": [{\"context\": \"ab ü ab ü ab\", \"qas\": [\n"
        "{\"id\": \"x\", \"question\": \"?\", \"answers\": [{\"text\": \"ab\", \"answer_start\": 4},"
        "{\"text\": \"ab\", \"answer_start\": 8}, {\"text\": \"ab\", \"answer_start\": -1}, {\"text\": "
        "\"ab\", "
        "\"answer_start\": 99}, {\"text\": \"zz\", \"answer_start\": 0}, {\"text\": \"\", \"answer_start\": "
        "0}]}]}]}]}";
    expect("m.json", file, question, "2:?/ab ü ab ü ab#x{ab=5 ab=10 ab=0 ab=10 zz}", NULL);
    assert_int_equal(load(file_path("m.json"), question, &e), BT_OK);
    assert_int_equal(bt_examples_misaligned(e), 5);
    assert_string_equal(bt_examples_odd(e, 0) + strlen(files_dir) + 1,
                        "m.json:2: question x: answer 'ab' is not at 4 but at 5");
    assert_string_equal(bt_examples_odd(e, 4) + strlen(files_dir) + 1,
                        "m.json:2: question x: answer 'zz' is not at 0 nor elsewhere in the context");
    assert_null(bt_examples_odd(e, 5));
    bt_examples_free(e);
    question.strict = true;
    refuse("m.json", file, question,
           "m.json:2: question x: answer 'ab' is not at 4 but at 5, which strict mode refuses");
}

/* The nearest place against looking at every place, of equally near ones the first. */
static void squad_nearest_of_all(void **state)
{
    (void)state;
    enum { SIGNS = 600, CASES = 300 };
    static const char *const sign[] = {"a", "é", "中", "😀"};
    unsigned context[SIGNS], seed = 7;
    int expected[CASES];
    struct bt_str s = {0};
    struct bt_examples *e;
    bt_str_add(&s, "{\"data\": [{\"paragraphs\": [{\"context\": \"");
    for (int i = 0; i < SIGNS; i++) {
        seed = seed * 1103515245u + 12345u;
        context[i] = seed >> 16 & 3;
        bt_str_add(&s, sign[context[i]]);
    }
    bt_str_add(&s, "\", \"qas\": [");
    for (int k = 0; k < CASES; k++) {
        int want[4], at = k * 2 - 5;
        for (int i = 0; i < 4; i++) {
            seed = seed * 1103515245u + 12345u;
            want[i] = (int)(seed >> 16 & 3);
        }
        expected[k] = -1;
        for (int i = 0; i + 4 <= SIGNS; i++) {
            bool here = true;
            for (int j = 0; j < 4; j++) here = here && context[i + j] == (unsigned)want[j];
            if (here && (expected[k] < 0 || abs(i - at) < abs(expected[k] - at))) expected[k] = i;
        }
        bt_str_addf(&s,
                    "%s{\"question\": \"q\", \"answers\": [{\"text\": \"%s%s%s%s\", \"answer_start\": %d}]}",
                    k ? "," : "", sign[want[0]], sign[want[1]], sign[want[2]], sign[want[3]], at);
    }
    bt_str_add(&s, "]}]}]}");
    assert_int_equal(load(file_text("n.json", bt_str_text(&s)), of(BT_EXAMPLE_QUESTION), &e), BT_OK);
    for (size_t k = 0; k < CASES; k++) assert_int_equal(bt_examples_at(e, k)->part[0].at, expected[k]);
    bt_examples_free(e);
    bt_str_free(&s);
}

/* Code points are found by steps: far into a long context, and back. */
static void squad_long_context(void **state)
{
    (void)state;
    struct bt_str s = {0};
    struct bt_examples *e;
    bt_str_add(&s, "{\"data\": [{\"paragraphs\": [{\"context\": \"");
    for (int i = 0; i < 1000; i++) bt_str_addf(&s, "ü%03d ", i);
    bt_str_add(&s, "\", \"qas\": [");
    for (int i = 0; i < 1000; i++)
        bt_str_addf(
            &s,
            "%s{\"id\": %d, \"question\": \"q\", \"answers\": [{\"text\": \"ü%03d\", \"answer_start\": %d}]}",
            i ? "," : "", i, i, 5 * i + (i % 3 == 1) - (i % 3 == 2));
    bt_str_add(&s, "]}]}]}");
    assert_int_equal(load(file_text("l.json", bt_str_text(&s)), of(BT_EXAMPLE_QUESTION), &e), BT_OK);
    assert_int_equal(bt_examples_count(e), 1000);
    assert_int_equal(bt_examples_misaligned(e), 666);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(bt_examples_at(e, i)->part[0].at, 5 * (int)i);
        assert_ptr_equal(bt_examples_at(e, i)->pair, bt_examples_at(e, 0)->pair);
    }
    bt_examples_free(e);
    bt_str_free(&s);
}

static void squad_refusals(void **state)
{
    (void)state;
    const struct bt_data_spec question = of(BT_EXAMPLE_QUESTION);
    struct bt_data_spec told = question;
    struct bt_examples *e;
    char deep[4096] = "{\"data\": [], \"x\": ";
    told.dialect.format = BT_DATA_SQUAD;
    refuse("s.json", "{\"data\": [{\"paragraphs\": [{\"qas\": [\n{}], \"context\": \"c\"}]}]}", question,
           "s.json:2: a question without a text, expected a string");
    refuse("s.json", "{\"data\": [{\"paragraphs\": [\n{\"qas\": []}]}]}", question,
           "s.json:2: a paragraph without context or qas");
    refuse("s.json", "{\"data\": [{\"paragraphs\": [{\"context\": 1, \"qas\": []}]}]}", question,
           "s.json:1: a context that is no string");
    refuse("s.json",
           "{\"data\": [{\"paragraphs\": [{\"context\": \"\", \"qas\": [\n{\"id\": 1, \"question\": \"\", "
           "\"answers\": [{\"text\": "
           "\"a\", \"answer_start\": 0.5}]}]}]}]}",
           question, "s.json:2: question 1: an answer_start is no whole number");
    refuse(
        "s.json",
        "{\"data\": [{\"paragraphs\": [{\"context\": \"\", \"qas\": [\n{\"id\": 1, \"question\": tru}]}]}]}",
        question, "s.json:2:25: not valid JSON: invalid token near 'tru'");
    refuse("s.json", "{\"data\": [{\"paragraphs\": [{\"context\": \"\",\n\"qas\": [{\"id\": 1", question,
           "s.json:2:16: not valid JSON: '}' expected near end of file");
    refuse("s.json", "{\"data\": []} x", question,
           "s.json:1:14: not valid JSON: end of file expected near 'x'");
    refuse("s.json", "{\"a\": 1}", told, "s.json:1: no data in it, expected {\"data\": […]} as in SQuAD");
    refuse("s.json", "", told, "s.json:1:0: not valid JSON: unexpected token near end of file");
    for (size_t n = strlen(deep); n < sizeof deep - 1; n++) deep[n] = '[';
    refuse("s.json", deep, question, "s.json:1: JSON nested deeper than 256");
    for (size_t n = 0; n < sizeof squad - 1; n++)
        assert_int_not_equal(load(file_with("s.json", squad, n), told, &e), BT_OK);
}

static void questions_in_tables(void **state)
{
    (void)state;
    struct bt_data_spec question = of(BT_EXAMPLE_QUESTION);
    expect("q.jsonl",
           "{\"id\": \"a\", \"question\": \"q\", \"context\": \"x y\", \"answers\": {\"text\": [\"y\"], "
           "\"answer_start\": [2]}}\n"
           "{\"id\": \"b\", \"question\": \"r\", \"context\": \"x y\", \"answers\": {\"text\": [], "
           "\"answer_start\": []}}\n",
           question, "1:q/x y#a{y=2} · 2:r/x y#b!", "jsonl: an object a line, 4 members");
    refuse(
        "q.jsonl",
        "{\"question\": \"q\", \"context\": \"\", \"answers\": {\"text\": [\"y\"], \"answer_start\": []}}\n",
        question, "q.jsonl:1: question without an id: answers has not as many answer_start as text");
    question.text_column = "q";
    question.context_column = "c";
    question.label_column = "a";
    expect("q.csv", "q,c,a\nwho,\"é, b c\",c\nwhy,x,\n", question, "2:who/é, b c{c=5} · 3:why/x!", NULL);
}

/* ── SemEval ── */

static void semeval_files(void **state)
{
    (void)state;
    struct bt_data_spec aspect = of(BT_EXAMPLE_ASPECT);
    expect(
        "a.seg",
        "the $T$ is good\n cord \n1\nno $T$, no $T$ .\r\nbattery life\r\n -1\r\n\nx\xc2\xa0$T$\nu\xc2\xa0\n0",
        aspect,
        "1:the cord is good/cord/1@4+4 · 4:no battery life, no battery life ./battery life/-1@3+12 · "
        "8:x\xc2\xa0u\xc2\xa0/u\xc2\xa0/0@3+3",
        "semeval: 3 records of 3 lines, a sentence with $T$, its aspect, a label −1, 0 or 1");
    aspect.dialect.format = BT_DATA_SEMEVAL;
    expect("a.seg", "the cord\ncord\n1\nthe rope\ncord\n0\n", aspect,
           "1:the cord/cord/1@4+4 · 4:the rope/cord/0", NULL);
    refuse("a.seg", "a $T$\nb\n1\na $T$\nb\n", aspect,
           "a.seg:4: the record has 2 lines, expected 3: sentence, aspect, label");
    refuse("a.seg", "a $T$\nb\n2\n", aspect, "a.seg:3: label '2', expected -1, 0 or 1");
    refuse("a.seg", "a $T$\n \n1\n", aspect, "a.seg:2: the aspect is empty");
}

static void aspects_in_tables(void **state)
{
    (void)state;
    struct bt_data_spec aspect = of(BT_EXAMPLE_ASPECT);
    aspect.text_column = "t";
    aspect.aspect_column = "a";
    aspect.label_column = "l";
    expect("a.tsv", "t\ta\tl\nthe cord\tcord\tpos\nthe cord\trope\tneg\n", aspect,
           "2:the cord/cord/pos@4+4 · 3:the cord/rope/neg", NULL);
    aspect.aspect_column = NULL;
    struct bt_examples *e;
    assert_int_equal(load(file_path("a.tsv"), aspect, &e), BT_INVALID);
    assert_non_null(strstr(
        err.text, "a.tsv: no aspect column given, expected data.aspect_column: its name or number from 1"));
}

/* ── sets of labels ── */

static void label_sets(void **state)
{
    (void)state;
    struct bt_data_spec sets = of(BT_EXAMPLE_LABEL_SET);
    sets.text_column = "t";
    sets.label_column = "l";
    expect("l.tsv", "t\tl\na\tx, y ,x\nb\t\nc\tz\n", sets, "2:a/x, y ,x{x y} · 3:b/ · 4:c/z{z}", NULL);
    expect("l.jsonl",
           "{\"t\": \"a\", \"l\": [\"x,y\", 2, \"x,y\"]}\n{\"t\": \"b\", \"l\": null}\n{\"t\": \"c\", \"l\": "
           "[]}\n"
           "{\"t\": \"d\", \"l\": \"p, q\"}\n",
           sets, "1:a/[\"x,y\",2,\"x,y\"]{x,y 2} · 2:b/ · 3:c/[] · 4:d/p, q{p q}", NULL);
    sets.label_separator = " | ";
    expect("l.tsv", "t\tl\na\tx,1 | y\n", sets, "2:a/x,1 | y{x,1 y}", NULL);
    sets.label_separator = ",";
    sets.class_names_file = file_text("class.txt", "anger\njoy\n");
    expect("l.tsv", "t\tl\na\t1,anger, 0\n", sets, "2:a/1,anger, 0{joy anger}", NULL);
    refuse("l.tsv", "t\tl\na\t1\nb\t0,2\n", sets, "l.tsv:3: label '2', expected 0 … 1 or a name from ");
    refuse("l.jsonl", "{\"t\": \"a\", \"l\": {}}\n", sets,
           "l.jsonl:1: member 'l' is an object, expected a list of labels");
    refuse("l.jsonl", "{\"t\": \"a\", \"l\": [0, null]}\n", sets,
           "l.jsonl:1: label 2 of the list is no string and no number");
}

/* ── choices ── */

static void swag_files(void **state)
{
    (void)state;
    const struct bt_data_spec choices = of(BT_EXAMPLE_CHOICES);
    expect("s.csv",
           ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n"
           "0,v,1,\"A, b. She\",\"A, b.\",She,gold,w.,x.,y.,z.,2\n",
           choices, "2:A, b./2{She w. She x. She y. She z.}",
           "swag: 12 columns separated by ',', quoted cells, header");
    expect("s.csv", "sent1,sent2,ending0,ending1\na,b,c,d\n", choices, "2:a{b c b d}", NULL);
    expect("s.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,ending1\n", choices, "2:a/1{b c b d}", NULL);
    refuse("s.csv", "sent1,sent2,ending0,ending1,label\na,b,c,d,2\n", choices,
           "s.csv:2: label '2', expected 0 … 1 or a choice's column");
    refuse("s.csv", "sent1,sent2,ending0,ending1,label\na,b,c\n", choices,
           "s.csv:2: found 3 columns, expected 5: 'label' is missing");
}

static void choices_in_tables(void **state)
{
    (void)state;
    static const char *const columns[] = {"A", "B", "C"}, *const list[] = {"c"};
    struct bt_data_spec choices = of(BT_EXAMPLE_CHOICES);
    choices.text_column = "q";
    refuse("c.tsv", "q\tA\tB\n?\tx\ty\n", choices, "c.tsv: no choice columns given: data.choice_columns");
    choices.choice_columns = columns;
    choices.n_choice_columns = 3;
    choices.label_column = "r";
    choices.id_column = "n";
    expect("c.tsv", "n\tq\tA\tB\tC\tr\n7\t?\tx\ty\tz\tC\n", choices, "2:?/2#7{x y z}", NULL);
    refuse("c.tsv", "n\tq\tA\tB\tC\tr\n7\t?\tx\ty\tz\tD\n", choices,
           "c.tsv:2: label 'D', expected 0 … 2 or a choice's column");
    choices.choice_columns = list;
    choices.n_choice_columns = 1;
    choices.id_column = NULL;
    expect("c.jsonl", "{\"q\": \"?\", \"c\": [\"x\", \"y\"], \"r\": 1}\n", choices, "1:?/1{x y}", NULL);
    refuse("c.jsonl",
           "{\"q\": \"?\", \"c\": [\"x\", \"y\"], \"r\": 1}\n{\"q\": \"?\", \"c\": [\"x\", \"y\", \"z\"], "
           "\"r\": 1}\n",
           choices, "c.jsonl:2: 3 choices, expected 2 as in the records before");
    refuse("c.jsonl", "{\"q\": \"?\", \"c\": [\"x\"], \"r\": 0}\n", choices,
           "c.jsonl:1: 1 choices, expected at least two");
    refuse("c.jsonl", "{\"q\": \"?\", \"r\": 0}\n", choices,
           "c.jsonl: no column 'c', did you mean 'q'? It has: q, r");
}

/* ── the rest of a line, and a part of a label ── */

static void ranges_of_columns(void **state)
{
    (void)state;
    struct bt_data_spec text = of(BT_EXAMPLE_TEXT);
    text.dialect.delimiter = ' ';
    text.text_column = "2-";
    text.label_column = "1";
    expect("t.label", "DESC:manner How did \"it go ?\nENTY:x What  is\" it ?\n", text,
           "1:How did \"it go ?/DESC:manner · 2:What  is\" it ?/ENTY:x",
           "csv: 6 columns separated by ' ', no quoting, no header, the columns from 2 on are one");
    text.label_until = ":";
    expect("t.label", "DESC:manner How did it go ?\nENTY what\n", text,
           "1:How did it go ?/DESC · 2:what/ENTY", NULL);
    refuse("t.label", "DESC:manner How did\nENTY\n", text,
           "t.label:2: found 1 column, expected 3: column 2 is missing");
    text.text_column = "9-";
    refuse("t.label", "DESC:manner How did\n", text, "t.label: no column '9-': it has 1, 2, 3 and no header");
}

/* ── plain text ── */

static void plain_text(void **state)
{
    (void)state;
    struct bt_data_spec plain = of(BT_EXAMPLE_PLAIN);
    expect("p.txt", "one, \"two\n\n  three\tfour\r\nfive", plain, "1:one, \"two · 3:  three\tfour · 4:five",
           "text: a text a line, 3 lines");
    plain.text_column = "b";
    expect("p.csv", "a,b\n1,x\n2,y\n", plain, "2:x · 3:y", NULL);
}

/* ── as tables, without knowing what they are ── */

static void recognised_as_tables(void **state)
{
    (void)state;
    expect_table("c.txt", "EU I-ORG\nrejects O\n\nPeter I-PER\n", BT_DATA_CONLL,
                 "EU rejects|I-ORG O\nPeter|I-PER");
    expect_table("s.txt", squad, BT_DATA_SQUAD, "7|who?|é: Zoë, it, now|Zoë | now\nb|why?|é: Zoë, it, now|");
    expect_table("a.txt", "the $T$\ncord\n1\na $T$ $T$\nb\n-1\n", BT_DATA_SEMEVAL,
                 "the cord|cord|1\na b b|b|-1");
    expect_table("t.tsv", "a b\tO\nc d\tX\n\ne f\tO\n", BT_DATA_TSV, "a b|O\nc d|X\ne f|O");
    expect_table("t.jsonl", "{\"data\": \"paragraphs\"}\n", BT_DATA_JSONL, "paragraphs");
}

static void searched_as_tables(void **state)
{
    (void)state;
    struct bt_table *t;
    size_t row;
    const struct bt_data_dialect any = AUTO;
    assert_int_equal(bt_table_open(file_text("s.json", squad), &any, &t, &err), BT_OK);
    struct bt_table_query q = {.needle = "why?", .column = -1};
    assert_int_equal(bt_table_search(t, &q, 0, false, 0, NULL, &row, &err), BT_OK);
    assert_int_equal(row, 1);
    q.needle = "who?";
    assert_int_equal(bt_table_search(t, &q, 1, false, 0, NULL, &row, &err), BT_NOTFOUND);
    assert_int_equal(row, 2);
    assert_int_equal(bt_table_search(t, &q, 9, true, 0, NULL, &row, &err), BT_OK);
    assert_int_equal(row, 0);
    q.needle = "zzz";
    assert_int_equal(bt_table_search(t, &q, 1, true, 0, NULL, &row, &err), BT_NOTFOUND);
    assert_int_equal(row, SIZE_MAX);
    bt_table_free(t);
    assert_int_equal(bt_table_open(file_text("c.conll", "a\tO\nb\tB-X\n\nc\tO\n"), &any, &t, &err), BT_OK);
    q.needle = "a b";
    assert_int_equal(bt_table_search(t, &q, 0, false, 0, NULL, &row, &err), BT_OK);
    assert_int_equal(row, 0);
    bt_table_free(t);
}

static void formats_and_kinds(void **state)
{
    (void)state;
    struct bt_data_spec text = of(BT_EXAMPLE_TEXT);
    text.dialect.format = BT_DATA_CONLL;
    text.text_column = "1";
    refuse("c.txt", "a O\n", text, "c.txt: data.format is conll, but this task reads tables");
    struct bt_data_spec words = of(BT_EXAMPLE_WORDS);
    words.dialect.format = BT_DATA_CSV;
    refuse("c.txt", "a,O\n", words, "c.txt: csv, but words are read from conll and jsonl files");
    assert_string_equal(bt_data_format_name(BT_DATA_SEMEVAL), "semeval");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conll_columns),        cmocka_unit_test(conll_odd_tokens),
        cmocka_unit_test(conll_refusals),       cmocka_unit_test(words_in_jsonl),
        cmocka_unit_test(squad_files),          cmocka_unit_test(squad_misaligned),
        cmocka_unit_test(squad_long_context),   cmocka_unit_test(squad_refusals),
        cmocka_unit_test(squad_nearest_of_all), cmocka_unit_test(questions_in_tables),
        cmocka_unit_test(semeval_files),        cmocka_unit_test(aspects_in_tables),
        cmocka_unit_test(plain_text),           cmocka_unit_test(label_sets),
        cmocka_unit_test(swag_files),           cmocka_unit_test(choices_in_tables),
        cmocka_unit_test(ranges_of_columns),    cmocka_unit_test(recognised_as_tables),
        cmocka_unit_test(searched_as_tables),   cmocka_unit_test(formats_and_kinds)};
    return cmocka_run_group_tests_name("readers", tests, files_make, files_remove);
}
