#include "run/notes.h"

#include "run/dir_lock.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 64 * 1024 };
static const char file_name[] = "notes.json";

void bt_notes_clear(struct bt_notes *n)
{
    for (size_t i = 0; i < n->n_tags; i++) free(n->tag[i]);
    free(n->tag);
    free(n->note);
    free(n->fault);
    *n = (struct bt_notes){.n_tags = 0};
}

static size_t find_tag(const struct bt_notes *n, const char *tag)
{
    size_t i = 0;
    while (i < n->n_tags && strcasecmp(n->tag[i], tag) != 0) i++;
    return i;
}

bool bt_notes_tagged(const struct bt_notes *n, const char *tag)
{
    return find_tag(n, tag) < n->n_tags;
}

static bool add_tag(struct bt_notes *n, const char *tag)
{
    if (bt_notes_tagged(n, tag)) return true;
    char **more = realloc(n->tag, (n->n_tags + 1) * sizeof *more);
    if (more) n->tag = more;
    if (!more || !(more[n->n_tags] = bt_strdup(tag))) return false;
    n->n_tags++;
    return true;
}

static void drop_tag(struct bt_notes *n, size_t i)
{
    if (i >= n->n_tags) return;
    free(n->tag[i]);
    n->n_tags--;
    memmove(&n->tag[i], &n->tag[i + 1], (n->n_tags - i) * sizeof *n->tag);
}

bool bt_notes_copy(struct bt_notes *to, const struct bt_notes *from)
{
    *to = (struct bt_notes){.note = bt_strdup(from->note), .fault = bt_strdup(from->fault)};
    bool fine = (!from->note || to->note) && (!from->fault || to->fault);
    for (size_t i = 0; i < from->n_tags && fine; i++) fine = add_tag(to, from->tag[i]);
    if (!fine) bt_notes_clear(to);
    return fine;
}

/* ── what may stand there ── */

static bool control(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f) return true;
    return false;
}

bool bt_tag_ok(const char *tag)
{
    size_t n = strlen(tag);
    return n > 0 && n <= BT_TAG_BYTES && tag[0] != '+' && tag[0] != '-' && !strpbrk(tag, " ,\"'") &&
           !control(tag) && bt_utf8_valid(tag, n) == n;
}

static enum bt_status not_a_tag(const char *where, const char *tag, struct bt_error *err)
{
    return bt_fail(err, BT_INVALID,
                   "%s: '%.80s' is no tag: expected a word of at most %d bytes without blanks, commas and "
                   "quotes, no + or - first",
                   where, tag, BT_TAG_BYTES);
}

/* ── reading ── */

static enum bt_status take_tags(const struct bt_json *list, const char *path, struct bt_notes *out,
                                struct bt_error *err)
{
    if (list && bt_json_kind(list) != BT_JSON_ARRAY)
        return bt_fail(err, BT_DAMAGED, "%s: \"tags\": expected a list of words", path);
    if (bt_json_len(list) > BT_TAGS)
        return bt_fail(err, BT_INVALID, "%s: %zu tags, expected at most %d", path, bt_json_len(list),
                       BT_TAGS);
    for (size_t i = 0; i < bt_json_len(list); i++) {
        size_t n = 0;
        const char *tag = bt_json_textn(bt_json_at(list, i), &n);
        if (!tag) return bt_fail(err, BT_DAMAGED, "%s: tag %zu: expected a word", path, i + 1);
        if (strlen(tag) != n || !bt_tag_ok(tag)) return not_a_tag(path, tag, err);
        if (!add_tag(out, tag)) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    }
    return BT_OK;
}

static enum bt_status take_note(const struct bt_json *v, const char *path, struct bt_notes *out,
                                struct bt_error *err)
{
    size_t n = 0;
    if (!v || bt_json_kind(v) == BT_JSON_NULL) return BT_OK;
    const char *note = bt_json_textn(v, &n);
    if (!note) return bt_fail(err, BT_DAMAGED, "%s: \"note\": expected a text", path);
    if (n > BT_NOTE_BYTES)
        return bt_fail(err, BT_INVALID, "%s: a note of %zu bytes, expected at most %d", path, n,
                       BT_NOTE_BYTES);
    if (n && !(out->note = bt_strndup(note, n))) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    return BT_OK;
}

enum bt_status bt__notes_take(const struct bt_json *v, const char *where, struct bt_notes *out,
                              struct bt_error *err)
{
    enum bt_status st = take_tags(bt_json_get(v, "tags"), where, out, err);
    return st ? st : take_note(bt_json_get(v, "note"), where, out, err);
}

static enum bt_status read_file(const char *path, struct bt_notes *out, struct bt_error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0) return errno == ENOENT ? BT_OK : bt_fail_errno(err, "%s", path);
    if (!S_ISREG(info.st_mode)) return bt_fail(err, BT_INVALID, "%s: not a regular file", path);
    struct bt_error why = {.status = BT_OK};
    struct bt_json *v = bt_json_load(path, MAX_FILE, &why);
    enum bt_status st = v ? BT_OK : bt_fail(err, why.status ? why.status : BT_DAMAGED, "%s", why.text);
    if (v && bt_json_kind(v) != BT_JSON_OBJECT)
        st = bt_fail(err, BT_DAMAGED, "%s: expected {\"tags\": […], \"note\": \"…\"}", path);
    if (!st) st = bt__notes_take(v, path, out, err);
    bt_json_free(v);
    return st;
}

