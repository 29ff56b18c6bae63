#include "baseline/logistic.h"

#include "math/gemm.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>

struct bt__logistic {
    int classes, problems; /* two labels are one problem */
    size_t features;
    double *w; /* [problems, features + 1] the bias last */
};

static const double *weights_of(const struct bt__logistic *l, int problem)
{
    return l->w + (size_t)problem * (l->features + 1);
}

static float log_sigmoid(double z)
{
    return (float)(z < 0.0 ? z - log1p(exp(z)) : -log1p(exp(-z)));
}

static double score(const double *w, size_t features, const struct bt__sparse *x, size_t i)
{
    double z = w[features];
    for (size_t k = x->start[i]; k < x->start[i + 1]; k++) z += w[x->column[k]] * x->value[k];
    return z;
}

void bt__logistic_logits(const struct bt__logistic *l, const struct bt__sparse *x, size_t i, float *to)
{
    for (int p = 0; p < l->problems; p++) {
        const double z = score(weights_of(l, p), l->features, x, i);
        to[l->problems == 1 ? 1 : p] = log_sigmoid(z);
        if (l->problems == 1) to[0] = log_sigmoid(-z);
    }
}

void bt__logistic_free(struct bt__logistic *l)
{
    if (!l) return;
    free(l->w);
    free(l);
}

#ifdef BT_WITH_LINEAR
#include <dlfcn.h>
#include <linear.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ── the library ── */

/* Loaded by the first that asks: it brings the C++ library and a BLAS, and every start of bertty would wait for them. */
static struct {
    pthread_once_t once;
    char problem[200]; /* empty: everything is there */
    __typeof__(check_parameter) *check;
    __typeof__(train) *train;
    __typeof__(free_and_destroy_model) *release;
} lib = {.once = PTHREAD_ONCE_INIT};

static void be_silent(const char *text)
{
    (void)text;
}

static void load(void)
{
    __typeof__(set_print_string_function) *print_with = NULL;
    (void)bt__gemm_init(NULL); /* its BLAS may be ours: no threads, so that sums keep their order */
    void *so = dlopen("liblinear.so.4", RTLD_NOW | RTLD_LOCAL);
    const char *why = so ? NULL : dlerror();
    if (!so) snprintf(lib.problem, sizeof lib.problem, "%s", why ? why : "liblinear.so.4 not found");
    if (!so) return;
    *(void **)&lib.check = dlsym(so, "check_parameter");
    *(void **)&lib.train = dlsym(so, "train");
    *(void **)&lib.release = dlsym(so, "free_and_destroy_model");
    *(void **)&print_with = dlsym(so, "set_print_string_function");
    if (lib.check && lib.train && lib.release && print_with)
        print_with(be_silent);
    else
        snprintf(lib.problem, sizeof lib.problem, "it lacks functions");
}

static enum bt_status ready(struct bt_error *err)
{
    pthread_once(&lib.once, load);
    if (!lib.problem[0]) return BT_OK;
    return bt_fail(err, BT_UNSUPPORTED, "liblinear cannot be loaded (%s): install liblinear4", lib.problem);
}

/* ── a problem ── */

struct rows {
    struct feature_node *node; /* each row ends with the bias and an index of −1 */
    struct feature_node **row; /* [n] */
    double *y;                 /* [n] */
};

static void rows_free(struct rows *r)
{
    free(r->node);
    free(r->row);
    free(r->y);
}

static bool make_rows(const struct bt__sparse *x, size_t features, struct rows *r)
{
    *r = (struct rows){.node = calloc(x->start[x->n] + 2 * x->n + 1, sizeof *r->node),
                       .row = calloc(x->n + 1, sizeof(struct feature_node *)),
                       .y = calloc(x->n + 1, sizeof *r->y)};
    if (!r->node || !r->row || !r->y) return false;
    struct feature_node *to = r->node;
    for (size_t i = 0; i < x->n; i++) {
        r->row[i] = to;
        for (size_t k = x->start[i]; k < x->start[i + 1]; k++)
            *to++ = (struct feature_node){.index = x->column[k] + 1, .value = x->value[k]};
        *to++ = (struct feature_node){.index = (int)features + 1, .value = 1.0};
        *to++ = (struct feature_node){.index = -1};
    }
    return true;
}

/* One label against all others; w [features + 1]. */
static enum bt_status solve(const struct bt__sparse *x, size_t features, const struct rows *r, double *w,
                            struct bt_error *err)
{
    const struct problem p = {.l = (int)x->n, .n = (int)features + 1, .y = r->y, .x = r->row, .bias = 1.0};
    const struct parameter how = {.solver_type = L2R_LR, .eps = 1e-4, .C = 1.0, .p = 0.1};
    const char *wrong = lib.check(&p, &how);
    if (wrong) return bt_fail(err, BT_INVALID, "liblinear: %s", wrong);
    struct model *m = lib.train(&p, &how);
    memcpy(w, m->w,
           (features + 1) * sizeof *w); /* of the label 1, whichever came first: that is so for −1 and 1 */
    lib.release(&m);
    return BT_OK;
}

/* Rows of one kind alone leave nothing to be learnt: the bias says so. */
static const double CERTAIN = 20.0; /* in logits: one in half a billion */

static enum bt_status fit_one(const struct bt__sparse *x, size_t features, const int *gold, int label,
                              struct rows *r, double *w, struct bt_error *err)
{
    size_t of_it = 0;
    for (size_t i = 0; i < x->n; i++) {
        of_it += gold[i] == label;
        r->y[i] = gold[i] == label ? 1.0 : -1.0;
    }
    if (of_it > 0 && of_it < x->n) return solve(x, features, r, w, err);
    w[features] = of_it ? CERTAIN : -CERTAIN;
    return BT_OK;
}

enum bt_status bt__logistic_fit(const struct bt__sparse *x, size_t features, const int *gold, int classes,
                                struct bt__logistic **out, struct bt_error *err)
{
    enum bt_status st = ready(err);
    if (st) return st;
    struct rows r = {.node = NULL};
    struct bt__logistic *l = calloc(1, sizeof *l);
    if (l)
        *l = (struct bt__logistic){
            .classes = classes, .problems = classes == 2 ? 1 : classes, .features = features};
    if (l) l->w = calloc((size_t)l->problems * (features + 1), sizeof *l->w);
    if (!l || !l->w || x->n > INT_MAX || !make_rows(x, features, &r))
        st = bt_fail(err, BT_NOMEM, "no memory for the weights of %zu features", features);
    for (int p = 0; !st && p < l->problems; p++)
        st = fit_one(x, features, gold, classes == 2 ? 1 : p, &r, l->w + (size_t)p * (features + 1), err);
    rows_free(&r);
    if (st)
        bt__logistic_free(l);
    else
        *out = l;
    return st;
}
#else
enum bt_status bt__logistic_fit(const struct bt__sparse *x, size_t features, const int *gold, int classes,
                                struct bt__logistic **out, struct bt_error *err)
{
    (void)x, (void)features, (void)gold, (void)classes, (void)out;
    return bt_fail(err, BT_UNSUPPORTED,
                   "this bertty was built without liblinear: install liblinear-dev and build it again");
}
#endif
