/* Every file of tests/fuzz/corpus through its reader again, and each of them with changes that are the same every time.
 *
 *     replay [-r CHANGES] [-c CORPUS] [TARGET…]   CHANGES (of the files that were written, together) for each target
 *     replay TARGET FILE                          one input as it is, and what the reader answers
 *     replay -l                                   the targets and their sources
 *
 * A target is read in a process of its own, so that one that ends it badly is told by name, with the file and the change that did it. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SEEDS = 20000, LONGEST_S = 30, USUAL_CHANGES = 1500, SLOW = 5 /* times fewer */ };

/* Seen by both processes: what is being read. */
struct now {
    char file[1024];
    char place[64];  /* its directory */
    uint64_t change; /* 0: the file as it is */
    size_t fed;      /* inputs so far */
    bool ended;      /* all of them were */
    struct fuzz_input in;
};
static struct now *now;

/* Of the sanitizers, where they are built in. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
const char *__asan_default_options(void);

/* As libFuzzer's -malloc_limit_mb: a file of some kilobytes is no reason to ask for more. */
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=1024:allocator_may_return_null=0";
}

/* ── the files ── */

struct seeds {
    char *name[MOST_SEEDS];
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_seeds(const char *dir, struct seeds *s)
{
    DIR *d = opendir(dir);
    for (struct dirent *x; d && (x = readdir(d)) && s->n < MOST_SEEDS;)
        if (x->d_name[0] != '.') s->name[s->n++] = strdup(x->d_name);
    if (d) closedir(d);
    qsort(s->name, s->n, sizeof *s->name, by_name);
}

static void load(const char *path, struct fuzz_input *in)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, in->bytes, sizeof in->bytes);
    if (n < 0) {
        perror(path);
        exit(2);
    }
    close(fd);
    in->n = (size_t)n;
}

/* ── in the target's process ── */

static void feed(void)
{
    alarm(LONGEST_S);
    fuzz_feed(now->in.bytes, now->in.n);
    now->fed++;
}

static void feed_file(const char *dir, const char *name, struct fuzz_input *in)
{
    snprintf(now->file, sizeof now->file, "%s/%s", dir, name);
    load(now->file, in);
    now->change = 0;
    now->in = *in;
    feed();
}

/* So that a file's changes are the same whatever other files there are: Fowler, Noll and Vo's hash. */
static uint64_t number_of(const char *name)
{
    uint64_t h = 14695981039346656037u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 1099511628211u;
    return h;
}

/* By a fuzzer, whose inputs have hashes for names: mostly broken ones, of which changes make little that is new. */
static bool was_found(const char *name)
{
    return strlen(name) == 12 && strspn(name, "0123456789abcdef") == 12;
}

/* The search for them takes milliseconds: only where more is in use than before. */
static bool leaks(void)
{
    static size_t before;
    if (!__lsan_do_recoverable_leak_check || !__sanitizer_get_current_allocated_bytes) return false;
    const size_t used = __sanitizer_get_current_allocated_bytes();
    const bool more = used > before;
    before = used;
    return more && __lsan_do_recoverable_leak_check();
}

static void ask_about(const char *file, struct fuzz_input *in)
{
    snprintf(now->file, sizeof now->file, "%s", file);
    load(file, in);
    now->in = *in;
    alarm(LONGEST_S);
    fuzz_ask(in->bytes, in->n);
    now->fed++;
}

static void feed_all(const char *dir, const struct seeds *s, uint64_t changes)
{
    static struct fuzz_input seed, other;
    char path[1024];
    size_t written = 0;
    for (size_t i = 0; i < s->n; i++) written += !was_found(s->name[i]);
    const uint64_t each = changes / (written ? written : 1) + 1;
    for (size_t i = 0; i < s->n; i++) {
        feed_file(dir, s->name[i], &seed);
        for (uint64_t k = 1; k <= (was_found(s->name[i]) ? each / 8 : each); k++) {
            if (k % 64 == 1) {
                snprintf(path, sizeof path, "%s/%s", dir, s->name[(i + k / 64) % s->n]);
                load(path, &other);
            }
            now->in = seed;
            now->change = k;
            fuzz_mutate(&now->in, &other, number_of(s->name[i]) + k);
            feed();
        }
        if (leaks()) fuzz_broken("memory that nobody frees");
    }
}

