/* Runs with adapters of low rank: what moves, exact resuming, what a checkpoint holds, and what is refused. */
#include "tests/unit/run_fixture.h"

#include "formats/adapter.h"
#include "formats/safetensors.h"
#include "model/trainable.h"
#include <math.h>

static struct bt__safetensors *file_of(const char *path)
{
    struct bt__safetensors *s;
    expect_ok(bt__safetensors_open(path, &s, &fix_err));
    return s;
}

static double apart(const struct bt__safetensors *a, const char *in_a, const struct bt__safetensors *b,
                    const char *in_b)
{
    ptrdiff_t i = bt__safetensors_find(a, in_a), j = bt__safetensors_find(b, in_b);
    float x[4096], y[4096];
    double most = 0.0;
    assert_true(i >= 0 && j >= 0);
    size_t n = bt__safetensors_at(a, (size_t)i)->count;
    assert_true(n <= 4096 && n == bt__safetensors_at(b, (size_t)j)->count);
    expect_ok(bt__safetensors_read_f32(a, (size_t)i, x, 1, &fix_err));
    expect_ok(bt__safetensors_read_f32(b, (size_t)j, y, 1, &fix_err));
    for (size_t k = 0; k < n; k++) most = fmax(most, fabs((double)x[k] - (double)y[k]));
    return most;
}

/* The merged model differs from its start where there are adapters, and in head and pooler; the unmerged bases are the start's. */
static void moves(void **state)
{
    (void)state;
    fix_stopped_and_resumed("lora",
                            (const char *const[]){"model.adapter=lora", "model.lora_dropout=0.1", NULL});
    struct bt__safetensors *before = file_of(fix_path("model/model.safetensors")),
                           *after = file_of(fix_path("runs/lora/last/model.safetensors")),
                           *base = file_of(fix_path("runs/lora/last/base.safetensors")),
                           *adapter = file_of(fix_path("runs/lora/last/adapter_model.safetensors")),
                           *optim = file_of(fix_path("runs/lora/last/optimizer.safetensors"));
    assert_int_equal(bt__safetensors_count(before), bt__safetensors_count(after));
    for (size_t i = 0; i < bt__safetensors_count(after); i++) {
        const char *name = bt__safetensors_at(after, i)->name;
        bool trained = strstr(name, "query.weight") || strstr(name, "value.weight") ||
                       strstr(name, "pooler") || strstr(name, "classifier");
        double moved = apart(before, name, after, name);
        if (trained ? moved <= 0.0 : moved != 0.0) fail_msg("%s moved by %g", name, moved);
    }
    assert_int_equal(bt__safetensors_count(base), 4);
    for (size_t i = 0; i < 4; i++) {
        const char *name = bt__safetensors_at(base, i)->name;
        assert_true(apart(before, name, base, name) == 0.0);
    }
    assert_int_equal(bt__safetensors_count(adapter), 8 + 4);
    assert_true(apart(adapter, "base_model.model.bert.pooler.dense.weight", after,
                      "bert.pooler.dense.weight") == 0.0);
    for (size_t i = 0; i < bt__safetensors_count(optim); i++) {
        const char *name = bt__safetensors_at(optim, i)->name;
        assert_true(strstr(name, "lora_") || strstr(name, "pooler") || strstr(name, "classifier") ||
                    strncmp(name, "epoch.", 6) == 0);
    }
    bt__safetensors_close(before);
    bt__safetensors_close(after);
    bt__safetensors_close(base);
    bt__safetensors_close(adapter);
    bt__safetensors_close(optim);
}

static void everywhere(void **state)
{
    (void)state;
    fix_stopped_and_resumed(
        "dense", (const char *const[]){
                     "model.adapter=lora", "model.lora_target_modules=[query, key, value, dense]",
                     "model.freeze_layers=1", "model.lora_r=3", "model.modules_to_save=[classifier]", NULL});
    struct bt__safetensors *adapter = file_of(fix_path("runs/dense/last/adapter_model.safetensors"));
    assert_int_equal(bt__safetensors_count(adapter), 12 + 4); /* one layer; the pooler goes along */
    assert_true(bt__safetensors_find(
                    adapter, "base_model.model.bert.encoder.layer.1.output.dense.lora_B.weight") >= 0);
    bt__safetensors_close(adapter);
}

static void same_bits(void **state)
{
    (void)state;
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train(
        "lora-one",
        (const char *const[]){"model.adapter=lora", "model.lora_dropout=0.1", "run.num_threads=1", NULL}, &w,
        &r));
    bt_train_result_clear(&r);
    assert_string_equal(fix_weights("lora-one"), fix_weights("lora"));
    expect_ok(fix_train(
        "lora-alpha",
        (const char *const[]){"model.adapter=lora", "model.lora_dropout=0.1", "model.lora_alpha=16", NULL},
        &w, &r));
    bt_train_result_clear(&r);
    assert_string_not_equal(fix_weights("lora-alpha"), fix_weights("lora"));
    expect_ok(fix_train("lora-dry", (const char *const[]){"model.adapter=lora", NULL}, &w, &r));
    bt_train_result_clear(&r);
    assert_string_not_equal(fix_weights("lora-dry"), fix_weights("lora"));
}

