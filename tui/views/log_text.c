#include "tui/views/log_text.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool add_start(struct log_text *t, size_t at)
{
    if (t->n_lines + 2 > t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 256;
        size_t *grown = realloc(t->start, cap * sizeof *grown);
        if (!grown) return false;
        t->start = grown;
        t->cap = cap;
    }
    t->start[t->n_lines] = at;
    return true;
}

/* Finds the lines from byte `from` on, where one begins. */
static void find_lines(struct log_text *t, size_t from)
{
    const char *p = bt_str_text(&t->bytes);
    while (from < t->bytes.len) {
        const char *newline = memchr(p + from, '\n', t->bytes.len - from);
        if (!add_start(t, from)) break;
        t->n_lines++;
        from = newline ? (size_t)(newline - p) + 1 : t->bytes.len;
    }
    if (t->cap) t->start[t->n_lines] = from; /* add_start() has made room for it */
}

static size_t forget_beginning(struct log_text *t, size_t most)
{
    size_t line = 0;
    if (t->bytes.len <= most) return 0;
    while (line < t->n_lines && t->bytes.len - t->start[line] > most / 2) line++;
    size_t cut = t->start[line];
    t->bytes.len -= cut;
    memmove(t->bytes.data, t->bytes.data + cut, t->bytes.len);
    t->n_lines = 0;
    find_lines(t, 0);
    t->forgotten += line;
    return line;
}

size_t log_text_add(struct log_text *t, const char *bytes, size_t n, size_t most_bytes)
{
    if (!n) return 0;
    bool open = t->bytes.len && t->bytes.data[t->bytes.len - 1] != '\n';
    size_t from = open ? t->start[--t->n_lines] : t->bytes.len;
    bt_str_addn(&t->bytes, bytes, n);
    find_lines(t, from);
    return forget_beginning(t, most_bytes);
}

void log_text_clear(struct log_text *t)
{
    bt_str_free(&t->bytes);
    free(t->start);
    *t = (struct log_text){0};
}

const char *log_text_line(const struct log_text *t, size_t i, size_t *n)
{
    size_t begin = t->start[i], end = t->start[i + 1];
    if (end > begin && t->bytes.data[end - 1] == '\n') end--;
    *n = end - begin;
    return t->bytes.data + begin;
}

/* ── patterns ── */

void log_pattern_clear(struct log_pattern *p)
{
    bt_regex_free(p->regex);
    free(p->text);
    *p = (struct log_pattern){.text = NULL};
}

enum bt_status log_pattern_set(struct log_pattern *p, const char *text, struct bt_error *err)
{
    log_pattern_clear(p);
    if (!*text) return BT_OK;
    enum bt_status status = bt_regex_typed(text, &p->regex, err);
    if (status == BT_OK && !(p->text = bt_strdup(text)))
        status = bt_fail(err, BT_NOMEM, "no memory for the search");
    if (status != BT_OK) log_pattern_clear(p);
    return status;
}

bool log_pattern_match(const struct log_pattern *p, const char *line, size_t n, size_t from, size_t *begin,
                       size_t *end)
{
    return p->text && from <= n && bt_regex_find(p->regex, line, n, from, begin, end) == BT_MATCH_FOUND;
}

bool log_search(const struct log_text *t, const struct log_pattern *p, size_t from, int by, size_t *found)
{
    for (size_t i = 0; i < t->n_lines; i++) {
        size_t line = by > 0 ? (from + i) % t->n_lines : (from + t->n_lines - i) % t->n_lines;
        size_t n, begin, end;
        const char *text = log_text_line(t, line, &n);
        if (!log_pattern_match(p, text, n, 0, &begin, &end)) continue;
        *found = line;
        return true;
    }
    return false;
}

/* ── kinds ── */

static bool holds(const char *line, size_t n, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= n; i++)
        if (strncasecmp(line + i, word, length) == 0) return true;
    return false;
}

enum log_kind log_kind(const char *line, size_t n)
{
    static const struct {
        const char *word;
        enum log_kind kind;
    } words[] = {{.word = "error", .kind = LOG_ERROR},       {.word = "failed", .kind = LOG_ERROR},
                 {.word = "diverged", .kind = LOG_ERROR},    {.word = "warning", .kind = LOG_WARNING},
                 {.word = "could not", .kind = LOG_WARNING}, {.word = "(best)", .kind = LOG_GOOD},
                 {.word = "new best", .kind = LOG_GOOD},     {.word = "finished", .kind = LOG_GOOD}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (holds(line, n, words[i].word)) return words[i].kind;
    return LOG_PLAIN;
}
