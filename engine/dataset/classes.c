#include "dataset/classes.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 16 << 20 };

static enum bt_status add_line(struct bt__classes *c, char *line, size_t number, struct bt_error *err)
{
    line[strcspn(line, "\r")] = '\0';
    if (!*line) return bt_fail(err, BT_INVALID, "%s:%zu: empty, expected a class name", c->path, number);
    const char **more = realloc(c->name, (c->n + 1) * sizeof *more);
    if (!more) return bt_fail(err, BT_NOMEM, "%s: no memory for the class names", c->path);
    c->name = more;
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->name[i], line) == 0)
            return bt_fail(err, BT_INVALID, "%s:%zu: class name '%s' stands in line %zu already", c->path,
                           number, line, i + 1);
    }
    c->name[c->n++] = line;
    return BT_OK;
}

enum bt_status bt__classes_load(const char *path, struct bt__classes *c, struct bt_error *err)
{
    size_t n;
    *c = (struct bt__classes){.path = path};
    enum bt_status st = bt_file_read(path, BYTES_MAX, &c->text, &n, err);
    if (st) return st;
    char *p = c->text + (n >= 3 && memcmp(c->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0), *end = c->text + n;
    while (end > p && memchr(" \t\r\n", end[-1], 4)) *--end = '\0';
    if (memchr(p, '\0', (size_t)(end - p)) || bt_utf8_valid(p, (size_t)(end - p)) < (size_t)(end - p))
        st = bt_fail(err, BT_INVALID, "%s: not valid UTF-8, expected a class name a line", path);
    else if (p == end)
        st = bt_fail(err, BT_INVALID, "%s: empty, expected a class name a line", path);
    for (size_t line = 1; !st && p < end; line++) {
        char *lf = memchr(p, '\n', (size_t)(end - p));
        if (lf) *lf = '\0';
        st = add_line(c, p, line, err);
        p = lf ? lf + 1 : end;
    }
    if (st) bt__classes_free(c);
    return st;
}

void bt__classes_free(struct bt__classes *c)
{
    free(c->text);
    free(c->name);
    *c = (struct bt__classes){0};
}

const char *bt__classes_find(const struct bt__classes *c, const char *label)
{
    int64_t number;
    if (bt_parse_int64(label, &number))
        return number >= 0 && (uint64_t)number < c->n ? c->name[number] : NULL;
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->name[i], label) == 0) return c->name[i];
    }
    return NULL;
}
