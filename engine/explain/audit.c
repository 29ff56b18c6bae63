/* Label audit: cross-validated runs of an experiment, and what their predictions say of the labels. */
#include <bertty/audit.h>

#include <bertty/file.h>
#include <bertty/queue.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ── the runs ── */

static enum bt_status check(const struct bt_experiment *x, int64_t folds, struct bt_error *err)
{
    if (x->task_type != BT_TYPE_CLASSIFICATION && x->task_type != BT_TYPE_ABSA)
        return bt_fail(
            err, BT_INVALID,
            "%s: task.type: an audit needs one label of several for each row: classification or absa",
            x->path ? x->path : "the experiment");
    if (folds < 2 || folds > BT_AUDIT_MOST_FOLDS)
        return bt_fail(err, BT_INVALID, "%lld folds, expected 2 to %d", (long long)folds,
                       BT_AUDIT_MOST_FOLDS);
    return BT_OK;
}

static enum bt_status look(struct bt_audit_fold *f, struct bt_error *err)
{
    struct bt_run_status s = {.id = NULL};
    f->there = bt_path_exists(f->dir);
    if (!f->there) return BT_OK;
    enum bt_status st = bt_run_status(f->dir, &s, err);
    f->state = s.state;
    f->step = s.step;
    f->total = s.total;
    f->error = s.error ? bt_strdup(s.error) : NULL;
    bt_run_status_clear(&s);
    return st;
}

enum bt_status bt_audit_plan(const struct bt_experiment *x, int64_t folds, const char *runs_dir,
                             struct bt_audit_plan *out, struct bt_error *err)
{
    *out = (struct bt_audit_plan){.n = 0};
    enum bt_status st = check(x, folds, err);
    char *name = st ? NULL : bt_experiment_name(x);
    const char *runs = runs_dir ? runs_dir : x->run_output_dir;
    if (!st) out->fold = calloc((size_t)folds, sizeof *out->fold);
    if (!st && (!name || !out->fold)) st = bt_fail(err, BT_NOMEM, "no memory for an audit");
    for (int64_t k = 1; k <= folds && !st; k++) {
        struct bt_audit_fold *f = &out->fold[out->n++];
        f->dir = bt_strfmt("%s/%s-audit-%lldof%lld", runs, name, (long long)k, (long long)folds);
        st = f->dir ? look(f, err) : bt_fail(err, BT_NOMEM, "no memory for an audit");
        out->finished += f->there && f->state == BT_RUN_FINISHED;
        out->alive += f->there && !bt_run_state_ended(f->state);
    }
    free(name);
    return st;
}

void bt_audit_plan_clear(struct bt_audit_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->fold[i].dir);
        free(p->fold[i].error);
    }
    free(p->fold);
    *p = (struct bt_audit_plan){.n = 0};
}

/* The experiment with one part of the training rows as its validation data, predicted after every epoch. */
static enum bt_status fold_of(const struct bt_experiment *x, size_t k, size_t folds,
                              struct bt_experiment **out, struct bt_error *err)
{
    static const char *const fixed[][2] = {{"data.validation_file", "[]"}, {"data.test_file", "[]"},
                                           {"data.val_set_size", "0"},     {"eval.eval_strategy", "epoch"},
                                           {"eval.eval_delay", "0"},       {"run.save_total_limit", "1"}};
    char number[24];
    enum bt_status st = bt_experiment_copy(x, out, err);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed && !st; i++)
        st = bt_experiment_set(*out, fixed[i][0], fixed[i][1], err);
    snprintf(number, sizeof number, "%zu", folds);
    if (!st) st = bt_experiment_set(*out, "data.num_folds", number, err);
    snprintf(number, sizeof number, "%zu", k + 1);
    return st ? st : bt_experiment_set(*out, "data.fold", number, err);
}

enum bt_status bt_audit_queue(const struct bt_experiment *x, const struct bt_audit_plan *p,
                              const char *runs_dir, size_t *queued, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    *queued = 0;
    for (size_t k = 0; k < p->n && !st; k++) {
        const struct bt_audit_fold *f = &p->fold[k];
        struct bt_experiment *one = NULL;
        char *dir = NULL;
        if (f->there && (f->state == BT_RUN_FINISHED || !bt_run_state_ended(f->state))) continue;
        if (f->there) {
            st = bt_queue_again(f->dir, err);
        } else {
            st = fold_of(x, k, p->n, &one, err);
            if (!st) st = bt_queue_add(one, bt_path_base(f->dir), runs_dir, &dir, err);
            bt_experiment_free(one);
            free(dir);
        }
        *queued += st == BT_OK;
    }
    return st;
}

