/* A pull while it goes on, for the files that do its parts. */
#ifndef BERTTY_FORMATS_HUB_PARTS_H
#define BERTTY_FORMATS_HUB_PARTS_H

#include "formats/hub.h"
#include "formats/hub_http.h"

struct bt__hub_file {
    char *name;
    char hash[160]; /* what its blob is called: the sha256 of what lies in LFS, git's sha1 of the rest */
    int64_t size;   /* −1: not known */
    bool there;     /* in the snapshot already */
};

struct bt__hub {
    const struct bt_pull_request *r;
    struct bt__hub_place place;
    char *endpoint, *token; /* token NULL: none */
    struct bt__http *http;
    char commit[BT__COMMIT_HEX + 1];
    char *blobs, *snapshot, *locks; /* directories */
    char **sibling;                 /* the plain names of what the model has, sorted */
    size_t n_siblings;
    struct bt__hub_file *file;
    size_t n;
    int64_t total, done; /* bytes of what is fetched: all, so far */
    int64_t bytes;       /* that came over the network */
    size_t fetched;
    bool base;                       /* fetched for an adapter's sake */
    size_t base_files, base_fetched; /* of the base that was fetched for this adapter's sake */
    int64_t base_bytes;
};

/* ── asking (hub_ask.c) ── */

enum bt_status bt__hub_stopped(const struct bt__hub *h, struct bt_error *err); /* BT_CANCELLED, or BT_OK */
void bt__hub_tell(const struct bt__hub *h, const struct bt_pull_progress *p);
/* A failure in st and err (or, BT_OK, an answer's status that is one): waits and says true if trying again makes sense; else err
 * says what it was, and *st. *tries counts. what: the file, or NULL for the model itself. */
bool bt__hub_again(const struct bt__hub *h, const struct bt__http_answer *a, const char *what, int *tries,
                   enum bt_status *st, struct bt_error *err);
/* A request with its further attempts; BT_OK: an answer of 2xx (head: or a redirect). */
enum bt_status bt__hub_ask(const struct bt__hub *h, const struct bt__http_request *r, const char *what,
                           struct bt__http_answer *a, struct bt_error *err);

/* ── the model (hub_info.c) ── */

/* Fills h->commit and h->sibling: asks for them; and from the n bytes of an answer that came from origin. */
enum bt_status bt__hub_info(struct bt__hub *h, struct bt_error *err);
enum bt_status bt__hub_take_info(struct bt__hub *h, const char *text, size_t n, const char *origin,
                                 struct bt_error *err);
bool bt__hub_has(const struct bt__hub *h, const char *name);

/* ── which files (hub_files.c) ── */

/* As in transformers, a file of an adapter's settings makes it one, whatever else is there. */
bool bt__hub_is_adapter(const struct bt__hub *h);
/* Configuration, tokenizer, and the index of the weights if they are in several files. */
enum bt_status bt__hub_choose_small(struct bt__hub *h, struct bt_error *err);
/* The weights; the index, if there is one, has been fetched. */
enum bt_status bt__hub_choose_weights(struct bt__hub *h, struct bt_error *err);

/* ── one file (hub_fetch.c) ── */

/* Address of a file at the commit; the caller frees. NULL: no memory. */
char *bt__hub_url(const struct bt__hub *h, const char *file);
/* Into blobs/, whole and with the right hash, and the link in the snapshot. */
enum bt_status bt__hub_fetch(struct bt__hub *h, struct bt__hub_file *f, struct bt_error *err);
/* Bytes of it that an earlier call left behind. */
int64_t bt__hub_left(const struct bt__hub *h, const struct bt__hub_file *f);
/* mkdir -p, with the modes that the umask says: a cache may be shared. */
enum bt_status bt__hub_mkdirs(const char *path, struct bt_error *err);

#endif
