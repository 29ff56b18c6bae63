/* The language that finds runs, and what is known of them for it. */
#include "tests/unit/folder.h"

#include <bertty/events.h>
#include <bertty/run_filter.h>
#include <fcntl.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

static struct bt_run_list list;
static struct bt_facts *facts;

/* ── the runs ── */

static void put_events(const char *run, double accuracy, double last, double loss)
{
    struct bt_events *w;
    assert_int_equal(bt_events_open(at(run), &w, NULL), BT_OK);
    for (int i = 0; i < 100; i++) bt_events_scalar(w, "train/loss", i, 0, i < 50 ? 2 * loss : loss, NULL);
    bt_events_scalar(w, "eval/accuracy", 1, 0, accuracy, NULL);
    bt_events_scalar(w, "eval/accuracy", 2, 0, last, NULL);
    bt_events_scalar(w, "eval/loss", 1, 0, 1 - accuracy, NULL);
    bt_events_scalar(w, "eval/loss", 2, 0, 1 - last, NULL);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
}

static void put_run(const char *id, const char *members, const char *settings)
{
    char path[100], text[400];
    snprintf(path, sizeof path, "runs/%s/status.json", id);
    snprintf(text, sizeof text, "{%s}", members);
    put(path, text);
    snprintf(path, sizeof path, "runs/%s/experiment.yaml", id);
    if (settings) put(path, settings);
}

static void read_all(void)
{
    struct bt_facts_wish wish[8];
    struct bt_facts *fresh;
    struct bt_error err = {0};
    for (size_t i = 0; i < list.n; i++)
        wish[i] =
            (struct bt_facts_wish){.dir = list.run[i].dir, .need = BT_FACTS_SETTINGS | BT_FACTS_FIGURES};
    if (bt_facts_read(wish, list.n, facts, NULL, &fresh, &err) != BT_OK) fail_msg("%s", err.text);
    bt_facts_free(facts);
    facts = fresh;
}

/* a: adamw, b: sgd, c: failed early and noted, d: another tool's, damaged settings */
static int make_runs(void **state)
{
    struct bt_error err = {0};
    if (folder_make(state) != 0) return -1;
    put_run(
        "imdb-a-3f2a",
        "\"state\":\"finished\",\"started\":4000,\"best\":0.9,\"last\":0.8,\"metric\":\"accuracy\","
        "\"step\":100,\"total\":100,\"host\":\"node7\"",
        "optim: {learning_rate: 1e-3, optim: adamw}\ntrain: {seed: 1}\nmodel: {name_or_path: /m/MiniLM}\n");
    put_run("imdb-b-91bc", "\"state\":\"stopped\",\"started\":3000,\"best\":0.6,\"step\":40,\"total\":100",
            "optim: {learning_rate: 2e-5, optim: sgd}\ntrain: {seed: 2}\ndata: {strict: true}\n");
    put_run(
        "cola-c", "\"state\":\"failed\",\"started\":2000,\"error\":\"no memory left\",\"name\":\"tiny\"",
        "optim: {learning_rate: 1e-3, optim: adamw}\ntrain: {seed: 7}\nmodel: {name_or_path: /m/MiniLM}\n");
    put_run("rte-d", "\"state\":\"diverged\",\"started\":1000", "optim: {learning_rate: [\n");
    put("runs/cola-c/notes.json", "{\"tags\": [\"base\", \"Paper\"], \"note\": \"too small a batch\"}");
    put("runs/imdb-a-3f2a/notes.json", "{\"tags\": [\"base\"]}");
    put_events("runs/imdb-a-3f2a", 0.9, 0.8, 0.25);
    put_events("runs/imdb-b-91bc", 0.5, 0.6, 0.75);
    if (bt_run_list(at("runs"), NULL, &list, &err) != BT_OK) fail_msg("%s", err.text);
    assert_int_equal(list.n, 4);
    read_all();
    return 0;
}

static int remove_runs(void **state)
{
    bt_run_list_clear(&list);
    bt_facts_free(facts);
    return folder_remove(state);
}

/* ── helpers ── */

static void assert_found(const char *text, const char *expected)
{
    struct bt_run_filter *f;
    struct bt_error err = {0};
    char got[16] = "";
    size_t n = 0;
    if (bt_run_filter_parse(text, &f, &err) != BT_OK) fail_msg("%s: %s", text, err.text);
    for (size_t i = 0; i < list.n; i++) {
        struct bt_run_facts known = bt_facts_of(facts, list.run[i].dir);
        const char *id = list.run[i].id;
        if (!bt_run_filter_match(f, &list.run[i], &known, 4000 + 3600)) continue;
        got[n++] = strncmp(id, "imdb", 4) == 0 ? id[5] : id[strlen(id) - 1];
        got[n] = '\0';
    }
    if (strcmp(got, expected) != 0) fail_msg("%s: found '%s', expected '%s'", text, got, expected);
    bt_run_filter_free(f);
}