/* ── in ours ── */

/* What was being read when it ended goes to a file, to be given to `replay TARGET FILE`. */
static void keep_input(char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(path, size, "%s/bertty-input-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    const int fd = mkstemp(path);
    if (fd < 0 || write(fd, now->in.bytes, now->in.n) != (ssize_t)now->in.n) snprintf(path, size, "nowhere");
    if (fd >= 0) close(fd);
}

static bool judge(const char *name, int status)
{
    char how[64], path[512];
    if (status == 0 && now->ended) return true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(how, sizeof how, "no end after %d s", LONGEST_S);
    else if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof how, "ended with %d", WEXITSTATUS(status));
    keep_input(path, sizeof path);
    fuzz_remove(now->place);
    printf("FAIL  %s: %s: %s, change %llu%s; what was read is kept in %s\n", name, how, now->file,
           (unsigned long long)now->change, now->ended ? " (at the end)" : "", path);
    return false;
}

static bool run(const struct fuzz_target *t, const char *dir, const char *file, uint64_t changes)
{
    static struct seeds seeds;
    static struct fuzz_input one;
    char folder[512] = "";
    memset(now, 0, sizeof *now);
    if (!file) {
        seeds.n = 0;
        snprintf(folder, sizeof folder, "%s/%s", dir, t->name);
        find_seeds(folder, &seeds);
    }
    if (!file && seeds.n == 0) {
        printf("FAIL  %s: no file in %s\n", t->name, folder);
        return false;
    }
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        snprintf(now->place, sizeof now->place, "%s", fuzz_begin(t));
        if (file)
            ask_about(file, &one);
        else
            feed_all(folder, &seeds, t->slow ? changes / SLOW : changes);
        now->ended = true;
        exit(0); /* what nobody has freed is told now */
    }
    int status = -1;
    if (child > 0) waitpid(child, &status, 0);
    for (size_t i = 0; !file && i < seeds.n; i++) free(seeds.name[i]);
    const bool good = judge(t->name, status);
    if (good) printf("ok    %s: %zu inputs\n", t->name, now->fed);
    return good;
}

static int usage(void)
{
    fprintf(stderr, "replay [-r CHANGES] [-c CORPUS] [TARGET…] | replay TARGET FILE | replay -l\n");
    return 2;
}

static int run_all(int argc, char **argv, const char *dir, uint64_t changes)
{
    size_t passed = 0, failed = 0;
    for (size_t i = 0; i < fuzz_count(); i++) {
        bool wanted = argc == 0;
        for (int k = 0; k < argc; k++) wanted |= strcmp(argv[k], fuzz_at(i)->name) == 0;
        if (wanted) *(run(fuzz_at(i), dir, NULL, changes) ? &passed : &failed) += 1;
    }
    printf("%zu passed, %zu failed, 0 skipped\n", passed, failed);
    return failed || !passed;
}

int main(int argc, char **argv)
{
    const char *dir = "tests/fuzz/corpus";
    uint64_t changes = USUAL_CHANGES;
    for (int c; (c = getopt(argc, argv, "lr:c:")) != -1;) {
        if (c == 'l') {
            fuzz_list();
            return 0;
        }
        if (c == 'r') changes = strtoull(optarg, NULL, 10);
        if (c == 'c') dir = optarg;
        if (c == '?') return usage();
    }
    argc -= optind;
    argv += optind;
    for (int k = 0; k < argc; k++)
        if (!fuzz_named(argv[k]) && !(k == 1 && argc == 2)) return usage();
    now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (now == MAP_FAILED) return 2;
    if (argc == 2 && !fuzz_named(argv[1])) return !run(fuzz_named(argv[0]), NULL, argv[1], 0);
    return run_all(argc, argv, dir, changes);
}
