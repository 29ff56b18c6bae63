/* bertty context */
#include "tui/commands/cli.h"
#include "tui/commands/cli_predictor.h"
#include "tui/signed_bar.h"
#include <bertty/context.h>
#include <bertty/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "The vectors of a word in two texts, compared layer by layer: what the embeddings make of it is nearly "
    "the same in both,\n"
    "what the last layer makes of it is the word in its sentence. Beside the cosine stands the usual one in "
    "that layer, the mean over\n"
    "pairs of other words of the two texts: all vectors of a layer lie close together, more in some than in "
    "others. Then the word of the\n"
    "second text that is nearest. Without --with the word is compared with its second time in the same "
    "text.\n"
    "RUN and MODEL are those of `bertty predict`; a MODEL need not be trained for anything.\n";

enum { BAR = 30 /* columns */ };

struct request {
    bool json;
    const char *text, *with, *word, *with_word, *runs;
    int64_t nth, with_nth, threads;
};

struct side {
    struct bt_layers *l;
    size_t item;
};

struct work {
    struct cli_predictor of;
    struct side a, b;
    struct bt_context_layer *layer; /* [layers + 1] */
};

static enum bt_status read_side(struct work *w, const char *text, const char *word, int64_t nth,
                                struct side *s, struct bt_error *err)
{
    const struct bt_input in = {.text = text, .text_n = strlen(text)};
    enum bt_status st = bt_layers_read(w->of.p, &in, &s->l, err);
    return st ? st : bt_layers_find(w->of.p, s->l, word, (int)nth, &s->item, err);
}

static enum bt_status measure(struct work *w, const struct request *q, struct bt_error *err)
{
    const char *with = q->with ? q->with : q->text, *other = q->with_word ? q->with_word : q->word;
    const int64_t second = q->with || q->with_word ? 1 : q->nth + 1;
    enum bt_status st = read_side(w, q->text, q->word, q->nth, &w->a, err);
    if (!st) st = read_side(w, with, other, q->with_nth ? q->with_nth : second, &w->b, err);
    if (!st && !(w->layer = calloc((size_t)w->a.l->layers + 1, sizeof *w->layer)))
        st = bt_fail(err, BT_NOMEM, "no memory for %d layers", w->a.l->layers);
    if (!st) bt_context_compare(w->a.l, w->a.item, w->b.l, w->b.item, w->layer);
    return st;
}

static const char *nearest(const struct work *w, int layer)
{
    return w->b.l->item[w->layer[layer].nearest].text;
}

static void tell_text(const struct work *w)
{
    static const char *const titles[] = {"layer", "cosine", "usual", "", "nearest", ""};
    struct cli_table t = {.columns = 6, .right = 1u << 0 | 1u << 1 | 1u << 2};
    struct bt_str bar = {.len = 0};
    cli_line("%s and %s%s", w->a.l->item[w->a.item].text, w->b.l->item[w->b.item].text,
             w->a.l->truncated || w->b.l->truncated ? ", of texts that were cut" : "");
    for (size_t i = 0; i < t.columns; i++) cli_table_cell(&t, "%s", titles[i]);
    for (int i = 0; i <= w->a.l->layers; i++) {
        const struct bt_context_layer *c = &w->layer[i];
        bt_str_clear(&bar);
        signed_bar(&bar, fmax(0.0, c->cosine), BAR, true);
        if (i)
            cli_table_cell(&t, "%d", i);
        else
            cli_table_cell(&t, "embeddings");
        cli_table_cell(&t, "%.3f", c->cosine);
        cli_table_cell(&t, isnan(c->usual) ? "–" : "%.3f", c->usual);
        cli_table_cell(&t, "%s", bt_str_text(&bar));
        cli_table_cell(&t, "%s", nearest(w, i));
        cli_table_cell(&t, "%.3f", c->nearest_cosine);
    }
    cli_table_print(&t);
    bt_str_free(&bar);
}

static void tell_json(const struct work *w)
{
    struct bt_str text = {.len = 0};
    struct bt_json_writer j = BT_JSON_WRITER(&text);
    bt_jw_object(&j);
    bt_jw_ktext(&j, "word", w->a.l->item[w->a.item].text);
    bt_jw_ktext(&j, "with_word", w->b.l->item[w->b.item].text);
    bt_jw_kbool(&j, "truncated", w->a.l->truncated || w->b.l->truncated);
    bt_jw_key(&j, "layers");
    bt_jw_array(&j);
    for (int i = 0; i <= w->a.l->layers; i++) {
        bt_jw_object(&j);
        bt_jw_kint(&j, "layer", i);
        bt_jw_knum(&j, "cosine", w->layer[i].cosine);
        bt_jw_knum(&j, "usual", w->layer[i].usual);
        bt_jw_ktext(&j, "nearest", nearest(w, i));
        bt_jw_knum(&j, "nearest_cosine", w->layer[i].nearest_cosine);
        bt_jw_end_object(&j);
    }
    bt_jw_end_array(&j);
    bt_jw_end_object(&j);
    cli_json(&text);
    bt_str_free(&text);
}

static int run(const struct cli_args *args, const struct request *q)
{
    struct bt_error err = {.status = BT_OK};
    struct work w = {.layer = NULL};
    enum bt_status st = cli_predictor_open(&w.of, q->runs, args->v[0], q->threads, true, &err);
    if (!st) st = measure(&w, q, &err);
    if (!st && q->json)
        tell_json(&w);
    else if (!st)
        tell_text(&w);
    bt_layers_free(w.a.l);
    bt_layers_free(w.b.l);
    free(w.layer);
    cli_predictor_close(&w.of);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_context(int argc, char **argv)
{
    struct request q = {.nth = 1};
    const struct cli_option options[] = {
        CLI_TEXT("text", 't', "TEXT", &q.text, "a text"),
        CLI_TEXT("word", 'w', "WORD", &q.word, "a word of it"),
        CLI_INT("nth", 0, "N", &q.nth, 1, 10000, "which time that it stands there (default: the first)"),
        CLI_TEXT("with", 0, "TEXT", &q.with, "the other text (default: the same)"),
        CLI_TEXT("with-word", 0, "WORD", &q.with_word, "the word there (default: the same)"),
        CLI_INT("with-nth", 0, "N", &q.with_nth, 1, 10000,
                "which time (default: the first; in the same text the next)"),
        CLI_INT("threads", 0, "N", &q.threads, 0, 1024, "how many threads (default: one for each processor)"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "context", .about = about, .options = options, .min_args = 1, .max_args = 1};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (!q.text || !q.word) return cli_misuse("context", "expected --text and --word");
    return run(&args, &q);
}