static void assert_refused(const char *text, const char *part)
{
    struct bt_run_filter *f;
    struct bt_error err = {0};
    enum bt_status st = bt_run_filter_parse(text, &f, &err);
    if (st == BT_OK) {
        st = bt_run_filter_check(f, facts, &err);
        bt_run_filter_free(f);
    }
    if (st == BT_OK) fail_msg("%s: is understood", text);
    if (!strstr(err.text, part)) fail_msg("%s: '%s' is not in '%s'", text, part, err.text);
}

/* ── tests ── */

static void plain_words(void **state)
{
    (void)state;
    assert_found("", "abcd");
    assert_found("  ", "abcd");
    assert_found("IMDB", "ab");
    assert_found("-imdb", "cd");
    assert_found("- imdb", "ab"); /* a hyphen alone is a word */
    assert_found("tiny", "c");    /* the experiment's name */
    assert_found("diver", "d");
    assert_found("\"imdb-a\"", "a");
    assert_found("\"no such\"", "");
}

static void fields(void **state)
{
    (void)state;
    assert_found("state:f", "ac");
    assert_found("state:alive", "");
    assert_found("state:ended", "abcd");
    assert_found("state=failed", "c");
    assert_found("tag:BASE", "ac");
    assert_found("tag:bas", "");
    assert_found("tag:", "ac");
    assert_found("-tag:paper tag:base", "a");
    assert_found("note:small", "c");
    assert_found("note:\"small a\"", "c");
    assert_found("note=small", "");
    assert_found("name:cola", "c");
    assert_found("name=tiny", "c");
    assert_found("host:node", "a");
    assert_found("error:memory", "c");
}

static void numbers(void **state)
{
    (void)state;
    assert_found("metric>0.6", "a");
    assert_found("-metric>0.6", "bcd");
    assert_found("metric>=0.6 -finished", "b");
    assert_found("step<50 best=0.6", "b");
    assert_found("last>0.5", "a");
    assert_found("progress<0.5", "b");
    assert_found("age>1.2", "bcd"); /* hours */
}

static void settings(void **state)
{
    (void)state;
    assert_found("cfg.learning_rate>=1e-3", "ac");
    assert_found("cfg.optim.learning_rate<1e-3", "b");
    assert_found("cfg.learning_rate=1e-3", "ac");
    assert_found("cfg.optim:sgd", "b");
    assert_found("cfg.optim.optim:adam", "ac");
    assert_found("cfg.optim=adamw", "ac");
    assert_found("cfg.name_or_path:minilm", "ac");
    assert_found("cfg.name_or_path:/^.m.mini/", "ac");
    assert_found("cfg.strict:true", "b");
    assert_found("cfg.seed:7", "c");
    assert_found("-cfg.learning_rate>=1e-3", "bd"); /* unreadable settings: none of it is true */
    assert_found("cfg.data_seed>0", "");            /* null */
}

static void figures(void **state)
{
    (void)state;
    assert_found("accuracy>0.85", "a");
    assert_found("last.accuracy>0.85", "");
    assert_found("last.accuracy<0.7", "b");
    assert_found("eval/accuracy>0.55 accuracy<0.7", "b"); /* the best, not the last: 0.6 */
    assert_found("eval/loss<0.15", "a");                  /* the best of a loss is the least */
    assert_found("train/loss<0.3", "a");
    assert_found("best.accuracy>=0.6", "ab");
    assert_found("accuracy=0.9", "a"); /* logged as a float */
}

static void expressions(void **state)
{
    (void)state;
    assert_found("/^imdb-.*(3f2a|zz)$/", "a");
    assert_found("-/^imdb/", "cd");
    assert_found("/COLA/", "c");
    assert_found("note:/small +a/", "c");
    assert_found("tag:/^p/", "c");
    assert_found("state:/^(fin|fail)/", "ac");
    assert_found("name:/a\\/b/", "");
    assert_refused("/a(/", "/a(/: ");
    assert_refused("/abc", "another one");
    assert_refused("//", "expected an expression");
    assert_refused("/a/b", "blank behind it");
    assert_refused("/(((a{200}){200}){100})/", "too large");
    assert_refused("note:/[/", "/[/: ");
    assert_found("/\\bimdb-a\\b/", "a");
    assert_found("/^(\\w*)*\\1-x$/", "");
}

