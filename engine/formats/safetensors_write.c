#include "formats/safetensors.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static size_t count_of(const struct bt__tensor_out *t)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++) n *= (size_t)t->shape[i];
    return n;
}

static void describe(struct bt_json_writer *w, const struct bt__tensor_out *t, uint64_t begin)
{
    bt_jw_key(w, t->name);
    bt_jw_object(w);
    bt_jw_ktext(w, "dtype", "F32");
    bt_jw_key(w, "shape");
    bt_jw_array(w);
    for (int i = 0; i < t->rank; i++) bt_jw_int(w, t->shape[i]);
    bt_jw_end_array(w);
    bt_jw_key(w, "data_offsets");
    bt_jw_array(w);
    bt_jw_int(w, (int64_t)begin);
    bt_jw_int(w, (int64_t)(begin + count_of(t) * sizeof(float)));
    bt_jw_end_array(w);
    bt_jw_end_object(w);
}

/* The 8 length bytes and the JSON text, padded with spaces to a multiple of 8. */
static void header(struct bt_str *out, const struct bt__tensor_out *t, size_t n)
{
    struct bt_str text = {.data = NULL};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    uint64_t at = 0;
    bt_jw_object(&w);
    bt_jw_key(&w, "__metadata__");
    bt_jw_object(&w);
    bt_jw_ktext(&w, "format", "pt");
    bt_jw_end_object(&w);
    for (size_t i = 0; i < n; i++) {
        describe(&w, &t[i], at);
        at += count_of(&t[i]) * sizeof(float);
    }
    bt_jw_end_object(&w);
    while (text.len % 8 != 0 && !text.failed) bt_str_addc(&text, ' ');
    for (int i = 0; i < 8; i++) bt_str_addc(out, (char)(text.len >> (8 * i) & 255));
    bt_str_addn(out, bt_str_text(&text), text.len);
    out->failed = out->failed || text.failed;
    bt_str_free(&text);
}

/* Memory for the largest tensor that is made only now; *buffer NULL: none is. */
static bool reserve(const struct bt__tensor_out *t, size_t n, float **buffer)
{
    size_t most = 0;
    *buffer = NULL;
    for (size_t i = 0; i < n; i++)
        if (!t[i].data && count_of(&t[i]) > most) most = count_of(&t[i]);
    return !most || (*buffer = malloc(most * sizeof **buffer)) != NULL;
}

static bool write_tensor(int fd, const struct bt__tensor_out *t, float *buffer)
{
    if (!t->data) t->make(t->ctx, t->which, buffer);
    return bt_write_all(fd, t->data ? t->data : buffer, count_of(t) * sizeof(float));
}

enum bt_status bt__safetensors_write(const char *path, const struct bt__tensor_out *t, size_t n,
                                     struct bt_error *err)
{
    struct bt_str head = {.data = NULL};
    float *buffer;
    header(&head, t, n);
    if (!reserve(t, n, &buffer) || head.failed) {
        bt_str_free(&head);
        free(buffer);
        return bt_fail(err, BT_NOMEM, "%s: no memory to write it", path);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && bt_write_all(fd, head.data, head.len);
    for (size_t i = 0; ok && i < n; i++) ok = write_tensor(fd, &t[i], buffer);
    ok = ok && fsync(fd) == 0;
    enum bt_status st = ok ? BT_OK : bt_fail_errno(err, "%s", path);
    if (fd >= 0 && close(fd) != 0 && !st) st = bt_fail_errno(err, "%s", path);
    if (fd >= 0 && st) unlink(path);
    bt_str_free(&head);
    free(buffer);
    return st;
}
