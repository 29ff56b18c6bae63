/* Files that a test writes: one directory for the program, removed by files_remove(). */
#ifndef TESTS_UNIT_FILES_H
#define TESTS_UNIT_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char files_dir[] = "/tmp/bertty-test-XXXXXX";
static char files_names[64][64];
static int files_n;

static inline int files_make(void **state)
{
    (void)state;
    return mkdtemp(files_dir) ? 0 : -1;
}

static inline int files_remove(void **state)
{
    (void)state;
    while (files_n > 0) unlink(files_names[--files_n]);
    return rmdir(files_dir);
}

/* The path of a file of that name in the directory; removed at the end. */
static inline const char *file_path(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", files_dir, name);
    for (int i = 0; i < files_n; i++) {
        if (strcmp(files_names[i], path) == 0) return files_names[i];
    }
    assert_in_range(files_n, 0, 63);
    memcpy(files_names[files_n], path, sizeof path);
    return files_names[files_n++];
}

static inline const char *file_with(const char *name, const void *bytes, size_t n)
{
    const char *path = file_path(name);
    unlink(path); /* one that is written over is flushed to the disk by some file systems */
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const char *file_text(const char *name, const char *text)
{
    return file_with(name, text, strlen(text));
}

#endif
