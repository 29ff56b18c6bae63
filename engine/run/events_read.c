#include "run/events_files.h"
#include "run/events_plain.h"

#include <bertty/events.h>
#include <bertty/file.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    char *name;   /* below the directory */
    char *folder; /* of those that other tools keep below, or NULL */
    ino_t inode;
    uint64_t offset, size; /* read up to; when last looked at */
    struct timespec modified;
    size_t damaged; /* records skipped for good */
    bool waiting;   /* nothing more to be read until the file changes */
    bool stuck;     /* … because of damage at offset */
};

enum { LEAST_FRAME = BT__FRAME + 24 }; /* bytes that a scalar takes in a file, about */

struct bt_series_reader {
    char *dir;
    struct file *
        file; /* by name, which (in each folder) begins with the time: the order in which they were written */
    size_t n_files;
    struct bt__records records;
    struct bt__series_set set;
    struct bt_str tag; /* of a scalar in a folder */
    size_t damaged, shown_damaged;
    struct bt_str damage, shown_damage;
    bool restart; /* a file was replaced: read everything again */
};

enum bt_status bt_series_open(const char *dir, struct bt_series_reader **out, struct bt_error *err)
{
    struct stat st;
    if (stat(dir, &st) != 0) return bt_fail_errno(err, "%s", dir);
    if (!S_ISDIR(st.st_mode))
        return bt_fail(err, BT_INVALID, "%s: expected a directory with event files", dir);
    struct bt_series_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->dir = bt_strdup(dir))) {
        free(r);
        return bt_fail(err, BT_NOMEM, "%s: no memory for its events", dir);
    }
    *out = r;
    return BT_OK;
}

static void free_files(struct bt_series_reader *r)
{
    for (size_t i = 0; i < r->n_files; i++) {
        free(r->file[i].name);
        free(r->file[i].folder);
    }
    free(r->file);
    r->file = NULL;
    r->n_files = 0;
}

void bt_series_free(struct bt_series_reader *r)
{
    if (!r) return;
    free_files(r);
    bt__records_free(&r->records);
    bt__series_free(&r->set);
    bt_str_free(&r->tag);
    bt_str_free(&r->damage);
    bt_str_free(&r->shown_damage);
    free(r->dir);
    free(r);
}

/* ── which files there are ── */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static bool known(const struct bt_series_reader *r, const char *name)
{
    for (size_t i = 0; i < r->n_files; i++)
        if (strcmp(r->file[i].name, name) == 0) return true;
    return false;
}

static bool add_file(struct bt_series_reader *r, const char *folder, const char *name)
{
    struct file *file = realloc(r->file, (r->n_files + 1) * sizeof *file);
    if (!file) return false;
    r->file = file;
    struct file one = {.name = bt_strdup(name), .folder = folder ? bt_strdup(folder) : NULL};
    if (!one.name || (folder && !one.folder)) {
        free(one.name);
        free(one.folder);
        return false;
    }
    file[r->n_files++] = one;
    return true;
}

static bool file_seen(void *ctx, int at, const char *folder, const char *name)
{
    struct bt_series_reader *r = ctx;
    (void)at;
    char *path = folder ? bt_path_join(folder, name) : bt_strdup(name);
    bool good = path && (known(r, path) || add_file(r, folder, path));
    free(path);
    return good;
}

static enum bt_status find_files(struct bt_series_reader *r, struct bt_error *err)
{
    DIR *d = opendir(r->dir);
    if (!d) return bt_fail_errno(err, "%s: cannot list it", r->dir);
    bool good = bt__events_each(d, file_seen, r);
    closedir(d);
    if (r->n_files) qsort(r->file, r->n_files, sizeof *r->file, by_name);
    return good ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for the list of its files", r->dir);
}

/* ── one file ── */

static void tell_damage(struct bt_series_reader *r, const struct file *f, const char *what)
{
    bt_str_clear(&r->damage);
    bt_str_addf(&r->damage, "%s: byte %llu: %s", f->name, (unsigned long long)r->records.offset, what);
}

