/* The bytes become the target's files; what it answers is judged. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct fuzz_target *const lists[] = {fuzz_data, fuzz_model,  fuzz_hub,
                                                  fuzz_run,  fuzz_screen, fuzz_session};
enum { LISTS = sizeof lists / sizeof *lists };

static const struct fuzz_target *target;
static char dir[64], path[256], rest[256];

void fuzz_broken(const char *what)
{
    fprintf(stderr, "%s: %s\n", target->name, what);
    abort();
}

/* ── which ── */

const struct fuzz_target *fuzz_at(size_t i)
{
    for (int k = 0; k < LISTS; k++)
        for (const struct fuzz_target *t = lists[k]; t->name; t++)
            if (i-- == 0) return t;
    return NULL;
}

size_t fuzz_count(void)
{
    size_t n = 0;
    while (fuzz_at(n)) n++;
    return n;
}

const struct fuzz_target *fuzz_named(const char *name)
{
    for (size_t i = 0; fuzz_at(i); i++)
        if (strcmp(fuzz_at(i)->name, name) == 0) return fuzz_at(i);
    return NULL;
}

void fuzz_list(void)
{
    for (size_t i = 0; fuzz_at(i); i++) printf("%s %s\n", fuzz_at(i)->name, fuzz_at(i)->sources);
}

/* ── where ── */

void fuzz_remove(const char *place)
{
    char command[128];
    if (!*place) return;
    snprintf(command, sizeof command, "rm -rf '%s'", place);
    if (system(command) != 0) fprintf(stderr, "%s stays\n", place);
}

static void remove_all(void)
{
    if (chdir("/") == 0) fuzz_remove(dir);
}

static void make_place(void)
{
    static const char *const above[] = {"/dev/shm", "/tmp"};
    static const char *const foreign[] = {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
                                          "XDG_CACHE_HOME"};
    for (size_t i = 0; i < 2 && !*dir; i++) {
        snprintf(dir, sizeof dir, "%s/bertty-fuzz-XXXXXX", above[i]);
        if (!mkdtemp(dir)) *dir = '\0';
    }
    if (!*dir) {
        perror("no directory for the files");
        exit(2);
    }
    atexit(remove_all);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) unsetenv(foreign[i]);
    setenv("HOME", dir, 1);
    setenv("XDG_CONFIG_HOME", dir, 1);
    setenv("HF_HUB_CACHE", dir, 1);
}

/* DIR/a/b: the directories on the way too. */
static void place(const char *name, char *to, size_t size)
{
    int n = snprintf(to, size, "%s/%s", dir, name);
    for (char *at = to + strlen(dir) + 1; n > 0 && (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        if (mkdir(to, 0700) != 0 && errno != EEXIST) perror(to);
    }
}

const char *fuzz_begin(const struct fuzz_target *t)
{
    target = t;
    setlocale(LC_CTYPE, "C.UTF-8");
    make_place();
    if (target->file) place(target->file, path, sizeof path);
    if (target->rest) place(target->rest, rest, sizeof rest);
    return dir;
}

/* ── an input ── */

static void put(const char *file, const uint8_t *data, size_t n)
{
    const int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) {
        perror(file);
        exit(2);
    }
    close(fd);
}

static void put_files(uint8_t *data, size_t n)
{
    static const char parting[] = "\0\0\0\0\n";
    enum { PARTING = sizeof parting - 1 };
    uint8_t *end = target->rest ? memmem(data, n, parting, PARTING) : NULL,
            *second = end ? end + PARTING : NULL;
    const size_t first_n = end ? (size_t)(end - data) : n, second_n = end ? n - first_n - PARTING : 0;
    if (target->seal) target->seal(data, first_n, second, second_n);
    put(path, data, first_n);
    if (end) put(rest, second, second_n);
    if (target->rest && !end) unlink(rest);
}

static enum bt_status feed(const uint8_t *data, size_t n, struct bt_error *err)
{
    char *text = malloc(n + 1);
    if (!text) return bt_fail(err, BT_NOMEM, "no memory for the input");
    if (n) memcpy(text, data, n);
    text[n] = '\0';
    if (target->file) put_files((uint8_t *)text, n);
    const enum bt_status st = target->read(path, dir, text, n, err);
    if (st != BT_OK && (err->status != st || strlen(err->text) < 5)) fuzz_broken("refused without a word");
    if (st != BT_OK && strchr(err->text, '\n')) fuzz_broken("a message of two lines");
    free(text);
    return st;
}

void fuzz_feed(const uint8_t *data, size_t n)
{
    struct bt_error err = {.status = BT_OK};
    feed(data, n, &err);
}

void fuzz_ask(const uint8_t *data, size_t n)
{
    struct bt_error err = {.status = BT_OK};
    printf("%s\n", feed(data, n, &err) == BT_OK ? "taken" : err.text);
}