enum bt_status bt_notes_load(const char *dir, struct bt_notes *out, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    char *path = bt_path_join(dir, file_name);
    *out = (struct bt_notes){.n_tags = 0};
    enum bt_status st = path ? read_file(path, out, &why) : bt_fail(&why, BT_NOMEM, "%s: no memory", dir);
    free(path);
    if (!st) return BT_OK;
    bt_notes_clear(out);
    out->fault = bt_strdup(why.text);
    return bt_fail(err, st, "%s", why.text);
}

void bt__notes_refresh(int at, const char *name, struct bt_run_status *s)
{
    struct stat info;
    int64_t stamp[4] = {0};
    char path[400];
    int n = snprintf(path, sizeof path, "%s/%s", name, file_name);
    bool there = n > 0 && (size_t)n < sizeof path && fstatat(at, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (there) {
        stamp[0] = info.st_mtim.tv_sec;
        stamp[1] = info.st_mtim.tv_nsec;
        stamp[2] = (int64_t)info.st_ino;
        stamp[3] = info.st_size;
    }
    if (memcmp(stamp, s->notes_stamp, sizeof stamp) == 0) return;
    memcpy(s->notes_stamp, stamp, sizeof stamp);
    bt_notes_clear(&s->notes);
    if (there) (void)bt_notes_load(s->dir, &s->notes, NULL);
}

/* ── changing ── */

enum bt_status bt__notes_check(const struct bt_notes_change *c, struct bt_error *err)
{
    for (size_t i = 0; i < c->n_add + c->n_drop; i++) {
        const char *tag = i < c->n_add ? c->add[i] : c->drop[i - c->n_add];
        if (!bt_tag_ok(tag)) return not_a_tag("tag", tag, err);
    }
    if (!c->note) return BT_OK;
    size_t n = strlen(c->note);
    if (n > BT_NOTE_BYTES)
        return bt_fail(err, BT_INVALID, "note: %zu bytes, expected at most %d", n, BT_NOTE_BYTES);
    if (control(c->note) || bt_utf8_valid(c->note, n) != n)
        return bt_fail(err, BT_INVALID, "note: expected one line of UTF-8 without control characters");
    return BT_OK;
}

enum bt_status bt__notes_apply(struct bt_notes *n, const struct bt_notes_change *c, const char *path,
                               struct bt_error *err)
{
    bool fine = true;
    while (c->all && n->n_tags) drop_tag(n, n->n_tags - 1);
    for (size_t i = 0; i < c->n_drop; i++) drop_tag(n, find_tag(n, c->drop[i]));
    for (size_t i = 0; i < c->n_add && fine; i++) fine = add_tag(n, c->add[i]);
    if (c->note) {
        free(n->note);
        n->note = *c->note ? bt_strdup(c->note) : NULL;
        fine &= n->note || !*c->note;
    }
    if (!fine) return bt_fail(err, BT_NOMEM, "%s: no memory", path);
    if (n->n_tags > BT_TAGS)
        return bt_fail(err, BT_INVALID, "%s: %zu tags, at most %d fit", path, n->n_tags, BT_TAGS);
    return BT_OK;
}

void bt__notes_put(struct bt_json_writer *w, const struct bt_notes *n)
{
    bt_jw_key(w, "tags");
    bt_jw_array(w);
    for (size_t i = 0; i < n->n_tags; i++) bt_jw_text(w, n->tag[i]);
    bt_jw_end_array(w);
    bt_jw_ktext(w, "note", n->note);
}

static enum bt_status put_file(const struct bt_notes *n, const char *path, struct bt_error *err)
{
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    if (!n->n_tags && !n->note)
        return unlink(path) == 0 || errno == ENOENT ? BT_OK : bt_fail_errno(err, "%s", path);
    bt_jw_object(&w);
    bt__notes_put(&w, n);
    bt_jw_end_object(&w);
    bt_str_addc(&text, '\n');
    enum bt_status st = text.failed ? bt_fail(err, BT_NOMEM, "%s: no memory", path)
                                    : bt_file_write_atomic(path, text.data, text.len, err);
    bt_str_free(&text);
    return st;
}

/* The run's id instead of the path: the reason at the end of the line is to be seen. */
static enum bt_status write_file(const struct bt_notes *n, const char *dir, const char *path,
                                 struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    enum bt_status st = put_file(n, path, &why);
    size_t length = strlen(path);
    bool named = strncmp(why.text, path, length) == 0 && why.text[length] == ':';
    if (!st) return BT_OK;
    return bt_fail(err, st, "%s: notes cannot be written%s", bt_path_base(dir),
                   named ? why.text + length : why.text);
}

enum bt_status bt_notes_change(const char *dir, const struct bt_notes_change *c, struct bt_notes *out,
                               struct bt_error *err)
{
    struct bt_notes n = {.n_tags = 0};
    int fd = -1;
    char *path = bt_path_join(dir, file_name);
    enum bt_status st = path ? bt__notes_check(c, err) : bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    if (!st) st = bt__dir_lock(dir, "its notes", &fd, err);
    if (!st) st = bt_notes_load(dir, &n, err);
    if (!st) st = bt__notes_apply(&n, c, path, err);
    if (!st) st = write_file(&n, dir, path, err);
    if (fd >= 0) close(fd);
    free(path);
    if (out) *out = n;
    if (!out || st) bt_notes_clear(&n);
    if (out && st) *out = (struct bt_notes){.n_tags = 0};
    return st;
}
