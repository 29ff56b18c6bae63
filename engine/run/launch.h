/* Launching with another patience than a minute, or with another plan for the logout than this machine's: for tests. */
#ifndef BERTTY_RUN_LAUNCH_H
#define BERTTY_RUN_LAUNCH_H

#include "run/logind.h"
#include <bertty/run.h>

enum bt_status bt__launch_planned(const struct bt_launch *l, enum bt__logout plan, double patience_s,
                                  char **dir, struct bt_error *err);
enum bt_status bt__launch(const struct bt_launch *l, double patience_s, char **dir, struct bt_error *err);

#endif
