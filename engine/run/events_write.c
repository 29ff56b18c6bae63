#include "run/events_frames.h"

#include <bertty/events.h>
#include <bertty/file.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Fields of tensorboard/compat/proto/event.proto and summary.proto */
enum {
    EVENT_WALL_TIME = 1,
    EVENT_STEP = 2,
    EVENT_FILE_VERSION = 3,
    EVENT_SUMMARY = 5,
    EVENT_SESSION_LOG = 7
};
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, SESSION_STATUS = 1, SESSION_START = 1 };

struct bt_events {
    struct bt__frames file;
    struct bt_str body, values, value;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ── opening ── */

/* The name of the newest event file (names begin with their time), or NULL; the caller frees. */
static char *newest_file(const char *dir)
{
    DIR *d = opendir(dir);
    char *best = NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!bt__events_name(e->d_name) || (best && strcmp(e->d_name, best) <= 0)) continue;
        char *copy = bt_strdup(e->d_name);
        if (!copy) continue;
        free(best);
        best = copy;
    }
    if (d) closedir(d);
    return best;
}

/* True if the newest file was taken over. */
static bool take_over(struct bt_events *w, const char *dir)
{
    char *name = newest_file(dir);
    bool taken = name && bt__frames_take_over(&w->file, bt_path_join(dir, name));
    free(name);
    return taken;
}

static void host_name(char host[65])
{
    if (gethostname(host, 65) != 0) strncpy(host, "host", 65);
    host[64] = '\0';
    for (char *c = host; *c; c++) {
        bool plain =
            (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '-';
        if (!plain) *c = '-';
    }
}

static enum bt_status create(struct bt_events *w, const char *dir, struct bt_error *err)
{
    char host[65];
    host_name(host);
    for (int i = 0; i < 1000 && w->file.fd < 0; i++) {
        char *name = bt_strfmt("events.out.tfevents.%010lld.%s.%ld.%d", (long long)time(NULL), host,
                               (long)getpid(), i);
        free(w->file.path);
        w->file.path = name ? bt_path_join(dir, name) : NULL;
        free(name);
        if (!w->file.path) return bt_fail(err, BT_NOMEM, "%s: no memory for the event file", dir);
        w->file.fd = open(w->file.path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (w->file.fd < 0 && errno != EEXIST) break;
    }
    return w->file.fd < 0 ? bt_fail_errno(err, "%s: cannot create the event file", w->file.path) : BT_OK;
}

/* ── events ── */

static enum bt_status put_event(struct bt_events *w, struct bt_error *err)
{
    enum bt_status status = bt__frames_add(&w->file, &w->body, err);
    if (w->body.failed) bt_str_free(&w->body);
    return status;
}

static void begin_event(struct bt_events *w, int64_t step, double wall_time)
{
    bt_str_clear(&w->body);
    bt__wire_put_double(&w->body, EVENT_WALL_TIME, wall_time > 0 ? wall_time : now());
    if (step) bt__wire_put_varint(&w->body, EVENT_STEP, (uint64_t)step);
}

static enum bt_status put_version(struct bt_events *w, struct bt_error *err)
{
    static const char version[] = "brain.Event:2";
    begin_event(w, 0, 0);
    bt__wire_put_bytes(&w->body, EVENT_FILE_VERSION, version, sizeof version - 1);
    return put_event(w, err);
}

enum bt_status bt_events_open(const char *dir, struct bt_events **out, struct bt_error *err)
{
    struct bt_events *w = calloc(1, sizeof *w);
    if (!w) return bt_fail(err, BT_NOMEM, "%s: no memory for the event file", dir);
    w->file.fd = -1;
    enum bt_status status = BT_OK;
    if (!take_over(w, dir)) {
        status = create(w, dir, err);
        if (status == BT_OK) status = put_version(w, err);
    }
    if (status == BT_OK) {
        *out = w;
        return BT_OK;
    }
    bt_events_close(w, NULL);
    return status;
}

enum bt_status bt_events_resume(struct bt_events *w, int64_t step, struct bt_error *err)
{
    /* TensorBoard: “a START event with step N supersedes what was seen with steps ≥ N”. */
    begin_event(w, step > 0 ? step + 1 : 0, 0);
    bt_str_clear(&w->value);
    bt__wire_put_varint(&w->value, SESSION_STATUS, SESSION_START);
    bt__wire_put_bytes(&w->body, EVENT_SESSION_LOG, bt_str_text(&w->value), w->value.len);
    w->body.failed |= w->value.failed;
    return put_event(w, err);
}

enum bt_status bt_events_scalar(struct bt_events *w, const char *tag, int64_t step, double wall_time,
                                double value, struct bt_error *err)
{
    bt_str_clear(&w->value);
    bt__wire_put_bytes(&w->value, VALUE_TAG, tag, strlen(tag));
    bt__wire_put_float(&w->value, VALUE_SIMPLE, (float)value);
    bt_str_clear(&w->values);
    bt__wire_put_bytes(&w->values, SUMMARY_VALUE, bt_str_text(&w->value), w->value.len);
    begin_event(w, step, wall_time);
    bt__wire_put_bytes(&w->body, EVENT_SUMMARY, bt_str_text(&w->values), w->values.len);
    w->body.failed |= w->value.failed || w->values.failed;
    return put_event(w, err);
}

enum bt_status bt_events_flush(struct bt_events *w, struct bt_error *err)
{
    return bt__frames_flush(&w->file, err);
}

enum bt_status bt_events_sync(struct bt_events *w, struct bt_error *err)
{
    return bt__frames_sync(&w->file, err);
}

enum bt_status bt_events_close(struct bt_events *w, struct bt_error *err)
{
    if (!w) return BT_OK;
    enum bt_status status = bt__frames_close(&w->file, err);
    bt_str_free(&w->body);
    bt_str_free(&w->values);
    bt_str_free(&w->value);
    free(w);
    return status;
}
