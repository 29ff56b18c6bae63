#include "run/status_write.h"
#include "run/format.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <math.h>
#include <stdlib.h>

static const double EVERY = 0.5; /* seconds */

static const char *const state_text[] = {
#define X(name, text, alive) [name] = text,
    BT_RUN_STATES(X)
#undef X
};

void bt__status_begin(struct bt__status *s)
{
    const double none = (double)NAN;
    *s = (struct bt__status){.state = BT_RUN_STARTING,
                             .tokens_per_s = none,
                             .eta_s = none,
                             .train_loss = none,
                             .best = none,
                             .last = none,
                             .best_step = -1,
                             .last_step = -1,
                             .started = bt__wall()};
    bt__proc_self(&s->proc);
    bt__kills_now("", &s->kills);
}

static void step_or_null(struct bt_json_writer *w, const char *key, int64_t step)
{
    bt_jw_key(w, key);
    if (step < 0)
        bt_jw_null(w);
    else
        bt_jw_int(w, step);
}

/* For whoever asks later why this process is gone. */
static void write_kills(struct bt_json_writer *w, const struct bt__kills *k)
{
    bt_jw_ktext(w, "cgroup", k->group);
    bt_jw_key(w, "oom_kills");
    bt_jw_array(w);
    for (int i = 0; i < k->n; i++) bt_jw_int(w, k->count[i]);
    bt_jw_end_array(w);
}

static void members(struct bt_json_writer *w, const struct bt__status *s)
{
    bt_jw_kint(w, "format", BT__RUN_FORMAT);
    bt_jw_ktext(w, "state", state_text[s->state]);
    bt_jw_kint(w, "pid", s->proc.pid);
    bt_jw_ktext(w, "boot_id", s->proc.boot_id);
    bt_jw_kint(w, "pid_start", s->proc.start);
    bt_jw_ktext(w, "host", s->proc.host);
    if (s->kills.n) write_kills(w, &s->kills);
    bt_jw_kint(w, "step", s->step);
    bt_jw_kint(w, "total", s->total);
    bt_jw_knum(w, "epoch", s->epoch);
    bt_jw_knum(w, "epochs", s->epochs);
    bt_jw_knum(w, "tokens_per_s", s->tokens_per_s);
    bt_jw_knum(w, "eta_s", s->eta_s);
    bt_jw_knum(w, "train_loss", s->train_loss);
    bt_jw_ktext(w, "metric", s->metric);
    bt_jw_knum(w, "best", s->best);
    step_or_null(w, "best_step", s->best_step);
    bt_jw_knum(w, "last", s->last);
    step_or_null(w, "last_step", s->last_step);
    bt_jw_knum(w, "started", s->started);
    bt_jw_knum(w, "updated", bt__wall());
    bt_jw_ktext(w, "error", s->error[0] ? s->error : NULL);
    bt_jw_kbool(w, "steered", s->steered);
    if (s->baseline) bt_jw_ktext(w, "baseline", s->baseline);
    bt_jw_ktext(w, "name", s->name);
}

static struct bt_str as_json(const struct bt__status *s)
{
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    bt_jw_object(&w);
    members(&w, s);
    bt_jw_end_object(&w);
    bt_str_addc(&text, '\n');
    return text;
}

static bool written(const struct bt__status *s, const struct bt__rundir *r)
{
    struct bt_str text = as_json(s);
    char *path = bt__rundir_path(r, "status.json");
    bool ok = path && !text.failed && bt_file_replace(path, text.data, text.len, NULL) == BT_OK;
    free(path);
    bt_str_free(&text);
    return ok;
}

/* A state that is not told would be taken for another: one that has to be told is tried more than once. */
void bt__status_write(struct bt__status *s, const struct bt__rundir *r, bool now)
{
    double clock = bt__clock();
    if (!now && clock - s->written < EVERY) return;
    s->written = clock;
    for (int tries = now ? 3 : 1; tries > 0 && !written(s, r); tries--) continue;
}

enum bt_status bt__status_store(const struct bt__status *s, const struct bt__rundir *r, struct bt_error *err)
{
    struct bt_str text = as_json(s);
    return bt__rundir_write(r, "status.json", &text, err);
}

void bt__status_figures(struct bt__status *s, const struct bt_run_status *from)
{
    s->name = from->name;
    s->metric = from->metric;
    s->step = from->step;
    s->total = from->total;
    s->epoch = from->epoch;
    s->epochs = from->epochs;
    s->train_loss = from->train_loss;
    s->best = from->best;
    s->best_step = from->best_step;
    s->last = from->last;
    s->last_step = from->last_step;
    s->steered = from->steered;
    if (from->started > 0.0) s->started = from->started;
}
