/* Files, written so that a crash leaves the old or the new content, never half of it. */
#ifndef BERTTY_FILE_H
#define BERTTY_FILE_H

#include <bertty/str.h>
#include <stdint.h>

/* Reads a whole regular file (FIFOs, devices and directories are refused at once) of at most max_bytes.
 * *data is NUL-terminated and freed by the caller with free(). */
enum bt_status bt_file_read(const char *path, size_t max_bytes, char **data, size_t *n, struct bt_error *err);
/* Temporary file beside path (unpredictable name, mode 0600 as the umask says) → write → fsync → rename → fsync of the directory.
 * A failure removes the temporary file and leaves path as it was. */
enum bt_status bt_file_write_atomic(const char *path, const void *data, size_t n, struct bt_error *err);
/* As above without the two fsyncs: for status files that are replaced twice a second. */
enum bt_status bt_file_replace(const char *path, const void *data, size_t n, struct bt_error *err);
/* All n bytes, however few of them a call takes; false: errno. */
bool bt_write_all(int fd, const void *data, size_t n);
/* mkdir -p with mode 0700; an existing directory is fine. */
enum bt_status bt_mkdirs(const char *path, struct bt_error *err);
/* a/b; the caller frees. */
char *bt_path_join(const char *a, const char *b);
/* All before the last component ("/" and "." where that is nothing); the caller frees; NULL without memory. */
char *bt_path_above(const char *path);
/* Last component, borrowed. */
const char *bt_path_base(const char *path);
bool bt_path_exists(const char *path);
/* Both are there, and are one file under whatever names. */
bool bt_same_file(const char *a, const char *b);
/* Lower-case hex SHA-256 of a file or of bytes into hex[65]. */
enum bt_status bt_sha256_file(const char *path, char hex[65], struct bt_error *err);
void bt_sha256(const void *data, size_t n, char hex[65]);

#endif
