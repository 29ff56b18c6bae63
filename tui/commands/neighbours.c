/* bertty neighbours */
#include "tui/commands/cli.h"
#include "tui/commands/cli_predictor.h"
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/neighbours.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "The rows that are most like a text in a model's eyes: by the cosine of what its last layer makes of "
    "them, at [CLS] or as the mean over the\n"
    "tokens. What training rows stand nearby, and how they are labelled, often says why a model thinks so.\n"
    "--across finds what two splits share but for a comma: for each row of one the nearest of the other, "
    "from --min on. Of one split with itself: rows\n"
    "that stand there twice.\n"
    "SPLIT is train, validation or test of a run's data; a FILE is read as that data is (else: a text a "
    "line, a tab before its pair). Vectors of rows are\n"
    "kept in ${XDG_CACHE_HOME:-~/.cache}/bertty/vectors, the 16 that were made last. RUN and MODEL are those "
    "of `bertty predict`; a MODEL need not be\n"
    "trained for anything.\n";

enum { TEXT_COLUMNS = 90, PAIR_COLUMNS = 52 };

struct request {
    bool json;
    const char *text, *pair, *in, *across, *runs;
    int64_t k, threads;
    int pooling;
    double min;
};

/* Rows that are compared. */
struct rows {
    const char *name;
    struct bt_examples *e;
    struct bt_vectors *v;
};

struct work {
    struct cli_predictor of;
    const struct request *q;
    struct rows in, across;
    const char *reading; /* whose vectors are being made */
    atomic_bool cancel;
};

/* ── rows ── */

static bool is_split(const struct work *w, const char *name)
{
    return w->of.model.run &&
           (strcmp(name, "train") == 0 || strcmp(name, "validation") == 0 || strcmp(name, "test") == 0);
}

static enum bt_status load(const struct work *w, struct rows *r, struct bt_error *err)
{
    if (!is_split(w, r->name)) return cli_examples_load(w->of.p, r->name, true, &r->e, err);
    const struct bt_data_spec spec = bt_experiment_split(bt_predictor_experiment(w->of.p), r->name);
    if (!spec.n_files)
        return bt_fail(err, BT_NOTFOUND, "the run's experiment names no file for its %s split", r->name);
    return bt_examples_load(&spec, &r->e, err);
}

static void progress(void *ctx, size_t done, size_t rows)
{
    struct work *w = ctx;
    if (cli_interrupted()) atomic_store(&w->cancel, true);
    cli_progress("%s: vectors of %zu of %zu rows", w->reading, done, rows);
}

static enum bt_status vectors(struct work *w, struct rows *r, struct bt_error *err)
{
    const struct bt_vectors_spec spec = {.pooling = (enum bt_vector_pooling)w->q->pooling,
                                         .keep = true,
                                         .cancel = &w->cancel,
                                         .progress = progress,
                                         .ctx = w};
    enum bt_status st = load(w, r, err);
    w->reading = r->name;
    if (!st) st = bt_vectors_of_rows(w->of.p, r->e, &spec, &r->v, err);
    cli_progress(NULL);
    return st;
}

/* ── what is told of one ── */

static void text_cell(struct cli_table *t, const struct bt_example *x, int columns)
{
    struct bt_str text = {.len = 0};
    bt_example_text(x, &text);
    cli_table_text(t, bt_str_text(&text), text.len, columns);
    bt_str_free(&text);
}

static void json_row(struct bt_json_writer *j, const struct rows *r, size_t row)
{
    const struct bt_example *x = bt_examples_at(r->e, row);
    struct bt_str text = {.len = 0};
    bt_example_text(x, &text);
    bt_jw_object(j);
    bt_jw_kint(j, "row", (int64_t)row + 1);
    bt_jw_kint(j, "line", (int64_t)x->line);
    if (x->label) bt_jw_ktext(j, "label", x->label);
    bt_jw_ktext(j, "text", bt_str_text(&text));
    bt_jw_end_object(j);
    bt_str_free(&text);
}

/* ── near a text ── */

static void near_json(const struct work *w, const struct bt_neighbour *found, size_t n)
{
    struct bt_str text = {.len = 0};
    for (size_t i = 0; i < n; i++) {
        struct bt_json_writer j = BT_JSON_WRITER(&text);
        bt_jw_object(&j);
        bt_jw_knum(&j, "cosine", found[i].cosine);
        bt_jw_key(&j, "neighbour");
        json_row(&j, &w->in, found[i].row);
        bt_jw_end_object(&j);
        cli_json(&text);
    }
    bt_str_free(&text);
}

