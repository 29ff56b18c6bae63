/* Search over the whole file, in the background. */
#include "tui/views/data_view.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 64 /* looks at DATA_STEP_BYTES in one slice */
};

/* ── search ── */

struct search {
    struct data_walk walk;
    char *needle; /* as it was typed */
    struct bt_regex *regex;
    bool backwards, round; /* round: has gone on from the other end */
    size_t from, found;    /* found: SIZE_MAX: not yet */
};

static void search_free(struct data_walk *w)
{
    struct search *q = (struct search *)w;
    free(q->needle);
    bt_regex_free(q->regex);
    free(q);
}

/* One look; true: go on. */
static bool search_step(struct search *q, const atomic_bool *cancel)
{
    struct data_walk *w = &q->walk;
    const struct bt_table_query query = {.regex = q->regex, .column = -1};
    size_t row;
    data_lock(w->file);
    enum bt_status st =
        bt_table_search(w->file->table, &query, w->at, q->backwards, DATA_STEP_BYTES, cancel, &row, &w->err);
    data_unlock(w->file);
    if (st == BT_OK) q->found = row;
    if (st != BT_NOTFOUND) return false;
    w->err.status = BT_OK;
    w->at = row;
    return q->backwards ? row != SIZE_MAX : row < bt_table_rows(w->file->table);
}

static void search_slice(struct data_walk *w, const atomic_bool *cancel)
{
    struct search *q = (struct search *)w;
    for (int i = 0; i < STEPS && !atomic_load(cancel); i++)
        if (!search_step(q, cancel)) break;
    if (q->found != SIZE_MAX) w->ended = true;
}

/* The cursor goes to the cell that matches. */
static void show_found(struct data_view *s, size_t i)
{
    data_go_to(s, i);
    s->left = 0;
    const struct data_cached *c = data_row(s, data_cursor_row(s));
    s->reveal = true;
    for (size_t k = 0; k < c->cells.n && k < bt_table_columns(s->file->table); k++) {
        size_t begin, end;
        if (!s->regex ||
            bt_regex_find(s->regex, c->cells.cell[k], c->cells.cell_n[k], 0, &begin, &end) != BT_MATCH_FOUND)
            continue;
        s->column = k;
        return;
    }
}

static void tell_round(struct search *q)
{
    if (q->round)
        app_say(q->walk.v->app, ROLE_DIM, "went on from the %s of the file",
                q->backwards ? "end" : "beginning");
}

/* A row that the filter hides is passed over. False: look further. */
static bool take_found(struct search *q)
{
    struct data_view *s = q->walk.v->state;
    size_t i;
    if (data_place_of(s, q->found, &i)) {
        show_found(s, i);
        tell_round(q);
        return true;
    }
    q->walk.at = q->backwards ? q->found - 1 : q->found + 1;
    q->found = SIZE_MAX;
    q->walk.ended = false;
    return false;
}

/* At an end of the file: once more from the other one. */
static void turn_round(struct search *q)
{
    struct data_view *s = q->walk.v->state;
    size_t rows = bt_table_rows(q->walk.file->table);
    if (q->round || rows == 0) {
        s->searching = false;
        s->queued = 0;
        q->walk.ended = true;
        app_say(q->walk.v->app, ROLE_WARN, "“%s” is in no row%s", q->needle,
                s->filter.on ? " that is shown" : "");
        return;
    }
    q->round = true;
    q->walk.ended = false;
    q->walk.at = q->backwards ? rows - 1 : 0;
}

/* Keys that came while a search was under way. */
static void go_on(struct view *v)
{
    struct data_view *s = v->state;
    int queued = s->queued;
    s->queued = queued > 0 ? queued - 1 : queued < 0 ? queued + 1 : 0;
    if (queued) data_search_next(v, queued < 0);
}

static void search_turn(struct data_walk *w)
{
    struct search *q = (struct search *)w;
    struct data_view *s = w->v->state;
    bool failed = w->err.status != BT_OK;
    size_t rows = bt_table_rows(w->file->table);
    if (failed) app_say_error(w->v->app, &w->err);
    if (failed || (q->found != SIZE_MAX && take_found(q))) {
        s->searching = false;
        w->ended = true;
        app_redraw_now(w->v->app);
        go_on(w->v);
        return;
    }
    bool through = q->round && (q->backwards ? w->at < q->from : w->at > q->from);
    if (through || (q->backwards ? w->at == SIZE_MAX : w->ended)) turn_round(q);
    s->search_progress = q->backwards || !rows ? bt_table_progress(w->file->table) : data_walk_progress(w);
}

static void search_start(struct view *v, size_t from, bool backwards)
{
    struct data_view *s = v->state;
    struct search *q = calloc(1, sizeof *q);
    data_walk_stop(v, &s->owner_find);
    s->searching = false;
    if (!q) return;
    q->needle = bt_strdup(s->needle);
    if (!q->needle || bt_regex_typed(s->needle, &q->regex, NULL) != BT_OK) {
        search_free(&q->walk);
        return;
    }
    q->walk = (struct data_walk){.v = v,
                                 .owner = &s->owner_find,
                                 .at = from,
                                 .slice = search_slice,
                                 .turn = search_turn,
                                 .free = search_free};
    q->backwards = backwards;
    q->from = from;
    q->found = SIZE_MAX;
    s->searching = true;
    s->search_progress = 0;
    data_walk_start(&q->walk);
}

bool data_search_next(struct view *v, bool backwards)
{
    struct data_view *s = v->state;
    size_t row = data_cursor_row(s);
    if (!s->needle) {
        app_say(v->app, ROLE_TEXT, "/ searches");
        return true;
    }
    if (row == SIZE_MAX) return true;
    if (s->searching) {
        s->queued += backwards ? -1 : 1;
        return true;
    }
    size_t rows = bt_table_rows(s->file->table);
    search_start(v, backwards ? (row ? row - 1 : rows - 1) : row + 1, backwards);
    return true;
}

void data_search_clear(struct data_view *s)
{
    free(s->needle);
    bt_regex_free(s->regex);
    s->needle = NULL;
    s->regex = NULL;
    s->queued = 0;
}

static void search_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct data_view *s = v->state;
    size_t row = s->file ? data_cursor_row(s) : SIZE_MAX;
    struct bt_regex *regex = NULL;
    struct bt_error err;
    if (!text || !s->file) return;
    if (*text && bt_regex_typed(text, &regex, &err) != BT_OK) {
        app_say_error(v->app, &err);
        return;
    }
    data_search_clear(s);
    app_redraw(v->app);
    if (!*text) return;
    s->needle = bt_strdup(text);
    s->regex = regex;
    if (s->needle && row != SIZE_MAX) search_start(v, row, false);
}

bool data_ask_search(struct view *v)
{
    app_ask(v->app,
            &(struct app_prompt){
                .what = "/ (text, or /re/): ", .history = "data-search", .done = search_done, .ctx = v});
    return true;
}
