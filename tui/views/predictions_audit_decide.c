/* Deciding about labels: at once on the screen, then by a worker in the file. */
#include "tui/views/predictions_audit.h"

#include <bertty/file.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int label_of(const struct bt_audit *a, const char *name)
{
    for (int i = 0; name && i < a->labels; i++)
        if (strcmp(a->label[i], name) == 0) return i;
    return -1;
}

static void count(struct pred_audit *a)
{
    memset(a->count, 0, sizeof a->count);
    for (size_t i = 0; a->f.a && i < a->f.a->n_flagged; i++) a->count[a->decided[i].verdict]++;
}

void pred_audit_take_decisions(struct pred_audit *a)
{
    const struct bt_audit *of = a->f.a;
    free(a->decided);
    a->decided = of ? calloc(of->n + 1, sizeof *a->decided) : NULL;
    for (size_t i = 0; a->decided && i < of->n; i++) {
        const struct bt_label_decision *d = bt_label_decisions_of(&a->f.decided, of->row[i].id);
        if (d) a->decided[i] = (struct pred_decided){.verdict = d->verdict, .label = label_of(of, d->label)};
    }
    if (of && !a->decided) {
        bt_audit_free(a->f.a);
        a->f.a = NULL;
        bt_fail(&a->f.err, BT_NOMEM, "no memory for an audit");
    }
    count(a);
}

size_t pred_audit_done(const struct pred_audit *a)
{
    return a->count[BT_KEEP] + a->count[BT_RELABEL] + a->count[BT_DROP];
}

/* ── the file ── */

struct job {
    struct view *v;
    char *path, *given, *label;
    char data[BT_DATA_HASH];
    struct bt_label_decision d;
    bool ran;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    free(j->path);
    free(j->given);
    free(j->label);
    free(j);
}

static void write_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    (void)cancel;
    j->ran = true;
    bt_label_decisions_set(j->path, &j->d, *j->data ? j->data : NULL, &j->err);
}

/* What could not be written is not decided: the file is read again. */
static void write_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->v;
    if (!j->ran) write_run(j, NULL); /* somebody leaves before its turn came */
    if (j->err.status) app_say_error(v->app, &j->err);
    if (j->err.status && !cancelled) pred_audit_load(v);
    job_free(j);
}

static bool write_down(struct view *v, size_t row)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    const struct bt_audit_row *r = &a->f.a->row[row];
    const struct bt_example *x = pred_audit_example(a, r);
    const struct pred_decided *d = &a->decided[row];
    struct job *j = calloc(1, sizeof *j);
    if (!j) return false;
    *j = (struct job){.v = v,
                      .path = bt_strdup(a->f.path),
                      .given = bt_strdup(x && x->label ? x->label : a->f.a->label[r->given]),
                      .label = d->verdict == BT_RELABEL && d->label >= 0 ? bt_strdup(a->f.a->label[d->label])
                                                                         : NULL};
    memcpy(j->data, a->f.data, sizeof j->data);
    j->d =
        (struct bt_label_decision){.row = r->id, .verdict = d->verdict, .given = j->given, .label = j->label};
    const struct app_task t = {.run = write_run, .done = write_done, .ctx = j, .owner = &a->owner};
    if (j->path && j->given && app_submit(v->app, &t)) return true;
    job_free(j);
    return false;
}

/* ── deciding ── */

static bool may(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct pred_audit *a = s->audit;
    if (a->f.other.status) app_say_error(v->app, &a->f.other);
    return a->f.a && !a->f.other.status;
}

static bool remember(struct pred_audit *a, size_t row)
{
    struct pred_undo *more = realloc(a->undo, (a->n_undo + 1) * sizeof *more);
    if (!more) return false;
    a->undo = more;
    more[a->n_undo++] = (struct pred_undo){.row = row, .before = a->decided[row]};
    return true;
}

