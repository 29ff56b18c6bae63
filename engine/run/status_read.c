#include "run/status_read.h"

#include "run/find.h"
#include "run/format.h"
#include "run/notes.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct state {
    const char *name;
    bool alive;
};

static const struct state states[] = {
#define X(value, text, has_engine) [value] = {.name = text, .alive = has_engine},
    BT_RUN_STATES(X)
#undef X
};
enum { STATES = sizeof states / sizeof *states };

const char *bt_run_state_name(enum bt_run_state s)
{
    return states[(unsigned)s < STATES ? s : BT_RUN_UNKNOWN].name;
}

bool bt_run_state_alive(enum bt_run_state s)
{
    return (unsigned)s < STATES && states[s].alive;
}

bool bt_run_state_ended(enum bt_run_state s)
{
    return !bt_run_state_alive(s) && s != BT_RUN_QUEUED;
}

static enum bt_run_state state_of(const char *text)
{
    for (unsigned i = 0; i < STATES; i++)
        if (strcmp(states[i].name, text) == 0) return (enum bt_run_state)i;
    return BT_RUN_UNKNOWN;
}

enum { TEXTS = 8 };

/* Where its texts are. */
static void texts_of(struct bt_run_status *s, char **at[TEXTS])
{
    char **all[TEXTS] = {&s->id,   &s->dir,  &s->metric,  &s->error,
                         &s->name, &s->host, &s->stalled, &s->baseline};
    memcpy(at, all, sizeof all);
}

void bt_run_status_clear(struct bt_run_status *s)
{
    char **text[TEXTS];
    texts_of(s, text);
    for (int i = 0; i < TEXTS; i++) free(*text[i]);
    bt_notes_clear(&s->notes);
    memset(s, 0, sizeof *s);
}

/* ── reading ── */

enum bt_status bt__refuse_baseline(const struct bt_run_status *s, struct bt_error *err)
{
    if (!s->baseline) return BT_OK;
    return bt_fail(err, BT_UNSUPPORTED, "%s: a baseline (%s): it has no model", s->id, s->baseline);
}

static const struct bt_json *member(const struct bt_json *v, const char *key)
{
    return bt_json_get(v, key);
}

static double number(const struct bt_json *v, const char *key, double fallback)
{
    return bt_json_number(member(v, key), fallback);
}

static int64_t whole(const struct bt_json *v, const char *key, int64_t fallback)
{
    return bt_json_int(member(v, key), fallback);
}

/* NULL for a missing or empty text. Without memory too: the figures are worth more than a refusal. */
static char *text_of(const struct bt_json *v, const char *key)
{
    const char *text = bt_json_text(member(v, key), NULL);
    return text && *text ? bt_strdup(text) : NULL;
}

static void take_figures(const struct bt_json *v, struct bt_run_status *s)
{
    s->pid = whole(v, "pid", 0);
    s->pid_start = whole(v, "pid_start", 0);
    s->step = whole(v, "step", 0);
    s->total = whole(v, "total", 0);
    s->epoch = number(v, "epoch", 0);
    s->epochs = number(v, "epochs", 0);
    s->tokens_per_s = number(v, "tokens_per_s", 0);
    s->eta_s = number(v, "eta_s", (double)NAN);
    s->train_loss = number(v, "train_loss", (double)NAN);
    s->best = number(v, "best", (double)NAN);
    s->last = number(v, "last", (double)NAN);
    s->best_step = whole(v, "best_step", -1);
    s->last_step = whole(v, "last_step", -1);
    s->started = number(v, "started", 0);
    s->updated = number(v, "updated", s->updated);
    s->steered = bt_json_bool(member(v, "steered"), false);
}

/* Takes over a line that goes before what the engine last complained of. */
static void put_first(struct bt_run_status *s, char *line)
{
    char *both = s->error && line && *line ? bt_strfmt("%s; before that: %s", line, s->error) : NULL;
    if (both) {
        free(line);
        line = both;
    }
    free(s->error);
    s->error = line;
}

static void mark_lost(struct bt_run_status *s, char *cause)
{
    s->state = BT_RUN_LOST;
    s->eta_s = (double)NAN;
    put_first(s, cause);
}

static struct bt__kills kills_of(const struct bt_json *v)
{
    struct bt__kills k = {.n = 0};
    const struct bt_json *counts = member(v, "oom_kills");
    const char *group = bt_json_text(member(v, "cgroup"), "");
    if (strlen(group) >= sizeof k.group) return k;
    memcpy(k.group, group, strlen(group) + 1);
    for (size_t i = 0; i < bt_json_len(counts) && k.n < BT__GROUPS; i++)
        k.count[k.n++] = bt_json_int(bt_json_at(counts, i), -1);
    return k;
}

