#include <bertty/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts a message that did not fit at a code point, and makes it one line. */
static void tidy(struct bt_error *err)
{
    size_t n = strlen(err->text);
    while (n > 0 && n + 1 == sizeof err->text && ((unsigned char)err->text[n - 1] & 0x80))
        err->text[--n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (err->text[i] == '\n' || err->text[i] == '\r') err->text[i] = ' ';
}

static void fill(struct bt_error *err, enum bt_status status, const char *fmt, va_list args) BT_PRINTF(3, 0);
static void fill(struct bt_error *err, enum bt_status status, const char *fmt, va_list args)
{
    err->status = status;
    vsnprintf(err->text, sizeof err->text, fmt, args);
    tidy(err);
}

enum bt_status bt_fail(struct bt_error *err, enum bt_status status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (err) fill(err, status, fmt, args);
    va_end(args);
    return status;
}

enum bt_status bt_fail_errno(struct bt_error *err, const char *fmt, ...)
{
    int number = errno;
    va_list args;
    va_start(args, fmt);
    if (err) fill(err, BT_IO, fmt, args);
    va_end(args);
    if (!err) return BT_IO;
    size_t n = strlen(err->text);
    char reason[128];
    const char *text = strerror_r(number, reason, sizeof reason);
    snprintf(err->text + n, sizeof err->text - n, ": %s", text);
    tidy(err);
    return BT_IO;
}

enum bt_status bt_error_prefix(struct bt_error *err, enum bt_status status, const char *fmt, ...)
{
    if (!err) return status;
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list args;
    va_start(args, fmt);
    fill(err, err->status ? err->status : status, fmt, args);
    va_end(args);
    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, ": %s", old);
    tidy(err);
    return err->status;
}

const char *bt_status_name(enum bt_status status)
{
    static const char *const names[] = {
#define X(name, text) [name] = text,
        BT_STATUS_LIST(X)
#undef X
    };
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown";
}