static void alternatives(void **state)
{
    (void)state;
    assert_found("cola or rte", "cd");
    assert_found("cola OR rte imdb", "c");
    assert_found("(cola or imdb) tag:base", "ac");
    assert_found("-(cola or imdb)", "d");
    assert_found("(imdb -(tag:base)) or rte", "bd");
    assert_found("--imdb", "ab");
    assert_found("\"or\"", "");
    assert_found("origin", "");
    assert_refused("or", "expected a word");
    assert_refused("imdb or", "expected a word");
    assert_refused("(imdb", "expected ) at the end");
    assert_refused("()", "expected a word");
    assert_refused("\"imdb", "another one");
    char deep[100];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_refused(deep, "too many");
}

static void endless_signs(void **state)
{
    (void)state;
    size_t n = 1 << 20;
    char *text = malloc(n + 2);
    memset(text, '-', n);
    text[n] = 'x';
    text[n + 1] = '\0';
    assert_refused(text, "more than 200");
    for (size_t i = 0; i < n; i += 2) memcpy(text + i, "x ", 2);
    assert_refused(text, "more than 200");
    free(text);
}

static void mistakes(void **state)
{
    (void)state;
    assert_refused("imdb metric>x", "expected a number after metric>");
    assert_refused("metric>", "expected a number");
    assert_refused("metric>1e999", "expected a number");
    assert_refused("state:dancing", "no such state");
    assert_refused("stat:failed", "did you mean state:?");
    assert_refused("colour:red", "no such field");
    assert_refused("cfg.learnin_rate>1", "did you mean cfg.learning_rate?");
    assert_refused("cfg.optim.learning_rat>1", "did you mean cfg.optim.learning_rate?");
    assert_refused("cfg.zzzzzzzz>1", "no such option");
    assert_refused("cfg.learning_rate",
                   "expected cfg.OPTION>1"); /* while it is typed the last filter stays */
    assert_refused("cfg.optim:sdg", "none of");
    assert_refused("cfg.optim>1", "is no number");
    assert_refused("cfg.learning_rate:fast", "expected a number");
    assert_refused("acuracy>0.9", "did you mean accuracy?");
    assert_refused("speeed<3", "did you mean speed?");
    assert_refused("zzzzzzzz<3", "no run has such a figure");
}

/* What is read once is kept while the file is the same, and read again when it is not. */
static void kept_while_unchanged(void **state)
{
    (void)state;
    const char *a = list.run[0].dir;
    struct bt_run_facts before = bt_facts_of(facts, a);
    assert_string_equal(list.run[0].id, "imdb-a-3f2a");
    read_all();
    struct bt_run_facts after = bt_facts_of(facts, a);
    assert_ptr_equal(before.settings, after.settings);
    assert_ptr_equal(before.figure, after.figure);
    put("runs/imdb-a-3f2a/experiment.yaml", "optim: {learning_rate: 5.0e-1}\n");
    put_events("runs/imdb-a-3f2a", 0.95, 0.95, 0.25);
    read_all();
    assert_found("cfg.learning_rate>0.4", "a");
    assert_found("accuracy>0.92", "a");
    assert_true(bt_facts_known(facts, a, BT_FACTS_SETTINGS | BT_FACTS_FIGURES));
    assert_false(bt_facts_known(facts, "/nowhere", BT_FACTS_SETTINGS));
    assert_false(bt_facts_known(NULL, a, BT_FACTS_FIGURES));
}

static void curves(void **state)
{
    (void)state;
    struct bt_run_facts b = bt_facts_of(facts, list.run[1].dir), d = bt_facts_of(facts, list.run[3].dir);
    assert_int_equal(b.n_curve, BT_FACTS_CURVE);
    assert_true(fabsf(b.curve[0] - 1.5f) < 1e-6f && fabsf(b.curve[63] - 0.75f) < 1e-6f);
    assert_int_equal(d.n_curve, 0);
    assert_null(d.settings);
}

static void add_loss(const char *run, int from, int to, double loss)
{
    struct bt_events *w;
    assert_int_equal(bt_events_open(at(run), &w, NULL), BT_OK);
    for (int i = from; i < to; i++) bt_events_scalar(w, "train/loss", i, 0, loss, NULL);
    assert_int_equal(bt_events_close(w, NULL), BT_OK);
}

static double last_loss(void)
{
    const struct bt_run_facts f = bt_facts_of(facts, list.run[0].dir);
    return bt_run_figure(&f, "train/loss")->last;
}

