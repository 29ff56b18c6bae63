/* Masked language modelling: what the trainer keeps of a sequence's guesses, for whoever reads them. */
#ifndef BERTTY_TASKS_MLM_H
#define BERTTY_TASKS_MLM_H

/* With gold a sequence's "logits" are these three numbers … */
enum { BT__LM_LOSS, BT__LM_MASKED, BT__LM_RIGHT, BT__LM_SUMS };
/* … else each read has so many likeliest words: their ids, then their probabilities. */
enum { BT__LM_WORDS = 5, BT__LM_COLS = 2 * BT__LM_WORDS };

#endif
