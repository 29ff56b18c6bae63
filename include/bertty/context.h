/* What the layers of a model make of each word of a text: one word has other vectors in other sentences (Devlin et al. 2019 call them contextual), and
 * how far apart they are from layer to layer says where the sentence begins to count. */
#ifndef BERTTY_CONTEXT_H
#define BERTTY_CONTEXT_H

#include <bertty/explain.h>

struct bt_layers {
    struct bt_explained *item; /* [n] words in the order of the sequence; their scores are 0 */
    size_t n;
    int layers, hidden;
    float *
        vector; /* [layers + 1, n, hidden] what the embeddings (0) and each layer make of a word: of its pieces the mean */
    bool truncated; /* the text was cut, or it is read in windows and this is the first */
};

/* One input; the predictor is in use meanwhile. BT_INVALID: the text is empty. The caller frees with bt_layers_free(). */
enum bt_status bt_layers_read(struct bt_predictor *p, const struct bt_input *in, struct bt_layers **out,
                              struct bt_error *err);
void bt_layers_free(struct bt_layers *l); /* NULL is fine */

/* The nth time, from 1, that a word stands in the text, as the model's tokenizer writes it. BT_NOTFOUND: it does not; the text's words are told. */
enum bt_status bt_layers_find(const struct bt_predictor *p, const struct bt_layers *l, const char *word,
                              int nth, size_t *item, struct bt_error *err);
/* [hidden]; borrowed. */
const float *bt_layers_vector(const struct bt_layers *l, int layer, size_t item);

/* Σ ab / (‖a‖ ‖b‖); 0 where one of them is 0. */
double bt_cosine(const float *a, const float *b, int n);

/* Of two words in one layer. Vectors of a layer lie in a narrow cone (Ethayarajh 2019): a cosine means something beside that of other words alone. */
struct bt_context_layer {
    double cosine;
    double usual; /* mean over pairs of different other words, one of each text; NaN: there is no such pair */
    size_t nearest; /* the word of b that is most like a's, and its cosine; [CLS] and [SEP] do not count */
    double nearest_cosine;
};
/* Word i of a and word j of b, of models with as many layers and as wide; out [a->layers + 1]. */
void bt_context_compare(const struct bt_layers *a, size_t i, const struct bt_layers *b, size_t j,
                        struct bt_context_layer *out);

#endif
