/* The scalars of a run in TensorBoard's event files: written by the engine, read by everybody.
 *
 * The writer belongs to the caller until bt_events_close(). One thread at a time.
 * The reader belongs to the caller until bt_series_free(); what bt_series_at() and bt_series_find() give is borrowed
 * and stays as it is until the next bt_series_commit(). bt_series_poll() may run on a worker thread while another one
 * reads the series; two calls of poll and commit must not overlap. */
#ifndef BERTTY_EVENTS_H
#define BERTTY_EVENTS_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ── writing ── */

struct bt_events;

/* Goes on with the newest event file in dir, or starts one (events.out.tfevents.<seconds>.<host>.<pid>). An unfinished
 * last record, which a killed process or a full disk left, is cut off; a file that is damaged elsewhere stays as it is
 * and a new one is started beside it. */
enum bt_status bt_events_open(const char *dir, struct bt_events **out, struct bt_error *err);

/* The run goes on from the state after `step`: readers (ours and TensorBoard's) forget what was written so far for the steps
 * after it. 0 = from the beginning. To be called once after opening for a resume. */
enum bt_status bt_events_resume(struct bt_events *w, int64_t step, struct bt_error *err);

/* One value, stored as float. wall_time: seconds since 1970; 0 = now. Buffered: see bt_events_flush(). */
enum bt_status bt_events_scalar(struct bt_events *w, const char *tag, int64_t step, double wall_time,
                                double value, struct bt_error *err);

/* Hands the buffer to the system in one write. When that fails (a full disk) the file is cut back to its last whole record, the
 * buffer is kept up to 1 MiB (the oldest values go first) and the next flush tries again: training need not stop for it. */
enum bt_status bt_events_flush(struct bt_events *w, struct bt_error *err);
/* Flush, then fsync: for the moment of a checkpoint. */
enum bt_status bt_events_sync(struct bt_events *w, struct bt_error *err);

/* Flushes, closes and frees; w may be NULL. The error is that of the flush. */
enum bt_status bt_events_close(struct bt_events *w, struct bt_error *err);

/* ── reading ── */

/* Steps never decrease within a series. NaN and infinities are values like others. */
struct bt_series {
    const char *tag; /* as in the file: clean it before showing it */
    size_t n;
    const int64_t *step;
    const double *wall; /* seconds since 1970 */
    const double *value;
    uint64_t version; /* changes with every change of this series */
};

struct bt_series_reader;

/* A directory with event files: a run of ours, or one of HF Trainer, Lightning, Keras, … It need not hold any file yet. Nothing is
 * read before the first poll. What others keep in directories below belongs to it: Keras's train/ and validation/ (read as "train/…" and
 * "eval/…"), those of PyTorch's add_scalars("loss", {"train": …, "a": …}) ("train/loss", "loss/a"). */
enum bt_status bt_series_open(const char *dir, struct bt_series_reader **out, struct bt_error *err);
void bt_series_free(struct bt_series_reader *r); /* r may be NULL */
/* Opens it, reads all that there is, and shows it. After a failure, too, *out is the caller's to free (or NULL). */
enum bt_status bt_series_load(const char *dir, struct bt_series_reader **out, struct bt_error *err);

/* Reads what was added to the files since the last poll, at most about max_bytes (0 = all), and keeps it for the next commit. An
 * unfinished last record is left for a later poll. *more: the limit was met, poll again. Failure: only when the
 * directory cannot be read or there is no memory; damage in a file is told by bt_series_damage(). */
enum bt_status bt_series_poll(struct bt_series_reader *r, size_t max_bytes, bool *more, struct bt_error *err);
/* Bytes that polls have read so far; for the thread that polls. */
uint64_t bt_series_bytes(const struct bt_series_reader *r);
/* Makes what poll read visible; true if anything changed. */
bool bt_series_commit(struct bt_series_reader *r);

/* In the order of their tags. */
size_t bt_series_count(const struct bt_series_reader *r);
const struct bt_series *bt_series_at(const struct bt_series_reader *r, size_t i);
const struct bt_series *bt_series_find(const struct bt_series_reader *r, const char *tag); /* NULL if none */
/* Changes with every commit that changed anything. */
uint64_t bt_series_version(const struct bt_series_reader *r);

/* Steps after which the run was resumed (ascending as they happened). Borrowed until the next commit. */
const int64_t *bt_series_resumes(const struct bt_series_reader *r, size_t *n);

/* Records that could not be used because their checksum is wrong (or a length that is), up to the last commit; *text
 * (borrowed, never NULL) names the last one's file and byte. 0 = all is well. */
size_t bt_series_damage(const struct bt_series_reader *r, const char **text);

#endif
