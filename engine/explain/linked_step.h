/* Which checkpoint a run's link points to. */
#ifndef EXPLAIN_LINKED_STEP_H
#define EXPLAIN_LINKED_STEP_H

#include <stdint.h>

/* DIR/best → checkpoints/step-000400: 400; −1 if the link is missing or strange. */
int64_t bt__linked_step(const char *dir, const char *link);

#endif
