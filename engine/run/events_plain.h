/* The fast way through an event file: one scalar with a simple value in an event, the fields in their usual order, as nearly all are stored. */
#ifndef RUN_EVENTS_PLAIN_H
#define RUN_EVENTS_PLAIN_H

#include "run/events_series.h"

/* Adds the events of the whole frames that p[0…n) begins with, as far as their checksums are right, their form is the plain one, their
 * series is known and has room, and their steps do not go back. Returns the length of those frames in bytes; whatever
 * comes behind them is for the general way. */
size_t bt__plain_take(struct bt__series_set *set, const uint8_t *p, size_t n);

#endif
