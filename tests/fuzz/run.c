/* What a run's directory holds, and what steers one. */
#include "tests/fuzz/fuzz.h"

#include "run/checkpoint.h"
#include "run/control.h"
#include "run/trainer_state.h"
#include <bertty/batches.h>
#include <bertty/data_map.h>
#include <bertty/events.h>
#include <bertty/experiment.h>
#include <bertty/json.h>
#include <bertty/label_decisions.h>
#include <bertty/notes.h>
#include <bertty/probe_set.h>
#include <bertty/queue.h>
#include <bertty/row_filter.h>
#include <bertty/row_notes.h>
#include <bertty/run.h>
#include <bertty/run_filter.h>
#include <bertty/slices.h>
#include <bertty/threshold.h>
#include <stdlib.h>
#include <string.h>

#define READER(name)                                                                                         \
    static enum bt_status read_##name(const char *path, const char *dir, const char *text, size_t n,         \
                                      struct bt_error *err)
#define UNUSED (void)path, (void)dir, (void)text, (void)n

READER(yaml)
{
    struct bt_experiment *x = NULL, *again = NULL;
    struct bt_str out = {0};
    UNUSED;
    enum bt_status st = bt_experiment_parse(text, n, "x.yaml", &x, err);
    if (st) return st;
    st = bt_experiment_validate(x, NULL, err);
    if (!st) {
        struct bt_error why = {.status = BT_OK};
        bt_experiment_write(x, &out);
        if (bt_experiment_parse(bt_str_text(&out), out.len, "again", &again, &why) != BT_OK)
            fuzz_broken(why.text);
    }
    bt_experiment_free(again);
    bt_experiment_free(x);
    bt_str_free(&out);
    return st;
}

/* A value is put into whatever file there is: it reads back, or the file is refused. */
READER(edit)
{
    struct bt_str file = {0};
    struct bt_experiment *x = NULL;
    UNUSED;
    bt_str_addn(&file, text, n);
    enum bt_status st = bt_experiment_edit(&file, "optim.learning_rate", "0.125", err);
    if (!st && bt_experiment_parse(bt_str_text(&file), file.len, "edited", &x, err) == BT_OK &&
        x->optim_learning_rate != 0.125)
        fuzz_broken("an edit that is not there");
    bt_experiment_free(x);
    bt_str_free(&file);
    return st;
}

READER(json)
{
    UNUSED;
    struct bt_json *v = bt_json_parse(text, n, "x.json", err);
    if (!v) return err->status;
    bt_json_free(v);
    return BT_OK;
}

READER(events)
{
    struct bt_series_reader *r = NULL;
    bool more = true;
    UNUSED;
    enum bt_status st = bt_series_open(dir, &r, err);
    while (!st && more) st = bt_series_poll(r, 1 << 12, &more, err);
    if (!st) bt_series_commit(r);
    for (size_t i = 0; !st && i < bt_series_count(r); i++) {
        const struct bt_series *s = bt_series_at(r, i);
        if (s->n > n) fuzz_broken("more points than bytes");
        for (size_t k = 1; k < s->n; k++)
            if (s->step[k] < s->step[k - 1]) fuzz_broken("steps that fall");
    }
    bt_series_free(r);
    return st;
}

READER(status)
{
    struct bt_run_status s = {.id = NULL};
    UNUSED;
    const enum bt_status st = bt_run_status(dir, &s, err);
    if (!st) bt_run_status_clear(&s);
    return st;
}

READER(notes)
{
    struct bt_notes found = {0};
    UNUSED;
    const enum bt_status st = bt_notes_load(dir, &found, err);
    bt_notes_clear(&found);
    return st;
}

READER(predictions)
{
    struct bt_predictions *p = NULL;
    struct bt_thresholds *t = NULL;
    UNUSED;
    const enum bt_status st = bt_predictions_load(dir, "validation", -1, &p, err);
    if (st) return st;
    for (size_t i = 0; i < p->n; i++) bt_json_free(bt_prediction_json(p, &p->row[i]));
    if (bt_predictions_last_row(p) && bt_thresholds_make(p, &t, NULL) == BT_OK) bt_thresholds_free(t);
    bt_predictions_free(p);
    return BT_OK;
}

READER(row_notes)
{
    struct bt_row_notes found = {.n = 0};
    UNUSED;
    const enum bt_status st = bt_row_notes_load(dir, "validation", &found, err);
    bt_row_notes_clear(&found);
    return st;
}

