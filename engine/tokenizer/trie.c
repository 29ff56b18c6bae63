#include "tokenizer/trie.h"

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

/* NOWHERE is what the failure link of a node says where no further piece can match. */
enum { NOWHERE, WORD, SUFFIX, FIRST_NODES };
enum { NODE_BITS = 28, FIRST_BITS = 12, MOST_BITS = 30 };

/* Where matching goes on when no child of a node fits: at the node fail, once the pieces of a list have been found. */
struct bt__trie_node {
    uint32_t fail;
    uint32_t pops; /* the last of the list; 0: none */
    uint32_t hash; /* of its root and bytes */
};

/* Lists grow at their end and share their beginnings. */
struct bt__trie_pop {
    int32_t id;
    uint32_t before; /* 0: the first */
    uint32_t count;  /* of the list up to here */
};

/* What only building needs, by node. */
struct grown {
    uint32_t parent;
    int32_t piece; /* −1: none ends here */
    uint16_t depth;
    unsigned char byte;
};

struct builder {
    struct bt__trie *t;
    struct grown *g;  /* [nodes_cap] */
    int32_t *line;    /* [longest] ids of a list, first to last */
    const char *name; /* for messages */
    struct bt_error *err;
};

/* FNV-1a. Where an edge lies follows from the bytes that lead there and not from the node that was found: a processor need not wait for one step's
 * memory to begin the next. */
static inline uint32_t hash_of(uint32_t parent_hash, unsigned char byte)
{
    return (parent_hash ^ byte) * 0x01000193u;
}

static inline size_t slot_of(const struct bt__trie *t, uint32_t hash)
{
    return (hash * 0x9e3779b1u) >> (32 - t->bits);
}

static inline uint64_t key_of(uint32_t node, unsigned char byte)
{
    return (uint64_t)node << 8 | byte;
}

/* The child with that byte and hash; NOWHERE if there is none. */
static inline uint32_t child(const struct bt__trie *t, uint32_t node, unsigned char byte, uint32_t hash)
{
    const uint64_t key = key_of(node, byte);
    const size_t mask = ((size_t)1 << t->bits) - 1;
    for (size_t s = slot_of(t, hash);; s = (s + 1) & mask) {
        uint64_t e = t->edge[s];
        if (e >> NODE_BITS == key || e == 0) return (uint32_t)(e & ((1u << NODE_BITS) - 1));
    }
}

static void put_edge(struct bt__trie *t, uint64_t edge, uint32_t hash)
{
    const size_t mask = ((size_t)1 << t->bits) - 1;
    size_t s = slot_of(t, hash);
    while (t->edge[s]) s = (s + 1) & mask;
    t->edge[s] = edge;
}

static enum bt_status no_memory(const struct builder *b)
{
    return bt_fail(b->err, BT_NOMEM, "%s: no memory for the pieces' trie", b->name);
}

static bool widen_edges(struct bt__trie *t, int bits)
{
    struct bt__trie wide = {.bits = bits};
    wide.edge = calloc((size_t)1 << wide.bits, sizeof *wide.edge);
    if (!wide.edge) return false;
    for (size_t s = 0; t->edge && s < (size_t)1 << t->bits; s++)
        if (t->edge[s]) put_edge(&wide, t->edge[s], t->node[t->edge[s] & ((1u << NODE_BITS) - 1)].hash);
    free(t->edge);
    t->edge = wide.edge;
    t->bits = wide.bits;
    return true;
}

static enum bt_status node_room(struct builder *b)
{
    struct bt__trie *t = b->t;
    if (t->n_nodes < t->nodes_cap) return BT_OK;
    if (t->n_nodes > (1u << NODE_BITS) / 2)
        return bt_fail(b->err, BT_INVALID, "%s: pieces with more than %u beginnings", b->name, t->n_nodes);
    uint32_t cap = t->nodes_cap ? t->nodes_cap * 2 : 1024;
    struct bt__trie_node *node = realloc(t->node, cap * sizeof *node);
    if (node) t->node = node;
    struct grown *g = realloc(b->g, cap * sizeof *g);
    if (g) b->g = g;
    if (!node || !g) return no_memory(b);
    t->nodes_cap = cap;
    return BT_OK;
}

