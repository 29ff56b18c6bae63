#include "tui/views/predictions_map.h"

#include "tui/layout.h"
#include "tui/views/predictions_keys.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ── reading ── */

struct job {
    struct view *v;
    char *run;
    struct bt_map *m;
    struct bt_texts *texts;
    struct bt_error err;
};

static void job_free(struct job *j)
{
    bt_map_free(j->m);
    pred_texts_free(j->texts);
    free(j->run);
    free(j);
}

static void load_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    struct bt_experiment *x = NULL;
    (void)cancel;
    if (bt_map_load(j->run, &j->m, &j->err) == BT_OK && bt_run_experiment(j->run, &x, NULL) == BT_OK)
        j->texts = pred_texts_read(x, "train", 0);
    bt_experiment_free(x);
}

static void clear(struct pred_map *m)
{
    bt_map_free(m->m);
    pred_texts_free(m->texts);
    pred_map_grid_free(&m->grid);
    m->m = NULL;
    m->texts = NULL;
}

void pred_map_forget(struct pred_view *s)
{
    struct pred_map *m = s->map;
    if (!m) return;
    clear(m);
    free(m->index);
    sheet_free(&m->detail);
    const bool loading = m->loading;
    *m = (struct pred_map){.loading = loading, .again = loading, .region = -1, .detail_row = SIZE_MAX};
}

static void select_rows(struct view *v);

/* The same run read again: the cursor stays on its row if that is still shown. */
static void go_to(struct pred_map *m, int64_t id)
{
    for (size_t i = 0; id && i < m->n; i++)
        if (m->m->row[m->index[i]].id == id) m->list.cursor = i;
}

static void load_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->v;
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    m->loading = false;
    if (!cancelled && !m->again && s->run && strcmp(s->run, j->run) == 0) {
        const struct bt_map_row *r = pred_map_row(m);
        const int64_t id = r ? r->id : 0;
        clear(m);
        m->m = j->m;
        m->texts = j->texts;
        m->err = j->err;
        j->m = NULL;
        j->texts = NULL;
        select_rows(v);
        go_to(m, id);
    }
    job_free(j);
    app_redraw_now(v->app);
    if (m->again && !cancelled) pred_map_load(v);
}

void pred_map_load(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->map && (s->map = calloc(1, sizeof *s->map))) {
        s->map->region = -1;
        s->map->detail_row = SIZE_MAX;
    }
    if (!s->map || !s->run) return;
    s->map->again = s->map->loading;
    if (s->map->loading) return;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return;
    *j = (struct job){.v = v, .run = bt_strdup(s->run)};
    const struct app_task t = {.run = load_run, .done = load_done, .ctx = j, .owner = &s->map->owner_load};
    s->map->loading = j->run && app_submit(v->app, &t);
    if (!s->map->loading) job_free(j);
}

/* ── which rows ── */

const struct bt_map_row *pred_map_row(const struct pred_map *m)
{
    return m->m && m->list.cursor < m->n ? &m->m->row[m->index[m->list.cursor]] : NULL;
}

const struct bt_example *pred_map_example(const struct pred_map *m, const struct bt_map_row *r)
{
    const struct bt_examples *e = m->texts ? m->texts->examples : NULL;
    if (!e || r->id < 1 || (uint64_t)r->id > bt_examples_count(e)) return NULL;
    return bt_examples_at(e, (size_t)r->id - 1);
}

/* What is looked for comes first: the least sure, the most variable, the most often forgotten. */
static double key_of(const struct bt_map_row *r, enum pred_map_order order)
{
    switch (order) {
    case MAP_BY_CONFIDENCE:
        return r->confidence;
    case MAP_BY_VARIABILITY:
        return -r->variability;
    case MAP_BY_CORRECTNESS:
        return r->correctness;
    case MAP_BY_FORGOTTEN:
        return r->learnt ? -(double)r->forgotten : -(double)INT32_MAX;
    default:
        return (double)r->id;
    }
}

struct keyed {
    double key;
    size_t row;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void select_rows(struct view *v)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    const size_t most = m->m ? m->m->n : 0;
    struct keyed *all = calloc(most + 1, sizeof *all);
    size_t *index = calloc(most + 1, sizeof *index);
    size_t n = 0;
    for (size_t i = 0; all && index && i < most; i++) {
        const struct bt_map_row *r = &m->m->row[i];
        if (!r->epochs || (m->boxed && !pred_map_in(&m->box, r)) ||
            (m->region >= 0 && (int)r->region != m->region))
            continue;
        const double key = key_of(r, m->order);
        all[n++] = (struct keyed){.key = m->reversed ? -key : key, .row = i};
    }
    if (n) qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < n; i++) index[i] = all[i].row;
    free(all);
    free(m->index);
    m->index = index;
    m->n = n;
    m->list.cursor = m->list.top = 0;
    list_resize(&m->list, n);
    app_redraw(v->app);
}

/* ── keys ── */

static bool open_cell(struct view *v)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    if (!m->plot_at.h) return true;
    if (!m->grid.count[m->y * m->grid.w + m->x]) {
        app_say(v->app, ROLE_TEXT, "no row is there");
        return true;
    }
    m->box = pred_map_cell(&m->grid, m->x, m->y);
    m->boxed = true;
    m->region = -1;
    v->focus = PRED_LIST;
    select_rows(v);
    return true;
}

