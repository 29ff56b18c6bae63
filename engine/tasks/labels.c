#include "tasks/labels.h"

#include <bertty/str.h>
#include <stdlib.h>
#include <string.h>

static bool is_integer(const char *s)
{
    size_t i = s[0] == '-' && s[1] != '\0';
    if (s[i] == '\0' || strlen(s) > 18) return false;
    for (; s[i]; i++)
        if (s[i] < '0' || s[i] > '9') return false;
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_number(const void *a, const void *b)
{
    long long x = strtoll(*(char *const *)a, NULL, 10), y = strtoll(*(char *const *)b, NULL, 10);
    if (x != y) return x < y ? -1 : 1;
    return by_bytes(a, b);
}

static enum bt_status append(struct bt__labels *l, int *cap, const char *text, size_t n, struct bt_error *err)
{
    if (l->n == *cap) {
        int more = *cap ? *cap * 2 : 16;
        char **name = realloc(l->name, (size_t)more * sizeof *name);
        if (!name) return bt_fail(err, BT_NOMEM, "no memory for %d labels", more);
        l->name = name;
        *cap = more;
    }
    char *copy = bt_strndup(text, n);
    if (!copy) return bt_fail(err, BT_NOMEM, "no memory for a label of %zu bytes", n);
    l->name[l->n++] = copy;
    return BT_OK;
}

enum bt_status bt__labels_from_names(struct bt__labels *l, const char *const *names, size_t n,
                                     struct bt_error *err)
{
    int cap = 0;
    *l = (struct bt__labels){.n = 0};
    for (size_t i = 0; i < n; i++) {
        enum bt_status st = BT_OK;
        if (bt__labels_find(l, names[i], strlen(names[i])) >= 0)
            st = bt_fail(err, BT_INVALID, "label \"%s\" is named twice", names[i]);
        else
            st = append(l, &cap, names[i], strlen(names[i]), err);
        if (st) {
            bt__labels_free(l);
            return st;
        }
    }
    return BT_OK;
}

enum { MOST = 10000 /* more different values than that are no labels */ };

enum bt_status bt__labels_from_values(struct bt__labels *l, const char *const *values, const size_t *lengths,
                                      size_t n, struct bt_error *err)
{
    int cap = 0;
    bool numbers = true;
    enum bt_status st = BT_OK;
    *l = (struct bt__labels){.n = 0};
    for (size_t i = 0; i < n && !st; i++) {
        if (bt__labels_find(l, values[i], lengths[i]) >= 0) continue;
        st = l->n == MOST
                 ? bt_fail(err, BT_INVALID,
                           "the label column has more than %d different values: is it the label?", MOST)
                 : append(l, &cap, values[i], lengths[i], err);
        if (!st) numbers = numbers && is_integer(l->name[l->n - 1]);
    }
    if (st) {
        bt__labels_free(l);
        return st;
    }
    if (l->n) qsort(l->name, (size_t)l->n, sizeof *l->name, numbers ? by_number : by_bytes);
    return BT_OK;
}

int bt__labels_find(const struct bt__labels *l, const char *text, size_t n)
{
    for (int i = 0; i < l->n; i++)
        if (strncmp(l->name[i], text, n) == 0 && l->name[i][n] == '\0') return i;
    return -1;
}

void bt__labels_free(struct bt__labels *l)
{
    for (int i = 0; i < l->n; i++) free(l->name[i]);
    free(l->name);
    *l = (struct bt__labels){.n = 0};
}
