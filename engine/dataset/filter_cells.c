#include <bertty/row_filter.h>
#include <bertty/table.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

void bt_filter_cells_for(struct bt_filter_cells *c, struct bt_row_filter *f, size_t columns)
{
    *c = (struct bt_filter_cells){.filter = f, .columns = columns};
    for (size_t i = 0; i < columns; i++) {
        c->reads[i] = bt_row_filter_reads(f, i);
        bt_filter_cells_text(c, i, NULL, 0);
    }
}

void bt_filter_cells_text(struct bt_filter_cells *c, size_t column, const char *text, size_t n)
{
    c->cell[column] = (char *)(uintptr_t)(text ? text : ""); /* the filter reads only */
    c->size[column] = text ? n : 0;
}

void bt_filter_cells_number(struct bt_filter_cells *c, size_t column, double x)
{
    if (!c->reads[column] || isnan(x)) {
        bt_filter_cells_text(c, column, NULL, 0);
        return;
    }
    bt_format_double(x, c->number[column]);
    bt_filter_cells_text(c, column, c->number[column], strlen(c->number[column]));
}

void bt_filter_cells_example(struct bt_filter_cells *c, size_t text, size_t pair, const struct bt_example *x,
                             bool words, struct bt_str *scratch)
{
    bt_str_clear(scratch);
    for (uint32_t i = 0; x && words && c->reads[text] && i < x->parts; i++) {
        bt_str_add(scratch, i ? " " : "");
        bt_str_addn(scratch, x->part[i].text, x->part[i].n);
    }
    if (x && !words)
        bt_filter_cells_text(c, text, x->text, x->text_n);
    else
        bt_filter_cells_text(c, text, bt_str_text(scratch), scratch->len);
    bt_filter_cells_text(c, pair, x ? x->pair : NULL, x ? x->pair_n : 0);
}

bool bt_filter_cells_hold(const struct bt_filter_cells *c)
{
    const struct bt_row row = {
        .cell = (char **)(uintptr_t)c->cell, .cell_n = (size_t *)(uintptr_t)c->size, .n = c->columns};
    return bt_row_filter_holds(c->filter, &row);
}
