/* The version of a split's data: of one file its SHA-256 in hex, of several the SHA-256 of theirs, one behind the other. */
#ifndef BERTTY_DATA_HASH_H
#define BERTTY_DATA_HASH_H

#include <bertty/dataset.h>

enum { BT_DATA_HASH = 65 };

/* As the run found it when it began: from its run.json, which is quick. BT_NOTFOUND: it does not say (another tool's run, one of an older version). */
enum bt_status bt_data_hash_of_run(const char *dir, const char *split, char hex[BT_DATA_HASH],
                                   struct bt_error *err);
/* As it is now: reads the files. */
enum bt_status bt_data_hash_now(const struct bt_data_spec *spec, char hex[BT_DATA_HASH],
                                struct bt_error *err);

#endif