/* A table at most half full is searched in a step or two. */
static enum bt_status add_node(struct builder *b, uint32_t parent, unsigned char byte, uint32_t hash,
                               uint32_t *out)
{
    struct bt__trie *t = b->t;
    enum bt_status st = node_room(b);
    if (st) return st;
    if (t->n_nodes >= ((uint32_t)1 << t->bits) / 2 && !widen_edges(t, t->bits + 1)) return no_memory(b);
    const uint32_t v = *out = t->n_nodes++;
    t->node[v] = (struct bt__trie_node){.fail = NOWHERE, .hash = hash};
    b->g[v] = (struct grown){
        .parent = parent, .piece = -1, .depth = (uint16_t)(b->g[parent].depth + 1), .byte = byte};
    put_edge(t, key_of(parent, byte) << NODE_BITS | v, hash);
    return BT_OK;
}

/* A piece's bytes below a root. The later of equal pieces wins, as in the dictionaries of the Python tokenizers. */
static enum bt_status add_piece(struct builder *b, uint32_t root, const char *bytes, size_t n, int32_t id)
{
    uint32_t at = root, next = 0;
    uint32_t hash = b->t->node[root].hash;
    for (size_t i = 0; i < n; i++, at = next) {
        hash = hash_of(hash, (unsigned char)bytes[i]);
        next = child(b->t, at, (unsigned char)bytes[i], hash);
        if (next != NOWHERE) continue;
        enum bt_status st = add_node(b, at, (unsigned char)bytes[i], hash, &next);
        if (st) return st;
    }
    b->g[at].piece = id;
    return BT_OK;
}

/* What is no text is in no word. "##" is a word of its own characters, so what begins with it is no word's beginning. */
static enum bt_status add_pieces(struct builder *b, const struct bt__vocab *v, size_t longest)
{
    enum bt_status st = BT_OK;
    for (int32_t id = 0; id < v->n && !st; id++) {
        const char *piece = v->piece[id];
        if (!piece) continue;
        const bool suffix = strncmp(piece, "##", 2) == 0;
        const size_t skip = suffix ? 2 : 0, n = v->length[id] - skip;
        if (n == 0 || n > longest || bt_utf8_valid(piece, v->length[id]) != v->length[id]) continue;
        st = add_piece(b, suffix ? SUFFIX : WORD, piece + skip, n, id);
    }
    return st;
}

static enum bt_status pop_room(struct builder *b)
{
    struct bt__trie *t = b->t;
    if (t->n_pops < t->pops_cap) return BT_OK;
    uint32_t cap = t->pops_cap ? t->pops_cap * 2 : 1024;
    struct bt__trie_pop *pop = realloc(t->pop, cap * sizeof *pop);
    if (!pop) return no_memory(b);
    t->pop = pop;
    t->pops_cap = cap;
    return BT_OK;
}

/* The list up to pop `before`, and then id. */
static enum bt_status add_pop(struct builder *b, int32_t id, uint32_t before, uint32_t *out)
{
    struct bt__trie *t = b->t;
    enum bt_status st = pop_room(b);
    if (st) return st;
    t->pop[t->n_pops] = (struct bt__trie_pop){.id = id, .before = before, .count = t->pop[before].count + 1};
    *out = t->n_pops++;
    return BT_OK;
}

/* The ids of a list; returns how many. */
static inline size_t list(const struct bt__trie *t, uint32_t pop, int32_t *ids)
{
    const size_t n = t->pop[pop].count;
    for (size_t i = n; i > 0; pop = t->pop[pop].before) ids[--i] = t->pop[pop].id;
    return n;
}

/* Algorithm 2 of the paper, for one node whose shallower ones are done. */
static enum bt_status link(struct builder *b, uint32_t v)
{
    struct bt__trie *t = b->t;
    const struct grown *g = &b->g[v];
    if (g->piece >= 0) {
        t->node[v].fail = SUFFIX;
        return add_pop(b, g->piece, 0, &t->node[v].pops);
    }
    uint32_t z = t->node[g->parent].fail, pops = t->node[g->parent].pops, next = NOWHERE;
    while (z != NOWHERE && (next = child(t, z, g->byte, hash_of(t->node[z].hash, g->byte))) == NOWHERE) {
        size_t n = list(t, t->node[z].pops, b->line);
        for (size_t i = 0; i < n; i++) {
            enum bt_status st = add_pop(b, b->line[i], pops, &pops);
            if (st) return st;
        }
        z = t->node[z].fail;
    }
    if (z == NOWHERE) return BT_OK;
    t->node[v].fail = next;
    t->node[v].pops = pops;
    return BT_OK;
}

