/* A file of frames (run/events_wire.h) that is appended to while a run goes on: events, batches.
 *
 * Zero-initialise with fd −1; bt__frames_close() releases. A full disk costs frames, never a run: the file is cut back to its last whole
 * frame, and what could not be written is kept up to 1 MiB (the oldest goes first) for the next flush. */
#ifndef RUN_EVENTS_FRAMES_H
#define RUN_EVENTS_FRAMES_H

#include "run/events_wire.h"

struct bt__frames {
    char *path; /* owned */
    int fd;
    uint64_t size;         /* of the file's whole frames, bytes */
    bool torn;             /* bytes beyond size could not be cut off yet */
    struct bt_str pending; /* whole frames that are not in the file yet */
};

/* Takes over a file that is there, path (owned from then on, whatever the result; may be NULL): an unfinished last frame is cut off. False:
 * it is none of ours to append to (missing, empty, no regular file, damaged before its end). */
bool bt__frames_take_over(struct bt__frames *f, char *path);
/* A frame behind the pending ones; much of it at once is flushed. */
enum bt_status bt__frames_add(struct bt__frames *f, const struct bt_str *body, struct bt_error *err);
/* Hands what is pending to the system in one write. */
enum bt_status bt__frames_flush(struct bt__frames *f, struct bt_error *err);
/* Flush, then fsync. */
enum bt_status bt__frames_sync(struct bt__frames *f, struct bt_error *err);
/* Flushes and closes; the error is that of the flush. */
enum bt_status bt__frames_close(struct bt__frames *f, struct bt_error *err);

#endif