/* Of a run that is written what is new is read; what takes its file's place, from its beginning. */
static void growing(void **state)
{
    static const char run[] = "runs/imdb-a-3f2a";
    (void)state;
    for (int i = 1; i < 40; i++) {
        add_loss(run, 100 * i, 100 * i + 100, i);
        if (i % 13 == 12)
            for (int quiet = 0; quiet < 35; quiet++) read_all(); /* it is taken for ended, and goes on */
        struct bt_facts *before = facts;
        facts = NULL;
        const struct bt_facts_wish wish = {.dir = list.run[0].dir, .need = BT_FACTS_FIGURES};
        assert_int_equal(bt_facts_read(&wish, 1, before, NULL, &facts, NULL), BT_OK);
        assert_true(last_loss() == i);
        bt_facts_free(before); /* the newer one does not need it */
        assert_true(bt_facts_of(facts, list.run[0].dir).curve[0] < 1.0f + (float)i);
    }
    char *gone = strdup(at(run)), command[400];
    snprintf(command, sizeof command, "rm -f %s/events*", gone);
    assert_int_equal(system(command), 0);
    free(gone);
    add_loss(run, 0, 10, 77);
    read_all();
    assert_true(last_loss() == 77);
    assert_int_equal(bt_facts_of(facts, list.run[0].dir).n_curve, 10);
}

static void odd_files(void **state)
{
    (void)state;
    assert_int_equal(unlink(at("runs/cola-c/experiment.yaml")), 0);
    assert_int_equal(mkfifo(at("runs/cola-c/experiment.yaml"), 0600), 0);
    read_all();
    assert_null(bt_facts_of(facts, list.run[2].dir).settings);
    atomic_bool stop = true;
    struct bt_facts *none;
    const struct bt_facts_wish wish = {.dir = list.run[0].dir, .need = BT_FACTS_FIGURES};
    assert_int_equal(bt_facts_read(&wish, 1, NULL, &stop, &none, NULL), BT_CANCELLED);
    assert_null(none);
}

static void assert_completes(const char *before, const char *expected)
{
    struct bt_str out = {0};
    bt_run_filter_complete(before, &list, facts, &out);
    if (!strstr(bt_str_text(&out), expected)) fail_msg("%s: '%s' not in '%s'", before, expected, out.data);
    for (const char *p = bt_str_text(&out); *p; p += strcspn(p, "\n") + 1)
        if (strncasecmp(p, before, strlen(before)) != 0) fail_msg("%s: completes to %s", before, p);
    bt_str_free(&out);
}

static void completion(void **state)
{
    (void)state;
    struct bt_str out = {0};
    assert_completes("", "state:\ntag:\n");
    assert_completes("", "\naccuracy\n");
    assert_completes("imdb -st", "imdb -state:\nimdb -step>\n");
    assert_completes("(state:fin", "(state:finished\n");
    assert_completes("tag:", "tag:base\ntag:Paper\n");
    assert_completes("cfg.learn", "cfg.learning_rate\n");
    assert_completes("cfg.optim.lea", "cfg.optim.learning_rate\n");
    assert_completes("cfg.optim:s", "cfg.optim:sgd\n");
    assert_completes("cfg.strict:", "cfg.strict:true\ncfg.strict:false\n");
    assert_completes("last.acc", "last.accuracy\n");
    assert_completes("eval/", "eval/accuracy\neval/loss\n");
    bt_run_filter_complete("nothing:", &list, NULL, &out);
    assert_int_equal(out.len, 0);
    bt_str_free(&out);
}

static void hidden_is_asked_for(void **state)
{
    (void)state;
    static const char *const text[] = {"tag:hidden", "-tag:Hidden imdb", "tag:base", ""};
    for (int i = 0; i < 4; i++) {
        struct bt_run_filter *f;
        assert_int_equal(bt_run_filter_parse(text[i], &f, NULL), BT_OK);
        assert_int_equal(bt_run_filter_hidden(f), i < 2);
        bt_run_filter_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_words),
                                       cmocka_unit_test(fields),
                                       cmocka_unit_test(numbers),
                                       cmocka_unit_test(settings),
                                       cmocka_unit_test(figures),
                                       cmocka_unit_test(expressions),
                                       cmocka_unit_test(alternatives),
                                       cmocka_unit_test(endless_signs),
                                       cmocka_unit_test(mistakes),
                                       cmocka_unit_test(completion),
                                       cmocka_unit_test(curves),
                                       cmocka_unit_test(hidden_is_asked_for),
                                       cmocka_unit_test(kept_while_unchanged),
                                       cmocka_unit_test(growing),
                                       cmocka_unit_test(odd_files)};
    return cmocka_run_group_tests_name("run_filter", tests, make_runs, remove_runs);
}