READER(decisions)
{
    struct bt_label_decisions found = {.n = 0};
    UNUSED;
    const enum bt_status st = bt_label_decisions_load(path, &found, err);
    bt_label_decisions_clear(&found);
    return st;
}

READER(batches)
{
    struct bt_batches *b = NULL;
    UNUSED;
    const enum bt_status st = bt_batches_load(dir, 0, INT64_MAX, &b, err);
    if (!st && b->n > n) fuzz_broken("more rows than bytes");
    bt_batches_free(b);
    return st;
}

READER(dynamics)
{
    struct bt_map *m = NULL;
    UNUSED;
    const enum bt_status st = bt_map_load(dir, &m, err);
    bt_map_free(m);
    return st;
}

READER(manifest)
{
    UNUSED;
    return bt__checkpoint_verify(dir, err);
}

READER(state)
{
    struct bt__trainer_state s;
    struct bt_json *root = NULL;
    UNUSED;
    const enum bt_status st = bt__trainer_state_read(path, &s, &root, err);
    bt_json_free(root);
    return st;
}

READER(control)
{
    struct bt__command c;
    enum bt_status st = BT_OK;
    UNUSED;
    for (const char *at = text, *end; !st && *at; at = *end ? end + 1 : end) {
        char line[256];
        end = at + strcspn(at, "\n");
        const size_t length = (size_t)(end - at) < sizeof line - 1 ? (size_t)(end - at) : sizeof line - 1;
        memcpy(line, at, length);
        line[length] = '\0';
        st = bt__command_parse(line, &c, err);
    }
    return st;
}

READER(queue)
{
    struct bt_queue q = {0};
    UNUSED;
    const enum bt_status st = bt_queue_load(dir, &q, err);
    if (!st) bt_queue_clear(&q);
    return st;
}

READER(slices)
{
    struct bt_slices s = {0};
    UNUSED;
    const enum bt_status st = bt_slices_load(dir, &s, err);
    bt_slices_clear(&s);
    return st;
}

READER(probe_set)
{
    struct bt_probe_set *s = NULL;
    UNUSED;
    const enum bt_status st = bt_probe_set_load(path, &s, err);
    if (!st) bt_probe_set_free(s);
    return st;
}

READER(run_filter)
{
    struct bt_run_filter *f = NULL;
    UNUSED;
    const enum bt_status st = bt_run_filter_parse(text, &f, err);
    if (!st) bt_run_filter_free(f);
    return st;
}

READER(row_filter)
{
    static const char *const name[] = {"text", "label", "row"};
    struct bt_row_filter *f = NULL;
    size_t at = 0;
    UNUSED;
    const enum bt_status st = bt_row_filter_parse_names(text, name, 3, &f, &at, err);
    if (st && at > n) fuzz_broken("a place behind the text");
    if (!st) bt_row_filter_free(f);
    return st;
}

const struct fuzz_target fuzz_run[] = {
    {.name = "experiment", .read = read_yaml},
    {.name = "edit", .read = read_edit},
    {.name = "json", .read = read_json},
    {.name = "events", .file = "events.out.tfevents.1.x", .read = read_events},
    {.name = "status", .file = "status.json", .read = read_status},
    {.name = "notes", .file = "notes.json", .read = read_notes},
    {.name = "predictions", .file = "predictions/validation-step-000010.jsonl", .read = read_predictions},
    {.name = "row-notes", .file = "predictions/validation.notes.jsonl", .read = read_row_notes},
    {.name = "decisions", .file = "x.decisions.jsonl", .read = read_decisions},
    {.name = "batches", .file = "batches", .read = read_batches},
    {.name = "dynamics", .file = "dynamics/epoch-1.jsonl", .read = read_dynamics},
    {.name = "manifest", .file = "manifest.json", .rest = "model.safetensors", .read = read_manifest},
    {.name = "trainer-state", .file = "trainer_state.json", .read = read_state},
    {.name = "control", .read = read_control},
    {.name = "queue", .file = ".queue.json", .read = read_queue},
    {.name = "slices", .file = "slices.json", .read = read_slices},
    {.name = "probe-set", .file = "x.probe.yaml", .read = read_probe_set},
    {.name = "run-filter", .read = read_run_filter},
    {.name = "row-filter", .read = read_row_filter},
    {.name = NULL}};
