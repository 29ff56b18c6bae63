/* One HTTP request at a time, to a hub and to where it sends us. The only user of libcurl.
 *
 * Redirects are followed here and not by libcurl, because what the hub says of a file stands in the answers on the way, and because the
 * token is for the hub alone: it goes to the endpoint's own scheme, host and port and nowhere else. */
#ifndef BERTTY_FORMATS_HUB_HTTP_H
#define BERTTY_FORMATS_HUB_HTTP_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt__http;

struct bt__http_options {
    const char *endpoint, *token; /* borrowed for the call; token NULL: none */
    long silence_s;               /* without a byte for so long: a cut connection */
    bool (*stop)(void *ctx);      /* asked often; true: BT_CANCELLED */
    void *ctx;
};
/* BT_UNSUPPORTED: built without libcurl, or it cannot be loaded. The caller frees with bt__http_close(). */
enum bt_status bt__http_open(const struct bt__http_options *o, struct bt__http **out, struct bt_error *err);
void bt__http_close(struct bt__http *h); /* NULL is fine */
/* "https://host:port" of the endpoint, for messages; borrowed. */
const char *bt__http_origin(const struct bt__http *h);
/* text with everything escaped that has a meaning in a URL, / too unless keep_slash. The caller frees. */
char *bt__http_escape(const char *text, bool keep_slash);

struct bt__http_answer {
    long status;                 /* of the last answer; 0: none came */
    char etag[160], linked[160]; /* ETag of the last answer and X-Linked-Etag, without quotes and W/ */
    char commit[80];             /* X-Repo-Commit */
    char code[64], message[200]; /* X-Error-Code, X-Error-Message */
    int64_t linked_size, length; /* X-Linked-Size; Content-Length of the last answer; −1: not said */
    int64_t from;                /* where its bytes start, of Content-Range; −1: not said */
    char retry[64];              /* Retry-After as it stands … */
    double retry_after;          /* … in seconds; −1: not said */
    bool elsewhere;              /* another host than the hub gave the last answer */
    bool transient;              /* a failure that may pass: the connection, the time, 429, 5xx */
};
struct bt__http_request {
    const char *url;
    bool head;    /* no body; a redirect to another host is the answer if an ETag has been said */
    int64_t from; /* > 0: ask for the bytes from there on */
    /* Takes n bytes of a 2xx answer's body; a failure ends the request. */
    enum bt_status (*body)(void *ctx, const struct bt__http_answer *a, const char *bytes, size_t n,
                           struct bt_error *err);
    void *ctx;
};
/* BT_OK: an answer came, whatever its status, whole. Else *a tells what is known, and whether trying again makes sense. */
enum bt_status bt__http_ask(struct bt__http *h, const struct bt__http_request *r, struct bt__http_answer *a,
                            struct bt_error *err);

/* Takes over a line of an answer's head, its end included: the status line, which begins a new answer, or a header (hub_headers.c). */
void bt__http_header(struct bt__http_answer *a, const char *line, size_t n);

#endif
