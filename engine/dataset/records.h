/* Where the records of a text file begin and end, and reading them one after the other.
 *
 * A record ends at LF, CR or CRLF outside of a quoted cell (JSONL: at LF). A cell is quoted if its first byte is ", and ends at a "
 * that a delimiter, a line's end or the file's end follows; "" stands for one ", any other " stands for itself: what libcsv does. */
#ifndef BERTTY_DATASET_RECORDS_H
#define BERTTY_DATASET_RECORDS_H

#include <bertty/dataset.h>

enum {
    BT__PAGE = 1 << 20,        /* bytes that a dialect is found from */
    BT__RECORD_MAX = 128 << 20 /* bytes of a record; a longer one is refused */
};

struct bt__span {
    size_t body, size; /* bytes without and with the line's end */
    size_t lines;      /* lines that it takes */
    size_t open;       /* a quote that nothing closes: on its line of these, from 1; 0: none */
};

/* The record at p. False if it may go on after the n bytes; last: nothing follows them. n ≥ 1. */
bool bt__record_find(const struct bt_data_dialect *d, const char *p, size_t n, bool last,
                     struct bt__span *out);

/* The line at p, in the same way: body and size; lines is 0 without a line's end. */
bool bt__line_find(const char *p, size_t n, bool last, struct bt__span *out);

/* The " that closes the cell whose first byte after the opening " is at, or NULL. A " at the end closes if last. */
const char *bt__quote_close(const char *at, const char *end, char delimiter, bool last);

/* A file that is read forwards, or from any record's offset. Zero-initialise; bt__source_close() releases. */
struct bt__source {
    int fd;
    bool open, end; /* end: nothing follows the buffer */
    char *path, *buf;
    size_t at, n, cap; /* the next record begins at buf[at]; n bytes are there */
    uint64_t base;     /* offset of buf[0] in the file */
    uint64_t limit;    /* bytes of the file for this reader: its size when it was opened, unless set lower */
    size_t line;       /* of the next record, from 1 */
    size_t empty;      /* empty records that were passed over */
    uint64_t refused;  /* offset + 1 of a record that is too long; 0: none */
};

struct bt__record {
    const char *data; /* n bytes, not NUL-terminated; until the next call */
    size_t n, line;
    size_t open; /* line of a quote that nothing closes; 0: none */
    uint64_t offset;
};

/* Opens a regular file, reads its first page and skips a byte order mark; UTF-16 and compressed files are refused. */
enum bt_status bt__source_open(const char *path, struct bt__source *s, struct bt_error *err);
/* Another reader of the same file, at most cap bytes at a time; s must outlive it. */
enum bt_status bt__source_share(const struct bt__source *s, size_t cap, struct bt__source *out,
                                struct bt_error *err);
void bt__source_close(struct bt__source *s);
void bt__source_seek(struct bt__source *s, uint64_t offset, size_t line);
uint64_t bt__source_offset(const struct bt__source *s); /* of the next record */
/* Passes over at most max_rows records that are in the buffer and end before it does or by offset `until`, as far as they need no closer look;
 * how many. as_written: not over one whose cells have other bytes than stand in the file. */
size_t bt__source_skip(struct bt__source *s, const struct bt_data_dialect *d, size_t max_rows, uint64_t until,
                       bool as_written);
/* The next record that is not empty. BT_NOTFOUND, with err left alone: there is none. */
enum bt_status bt__source_next(struct bt__source *s, const struct bt_data_dialect *d, struct bt__record *r,
                               struct bt_error *err);

#endif
