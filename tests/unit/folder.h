/* A directory that is made for a test and removed with all that is in it: folder_make() and folder_remove(). */
#ifndef TESTS_UNIT_FOLDER_H
#define TESTS_UNIT_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bertty/file.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];

static inline int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/bertty-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st, (void)flag, (void)at;
    return remove(path);
}

static inline int folder_remove(void **state)
{
    (void)state;
    return nftw(folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the directory; good until the sixth call after. */
static inline const char *at(const char *path)
{
    static char out[6][400];
    static int turn;
    turn = (turn + 1) % 6;
    snprintf(out[turn], sizeof out[turn], "%s/%s", folder, path);
    return out[turn];
}

/* Writes a file of the directory, and makes the folders above it. */
static inline void put(const char *path, const char *text)
{
    char above[400];
    struct bt_error err = {0};
    snprintf(above, sizeof above, "%s", at(path));
    *strrchr(above, '/') = '\0';
    assert_int_equal(bt_mkdirs(above, &err), BT_OK);
    if (bt_file_replace(at(path), text, strlen(text), &err) != BT_OK) fail_msg("%s", err.text);
}

static inline void expect_text(const char *text, const char *part)
{
    if (!text || !strstr(text, part)) fail_msg("expected '%s' in '%s'", part, text ? text : "(null)");
}

#endif
