/* The control file: commands to a run's engine, one a line, appended by whoever steers it and read between two steps. */
#ifndef BERTTY_RUN_CONTROL_H
#define BERTTY_RUN_CONTROL_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bt__command_kind {
    BT__STOP,       /* save a checkpoint and end */
    BT__PAUSE,      /* wait for one of the others */
    BT__RESUME,     /* go on */
    BT__CHECKPOINT, /* save one now */
    BT__EVAL,       /* evaluate now, beside the plan: it decides nothing */
    BT__SET         /* set learning_rate=VALUE */
};

struct bt__command {
    enum bt__command_kind kind;
    double value; /* of BT__SET: the new learning rate */
};

/* One line without its newline. BT_INVALID: no command, or a value out of the option's range. */
enum bt_status bt__command_parse(const char *text, struct bt__command *out, struct bt_error *err);

/* Reads the next whole line of fd from *offset on into line (cut at size) and moves *offset behind it. False: there is none yet. */
bool bt__control_line(int fd, int64_t *offset, char *line, size_t size);
/* The offset behind everything that is there now: what came before does not concern this engine. */
int64_t bt__control_end(int fd);

#endif
