/* Models by name: this user's Hugging Face cache, and fetching from the hub into it.
 *
 * A name is `org/name` or `name`, with `@revision` (a branch, a tag, a commit; main without). The cache is the one that Python's
 * huggingface_hub keeps, in the same layout, so that each finds what the other fetched:
 *     models--org--name/{refs/REVISION, blobs/HASH, snapshots/COMMIT/FILE → ../../blobs/HASH}
 * It lies in HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub. The caller frees every text that it receives. */
#ifndef BERTTY_HUB_H
#define BERTTY_HUB_H

#include <bertty/str.h>
#include <stdint.h>

/* Could text be a name? "a/b/c", "./a" and "../a" could not. */
bool bt_hub_is_name(const char *text);
/* The directory of a model: text itself if it is a directory, else what the cache has by that name. BT_NOTFOUND tells what was
 * looked for, where, and how to fetch it. Reads some directory entries, never the network. */
enum bt_status bt_hub_find(const char *text, char **dir, struct bt_error *err);
/* Appends the names in the cache that start with prefix, each ended by \n, sorted. */
void bt_hub_list(const char *prefix, struct bt_str *out);

/* ── fetching ── */

enum bt_pull_kind {
    BT_PULL_FILES,   /* what is to come is known: files, total */
    BT_PULL_BYTES,   /* some arrived: done of size, of file */
    BT_PULL_FETCHED, /* file is there whole and its hash is right */
    BT_PULL_CACHED,  /* file was there before */
    BT_PULL_WAIT,    /* text says for what; for seconds at most */
};
struct bt_pull_progress {
    enum bt_pull_kind kind;
    const char *repo; /* "org/name": whose file it is; an adapter's base is another than what was asked for */
    const char *file, *text; /* borrowed for the call */
    int64_t done, size;      /* bytes of file; size −1: not known */
    int64_t total_done,
        total; /* bytes of all that is fetched in this call, those from an earlier one included */
    size_t files;
    double seconds;
};

struct bt_pull_request {
    const char *name;
    int retries; /* further attempts after a failure that may pass, without a byte of progress */
    void (*progress)(void *ctx, const struct bt_pull_progress *p); /* may be NULL */
    bool (*interrupted)(
        void *ctx); /* asked often; true: BT_CANCELLED, and the next call goes on. May be NULL */
    void *ctx;
};
struct bt_pull_result {
    char *dir, *commit;
    size_t files,
        fetched; /* of the model, and of the base that had to be fetched with an adapter; of them fetched now */
    int64_t bytes; /* that came over the network now */
};
enum { BT_PULL_RETRIES = 4 };

/* Fetches what this program reads of a model; of an adapter of peft's its base too, unless that is there. One-line errors for everything that a hub, a network or a disk can do; what was fetched
 * so far stays, and the name is known only once all is there. HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE,
 * HF_HUB_DOWNLOAD_TIMEOUT and curl's proxy variables are honoured. BT_UNSUPPORTED: built without libcurl, or it cannot be loaded. */
enum bt_status bt_hub_pull(const struct bt_pull_request *r, struct bt_pull_result *result,
                           struct bt_error *err);
void bt_pull_result_clear(struct bt_pull_result *r);
/* What it fetches with: "libcurl 7.88.1", or why there is none. Static storage. */
const char *bt_hub_http_name(void);

#endif
