#include "run/dir_lock.h"
#include "run/notes.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/row_notes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 28 };

/* A file as it was read: what is about the run's data, and the other lines as they stand. */
struct file {
    struct bt_row_notes own;
    struct bt_str others;
    const char *path;
    size_t line;
};

static void file_clear(struct file *f)
{
    bt_row_notes_clear(&f->own);
    bt_str_free(&f->others);
}

void bt_row_notes_clear(struct bt_row_notes *n)
{
    for (size_t i = 0; i < n->n; i++) bt_notes_clear(&n->item[i].notes);
    free(n->item);
    *n = (struct bt_row_notes){.n = 0};
}

/* Where a row stands, or belongs. */
static size_t place_of(const struct bt_row_notes *n, int64_t row)
{
    size_t from = 0, to = n->n;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (n->item[middle].row < row)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct bt_notes *bt_row_notes_of(const struct bt_row_notes *n, int64_t row)
{
    const size_t at = n ? place_of(n, row) : 0;
    return n && at < n->n && n->item[at].row == row ? &n->item[at].notes : NULL;
}

/* The notes of a row, which are made if there are none. NULL: no memory. */
static struct bt_notes *notes_for(struct bt_row_notes *n, int64_t row)
{
    const size_t at = place_of(n, row);
    if (at < n->n && n->item[at].row == row) return &n->item[at].notes;
    if ((n->n & (n->n - 1)) == 0) { /* full: room for twice as many */
        struct bt_row_note *more = realloc(n->item, (n->n ? 2 * n->n : 1) * sizeof *more);
        if (!more) return NULL;
        n->item = more;
    }
    memmove(&n->item[at + 1], &n->item[at], (n->n - at) * sizeof *n->item);
    n->item[at] = (struct bt_row_note){.row = row};
    n->n++;
    return &n->item[at].notes;
}

/* ── reading ── */

static enum bt_status take_own(struct file *f, const struct bt_json *v, const char *where,
                               struct bt_error *err)
{
    const int64_t row = bt_json_int(bt_json_get(v, "row"), 0);
    if (row < 1) return bt_fail(err, BT_DAMAGED, "%s: expected \"row\", a number from 1", where);
    if (bt_row_notes_of(&f->own, row))
        return bt_fail(err, BT_DAMAGED, "%s: a second line about row %lld", where, (long long)row);
    struct bt_notes *n = notes_for(&f->own, row);
    return n ? bt__notes_take(v, where, n, err) : bt_fail(err, BT_NOMEM, "%s: no memory", where);
}

static enum bt_status take_line(struct file *f, const char *line, size_t n, struct bt_error *err)
{
    char *where = bt_strfmt("%s:%zu", f->path, f->line);
    if (!where) return bt_fail(err, BT_NOMEM, "%s: no memory", f->path);
    struct bt_error why = {.status = BT_OK};
    struct bt_json *v = bt_json_parse(line, n, where, &why);
    enum bt_status st = v ? BT_OK : bt_fail(err, BT_DAMAGED, "%s", why.text);
    if (v && bt_json_kind(v) != BT_JSON_OBJECT)
        st = bt_fail(err, BT_DAMAGED, "%s: expected {\"row\": …, \"tags\": […], \"note\": \"…\"}", where);
    if (!st && strcmp(bt_json_text(bt_json_get(v, "data"), ""), f->own.data) == 0) {
        st = take_own(f, v, where, err);
    } else if (!st) {
        bt_str_addn(&f->others, line, n);
        bt_str_addc(&f->others, '\n');
        f->own.others++;
    }
    bt_json_free(v);
    free(where);
    return st;
}

static enum bt_status read_file(struct file *f, struct bt_error *err)
{
    char *data = NULL;
    size_t n = 0;
    enum bt_status st = bt_path_exists(f->path) ? bt_file_read(f->path, LARGEST, &data, &n, err) : BT_OK;
    for (const char *at = data, *end = data ? data + n : NULL; !st && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((stop ? stop : end) - at);
        f->line++;
        if (length) st = take_line(f, at, length, err);
        at += length + 1;
    }
    free(data);
    if (!st && f->others.failed) st = bt_fail(err, BT_NOMEM, "%s: no memory", f->path);
    return st;
}

static char *path_of(const char *dir, const char *split, struct bt_error *err)
{
    char *path = bt_strfmt("%s/predictions/%s.notes.jsonl", dir, split);
    if (!path) bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    return path;
}

/* The version of the data is the run's, whatever the files say now. */
static enum bt_status load(const char *dir, const char *split, const char *path, struct file *f,
                           struct bt_error *err)
{
    *f = (struct file){.path = path};
    if (bt_data_hash_of_run(dir, split, f->own.data, NULL)) f->own.data[0] = '\0';
    return read_file(f, err);
}

enum bt_status bt_row_notes_load(const char *dir, const char *split, struct bt_row_notes *out,
                                 struct bt_error *err)
{
    struct file f = {.line = 0};
    char *path = path_of(dir, split, err);
    enum bt_status st = path ? load(dir, split, path, &f, err) : BT_NOMEM;
    *out = (struct bt_row_notes){.n = 0};
    if (!st) {
        *out = f.own;
        f.own = (struct bt_row_notes){.n = 0};
    }
    file_clear(&f);
    free(path);
    return st;
}

/* ── changing ── */

static enum bt_status change_rows(struct file *f, const int64_t *row, size_t n,
                                  const struct bt_notes_change *c, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < n && !st; i++) {
        struct bt_notes *notes = notes_for(&f->own, row[i]);
        st = notes ? bt__notes_apply(notes, c, f->path, err)
                   : bt_fail(err, BT_NOMEM, "%s: no memory", f->path);
    }
    size_t kept = 0;
    for (size_t i = 0; i < f->own.n; i++) {
        struct bt_row_note one = f->own.item[i];
        if (one.notes.n_tags || one.notes.note)
            f->own.item[kept++] = one;
        else
            bt_notes_clear(&one.notes); /* nothing is left to say: no line */
    }
    f->own.n = kept;
    return st;
}

