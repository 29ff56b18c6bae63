/* What a run's directory holds, and what steers one. */
#include "tests/fuzz/fuzz.h"

#include "run/checkpoint.h"
#include "run/control.h"
#include "run/steering.h"
#include "run/trainer_state.h"
#include <bertty/batches.h>
#include <bertty/data_hash.h>
#include <bertty/data_map.h>
#include <bertty/events.h>
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/label_decisions.h>
#include <bertty/notes.h>
#include <bertty/probe_set.h>
#include <bertty/queue.h>
#include <bertty/regex.h>
#include <bertty/row_filter.h>
#include <bertty/row_notes.h>
#include <bertty/run.h>
#include <bertty/run_facts.h>
#include <bertty/run_filter.h>
#include <bertty/slices.h>
#include <bertty/study.h>
#include <bertty/table.h>
#include <bertty/threshold.h>
#include <math.h>
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

/* Written down, what was read is JSON, and read again it is written in the same way. */
static void write_again(const struct bt_json *v)
{
    struct bt_str first = {0}, second = {0};
    struct bt_json_writer one = BT_JSON_WRITER(&first), two = BT_JSON_WRITER(&second);
    struct bt_error why = {.status = BT_OK};
    bt_jw_value(&one, v);
    struct bt_json *again = bt_json_parse(bt_str_text(&first), first.len, "again", &why);
    if (!again) fuzz_broken(why.text);
    bt_jw_value(&two, again);
    if (strcmp(bt_str_text(&first), bt_str_text(&second)) != 0) fuzz_broken("written in another way");
    bt_json_free(again);
    bt_str_free(&first);
    bt_str_free(&second);
}

