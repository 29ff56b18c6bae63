/* A tiny random BERT, a few labelled rows, and runs on them: what the tests of training share. One test program at a time. */
#ifndef TESTS_UNIT_RUN_FIXTURE_H
#define TESTS_UNIT_RUN_FIXTURE_H

#include "formats/hf_dir.h"
#include "model/model.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/run.h>
#include <bertty/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIX_TRAIN = 37, FIX_DEV = 11, FIX_WORDS = 24 };

static char fix_dir[] = "/tmp/bertty-run-XXXXXX";
static struct bt_error fix_err;

static inline void expect_ok(enum bt_status st)
{
    if (st) fail_msg("%s", fix_err.text);
}

/* fix_dir/name, in one of a few buffers that are used in turn. */
static inline const char *fix_path(const char *fmt, ...)
{
    static char text[8][512];
    static unsigned at;
    char *out = text[at++ % 8];
    int n = snprintf(out, sizeof text[0], "%s/", fix_dir);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out + n, sizeof text[0] - (size_t)n, fmt, ap);
    va_end(ap);
    return out;
}

static inline void fix_write(const char *path, const char *text)
{
    expect_ok(bt_file_write_atomic(path, text, strlen(text), &fix_err));
}

/* Rows of 1 to 9 words; the label is whether the first word has an even number. */
static inline void fix_rows(const char *path, int n, unsigned seed)
{
    struct bt_str out = {0};
    bt_str_add(&out, "text\tlabel\n");
    for (int i = 0; i < n; i++) {
        unsigned first = (seed + (unsigned)i * 7u) % FIX_WORDS, words = 1 + (unsigned)(i * i) % 9u;
        for (unsigned w = 0; w < words; w++)
            bt_str_addf(&out, "%sw%c", w ? " " : "", 'a' + (int)((first + w * 5u) % FIX_WORDS));
        bt_str_addf(&out, "\t%s\n", first % 2 ? "odd" : "even");
    }
    fix_write(path, bt_str_text(&out));
    bt_str_free(&out);
}

/* change: what is to be odd about its weights, or NULL. */
static inline void fix_model(const char *dir, void (*change)(struct bt__model *m))
{
    struct bt__model_config c = {.vocab_size = 5 + FIX_WORDS,
                                 .hidden_size = 16,
                                 .num_hidden_layers = 2,
                                 .num_attention_heads = 2,
                                 .intermediate_size = 32,
                                 .max_position_embeddings = 16,
                                 .type_vocab_size = 2,
                                 .layer_norm_eps = 1e-12f,
                                 .initializer_range = 0.1f,
                                 .hidden_dropout_prob = 0.1f,
                                 .attention_probs_dropout_prob = 0.1f,
                                 .classifier_dropout = -1.0f};
    struct bt__model *m;
    struct bt_str vocab = {0};
    expect_ok(bt__model_create(
        &c, &(struct bt__head_spec){.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2}, &m,
        &fix_err));
    bt__model_init(m, 3, NULL);
    if (change) change(m);
    bt_str_add(&vocab, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (int i = 0; i < FIX_WORDS; i++) bt_str_addf(&vocab, "w%c\n", 'a' + i);
    expect_ok(bt_mkdirs(fix_path("vocab"), &fix_err));
    fix_write(fix_path("vocab/vocab.txt"), bt_str_text(&vocab));
    expect_ok(bt_mkdirs(dir, &fix_err));
    const struct bt__hf_case letters = {.lower_case = true, .do_lower_case = -1, .strip_accents = -1};
    expect_ok(bt__hf_save(dir, &m->config, &m->params, m->w, fix_path("vocab"), &letters, &fix_err));
    bt_str_free(&vocab);
    bt__model_free(m);
}

static inline int fix_begin(void **state)
{
    (void)state;
    if (!mkdtemp(fix_dir)) return -1;
    fix_model(fix_path("model"), NULL);
    fix_rows(fix_path("train.tsv"), FIX_TRAIN, 0);
    fix_rows(fix_path("dev.tsv"), FIX_DEV, 3);
    fix_rows(fix_path("test.tsv"), FIX_DEV, 5);
    return 0;
}

static inline int fix_end(void **state)
{
    (void)state;
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", fix_dir);
    return system(command) == 0 ? 0 : -1;
}

/* The experiment of most tests: 10 batches of 4, two of them a step, 2 epochs: 10 steps. settings: "a.b=c", ended by NULL. */
static inline struct bt_experiment *fix_experiment(const char *const *settings)
{
    struct bt_experiment *x;
    const char *file[] = {"train", "dev", "test"}, *key[] = {"train", "validation", "test"};
    expect_ok(bt_experiment_new(&x, &fix_err));
    static const char *const common[] = {"data.text_column=text",
                                         "data.label_column=label",
                                         "data.max_seq_length=10",
                                         "train.train_batch_size=4",
                                         "train.gradient_accumulation_steps=2",
                                         "train.num_train_epochs=2",
                                         "optim.learning_rate=3e-3",
                                         "run.logging_steps=1",
                                         "run.save_strategy=steps",
                                         "run.save_steps=3",
                                         "eval.eval_strategy=steps",
                                         "eval.eval_steps=4",
                                         "run.num_threads=2",
                                         NULL};
    char text[600];
    snprintf(text, sizeof text, "model.name_or_path=%s", fix_path("model"));
    expect_ok(bt_experiment_assign(x, text, &fix_err));
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "data.%s_file=%s", key[i], fix_path("%s.tsv", file[i]));
        expect_ok(bt_experiment_assign(x, text, &fix_err));
    }
    for (int i = 0; common[i]; i++) expect_ok(bt_experiment_assign(x, common[i], &fix_err));
    for (int i = 0; settings && settings[i]; i++) expect_ok(bt_experiment_assign(x, settings[i], &fix_err));
    return x;
}

