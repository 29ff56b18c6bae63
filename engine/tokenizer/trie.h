/* The vocabulary as two tries, of pieces that begin a word and of those that continue one, with failure links: the longest-match cut of a word in
 * time linear in its length, however the vocabulary looks (LinMaxMatch: Song et al., "Fast WordPiece Tokenization", 2021).
 *
 * Owned by whoever holds the struct; bt__trie_free(). Immutable once built. */
#ifndef BERTTY_TOKENIZER_TRIE_H
#define BERTTY_TOKENIZER_TRIE_H

#include "tokenizer/vocab.h"

struct bt__trie {
    uint64_t *edge; /* [1 << bits] open addressing: parent, byte and child */
    int bits;
    struct bt__trie_node *node; /* [n_nodes] */
    uint32_t n_nodes, nodes_cap;
    struct bt__trie_pop *pop; /* [n_pops] */
    uint32_t n_pops, pops_cap;
};

/* longest: bytes of the longest word that is to be cut. name: the file, for messages. */
enum bt_status bt__trie_build(struct bt__trie *t, const struct bt__vocab *v, size_t longest, const char *name,
                              struct bt_error *err);
void bt__trie_free(struct bt__trie *t);

/* The longest pieces of the word of n ≥ 1 bytes, valid UTF-8, one after the other: their ids (there is room for n) and how many; 0: a part of it is
 * unknown. */
size_t bt__trie_cut(const struct bt__trie *t, const char *word, size_t n, int32_t *ids);

#endif
