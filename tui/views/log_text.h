/* The text of a log as lines that can be searched. Grows at its end; forgets its beginning when it becomes too long. No terminal, no files. */
#ifndef TUI_VIEWS_LOG_TEXT_H
#define TUI_VIEWS_LOG_TEXT_H

#include <bertty/regex.h>
#include <bertty/str.h>
#include <stdbool.h>
#include <stddef.h>

struct log_text {
    struct bt_str bytes;
    size_t *start; /* of each line; n_lines + 1 of them, the last one is the length */
    size_t n_lines, cap;
    size_t forgotten; /* lines dropped at the beginning */
};

/* Appends whole lines (the last one may lack its newline). Returns how many lines were dropped at the beginning to keep below most_bytes. */
size_t log_text_add(struct log_text *t, const char *bytes, size_t n, size_t most_bytes);
void log_text_clear(struct log_text *t);
/* Line i without its newline; borrowed until the next change. */
const char *log_text_line(const struct log_text *t, size_t i, size_t *n);

struct log_pattern {
    char *text; /* NULL: none */
    struct bt_regex *regex;
};
/* As bt_regex_typed() takes it; "" clears, and so does one that is wrong. */
enum bt_status log_pattern_set(struct log_pattern *p, const char *text, struct bt_error *err);
void log_pattern_clear(struct log_pattern *p);
/* The first match at or behind byte `from` of a line; false: none. */
bool log_pattern_match(const struct log_pattern *p, const char *line, size_t n, size_t from, size_t *begin,
                       size_t *end);
/* The nearest matching line from `from` on (by = 1) or back (−1), around the ends; false: none. */
bool log_search(const struct log_text *t, const struct log_pattern *p, size_t from, int by, size_t *found);

/* What a line tells, from its words. */
enum log_kind { LOG_PLAIN, LOG_GOOD, LOG_WARNING, LOG_ERROR };
enum log_kind log_kind(const char *line, size_t n);

#endif
