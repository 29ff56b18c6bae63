#include "dataset/watch.h"

enum { EACH_ROWS = 4096 };

enum bt_status bt__watch_tell(const struct bt_data_spec *spec, const char *doing, const char *path,
                              uint64_t done, uint64_t of, struct bt_error *err)
{
    const struct bt_data_watch *w = spec->watch;
    if (!w || w->tell(w->ctx, doing, path, of ? (double)done / (double)of : 0)) return BT_OK;
    return bt_fail(err, BT_CANCELLED, "%s: interrupted", path);
}

enum bt_status bt__watch_row(const struct bt_data_spec *spec, const char *doing, const char *path, size_t row,
                             size_t rows, struct bt_error *err)
{
    return row % EACH_ROWS ? BT_OK : bt__watch_tell(spec, doing, path, row, rows, err);
}
