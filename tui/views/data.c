/* The Data view: a data file of any size as rows, searched, counted and measured in the background. */
#include "tui/views/data_view.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

enum {
    A_OPEN = ACT_OWN,
    A_FILES,
    A_FILTER,
    A_WHERE,
    A_SORT,
    A_FREQUENCY,
    A_LABELS,
    A_LENGTHS,
    A_SPLITS,
    A_PIECES,
    A_WRAP,
    A_COPY_ROW,
    A_PREDICTION,
    A_RUNS,
    A_INDEX,
    A_RELOAD,
};

static const struct action actions[] = {
    {.id = A_OPEN, .name = "open-file", .keys = "o", .help = "open a file by its path"},
    {.id = A_FILES, .name = "files", .keys = "O", .help = "files of the run and the experiments"},
    {.id = A_FILTER, .name = "filter", .keys = "&", .help = "only rows that hold a text or match /re/"},
    {.id = A_WHERE,
     .name = "where",
     .keys = "F",
     .help = "only rows where label = pos and length(text) > 200"},
    {.id = A_SORT, .name = "sort", .keys = "s", .help = "sort by the column; again: reversed; again: not"},
    {.id = A_FREQUENCY, .name = "values", .keys = "f", .help = "the column's values and their numbers"},
    {.id = A_LABELS, .name = "labels", .keys = "L", .help = "how often each label occurs"},
    {.id = A_LENGTHS, .name = "lengths", .keys = "H", .help = "lengths, and how many rows are cut"},
    {.id = A_SPLITS,
     .name = "splits",
     .keys = "S",
     .help = "duplicates, conflicting labels, overlap of the splits"},
    {.id = A_PIECES, .name = "pieces", .keys = "w", .help = "the row in word pieces, and its cut"},
    {.id = A_WRAP, .name = "wrap", .keys = "W", .help = "whole texts, or one line a row"},
    {.id = A_COPY_ROW, .name = "copy-row", .keys = "Y", .help = "copy the whole row"},
    {.id = A_PREDICTION, .name = "prediction", .keys = "p", .help = "the chosen run's prediction"},
    {.id = A_RUNS, .name = "predictions", .keys = "P", .help = "choose a run: its prediction"},
    {.id = A_INDEX, .name = "index", .keys = "i", .help = "stop reading the file, or go on"},
    {.id = A_RELOAD, .name = "reload", .keys = "R", .help = "open the file anew"},
};

/* ── what the keys do ── */

static bool in_rows(const struct data_view *s)
{
    return s->file && (s->page == DATA_ROWS || s->page == DATA_DETAIL);
}

static bool copy_cell(struct view *v)
{
    struct data_view *s = v->state;
    size_t row = data_cursor_row(s);
    if (!in_rows(s) || row == SIZE_MAX) return false;
    const struct data_cached *c = data_row(s, row);
    size_t k = c->status == BT_INVALID ? 0 : s->column;
    if (k >= c->cells.n) return false;
    term_copy(app_term(v->app), c->cells.cell[k], c->cells.cell_n[k]);
    app_say(v->app, ROLE_TEXT, "row %zu, %s: copied", row + 1, bt_table_column(s->file->table, k));
    return true;
}

static bool copy_row(struct view *v)
{
    struct data_view *s = v->state;
    size_t row = data_cursor_row(s);
    struct bt_str text = {0};
    if (!in_rows(s) || row == SIZE_MAX) return false;
    const struct data_cached *c = data_row(s, row);
    for (size_t k = 0; k < c->cells.n; k++) {
        if (k) bt_str_addc(&text, '\t');
        bt_str_addn(&text, c->cells.cell[k], c->cells.cell_n[k]);
    }
    if (!text.failed) term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "row %zu copied: %zu cells", row + 1, c->cells.n);
    bt_str_free(&text);
    return true;
}

/* Of an empty file. */
static bool has_no_columns(struct view *v)
{
    const struct data_view *s = v->state;
    if (bt_table_columns(s->file->table) > 0) return false;
    app_say(v->app, ROLE_WARN, "the file has no columns");
    return true;
}

/* What is counted must be all that the filter will find. */
static bool filter_is_looking(struct view *v)
{
    const struct data_view *s = v->state;
    bool looking = s->filter.on && !s->filter.complete;
    if (looking) app_say(v->app, ROLE_WARN, "the filter is still looking for its rows");
    return looking;
}

