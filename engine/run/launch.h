/* Launching with another patience than a minute: for tests. */
#ifndef BERTTY_RUN_LAUNCH_H
#define BERTTY_RUN_LAUNCH_H

#include <bertty/run.h>

enum bt_status bt__launch(const struct bt_launch *l, double patience_s, char **dir, struct bt_error *err);

#endif