static int within(int at, long by, int n)
{
    const long to = at + by;
    return to < 0 ? 0 : to >= n ? n - 1 : (int)to;
}

static bool act_plot(struct pred_map *m, int action, int count)
{
    const int page = m->grid.h / 4 + 1;
    switch (action) {
    case ACT_UP:
    case ACT_DOWN:
        m->y = within(m->y, action == ACT_UP ? -count : count, m->grid.h);
        return true;
    case ACT_PAGE_UP:
    case ACT_PAGE_DOWN:
        m->y = within(m->y, action == ACT_PAGE_UP ? -page : page, m->grid.h);
        return true;
    case ACT_LEFT:
    case ACT_RIGHT:
        m->x = within(m->x, action == ACT_LEFT ? -count : count, m->grid.w);
        return true;
    case ACT_HOME:
        m->x = m->y = 0;
        return true;
    case ACT_END:
        m->x = m->grid.w - 1;
        m->y = m->grid.h - 1;
        return true;
    default:
        return false;
    }
}

static bool to_probe(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_map_row *r = pred_map_row(s->map);
    const struct bt_example *x = r ? pred_map_example(s->map, r) : NULL;
    if (!x || !x->text) {
        app_say(v->app, ROLE_TEXT, "there is no text to try");
        return true;
    }
    const struct app_request q = {.run = s->run, .step = -1, .text = x->text, .pair = x->pair};
    app_open(v->app, VIEW_PROBE, &q);
    return true;
}

static bool to_file(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct bt_map_row *r = pred_map_row(s->map);
    if (r && !pred_open_row(v, s->map->texts, r->id))
        app_say(v->app, ROLE_WARN, "row %" PRId64 ": its text cannot be read", r->id);
    return true;
}

static bool next_region(struct view *v)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    m->boxed = false;
    do m->region = m->region + 1 < BT_MAP_REGIONS ? m->region + 1 : -1;
    while (m->region >= 0 && !m->m->count[m->region]);
    select_rows(v);
    return true;
}

static bool act_own(struct view *v, int action, int count)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    switch (action) {
    case A_SLICE:
        return next_region(v);
    case A_SORT:
        m->order = (enum pred_map_order)(((int)m->order + count) % MAP_ORDERS);
        m->reversed = false;
        select_rows(v);
        return true;
    case A_REVERSE:
        m->reversed = !m->reversed;
        select_rows(v);
        return true;
    case A_PROBE:
        return to_probe(v);
    case A_FILE:
        return to_file(v);
    default:
        app_say(v->app, ROLE_TEXT, "that is a key of the predictions: m shows them again");
        return true;
    }
}

/* From a pane to the plot, then all rows again, then out. */
static bool escape(struct view *v)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    const bool only = m->m && (m->boxed || m->region >= 0);
    if (v->focus != PRED_MATRIX && m->m)
        v->focus = PRED_MATRIX;
    else if (only) {
        m->boxed = false;
        m->region = -1;
        select_rows(v);
    } else
        return false;
    return true;
}

bool pred_map_act(struct view *v, int action, int count)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    if (!m) return false;
    if (action == A_RELOAD) {
        pred_map_load(v);
        return true;
    }
    if (action == ACT_ESCAPE) return !v->zoom && escape(v);
    if (!m->m) return false;
    if (action >= ACT_OWN) return act_own(v, action, count);
    if (v->focus == PRED_MATRIX) return action == ACT_ENTER ? open_cell(v) : act_plot(m, action, count);
    if (action == ACT_ENTER) return to_probe(v);
    if (v->focus == PRED_DETAIL) return sheet_act(&m->detail, action, count);
    return list_act(&m->list, action, count);
}

static bool mouse_list(struct view *v, const struct event *e)
{
    const struct pred_view *s = v->state;
    struct list_look look = pred_map_look(v);
    bool activated = false;
    int title = -1;
    if (!list_mouse(&s->map->list, e, &look, &activated, &title)) return false;
    v->focus = PRED_LIST;
    return activated ? to_probe(v) : true;
}

bool pred_map_mouse(struct view *v, const struct event *e)
{
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    const bool left = e->button == MOUSE_LEFT && !e->release;
    if (!m || !m->m) return false;
    if (m->plot_at.h && layout_in(m->plot_at, e->y, e->x)) {
        if (!left) return false;
        v->focus = PRED_MATRIX;
        m->x = e->x - m->plot_at.x;
        m->y = e->y - m->plot_at.y;
        return e->twice ? open_cell(v) : true;
    }
    if (m->at[PRED_DETAIL].h && layout_in(m->at[PRED_DETAIL], e->y, e->x)) {
        if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN)
            sheet_scroll(&m->detail, e->button == MOUSE_WHEEL_UP ? -2 : 2);
        if (left) v->focus = PRED_DETAIL;
        return true;
    }
    return mouse_list(v, e);
}

void pred_map_hints(const struct view *v, struct bt_str *out)
{
    const struct pred_view *s = v->state;
    if (!s->map || !s->map->m)
        bt_str_add(out, "R read again  m predictions");
    else if (v->focus == PRED_MATRIX)
        bt_str_add(out, "← ↑ ↓ → cell  Enter its rows  f regions  Tab rows  z zoom  m predictions");
    else
        bt_str_add(out, "Enter probe  f regions  s sort  o file  Esc map  z zoom  m predictions");
}
