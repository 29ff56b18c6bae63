/* A zip archive as torch.save writes it: where its members' bytes stand.
 *
 * Members must be stored (a compressed or encrypted one is refused), lie inside the file, not overlap, and have names of their own.
 * Zip64 is understood. The members' CRC-32 is not compared: torch.serialization may be told to write none. */
#ifndef BERTTY_FORMATS_TORCH_ZIP_H
#define BERTTY_FORMATS_TORCH_ZIP_H

#include "formats/tensor_file.h"

struct bt__zip_member {
    char *name;
    uint64_t header; /* offset of its local header */
    uint64_t at, n;  /* its bytes in the file */
};

struct bt__zip {
    struct bt__zip_member *member;
    size_t n;
    struct bt__names names;
};

/* The file begins as a zip archive does. */
bool bt__zip_is(const unsigned char *head, size_t n);
/* The caller frees with bt__zip_free(), also after a failure. */
enum bt_status bt__zip_read(struct bt__zip *z, const struct bt__tensor_file *f, struct bt_error *err);
void bt__zip_free(struct bt__zip *z);
/* NULL if absent. */
const struct bt__zip_member *bt__zip_find(const struct bt__zip *z, const char *name);

#endif
