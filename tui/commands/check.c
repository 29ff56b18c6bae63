/* bertty check */
#include "tui/commands/cli_run.h"
#include <bertty/json.h>
#include <bertty/train.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char about[] = "Reads the experiment file, its data and its model, and says what a run would "
                            "do: rows, tokens, steps, memory,\n"
                            "disk and time, and what looks wrong with the data. Nothing is trained and "
                            "nothing is written. Exit code 1 if the\n"
                            "experiment cannot run.\n";

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

static void tell(const struct bt_check *c)
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
}

static void tell_json(const struct bt_check *c)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    json_numbers(&w, c);
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

static int check(const char *path, const struct cli_list *set, bool json)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_experiment *x = NULL;
    struct bt_check *c = NULL;
    enum bt_status st = cli_experiment(path, set, &x, &err);
    if (!st) st = bt_check(x, true, &c, &err);
    bt_experiment_free(x);
    if (st) return cli_fail(&err);
    if (json)
        tell_json(c);
    else
        tell(c);
    int code = fits(c) ? CLI_DONE : CLI_FAILED;
    bt_check_free(c);
    return code;
}

int cmd_check(int argc, char **argv)
{
    bool json = false;
    struct cli_list set = {.n = 0};
    const struct cli_option options[] = {
        CLI_LIST("set", 's', "KEY=VALUE", &set,
                 "change an option of the file: --set optim.learning_rate=5e-5"),
        CLI_JSON(&json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "check", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (cli_parse(&spec, argc, argv, &args, &code)) code = check(args.v[0], &set, json);
    free(set.item);
    return code;
}