/* What a test does at a step, and what it is told. */
struct fix_watch {
    int64_t at; /* acts after this step */
    void (*act)(struct fix_watch *w, const struct bt_progress *p);
    bool stop; /* set: the run is to stop */
    int warnings;
    char warning[512]; /* the last */
    const char *dir;   /* of the run */
    int result;        /* the action's own */
};

static inline void fix_progress(void *ctx, const struct bt_progress *p)
{
    struct fix_watch *w = ctx;
    if (p->dir) w->dir = p->dir;
    if (p->kind == BT_PROGRESS_WARNING) {
        w->warnings++;
        snprintf(w->warning, sizeof w->warning, "%s", p->text);
    }
    if (p->kind == BT_PROGRESS_STEP && w->act && p->step == w->at) w->act(w, p);
}

static inline bool fix_interrupted(void *ctx)
{
    return ((struct fix_watch *)ctx)->stop;
}

static inline struct bt_train_request fix_request(struct fix_watch *w)
{
    return (struct bt_train_request){.runs_dir = fix_path("runs"),
                                     .resume_step = -1,
                                     .announce = -1,
                                     .progress = fix_progress,
                                     .interrupted = fix_interrupted,
                                     .ctx = w};
}

static inline enum bt_status fix_train(const char *name, const char *const *settings, struct fix_watch *w,
                                       struct bt_train_result *r)
{
    struct bt_train_request q = fix_request(w);
    q.name = name;
    q.experiment = fix_experiment(settings);
    enum bt_status st = bt_train(&q, r, &fix_err);
    bt_experiment_free(q.experiment);
    return st;
}

static inline enum bt_status fix_resume(const char *name, int64_t step, bool force, struct fix_watch *w,
                                        struct bt_train_result *r)
{
    struct bt_train_request q = fix_request(w);
    q.resume = fix_path("runs/%s", name);
    q.resume_step = step;
    q.force = force;
    return bt_train(&q, r, &fix_err);
}

/* SHA-256 of the last checkpoint's weights. */
static inline const char *fix_weights(const char *name)
{
    static char hex[4][65];
    static unsigned at;
    char *out = hex[at++ % 4];
    expect_ok(bt_sha256_file(fix_path("runs/%s/last/model.safetensors", name), out, &fix_err));
    return out;
}

static inline void fix_stop(struct fix_watch *w, const struct bt_progress *p)
{
    (void)p;
    w->stop = true;
}

/* A member of a JSON file of a run; the caller frees. "" if it is missing or null. */
static inline char *fix_json(const char *run, const char *file, const char *key)
{
    struct bt_json *v = bt_json_load(fix_path("runs/%s/%s", run, file), 1 << 20, &fix_err);
    assert_non_null(v);
    const struct bt_json *m = bt_json_get(v, key);
    char *text = bt_json_kind(m) == BT_JSON_INT ? bt_strfmt("%lld", (long long)bt_json_int(m, 0))
                                                : bt_strdup(bt_json_text(m, ""));
    bt_json_free(v);
    return text;
}

/* A run that is stopped after that step. */
static inline void fix_train_until(const char *name, const char *const *settings, int64_t step)
{
    struct fix_watch w = {.at = step, .act = fix_stop};
    struct bt_train_result r;
    expect_ok(fix_train(name, settings, &w, &r));
    assert_string_equal(r.state, "stopped");
    assert_int_equal(r.last_step, step);
    bt_train_result_clear(&r);
}

/* From a checkpoint (−1: the newest) to the end; what was told on the way. */
static inline struct fix_watch fix_go_on(const char *name, int64_t step)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_resume(name, step, false, &w, &r));
    assert_string_equal(r.state, "finished");
    bt_train_result_clear(&r);
    return w;
}

/* A run that is stopped and resumed comes to the same bits as one that is not: name-stopped to those of name, which has ended. */
static inline void fix_same_when_stopped(const char *name, const char *const *settings, int64_t step)
{
    char stopped[64];
    snprintf(stopped, sizeof stopped, "%s-stopped", name);
    fix_train_until(stopped, settings, step);
    fix_go_on(stopped, -1);
    assert_string_equal(fix_weights(name), fix_weights(stopped));
}

static inline void fix_stopped_and_resumed(const char *name, const char *const *settings)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train(name, settings, &w, &r));
    assert_string_equal(r.state, "finished");
    assert_int_equal(w.warnings, 0);
    bt_train_result_clear(&r);
    fix_same_when_stopped(name, settings, 5);
}

static inline void fix_hot(struct bt__model *m)
{
    for (int i = 0; i < m->config.hidden_size; i++) m->w[m->layer[0].norm2_w + (size_t)i] *= 1e38f;
}

/* A run whose loss is no number at its first step. */
static inline void fix_diverge(const char *name, struct bt_train_result *r)
{
    struct fix_watch w = {.at = -1};
    char model[600];
    fix_model(fix_path("hot"), fix_hot);
    snprintf(model, sizeof model, "model.name_or_path=%s", fix_path("hot"));
    assert_int_equal(fix_train(name, (const char *const[]){model, NULL}, &w, r), BT_DIVERGED);
}

#endif
