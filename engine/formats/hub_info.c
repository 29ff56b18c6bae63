/* What the hub says of a model: its commit and its files. */
#include "formats/hub_parts.h"

#include <bertty/json.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_ANSWER = 32 << 20, MOST_SIBLINGS = 20000 };

static enum bt_status keep(void *ctx, const struct bt__http_answer *a, const char *bytes, size_t n,
                           struct bt_error *err)
{
    struct bt_str *text = ctx;
    (void)a;
    if (text->len + n > LARGEST_ANSWER)
        return bt_fail(err, BT_INVALID, "the hub's answer has more than %d bytes", LARGEST_ANSWER);
    bt_str_addn(text, bytes, n);
    return text->failed ? bt_fail(err, BT_NOMEM, "no memory for the hub's answer") : BT_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum bt_status take_siblings(struct bt__hub *h, const struct bt_json *list, const char *origin,
                                    struct bt_error *err)
{
    size_t n = bt_json_len(list);
    if (bt_json_kind(list) != BT_JSON_ARRAY || n > MOST_SIBLINGS)
        return bt_fail(err, BT_INVALID, "%s: %s does not list its files", h->place.repo, origin);
    h->sibling = calloc(n + 1, sizeof *h->sibling);
    if (!h->sibling) return bt_fail(err, BT_NOMEM, "no memory for a list of %zu files", n);
    for (size_t i = 0; i < n; i++) {
        const char *name = bt_json_text(bt_json_get(bt_json_at(list, i), "rfilename"), "");
        if (!bt__hub_is_plain(name))
            continue; /* nothing that we read: in a folder, or meant to lead elsewhere */
        h->sibling[h->n_siblings] = bt_strdup(name);
        if (!h->sibling[h->n_siblings]) return bt_fail(err, BT_NOMEM, "no memory for a list of %zu files", n);
        h->n_siblings++;
    }
    qsort(h->sibling, h->n_siblings, sizeof *h->sibling, by_text);
    return BT_OK;
}

enum bt_status bt__hub_take_info(struct bt__hub *h, const char *text, size_t n, const char *origin,
                                 struct bt_error *err)
{
    struct bt_json *root = bt_json_parse(text, n, origin, err);
    if (!root) return bt_error_prefix(err, BT_INVALID, "%s: not what a hub answers", h->place.repo);
    const char *commit = bt_json_text(bt_json_get(root, "sha"), "");
    enum bt_status st = BT_OK;
    if (bt__hub_is_commit(commit))
        memcpy(h->commit, commit, sizeof h->commit);
    else
        st = bt_fail(err, BT_INVALID, "%s: %s names the commit \"%.60s\", expected 40 hex digits",
                     h->place.repo, origin, commit);
    if (!st) st = take_siblings(h, bt_json_get(root, "siblings"), origin, err);
    bt_json_free(root);
    return st;
}

enum bt_status bt__hub_info(struct bt__hub *h, struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    struct bt__http_answer a;
    char *revision = bt__http_escape(h->place.revision, false);
    char *url =
        revision ? bt_strfmt("%s/api/models/%s/revision/%s", h->endpoint, h->place.repo, revision) : NULL;
    enum bt_status st = url ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for an address");
    for (int tries = 0; !st;) { /* what a cut answer left is thrown away */
        bt_str_clear(&text);
        st = bt__http_ask(h->http, &(struct bt__http_request){.url = url, .body = keep, .ctx = &text}, &a,
                          err);
        if (!st && a.status / 100 == 2) break;
        if (bt__hub_again(h, &a, NULL, &tries, &st, err)) st = BT_OK;
    }
    if (!st) st = bt__hub_take_info(h, bt_str_text(&text), text.len, bt__http_origin(h->http), err);
    bt_str_free(&text);
    free(revision);
    free(url);
    return st;
}

bool bt__hub_has(const struct bt__hub *h, const char *name)
{
    return bsearch(&name, h->sibling, h->n_siblings, sizeof *h->sibling, by_text) != NULL;
}
