/* A hand on the event files for tests:
 *
 *     events_tool write DIR         lines "TAG STEP WALL VALUE" from standard input; "resume STEP", "reopen"
 *     events_tool read DIR          lines "TAG<tab>STEP<tab>WALL<tab>VALUE", then "damage N TEXT"
 *     events_tool follow DIR        the same for each line of standard input, from one reader
 *     events_tool live DIR RATE S   a run that logs RATE points a second for S seconds (no tensor is multiplied)
 *     events_tool make DIR STEPS METRICS      a run of so many points
 *     events_tool speed DIR         how fast DIR is read */
#include <bertty/events.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct bt_error err;

static int failed(void)
{
    fprintf(stderr, "events_tool: %s\n", err.text);
    return 1;
}

static int write_lines(const char *dir)
{
    struct bt_events *w;
    char line[1024], tag[512];
    double wall, value;
    int64_t step;
    if (bt_events_open(dir, &w, &err)) return failed();
    while (fgets(line, sizeof line, stdin)) {
        enum bt_status status = BT_OK;
        if (strcmp(line, "reopen\n") == 0) {
            status = bt_events_close(w, &err);
            if (!status) status = bt_events_open(dir, &w, &err);
        } else if (sscanf(line, "resume %" SCNd64, &step) == 1) {
            status = bt_events_resume(w, step, &err);
        } else if (sscanf(line, "%511s %" SCNd64 " %lf %lf", tag, &step, &wall, &value) == 4) {
            status = bt_events_scalar(w, tag, step, wall, value, &err);
        }
        if (status) return failed();
    }
    return bt_events_close(w, &err) ? failed() : 0;
}

static bool read_more(struct bt_series_reader *r)
{
    const char *text;
    bool more = true;
    while (more)
        if (bt_series_poll(r, 0, &more, &err)) return false;
    bt_series_commit(r);
    for (size_t i = 0; i < bt_series_count(r); i++) {
        const struct bt_series *s = bt_series_at(r, i);
        for (size_t k = 0; k < s->n; k++)
            printf("%s\t%" PRId64 "\t%.17g\t%.17g\n", s->tag, s->step[k], s->wall[k], s->value[k]);
    }
    size_t n = bt_series_damage(r, &text);
    printf("damage %zu %s\n", n, text);
    return fflush(stdout) == 0;
}

static int read_lines(const char *dir, bool follow)
{
    struct bt_series_reader *r;
    char line[16];
    if (bt_series_open(dir, &r, &err)) return failed();
    bool good = follow || read_more(r);
    while (good && follow && fgets(line, sizeof line, stdin)) good = read_more(r);
    bt_series_free(r);
    return good ? 0 : failed();
}

static double noise(uint32_t *x)
{
    *x = *x * 1664525u + 1013904223u;
    return (double)*x / 4294967296.0 - 0.5;
}

static void live_step(struct bt_events *w, int64_t step, int64_t total, uint32_t *seed)
{
    double t = (double)step / (double)total, loss = 0.15 + 0.55 * exp(-4 * t);
    double rate = t < 0.1 ? t / 0.1 : (1 - t) / 0.9;
    bt_events_scalar(w, "train/loss", step, 0, loss + 0.1 * noise(seed), NULL);
    bt_events_scalar(w, "train/learning_rate", step, 0, 5e-5 * rate, NULL);
    bt_events_scalar(w, "train/grad_norm", step, 0, 3 + 2 * noise(seed), NULL);
    bt_events_scalar(w, "train/epoch", step, 0, 3 * t, NULL);
    bt_events_scalar(w, "train/tokens_per_s", step, 0, 2900 + 300 * noise(seed), NULL);
    bt_events_scalar(w, "system/rss_mib", step, 0, 900 + 20 * t, NULL);
    if (step % 20) return;
    bt_events_scalar(w, "eval/loss", step, 0, loss + 0.08 + 0.1 * t * t, NULL);
    bt_events_scalar(w, "eval/accuracy", step, 0, 0.88 - 0.35 * exp(-5 * t) + 0.01 * noise(seed), NULL);
    bt_events_scalar(w, "eval/f1_macro", step, 0, 0.87 - 0.36 * exp(-5 * t) + 0.01 * noise(seed), NULL);
}

static int live(const char *dir, double rate, double seconds)
{
    struct bt_events *w;
    int64_t total = (int64_t)(rate * seconds);
    uint32_t seed = (uint32_t)time(NULL);
    struct timespec pause = {.tv_sec = (time_t)(1 / rate), .tv_nsec = (long)(fmod(1 / rate, 1) * 1e9)};
    if (bt_events_open(dir, &w, &err)) return failed();
    for (int64_t step = 1; step <= total; step++) {
        live_step(w, step, total, &seed);
        if (rate < 1e4) {
            bt_events_flush(w, NULL);
            nanosleep(&pause, NULL);
        }
    }
    return bt_events_close(w, &err) ? failed() : 0;
}

static int make(const char *dir, int64_t steps, int metrics)
{
    struct bt_events *w;
    uint32_t seed = 1;
    if (bt_events_open(dir, &w, &err)) return failed();
    for (int64_t step = 1; step <= steps; step++)
        for (int i = 0; i < metrics; i++) {
            char tag[32];
            snprintf(tag, sizeof tag, "%s/m%02d", i % 2 ? "eval" : "train", i);
            double value = exp(-(double)step / (2000 + 100 * i)) + 0.1 * noise(&seed);
            if (bt_events_scalar(w, tag, step, 1.7e9 + (double)step, value, &err)) return failed();
        }
    return bt_events_close(w, &err) ? failed() : 0;
}

/* CPU time of reading all, several times: the first one also makes the system find the memory. */
static int speed(const char *dir)
{
    enum { TIMES = 5 };
    for (int k = 0; k < TIMES; k++) {
        struct bt_series_reader *r;
        struct timespec a, b;
        size_t points = 0;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        if (bt_series_open(dir, &r, &err) || bt_series_poll(r, 0, NULL, &err)) return failed();
        bt_series_commit(r);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        for (size_t i = 0; i < bt_series_count(r); i++) points += bt_series_at(r, i)->n;
        printf("%zu points, %zu series, %.2f ms\n", points, bt_series_count(r),
               1e3 * (double)(b.tv_sec - a.tv_sec) + 1e-6 * (double)(b.tv_nsec - a.tv_nsec));
        bt_series_free(r);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0) return write_lines(argv[2]);
    if (argc == 3 && strcmp(argv[1], "read") == 0) return read_lines(argv[2], false);
    if (argc == 3 && strcmp(argv[1], "follow") == 0) return read_lines(argv[2], true);
    if (argc == 3 && strcmp(argv[1], "speed") == 0) return speed(argv[2]);
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(argv[2], strtoll(argv[3], NULL, 10), (int)strtol(argv[4], NULL, 10));
    if (argc == 5 && strcmp(argv[1], "live") == 0)
        return live(argv[2], strtod(argv[3], NULL), strtod(argv[4], NULL));
    fprintf(stderr,
            "events_tool write|read|follow|speed DIR, make DIR STEPS METRICS, live DIR RATE SECONDS\n");
    return 2;
}