static bool labels(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->file) return false;
    if (filter_is_looking(v)) return true;
    if (s->file->label >= 0)
        data_count(v, (size_t)s->file->label, true);
    else
        app_say(v->app, ROLE_WARN,
                "no experiment names the label column of this file; f counts the cursor's");
    return true;
}

static bool prediction(struct view *v)
{
    struct data_view *s = v->state;
    size_t row = s->file ? data_cursor_row(s) : SIZE_MAX;
    const char *run = app_run(v->app);
    if (!in_rows(s) || row == SIZE_MAX) return false;
    if (!run) {
        app_say(v->app, ROLE_WARN, "there is no run yet that could have predicted it");
        return true;
    }
    const struct app_request r = {.run = run, .path = s->file->path, .row = row + 1, .step = -1};
    app_open(v->app, VIEW_PREDICTIONS, &r);
    return true;
}

static bool ask_runs(struct view *v)
{
    const struct data_view *s = v->state;
    size_t row = s->file ? data_cursor_row(s) : SIZE_MAX;
    return in_rows(s) && row != SIZE_MAX && data_ask_runs(v, row);
}

static bool index_toggle(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->file) return false;
    if (bt_table_complete(s->file->table)) {
        app_say(v->app, ROLE_TEXT, "the file is read to its end");
        return true;
    }
    s->halted = !s->halted;
    if (s->halted)
        app_cancel(v->app, &s->owner_index);
    else
        data_index(v);
    return true;
}

static bool pieces(struct view *v)
{
    struct data_view *s = v->state;
    if (!in_rows(s)) return false;
    bool there = s->page == DATA_DETAIL;
    s->pieces = !(there && s->pieces);
    s->page = DATA_DETAIL;
    s->sheet.top = 0;
    return true;
}

static bool splits(struct view *v)
{
    const struct data_view *s = v->state;
    if (!s->file) return false;
    data_hygiene(v, false);
    return true;
}

static bool reload(struct view *v)
{
    struct data_view *s = v->state;
    if (s->page == DATA_HYGIENE && s->file) {
        data_hygiene(v, true);
        return true;
    }
    size_t row = s->file ? data_cursor_row(s) : SIZE_MAX;
    if (s->page == DATA_FILES || !s->file) {
        data_list_sources(v);
        return true;
    }
    data_open(v, s->file->path, s->file->named ? s->file->experiment : NULL, row == SIZE_MAX ? 0 : row + 1);
    return true;
}

static bool show_files(struct view *v)
{
    struct data_view *s = v->state;
    s->page = DATA_FILES;
    data_list_sources(v);
    return true;
}

static bool count_column(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->file) return false;
    if (has_no_columns(v) || filter_is_looking(v)) return true;
    data_count(v, s->column, false);
    return true;
}

static bool measure(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->file) return false;
    if (has_no_columns(v) || filter_is_looking(v)) return true;
    data_walk_stop(v, &s->owner_lengths);
    data_lengths_clear(s);
    data_measure(v);
    return true;
}

static bool sort(struct view *v)
{
    const struct data_view *s = v->state;
    return in_rows(s) && (has_no_columns(v) || data_sort(v));
}

static bool wrap(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->file) return false;
    s->wrap = !s->wrap;
    s->left = 0;
    return true;
}

/* A search, a filter, the detail: the last one goes first. */
static bool escape(struct view *v)
{
    struct data_view *s = v->state;
    if (s->searching) {
        data_walk_stop(v, &s->owner_find);
        s->searching = false;
        s->queued = 0;
        app_say(v->app, ROLE_TEXT, "the search is stopped");
        return true;
    }
    if (s->needle) {
        data_search_clear(s);
        return true;
    }
    if (!s->filter.on) return false;
    data_filter_clear(v);
    return true;
}

static bool enter(struct view *v)
{
    struct data_view *s = v->state;
    if (data_cursor_row(s) == SIZE_MAX) return true;
    s->pieces = false;
    s->sheet.top = 0;
    s->page = DATA_DETAIL;
    return true;
}

static bool act_rows(struct view *v, int action, int count)
{
    if (action == ACT_ESCAPE) return escape(v);
    if (action == ACT_ENTER) return enter(v);
    return data_rows_act(v, action, count);
}

static bool act_lengths(struct view *v, int action, int count)
{
    struct data_view *s = v->state;
    if (action != ACT_ESCAPE && action != ACT_ENTER) return sheet_act(&s->lengths_sheet, action, count);
    data_walk_stop(v, &s->owner_lengths);
    s->page = DATA_ROWS;
    return true;
}

