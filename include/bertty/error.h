/* Status codes and the error record that every fallible call fills.
 *
 * Convention: a function that can fail returns enum bt_status (BT_OK is 0) and takes a
 * struct bt_error * as its last parameter. The caller owns the record; it may be NULL when
 * only the status matters. The record is written on failure only. Messages are one line, name the file and the
 * line or tensor, and say what was found and what was expected. */
#ifndef BERTTY_ERROR_H
#define BERTTY_ERROR_H

#if defined(__GNUC__)
#define BT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define BT_PRINTF(fmt, args)
#endif

/* name, one-word text for JSON and logs */
#define BT_STATUS_LIST(X)                                                                                    \
    X(BT_OK, "ok")                                                                                           \
    X(BT_NOMEM, "out-of-memory")     /* an allocation failed or a limit would be passed */                   \
    X(BT_IO, "io")                   /* the operating system refused; text holds strerror */                 \
    X(BT_INVALID, "invalid")         /* a value from a file or a user is not acceptable */                   \
    X(BT_DAMAGED, "damaged")         /* a file contradicts itself: truncated, wrong checksum */              \
    X(BT_NOTFOUND, "not-found")      /* no such file, run, column, option, tensor */                         \
    X(BT_EXISTS, "exists")           /* it is there already */                                               \
    X(BT_BUSY, "busy")               /* somebody else holds it */                                            \
    X(BT_UNSUPPORTED, "unsupported") /* valid, but not something this build can do */                        \
    X(BT_CANCELLED, "cancelled")     /* the caller or the user asked to stop */                              \
    X(BT_DIVERGED, "diverged")       /* NaN or Inf in the loss or the gradient */

enum bt_status {
#define X(name, text) name,
    BT_STATUS_LIST(X)
#undef X
};

struct bt_error {
    enum bt_status status;
    char text[512]; /* NUL-terminated, one line, no final newline; cut at a code point if too long */
};

/* Fills err (if not NULL) and returns status, so that `return bt_fail(err, …)` reads well. */
enum bt_status bt_fail(struct bt_error *err, enum bt_status status, const char *fmt, ...) BT_PRINTF(3, 4);

/* As bt_fail(err, BT_IO, "<text>: <strerror(errno)>"). */
enum bt_status bt_fail_errno(struct bt_error *err, const char *fmt, ...) BT_PRINTF(2, 3);

/* Puts "<text>: " before the message that is in err (if not NULL); returns err's status or status. */
enum bt_status bt_error_prefix(struct bt_error *err, enum bt_status status, const char *fmt, ...)
    BT_PRINTF(3, 4);

/* "ok", "invalid", … ; static storage. */
const char *bt_status_name(enum bt_status status);

#endif
