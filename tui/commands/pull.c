/* bertty pull */
#include "tui/commands/cli_run.h"
#include <bertty/hub.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char about[] =
    "NAME is org/name (or name) with an optional @REVISION: a branch, a tag or a commit. Fetched is what "
    "bertty reads: the\n"
    "configuration, the tokenizer's files, and the weights as safetensors, else of PyTorch, else of "
    "TensorFlow. Every hash is\n"
    "checked; what is there already is not fetched again; what was interrupted goes on where it ended. An "
    "adapter of peft's\n"
    "comes with the model that it is for.\n"
    "The cache is the one of Python's huggingface_hub. Afterwards NAME stands for the model in experiment "
    "files and commands.\n"
    "\n"
    "HF_ENDPOINT names another hub or a mirror, HF_TOKEN (or the file of HF_TOKEN_PATH) is sent to it and to "
    "nobody else,\n"
    "HF_HUB_CACHE or HF_HOME say where the cache is, HF_HUB_OFFLINE=1 forbids to ask, "
    "HF_HUB_DOWNLOAD_TIMEOUT is after how\n"
    "many seconds of silence a connection counts as cut (10). Proxies are curl's: https_proxy, no_proxy; "
    "CURL_CA_BUNDLE or SSL_CERT_FILE is a certificate authority to trust.\n";

enum { BAR = 12 };

struct screen {
    bool json;
    const char *name; /* as asked for */
    double asked;     /* seconds: when the rate was measured last */
    int64_t then;     /* bytes at that time */
    double rate;      /* bytes a second, smoothed */
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure(struct screen *s, int64_t done)
{
    double now = seconds(), passed = now - s->asked;
    if (s->asked > 0.0 && passed < 0.5) return;
    double rate = (double)(done - s->then) / passed;
    if (s->asked > 0.0 && rate >= 0.0) s->rate = s->rate > 0.0 ? 0.7 * s->rate + 0.3 * rate : rate;
    s->asked = now;
    s->then = done;
}

/* "model.safetensors  [=====>      ] 45.2 MiB of 90.9 MiB  5.2 MiB/s  9s left" */
static void show_bytes(struct screen *s, const struct bt_pull_progress *p)
{
    char done[32], total[32], rate[32] = "", left[32] = "", bar[BAR + 1];
    measure(s, p->total_done);
    double part = p->total > 0 ? (double)p->total_done / (double)p->total : 0.0;
    size_t full = part < 1.0 ? (size_t)(part * BAR) : BAR;
    memset(bar, ' ', BAR);
    memset(bar, '=', full);
    if (full < BAR) bar[full] = '>';
    bar[BAR] = '\0';
    cli_bytes(done, sizeof done, (double)p->total_done);
    cli_bytes(total, sizeof total, (double)p->total);
    if (s->rate > 0.0) {
        cli_bytes(rate, sizeof rate, s->rate);
        cli_duration(left, sizeof left, (double)(p->total - p->total_done) / s->rate);
        cli_progress("%.17s [%s] %s of %s  %s/s  %s left", p->file, bar, done, total, rate, left);
    } else {
        cli_progress("%.17s [%s] %s of %s", p->file, bar, done, total);
    }
}

static void tell_file(const struct screen *s, const struct bt_pull_progress *p)
{
    bool fetched = p->kind == BT_PULL_FETCHED;
    char size[32];
    cli_bytes(size, sizeof size, (double)p->done);
    if (!s->json) {
        /* The files of an adapter's base are named in full. */
        const size_t n = strcspn(s->name, "@");
        const bool own = strlen(p->repo) == n && strncmp(s->name, p->repo, n) == 0;
        if (fetched) cli_line("%s%s%s  %s", own ? "" : p->repo, own ? "" : "/", p->file, size);
        return;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "repo", p->repo);
    bt_jw_ktext(&w, "file", p->file);
    if (fetched) bt_jw_kint(&w, "bytes", p->done);
    bt_jw_kbool(&w, "fetched", fetched);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

static void on_progress(void *ctx, const struct bt_pull_progress *p)
{
    struct screen *s = ctx;
    switch (p->kind) {
    case BT_PULL_FILES:
        break;
    case BT_PULL_BYTES:
        show_bytes(s, p);
        break;
    case BT_PULL_FETCHED:
    case BT_PULL_CACHED:
        tell_file(s, p);
        break;
    case BT_PULL_WAIT:
        if (p->seconds > 0.0)
            cli_warn("%s: trying again in %.1f s", p->text, p->seconds);
        else
            cli_warn("%s: %s: waiting", p->file, p->text);
        break;
    }
}

static bool on_interrupt(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}

static void tell(const char *name, const struct bt_pull_result *r, bool json)
{
    char size[32];
    cli_bytes(size, sizeof size, (double)r->bytes);
    if (!json) {
        if (r->fetched)
            cli_line("%s: %zu of %zu files fetched, %s: %s", name, r->fetched, r->files, size, r->dir);
        else
            cli_line("%s: nothing to fetch: %s", name, r->dir);
        return;
    }
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "name", name);
    bt_jw_ktext(&w, "commit", r->commit);
    bt_jw_ktext(&w, "dir", r->dir);
    bt_jw_kint(&w, "files", (int64_t)r->files);
    bt_jw_kint(&w, "fetched", (int64_t)r->fetched);
    bt_jw_kint(&w, "bytes", r->bytes);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

int cmd_pull(int argc, char **argv)
{
    struct screen screen = {.json = false};
    int64_t retries = BT_PULL_RETRIES;
    const struct cli_option options[] = {
        CLI_INT("retries", 0, "N", &retries, 0, 20,
                "attempts after a failure that may pass (a cut connection, 429, 5xx), without a byte of "
                "progress (default: 4)"),
        CLI_JSON(&screen.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "pull", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    struct bt_error err = {.status = BT_OK};
    struct bt_pull_result result;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    cli_catch_interrupts();
    screen.name = args.v[0];
    const struct bt_pull_request request = {.name = args.v[0],
                                            .retries = (int)retries,
                                            .progress = on_progress,
                                            .interrupted = on_interrupt,
                                            .ctx = &screen};
    enum bt_status status = bt_hub_pull(&request, &result, &err);
    if (status == BT_OK)
        tell(args.v[0], &result, screen.json);
    else if (status == BT_CANCELLED)
        bt_fail(&err, status, "%s: interrupted: the next pull goes on from here", args.v[0]);
    bt_pull_result_clear(&result);
    return status == BT_OK ? CLI_DONE : cli_fail(&err);
}
