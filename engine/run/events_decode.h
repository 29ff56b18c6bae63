/* TensorBoard's Event message → scalars.
 *
 * The tag is borrowed from the message. */
#ifndef RUN_EVENTS_DECODE_H
#define RUN_EVENTS_DECODE_H

#include "run/events_wire.h"

enum bt__event_kind {
    EVENT_OTHER,   /* nothing for us */
    EVENT_SCALARS, /* call bt__event_scalar() until it says false */
    EVENT_START,   /* a session starts: what was seen with steps ≥ step is superseded */
};

struct bt__event {
    double wall;
    int64_t step;
    enum bt__event_kind kind;
    struct bt__wire summary;
};

struct bt__scalar {
    const char *tag;
    size_t tag_n;
    double value;
    bool has_value; /* false: a histogram, an image, a text, … */
    bool other;     /* the value says that it belongs to another plugin (hparams, text, …) */
};

/* False if the bytes are no Event. */
bool bt__event_parse(struct bt__wire message, struct bt__event *e);
/* The next value of the summary; false at the end or (summary.bad) where it is malformed. */
bool bt__event_scalar(struct bt__event *e, struct bt__scalar *s);

#endif
