#include "run/batches.h"

#include "run/events_wire.h"
#include <bertty/file.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the records are that hold, by step. */
struct place {
    int64_t step;
    uint64_t offset;
};
struct index {
    struct place *at;
    size_t n, cap;
};

static enum bt_status no_memory(const char *path, struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "%s: no memory for what it says", path);
}

/* ── a record ── */

struct record {
    int64_t step;
    struct bt__wire rows, windows, losses;
};

static bool parse(struct bt__wire data, struct record *r)
{
    struct bt__field f = {0};
    *r = (struct record){.step = 0};
    while (bt__wire_next(&data, &f)) {
        if (f.number == BT__BATCHES_STEP && f.type == WIRE_VARINT) r->step = (int64_t)f.value;
        if (f.type != WIRE_BYTES) continue;
        if (f.number == BT__BATCHES_ROWS) r->rows = f.bytes;
        if (f.number == BT__BATCHES_WINDOWS) r->windows = f.bytes;
        if (f.number == BT__BATCHES_LOSSES) r->losses = f.bytes;
    }
    return !data.bad && r->step > 0;
}

static size_t losses_of(const struct record *r)
{
    return (size_t)(r->losses.end - r->losses.p) / sizeof(float);
}

/* Appends its rows, as many as are told of in full. */
static bool take(struct bt_batches *b, struct record *r)
{
    const size_t n = losses_of(r);
    struct bt_batch_row *row = realloc(b->row, (b->n + n + 1) * sizeof *row);
    if (!row) return false;
    b->row = row;
    for (size_t i = 0; i < n && r->rows.p < r->rows.end; i++) {
        uint64_t at = bt__wire_varint(&r->rows), window = r->windows.p ? bt__wire_varint(&r->windows) : 0;
        if (r->rows.bad || at > INT64_MAX) break;
        row[b->n++] = (struct bt_batch_row){.step = r->step,
                                            .row = (int64_t)at,
                                            .window = window < INT32_MAX ? (int)window : 0,
                                            .loss = bt__wire_float(bt__little32(r->losses.p + 4 * i))};
    }
    return true;
}

/* ── the file ── */

/* A step that comes again was trained again: what was written of it and of those behind it is no more. */
static bool note(struct index *x, int64_t step, bool rows, uint64_t offset)
{
    while (x->n && x->at[x->n - 1].step >= step) x->n--;
    if (!rows) return true;
    if (x->n == x->cap) {
        size_t cap = x->cap ? 2 * x->cap : 256;
        struct place *more = realloc(x->at, cap * sizeof *more);
        if (!more) return false;
        x->at = more;
        x->cap = cap;
    }
    x->at[x->n++] = (struct place){.step = step, .offset = offset};
    return true;
}

/* All records up to the end or to damage behind which none can be found. */
static bool scan(struct bt__records *r, struct index *x, size_t *damaged)
{
    for (;;) {
        struct bt__wire data;
        struct record found;
        const uint64_t offset = r->offset;
        enum bt__record got = bt__records_next(r, &data);
        if (got == RECORD_NOMEM) return false;
        if (got == RECORD_BAD_DATA && bt__records_tail(r, got)) return true; /* being written */
        if (got == RECORD_OK && parse(data, &found)) {
            if (!note(x, found.step, losses_of(&found) > 0, offset)) return false;
            continue;
        }
        if (got == RECORD_END || got == RECORD_UNFINISHED) return true;
        ++*damaged;
        if (got == RECORD_BAD_LENGTH || got == RECORD_IO) return true;
        if (got != RECORD_OK) bt__records_skip(r);
    }
}

/* The first place at or behind step. */
static size_t find(const struct index *x, int64_t step)
{
    size_t low = 0, high = x->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x->at[middle].step < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Places [*from, *to) of first … last, else that of the step that is nearest to last. */
static void choose(const struct index *x, int64_t first, int64_t last, size_t *from, size_t *to)
{
    *from = find(x, first);
    *to = last < INT64_MAX ? find(x, last + 1) : x->n;
    if (*from < *to) return;
    size_t at = find(x, last);
    if (at == x->n || (at > 0 && last - x->at[at - 1].step <= x->at[at].step - last)) at--;
    *from = at;
    *to = at + 1;
}

static enum bt_status read_chosen(struct bt__records *r, const struct index *x, const char *path,
                                  int64_t first, int64_t last, struct bt_batches *b, struct bt_error *err)
{
    size_t from, to;
    if (!x->n) return bt_fail(err, BT_NOTFOUND, "%s: no step is in it yet", path);
    choose(x, first, last, &from, &to);
    b->first = x->at[from].step;
    b->last = x->at[to - 1].step;
    b->oldest = x->at[0].step;
    b->newest = x->at[x->n - 1].step;
    for (size_t i = from; i < to; i++) {
        struct bt__wire data;
        struct record found;
        bt__records_start(r, r->fd, x->at[i].offset, r->size);
        if (bt__records_next(r, &data) != RECORD_OK || !parse(data, &found)) continue; /* cut meanwhile */
        if (!take(b, &found)) return no_memory(path, err);
    }
    return BT_OK;
}

static enum bt_status open_file(const char *path, int *fd, uint64_t *size, struct bt_error *err)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd < 0 && errno == ENOENT)
        return bt_fail(err, BT_NOTFOUND, "%s: the run did not keep what it trained on", path);
    if (*fd < 0 || fstat(*fd, &st) != 0) return bt_fail_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode)) return bt_fail(err, BT_INVALID, "%s: expected a file", path);
    *size = (uint64_t)st.st_size;
    return BT_OK;
}

static enum bt_status load(const char *path, int64_t first, int64_t last, struct bt_batches *b,
                           struct bt_error *err)
{
    struct bt__records r = {.fd = -1};
    struct index x = {.n = 0};
    uint64_t size = 0;
    int fd;
    enum bt_status st = open_file(path, &fd, &size, err);
    if (!st) {
        bt__records_start(&r, fd, 0, size);
        st =
            scan(&r, &x, &b->damaged) ? read_chosen(&r, &x, path, first, last, b, err) : no_memory(path, err);
        bt__records_free(&r);
    }
    if (fd >= 0) close(fd);
    free(x.at);
    return st;
}

enum bt_status bt_batches_load(const char *dir, int64_t first, int64_t last, struct bt_batches **out,
                               struct bt_error *err)
{
    struct bt_batches *b = calloc(1, sizeof *b);
    char *path = bt_path_join(dir, BT__BATCHES_FILE);
    enum bt_status st = b && path ? load(path, first, last, b, err) : no_memory(dir, err);
    free(path);
    if (st) {
        bt_batches_free(b);
        return st;
    }
    *out = b;
    return BT_OK;
}

void bt_batches_free(struct bt_batches *b)
{
    if (!b) return;
    free(b->row);
    free(b);
}

static int worse(const void *a, const void *b)
{
    const struct bt_batch_row *x = a, *y = b;
    const bool no_x = isnan(x->loss), no_y = isnan(y->loss);
    if (no_x != no_y) return no_x ? -1 : 1;
    if (!no_x && x->loss != y->loss) return x->loss > y->loss ? -1 : 1;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->window > y->window) - (x->window < y->window);
}

void bt_batches_sort(struct bt_batches *b)
{
    if (b->n) qsort(b->row, b->n, sizeof *b->row, worse);
}

int64_t bt_batches_first(int64_t step, int64_t every)
{
    return every > 0 && step > 0 ? (step - 1) / every * every + 1 : step;
}
