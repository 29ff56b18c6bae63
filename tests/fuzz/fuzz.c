/* libFuzzer's entry. BT_FUZZ names the target; without it the program lists them.
 *
 * The directory lies in memory where the system has such a place. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct fuzz_target *const lists[] = {fuzz_data, fuzz_model, fuzz_run, fuzz_screen};
enum { LISTS = sizeof lists / sizeof *lists };

static const struct fuzz_target *target;
static char dir[64], path[256], rest[256];

void fuzz_broken(const char *what)
{
    fprintf(stderr, "%s: %s\n", target->name, what);
    abort();
}

static void remove_all(void)
{
    if (!*dir || chdir("/") != 0) return;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0) fprintf(stderr, "%s stays\n", dir);
}

static void make_place(void)
{
    static const char *const above[] = {"/dev/shm", "/tmp"};
    for (size_t i = 0; i < 2 && !*dir; i++) {
        snprintf(dir, sizeof dir, "%s/bertty-fuzz-XXXXXX", above[i]);
        if (!mkdtemp(dir)) *dir = '\0';
    }
    if (!*dir) {
        perror("no directory for the files");
        exit(2);
    }
    atexit(remove_all);
    setenv("HOME", dir, 1);
    setenv("XDG_CONFIG_HOME", dir, 1);
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

static const struct fuzz_target *find(const char *name)
{
    for (int k = 0; k < LISTS; k++)
        for (const struct fuzz_target *t = lists[k]; t->name; t++)
            if (strcmp(t->name, name) == 0) return t;
    return NULL;
}

static void list_all(void)
{
    for (int k = 0; k < LISTS; k++)
        for (const struct fuzz_target *t = lists[k]; t->name; t++) puts(t->name);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("BT_FUZZ");
    (void)argc;
    (void)argv;
    if (!name) {
        list_all();
        exit(0);
    }
    if (!(target = find(name))) {
        fprintf(stderr, "BT_FUZZ=%s: no such target; without BT_FUZZ they are listed\n", name);
        exit(2);
    }
    setlocale(LC_CTYPE, "C.UTF-8");
    make_place();
    if (target->file) place(target->file, path, sizeof path);
    if (target->rest) place(target->rest, rest, sizeof rest);
    return 0;
}

static void put(const char *file, const uint8_t *data, size_t n)
{
    const int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) {
        perror(file);
        exit(2);
    }
    close(fd);
}

static void put_files(const uint8_t *data, size_t n)
{
    const uint8_t *end = target->rest && n ? memmem(data, n, "\0\0\0\0\n", 5) : NULL;
    const size_t first = end ? (size_t)(end - data) : n;
    put(path, data, first);
    if (end) put(rest, end + 5, n - first - 5);
    if (target->rest && !end) unlink(rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bt_error err = {.status = BT_OK};
    char *text = malloc(n + 1);
    if (!text) return 0;
    if (n) memcpy(text, data, n);
    text[n] = '\0';
    if (target->file) put_files(data, n);
    const enum bt_status st = target->read(path, dir, text, n, &err);
    if (st != BT_OK && (err.status != st || strlen(err.text) < 5)) fuzz_broken("refused without a word");
    if (st != BT_OK && strchr(err.text, '\n')) fuzz_broken("a message of two lines");
    free(text);
    return 0;
}
