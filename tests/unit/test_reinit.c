/* Layers and the pooler that begin with fresh weights. */
#include "tests/unit/run_fixture.h"

/* The weights of a directory, in a model of the fixture's shape. The caller frees. */
static struct bt__model *weights_of(const char *dir)
{
    struct bt__model_config c;
    struct bt__model *m;
    struct bt__load_report report;
    expect_ok(bt__hf_config_load(dir, &c, &fix_err));
    const struct bt__head_spec head = {.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = 2};
    expect_ok(bt__model_create(&c, &head, &m, &fix_err));
    expect_ok(bt__hf_weights_load(dir, BT__WEIGHTS_AUTO, &m->params, m->w, NULL, &report, &fix_err));
    bt__model_config_free(&c);
    return m;
}

static bool same(const struct bt__model *a, const struct bt__model *b, const struct bt__param *p)
{
    return memcmp(a->w + p->offset, b->w + p->offset, p->count * sizeof *a->w) == 0;
}

/* Trains with a learning rate of 0, so that what is saved is what training began with: exactly the top layers and the pooler must be
 * fresh, as the seed draws them. */
static void check(const char *name, int layers, bool pooler)
{
    char top[40], pool[40];
    snprintf(top, sizeof top, "model.reinit_layers=%d", layers);
    snprintf(pool, sizeof pool, "model.reinit_pooler=%s", pooler ? "true" : "false");
    const char *settings[] = {top, pool, "optim.learning_rate=0", "train.max_steps=1", "train.seed=77", NULL};
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    expect_ok(fix_train(name, settings, &w, &r));
    bt_train_result_clear(&r);
    struct bt__model *before = weights_of(fix_path("model")), *fresh = weights_of(fix_path("model")),
                     *after = weights_of(fix_path("runs/%s/last", name));
    bt__model_init(fresh, 77, NULL);
    for (size_t i = 0; i < before->params.n; i++) {
        const struct bt__param *p = &before->params.item[i];
        bool drawn = p->layer < 2 ? p->layer >= 2 - layers : pooler && !p->head;
        if (!same(drawn ? fresh : before, after, p)) fail_msg("%s: %s", name, p->name);
        assert_true(p->rank == 1 || !same(before, fresh, p));
    }
    bt__model_free(before);
    bt__model_free(fresh);
    bt__model_free(after);
}

static void nothing(void **state)
{
    (void)state;
    check("nothing", 0, false);
}

static void top_layer(void **state)
{
    (void)state;
    check("top", 1, false);
}

static void all_layers_and_pooler(void **state)
{
    (void)state;
    check("all", 2, true);
}

static void pooler_alone(void **state)
{
    (void)state;
    check("pooler", 0, true);
}

static void refused(const char *const *settings, const char *what)
{
    struct fix_watch w = {.at = -1};
    struct bt_train_result r;
    assert_int_equal(fix_train("refused", settings, &w, &r), BT_INVALID);
    if (!strstr(fix_err.text, what)) fail_msg("%s", fix_err.text);
    bt_train_result_clear(&r);
}

/* More than there are; fresh weights that would stay as they were drawn. */
static void refusals(void **state)
{
    (void)state;
    refused((const char *const[]){"model.reinit_layers=3", NULL},
            "model.reinit_layers: 3, but the model has 2 layers");
    refused((const char *const[]){"model.reinit_layers=2", "model.freeze_layers=1", NULL},
            "model.reinit_layers: 2");
    refused((const char *const[]){"model.reinit_pooler=true", "model.pooling=mean", NULL},
            "model.reinit_pooler");
    refused((const char *const[]){"task.type=ner", "model.pooling=mean", NULL}, "model.pooling");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing), cmocka_unit_test(top_layer),
                                       cmocka_unit_test(all_layers_and_pooler),
                                       cmocka_unit_test(pooler_alone), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, fix_begin, fix_end);
}
