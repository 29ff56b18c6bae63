/* bertty annotate */
#include "tui/commands/cli_run.h"
#include "tui/commands/cli_signed.h"
#include <bertty/num.h>
#include <bertty/row_notes.h>
#include <stdlib.h>
#include <string.h>

static const char about[] = "+TAG gives the rows of a split a tag, -TAG takes it away, --note TEXT notes "
                            "something (\"\": nothing any more); without these the\n"
                            "rows' tags and notes are printed, without a ROW those of all rows that have "
                            "some. They stand in the run's directory beside\n"
                            "its predictions, and are about the version of the data that the run was "
                            "evaluated on. `bertty predictions RUN --tag TAG`\n"
                            "shows the rows; its lines have the columns tags and note then.\n";

struct request {
    const char *runs, *split, *note;
    bool json;
    int64_t *row;
    size_t n;
};

static void tell_one(const struct request *q, int64_t row, const struct bt_notes *n)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    if (q->json) {
        bt_jw_object(&w);
        bt_jw_kint(&w, "row", row);
        cli_notes_json(&w, n);
        bt_jw_end_object(&w);
        cli_json(&out);
    } else {
        cli_run_tags(&out, n);
        cli_line("%lld  %s%s%s", (long long)row, bt_str_text(&out), n->note ? "  " : "",
                 n->note ? n->note : "");
    }
    bt_str_free(&out);
}

static void tell_sum(const struct request *q, const struct bt_row_notes *all)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "split", q->split);
    bt_jw_ktext(&w, "data", *all->data ? all->data : NULL);
    bt_jw_kint(&w, "rows", (int64_t)all->n);
    bt_jw_kint(&w, "of_other_data", (int64_t)all->others);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void tell(const struct request *q, const struct bt_row_notes *all)
{
    static const struct bt_notes none = {.n_tags = 0};
    for (size_t i = 0; i < q->n; i++) {
        const struct bt_notes *n = bt_row_notes_of(all, q->row[i]);
        tell_one(q, q->row[i], n ? n : &none);
    }
    for (size_t i = 0; !q->n && i < all->n; i++) tell_one(q, all->item[i].row, &all->item[i].notes);
    if (q->json) tell_sum(q, all);
    if (!q->json && all->others)
        cli_warn("%zu rows of another version of the data are not told", all->others);
}

/* A row that the run has not predicted is a mistake of whoever names it. */
static enum bt_status check_rows(const struct request *q, const char *dir, struct bt_error *err)
{
    struct bt_predictions *p = NULL;
    enum bt_status st = bt_predictions_load(dir, q->split, -1, &p, err);
    for (size_t i = 0; i < q->n && !st; i++) {
        size_t k = 0;
        while (k < p->n && p->row[k].id != q->row[i]) k++;
        if (k == p->n)
            st = bt_fail(err, BT_NOTFOUND, "%s: its predictions of the %s split have no row %lld", dir,
                         q->split, (long long)q->row[i]);
    }
    bt_predictions_free(p);
    return st;
}

static int annotate(const struct request *q, const struct cli_signed *w, const char *name)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_row_notes all = {.n = 0};
    const struct bt_notes_change c = {
        .add = w->add, .n_add = w->n_add, .drop = w->drop, .n_drop = w->n_drop, .note = q->note};
    const bool change = w->n_add + w->n_drop > 0 || q->note;
    char *dir = NULL;
    enum bt_status st = cli_run_find(q->runs, name, &dir, &err);
    if (!st && change) st = check_rows(q, dir, &err);
    if (!st)
        st = change ? bt_row_notes_change(dir, q->split, q->row, q->n, &c, &all, &err)
                    : bt_row_notes_load(dir, q->split, &all, &err);
    if (!st) tell(q, &all);
    bt_row_notes_clear(&all);
    free(dir);
    return st ? cli_fail(&err) : CLI_DONE;
}

static bool take_rows(struct request *q, const struct cli_args *args, int *code)
{
    q->row = calloc((size_t)args->n, sizeof *q->row);
    for (int i = 1; q->row && i < args->n; i++) {
        if (!bt_parse_int64(args->v[i], &q->row[q->n]) || q->row[q->n] < 1) {
            *code = cli_misuse("annotate", "%s: expected the number of a row, +TAG or -TAG", args->v[i]);
            return false;
        }
        q->n++;
    }
    return q->row != NULL;
}

static int run(const struct cli_signed *w)
{
    struct request q = {.runs = "runs", .split = "validation"};
    const struct cli_option options[] = {
        CLI_TEXT("note", 0, "TEXT", &q.note, "a note about the rows, in place of the one before"),
        CLI_TEXT("split", 0, "NAME", &q.split, "whose rows: validation, test (default: validation)"),
        CLI_JSON(&q.json),
        CLI_RUNS(&q.runs),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "annotate", .about = about, .options = options, .min_args = 1, .max_args = -1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, w->n_rest, w->rest, &args, &code)) return code;
    code = CLI_FAILED;
    if (take_rows(&q, &args, &code)) {
        const bool change = w->n_add + w->n_drop > 0 || q.note;
        code = change && !q.n ? cli_misuse("annotate", "which rows? Name their numbers behind the run")
                              : annotate(&q, w, args.v[0]);
    }
    free(q.row);
    return code;
}

int cmd_annotate(int argc, char **argv)
{
    static const char *const valued[] = {"--note", "--split", "--runs", NULL};
    struct cli_signed w;
    bool fine = cli_signed_sort(argc, argv, valued, &w);
    int code = fine ? run(&w) : cli_fail(&(struct bt_error){.status = BT_NOMEM, .text = "out of memory"});
    cli_signed_free(&w);
    return code;
}
