/* What the TF-IDF of engine/baseline makes of texts, for test_baseline.py.
 *
 *     tfidf_tool NGRAMS FITTED < texts      a text, or a text and its pair with a tab between, each line; the first FITTED are learnt from
 *
 * Prints {"terms": […], "idf": […], "rows": [[[column, value], …], …]}, rows of all texts. */
#include "baseline/tfidf.h"

#include <bertty/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static struct bt__text text_of(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *pair = strchr(line, '\t');
    if (pair) *pair++ = '\0';
    return (struct bt__text){
        .text = line, .text_n = strlen(line), .pair = pair, .pair_n = pair ? strlen(pair) : 0};
}

static void put_rows(struct bt_json_writer *w, const struct bt__sparse *r)
{
    for (size_t i = 0; i < r->n; i++) {
        bt_jw_array(w);
        for (size_t k = r->start[i]; k < r->start[i + 1]; k++) {
            bt_jw_array(w);
            bt_jw_int(w, r->column[k]);
            bt_jw_num(w, r->value[k]);
            bt_jw_end_array(w);
        }
        bt_jw_end_array(w);
    }
}

static void put_terms(struct bt_json_writer *w, const struct bt__tfidf *v)
{
    bt_jw_key(w, "terms");
    bt_jw_array(w);
    for (size_t i = 0; i < bt__tfidf_features(v); i++) {
        size_t n;
        const char *term = bt__tfidf_term(v, i, &n);
        char *copy = bt_strndup(term, n);
        bt_jw_text(w, copy);
        free(copy);
    }
    bt_jw_end_array(w);
    bt_jw_key(w, "idf");
    bt_jw_array(w);
    for (size_t i = 0; i < bt__tfidf_features(v); i++) bt_jw_num(w, bt__tfidf_idf(v, i));
    bt_jw_end_array(w);
}

int main(int argc, char **argv)
{
    static char *line[MOST];
    static struct bt__text text[MOST];
    size_t n = 0, size = 0;
    if (argc != 3) return 2;
    while (n < MOST && getline(&line[n], &size, stdin) > 0) {
        text[n] = text_of(line[n]);
        n++;
        size = 0;
    }
    const size_t fitted = strtoul(argv[2], NULL, 10);
    struct bt__tfidf *v;
    struct bt__sparse learnt, others;
    struct bt_error err;
    if (fitted > n || bt__tfidf_fit(text, fitted, argv[1][0] - '0', &v, &learnt, &err) ||
        bt__tfidf_rows(v, text + fitted, n - fitted, &others, &err)) {
        fprintf(stderr, "tfidf_tool: %s\n", fitted > n ? "too few texts" : err.text);
        return 1;
    }
    struct bt_str out = {.len = 0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    bt_jw_object(&w);
    put_terms(&w, v);
    bt_jw_key(&w, "rows");
    bt_jw_array(&w);
    put_rows(&w, &learnt);
    put_rows(&w, &others);
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
    puts(bt_str_text(&out));
    bt_str_free(&out);
    bt__sparse_free(&learnt);
    bt__sparse_free(&others);
    bt__tfidf_free(v);
    for (size_t i = 0; i < MOST; i++) free(line[i]);
    return 0;
}