/* ── what they say ── */

struct gathering {
    struct bt_predictions **part; /* [folds] */
    size_t folds, n;
    int labels;
    float *scores;
    int *given;
    int64_t *id;
};

static enum bt_status load_parts(const struct bt_audit_plan *p, struct gathering *g, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    g->part = calloc(p->n + 1, sizeof(struct bt_predictions *));
    if (!g->part) return bt_fail(err, BT_NOMEM, "no memory for an audit");
    for (; g->folds < p->n && !st; g->folds++) {
        struct bt_predictions *part = NULL;
        st = bt_predictions_load(p->fold[g->folds].dir, "validation", -1, &part, err);
        g->part[g->folds] = part;
        if (st) continue;
        g->n += part->n;
        if (part->n_labels < 2)
            st = bt_fail(err, BT_INVALID, "%s: its predictions hold no probabilities", p->fold[g->folds].dir);
        if (!st && g->folds && part->n_labels != g->labels)
            st = bt_fail(err, BT_INVALID, "%s: %d labels, the run before has %d", p->fold[g->folds].dir,
                         part->n_labels, g->labels);
        for (int l = 0; l < part->n_labels && !st && g->folds; l++)
            if (strcmp(part->label[l], g->part[0]->label[l]) != 0)
                st = bt_fail(err, BT_INVALID, "%s: label %d is \"%.60s\", the first run's is \"%.60s\"",
                             p->fold[g->folds].dir, l, part->label[l], g->part[0]->label[l]);
        g->labels = part->n_labels;
    }
    return st;
}

/* ── one run's word ── */

/* Adds ln p of each row and label; false: these are not the predictions of the same rows. */
static bool add_logs(const struct bt_predictions *of, const struct bt_predictions *p, double *sum)
{
    const size_t k = (size_t)of->n_labels;
    if (p->n != of->n || p->n_labels != of->n_labels) return false;
    for (size_t i = 0; i < p->n; i++)
        if (p->row[i].id != of->row[i].id || !p->row[i].scores != !of->row[i].scores) return false;
    for (size_t i = 0; i < p->n; i++)
        for (size_t l = 0; l < k && p->row[i].scores; l++)
            sum[i * k + l] += log(fmax((double)p->row[i].scores[l], (double)FLT_MIN));
    return true;
}

/* p[l] in proportion to e^(sum[l] / times). */
static void mean_of(const double *sum, size_t k, size_t times, float *p)
{
    double top = -HUGE_VAL, all = 0.0;
    for (size_t l = 0; l < k; l++) top = fmax(top, sum[l]);
    for (size_t l = 0; l < k; l++) all += exp((sum[l] - top) / (double)times);
    for (size_t l = 0; l < k; l++) p[l] = (float)(exp((sum[l] - top) / (double)times) / all);
}

/* Of a run that was evaluated several times on its part, the geometric means to[n, K]: each evaluation is wrong in its own way, and the last ones are surer than they ought
 * to be. Of one evaluation its probabilities as they are. */
static enum bt_status pool(const char *dir, const struct bt_predictions *of, float *to, struct bt_error *err)
{
    const size_t k = (size_t)of->n_labels;
    int64_t *step = NULL;
    size_t n = 0, times = 0;
    double *sum = calloc(of->n * k + 1, sizeof *sum);
    enum bt_status st = sum ? bt_predictions_steps(dir, "validation", &step, &n, err)
                            : bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    for (size_t s = 0; s < n && !st; s++) {
        struct bt_predictions *p = NULL;
        if (step[s] == of->step)
            times += add_logs(of, of, sum); /* it is there */
        else if (bt_predictions_load(dir, "validation", step[s], &p, NULL) == BT_OK)
            times += add_logs(of, p, sum);
        bt_predictions_free(p);
    }
    for (size_t i = 0; i < of->n && !st; i++)
        if (of->row[i].scores && times > 1)
            mean_of(sum + i * k, k, times, to + i * k);
        else if (of->row[i].scores)
            memcpy(to + i * k, of->row[i].scores, k * sizeof *to);
    free(step);
    free(sum);
    return st;
}

