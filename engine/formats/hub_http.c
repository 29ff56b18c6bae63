/* HTTP through libcurl; without it, a line that says so. */
#include "formats/hub_http.h"

#include <bertty/hub.h>
#include <bertty/num.h>
#include <bertty/str.h>
#include <bertty/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

char *bt__http_escape(const char *text, bool keep_slash)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    struct bt_str out = {.data = NULL};
    for (const char *p = text; *p; p++)
        if (strchr(plain, *p) || (keep_slash && *p == '/'))
            bt_str_addc(&out, *p);
        else
            bt_str_addf(&out, "%%%02X", (unsigned)(unsigned char)*p);
    return bt_str_take(&out);
}

#ifdef BT_WITH_CURL
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>

enum { MOST_HOPS = 10, CONNECT_S = 10, MOST_IGNORED = 1 << 20, BUFFER = 1 << 18 };

struct bt__http {
    CURL *curl;
    char *origin, *token;                          /* token NULL: none */
    struct curl_slist *open_headers, *hub_headers; /* without and with the token */
    bool (*stop)(void *ctx);
    void *ctx;
    long silence_s;
    bool reached; /* some answer came: failures to connect may pass */
    char why[CURL_ERROR_SIZE];
};

struct exchange { /* one request while it goes on */
    struct bt__http *h;
    const struct bt__http_request *r;
    struct bt__http_answer *a;
    struct bt_error *err;
    enum bt_status body; /* what the taker of the body said */
    size_t ignored;      /* bytes of bodies that nobody wants */
};

/* ── the library ── */

/* Loaded by the first that asks: it brings thirty others, and every start of bertty would wait for them. */
#define CURL_FUNCTIONS(X)                                                                                    \
    X(easy_cleanup);                                                                                         \
    X(easy_getinfo);                                                                                         \
    X(easy_init);                                                                                            \
    X(easy_perform);                                                                                         \
    X(easy_reset);                                                                                           \
    X(easy_setopt);                                                                                          \
    X(easy_strerror);                                                                                        \
    X(free);                                                                                                 \
    X(getdate);                                                                                              \
    X(global_cleanup);                                                                                       \
    X(global_init);                                                                                          \
    X(slist_append);                                                                                         \
    X(slist_free_all);                                                                                       \
    X(url);                                                                                                  \
    X(url_cleanup);                                                                                          \
    X(url_get);                                                                                              \
    X(url_set)

static struct {
    pthread_once_t once;
    char problem[200]; /* empty: everything is there */
#define X(name) __typeof__(curl_##name) *name
    CURL_FUNCTIONS(X);
#undef X
} lib = {.once = PTHREAD_ONCE_INIT};

static void load(void)
{
    void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    const char *why = so ? NULL : dlerror();
    if (!so) snprintf(lib.problem, sizeof lib.problem, "%s", why ? why : "libcurl.so.4 not found");
    if (!so) so = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!so) return;
    lib.problem[0] = '\0';
