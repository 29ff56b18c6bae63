/* Plain text: an example a line, however long; empty lines are passed over and separate nothing. */
#include "dataset/formats.h"

bool bt__text_looks(const struct bt__source *s, int kind, const struct bt_data_dialect *asked,
                    struct bt__head *head)
{
    (void)head;
    return kind == BT_EXAMPLE_PLAIN && !asked->delimiter && !bt__looks_like_jsonl(s);
}

bool bt__text_find(const char *p, size_t n, bool last, struct bt__span *out)
{
    return bt__line_find(p, n, last, out);
}

enum bt_status bt__text_cells(const struct bt__head *h, const char *path, const struct bt__record *rec,
                              struct bt_row *r, struct bt_error *err)
{
    (void)h;
    bt__row_begin(r);
    r->line = rec->line;
    bt__row_cell(r, rec->data, rec->n);
    return bt__row_end(r) ? BT_OK
                          : bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", path, rec->line);
}

enum bt_status bt__load_text(struct bt__loader *l)
{
    struct bt__record rec;
    enum bt_status st = BT_OK;
    size_t lines = 0;
    for (; bt__loader_wants_more(l); lines++) {
        if ((st = bt__source_next(&l->source, &l->head.dialect, &rec, l->err))) break;
        struct bt_example *x = bt__loader_add(l, rec.line);
        if (!x || !(x->text = bt__loader_keep(l, rec.data, rec.n, &x->text_n)))
            return bt__loader_no_memory(l, rec.line);
        if ((st = bt__loader_done(l, x))) return st;
    }
    if (st && st != BT_NOTFOUND) return st;
    return bt__loader_found(l, "text: a text a line, %zu line%s", lines, lines == 1 ? "" : "s");
}
