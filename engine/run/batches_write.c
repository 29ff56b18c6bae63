#include "run/batches.h"

#include "run/events_frames.h"
#include <bertty/file.h>
#include <fcntl.h>
#include <stdlib.h>

struct bt__batches {
    struct bt__frames file;
    struct bt_str rows, windows, losses, body;
    bool windowed; /* one of windows is not 0 */
};

static enum bt_status create(struct bt__batches *b, const char *path, struct bt_error *err)
{
    b->file.path = bt_strdup(path);
    if (!b->file.path) return bt_fail(err, BT_NOMEM, "%s: no memory for its name", path);
    b->file.fd =
        open(path, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    return b->file.fd >= 0 ? BT_OK : bt_fail_errno(err, "%s: cannot create it", path);
}

enum bt_status bt__batches_open(const char *dir, struct bt__batches **out, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    struct bt__batches *b = calloc(1, sizeof *b);
    char *path = bt_path_join(dir, BT__BATCHES_FILE);
    if (b) b->file.fd = -1;
    if (!b || !path)
        st = bt_fail(err, BT_NOMEM, "%s: no memory for its batches", dir);
    else if (!bt__frames_take_over(&b->file, bt_strdup(path)))
        st = create(b, path, err);
    free(path);
    if (st) {
        bt__batches_close(b);
        return st;
    }
    *out = b;
    return BT_OK;
}

void bt__batches_row(struct bt__batches *b, int64_t row, int window, float loss)
{
    uint32_t bits;
    memcpy(&bits, &loss, sizeof bits);
    bits = htole32(bits);
    bt__wire_put_number(&b->rows, (uint64_t)row);
    bt__wire_put_number(&b->windows, (uint64_t)window);
    bt_str_addn(&b->losses, (const char *)&bits, sizeof bits);
    b->windowed |= window > 0;
}

static void put(struct bt_str *body, uint32_t field, const struct bt_str *bytes)
{
    bt__wire_put_bytes(body, field, bt_str_text(bytes), bytes->len);
    body->failed |= bytes->failed;
}

enum bt_status bt__batches_step(struct bt__batches *b, int64_t step, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    if (b->rows.len) {
        bt_str_clear(&b->body);
        bt__wire_put_varint(&b->body, BT__BATCHES_STEP, (uint64_t)step);
        put(&b->body, BT__BATCHES_ROWS, &b->rows);
        if (b->windowed) put(&b->body, BT__BATCHES_WINDOWS, &b->windows);
        put(&b->body, BT__BATCHES_LOSSES, &b->losses);
        st = bt__frames_add(&b->file, &b->body, err);
    }
    bt_str_clear(&b->rows);
    bt_str_clear(&b->windows);
    bt_str_clear(&b->losses);
    b->windowed = false;
    return st;
}

enum bt_status bt__batches_resume(struct bt__batches *b, int64_t step, struct bt_error *err)
{
    bt_str_clear(&b->body);
    bt__wire_put_varint(&b->body, BT__BATCHES_STEP, (uint64_t)step + 1);
    return bt__frames_add(&b->file, &b->body, err);
}

enum bt_status bt__batches_flush(struct bt__batches *b, struct bt_error *err)
{
    return bt__frames_flush(&b->file, err);
}

enum bt_status bt__batches_sync(struct bt__batches *b, struct bt_error *err)
{
    return bt__frames_sync(&b->file, err);
}

void bt__batches_close(struct bt__batches *b)
{
    if (!b) return;
    bt__frames_close(&b->file, NULL);
    bt_str_free(&b->rows);
    bt_str_free(&b->windows);
    bt_str_free(&b->losses);
    bt_str_free(&b->body);
    free(b);
}
