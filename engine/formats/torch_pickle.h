/* Python's pickles, as far as torch.save writes them for tensors.
 *
 * Nothing is executed: opcodes and globals stand in two tables, and whatever is not in them is refused by its name. What a pickle
 * would have called becomes a value that says so (a tensor with its arguments, a storage with its description). Memory is bounded by
 * the number of opcodes, nothing recurses, and values refer to each other by number, so that a pickle's cycles do no harm. */
#ifndef BERTTY_FORMATS_TORCH_PICKLE_H
#define BERTTY_FORMATS_TORCH_PICKLE_H

#include "formats/tensor_file.h"

enum bt__pickle_kind {
    BT__PICKLE_NONE,
    BT__PICKLE_BOOL,
    BT__PICKLE_INT,
    BT__PICKLE_REAL,
    BT__PICKLE_LONG, /* an integer of more than 64 bits: its little-endian bytes */
    BT__PICKLE_TEXT,
    BT__PICKLE_TUPLE,
    BT__PICKLE_LIST,
    BT__PICKLE_DICT,   /* item: key, value, key, value … */
    BT__PICKLE_STORE,  /* item: what the persistent id holds */
    BT__PICKLE_TENSOR, /* item: the arguments of _rebuild_tensor_v2 */
    BT__PICKLE_GLOBAL,
    BT__PICKLE_KINDS
};

/* A global: module and name as Python has them. bytes > 0: a type of storages. */
struct bt__pickle_global {
    const char *module, *name;
    size_t bytes; /* of an element */
    enum bt__dtype dtype;
};

struct bt__pickle_value {
    enum bt__pickle_kind kind;
    uint32_t n, cap; /* bytes of text; items */
    union {
        int64_t integer;
        double real;
        const char *text; /* n bytes of the pickle itself, not NUL-terminated */
        uint32_t *item;   /* n numbers of values */
        const struct bt__pickle_global *global;
    } as;
};

struct bt__pickle {
    struct bt__pickle_value *v;
    size_t n;
    uint32_t root;
    size_t used; /* bytes of the pickle, STOP included */
};

/* Reads one pickle from the front of n bytes, which must outlive out; name goes into messages. The caller frees with bt__pickle_free(). */
enum bt_status bt__pickle_read(struct bt__pickle *out, const char *name, const unsigned char *bytes, size_t n,
                               struct bt_error *err);
void bt__pickle_free(struct bt__pickle *p);

/* The value of a text key of a dict; NULL if absent or v is no dict. */
const struct bt__pickle_value *bt__pickle_get(const struct bt__pickle *p, const struct bt__pickle_value *v,
                                              const char *key);
/* Item i of v, which must have more than i. */
const struct bt__pickle_value *bt__pickle_item(const struct bt__pickle *p, const struct bt__pickle_value *v,
                                               size_t i);

#endif
