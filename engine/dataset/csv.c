#include "dataset/cells.h"

#include <csv.h>
#include <stdlib.h>

struct bt__csv {
    struct csv_parser parser;
};

/* Blanks belong to the cell, as in other readers. */
static int no_blank(unsigned char c)
{
    (void)c;
    return 0;
}

static bool begin(struct csv_parser *p, char delimiter)
{
    if (csv_init(p, 0) != 0) return false;
    csv_set_delim(p, (unsigned char)delimiter);
    csv_set_space_func(p, no_blank);
    csv_set_blk_size(p, 4096);
    return true;
}

struct bt__csv *bt__csv_create(char delimiter)
{
    struct bt__csv *c = calloc(1, sizeof *c);
    if (c && begin(&c->parser, delimiter)) return c;
    free(c);
    return NULL;
}

void bt__csv_free(struct bt__csv *c)
{
    if (!c) return;
    csv_free(&c->parser);
    free(c);
}

static void on_cell(void *bytes, size_t n, void *row)
{
    bt__row_cell(row, bytes ? bytes : "", n);
}

bool bt__csv_cells(struct bt__csv *c, const char *bytes, size_t n, struct bt_row *r)
{
    bool ok = csv_parse(&c->parser, bytes, n, on_cell, NULL, r) == n;
    return csv_fini(&c->parser, on_cell, NULL, r) == 0 && ok;
}

struct listener {
    bt__csv_fn *fn;
    void *ctx;
};

static void tell_cell(void *bytes, size_t n, void *to)
{
    const struct listener *l = to;
    l->fn(l->ctx, bytes ? bytes : "", n);
}

static void tell_record(int c, void *to)
{
    const struct listener *l = to;
    (void)c;
    l->fn(l->ctx, NULL, 0);
}

bool bt__csv_all(char delimiter, const char *bytes, size_t n, bt__csv_fn *fn, void *ctx)
{
    struct csv_parser p;
    struct listener l = {.fn = fn, .ctx = ctx};
    if (!begin(&p, delimiter)) return false;
    bool ok = csv_parse(&p, bytes, n, tell_cell, tell_record, &l) == n;
    ok = csv_fini(&p, tell_cell, tell_record, &l) == 0 && ok;
    csv_free(&p);
    return ok;
}
