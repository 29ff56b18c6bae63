/* What the readers of weights share: a file read by offsets, elements made floats, and tensors found by name.
 *
 * Reading uses pread, never a mapping: a file that is cut short while it is read gives an error, not SIGBUS. */
#ifndef BERTTY_FORMATS_TENSOR_FILE_H
#define BERTTY_FORMATS_TENSOR_FILE_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bt__dtype { BT__F32, BT__F16, BT__BF16, BT__F64, BT__I64, BT__I32, BT__U8, BT__OTHER };

enum { BT__MAX_RANK = 8 };

struct bt__tensor_info {
    const char *name; /* borrowed from the file object */
    enum bt__dtype dtype;
    int rank; /* 0 … 8 */
    int64_t shape[BT__MAX_RANK];
    size_t count; /* elements */
};

/* Multiplies dimension d into info->count and appends it to the shape; false if it is negative, overflows, or is one too many. */
bool bt__tensor_add_dim(struct bt__tensor_info *info, int64_t d);

struct bt__tensor_file {
    int fd;
    char *path;
    uint64_t size; /* bytes */
};

/* Opens a regular file; FIFOs, devices and directories are refused at once. The caller closes f, also after a failure. */
enum bt_status bt__tensor_file_open(struct bt__tensor_file *f, const char *path, struct bt_error *err);
void bt__tensor_file_close(struct bt__tensor_file *f);
/* Exactly n bytes at an offset; a file that ends before is damaged. */
enum bt_status bt__tensor_file_read(const struct bt__tensor_file *f, void *dst, size_t n, uint64_t at,
                                    struct bt_error *err);
/* n elements at an offset, as floats. dtype is F32, F16, BF16 or F64, little-endian. */
enum bt_status bt__tensor_file_floats(const struct bt__tensor_file *f, enum bt__dtype dtype, uint64_t at,
                                      size_t n, float *dst, struct bt_error *err);

/* Bytes of an element of F32, F16, BF16 or F64; 0: not a kind of floating-point number. */
size_t bt__float_bytes(enum bt__dtype dtype);
void bt__floats_from(enum bt__dtype dtype, const unsigned char *from, size_t n, float *to);
bool bt__floats_finite(const float *x, size_t n);

/* n names in a hash table; it keeps numbers, the names stay with the caller. Zero-initialise; bt__names_free() releases. */
typedef const char *bt__name_fn(const void *ctx, size_t i);
struct bt__names {
    uint32_t *bucket; /* numbers + 1; mask + 1 of them */
    size_t mask;
};
/* *twice: a name that occurs twice, or −1. Only memory can be missing. */
enum bt_status bt__names_build(struct bt__names *x, size_t n, bt__name_fn *name, const void *ctx,
                               ptrdiff_t *twice, struct bt_error *err);
ptrdiff_t bt__names_find(const struct bt__names *x, const char *what, bt__name_fn *name, const void *ctx);
void bt__names_free(struct bt__names *x);

#endif