/* All nodes, the shallower ones first. */
static enum bt_status link_all(struct builder *b, size_t longest)
{
    struct bt__trie *t = b->t;
    uint32_t *from = calloc(longest + 2, sizeof *from), *order = malloc(t->n_nodes * sizeof *order);
    enum bt_status st = from && order ? BT_OK : no_memory(b);
    for (uint32_t v = FIRST_NODES; !st && v < t->n_nodes; v++) from[b->g[v].depth + 1u]++;
    for (size_t d = 1; !st && d <= longest + 1; d++) from[d] += from[d - 1];
    for (uint32_t v = FIRST_NODES; !st && v < t->n_nodes; v++) order[from[b->g[v].depth]++] = v;
    for (uint32_t i = 0; !st && i < t->n_nodes - FIRST_NODES; i++) st = link(b, order[i]);
    free(from);
    free(order);
    return st;
}

/* The nodes that are no piece's, and the empty list. */
static enum bt_status begin(struct builder *b, const struct bt__vocab *v, size_t longest)
{
    struct bt__trie *t = b->t;
    size_t bytes = 0;
    int bits = FIRST_BITS;
    for (int32_t id = 0; id < v->n; id++) bytes += v->length[id];
    while (bits < MOST_BITS && (size_t)1 << bits < bytes / 2)
        bits++; /* in usual vocabularies pieces share most bytes */
    b->line = malloc((longest + 1) * sizeof *b->line);
    if (!b->line || !widen_edges(t, bits)) return no_memory(b);
    enum bt_status st = node_room(b);
    if (!st) st = pop_room(b);
    if (st) return st;
    memset(t->node, 0, FIRST_NODES * sizeof *t->node);
    memset(b->g, 0, FIRST_NODES * sizeof *b->g);
    t->node[WORD].hash = 0x811c9dc5u;
    t->node[SUFFIX].hash = 0x050c5d1fu;
    t->n_nodes = FIRST_NODES;
    t->pop[0] = (struct bt__trie_pop){.count = 0};
    t->n_pops = 1;
    return BT_OK;
}

enum bt_status bt__trie_build(struct bt__trie *t, const struct bt__vocab *v, size_t longest, const char *name,
                              struct bt_error *err)
{
    struct builder b = {.t = t, .name = name, .err = err};
    *t = (struct bt__trie){.bits = 0};
    enum bt_status st = begin(&b, v, longest);
    if (!st) st = add_pieces(&b, v, longest);
    if (!st) st = link_all(&b, longest);
    free(b.g);
    free(b.line);
    if (st) bt__trie_free(t);
    return st;
}

void bt__trie_free(struct bt__trie *t)
{
    free(t->edge);
    free(t->node);
    free(t->pop);
    *t = (struct bt__trie){.bits = 0};
}

size_t bt__trie_cut(const struct bt__trie *t, const char *word, size_t n, int32_t *ids)
{
    uint32_t at = WORD, hash = t->node[WORD].hash, next;
    size_t found = 0;
    for (size_t i = 0; i < n; i++, at = next) {
        const unsigned char byte = (unsigned char)word[i];
        while ((next = child(t, at, byte, hash_of(hash, byte))) == NOWHERE) {
            const struct bt__trie_node *v = &t->node[at];
            if (v->fail == NOWHERE) return 0;
            found += list(t, v->pops, ids + found);
            at = v->fail;
            hash = t->node[at].hash;
        }
        hash = hash_of(hash, byte);
    }
    while (at != SUFFIX) {
        const struct bt__trie_node *v = &t->node[at];
        if (v->fail == NOWHERE) return 0;
        found += list(t, v->pops, ids + found);
        at = v->fail;
    }
    return found;
}
