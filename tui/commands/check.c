/* bertty check */
#include "tui/commands/cli_run.h"
#include <bertty/json.h>
#include <bertty/num.h>
#include <bertty/train.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char about[] =
    "Reads the experiment file, its data and its model, and says what a run would "
    "do: rows, tokens, steps, memory,\n"
    "disk and time, and what looks wrong with the data. Nothing is trained and "
    "nothing is written. Exit code 1 if the\n"
    "experiment cannot run, 3 if it can but not --within the time: then how many epochs, rows "
    "or tokens would.\n";

static bool fits(const struct bt_check *c)
{
    return c->memory_mib <= c->available_mib && (c->disk_free_mib < 0.0 || c->disk_mib <= c->disk_free_mib);
}

/* ── for people ── */

static void duration(double seconds, char *out, size_t size)
{
    if (!isfinite(seconds))
        snprintf(out, size, "unknown");
    else if (seconds < 100.0)
        snprintf(out, size, "%.0f s", seconds);
    else if (seconds < 5400.0)
        snprintf(out, size, "%.0f min", seconds / 60.0);
    else
        snprintf(out, size, "%.1f h", seconds / 3600.0);
}

static void tell_labels(const struct bt_check *c)
{
    enum { SHOWN = 20 };
    struct cli_table t = {.columns = 3, .right = 2 | 4};
    if (c->n_labels == 0) return;
    for (size_t i = 0; i < c->n_labels && i < SHOWN; i++) {
        cli_table_cell(&t, "  %s", c->label[i]);
        cli_table_cell(&t, "%lld", (long long)c->label_rows[i]);
        cli_table_cell(&t, "%.1f %%",
                       c->labelled ? 100.0 * (double)c->label_rows[i] / (double)c->labelled : 0.0);
    }
    cli_line("labels     %zu", c->n_labels);
    cli_table_print(&t);
    if (c->n_labels > SHOWN) cli_line("  … and %zu more", c->n_labels - SHOWN);
}

/* The time that there is, and what can be done in it. */
struct budget {
    double seconds; /* 0: it was not asked */
    struct bt_fit fit;
};

static void tell_budget(const struct bt_check *c, const struct budget *b)
{
    char time[32];
    const struct bt_fit *f = &b->fit;
    if (b->seconds <= 0.0) return;
    duration(b->seconds, time, sizeof time);
    if (isnan(c->rate)) {
        cli_line("within     %s: unknown, nothing could be measured", time);
        return;
    }
    cli_line("within     %s: %s %.3g epochs, %lld steps", time,
             f->whole ? "it fits, as would" : "it does not fit; it leaves time for", f->epochs,
             (long long)f->steps);
    if (f->whole) return;
    if (f->rows > 0)
        cli_line("           or for all of its epochs with %lld rows (data.max_train_samples)",
                 (long long)f->rows);
    if (f->max_length > 0)
        cli_line("           or with inputs of at most %d tokens (data.max_seq_length)", f->max_length);
}

static void tell(const struct bt_check *c, const struct budget *b)
{
    char time[32];
    duration(c->seconds, time, sizeof time);
    cli_line("rows       %lld for training, %lld for validation, %lld for the test", (long long)c->train_rows,
             (long long)c->dev_rows, (long long)c->test_rows);
    for (size_t i = 0; i < c->n_found; i++) cli_line("%s %s", i ? "          " : "data      ", c->found[i]);
    tell_labels(c);
    cli_line("tokens     %lld an epoch, the longest input has %d", (long long)c->train_tokens, c->longest);
    cli_line("steps      %lld, %lld an epoch", (long long)c->steps, (long long)c->steps_per_epoch);
    cli_line("parameters %lld, %lld of them trained, %lld tensors drawn anew", (long long)c->parameters,
             (long long)c->trainable, (long long)c->fresh);
    cli_line("memory     about %.0f MiB, %.0f available", c->memory_mib, c->available_mib);
    if (c->disk_free_mib < 0.0)
        cli_line("disk       about %.0f MiB", c->disk_mib);
    else
        cli_line("disk       about %.0f MiB, %.0f free", c->disk_mib, c->disk_free_mib);
    cli_line("time       about %s", time);
    tell_budget(c, b);
    for (size_t i = 0; i < c->n_warnings; i++) cli_line("warning: %s", c->warning[i]);
    if (c->memory_mib > c->available_mib) cli_warn("not enough memory");
    if (c->disk_free_mib >= 0.0 && c->disk_mib > c->disk_free_mib) cli_warn("not enough room on the disk");
    if (fits(c)) cli_line("the experiment can run");
}