/* Rows with a known label and probabilities, of all parts. */
static enum bt_status gather(struct gathering *g, const struct bt_audit_plan *plan, struct bt_error *err)
{
    const size_t k = (size_t)g->labels;
    g->scores = calloc(g->n * k + 1, sizeof *g->scores);
    g->given = calloc(g->n + 1, sizeof *g->given);
    g->id = calloc(g->n + 1, sizeof *g->id);
    if (!g->scores || !g->given || !g->id) return bt_fail(err, BT_NOMEM, "no memory for %zu rows", g->n);
    g->n = 0;
    for (size_t f = 0; f < g->folds; f++) {
        const struct bt_predictions *part = g->part[f];
        float *said = g->scores + g->n * k; /* those of rows that are left out are written over */
        enum bt_status st = pool(plan->fold[f].dir, part, said, err);
        if (st) return st;
        for (size_t i = 0; i < part->n; i++) {
            const struct bt_prediction *r = &part->row[i];
            if (r->gold < 0 || !r->scores) continue;
            memmove(g->scores + g->n * k, said + i * k, k * sizeof *g->scores);
            g->given[g->n] = r->gold;
            g->id[g->n++] = r->id;
        }
    }
    return BT_OK;
}

static int by_id(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static enum bt_status check_ids(const struct gathering *g, struct bt_error *err)
{
    int64_t *sorted = calloc(g->n + 1, sizeof *sorted), twice = 0;
    if (!sorted) return bt_fail(err, BT_NOMEM, "no memory for %zu rows", g->n);
    memcpy(sorted, g->id, g->n * sizeof *sorted);
    qsort(sorted, g->n, sizeof *sorted, by_id);
    for (size_t i = 1; i < g->n && !twice; i++)
        if (sorted[i] == sorted[i - 1]) twice = sorted[i];
    free(sorted);
    if (!twice) return BT_OK;
    return bt_fail(err, BT_INVALID,
                   "row %lld is in the parts of two runs: they were not of the same data and seed",
                   (long long)twice);
}

static void fill(struct bt_audit *a, const struct gathering *g, const struct bt_confident *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const size_t at = c->order[i];
        const float *p = g->scores + at * (size_t)g->labels;
        struct bt_audit_row *r = &a->row[i];
        *r = (struct bt_audit_row){
            .id = g->id[at], .given = g->given[at], .flagged = c->flagged[at], .margin = c->margin[at]};
        r->likely = r->given == 0 ? 1 : 0;
        for (int l = 0; l < g->labels; l++)
            if (l != r->given && p[l] > p[r->likely]) r->likely = l;
        r->p_given = p[r->given];
        r->p_likely = p[r->likely];
    }
}

static enum bt_status make(const struct gathering *g, const struct bt_confident *c, struct bt_audit **out,
                           struct bt_error *err)
{
    const size_t cells = (size_t)g->labels * (size_t)g->labels;
    struct bt_audit *a = calloc(1, sizeof *a);
    bool fine = a != NULL;
    if (a) {
        *a = (struct bt_audit){.n = c->n, .n_flagged = c->n_flagged};
        a->row = calloc(c->n + 1, sizeof *a->row);
        a->joint = calloc(cells, sizeof *a->joint);
        a->label = calloc((size_t)g->labels, sizeof *a->label);
        fine = a->row && a->joint && a->label;
    }
    for (; fine && a->labels < g->labels; a->labels++)
        if (!(a->label[a->labels] = bt_strdup(g->part[0]->label[a->labels]))) fine = false;
    if (!fine) {
        bt_audit_free(a);
        return bt_fail(err, BT_NOMEM, "no memory for an audit");
    }
    memcpy(a->joint, c->joint, cells * sizeof *a->joint);
    fill(a, g, c);
    *out = a;
    return BT_OK;
}

enum bt_status bt_audit_load(const struct bt_audit_plan *p, struct bt_audit **out, struct bt_error *err)
{
    struct gathering g = {.n = 0};
    struct bt_confident *c = NULL;
    *out = NULL;
    enum bt_status st = load_parts(p, &g, err);
    if (!st) st = gather(&g, p, err);
    if (!st) st = check_ids(&g, err);
    if (!st) st = bt_confident_learn(g.scores, g.given, g.n, g.labels, &c, err);
    if (!st) st = make(&g, c, out, err);
    bt_confident_free(c);
    for (size_t i = 0; g.part && i < g.folds; i++) bt_predictions_free(g.part[i]);
    free(g.part);
    free(g.scores);
    free(g.given);
    free(g.id);
    return st;
}

void bt_audit_free(struct bt_audit *a)
{
    if (!a) return;
    for (int l = 0; l < a->labels; l++) free(a->label[l]);
    free(a->label);
    free(a->row);
    free(a->joint);
    free(a);
}