/* "pos 8, neg 2", the most frequent first, of as many labels as are told apart. */
static void tell_labels(const struct work *w, const struct bt_neighbour *found, size_t n)
{
    struct bt_str line = {.len = 0};
    bool *told = calloc(n + 1, sizeof *told);
    for (size_t left = told ? n : 0, most = left; most > 0; most--)
        for (size_t i = 0; i < n; i++) {
            const char *label = bt_examples_at(w->in.e, found[i].row)->label;
            size_t same = 0;
            for (size_t k = 0; label && !told[i] && k < n; k++) {
                const char *other = bt_examples_at(w->in.e, found[k].row)->label;
                same += other && strcmp(label, other) == 0;
            }
            if (same != most) continue;
            for (size_t k = i; k < n; k++) {
                const char *other = bt_examples_at(w->in.e, found[k].row)->label;
                told[k] |= other && strcmp(label, other) == 0;
            }
            bt_str_addf(&line, "%s%s %zu", line.len ? ", " : "labels: ", label, same);
        }
    if (line.len) cli_line("%s", bt_str_text(&line));
    bt_str_free(&line);
    free(told);
}

static void near_text(const struct work *w, const struct bt_neighbour *found, size_t n)
{
    static const char *const titles[] = {"cosine", "row", "label", "text"};
    struct cli_table t = {.columns = 4, .right = 1u << 0 | 1u << 1};
    cli_line("%zu nearest of %zu rows of %s", n, w->in.v->n, w->in.name);
    for (size_t i = 0; i < t.columns; i++) cli_table_cell(&t, "%s", titles[i]);
    for (size_t i = 0; i < n; i++) {
        const struct bt_example *x = bt_examples_at(w->in.e, found[i].row);
        cli_table_cell(&t, "%.3f", found[i].cosine);
        cli_table_cell(&t, "%zu", found[i].row + 1);
        cli_table_text(&t, x->label ? x->label : "", x->label ? x->label_n : 0, 20);
        text_cell(&t, x, TEXT_COLUMNS);
    }
    cli_table_print(&t);
    tell_labels(w, found, n);
}

static enum bt_status find_near(struct work *w, struct bt_error *err)
{
    const struct request *q = w->q;
    const struct bt_input in = {
        .text = q->text, .text_n = strlen(q->text), .pair = q->pair, .pair_n = q->pair ? strlen(q->pair) : 0};
    struct bt_vectors *of = NULL;
    struct bt_neighbour *found = calloc((size_t)q->k, sizeof *found);
    enum bt_status st =
        found ? vectors(w, &w->in, err) : bt_fail(err, BT_NOMEM, "no memory for %lld rows", (long long)q->k);
    if (!st) st = bt_vectors_of_input(w->of.p, &in, (enum bt_vector_pooling)q->pooling, &of, err);
    const size_t n = st ? 0 : bt_neighbours_find(w->in.v, of->v, (size_t)q->k, found);
    if (!st) (q->json ? near_json : near_text)(w, found, n);
    bt_vectors_free(of);
    free(found);
    return st;
}

/* ── across two splits ── */

struct twins {
    size_t a, b;
    double cosine;
};

static int nearer_first(const void *pa, const void *pb)
{
    const struct twins *x = pa, *y = pb;
    if (x->cosine != y->cosine) return x->cosine < y->cosine ? 1 : -1;
    return (x->a > y->a) - (x->a < y->a);
}

/* Those from --min on, the nearest first; of a split with itself each pair once. */
static size_t take_twins(const struct work *w, const struct bt_neighbour *each, bool itself, struct twins *to)
{
    size_t n = 0;
    for (size_t i = 0; i < w->across.v->n; i++) {
        const struct bt_neighbour *x = &each[i];
        const bool again = itself && x->row < i && each[x->row].row == i;
        if (x->cosine >= w->q->min && !again)
            to[n++] = (struct twins){.a = i, .b = x->row, .cosine = x->cosine};
    }
    if (n) qsort(to, n, sizeof *to, nearer_first);
    return n;
}

static void across_json(const struct work *w, const struct twins *pair, size_t n, size_t all)
{
    struct bt_str text = {.len = 0};
    for (size_t i = 0; i < n; i++) {
        struct bt_json_writer j = BT_JSON_WRITER(&text);
        bt_jw_object(&j);
        bt_jw_knum(&j, "cosine", pair[i].cosine);
        bt_jw_key(&j, "row");
        json_row(&j, &w->across, pair[i].a);
        bt_jw_key(&j, "neighbour");
        json_row(&j, &w->in, pair[i].b);
        bt_jw_end_object(&j);
        cli_json(&text);
    }
    struct bt_json_writer j = BT_JSON_WRITER(&text);
    bt_jw_object(&j);
    bt_jw_kint(&j, "rows", (int64_t)w->across.v->n);
    bt_jw_kint(&j, "near", (int64_t)all);
    bt_jw_end_object(&j);
    cli_json(&text);
    bt_str_free(&text);
}

