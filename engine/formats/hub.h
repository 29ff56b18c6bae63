/* Names, places and settings of the Hugging Face cache. The caller frees what it receives. */
#ifndef BERTTY_FORMATS_HUB_H
#define BERTTY_FORMATS_HUB_H

#include <bertty/hub.h>

enum { BT__COMMIT_HEX = 40 };

/* A name's parts, and where they lie. */
struct bt__hub_place {
    char *repo, *revision; /* "org/name", "main" */
    char *cache, *folder;  /* the cache; cache/models--org--name */
};
/* BT_INVALID says what a name looks like. */
enum bt_status bt__hub_place(const char *name, struct bt__hub_place *p, struct bt_error *err);
void bt__hub_place_free(struct bt__hub_place *p);
/* The snapshot of the revision: *dir is NULL if the cache has none with a configuration. */
enum bt_status bt__hub_snapshot(const struct bt__hub_place *p, char **dir, struct bt_error *err);

bool bt__hub_is_commit(const char *text);
/* A file of the cache's own making: letters, digits, - _ . and no dot in front. */
bool bt__hub_is_plain(const char *text);

/* HF_HOME, or its usual place. */
char *bt__hub_home(void);
/* The value of an environment variable, ~ expanded; NULL if it is unset or empty (or no memory). */
char *bt__hub_env_path(const char *name);
/* 1, on, yes, true */
bool bt__hub_env_true(const char *name);

#endif