READER(json)
{
    UNUSED;
    struct bt_json *v = bt_json_parse(text, n, "x.json", err);
    if (!v) return err->status;
    write_again(v);
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

/* The first label at another threshold, the others as they were. */
static void decide_again(struct bt_predictions *p, const struct bt_thresholds *t)
{
    double *threshold = calloc((size_t)p->n_labels + 1, sizeof *threshold);
    if (!threshold) return;
    for (int i = 1; i < p->n_labels; i++) threshold[i] = (double)NAN;
    const double best = bt_thresholds_best(t, 0);
    bt_thresholds_at(t, 0, best);
    threshold[0] = best;
    if (bt_predictions_decide(p, threshold, NULL) == BT_OK)
        for (size_t i = 0; i < p->n; i++) bt_json_free(bt_prediction_json(p, &p->row[i]));
    free(threshold);
}

READER(predictions)
{
    struct bt_predictions *p = NULL;
    struct bt_thresholds *t = NULL;
    UNUSED;
    const enum bt_status st = bt_predictions_load(dir, "validation", -1, &p, err);
    if (st) return st;
    for (size_t i = 0; i < p->n; i++) bt_json_free(bt_prediction_json(p, &p->row[i]));
    if (bt_predictions_last_row(p) && bt_thresholds_make(p, &t, NULL) == BT_OK) decide_again(p, t);
    bt_thresholds_free(t);
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
    for (size_t i = 0; !st && i < b->n; i++)
        if (b->row[i].row < 0 || b->row[i].step < 1) fuzz_broken("a row before the first");
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
    static bool beside;
    char *trainer = beside ? NULL : bt_path_join(dir, "trainer.json");
    UNUSED;
    if (trainer) beside = bt_file_replace(trainer, "{}\n", 3, NULL) == BT_OK;
    free(trainer);
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

/* A section alone; what it means is made of it where that is little. */
READER(sweep)
{
    struct bt_sweep s = {0};
    struct bt_sweep_plan plan = {0};
    UNUSED;
    struct bt_yaml *v = bt_yaml_parse(text, n, "x.yaml", err);
    if (!v) return err->status;
    enum bt_status st = bt_sweep_read(v, "x.yaml", &s, err);
    size_t points = 1;
    for (size_t i = 0; i < s.n && points < 1000; i++)
        points *= s.axis[i].value.n ? s.axis[i].value.n : s.axis[i].steps > 0 ? (size_t)s.axis[i].steps : 1;
    if (!st && s.trials < 20 && points < 200) st = bt_sweep_make_plan(&s, &plan, err);
    for (size_t i = 0; i < plan.n && !st; i++)
        if (plan.trial[i].n < s.n) fuzz_broken("a trial without a value of each option");
    bt_sweep_plan_clear(&plan);
    bt_sweep_clear(&s);
    bt_yaml_free(v);
    return st;
}

READER(study)
{
    struct bt_study s = {0};
    struct bt_study_option *o = NULL;
    size_t options = 0;
    UNUSED;
    enum bt_status st = bt_study_load(dir, "s", NULL, &s, err);
    if (!st) st = bt_study_options(&s, &o, &options, err);
    if (!st) (void)bt_study_done(&s);
    bt_study_options_free(o, options);
    bt_study_clear(&s);
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

/* What the set has to say of each probe, at each step. */
READER(probe_history)
{
    static char name[] = "x";
    static struct bt_probe probe[] = {{.name = name, .key = "0123456789abcdef"}, {.name = name, .key = "a"}};
    const struct bt_probe_set set = {.name = name, .probe = probe, .n = 2};
    struct bt_probe_history *h = NULL;
    struct bt_probe_flip *flip = NULL;
    size_t flips = 0;
    UNUSED;
    const enum bt_status st = bt_probe_history_load(dir, &set, &h, err);
    if (st) return st;
    if (bt_probe_flips(h, &flip, &flips))
        for (size_t i = 0; i < flips; i++)
            if (flip[i].from >= flip[i].to || flip[i].to >= h->n_steps) fuzz_broken("a flip at no step");
    for (size_t k = 1; k < h->n_steps; k++)
        if (h->step[k] <= h->step[k - 1]) fuzz_broken("steps that do not rise");
    free(flip);
    bt_probe_history_free(h);
    return BT_OK;
}

READER(steering)
{
    struct bt__steering s;
    const struct bt__rundir r = {.dir = (char *)(uintptr_t)dir};
    UNUSED;
    const enum bt_status st = bt__steering_load(&s, &r, err);
    if (!st && s.n > n) fuzz_broken("more changes than bytes");
    bt__steering_free(&s);
    return st;
}

/* run.json: the hashes of the data. */
READER(run)
{
    static const char *const split[] = {"train", "validation", "test"};
    char hex[BT_DATA_HASH];
    enum bt_status st = BT_OK;
    UNUSED;
    for (size_t i = 0; i < 3; i++) {
        st = bt_data_hash_of_run(dir, split[i], hex, err);
        if (!st && !memchr(hex, 0, sizeof hex)) fuzz_broken("a hash without its end");
    }
    return st;
}

READER(run_filter)
{
    struct bt_run_filter *f = NULL;
    UNUSED;
    const struct bt_run_status run = {
        .id = (char *)(uintptr_t) "a", .dir = (char *)(uintptr_t) "runs/a", .best = (double)NAN};
    const struct bt_run_facts facts = {.n_figures = 0};
    const enum bt_status st = bt_run_filter_parse(text, &f, err);
    if (st) return st;
    bt_run_filter_match(f, &run, &facts, 1e9);
    bt_run_filter_free(f);
    return st;
}

READER(row_filter)
{
    static const char *const name[] = {"text", "label", "row"};
    char *cell[] = {(char *)(uintptr_t) "a fine film, \xc3\xa9", (char *)(uintptr_t) "pos",
                    (char *)(uintptr_t) "3.5"};
    size_t cell_n[] = {15, 3, 3};
    const struct bt_row row = {.cell = cell, .cell_n = cell_n, .n = 3, .line = 1};
    struct bt_row_filter *f = NULL;
    size_t at = 0;
    UNUSED;
    const enum bt_status st = bt_row_filter_parse_names(text, name, 3, &f, &at, err);
    if (st && at > n) fuzz_broken("a place behind the text");
    if (!st) bt_row_filter_holds(f, &row);
    bt_row_filter_free(f);
    return st;
}

/* The first line is the expression, the rest is searched. */
READER(regex)
{
    struct bt_regex *r = NULL;
    const char *line = memchr(text, '\n', n);
    const size_t pattern = line ? (size_t)(line - text) : n, size = line ? n - pattern - 1 : 0;
    size_t at = 0, begin = 0, end = 0;
    UNUSED;
    const enum bt_status st = bt_regex_compile(text, pattern, 0, &r, &at, err);
    if (st && at > pattern) fuzz_broken("a fault behind the expression");
    for (size_t from = 0; !st && from <= size; from = end + (end == begin)) {
        if (bt_regex_find(r, text + pattern + 1, size, from, &begin, &end) != BT_MATCH_FOUND) break;
        if (begin < from || end < begin || end > size) fuzz_broken("a match outside the text");
    }
    bt_regex_free(r);
    return st;
}

#define EVENTS                                                                                               \
    "engine/run/events_decode.c engine/run/events_wire.c engine/run/events_read.c "                          \
    "engine/run/events_plain.c engine/run/events_series.c engine/run/events_points.c"
#define EXPERIMENT                                                                                           \
    "engine/base/yaml.c engine/experiment/experiment.c engine/experiment/value.c "                           \
    "engine/experiment/validate.c"
const struct fuzz_target fuzz_run[] = {
    {.name = "experiment", .sources = EXPERIMENT, .read = read_yaml},
    {.name = "edit", .sources = "engine/experiment/edit.c", .read = read_edit},
    {.name = "json", .sources = "engine/base/json.c engine/base/json_write.c", .read = read_json},
    {.name = "events", .file = "events.out.tfevents.1.x", .sources = EVENTS, .read = read_events},
    {.name = "events-sealed",
     .file = "events.out.tfevents.1.x",
     .seal = fuzz_seal_events,
     .sources = EVENTS,
     .read = read_events},
    {.name = "status", .file = "status.json", .sources = "engine/run/status_read.c", .read = read_status},
    {.name = "run",
     .file = "run.json",
     .rest = "experiment.yaml",
     .sources = "engine/run/data_hash.c",
     .read = read_run},
    {.name = "notes", .file = "notes.json", .sources = "engine/run/notes.c", .read = read_notes},
    {.name = "predictions",
     .file = "predictions/validation-step-000010.jsonl",
     .sources = "engine/run/predictions_read.c engine/run/predictions_decide.c",
     .read = read_predictions},
    {.name = "row-notes",
     .file = "predictions/validation.notes.jsonl",
     .sources = "engine/run/row_notes.c",
     .read = read_row_notes},
    {.name = "decisions",
     .file = "x.decisions.jsonl",
     .sources = "engine/run/label_decisions.c engine/run/decisions_file.c",
     .read = read_decisions},
    {.name = "batches", .file = "batches", .sources = "engine/run/batches_read.c", .read = read_batches},
    {.name = "batches-sealed",
     .file = "batches",
     .seal = fuzz_seal_events,
     .sources = "engine/run/batches_read.c",
     .read = read_batches},
    {.name = "dynamics",
     .file = "dynamics/epoch-1.jsonl",
     .sources = "engine/explain/data_map.c",
     .read = read_dynamics},
    {.name = "manifest",
     .file = "manifest.json",
     .rest = "model.safetensors",
     .sources = "engine/run/checkpoint.c",
     .read = read_manifest},
    {.name = "trainer-state",
     .file = "trainer_state.json",
     .sources = "engine/run/trainer_state.c",
     .read = read_state},
    {.name = "steering", .file = "steered.jsonl", .sources = "engine/run/steering.c", .read = read_steering},
    {.name = "control", .sources = "engine/run/control.c", .read = read_control},
    {.name = "queue", .file = ".queue.json", .sources = "engine/run/queue_file.c", .read = read_queue},
    {.name = "sweep",
     .sources = "engine/experiment/sweep.c engine/experiment/sweep_plan.c",
     .read = read_sweep},
    {.name = "study",
     .file = ".studies/s/study.json",
     .rest = ".studies/s/results.jsonl",
     .sources =
         "engine/run/study.c engine/run/study_results.c engine/run/study_rules.c engine/run/study_options.c",
     .read = read_study},
    {.name = "slices", .file = "slices.json", .sources = "engine/explain/slices.c", .read = read_slices},
    {.name = "probe-set",
     .file = "x.probe.yaml",
     .sources = "engine/explain/probe_set.c",
     .read = read_probe_set},
    {.name = "probe-history",
     .file = "probes/x.jsonl",
     .sources = "engine/explain/probe_history.c",
     .read = read_probe_history},
    {.name = "run-filter",
     .sources = "engine/run/run_filter.c engine/run/run_filter_word.c engine/run/run_key.c",
     .read = read_run_filter},
    {.name = "row-filter", .sources = "engine/dataset/row_filter_parse.c", .read = read_row_filter},
    {.name = "regex", .sources = "engine/base/regex.c", .read = read_regex},
    {.name = NULL}};
