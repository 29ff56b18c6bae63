/* Readers that are given whatever a fuzzer makes: each takes files of a directory of its own, and must answer with BT_OK or with an error that says
 * something, in bounded time and memory. What they return is walked through to its end.
 *
 * Two programs share them: fuzz.c is libFuzzer's, replay.c reads tests/fuzz/corpus again on every test run. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name;
    /* The file, below the directory, that the input becomes; NULL: read takes the bytes itself. */
    const char *file;
    /* A second file that the input's end becomes, behind a line of four zero bytes; NULL: none. */
    const char *rest;
    /* Makes checksums and lengths in the bytes of both files right, where a wrong one would end the reading early; NULL: they stay. */
    void (*seal)(uint8_t *first, size_t n, uint8_t *rest, size_t rest_n);
    bool slow; /* milliseconds an input: fewer changes on a test run */
    /* The reader's own sources, whose coverage is told: patterns separated by blanks. */
    const char *sources;
    /* path: of the file; dir: the directory. text [n]: the whole input, with a zero byte behind it that is not counted. */
    enum bt_status (*read)(const char *path, const char *dir, const char *text, size_t n,
                           struct bt_error *err);
};

/* Each ends with one without a name. */
extern const struct fuzz_target fuzz_data[], fuzz_model[], fuzz_hub[], fuzz_run[], fuzz_screen[],
    fuzz_session[];

/* Ends the process with a message: a reader broke a promise. */
_Noreturn void fuzz_broken(const char *what);

/* Made right: the length of a header of safetensors, the checksums of TensorBoard's records and of a TensorFlow checkpoint (seal.c). */
void fuzz_seal_safetensors(uint8_t *first, size_t n, uint8_t *rest, size_t rest_n);
void fuzz_seal_events(uint8_t *first, size_t n, uint8_t *rest, size_t rest_n);
void fuzz_seal_tf(uint8_t *first, size_t n, uint8_t *rest, size_t rest_n);

/* ── feeding one (feed.c) ── */

size_t fuzz_count(void);
const struct fuzz_target *fuzz_at(size_t i);
const struct fuzz_target *fuzz_named(const char *name); /* NULL: none */
void fuzz_list(void); /* their names and sources, a line each, to standard output */
/* Makes the directory, in memory where the system has such a place; it goes when the process ends well. One target a process. Borrowed. */
const char *fuzz_begin(const struct fuzz_target *t);
void fuzz_remove(const char *place); /* the directory of a process that did not; "": none */
void fuzz_feed(const uint8_t *data, size_t n);
/* The same, and says what the reader answered, to standard output. */
void fuzz_ask(const uint8_t *data, size_t n);

#endif