static void across_text(const struct work *w, const struct twins *pair, size_t n, size_t all)
{
    static const char *const titles[] = {"cosine", "row", "label", "text", "near", "label", "text"};
    struct cli_table t = {.columns = 7, .right = 1u << 0 | 1u << 1 | 1u << 4};
    cli_line("%zu %s of %zu rows of %s at %.3g or more", all,
             all == 1 ? "is near another" : "are near others", w->across.v->n, w->across.name, w->q->min);
    for (size_t i = 0; n && i < t.columns; i++) cli_table_cell(&t, "%s", titles[i]);
    for (size_t i = 0; i < n; i++) {
        const struct bt_example *x = bt_examples_at(w->across.e, pair[i].a),
                                *y = bt_examples_at(w->in.e, pair[i].b);
        cli_table_cell(&t, "%.3f", pair[i].cosine);
        cli_table_cell(&t, "%zu", pair[i].a + 1);
        cli_table_text(&t, x->label ? x->label : "", x->label ? x->label_n : 0, 12);
        text_cell(&t, x, PAIR_COLUMNS);
        cli_table_cell(&t, "%zu", pair[i].b + 1);
        cli_table_text(&t, y->label ? y->label : "", y->label ? y->label_n : 0, 12);
        text_cell(&t, y, PAIR_COLUMNS);
    }
    cli_table_print(&t);
}

/* The same split or file under whatever name; a validation split that is cut off the training data has its rows. */
static bool same_rows(const struct work *w)
{
    const char *a = w->in.name, *b = w->across.name;
    if (strcmp(a, b) == 0) return true;
    if (!is_split(w, a) || !is_split(w, b)) return bt_same_file(a, b);
    const struct bt_experiment *x = bt_predictor_experiment(w->of.p);
    const struct bt_data_spec p = bt_experiment_split(x, a), q = bt_experiment_split(x, b);
    if (p.n_files != q.n_files) return false;
    for (size_t i = 0; i < p.n_files; i++)
        if (!bt_same_file(p.files[i], q.files[i])) return false;
    return true;
}

static enum bt_status find_across(struct work *w, struct bt_error *err)
{
    const bool itself = same_rows(w);
    enum bt_status st = vectors(w, &w->in, err);
    if (!st) st = vectors(w, &w->across, err);
    const size_t rows = st ? 0 : w->across.v->n;
    struct bt_neighbour *each = calloc(rows + 1, sizeof *each);
    struct twins *pair = calloc(rows + 1, sizeof *pair);
    if (!st && (!each || !pair)) st = bt_fail(err, BT_NOMEM, "no memory for %zu rows", rows);
    if (!st) st = bt_neighbours_each(w->across.v, w->in.v, itself, &w->cancel, each, err);
    if (!st) {
        const size_t all = take_twins(w, each, itself, pair),
                     n = w->q->k && all > (size_t)w->q->k ? (size_t)w->q->k : all;
        (w->q->json ? across_json : across_text)(w, pair, n, all);
    }
    free(pair);
    free(each);
    return st;
}

/* ── the command ── */

static void close_rows(struct rows *r)
{
    bt_vectors_free(r->v);
    bt_examples_free(r->e);
}

static int run(const struct cli_args *args, const struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct work w = {.q = q, .in.name = q->in ? q->in : "train", .across.name = q->across};
    atomic_init(&w.cancel, false);
    enum bt_status st = cli_predictor_open(&w.of, q->runs, args->v[0], q->threads, true, &err);
    if (!st && !q->in && !w.of.model.run)
        st = bt_fail(&err, BT_INVALID, "%s is no run, it has no training data: expected --in FILE",
                     args->v[0]);
    cli_catch_interrupts();
    if (!st) st = q->text ? find_near(&w, &err) : find_across(&w, &err);
    close_rows(&w.in);
    close_rows(&w.across);
    cli_predictor_close(&w.of);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_neighbours(int argc, char **argv)
{
    struct request q = {.min = 0.95};
    const struct cli_option options[] = {
        CLI_TEXT("text", 't', "TEXT", &q.text, "the text"),
        CLI_TEXT("pair", 'p', "TEXT", &q.pair, "its second text"),
        CLI_TEXT("across", 'a', "SPLIT", &q.across, "the neighbour of each row of this split or file"),
        CLI_TEXT("in", 'i', "SPLIT", &q.in, "among the rows of this split or file (default: train)"),
        CLI_INT("top", 'k', "N", &q.k, 1, 1000000, "no more than so many (default: 10; --across: all)"),
        CLI_REAL("min", 0, "X", &q.min, -1.0, 1.0, "--across: the least cosine (default: 0.95)"),
        CLI_CHOICE("pooling", 0, &q.pooling, bt_vector_poolings,
                   "auto (as the model's head reads), cls or mean"),
        CLI_INT("threads", 0, "N", &q.threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "neighbours", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (!q.text == !q.across)
        return cli_misuse("neighbours", "expected --text or --across%s", q.text ? ", not both" : "");
    if (q.pair && !q.text) return cli_misuse("neighbours", "--pair was given without --text");
    if (q.text && !q.k) q.k = 10;
    return run(&args, &q);
}
