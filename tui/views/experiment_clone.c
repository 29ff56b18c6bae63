/* A new experiment from the settings of a run. */
#include "tui/views/experiment_view.h"

#include <bertty/file.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cloning {
    struct view *v;
    char *dir;
    struct bt_experiment *x;
    struct bt_str text;
    struct bt_error err;
    enum bt_status status;
};

/* What a resolved file says only because everything is said in it. */
bool exp_follows(const struct bt_experiment *x, size_t i)
{
    switch (i) {
    case BT_OPTION_optim_correct_bias:
        return x->optim_optim == BT_OPTIM_BERT_ADAM;
    case BT_OPTION_optim_warmup_ratio:
        return x->optim_warmup_steps > 0;
    case BT_OPTION_model_freeze_embeddings:
        return x->model_freeze_layers > 0;
    case BT_OPTION_eval_metric_for_best_model:
        return x->eval_metric_for_best_model &&
               strcmp(x->eval_metric_for_best_model, bt_experiment_metric(x)) == 0;
    default:
        return i != BT_OPTION_run_name && bt_option_repeats(x, i);
    }
}

/* A path, or several, without the current directory before those that lie below it. */
static void add_relative(struct bt_str *out, const char *value)
{
    char here[PATH_MAX];
    size_t n = getcwd(here, sizeof here) ? strlen(here) : 0;
    for (const char *p = value; *p;) {
        bool starts = p == value || strchr(" [\"", p[-1]);
        if (n > 1 && starts && strncmp(p, here, n) == 0 && p[n] == '/')
            p += n + 1;
        else
            bt_str_addc(out, *p++);
    }
}

static void short_text(const struct bt_experiment *x, const char *from, struct bt_str *out)
{
    struct bt_experiment *defaults;
    const struct bt_option *o = bt_options(NULL);
    const char *group = "";
    struct bt_str value = {.data = NULL};
    if (bt_experiment_new(&defaults, NULL)) return;
    bt_str_addf(out, "# from %s\n", from);
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        if (bt_experiment_equal(x, defaults, &o[i]) || exp_follows(x, i)) continue;
        if (strcmp(group, o[i].group) != 0) bt_str_addf(out, "%s:\n", o[i].group);
        group = o[i].group;
        bt_str_addf(out, "  %s: ", o[i].name);
        bt_str_clear(&value);
        bt_experiment_get(x, &o[i], &value);
        if (form_is_path(i))
            add_relative(out, bt_str_text(&value));
        else
            bt_str_add(out, bt_str_text(&value));
        bt_str_addc(out, '\n');
    }
    bt_experiment_free(defaults);
    bt_str_free(&value);
}

static void run_clone(void *ctx, const atomic_bool *cancel)
{
    struct cloning *c = ctx;
    (void)cancel;
    if (!c->x) c->status = bt_run_experiment(c->dir, &c->x, &c->err);
    if (!c->status) short_text(c->x, bt_path_base(c->dir), &c->text);
}

static void cloned(void *ctx, bool cancelled)
{
    struct cloning *c = ctx;
    struct exp_view *s = exp_of(c->v);
    if (!cancelled && !c->status) {
        exp_edit_end(c->v);
        exp_other_clear(&s->other);
        exp_check_clear(&s->check);
        c->status = form_load(s->form, bt_str_text(&c->text), c->text.len, NULL, &c->err);
        exp_show_from_start(c->v);
        s->origin = bt_strdup(bt_path_base(c->dir));
        if (!c->status)
            app_say(c->v->app, ROLE_GOOD, "settings of %s: L launches, w saves", bt_path_base(c->dir));
    }
    if (!cancelled && c->status) app_say_error(c->v->app, &c->err);
    bt_experiment_free(c->x);
    bt_str_free(&c->text);
    free(c->dir);
    free(c);
}

void exp_clone(struct view *v, const struct bt_experiment *x, const char *from)
{
    struct cloning *c = calloc(1, sizeof *c);
    if (!c) return;
    c->v = v;
    c->dir = bt_strdup(from ? from : "a run");
    exp_of(v)->ready = true;
    if (x) (void)bt_experiment_copy(x, &c->x, NULL);
    struct app_task t = {.run = run_clone, .done = cloned, .ctx = c, .owner = v->state};
    if (c->dir && app_submit(v->app, &t)) return;
    cloned(c, true);
}
