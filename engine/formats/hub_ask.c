/* Talking to the hub: attempts, and what a refusal means. */
#include "formats/hub_parts.h"

#include <math.h>
#include <string.h>
#include <time.h>

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
