/* Readers that are given whatever a fuzzer makes: each takes files of a directory of its own, and must answer with BT_OK or with an error that says
 * something, in bounded time and memory. What they return is walked through to its end. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <bertty/error.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name;
    /* The file, below the directory, that the input becomes; NULL: read takes the bytes itself. */
    const char *file;
    /* A second file that the input's end becomes, behind a line of four zero bytes; NULL: none. */
    const char *rest;
    /* path: of the file; dir: the directory. text [n] ends with a zero byte that is not counted. */
    enum bt_status (*read)(const char *path, const char *dir, const char *text, size_t n,
                           struct bt_error *err);
};

/* Each ends with one without a name. */
extern const struct fuzz_target fuzz_data[], fuzz_model[], fuzz_run[], fuzz_screen[];

/* Ends the process with a message: a reader broke a promise. */
_Noreturn void fuzz_broken(const char *what);

#endif