static void put(struct view *v, size_t row, struct pred_decided d)
{
    const struct pred_view *s = v->state;
    s->audit->decided[row] = d;
    count(s->audit);
    if (!write_down(v, row)) app_say(v->app, ROLE_BAD, "no memory: the decision is not written");
    pred_audit_select(v);
}

static void go_on(struct pred_audit *a, size_t row)
{
    size_t i = 0;
    while (i < a->n && a->index[i] <= row) i++;
    if (i < a->n) a->list.cursor = i;
}

bool pred_audit_decide(struct view *v, enum bt_verdict verdict, int label)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    const struct bt_audit_row *r = pred_audit_row(a);
    if (!r || !may(v)) return true;
    size_t row = (size_t)(r - a->f.a->row);
    if (!remember(a, row)) return true;
    put(v, row, (struct pred_decided){.verdict = verdict, .label = label});
    go_on(a, row);
    return true;
}

bool pred_audit_undo(struct view *v)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    const struct bt_audit_row *r = pred_audit_row(a);
    if (!may(v)) return true;
    if (!a->n_undo) { /* nothing of this sitting: what was decided about this row before */
        size_t row = r ? (size_t)(r - a->f.a->row) : 0;
        if (r && a->decided[row].verdict)
            put(v, row, (struct pred_decided){.verdict = BT_UNDECIDED});
        else
            app_say(v->app, ROLE_TEXT, "nothing is decided here that could be taken back");
        return true;
    }
    const struct pred_undo last = a->undo[--a->n_undo];
    put(v, last.row, last.before);
    for (size_t i = 0; i < a->n; i++)
        if (a->index[i] == last.row) a->list.cursor = i;
    app_say(v->app, ROLE_TEXT, "row %" PRId64 ": the last decision is taken back", a->f.a->row[last.row].id);
    return true;
}

/* ── choosing from a list: keep, each label but the given one, drop, undecided ── */

static void chosen(void *ctx, int index)
{
    struct view *v = ctx;
    const struct pred_view *s = v->state;
    const struct bt_audit_row *r = pred_audit_row(s->audit);
    if (index < 0 || !r) return;
    const int others = s->audit->f.a->labels - 1;
    if (index == 0)
        pred_audit_decide(v, BT_KEEP, 0);
    else if (index == 1)
        pred_audit_decide(v, BT_RELABEL, r->likely);
    else if (index <= others) { /* the others but the likely one, in their order */
        int label = 0;
        for (int k = index - 1; label == r->given || label == r->likely || --k > 0;) label++;
        pred_audit_decide(v, BT_RELABEL, label);
    } else
        pred_audit_decide(v, index == others + 1 ? BT_DROP : BT_UNDECIDED, 0);
}

static bool fill(const struct bt_audit *a, const struct bt_audit_row *r, char **item)
{
    size_t n = 0;
    item[n++] = bt_strfmt("keep %s", a->label[r->given]);
    item[n++] = bt_strfmt("relabel: %s (suggested)", a->label[r->likely]);
    for (int l = 0; l < a->labels; l++)
        if (l != r->given && l != r->likely) item[n++] = bt_strfmt("relabel: %s", a->label[l]);
    item[n++] = bt_strdup("drop the row");
    item[n++] = bt_strdup("not decided");
    for (size_t i = 0; i < n; i++)
        if (!item[i]) return false;
    return true;
}

bool pred_audit_choose(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_audit_row *r = pred_audit_row(s->audit);
    if (!r || !may(v)) return true;
    const struct bt_audit *a = s->audit->f.a;
    const size_t n = (size_t)a->labels + 2;
    char **item = calloc(n, sizeof *item);
    char *title = bt_strfmt("row %" PRId64, r->id);
    if (item && title && fill(a, r, item)) app_choose(v->app, title, (const char *const *)item, n, chosen, v);
    for (size_t i = 0; item && i < n; i++) free(item[i]);
    free(item);
    free(title);
    return true;
}