/* Gives a scalar of a folder the tag that it has in the run. False: it is none of the run's. */
static bool name_scalar(struct bt_series_reader *r, const struct file *f, struct bt__scalar *s)
{
    bt_str_clear(&r->tag);
    if (!bt__events_tag(f->folder, s->tag ? s->tag : "", s->tag_n, &r->tag)) return false;
    s->tag = r->tag.data;
    s->tag_n = r->tag.len;
    return true;
}

static enum bt_status use_event(struct bt_series_reader *r, struct file *f, struct bt__wire data)
{
    struct bt__event e;
    struct bt__scalar s;
    r->set.done = r->records.offset;
    bool good = bt__event_parse(data, &e), memory = true;
    if (good && e.kind == EVENT_START) memory = bt__series_supersede(&r->set, e.step);
    while (good && memory && e.kind == EVENT_SCALARS && bt__event_scalar(&e, &s))
        if (!f->folder || name_scalar(r, f, &s)) memory = bt__series_add(&r->set, &s, e.step, e.wall);
    if (!good || e.summary.bad) {
        f->damaged++;
        tell_damage(r, f, "the record before this one is no event");
    }
    return memory ? BT_OK : BT_NOMEM;
}

static const char *const damage_text[] = {
    [RECORD_BAD_LENGTH] = "wrong checksum of a record's length: the rest of the file is left out",
    [RECORD_BAD_DATA] = "wrong checksum of a record",
    [RECORD_IO] = "cannot be read",
};

/* Damage is passed if more records follow. The last record is looked at again when the file changes: it may still be being
 * written. */
static bool pass_damage(struct bt_series_reader *r, struct file *f, enum bt__record what)
{
    tell_damage(r, f, damage_text[what]);
    if (what == RECORD_BAD_DATA && !bt__records_tail(&r->records, what)) {
        f->damaged++;
        bt__records_skip(&r->records);
        return true;
    }
    f->stuck = true;
    return false;
}

/* What is in the buffer and can be had the fast way, most bytes of it at the most. */
static void take_plain(struct bt_series_reader *r, uint64_t most)
{
    size_t n;
    const uint8_t *p = bt__records_buffered(&r->records, &n);
    if (n) bt__records_pass(&r->records, bt__plain_take(&r->set, p, most < n ? (size_t)most : n));
}

/* Reads from an open file until its end or until *budget is used up. */
static enum bt_status read_records(struct bt_series_reader *r, struct file *f, int fd, uint64_t *budget)
{
    struct bt__wire data;
    uint64_t start = f->offset;
    enum bt_status status = BT_OK;
    bt__records_start(&r->records, fd, f->offset, f->size);
    bt__store_expect(&r->set.store, (f->size - f->offset) / LEAST_FRAME);
    r->set.size = f->size;
    r->set.folder = f->folder;
    f->waiting = f->stuck = false;
    while (status == BT_OK && !f->waiting && r->records.offset - start < *budget) {
        if (!f->folder) take_plain(r, *budget - (r->records.offset - start));
        enum bt__record got = bt__records_next(&r->records, &data);
        if (got == RECORD_OK)
            status = use_event(r, f, data);
        else if (got == RECORD_HUGE)
            bt__records_skip(&r->records);
        else if (got == RECORD_NOMEM)
            status = BT_NOMEM;
        else if (got == RECORD_END || got == RECORD_UNFINISHED)
            f->waiting = true;
        else
            f->waiting = !pass_damage(r, f, got);
    }
    uint64_t used = r->records.offset - start;
    *budget -= used < *budget ? used : *budget;
    f->offset = r->records.offset;
    bt__records_free(&r->records); /* hundreds of runs are watched, and nothing comes of most */
    return status;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Looks at a file again; nothing is opened where nothing changed. */
static enum bt_status poll_file(struct bt_series_reader *r, struct file *f, uint64_t *budget)
{
    struct stat st;
    char *path = bt_path_join(r->dir, f->name);
    if (!path) return BT_NOMEM;
    enum bt_status status = BT_OK;
    int fd = -1;
    if (lstat(path, &st) != 0) {
        r->restart = errno == ENOENT && f->inode;
        goto out;
    }
    if (!S_ISREG(st.st_mode)) goto out;
    if (f->waiting && f->inode == st.st_ino && (uint64_t)st.st_size == f->size &&
        same_time(st.st_mtim, f->modified))
        goto out;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) goto out;
    if ((f->inode && f->inode != st.st_ino) || (uint64_t)st.st_size < f->offset) {
        r->restart = true;
        goto out;
    }
    f->inode = st.st_ino;
    f->size = (uint64_t)st.st_size;
    f->modified = st.st_mtim;
    status = read_records(r, f, fd, budget);
out:
    if (fd >= 0) close(fd);
    free(path);
    return status;
}

