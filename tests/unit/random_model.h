/* A small classifier with random weights that a test writes into a directory of its own and opens. */
#ifndef TESTS_UNIT_RANDOM_MODEL_H
#define TESTS_UNIT_RANDOM_MODEL_H

#include "formats/hf_dir.h"
#include "model/model.h"
#include <bertty/file.h>
#include <bertty/predictor.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char random_vocab[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\nfilm\na\nthe\n##s\n##ing\n";
enum { VOCAB = 12, LABELS = 3, POSITIONS = 40 };

static char random_dir[] = "/tmp/bertty-random-XXXXXX";
static struct bt_error err;

static void expect(enum bt_status st)
{
    if (st) fail_msg("%s", err.text);
}

static void clear_dir(void)
{
    static const char *const files[] = {"vocab.txt", "config.json", "model.safetensors",
                                        "tokenizer_config.json", "special_tokens_map.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = bt_path_join(random_dir, files[i]);
        if (path) unlink(path);
        free(path);
    }
}

static struct bt_predictor *open_it(void)
{
    char *label[] = {"neg", "neutral", "pos"};
    const struct bt__model_config c = {.vocab_size = VOCAB,
                                       .hidden_size = 16,
                                       .num_hidden_layers = 2,
                                       .num_attention_heads = 2,
                                       .intermediate_size = 32,
                                       .max_position_embeddings = POSITIONS,
                                       .type_vocab_size = 2,
                                       .layer_norm_eps = 1e-12f,
                                       .initializer_range = 0.4f,
                                       .hidden_dropout_prob = 0.5f,
                                       .num_labels = LABELS,
                                       .label_names = label};
    const struct bt__head_spec head = {.kind = BT__HEAD_POOLED, .name = "classifier", .outputs = LABELS};
    const struct bt__hf_case letters = {.lower_case = true, .do_lower_case = -1, .strip_accents = -1};
    struct bt__model *m;
    struct bt_predictor *p = NULL;
    expect(bt__model_create(&c, &head, &m, &err));
    bt__model_init(m, 5, NULL);
    clear_dir();
    char *path = bt_path_join(random_dir, "vocab.txt");
    expect(bt_file_write_atomic(path, random_vocab, strlen(random_vocab), &err));
    free(path);
    expect(bt__hf_save(random_dir, &m->config, &m->params, m->w, random_dir, &letters, &err));
    bt__model_free(m);
    expect(bt_predictor_open(&(struct bt_predictor_spec){.model_dir = random_dir, .threads = 2}, &p, &err));
    return p;
}

static struct bt_input input(const char *text)
{
    return (struct bt_input){.text = text, .text_n = strlen(text)};
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(random_dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    clear_dir();
    return rmdir(random_dir);
}

#endif
