/* What the files about predictions share. */
#ifndef BERTTY_RUN_PREDICTIONS_PARTS_H
#define BERTTY_RUN_PREDICTIONS_PARTS_H

#include <bertty/run.h>

/* A copy of a text that lives as long as the predictions and stays where it is; NULL without memory. */
const char *bt__predictions_keep(struct bt_predictions *p, const char *text);

#endif
