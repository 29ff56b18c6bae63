#include "run/trainer_state.h"
#include "run/format.h"

#include <bertty/version.h>
#include <math.h>
#include <stdio.h>

void bt__trainer_state_begin(struct bt__trainer_state *s)
{
    *s = (struct bt__trainer_state){.evaluated = -1, .best.step = -1, .last.step = -1, .plateau.factor = 1.0};
}

double bt__metric_gain(double before, double value, bool greater_is_better)
{
    if (isnan(before) || isnan(value)) return isnan(value) ? 0.0 : (double)INFINITY;
    return greater_is_better ? value - before : before - value;
}

void bt__metrics_write(struct bt_json_writer *w, const struct bt_metrics *m)
{
    bt_jw_object(w);
    for (size_t i = 0; i < m->n; i++) bt_jw_knum(w, m->item[i].name, m->item[i].value);
    bt_jw_end_object(w);
}

static void write_mark(struct bt_json_writer *w, const char *key, const struct bt__mark *m)
{
    bt_jw_key(w, key);
    if (m->step < 0) {
        bt_jw_null(w);
        return;
    }
    bt_jw_object(w);
    bt_jw_kint(w, "step", m->step);
    bt_jw_key(w, "metrics");
    bt__metrics_write(w, &m->metrics);
    bt_jw_end_object(w);
}

static void write_plateau(struct bt_json_writer *w, const struct bt__plateau *p)
{
    bt_jw_key(w, "plateau");
    bt_jw_object(w);
    if (p->any) bt_jw_knum(w, "best", p->best);
    bt_jw_kint(w, "stale", p->stale);
    bt_jw_knum(w, "factor", p->factor);
    bt_jw_end_object(w);
}

static struct bt__plateau read_plateau(const struct bt_json *v)
{
    return (struct bt__plateau){.any = bt_json_get(v, "best"),
                                .best = bt_json_number(bt_json_get(v, "best"), 0.0),
                                .stale = bt_json_int(bt_json_get(v, "stale"), 0),
                                .factor = bt_json_number(bt_json_get(v, "factor"), 1.0)};
}

void bt__trainer_state_write(struct bt_str *out, const struct bt__trainer_state *s, int64_t total,
                             const char *optim, const struct bt__hashes *data)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "format", BT__RUN_FORMAT);
    bt_jw_ktext(&w, "version", BT_VERSION);
    bt_jw_kint(&w, "step", s->step);
    bt_jw_kint(&w, "total", total);
    bt_jw_ktext(&w, "optim", optim);
    bt_jw_kint(&w, "evaluated", s->evaluated);
    write_mark(&w, "best", &s->best);
    write_mark(&w, "last", &s->last);
    bt_jw_kint(&w, "stale", s->stale);
    bt_jw_kbool(&w, "stopped_early", s->stopped_early);
    write_plateau(&w, &s->plateau);
    bt_jw_kint(&w, "alarms", s->alarms);
    bt_jw_kint(&w, "tokens", s->tokens);
    bt_jw_knum(&w, "seconds", s->seconds);
    bt_jw_knum(&w, "loss_sum", s->loss_sum);
    bt_jw_kint(&w, "loss_steps", s->loss_steps);
    bt_jw_key(&w, "data");
    bt__hashes_write(&w, data);
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
}

static void read_mark(const struct bt_json *v, struct bt__mark *m)
{
    const struct bt_json *metrics = bt_json_get(v, "metrics");
    *m = (struct bt__mark){.step = bt_json_int(bt_json_get(v, "step"), -1)};
    for (const void *it = bt_json_first(metrics); it && m->metrics.n < BT_MAX_METRICS;
         it = bt_json_next(metrics, it)) {
        struct bt_metric_value *one = &m->metrics.item[m->metrics.n++];
        snprintf(one->name, sizeof one->name, "%s", bt_json_key(it));
        one->value = bt_json_number(bt_json_value(it), (double)NAN);
    }
}

enum bt_status bt__trainer_state_read(const char *path, struct bt__trainer_state *s, struct bt_json **root,
                                      struct bt_error *err)
{
    struct bt_error mine = {.status = BT_OK};
    struct bt_json *v = *root = bt_json_load(path, 16 << 20, &mine);
    if (!v) return bt_fail(err, mine.status, "%s", mine.text);
    *s = (struct bt__trainer_state){
        .step = bt_json_int(bt_json_get(v, "step"), -1),
        .evaluated = bt_json_int(bt_json_get(v, "evaluated"), -1),
        .stale = bt_json_int(bt_json_get(v, "stale"), 0),
        .stopped_early = bt_json_bool(bt_json_get(v, "stopped_early"), false),
        .plateau = read_plateau(bt_json_get(v, "plateau")),
        .alarms = bt_json_int(bt_json_get(v, "alarms"), 0),
        .tokens = bt_json_int(bt_json_get(v, "tokens"), 0),
        .seconds = bt_json_number(bt_json_get(v, "seconds"), 0.0),
        .loss_sum = bt_json_number(bt_json_get(v, "loss_sum"), 0.0),
        .loss_steps = bt_json_int(bt_json_get(v, "loss_steps"), 0),
    };
    read_mark(bt_json_get(v, "best"), &s->best);
    read_mark(bt_json_get(v, "last"), &s->last);
    enum bt_status st = bt__format_check(v, path, err);
    if (!st && s->step < 0) st = bt_fail(err, BT_DAMAGED, "%s: no \"step\"", path);
    if (!st) return BT_OK;
    bt_json_free(v);
    *root = NULL;
    return st;
}