#define X(name)                                                                                              \
    if (!(*(void **)&lib.name = dlsym(so, "curl_" #name)))                                                   \
    snprintf(lib.problem, sizeof lib.problem, "it has no curl_" #name)
    CURL_FUNCTIONS(X);
#undef X
}

/* ── places ── */

/* "scheme://host:port", or NULL */
static char *origin_of(const char *url)
{
    CURLU *u = lib.url();
    char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;
    if (u && !lib.url_set(u, CURLUPART_URL, url, 0) && !lib.url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
        !lib.url_get(u, CURLUPART_HOST, &host, 0) &&
        !lib.url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        origin = bt_strfmt("%s://%s:%s", scheme, host, port);
    lib.free(scheme);
    lib.free(host);
    lib.free(port);
    lib.url_cleanup(u);
    return origin;
}

static bool is_encrypted(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

/* ── headers ── */

static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    bt__http_header(x->a, line, n * one);
    return n * one;
}

/* A number of seconds, or a date. */
static double retry_after(const char *said)
{
    const time_t now = time(NULL), at = *said ? lib.getdate(said, NULL) : -1;
    int64_t seconds;
    if (bt_parse_int64(said, &seconds) && seconds >= 0) return (double)seconds;
    return at <= 0 ? -1.0 : at > now ? (double)(at - now) : 0.0;
}

/* ── bodies ── */

static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    n *= one;
    lib.easy_getinfo(x->h->curl, CURLINFO_RESPONSE_CODE, &x->a->status);
    if (x->a->status / 100 != 2) {
        x->ignored += n;
        return x->ignored > MOST_IGNORED ? 0 : n;
    }
    if (x->r->body) x->body = x->r->body(x->r->ctx, x->a, bytes, n, x->err);
    return x->body ? 0 : n;
}

static int on_tick(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct bt__http *h = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return h->stop && h->stop(h->ctx);
}

/* ── a request ── */

/* A network that inspects TLS has an authority of its own; Python's tools take its certificate from these. */
static const char *authority(void)
{
    static const char *const names[] = {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = getenv(names[i]);
        if (path && *path) return path;
    }
    return NULL;
}

static void set_up(struct exchange *x, const char *url, char *range)
{
    struct bt__http *h = x->h;
    lib.easy_reset(h->curl);
    h->why[0] = '\0';
    lib.easy_setopt(h->curl, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
    lib.easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    lib.easy_setopt(h->curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    lib.easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
    lib.easy_setopt(h->curl, CURLOPT_USERAGENT, "bertty/" BT_VERSION);
    lib.easy_setopt(h->curl, CURLOPT_HTTPHEADER, x->a->elsewhere ? h->open_headers : h->hub_headers);
    lib.easy_setopt(h->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    lib.easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    lib.easy_setopt(h->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    lib.easy_setopt(h->curl, CURLOPT_LOW_SPEED_TIME, h->silence_s);
    lib.easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->why);
    lib.easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, on_header);
    lib.easy_setopt(h->curl, CURLOPT_HEADERDATA, x);
    lib.easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, on_body);
    lib.easy_setopt(h->curl, CURLOPT_WRITEDATA, x);
    lib.easy_setopt(h->curl, CURLOPT_NOPROGRESS, 0L);
    lib.easy_setopt(h->curl, CURLOPT_XFERINFOFUNCTION, on_tick);
    lib.easy_setopt(h->curl, CURLOPT_XFERINFODATA, h);
    lib.easy_setopt(h->curl, CURLOPT_BUFFERSIZE, (long)BUFFER);
    if (authority()) lib.easy_setopt(h->curl, CURLOPT_CAINFO, authority());
    if (x->r->head) lib.easy_setopt(h->curl, CURLOPT_NOBODY, 1L);
    if (range) lib.easy_setopt(h->curl, CURLOPT_RANGE, range);
}

/* Failures of a way that was open once, or that is open and was cut. */
static bool may_pass(const struct bt__http *h, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return h->reached;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

static enum bt_status judge(struct exchange *x, CURLcode code, const char *url)
{
    struct bt__http *h = x->h;
    lib.easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &x->a->status);
    x->a->retry_after = retry_after(x->a->retry);
    x->a->transient = x->a->status == 429 || x->a->status == 408 || x->a->status / 100 == 5;
    h->reached = h->reached || x->a->status;
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && x->ignored > MOST_IGNORED)) return BT_OK;
    if (code == CURLE_WRITE_ERROR && x->body) return x->body;
    if (code == CURLE_ABORTED_BY_CALLBACK) return bt_fail(x->err, BT_CANCELLED, "interrupted");
    x->a->transient = may_pass(h, code);
    char *origin = origin_of(url); /* not the whole address: it may hold a signature */
    enum bt_status st = bt_fail(x->err, code == CURLE_OUT_OF_MEMORY ? BT_NOMEM : BT_IO, "%s: %s",
                                origin ? origin : h->origin, h->why[0] ? h->why : lib.easy_strerror(code));
    free(origin);
    return st;
}

static enum bt_status one_hop(struct exchange *x, const char *url)
{
    char *range = x->r->from > 0 ? bt_strfmt("%lld-", (long long)x->r->from) : NULL;
    if (x->r->from > 0 && !range) return bt_fail(x->err, BT_NOMEM, "no memory for a request");
    x->body = BT_OK;
    x->ignored = 0;
    set_up(x, url, range);
    enum bt_status st = judge(x, lib.easy_perform(x->h->curl), url);
    free(range);
    return st;
}

/* The address to go to next, copied; NULL: this was the answer (or there is no memory, *st). */
static char *next_place(struct exchange *x, const char *url, enum bt_status *st)
{
    char *location = NULL, *next;
    if (x->a->status / 100 != 3) return NULL;
    lib.easy_getinfo(x->h->curl, CURLINFO_REDIRECT_URL, &location);
    if (!location) return NULL;
    char *origin = origin_of(location);
    if (!origin || (is_encrypted(url) && !is_encrypted(location))) {
        *st = bt_fail(x->err, BT_INVALID, "%s: sent to an address that is %s", x->h->origin,
                      origin ? "not encrypted, from one that is" : "none of HTTP");
        free(origin);
        return NULL;
    }
    bool away =
        x->a->elsewhere || strcasecmp(origin, x->h->origin) != 0; /* nobody sends us back with the token */
    free(origin);
    if (x->r->head && away && (x->a->linked[0] || x->a->etag[0])) return NULL;
    if (!(next = bt_strdup(location))) *st = bt_fail(x->err, BT_NOMEM, "no memory for an address");
    x->a->elsewhere = away;
    return next;
}

/* What a server says is told to people: not where it repeats the token, or the beginning of it where its words are cut off. */
static void hide_token(const char *token, char *message)
{
    enum { LEAST = 4 };
    for (char *at = message; token && *token && *at; at++) {
        size_t n = 0;
        while (token[n] && at[n] == token[n]) n++;
        if (!token[n] || (!at[n] && n >= LEAST)) memset(at, '*', n);
    }
}

enum bt_status bt__http_ask(struct bt__http *h, const struct bt__http_request *r, struct bt__http_answer *a,
                            struct bt_error *err)
{
    *a = (struct bt__http_answer){.linked_size = -1, .length = -1, .from = -1, .retry_after = -1.0};
    struct exchange x = {.h = h, .r = r, .a = a, .err = err};
    char *url = bt_strdup(r->url);
    enum bt_status st = url ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for an address");
    for (int hop = 0; !st; hop++) {
        st = one_hop(&x, url);
        char *next = st ? NULL : next_place(&x, url, &st);
        if (!next) break;
        free(url);
        url = next;
        if (hop == MOST_HOPS)
            st = bt_fail(err, BT_IO, "%s: sent on more than %d times", h->origin, MOST_HOPS);
    }
    hide_token(h->token, a->message);
    free(url);
    return st;
}

/* ── opening ── */

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = line ? lib.slist_append(*list, line) : NULL;
    if (more) *list = more;
    return more != NULL;
}

static bool make_headers(struct bt__http *h, const char *token)
{
    static const char whole[] =
        "Accept-Encoding: identity"; /* sizes and ranges are those of the file itself */
    char *bearer = token ? bt_strfmt("Authorization: Bearer %s", token) : NULL;
    bool good = add_header(&h->open_headers, whole) && add_header(&h->hub_headers, whole) &&
                (!token || add_header(&h->hub_headers, bearer));
    free(bearer);
    return good;
}

enum bt_status bt__http_open(const struct bt__http_options *o, struct bt__http **out, struct bt_error *err)
{
    *out = NULL;
    pthread_once(&lib.once, load);
    if (lib.problem[0])
        return bt_fail(err, BT_UNSUPPORTED, "libcurl cannot be loaded (%s): install libcurl4", lib.problem);
    struct bt__http *h = calloc(1, sizeof *h);
    if (!h) return bt_fail(err, BT_NOMEM, "no memory for a connection");
    if (lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(h);
        return bt_fail(err, BT_UNSUPPORTED, "libcurl does not start");
    }
    h->stop = o->stop;
    h->ctx = o->ctx;
    h->silence_s = o->silence_s;
    h->origin = origin_of(o->endpoint);
    h->token = bt_strdup(o->token);
    h->curl = lib.easy_init();
    enum bt_status st = BT_OK;
    if (!h->origin || strncasecmp(o->endpoint, "http", 4) != 0)
        st = bt_fail(err, BT_INVALID, "HF_ENDPOINT: found \"%.200s\", expected an address like https://host",
                     o->endpoint);
    else if (!h->curl || (o->token && !h->token) || !make_headers(h, o->token))
        st = bt_fail(err, BT_NOMEM, "no memory for a connection");
    if (st)
        bt__http_close(h);
    else
        *out = h;
    return st;
}

void bt__http_close(struct bt__http *h)
{
    if (!h) return;
    lib.easy_cleanup(h->curl);
    lib.slist_free_all(h->open_headers);
    lib.slist_free_all(h->hub_headers);
    free(h->origin);
    free(h->token);
    free(h);
    lib.global_cleanup();
}

const char *bt__http_origin(const struct bt__http *h)
{
    return h->origin;
}

const char *bt_hub_http_name(void)
{
    return "libcurl " LIBCURL_VERSION;
}

#else

enum bt_status bt__http_open(const struct bt__http_options *o, struct bt__http **out, struct bt_error *err)
{
    (void)o;
    *out = NULL;
    return bt_fail(
        err, BT_UNSUPPORTED,
        "this bertty was built without libcurl and fetches nothing: install libcurl4-openssl-dev and "
        "pkg-config (`make deps`), then build again");
}

void bt__http_close(struct bt__http *h)
{
    (void)h;
}

const char *bt__http_origin(const struct bt__http *h)
{
    (void)h;
    return "";
}

const char *bt_hub_http_name(void)
{
    return "none (built without libcurl)";
}

enum bt_status bt__http_ask(struct bt__http *h, const struct bt__http_request *r, struct bt__http_answer *a,
                            struct bt_error *err)
{
    (void)h, (void)r;
    *a = (struct bt__http_answer){.status = 0};
    return bt_fail(err, BT_UNSUPPORTED, "this bertty was built without libcurl");
}

#endif
