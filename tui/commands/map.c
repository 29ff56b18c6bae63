/* bertty map */
#include "tui/commands/cli_run.h"
#include <bertty/data_map.h>
#include <bertty/num.h>
#include <bertty/pair_slices.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static const char about[] = "The data map of a run (Swayamdipta et al. 2020): for each training row the mean "
                            "and the standard deviation of p(gold) over the\n"
                            "epochs (confidence, variability), the share of epochs in which it was right, "
                            "and how often it was forgotten: right in\n"
                            "one epoch, wrong in the next (Toneva et al. 2019). The third that varies most "
                            "is ambiguous; the rest is easy-to-learn from\n"
                            "a confidence of 0.5 on, else hard-to-learn. A line each with tabs, or JSON; the "
                            "last line of --json counts the regions.\n";

enum order { BY_ROW, BY_CONFIDENCE, BY_VARIABILITY, BY_CORRECTNESS, BY_FORGOTTEN };
static const char *const order_names[] = {"row",         "confidence", "variability",
                                          "correctness", "forgotten",  NULL};
static const char *const region_names[] = {"all", "easy-to-learn", "ambiguous", "hard-to-learn",
                                           NULL}; /* all, then enum bt_map_region */

struct request {
    const char *runs;
    int region, sort;
    int64_t most;
    bool json;
};

/* ── which, in which order ── */

struct keyed {
    double key;
    const struct bt_map_row *row;
};

static double key_of(const struct bt_map_row *r, int order)
{
    switch (order) {
    case BY_CONFIDENCE:
        return r->confidence;
    case BY_VARIABILITY:
        return -r->variability;
    case BY_CORRECTNESS:
        return r->correctness;
    case BY_FORGOTTEN: /* what was never learnt first */
        return r->learnt ? -(double)r->forgotten : (double)-INFINITY;
    default:
        return (double)r->id;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->row->id < y->row->id ? -1 : x->row->id > y->row->id;
}

static size_t choose(const struct request *q, const struct bt_map *m, struct keyed *all)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct bt_map_row *r = &m->row[i];
        if (!r->epochs || (q->region && (int)r->region != q->region - 1)) continue;
        all[n++] = (struct keyed){.key = key_of(r, q->sort), .row = r};
    }
    if (n) qsort(all, n, sizeof *all, by_key);
    return q->most && n > (size_t)q->most ? (size_t)q->most : n;
}

/* ── telling ── */

static const struct bt_example *example(const struct bt_examples *e, const struct bt_map_row *r)
{
    return e && r->id >= 1 && (uint64_t)r->id <= bt_examples_count(e) ? bt_examples_at(e, (size_t)r->id - 1)
                                                                      : NULL;
}

/* Of a sentence the words. */
static void add_text(struct bt_str *out, const struct bt_example *x)
{
    if (x && x->text) bt_str_addn(out, x->text, x->text_n);
    for (uint32_t i = 0; x && !x->text && i < x->parts; i++)
        bt_str_addf(out, "%s%s", i ? " " : "", x->part[i].text);
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] == '\t' || out->data[i] == '\n' || out->data[i] == '\r') out->data[i] = ' ';
}

static void tell_line(const struct bt_map_row *r, const struct bt_example *x, struct bt_str *out)
{
    const double figure[] = {r->confidence, r->variability, r->correctness};
    char text[BT_NUMBER_SIZE];
    struct bt_str words = {0};
    bt_str_clear(out);
    bt_str_addf(out, "%" PRId64 "\t%s", r->id, bt_map_region_name(r->region));
    for (size_t i = 0; i < 3; i++) bt_str_addf(out, "\t%s", bt_format_double(figure[i], text));
    bt_str_addf(out, "\t%d\t%d\t%s\t", r->forgotten, r->epochs, x && x->label ? x->label : "");
    add_text(&words, x);
    bt_str_add(out, bt_str_text(&words));
    cli_data(bt_str_text(out), out->len);
    bt_str_free(&words);
}