/* ── the reader ── */

static void start_again(struct bt_series_reader *r)
{
    r->set.folder = NULL;
    free_files(r);
    bt__series_supersede_all(&r->set);
    bt_str_clear(&r->damage);
    r->damaged = 0;
    r->restart = false;
}

static size_t count_damage(const struct bt_series_reader *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_files; i++) n += r->file[i].damaged + (r->file[i].stuck ? 1 : 0);
    return n;
}

enum bt_status bt_series_poll(struct bt_series_reader *r, size_t max_bytes, bool *more, struct bt_error *err)
{
    uint64_t budget = max_bytes ? max_bytes : UINT64_MAX;
    if (r->restart) start_again(r);
    enum bt_status status = find_files(r, err);
    if (status != BT_OK) return status;
    for (size_t i = 0; i < r->n_files && budget > 0 && status == BT_OK && !r->restart; i++)
        status = poll_file(r, &r->file[i], &budget);
    r->damaged = count_damage(r);
    if (more) *more = budget == 0 || r->restart;
    if (status != BT_OK) return bt_fail(err, status, "%s: no memory for its events", r->dir);
    return BT_OK;
}

enum bt_status bt_series_load(const char *dir, struct bt_series_reader **out, struct bt_error *err)
{
    bool more = true;
    *out = NULL;
    enum bt_status status = bt_series_open(dir, out, err);
    while (status == BT_OK && more) status = bt_series_poll(*out, 0, &more, err);
    if (status == BT_OK) bt_series_commit(*out);
    return status;
}

uint64_t bt_series_bytes(const struct bt_series_reader *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->n_files; i++) sum += r->file[i].offset;
    return sum;
}

bool bt_series_commit(struct bt_series_reader *r)
{
    bool changed = bt__series_commit(&r->set);
    if (r->damaged != r->shown_damaged ||
        (r->damaged && strcmp(bt_str_text(&r->damage), bt_str_text(&r->shown_damage)) != 0)) {
        r->shown_damaged = r->damaged;
        bt_str_clear(&r->shown_damage);
        bt_str_add(&r->shown_damage, bt_str_text(&r->damage));
        changed = true;
        r->set.version++;
    }
    return changed;
}

size_t bt_series_count(const struct bt_series_reader *r)
{
    return r->set.n_shown;
}

const struct bt_series *bt_series_at(const struct bt_series_reader *r, size_t i)
{
    return i < r->set.n_shown ? &r->set.shown[i]->pub : NULL;
}

const struct bt_series *bt_series_find(const struct bt_series_reader *r, const char *tag)
{
    size_t low = 0, high = r->set.n_shown;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tag, r->set.shown[middle]->tag);
        if (order == 0) return &r->set.shown[middle]->pub;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

uint64_t bt_series_version(const struct bt_series_reader *r)
{
    return r->set.version;
}

const int64_t *bt_series_resumes(const struct bt_series_reader *r, size_t *n)
{
    *n = r->set.shown_resumes.n;
    return r->set.shown_resumes.step;
}

size_t bt_series_damage(const struct bt_series_reader *r, const char **text)
{
    if (text) *text = r->shown_damaged ? bt_str_text(&r->shown_damage) : "";
    return r->shown_damaged;
}
