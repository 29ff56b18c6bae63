/* results.jsonl of a study, and what follows from it. */
#include "run/study_parts.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 256 << 20 };

/* ── reading ── */

static bool take_report(const struct bt_study *s, const struct bt_json *v, struct bt_trial_report *r)
{
    const char *verdict = bt_json_text(bt_json_get(v, "verdict"), "");
    const int64_t number = bt_json_int(bt_json_get(v, "trial"), 0);
    *r = (struct bt_trial_report){.trial = (size_t)number - 1,
                                  .step = bt_json_int(bt_json_get(v, "step"), -1),
                                  .total = bt_json_int(bt_json_get(v, "total"), 0),
                                  .value = bt_json_number(bt_json_get(v, "value"), (double)NAN),
                                  .tokens = bt_json_int(bt_json_get(v, "tokens"), 0),
                                  .seconds = bt_json_number(bt_json_get(v, "seconds"), 0.0),
                                  .time = bt_json_number(bt_json_get(v, "time"), 0.0),
                                  .rung = (int)bt_json_int(bt_json_get(v, "rung"), -1),
                                  .promoted = strcmp(verdict, "on") == 0,
                                  .cut = strcmp(verdict, "cut") == 0,
                                  .again = strcmp(verdict, "again") == 0,
                                  .evaluated = bt_json_get(v, "total") != NULL};
    return number >= 1 && (size_t)number <= s->n && r->step >= 0 && r->tokens >= 0 && r->seconds >= 0.0 &&
           r->rung >= -1 && r->rung < s->rungs;
}

static void apply(struct bt_study *s, const struct bt_trial_report *r)
{
    struct bt_trial *t = &s->trial[r->trial];
    if (r->rung >= t->rung) t->promoted = r->promoted || (t->promoted && r->rung == t->rung);
    if (r->rung > t->rung) t->rung = r->rung;
    if (!r->evaluated) return;
    s->tokens += r->tokens > t->tokens ? r->tokens - t->tokens : 0;
    s->seconds += r->seconds > t->seconds ? r->seconds - t->seconds : 0.0;
    if (r->tokens > t->tokens) t->tokens = r->tokens;
    if (r->seconds > t->seconds) t->seconds = r->seconds;
    t->step = r->step;
    t->total = r->total;
    t->value = r->value;
    if (bt_study_better(s, r->value, t->best)) t->best = r->value;
}

enum bt_status bt__results_take(struct bt_study *s, const struct bt_trial_report *r, struct bt_error *err)
{
    if ((s->n_reports & (s->n_reports + 1)) == 0) { /* 0, 1, 3, 7, … */
        struct bt_trial_report *more = realloc(s->report, (2 * s->n_reports + 1) * sizeof *more);
        if (!more) return bt_fail(err, BT_NOMEM, "no memory for a study");
        s->report = more;
    }
    s->report[s->n_reports++] = *r;
    apply(s, r);
    return BT_OK;
}

static enum bt_status add_line(struct bt_study *s, const char *line, size_t n, struct bt_error *err)
{
    struct bt_json *v = bt_json_parse(line, n, "results.jsonl", NULL);
    struct bt_trial_report r;
    bool fine = v && take_report(s, v, &r);
    bt_json_free(v);
    s->n_damaged += !fine;
    return fine ? bt__results_take(s, &r, err) : BT_OK;
}

enum bt_status bt__results_read(struct bt_study *s, struct bt_error *err)
{
    char *path = bt__study_path(s->runs_dir, s->name, "results.jsonl"), *text = NULL;
    size_t size = 0;
    struct bt_error why = {.status = BT_OK};
    if (!path) return bt_fail(err, BT_NOMEM, "no memory for a study");
    enum bt_status st = bt_path_exists(path) ? bt_file_read(path, MAX_FILE, &text, &size, &why) : BT_OK;
    free(path);
    if (st) return bt_fail(err, st, "%s", why.text);
    for (size_t at = 0; at < size && !st;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;
        if (n) st = add_line(s, text + at, n, err);
        at += n + 1;
    }
    free(text);
    return st;
}

/* ── writing ── */

static void write_report(struct bt_str *text, const struct bt_trial_report *r)
{
    struct bt_json_writer w = BT_JSON_WRITER(text);
    bt_jw_object(&w);
    bt_jw_kint(&w, "trial", (int64_t)r->trial + 1);
    bt_jw_kint(&w, "step", r->step);
    if (r->evaluated) {
        bt_jw_kint(&w, "total", r->total);
        bt_jw_knum(&w, "value", r->value);
        bt_jw_kint(&w, "tokens", r->tokens);
        bt_jw_knum(&w, "seconds", r->seconds);
    }
    bt_jw_knum(&w, "time", r->time);
    if (r->rung >= 0) bt_jw_kint(&w, "rung", r->rung);
    if (r->promoted || r->cut || r->again)
        bt_jw_ktext(&w, "verdict", r->promoted ? "on" : r->cut ? "cut" : "again");
    bt_jw_end_object(&w);
    bt_str_addc(text, '\n');
}

/* A line that a crash left without its end must not swallow ours. */
static bool ends_a_line(int fd)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    return end <= 0 || pread(fd, &last, 1, end - 1) != 1 || last == '\n';
}

static enum bt_status append(const char *path, const struct bt_trial_report *r, struct bt_error *err)
{
    struct stat info;
    struct bt_str text = {0};
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) return bt_fail_errno(err, "%s", path);
    bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    enum bt_status st = regular ? BT_OK : bt_fail(err, BT_INVALID, "%s: not a regular file", path);
    if (!st && !ends_a_line(fd)) bt_str_addc(&text, '\n');
    write_report(&text, r);
    if (!st && text.failed) st = bt_fail(err, BT_NOMEM, "no memory for a study");
    if (!st && (!bt_write_all(fd, text.data, text.len) || fsync(fd) != 0))
        st = bt_fail_errno(err, "%s", path);
    close(fd);
    bt_str_free(&text);
    return st;
}

enum bt_status bt__results_append(const struct bt_study *s, const struct bt_trial_report *r,
                                  struct bt_error *err)
{
    char *path = bt__study_path(s->runs_dir, s->name, "results.jsonl");
    enum bt_status st = path ? append(path, r, err) : bt_fail(err, BT_NOMEM, "no memory for a study");
    free(path);
    return st;
}