static void json_line(const struct bt_map *m, const struct bt_map_row *r, const struct bt_example *x,
                      struct bt_str *out)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    struct bt_str words = {0};
    const float *p = m->p + (size_t)(r - m->row) * m->n_epochs;
    bt_jw_object(&w);
    bt_jw_kint(&w, "id", r->id);
    bt_jw_ktext(&w, "region", bt_map_region_name(r->region));
    bt_jw_knum(&w, "confidence", r->confidence);
    bt_jw_knum(&w, "variability", r->variability);
    bt_jw_knum(&w, "correctness", r->correctness);
    bt_jw_kint(&w, "forgotten", r->forgotten);
    bt_jw_kbool(&w, "learnt", r->learnt);
    bt_jw_kint(&w, "epochs", r->epochs);
    bt_jw_key(&w, "p");
    bt_jw_array(&w);
    for (size_t e = 0; e < m->n_epochs; e++) bt_jw_float(&w, p[e]);
    bt_jw_end_array(&w);
    if (x && x->label) bt_jw_ktext(&w, "label", x->label);
    add_text(&words, x);
    if (x) bt_jw_ktext(&w, "text", bt_str_text(&words));
    bt_jw_end_object(&w);
    cli_json(out);
    bt_str_free(&words);
}

static void json_sum(const struct bt_map *m, size_t shown)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "rows", (int64_t)m->n);
    bt_jw_kint(&w, "shown", (int64_t)shown);
    bt_jw_kint(&w, "epochs", (int64_t)m->n_epochs);
    bt_jw_knum(&w, "ambiguous_from", m->limit);
    bt_jw_key(&w, "regions");
    bt_jw_object(&w);
    for (int i = 0; i < BT_MAP_REGIONS; i++)
        bt_jw_kint(&w, bt_map_region_name((enum bt_map_region)i), (int64_t)m->count[i]);
    bt_jw_end_object(&w);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static const char header[] =
    "id\tregion\tconfidence\tvariability\tcorrectness\tforgotten\tepochs\tlabel\ttext";

static enum bt_status tell(const struct request *q, const struct bt_map *m, const struct bt_texts *texts,
                           struct bt_error *err)
{
    struct keyed *all = calloc(m->n + 1, sizeof *all);
    struct bt_str out = {0};
    if (!all) return bt_fail(err, BT_NOMEM, "no memory for %zu rows", m->n);
    const size_t n = choose(q, m, all);
    if (!q->json) cli_data(header, sizeof header - 1);
    for (size_t i = 0; i < n && !cli_output_gone(); i++) {
        const struct bt_example *x = example(texts->examples, all[i].row);
        if (q->json)
            json_line(m, all[i].row, x, &out);
        else
            tell_line(all[i].row, x, &out);
    }
    if (q->json) json_sum(m, n);
    bt_str_free(&out);
    free(all);
    return BT_OK;
}

/* ── the command ── */

static int run(const struct request *q, const char *name)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_map *m = NULL;
    struct bt_texts texts = {.n_files = 0};
    char *dir = NULL;
    enum bt_status st = cli_run_find(q->runs, name, &dir, &err);
    if (!st) st = bt_map_load(dir, &m, &err);
    if (!st) bt_texts_load(dir, "train", 0, &texts);
    if (!st && !texts.examples) cli_warn("no texts: %s", texts.err.text);
    if (!st) st = tell(q, m, &texts, &err);
    bt_texts_clear(&texts);
    bt_map_free(m);
    free(dir);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_map(int argc, char **argv)
{
    struct request q = {.runs = "runs"};
    const struct cli_option options[] = {
        CLI_CHOICE("region", 0, &q.region, region_names, "only rows of one region (default: all)"),
        CLI_CHOICE("sort", 0, &q.sort, order_names, "the oddest first (default: row)"),
        CLI_INT("rows", 'n', "N", &q.most, 1, 1000000000, "no more than N (default: all)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "map", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    return cli_parse(&spec, argc, argv, &args, &code) ? run(&q, args.v[0]) : code;
}
