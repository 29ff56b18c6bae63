#include "tui/commands/show_batch.h"

#include "tui/batch_rows.h"
#include "tui/commands/cli.h"
#include "tui/plot.h"
#include <bertty/json.h>
#include <bertty/num.h>
#include <bertty/text.h>
#include <math.h>
#include <string.h>

enum { TEXT_WIDTH = 72, GOLD_WIDTH = 24 };

static bool number(const char *text, size_t n, int64_t *out)
{
    char digits[20];
    if (n == 0 || n >= sizeof digits || strspn(text, "0123456789") < n) return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    return bt_parse_int64(digits, out) && *out > 0;
}

bool show_batch_steps(const char *steps, int64_t *first, int64_t *last)
{
    const char *dash = strchr(steps, '-');
    *last = 0;
    if (!dash) return number(steps, strlen(steps), first);
    return number(steps, (size_t)(dash - steps), first) && number(dash + 1, strlen(dash + 1), last) &&
           *first <= *last;
}

/* ── for people ── */

static void tell_rows(const struct batch_rows *b)
{
    static const char *const titles[] = {"loss", "step", "where", "gold", "text"};
    struct cli_table t = {.columns = 5, .right = 1 << 0 | 1 << 1};
    for (int k = 0; k < 5; k++) cli_table_cell(&t, "%s", titles[k]);
    for (size_t i = 0; i < b->batches->n; i++) {
        struct bt_str gold = {0}, text = {0}, where = {0};
        char loss[32];
        batch_rows_where(b, i, &where);
        batch_rows_gold(b, i, &gold);
        batch_rows_text(b, i, &text);
        plot_value(loss, sizeof loss, (double)b->batches->row[i].loss);
        cli_table_cell(&t, "%s", loss);
        cli_table_cell(&t, "%lld", (long long)b->batches->row[i].step);
        cli_table_cell(&t, "%s", bt_str_text(&where));
        cli_table_text(&t, bt_str_text(&gold), gold.len, GOLD_WIDTH);
        cli_table_text(&t, bt_str_text(&text), text.len, TEXT_WIDTH);
        bt_str_free(&gold);
        bt_str_free(&text);
        bt_str_free(&where);
    }
    cli_table_print(&t);
}

static void tell(const struct batch_rows *b)
{
    struct bt_str title = {0};
    char mean[32];
    batch_rows_title(b, &title);
    plot_value(mean, sizeof mean, b->mean);
    cli_line("%s: %zu rows, mean loss %s, the worst first", bt_str_text(&title), b->batches->n, mean);
    bt_str_free(&title);
    if (!b->texts.examples) cli_warn("no texts: %s", b->texts.err.text);
    if (b->batches->damaged) cli_warn("%zu damaged records were passed over", b->batches->damaged);
    tell_rows(b);
}

/* ── JSON ── */

static void json_row(const struct batch_rows *b, size_t i)
{
    const struct bt_batch_row *r = &b->batches->row[i];
    const struct bt_example *x = batch_rows_example(b, i);
    struct bt_str out = {0}, gold = {0}, text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    batch_rows_gold(b, i, &gold);
    batch_rows_text(b, i, &text);
    bt_jw_object(&w);
    bt_jw_kint(&w, "step", r->step);
    bt_jw_kint(&w, "row", r->row);
    if (r->window) bt_jw_kint(&w, "window", r->window);
    bt_jw_key(&w, "loss");
    bt_jw_float(&w, r->loss);
    if (x && x->file < b->texts.n_files) {
        bt_jw_ktext(&w, "file", b->texts.file[x->file]);
        bt_jw_kint(&w, "line", (int64_t)x->line);
        if (x->id) bt_jw_ktext(&w, "id", x->id);
        bt_jw_ktext(&w, "gold", bt_str_text(&gold));
        bt_jw_ktext(&w, "text", bt_str_text(&text));
    }
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
    bt_str_free(&gold);
    bt_str_free(&text);
}

static void tell_json(const struct batch_rows *b)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    for (size_t i = 0; i < b->batches->n && !cli_output_gone(); i++) json_row(b, i);
    bt_jw_object(&w);
    bt_jw_kint(&w, "asked", b->asked);
    bt_jw_kint(&w, "first", b->batches->first);
    bt_jw_kint(&w, "last", b->batches->last);
    bt_jw_kint(&w, "rows", (int64_t)b->batches->n);
    bt_jw_knum(&w, "mean_loss", b->mean);
    bt_jw_kint(&w, "damaged", (int64_t)b->batches->damaged);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

enum bt_status show_batch(const char *dir, int64_t first, int64_t last, bool json, struct bt_error *err)
{
    struct batch_rows *b;
    enum bt_status st = batch_rows_load(dir, first, last, &b, err);
    if (st) return st;
    if (json)
        tell_json(b);
    else
        tell(b);
    batch_rows_free(b);
    return BT_OK;
}
