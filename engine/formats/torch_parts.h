/* Inside the reader of torch's files: where storages stand, in either of the two forms. */
#ifndef BERTTY_FORMATS_TORCH_PARTS_H
#define BERTTY_FORMATS_TORCH_PARTS_H

#include "formats/torch_pickle.h"
#include "formats/torch_zip.h"

/* A storage that the pickle names: a run of elements in the file. key is NULL where a value is no storage. */
struct bt__torch_storage {
    char *key;
    const struct bt__pickle_global *type;
    uint64_t count, at; /* elements; offset of the first */
};

struct bt__torch_source {
    struct bt__tensor_file file;
    struct bt__zip zip;
    unsigned char *bytes; /* the pickle's texts stand here */
    struct bt__pickle pickle;
    struct bt__torch_storage *storage; /* [pickle.n] */
};

/* Fill everything but file, which is open. The caller frees, also after a failure. */
enum bt_status bt__torch_zip_source(struct bt__torch_source *s, struct bt_error *err);
enum bt_status bt__torch_stream_source(struct bt__torch_source *s, struct bt_error *err);
void bt__torch_source_free(struct bt__torch_source *s);

#endif
