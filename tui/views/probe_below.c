/* Which of the panes below the answers is shown. */
#include "tui/views/probe_view.h"

/* Work about the text; NULL: there is none. */
static struct probe_work *work_of(struct probe_view *s, enum probe_below which)
{
    struct probe_work *const work[BELOWS] = {[BELOW_WHY] = &s->why.work,
                                             [BELOW_VARY] = &s->vary.work,
                                             [BELOW_NEAR] = &s->near.work,
                                             [BELOW_CONTEXT] = &s->context.work};
    return work[which];
}

const struct probe_below_ops *probe_below_ops(const struct view *v)
{
    static const struct probe_below_ops *const ops[BELOWS] = {
        [BELOW_KEPT] = &probe_below_kept,       [BELOW_WHY] = &probe_below_why,
        [BELOW_VARY] = &probe_below_vary,       [BELOW_NEAR] = &probe_below_near,
        [BELOW_CONTEXT] = &probe_below_context, [BELOW_SETS] = &probe_below_sets,
        [BELOW_TREE] = &probe_below_tree};
    return ops[((const struct probe_view *)v->state)->below];
}

void probe_below_show(struct view *v, enum probe_below which)
{
    struct probe_view *s = v->state;
    struct probe_work *before = work_of(s, s->below);
    if (before) probe_work_changed(before, false);
    s->below = s->below == which ? BELOW_KEPT : which;
    app_redraw(v->app);
    probe_below_go(v);
}

void probe_below_go(struct view *v)
{
    struct probe_view *s = v->state;
    struct probe_work *work = work_of(s, s->below);
    if (work) probe_work_go(v, work);
    if (probe_sets_due(s)) s->sets.work.due = true;
    probe_work_go(v, &s->sets.work);
}

void probe_below_changed(struct probe_view *s, bool typing)
{
    for (int k = 0; k < BELOWS; k++)
        if (work_of(s, (enum probe_below)k)) probe_work_changed(work_of(s, (enum probe_below)k), typing);
    probe_sets_changed(s, typing);
    probe_branches_changed(s, typing);
}

void probe_below_due(struct probe_view *s)
{
    s->branches.due = true;
    for (int k = 0; k < BELOWS; k++)
        if (work_of(s, (enum probe_below)k)) work_of(s, (enum probe_below)k)->due = true;
}

void probe_below_tick(struct view *v)
{
    struct probe_view *s = v->state;
    probe_branches_tick(v);
    for (int k = 0; k < BELOWS; k++)
        if (work_of(s, (enum probe_below)k))
            probe_work_tick(v, work_of(s, (enum probe_below)k), s->below == (enum probe_below)k);
    if (probe_sets_due(s)) s->sets.work.due = true;
    probe_work_tick(v, &s->sets.work, s->below == BELOW_SETS);
    if (s->below != BELOW_SETS) probe_work_go(v, &s->sets.work); /* a new checkpoint is scored all the same */
}
