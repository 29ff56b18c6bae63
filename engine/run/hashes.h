/* SHA-256 sums of the files a run reads: told in run.json, and compared when it is resumed. The caller frees with bt__hashes_free(). */
#ifndef BERTTY_RUN_HASHES_H
#define BERTTY_RUN_HASHES_H

#include "formats/weights.h"
#include <bertty/experiment.h>
#include <bertty/json.h>

struct bt__hash {
    char *path;
    char hex[65];
};
struct bt__hashes {
    struct bt__hash *item;
    size_t n;
};

/* Every data file of the experiment. */
enum bt_status bt__hashes_of_data(struct bt__hashes *h, const struct bt_experiment *x, struct bt_error *err);
void bt__hashes_free(struct bt__hashes *h);

/* Those of a new run, summed up by a thread of their own while the run reads the same files: data, and unless it reads none the model's configuration,
 * vocabulary and weights. x is borrowed until the end. */
struct bt__hashing;
enum bt_status bt__hashing_begin(const struct bt_experiment *x, bool model, struct bt__hashing **out,
                                 struct bt_error *err);
/* Waits for the sums, which are the caller's if all went well, and frees *g, which becomes NULL. */
enum bt_status bt__hashing_end(struct bt__hashing **g, struct bt__hashes *data, struct bt__hashes *model,
                               struct bt_error *err);
void bt__hashing_free(struct bt__hashing *g); /* nobody wants to know any more; NULL is fine */
/* {"path": "hex", …} */
void bt__hashes_write(struct bt_json_writer *w, const struct bt__hashes *h);
/* BT_INVALID names the first file whose sum is not the one in saved, or that is missing there. */
enum bt_status bt__hashes_compare(const struct bt__hashes *h, const struct bt_json *saved,
                                  struct bt_error *err);

#endif
