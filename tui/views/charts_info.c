#include "tui/views/charts_info.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/run.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_STATUS = 1 << 20, LOG_PART = 1 << 20, LOG_PARTS = 32 }; /* bytes; of a log's bytes in one look */

void charts_info_free(struct charts_info *info)
{
    free(info->saved);
    free(info->warned);
    *info = (struct charts_info){.best = -1};
}

static int by_step(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t step_of(const char *name)
{
    const char *digits = strstr(name, "step-");
    if (!digits || digits[5] < '0' || digits[5] > '9') return -1;
    char *end;
    long long step = strtoll(digits + 5, &end, 10);
    return *end ? -1 : step;
}

static void read_checkpoints(const char *dir, struct charts_info *info)
{
    char *folder = bt_path_join(dir, "checkpoints");
    DIR *d = folder ? opendir(folder) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        int64_t step = step_of(e->d_name);
        int64_t *more = step < 0 ? NULL : realloc(info->saved, (info->n_saved + 1) * sizeof *more);
        if (!more) continue;
        info->saved = more;
        info->saved[info->n_saved++] = step;
    }
    if (d) closedir(d);
    free(folder);
    if (info->n_saved) qsort(info->saved, info->n_saved, sizeof *info->saved, by_step);
}

static void read_best(const char *dir, struct charts_info *info)
{
    char target[256], *path = bt_path_join(dir, "best");
    ssize_t n = path ? readlink(path, target, sizeof target - 1) : -1;
    free(path);
    target[n > 0 ? n : 0] = '\0';
    info->best = step_of(target);
}

static void read_status(const char *dir, struct charts_info *info)
{
    static const char *const live[] = {"queued", "starting", "training", "evaluating", "paused", "stopping"};
    char *path = bt_path_join(dir, "status.json");
    struct bt_json *status = path ? bt_json_load(path, MAX_STATUS, NULL) : NULL;
    const char *state = bt_json_text(bt_json_get(status, "state"), "");
    info->total = bt_json_int(bt_json_get(status, "total"), 0);
    if (!info->total) info->total = bt_json_int(bt_json_get(status, "total_steps"), 0);
    info->baseline = bt_json_text(bt_json_get(status, "baseline"), NULL) != NULL;
    for (size_t i = 0; i < sizeof live / sizeof *live; i++) info->live |= strcmp(state, live[i]) == 0;
    bt_json_free(status);
    free(path);
}

/* "HH:MM:SS step 40 of 792  loss …" and "HH:MM:SS warning: …", as the engine writes them. */
static void read_line(struct charts_warnings *w, const char *line)
{
    static const char step[] = "step ", warning[] = "warning: ";
    const char *text = strchr(line, ' ');
    if (!text) return;
    if (strncmp(++text, step, sizeof step - 1) == 0) {
        char *end;
        const long long at = strtoll(text + sizeof step - 1, &end, 10);
        if (at >= 0 && strncmp(end, " of ", 4) == 0) w->step = at;
        return;
    }
    if (strncmp(text, warning, sizeof warning - 1) != 0 || (w->n && w->at[w->n - 1] == w->step)) return;
    if (w->n == w->cap) {
        int64_t *more = realloc(w->at, (w->cap + 64) * sizeof *more);
        if (!more) return;
        w->at = more;
        w->cap += 64;
    }
    w->at[w->n++] = w->step;
}

static void read_warnings(const char *dir, struct charts_warnings *w, struct charts_info *info)
{
    for (int i = 0; i < LOG_PARTS; i++) {
        struct bt_str text = {0};
        const int64_t before = w->offset;
        if (bt_run_log(dir, &w->offset, LOG_PART, &text, NULL) == BT_OK && !text.failed)
            for (char *line = text.data, *end; line && (end = strchr(line, '\n')); line = end + 1) {
                *end = '\0';
                read_line(w, line);
            }
        if (w->offset < before)
            *w = (struct charts_warnings){.at = w->at, .cap = w->cap, .offset = w->offset}; /* a new log */
        const bool done = text.len == 0;
        bt_str_free(&text);
        if (done) break;
    }
    info->warned = w->n ? malloc(w->n * sizeof *info->warned) : NULL;
    if (!info->warned) return;
    memcpy(info->warned, w->at, w->n * sizeof *info->warned);
    info->n_warned = w->n;
}

bool charts_info_same(const struct charts_info *a, const struct charts_info *b)
{
    return a->total == b->total && a->best == b->best && a->live == b->live && a->baseline == b->baseline &&
           a->n_saved == b->n_saved &&
           (!a->n_saved || memcmp(a->saved, b->saved, a->n_saved * sizeof *a->saved) == 0) &&
           a->n_warned == b->n_warned &&
           (!a->n_warned || memcmp(a->warned, b->warned, a->n_warned * sizeof *a->warned) == 0);
}

void charts_info_read(const char *dir, struct charts_warnings *warnings, struct charts_info *info)
{
    read_status(dir, info);
    read_best(dir, info);
    read_checkpoints(dir, info);
    if (warnings) read_warnings(dir, warnings, info);
}
