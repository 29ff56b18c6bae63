/* Talking to the hub: attempts, and what its answers mean. */
#include "formats/hub_parts.h"

#include <bertty/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGEST_ANSWER = 32 << 20, MOST_SIBLINGS = 20000 };
static const double FIRST_WAIT_S = 0.5, LONGEST_WAIT_S = 30.0, LONGEST_ASKED_S = 600.0;

enum bt_status bt__hub_stopped(const struct bt__hub *h, struct bt_error *err)
{
    if (!h->r->interrupted || !h->r->interrupted(h->r->ctx)) return BT_OK;
    return bt_fail(err, BT_CANCELLED, "interrupted");
}

void bt__hub_tell(const struct bt__hub *h, const struct bt_pull_progress *p)
{
    struct bt_pull_progress whole = *p;
    whole.repo = h->place.repo;
    whole.total = h->total;
    whole.total_done = h->done;
    whole.files = h->n;
    if (h->r->progress) h->r->progress(h->r->ctx, &whole);
}

/* ── what an answer means ── */

static enum bt_status not_allowed(const struct bt__hub *h, const struct bt__http_answer *a,
                                  struct bt_error *err)
{
    const char *repo = h->place.repo, *origin = bt__http_origin(h->http);
    const char *token = h->token ? "the token that is set (HF_TOKEN) does not allow it" : "set HF_TOKEN";
    if (strcmp(a->code, "GatedRepo") == 0)
        return bt_fail(
            err, BT_INVALID, "%s: gated: accept its conditions on %s/%s; then %s (%ld)", repo, h->endpoint,
            repo, h->token ? "try again, with a token (HF_TOKEN) of the same account" : token, a->status);
    if (a->status == 401 && !h->token)
        return bt_fail(err, BT_INVALID, "%s: %s does not know it, or it is private: %s (401)", repo, origin,
                       token);
    return bt_fail(err, BT_INVALID, "%s: %s refuses it: private or gated: %s (%ld)", repo, origin, token,
                   a->status);
}

static enum bt_status not_there(const struct bt__hub *h, const struct bt__http_answer *a, const char *what,
                                struct bt_error *err)
{
    const char *repo = h->place.repo, *origin = bt__http_origin(h->http), *revision = h->place.revision;
    if (strcmp(a->code, "RevisionNotFound") == 0)
        return bt_fail(err, BT_NOTFOUND, "%s: %s has no revision \"%s\" of it (404)", repo, origin, revision);
    if (what) return bt_fail(err, BT_NOTFOUND, "%s: %s has no file %s of it (404)", repo, origin, what);
    if (strcmp(a->code, "RepoNotFound") == 0 || strcmp(revision, "main") == 0)
        return bt_fail(err, BT_NOTFOUND, "%s: no such model on %s (404)", repo, origin);
    return bt_fail(err, BT_NOTFOUND, "%s: no such model, or no revision \"%s\" of it, on %s (404)", repo,
                   revision, origin);
}

static enum bt_status refusal(const struct bt__hub *h, const struct bt__http_answer *a, const char *what,
                              struct bt_error *err)
{
    if (a->elsewhere)
        return bt_fail(err, BT_IO, "%s: %s: the host where %s has sent us answers %ld", h->place.repo,
                       what ? what : "", bt__http_origin(h->http), a->status);
    if (a->status == 401 || a->status == 403) return not_allowed(h, a, err);
    if (a->status == 404 || a->status == 410) return not_there(h, a, what, err);
    return bt_fail(err, BT_IO, "%s%s%s: %s answers %ld%s%s", h->place.repo, what ? ": " : "",
                   what ? what : "", bt__http_origin(h->http), a->status, a->message[0] ? ": " : "",
                   a->message);
}

/* ── attempts ── */

static enum bt_status sleep_for(const struct bt__hub *h, double seconds, struct bt_error *err)
{
    const struct timespec slice = {.tv_nsec = 50000000};
    enum bt_status st = bt__hub_stopped(h, err);
    for (double left = seconds; left > 0.0 && !st; left -= 0.05) {
        nanosleep(&slice, NULL);
        st = bt__hub_stopped(h, err);
    }
    return st;
}

bool bt__hub_again(const struct bt__hub *h, const struct bt__http_answer *a, const char *what, int *tries,
                   enum bt_status *st, struct bt_error *err)
{
    struct bt_error said = {.status = BT_OK};
    if (!*st) *st = refusal(h, a, what, err);
    if (err) said = *err;
    double wait = fmin(ldexp(FIRST_WAIT_S, *tries), LONGEST_WAIT_S);
    if (a->retry_after >= 0.0) wait = a->retry_after;
    if (!a->transient) return false;
    if (wait > LONGEST_ASKED_S) {
        *st = bt_fail(err, *st, "%s, and asks to wait for %.0f seconds: try again then", said.text, wait);
        return false;
    }
    if (*tries >= h->r->retries) {
        if (*tries) *st = bt_fail(err, *st, "%s, after %d attempts", said.text, *tries + 1);
        return false;
    }
    ++*tries;
    bt__hub_tell(h, &(struct bt_pull_progress){
                        .kind = BT_PULL_WAIT, .file = what, .text = said.text, .size = -1, .seconds = wait});
    enum bt_status stopped = sleep_for(h, wait, err);
    if (stopped) *st = stopped;
    return !stopped;
}

enum bt_status bt__hub_ask(const struct bt__hub *h, const struct bt__http_request *r, const char *what,
                           struct bt__http_answer *a, struct bt_error *err)
{
    for (int tries = 0;;) {
        enum bt_status st = bt__http_ask(h->http, r, a, err);
        if (!st && (a->status / 100 == 2 || (r->head && a->status / 100 == 3))) return BT_OK;
        if (!bt__hub_again(h, a, what, &tries, &st, err)) return st;
    }
}

/* ── the model ── */

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

static enum bt_status take_siblings(struct bt__hub *h, const struct bt_json *list, struct bt_error *err)
{
    size_t n = bt_json_len(list);
    if (bt_json_kind(list) != BT_JSON_ARRAY || n > MOST_SIBLINGS)
        return bt_fail(err, BT_INVALID, "%s: %s does not list its files", h->place.repo,
                       bt__http_origin(h->http));
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

static enum bt_status take_info(struct bt__hub *h, const struct bt_str *text, struct bt_error *err)
{
    struct bt_json *root = bt_json_parse(bt_str_text(text), text->len, bt__http_origin(h->http), err);
    if (!root) return bt_error_prefix(err, BT_INVALID, "%s: not what a hub answers", h->place.repo);
    const char *commit = bt_json_text(bt_json_get(root, "sha"), "");
    enum bt_status st = BT_OK;
    if (bt__hub_is_commit(commit))
        memcpy(h->commit, commit, sizeof h->commit);
    else
        st = bt_fail(err, BT_INVALID, "%s: %s names the commit \"%.60s\", expected 40 hex digits",
                     h->place.repo, bt__http_origin(h->http), commit);
    if (!st) st = take_siblings(h, bt_json_get(root, "siblings"), err);
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
    if (!st) st = take_info(h, &text, err);
    bt_str_free(&text);
    free(revision);
    free(url);
    return st;
}

bool bt__hub_has(const struct bt__hub *h, const char *name)
{
    return bsearch(&name, h->sibling, h->n_siblings, sizeof *h->sibling, by_text) != NULL;
}
