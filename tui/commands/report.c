/* bertty report */
#include "tui/report.h"
#include "tui/commands/compare_pair.h"
#include <bertty/file.h>
#include <stdlib.h>

static const char about[] = "A comparison for people who are not at the terminal: the settings that differ, "
                            "the metrics with the best marked,\n"
                            "curves, for two runs flips, tests and slices as in `bertty compare`, and the "
                            "worst examples. The page is one file that\n"
                            "needs no network and no scripts, light or dark as the reader's system is. One "
                            "run alone will do; RUN@400 is one\n"
                            "of its checkpoints.\n";

struct request {
    bool text;
    const char *split, *to;
    struct cli_list slices;
    struct bt_run_at *run; /* [n], ours */
    size_t n;
};

static void tell_examples(const struct report_rows *rows)
{
    struct bt_str text = {0};
    cli_line("%s", "");
    cli_line("%s%s%s, %zu of %zu", rows->title, rows->run ? ": " : "", rows->run ? rows->run : "", rows->n,
             rows->of);
    for (size_t i = 0; i < rows->n; i++) {
        const struct bt_pair_row *x = &rows->pairing->row[rows->row[i]];
        bt_str_clear(&text);
        report_row_text(rows, i, &text);
        if (rows->run)
            cli_line("  row %lld  gold %s  predicted %s", (long long)x->id, x->gold, x->first);
        else
            cli_line("  row %lld  gold %s  A %s  B %s", (long long)x->id, x->gold, x->first, x->second);
        if (text.len) cli_line("    %s", bt_str_text(&text));
    }
    bt_str_free(&text);
}

static void tell_text(const struct report *r)
{
    compare_tell(r->compare);
    if (r->versus.pairing) compare_pair_tell(&r->versus, false);
    for (size_t i = 0; i < r->n_rows; i++) tell_examples(&r->rows[i]);
}

static int write_page(const struct report *r, const char *to)
{
    struct bt_str page = {0};
    struct bt_error err = {0};
    enum bt_status status = BT_OK;
    report_html(r, &page);
    if (page.failed)
        status = bt_fail(&err, BT_NOMEM, "no memory for the report");
    else if (to)
        status = bt_file_write_atomic(to, page.data, page.len, &err);
    else
        cli_raw(page.data, page.len);
    bt_str_free(&page);
    return status == BT_OK ? CLI_DONE : cli_fail(&err);
}

static int report(const struct request *q)
{
    struct report *r;
    struct bt_error err = {0};
    const struct bt_versus_request asked = {
        .split = q->split, .expression = q->slices.item, .expressions = q->slices.n};
    int code = CLI_DONE;
    if (report_load(q->run, q->n, &asked, NULL, &r, &err) != BT_OK) return cli_fail(&err);
    if (q->text)
        tell_text(r);
    else
        code = write_page(r, q->to);
    report_free(r);
    return code;
}

int cmd_report(int argc, char **argv)
{
    const char *runs = "runs";
    struct request q = {0};
    const struct cli_option options[] = {
        CLI_RUNS(&runs),
        CLI_TEXT("out", 'o', "FILE", &q.to, "where to (default: standard output)"),
        CLI_FLAG("text", 't', &q.text, "as plain text, without the curves"),
        CLI_TEXT("split", 's', "NAME", &q.split, "whose predictions (default: the first that all have)"),
        CLI_LIST("slice", 0, "FILTER", &q.slices, "of two runs: the rows that it holds for, as a slice"),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "report", .about = about, .options = options, .min_args = 1, .max_args = -1};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code)) {
        if (q.text && q.to)
            code = cli_misuse("report", "--out is for the page: of --text redirect the output");
        else
            code = compare_find("report", runs, &args, &q.run, &q.n);
        if (code == CLI_DONE) code = report(&q);
    }
    compare_found_free(q.run, q.n);
    free(q.slices.item);
    return code;
}
