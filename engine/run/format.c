#include "run/format.h"

#include "run/find.h"
#include <bertty/file.h>
#include <bertty/version.h>
#include <stdlib.h>

enum bt_status bt__format_check(const struct bt_json *v, const char *path, struct bt_error *err)
{
    const int64_t format = bt_json_int(bt_json_get(v, "format"), BT__RUN_FORMAT);
    if (format <= BT__RUN_FORMAT) return BT_OK;
    return bt_fail(err, BT_INVALID, "%s: format %lld of a newer bertty: this one (%s) knows up to %d", path,
                   (long long)format, BT_VERSION, BT__RUN_FORMAT);
}

enum bt_status bt__format_of_run(const char *dir, struct bt_error *err)
{
    char *path = bt_path_join(dir, "status.json");
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for its status", dir);
    struct bt_json *v = bt_json_load(path, BT__MAX_STATUS, NULL);
    enum bt_status st = v ? bt__format_check(v, path, err) : BT_OK;
    bt_json_free(v);
    free(path);
    return st;
}