static void take_status(const struct bt_json *v, struct bt__here *h, struct bt_run_status *s)
{
    const char *state = bt_json_text(member(v, "state"), "");
    s->state = state_of(state);
    s->metric = text_of(v, "metric");
    s->name = text_of(v, "name");
    s->error = text_of(v, "error");
    s->host = text_of(v, "host");
    s->baseline = text_of(v, "baseline");
    take_figures(v, s);
    if (s->state == BT_RUN_UNKNOWN && !s->error)
        s->error = bt_strfmt("status.json: unknown state '%s'", state);
    if (!bt_run_state_alive(s->state)) return;
    struct bt__kills kills = kills_of(v);
    struct bt__engine e = {.host = s->host,
                           .boot_id = bt_json_text(member(v, "boot_id"), NULL),
                           .pid = s->pid,
                           .start = s->pid_start,
                           .updated = s->updated,
                           .kills = &kills};
    char *cause = bt__engine_lost(h, &e);
    if (cause)
        mark_lost(s, cause);
    else if ((s->stalled = bt__engine_stalled(h, &e)))
        put_first(s, bt_strdup(s->stalled));
}

static void set_stamp(struct bt_run_status *s, const struct stat *info)
{
    s->stamp[0] = info->st_mtim.tv_sec;
    s->stamp[1] = info->st_mtim.tv_nsec;
    s->stamp[2] = (int64_t)info->st_ino;
    s->stamp[3] = S_ISREG(info->st_mode) ? info->st_size : -1;
}

bool bt__status_current(const struct bt_run_status *old, const struct stat *info)
{
    struct bt_run_status now = {0};
    set_stamp(&now, info);
    return memcmp(old->stamp, now.stamp, sizeof now.stamp) == 0;
}

enum bt_status bt__status_read(struct bt__here *h, const char *dir, const struct stat *info, bool has_status,
                               struct bt_run_status *out, struct bt_error *err)
{
    struct bt_error trouble = {0};
    struct bt_run_status s = {.state = BT_RUN_UNKNOWN, .best_step = -1, .last_step = -1};
    s.eta_s = s.train_loss = s.best = s.last = (double)NAN;
    s.updated = (double)info->st_mtim.tv_sec;
    s.dir = bt_strdup(dir);
    s.id = bt_strdup(bt_path_base(dir));
    char *path = bt_path_join(dir, "status.json");
    if (!s.dir || !s.id || !path) {
        free(path);
        bt_run_status_clear(&s);
        return bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    }
    set_stamp(&s, info);
    struct bt_json *v = has_status ? bt_json_load(path, BT__MAX_STATUS, &trouble) : NULL;
    if (v && bt__format_check(v, "status.json", &trouble) == BT_OK)
        take_status(v, h, &s);
    else if (has_status)
        s.error = bt_strdup(trouble.text);
    bt_json_free(v);
    free(path);
    *out = s;
    return BT_OK;
}

/* ── reading again ── */

bool bt__status_reuse(const struct bt_run_status *old, struct bt__here *h, struct bt_run_status *out)
{
    if (bt_run_state_alive(old->state)) {
        /* the boot id has been compared: it cannot change while we live */
        struct bt__engine e = {
            .host = old->host, .pid = old->pid, .start = old->pid_start, .updated = old->updated};
        char *cause = bt__engine_lost(h, &e), *stalled = cause ? NULL : bt__engine_stalled(h, &e);
        const bool as_before = !cause && bt_same_text(stalled, old->stalled);
        free(cause);
        free(stalled);
        if (!as_before) return false;
    }
    struct bt_run_status s = *old;
    char **text[TEXTS];
    texts_of(&s, text);
    bool fine = bt_notes_copy(&s.notes, &old->notes);
    for (int i = 0; i < TEXTS; i++) {
        const char *from = *text[i];
        *text[i] = bt_strdup(from);
        fine &= !from || *text[i];
    }
    if (fine)
        *out = s;
    else
        bt_run_status_clear(&s);
    return fine;
}

enum bt_status bt_run_status(const char *dir, struct bt_run_status *out, struct bt_error *err)
{
    struct stat info;
    struct bt__here h;
    errno = 0;
    char *full = realpath(dir, NULL);
    if (!full && (errno == ENOENT || errno == ENOTDIR))
        return bt_fail(err, BT_NOTFOUND, "%s: no such directory", dir);
    if (!full || stat(full, &info) != 0) {
        free(full);
        return bt_fail_errno(err, "%s", dir);
    }
    if (!S_ISDIR(info.st_mode)) {
        free(full);
        return bt_fail(err, BT_NOTFOUND, "%s: not a directory", dir);
    }
    char *path = bt_path_join(full, "status.json");
    struct stat file;
    bool has = path && lstat(path, &file) == 0;
    bt__here_init(&h);
    enum bt_status status = bt__status_read(&h, full, has ? &file : &info, has, out, err);
    bt__here_free(&h);
    if (status == BT_OK) bt__notes_refresh(AT_FDCWD, full, out);
    free(path);
    free(full);
    return status;
}