static bool act_page(struct view *v, int action, int count)
{
    const struct data_view *s = v->state;
    if (in_rows(s) && action == ACT_SEARCH) return data_ask_search(v);
    if (in_rows(s) && (action == ACT_NEXT || action == ACT_PREVIOUS))
        return data_search_next(v, action == ACT_PREVIOUS);
    if (in_rows(s) && action == ACT_COPY) return copy_cell(v);
    switch (s->page) {
    case DATA_FILES:
        return data_files_act(v, action, count);
    case DATA_ROWS:
        return act_rows(v, action, count);
    case DATA_DETAIL:
        return data_detail_act(v, action, count);
    case DATA_COUNTS:
        return data_counts_act(v, action, count);
    case DATA_LENGTHS:
        return act_lengths(v, action, count);
    case DATA_HYGIENE:
        return data_hygiene_act(v, action, count);
    }
    return false;
}

static bool act(struct view *v, int action, int count)
{
    static bool (*const own[])(struct view * v) = {
        [A_SORT - ACT_OWN] = sort,
        [A_SPLITS - ACT_OWN] = splits,
        [A_FREQUENCY - ACT_OWN] = count_column,
        [A_LABELS - ACT_OWN] = labels,
        [A_LENGTHS - ACT_OWN] = measure,
        [A_PIECES - ACT_OWN] = pieces,
        [A_WRAP - ACT_OWN] = wrap,
        [A_COPY_ROW - ACT_OWN] = copy_row,
        [A_PREDICTION - ACT_OWN] = prediction,
        [A_RUNS - ACT_OWN] = ask_runs,
        [A_INDEX - ACT_OWN] = index_toggle,
        [A_RELOAD - ACT_OWN] = reload,
        [A_FILES - ACT_OWN] = show_files,
    };
    app_redraw(v->app);
    if (action == A_OPEN) {
        data_ask_path(v);
        return true;
    }
    const struct data_view *s = v->state;
    if (action == A_FILTER) return s->file ? data_ask_filter(v) : false;
    if (action == A_WHERE) return s->file ? data_ask_where(v) : false;
    if (action >= ACT_OWN) return own[action - ACT_OWN](v);
    return act_page(v, action, count);
}

static bool mouse(struct view *v, const struct event *e)
{
    struct data_view *s = v->state;
    app_redraw(v->app);
    if (s->page == DATA_FILES) return data_files_mouse(v, e);
    if (s->page == DATA_COUNTS) return data_counts_mouse(v, e);
    if (s->page == DATA_HYGIENE) return data_hygiene_mouse(v, e);
    bool wheel = e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN;
    if (s->page == DATA_DETAIL || s->page == DATA_LENGTHS) {
        struct sheet *p = s->page == DATA_DETAIL ? &s->sheet : &s->lengths_sheet;
        if (wheel) sheet_scroll(p, e->button == MOUSE_WHEEL_UP ? -3 : 3);
        return wheel;
    }
    size_t before = s->cursor;
    bool taken = s->file && data_rows_mouse(v, e);
    if (taken && e->twice && !wheel && before == s->cursor) return enter(v);
    return taken;
}

/* ── the view ── */

static void draw(struct view *v, struct rect area)
{
    const struct data_view *s = v->state;
    switch (s->file ? s->page : DATA_FILES) {
    case DATA_FILES:
        data_files_draw(v, area);
        break;
    case DATA_ROWS:
        data_rows_draw(v, area);
        break;
    case DATA_DETAIL:
        data_detail_draw(v, area);
        break;
    case DATA_COUNTS:
        data_counts_draw(v, area);
        break;
    case DATA_LENGTHS:
        data_lengths_draw(v, area);
        break;
    case DATA_HYGIENE:
        data_hygiene_draw(v, area);
        break;
    }
}

/* The row of a file that is open is gone to; another file is opened. */
static void receive(struct view *v, const struct app_request *r)
{
    struct data_view *s = v->state;
    if (!r->path) return;
    if (!s->file || strcmp(s->file->path, r->path) != 0) {
        data_open(v, r->path, NULL, r->row);
        return;
    }
    data_sort_clear(v);
    data_filter_clear(v);
    s->page = DATA_ROWS;
    s->wanted = r->row;
    s->left = 0;
    if (r->row && r->row <= bt_table_rows(s->file->table)) {
        data_go_to(s, r->row - 1);
        s->wanted = 0;
    }
}

