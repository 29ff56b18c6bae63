/* Which event files belong to a run: those in its directory, and those that other tools keep for it in directories below.
 *
 * Keras writes train/ and validation/, with the same tags in both; PyTorch's add_scalars("loss", {"train": …}) writes loss_train/ with
 * the tag "loss". A directory below that is a run of ours is none of these. */
#ifndef RUN_EVENTS_FILES_H
#define RUN_EVENTS_FILES_H

#include <bertty/str.h>
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

/* folder: the directory's name, NULL for the run's own, open as at; name: of the file in it. False: enough. */
typedef bool bt__events_seen(void *ctx, int at, const char *folder, const char *name);
/* Goes through all, in no order. False: seen() said so. */
bool bt__events_each(DIR *run, bt__events_seen *seen, void *ctx);

/* What a directory of that name holds the scalars of: "train/", "eval/" or "test/"; NULL: nothing that is known. */
const char *bt__events_split(const char *folder);
/* "validation", "epoch_loss" → "eval/epoch_loss"; "loss_train", "loss" → "train/loss"; "loss_a", "loss" → "loss/a". False: no scalar of
 * the run (or out.failed). */
bool bt__events_tag(const char *folder, const char *tag, size_t n, struct bt_str *out);

#endif
