/* A record's cells, into the caller's struct bt_row. */
#ifndef BERTTY_DATASET_CELLS_H
#define BERTTY_DATASET_CELLS_H

#include "dataset/records.h"
#include <bertty/json.h>
#include <bertty/table.h>

enum { BT__CELLS_MAX = 65536 };

/* Filling a row: begin, cells in order, end (false: no memory, or more than BT__CELLS_MAX cells). */
void bt__row_begin(struct bt_row *r);
void bt__row_cell(struct bt_row *r, const char *bytes, size_t n);
bool bt__row_end(struct bt_row *r);

/* libcsv on one record. The caller frees. */
struct bt__csv;
struct bt__csv *bt__csv_create(char delimiter); /* NULL without memory */
void bt__csv_free(struct bt__csv *c);           /* NULL is fine */
/* Appends the cells of n bytes without a line's end to r, between bt__row_begin() and bt__row_end(). */
bool bt__csv_cells(struct bt__csv *c, const char *bytes, size_t n, struct bt_row *r);
/* Records and cells of a whole text as libcsv sees them; called for each cell, and with NULL at each record's end. */
typedef void bt__csv_fn(void *ctx, const char *bytes, size_t n);
bool bt__csv_all(char delimiter, const char *bytes, size_t n, bt__csv_fn *fn, void *ctx);

/* CSV and TSV. csv: of the dialect's delimiter; not used where the dialect has no quoting. */
enum bt_status bt__cells_split(const struct bt_data_dialect *d, struct bt__csv *csv, const char *path,
                               const struct bt__record *rec, struct bt_row *r, struct bt_error *err);

/* JSONL: the record as an object; errors name path and the record's line. The caller frees with bt_json_free(). */
struct bt_json *bt__json_record(const char *path, const struct bt__record *rec, bool *repaired,
                                struct bt_error *err);
/* A member's value as a cell's text: strings as they are, null as nothing, the rest as JSON. */
void bt__json_text(const struct bt_json *value, struct bt_str *out);

/* Appends n bytes with U+FFFD for what is no valid UTF-8; true if something was replaced. */
bool bt__utf8_repair(struct bt_str *out, const char *bytes, size_t n);

#endif