/* The list is made when it is first looked at, and again when another run is chosen. */
static void tick(struct view *v, double now)
{
    struct data_view *s = v->state;
    const char *run = app_run(v->app);
    (void)now;
    data_hygiene_tick(v);
    data_context_tick(v);
    data_follow_edits(v);
    if (s->page != DATA_FILES || s->opening || !app_runs_known(v->app)) return;
    bool same = run && s->sources_run ? strcmp(run, s->sources_run) == 0 : !run && !s->sources_run;
    if (!s->sources_asked || (!same && !app_pending(v->app, &s->owner_files))) data_list_sources(v);
}

static bool settling(const struct view *v)
{
    const struct data_view *s = v->state;
    bool of_run = s->file && (s->file->run_awaited || app_pending(v->app, &s->owner_context));
    return s->opening || (of_run && app_runs_known(v->app));
}

static bool open_view(struct view *v)
{
    struct data_view *s = v->state;
    for (size_t i = 0; i < DATA_CACHED; i++) s->cached[i].row = SIZE_MAX;
    s->sheet_row = SIZE_MAX;
    return true;
}

static void keep(const struct view *v, struct bt_json_writer *w)
{
    const struct data_view *s = v->state;
    bt_jw_kbool(w, "wrap", s->wrap);
    if (!s->file) return;
    size_t row = data_cursor_row(s);
    bt_jw_ktext(w, "file", s->file->path);
    if (s->file->experiment) bt_jw_ktext(w, "experiment", s->file->experiment);
    bt_jw_kint(w, "row", row == SIZE_MAX ? 0 : (int64_t)row + 1);
}

static void restore(struct view *v, const struct bt_json *kept)
{
    struct data_view *s = v->state;
    const char *path = bt_json_text(bt_json_get(kept, "file"), NULL);
    int64_t row = bt_json_int(bt_json_get(kept, "row"), 0);
    if (!kept) return;
    s->wrap = bt_json_bool(bt_json_get(kept, "wrap"), false);
    if (!path || !bt_path_exists(path)) return;
    s->kept = (struct data_kept){.path = bt_strdup(path),
                                 .experiment = bt_strdup(bt_json_text(bt_json_get(kept, "experiment"), NULL)),
                                 .row = row > 0 ? (size_t)row : 0};
}

static void forget_kept(struct data_view *s)
{
    free(s->kept.path);
    free(s->kept.experiment);
    s->kept = (struct data_kept){.path = NULL};
}

static void shown(struct view *v)
{
    struct data_view *s = v->state;
    if (s->kept.path && !s->file && !s->opening) data_open(v, s->kept.path, s->kept.experiment, s->kept.row);
    forget_kept(s);
}

static void close_view(struct view *v)
{
    struct data_view *s = v->state;
    data_close_file(v);
    data_sources_clear(s);
    sheet_free(&s->sheet);
    sheet_free(&s->lengths_sheet);
    data_search_clear(s);
    data_hygiene_clear(s);
    data_given_clear(s);
    forget_kept(s);
    free(s->opening);
}

static void hints(struct view *v, struct bt_str *out)
{
    static const char *const text[] = {
        [DATA_FILES] = "Enter open  o path  y copy the path  R look again",
        [DATA_ROWS] = "Enter row  / search  & F filter  s sort  f values  L labels  H lengths  w pieces",
        [DATA_DETAIL] = "↑ ↓ row  PgDn scroll  w pieces  y copy  p prediction  P of a run  Esc back",
        [DATA_COUNTS] = "Enter the rows  y copy  Esc back",
        [DATA_LENGTHS] = "PgDn scroll  Esc back",
        [DATA_HYGIENE] = "Enter the rows  R look again  Esc back",
    };
    const struct data_view *s = v->state;
    bt_str_add(out, text[s->file ? s->page : DATA_FILES]);
}

static const struct action signs[] = {
    {.keys = "!", .help = "a row that cannot be parsed, or has other cells than the file has columns"},
    {.keys = "›", .help = "the cursor's column; at the right edge, more columns"},
    {.keys = "↑ ↓", .help = "the rows are in the order of this column"},
    {.keys = "⟦…⟧", .help = "the aspect in its text"},
    {.keys = "«…»", .help = "the answer in its passage"},
    {.keys = NULL},
};

const struct view_ops view_data = {
    .name = "Data",
    .size = sizeof(struct data_view),
    .panes = 1,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .signs = signs,
    .open = open_view,
    .close = close_view,
    .shown = shown,
    .receive = receive,
    .settling = settling,
    .keep = keep,
    .restore = restore,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .tick = tick,
    .hints = hints,
};