static enum bt_status put_file(const struct file *f, struct bt_error *err)
{
    struct bt_str text = {0};
    bt_str_addn(&text, bt_str_text(&f->others), f->others.len);
    for (size_t i = 0; i < f->own.n; i++) {
        struct bt_json_writer w = BT_JSON_WRITER(&text);
        bt_jw_object(&w);
        bt_jw_kint(&w, "row", f->own.item[i].row);
        bt_jw_ktext(&w, "data", *f->own.data ? f->own.data : NULL);
        bt__notes_put(&w, &f->own.item[i].notes);
        bt_jw_end_object(&w);
        bt_str_addc(&text, '\n');
    }
    enum bt_status st = text.failed ? bt_fail(err, BT_NOMEM, "%s: no memory", f->path)
                                    : bt_file_write_atomic(f->path, bt_str_text(&text), text.len, err);
    bt_str_free(&text);
    return st;
}

static enum bt_status check_rows(const int64_t *row, size_t n, struct bt_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (row[i] < 1)
            return bt_fail(err, BT_INVALID, "row %lld: expected a number from 1", (long long)row[i]);
    return BT_OK;
}

enum bt_status bt_row_notes_change(const char *dir, const char *split, const int64_t *row, size_t n,
                                   const struct bt_notes_change *c, struct bt_row_notes *out,
                                   struct bt_error *err)
{
    struct file f = {.line = 0};
    int fd = -1;
    char *path = path_of(dir, split, err);
    if (out) *out = (struct bt_row_notes){.n = 0};
    enum bt_status st = path ? bt__notes_check(c, err) : BT_NOMEM;
    if (!st) st = check_rows(row, n, err);
    if (!st) st = bt__dir_lock(dir, "its notes", &fd, err);
    if (!st) st = load(dir, split, path, &f, err);
    if (!st) st = change_rows(&f, row, n, c, err);
    if (!st) st = put_file(&f, err);
    if (fd >= 0) close(fd);
    if (!st && out) {
        *out = f.own;
        f.own = (struct bt_row_notes){.n = 0};
    }
    file_clear(&f);
    free(path);
    return st;
}
