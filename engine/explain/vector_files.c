/* A file of vectors: a line that says what they are, the floats, their SHA-256. */
#include "explain/vectors.h"

#include "formats/weights.h"
#include <bertty/file.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 16, HASH = 64, AT_ONCE = 1 << 20, KEY = 32 };
#define MOST_BYTES ((size_t)1 << 30)

/* ── what they are vectors of ── */

/* The hash of all that was added: what is long is replaced by its hash in between. */
static void shorten(struct bt_str *s, size_t from)
{
    char hex[HASH + 1];
    if (s->failed || s->len < from) return;
    bt_sha256(bt_str_text(s), s->len, hex);
    bt_str_clear(s);
    bt_str_add(s, hex);
}

static void add_text(struct bt_str *s, const char *text, size_t n)
{
    bt_str_addf(s, "%zu:", text ? n : 0);
    if (text) bt_str_addn(s, text, n);
}

static void add_examples(struct bt_str *s, const struct bt_examples *e)
{
    for (size_t i = 0; i < bt_examples_count(e); i++) {
        const struct bt_example *x = bt_examples_at(e, i);
        add_text(s, x->text, x->text_n);
        add_text(s, x->pair, x->pair_n);
        for (uint32_t k = 0; k < x->parts; k++) add_text(s, x->part[k].text, x->part[k].n);
        bt_str_addf(s, "%zu,%zu\n", x->mark, x->mark_n);
        shorten(s, AT_ONCE);
    }
}

/* The files of the weights as they are now. */
static bool add_model(struct bt_str *s, const char *dir)
{
    struct bt__weights *w = NULL;
    struct stat info;
    bool there = bt__weights_open(dir, BT__WEIGHTS_AUTO, &w, NULL) == BT_OK;
    for (size_t i = 0; there && bt__weights_part(w, i); i++) {
        const char *part = bt__weights_part(w, i);
        there = stat(part, &info) == 0;
        if (there)
            bt_str_addf(s, "%s %lld %lld.%09ld %llu\n", part, (long long)info.st_size,
                        (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                        (unsigned long long)info.st_ino);
    }
    bt__weights_close(w);
    return there;
}

static char *folder(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/') return bt_path_join(cache, "bertty/vectors");
    return home && *home ? bt_path_join(home, ".cache/bertty/vectors") : NULL;
}

char *bt__vector_path(const struct bt_predictor *p, const struct bt_examples *e,
                      enum bt_vector_pooling pooling)
{
    struct bt_str s = {.len = 0};
    char *dir = folder(), *path = NULL;
    if (dir && add_model(&s, p->dir)) {
        bt_experiment_write(p->x, &s);
        bt_str_addf(&s, "\n%s %zu\n", bt_vector_poolings[pooling], bt_examples_count(e));
        add_examples(&s, e);
        shorten(&s, 0);
        if (!s.failed) path = bt_strfmt("%s/%.*s.vectors", dir, KEY, bt_str_text(&s));
    }
    bt_str_free(&s);
    free(dir);
    return path;
}

/* ── the file ── */

static char *head_of(size_t n, int hidden)
{
    return bt_strfmt("bertty vectors 1: %zu rows of %d floats\n", n, hidden);
}

struct bt_vectors *bt__vectors_read(const char *path, size_t n, int hidden)
{
    struct bt_vectors *v = NULL;
    char *data = NULL, *head = head_of(n, hidden), hex[HASH + 1];
    const size_t bytes = n * (size_t)hidden * sizeof(float), first = head ? strlen(head) : 0;
    size_t size = 0;
    if (head && bt_file_read(path, MOST_BYTES, &data, &size, NULL) == BT_OK && size == first + bytes + HASH &&
        memcmp(data, head, first) == 0) {
        bt_sha256(data + first, bytes, hex);
        if (memcmp(hex, data + first + bytes, HASH) == 0) v = bt__vectors_new(n, hidden);
    }
    if (v) memcpy(v->v, data + first, bytes);
    free(data);
    free(head);
    return v;
}

/* Removes the files that were written first, until there is room for one more. */
static void make_room(const char *dir)
{
    for (;;) {
        DIR *d = opendir(dir);
        struct stat info, oldest = {.st_size = 0};
        char name[256] = "";
        int files = 0;
        for (struct dirent *x; d && (x = readdir(d));) {
            if (!strstr(x->d_name, ".vectors") ||
                fstatat(dirfd(d), x->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
                continue;
            if (files++ && info.st_mtim.tv_sec >= oldest.st_mtim.tv_sec) continue;
            oldest = info;
            snprintf(name, sizeof name, "%s", x->d_name);
        }
        const bool gone = files >= MOST_FILES && unlinkat(dirfd(d), name, 0) == 0;
        if (d) closedir(d);
        if (!gone) return;
    }
}

void bt__vectors_write(const char *path, const struct bt_vectors *v)
{
    char *dir = bt_path_above(path), *head = head_of(v->n, v->hidden), hex[HASH + 1];
    const size_t bytes = v->n * (size_t)v->hidden * sizeof(float);
    struct bt_str s = {.len = 0};
    if (dir && head && bytes < MOST_BYTES / 2 && bt_mkdirs(dir, NULL) == BT_OK) {
        make_room(dir);
        bt_sha256(v->v, bytes, hex);
        bt_str_add(&s, head);
        bt_str_addn(&s, (const char *)v->v, bytes);
        bt_str_addn(&s, hex, HASH);
        if (!s.failed) (void)bt_file_write_atomic(path, bt_str_text(&s), s.len, NULL);
    }
    bt_str_free(&s);
    free(head);
    free(dir);
}
