/* Checkpoints of a run: checkpoints/step-000400 is a Hugging Face model directory with what an exact resume needs beside it.
 *
 * Written so that a crash, a full disk or a failed fsync at any moment leaves the ones before intact: step-….tmp → its files, each fsynced → the manifest
 * (sizes and sums) last → fsync of the directory → rename → fsync of the parent → read back. Nothing outside the run's directory is ever removed. */
#ifndef BERTTY_RUN_CHECKPOINT_H
#define BERTTY_RUN_CHECKPOINT_H

#include "formats/hf_dir.h"
#include "model/model.h"
#include "optim/optim.h"
#include <bertty/str.h>
#include <stdint.h>

/* Borrowed. */
struct bt__checkpoint {
    int64_t step;
    const struct bt__model *model;
    const char *base;          /* what adapters stand on: the experiment's model */
    const char *tokenizer_dir; /* whose vocabulary files are copied */
    struct bt__hf_case letters;
    struct bt__optim *optim; /* whose state is kept; NULL: none is */
    float *p_gold, *right;   /* [examples] the epoch's training figures so far; NULL: none are kept */
    size_t examples;
};

/* trainer: the text of trainer.json. */
enum bt_status bt__checkpoint_save(const char *run_dir, const struct bt__checkpoint *c,
                                   const struct bt_str *trainer, struct bt_error *err);
/* Sizes and sums of a checkpoint's files against its manifest. BT_DAMAGED names the file. */
enum bt_status bt__checkpoint_verify(const char *dir, struct bt_error *err);
/* Reads the optimiser's state (unless optim is NULL) and the epoch's figures (unless p_gold is) back. BT_NOTFOUND: the checkpoint has no optimiser (save_only_model). */
enum bt_status bt__checkpoint_optim(const char *dir, const struct bt__checkpoint *c, struct bt_error *err);

/* run_dir/checkpoints/step-NNNNNN; the caller frees; NULL without memory. */
char *bt__checkpoint_path(const char *run_dir, int64_t step);
/* Steps of everything that is named like a checkpoint, ascending; the caller frees *steps. */
enum bt_status bt__checkpoint_steps(const char *run_dir, int64_t **steps, size_t *n, struct bt_error *err);
/* run_dir/<link> → checkpoints/step-…, replaced atomically; step −1 removes it. */
enum bt_status bt__checkpoint_link(const char *run_dir, const char *link, int64_t step, struct bt_error *err);
/* Removes the oldest until limit are left, never one of keep. */
void bt__checkpoint_prune(const char *run_dir, int64_t limit, const int64_t *keep, size_t n_keep);
/* Removes what an interrupted write left behind, by its names. */
void bt__checkpoint_sweep(const char *run_dir);
/* Bytes that one takes on the disk; optim: of the optimiser's state in it. */
size_t bt__checkpoint_bytes(const struct bt__model *m, size_t optim);

#endif
