/* What the heads of a hub's answers say: no connection, no library. */
#include "formats/hub_http.h"

#include <bertty/num.h>
#include <string.h>
#include <strings.h>

static void trim(const char **text, size_t *n)
{
    while (*n && strchr(" \t\r\n", (*text)[*n - 1])) --*n;
    while (*n && strchr(" \t", **text)) ++*text, --*n;
}

static void take_text(char *to, size_t size, const char *text, size_t n)
{
    if (n >= size) n = 0; /* longer than any true one: as if it were missing */
    memcpy(to, text, n);
    to[n] = '\0';
}

/* "abc", W/"abc" → abc */
static void take_etag(char *to, size_t size, const char *text, size_t n)
{
    if (n > 2 && strncmp(text, "W/", 2) == 0) text += 2, n -= 2;
    if (n > 1 && text[0] == '"' && text[n - 1] == '"') text++, n -= 2;
    take_text(to, size, text, n);
}

static int64_t number(const char *text, size_t n)
{
    char digits[24];
    int64_t v;
    take_text(digits, sizeof digits, text, n);
    return bt_parse_int64(digits, &v) && v >= 0 ? v : -1;
}

/* "bytes 100-199/200" → 100 */
static int64_t range_start(const char *text, size_t n)
{
    if (n < 7 || strncasecmp(text, "bytes ", 6) != 0) return -1;
    const char *dash = memchr(text, '-', n);
    return dash ? number(text + 6, (size_t)(dash - text) - 6) : -1;
}

static void header_etag(struct bt__http_answer *a, const char *text, size_t n)
{
    take_etag(a->etag, sizeof a->etag, text, n);
}

static void header_linked(struct bt__http_answer *a, const char *text, size_t n)
{
    if (!a->elsewhere) take_etag(a->linked, sizeof a->linked, text, n);
}

static void header_commit(struct bt__http_answer *a, const char *text, size_t n)
{
    if (!a->elsewhere) take_text(a->commit, sizeof a->commit, text, n);
}

static void header_linked_size(struct bt__http_answer *a, const char *text, size_t n)
{
    if (!a->elsewhere) a->linked_size = number(text, n);
}

static void header_length(struct bt__http_answer *a, const char *text, size_t n)
{
    a->length = number(text, n);
}

static void header_range(struct bt__http_answer *a, const char *text, size_t n)
{
    a->from = range_start(text, n);
}

static void header_code(struct bt__http_answer *a, const char *text, size_t n)
{
    take_text(a->code, sizeof a->code, text, n);
}

static void header_message(struct bt__http_answer *a, const char *text, size_t n)
{
    take_text(a->message, sizeof a->message, text, n < sizeof a->message ? n : sizeof a->message - 1);
}

static void header_retry(struct bt__http_answer *a, const char *text, size_t n)
{
    take_text(a->retry, sizeof a->retry, text, n);
}

static const struct {
    const char *name;
    void (*take)(struct bt__http_answer *a, const char *text, size_t n);
} headers[] = {
    {.name = "etag", .take = header_etag},
    {.name = "x-linked-etag", .take = header_linked},
    {.name = "x-linked-size", .take = header_linked_size},
    {.name = "x-repo-commit", .take = header_commit},
    {.name = "content-length", .take = header_length},
    {.name = "content-range", .take = header_range},
    {.name = "retry-after", .take = header_retry},
    {.name = "x-error-code", .take = header_code},
    {.name = "x-error-message", .take = header_message},
};

/* A status line: what the answer before it said of itself is past; what the hub said of the file stays. */
static void new_answer(struct bt__http_answer *a)
{
    a->etag[0] = a->code[0] = a->message[0] = a->retry[0] = '\0';
    a->length = -1;
    a->from = -1;
}

void bt__http_header(struct bt__http_answer *a, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n);
    const size_t name = colon ? (size_t)(colon - line) : 0;
    if (n > 5 && strncmp(line, "HTTP/", 5) == 0) new_answer(a);
    for (size_t i = 0; name && i < sizeof headers / sizeof *headers; i++) {
        if (strlen(headers[i].name) != name || strncasecmp(headers[i].name, line, name) != 0) continue;
        const char *value = colon + 1;
        size_t length = n - name - 1;
        trim(&value, &length);
        headers[i].take(a, value, length);
    }
}