/* What the check foretells. */
static void check(void **state)
{
    (void)state;
    const int64_t h = 16, pairs = 2 * 2 * (2 * h * 8), pooler = h * h + h, head = 2 * h + 2;
    struct bt_experiment *x = fix_experiment((const char *const[]){"model.adapter=lora", NULL}),
                         *all = fix_experiment(NULL);
    struct bt_check *c, *whole;
    expect_ok(bt_check(x, false, &c, &fix_err));
    expect_ok(bt_check(all, false, &whole, &fix_err));
    assert_int_equal(c->trainable, pairs + pooler + head);
    assert_int_equal(c->parameters, whole->parameters + pairs);
    assert_true(c->disk_mib < whole->disk_mib);
    bt_check_free(c);
    bt_check_free(whole);
    bt_experiment_free(x);
    bt_experiment_free(all);
}

static void refused_with(const char *const *settings, const char *why)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    assert_int_equal(fix_train("refused", settings, &w, &r), BT_INVALID);
    if (!strstr(fix_err.text, why)) fail_msg("%s: expected %s", fix_err.text, why);
    bt_train_result_clear(&r);
}

static void refused(void **state)
{
    (void)state;
    refused_with((const char *const[]){"model.lora_r=4", NULL}, "needs model.adapter: lora");
    refused_with((const char *const[]){"model.adapter=bitfit", "model.lora_target_modules=[key]", NULL},
                 "needs model.adapter: lora");
    refused_with((const char *const[]){"model.adapter=lora", "model.lora_target_modules=[query, wolf]", NULL},
                 "no matrix \"wolf\"");
    refused_with((const char *const[]){"model.adapter=lora", "model.modules_to_save=[query]", NULL},
                 "query.weight has an adapter");
    refused_with((const char *const[]){"model.adapter=lora", "model.freeze_layers=2", NULL},
                 "none is left to adapt");
    refused_with((const char *const[]){"model.adapter=lora", "model.reinit_layers=1", NULL},
                 "model.reinit_layers: needs model.adapter: none or bitfit");
}

/* A checkpoint whose adapter is another's. */
static void damaged(void **state)
{
    (void)state;
    struct bt__params p = {.n = 0};
    struct bt__model *m;
    struct bt__model_config c = {.vocab_size = 5 + FIX_WORDS,
                                 .hidden_size = 16,
                                 .num_hidden_layers = 2,
                                 .num_attention_heads = 2,
                                 .intermediate_size = 32,
                                 .max_position_embeddings = 16,
                                 .type_vocab_size = 2,
                                 .lora = {.r = 4, .alpha = 1.0f, .targets = 5}};
    expect_ok(bt__model_create(
        &c, &(struct bt__head_spec){.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2}, &m,
        &fix_err));
    bt__params_freeze(&m->params, &(struct bt__freeze){.adapters = true});
    p = m->params;
    assert_int_equal(bt__adapter_load(fix_path("runs/lora/last"), &p, m->w, &fix_err), BT_DAMAGED);
    assert_non_null(
        strstr(fix_err.text, "lora_A.weight has 128 elements in another shape, expected [4, 16]"));
    assert_int_equal(bt__adapter_load(fix_path("runs/dense/last"), &p, m->w, &fix_err), BT_DAMAGED);
    assert_non_null(strstr(fix_err.text,
                           "adapter_model.safetensors: no tensor "
                           "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight"));
    assert_int_equal(bt__adapter_load(fix_path("model"), &p, m->w, &fix_err), BT_NOTFOUND);
    bt__model_free(m);
}

static void exported(void **state)
{
    (void)state;
    int64_t step;
    expect_ok(bt_run_export(fix_path("runs/lora"), BT_STEP_LAST, true, fix_path("peft"), &step, &fix_err));
    assert_true(bt_path_exists(fix_path("peft/adapter_config.json")));
    assert_true(bt_path_exists(fix_path("peft/adapter_model.safetensors")));
    assert_false(bt_path_exists(fix_path("peft/model.safetensors")));
    expect_ok(bt_run_export(fix_path("runs/lora"), BT_STEP_LAST, false, fix_path("merged"), &step, &fix_err));
    assert_true(bt_path_exists(fix_path("merged/model.safetensors")));
    assert_false(bt_path_exists(fix_path("merged/base.safetensors")));
    assert_false(bt_path_exists(fix_path("merged/adapter_model.safetensors")));
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train("plain", NULL, &w, &r));
    bt_train_result_clear(&r);
    assert_int_equal(
        bt_run_export(fix_path("runs/plain"), BT_STEP_LAST, true, fix_path("none"), &step, &fix_err),
        BT_NOTFOUND);
    assert_non_null(strstr(fix_err.text, "has no adapter"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves),    cmocka_unit_test(everywhere), cmocka_unit_test(same_bits),
        cmocka_unit_test(check),    cmocka_unit_test(refused),    cmocka_unit_test(damaged),
        cmocka_unit_test(exported),
    };
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
