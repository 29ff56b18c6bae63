/* The file `batches` of a run's directory: which rows each step trained on, and what each lost.
 *
 * TFRecord frames (run/events_wire.h), one for a step, each a message of Protocol Buffers' wire format:
 *     1  varint         step, from 1
 *     2  packed varint  for each sequence the row of the training file(s), from 1
 *     3  packed varint  for each sequence its window, from 1, or 0 where an example is one sequence; left out if all are
 *     4  packed float   for each sequence its loss
 * Seven to eight bytes a row. Every step is there, not only those that are logged: a logged loss is the mean of all since the one before.
 * Only ever appended to. A step that is written again, after a resume, replaces itself and all behind it (a resume begins with a record of the
 * next step without sequences); an unfinished last record is ignored, and cut off when the run goes on. Written with the points of the curves and
 * before each checkpoint.
 *
 * The caller frees with bt__batches_close(). A run goes on without the file when it cannot be written. */
#ifndef BERTTY_RUN_BATCHES_H
#define BERTTY_RUN_BATCHES_H

#include <bertty/batches.h>

#define BT__BATCHES_FILE "batches"
enum { BT__BATCHES_STEP = 1, BT__BATCHES_ROWS = 2, BT__BATCHES_WINDOWS = 3, BT__BATCHES_LOSSES = 4 };

struct bt__batches;

/* Goes on with the file of a run, or starts it (anew, if what is there is no such file). */
enum bt_status bt__batches_open(const char *dir, struct bt__batches **out, struct bt_error *err);
/* The run goes on from the state after step: what was written of later ones is no more. */
enum bt_status bt__batches_resume(struct bt__batches *b, int64_t step, struct bt_error *err);
/* A sequence of the step that is under way. */
void bt__batches_row(struct bt__batches *b, int64_t row, int window, float loss);
/* The step that had them; nothing if there were none. */
enum bt_status bt__batches_step(struct bt__batches *b, int64_t step, struct bt_error *err);
enum bt_status bt__batches_flush(struct bt__batches *b, struct bt_error *err);
enum bt_status bt__batches_sync(struct bt__batches *b, struct bt_error *err);
void bt__batches_close(struct bt__batches *b); /* NULL is fine */

#endif