/* ── for programs ── */

static void json_numbers(struct bt_json_writer *w, const struct bt_check *c)
{
    bt_jw_kbool(w, "can_run", fits(c));
    bt_jw_kint(w, "train_rows", c->train_rows);
    bt_jw_kint(w, "validation_rows", c->dev_rows);
    bt_jw_kint(w, "test_rows", c->test_rows);
    bt_jw_kint(w, "train_tokens", c->train_tokens);
    bt_jw_kint(w, "longest", c->longest);
    bt_jw_kint(w, "truncated", c->truncated);
    bt_jw_kint(w, "unknown", c->unknown);
    bt_jw_kint(w, "steps_per_epoch", c->steps_per_epoch);
    bt_jw_kint(w, "steps", c->steps);
    bt_jw_kint(w, "parameters", c->parameters);
    bt_jw_kint(w, "trainable", c->trainable);
    bt_jw_kint(w, "fresh_tensors", c->fresh);
    bt_jw_knum(w, "memory_mib", c->memory_mib);
    bt_jw_knum(w, "available_mib", c->available_mib);
    bt_jw_knum(w, "disk_mib", c->disk_mib);
    bt_jw_knum(w, "disk_free_mib", c->disk_free_mib < 0.0 ? (double)NAN : c->disk_free_mib);
    bt_jw_knum(w, "seconds", c->seconds);
    bt_jw_knum(w, "tokens_per_s", c->rate);
}

static void json_budget(struct bt_json_writer *w, const struct bt_check *c, const struct budget *b)
{
    if (b->seconds <= 0.0 || isnan(c->rate)) return;
    bt_jw_key(w, "within");
    bt_jw_object(w);
    bt_jw_knum(w, "seconds", b->seconds);
    bt_jw_kbool(w, "fits", b->fit.whole);
    bt_jw_knum(w, "epochs", b->fit.epochs);
    bt_jw_kint(w, "steps", b->fit.steps);
    bt_jw_kint(w, "rows", b->fit.rows);
    bt_jw_kint(w, "max_seq_length", b->fit.max_length);
    bt_jw_end_object(w);
}

static void tell_json(const struct bt_check *c, const struct budget *b)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    json_numbers(&w, c);
    json_budget(&w, c, b);
    bt_jw_key(&w, "labels");
    bt_jw_object(&w);
    for (size_t i = 0; i < c->n_labels; i++) bt_jw_kint(&w, c->label[i], c->label_rows[i]);
    bt_jw_end_object(&w);
    bt_jw_key(&w, "data");
    bt_jw_array(&w);
    for (size_t i = 0; i < c->n_found; i++) bt_jw_text(&w, c->found[i]);
    bt_jw_end_array(&w);
    bt_jw_key(&w, "warnings");
    bt_jw_array(&w);
    for (size_t i = 0; i < c->n_warnings; i++) bt_jw_text(&w, c->warning[i]);
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

/* ── the command ── */

static int check(const char *path, const struct cli_list *set, double within, bool json)
{
    struct budget b = {.seconds = within};
    struct bt_error err = {.status = BT_OK};
    struct bt_experiment *x = NULL;
    struct bt_check *c = NULL;
    enum bt_status st = cli_experiment(path, set, &x, &err);
    if (!st) st = bt_check(x, true, &c, &err);
    bt_experiment_free(x);
    if (st) return cli_fail(&err);
    if (within > 0.0 && !isnan(c->rate)) bt_check_within(c, within, &b.fit);
    if (json)
        tell_json(c, &b);
    else
        tell(c, &b);
    int code = !fits(c) ? CLI_FAILED : within > 0.0 && !b.fit.whole ? CLI_UNMET : CLI_DONE;
    bt_check_free(c);
    return code;
}

int cmd_check(int argc, char **argv)
{
    bool json = false;
    const char *time = NULL;
    double within = 0.0;
    struct cli_list set = {.n = 0};
    const struct cli_option options[] = {
        CLI_LIST("set", 's', "KEY=VALUE", &set,
                 "change an option of the file: --set optim.learning_rate=5e-5"),
        CLI_TEXT("within", 'w', "TIME", &time, "what fits into so long: 45m, 1h30m, 12:00:00"),
        CLI_JSON(&json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "check", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) {
        free(set.item);
        return code;
    }
    if (time && !bt_parse_duration(time, &within))
        code = cli_misuse("check", "--within '%s': expected " BT_A_DURATION, time);
    else
        code = check(args.v[0], &set, within, json);
    free(set.item);
    return code;
}
