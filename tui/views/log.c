/* The log of the chosen run, and what its process printed: followed while it grows, searched, copied. */
#include "tui/empty.h"
#include "tui/layout.h"
#include "tui/list.h"
#include "tui/view.h"
#include "tui/views/log_text.h"
#include <bertty/file.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { READ_BYTES = 1 << 20, MOST_BYTES = 8 << 20 };
enum { LOG_FOLLOW = ACT_OWN, LOG_WRAP, LOG_SOURCE, LOG_RUN };

static const struct action actions[] = {
    {.id = LOG_FOLLOW, .name = "follow", .keys = "f", .help = "follow the end as it grows, or stand still"},
    {.id = LOG_WRAP, .name = "wrap", .keys = "w", .help = "long lines whole, or cut at the edge"},
    {.id = LOG_SOURCE, .name = "output", .keys = "o", .help = "the log, or what the process printed"},
    {.id = LOG_RUN, .name = "run", .keys = "r", .help = "choose another run"},
};

struct log_view {
    char *dir;   /* of the run that is shown; NULL: none */
    bool output; /* launch.log, not log.txt */
    int64_t offset;
    struct log_text text;
    struct list list;
    bool follow, wrap, loaded;
    char *error;
    struct log_pattern pattern;
    size_t before_search; /* the cursor when / was pressed */
    bool followed_before;
    char **choice; /* directories offered by LOG_RUN */
    size_t n_choices;
};

/* ── reading ── */

struct log_read {
    struct view *view;
    char *dir;
    bool output;
    int64_t offset;
    struct bt_str text;
    bool anew; /* text replaces what was there */
    enum bt_status status;
    struct bt_error err;
};

/* What the process printed is short: read whole when its size has changed. */
static void read_output(struct log_read *r)
{
    char *path = bt_path_join(r->dir, "launch.log"), *data = NULL;
    struct stat info;
    size_t n = 0;
    bool there = path && lstat(path, &info) == 0;
    if (there && info.st_size != r->offset) {
        r->status = bt_file_read(path, MOST_BYTES, &data, &n, &r->err);
        if (r->status == BT_OK) bt_str_addn(&r->text, data, n);
        r->offset = info.st_size;
        r->anew = true;
    }
    free(data);
    free(path);
}

static void read_log(void *ctx, const atomic_bool *cancel)
{
    struct log_read *r = ctx;
    int64_t before = r->offset;
    (void)cancel;
    if (r->output) {
        read_output(r);
        return;
    }
    r->status = bt_run_log(r->dir, &r->offset, READ_BYTES, &r->text, &r->err);
    r->anew = before < 0 || r->offset < before; /* a shorter file is another one */
}

static void submit(struct view *v);

static void take_text(struct log_view *s, struct log_read *r)
{
    if (r->anew) log_text_clear(&s->text);
    size_t dropped = log_text_add(&s->text, bt_str_text(&r->text), r->text.len, MOST_BYTES);
    s->list.cursor = s->list.cursor > dropped ? s->list.cursor - dropped : 0;
    s->list.top = s->list.top > dropped ? s->list.top - dropped : 0;
    list_resize(&s->list, s->text.n_lines);
    if (s->follow) list_act(&s->list, ACT_END, 1);
}

static bool same_error(const struct log_view *s, const struct log_read *r)
{
    const char *text = r->status == BT_OK ? "" : r->err.text;
    return strcmp(s->error ? s->error : "", text) == 0;
}

static void log_was_read(void *ctx, bool cancelled)
{
    struct log_read *r = ctx;
    struct log_view *s = r->view->state;
    bool current = !cancelled && s->dir && strcmp(s->dir, r->dir) == 0 && s->output == r->output;
    bool changed = current && (!s->loaded || r->anew || r->text.len || !same_error(s, r));
    if (changed) {
        s->loaded = true;
        s->offset = r->offset;
        free(s->error);
        s->error = r->status == BT_OK ? NULL : bt_strdup(r->err.text);
        take_text(s, r);
        app_redraw(r->view->app);
    }
    if (changed && r->text.len && !r->output) submit(r->view);
    bt_str_free(&r->text);
    free(r->dir);
    free(r);
}

static void submit(struct view *v)
{
    struct log_view *s = v->state;
    struct log_read *r = calloc(1, sizeof *r);
    if (!r || !(r->dir = bt_strdup(s->dir))) {
        free(r);
        return;
    }
    r->view = v;
    r->output = s->output;
    r->offset = s->offset;
    struct app_task task = {.run = read_log, .done = log_was_read, .ctx = r, .owner = v};
    if (app_submit(v->app, &task)) return;
    free(r->dir);
    free(r);
}

/* ── which run ── */

static void start_over(struct log_view *s)
{
    log_text_clear(&s->text);
    s->list = (struct list){0};
    free(s->error);
    s->error = NULL;
    s->offset = -1;
    s->loaded = false;
    s->follow = true;
}

static void show_run(struct view *v, const char *dir)
{
    struct log_view *s = v->state;
    if (dir && s->dir && strcmp(dir, s->dir) == 0) return;
    if (!dir && !s->dir) return;
    free(s->dir);
    s->dir = bt_strdup(dir);
    s->output = false;
    start_over(s);
    app_redraw(v->app);
}

static void tick(struct view *v, double now)
{
    struct log_view *s = v->state;
    (void)now;
    show_run(v, app_run(v->app));
    if (s->dir && app_pending(v->app, v) == 0) submit(v);
}

static void receive(struct view *v, const struct app_request *r)
{
    if (r->run) app_choose_run(v->app, r->run);
    tick(v, 0);
}

static void forget_choice(struct log_view *s)
{
    for (size_t i = 0; i < s->n_choices; i++) free(s->choice[i]);
    free(s->choice);
    s->choice = NULL;
    s->n_choices = 0;
}

static void run_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct log_view *s = v->state;
    if (index >= 0 && (size_t)index < s->n_choices) app_choose_run(v->app, s->choice[index]);
    forget_choice(s);
    tick(v, 0);
}

static void choose_run(struct view *v)
{
    struct log_view *s = v->state;
    const struct bt_run_list *runs = app_runs(v->app);
    const char **ids = calloc(runs->n + 1, sizeof *ids);
    forget_choice(s);
    s->choice = calloc(runs->n + 1, sizeof *s->choice);
    for (size_t i = 0; ids && s->choice && i < runs->n; i++) {
        ids[i] = runs->run[i].id;
        if ((s->choice[i] = bt_strdup(runs->run[i].dir))) s->n_choices++;
    }
    if (s->n_choices) app_choose(v->app, "Log of which run?", ids, s->n_choices, run_chosen, v);
    free(ids);
}

/* ── drawing ── */

static enum role role_of(const char *line, size_t n)
{
    static const enum role roles[] = {
        [LOG_PLAIN] = ROLE_TEXT, [LOG_GOOD] = ROLE_GOOD, [LOG_WARNING] = ROLE_WARN, [LOG_ERROR] = ROLE_BAD};
    return roles[log_kind(line, n)];
}

static int rows_of(const struct log_view *s, size_t line, int width)
{
    size_t n;
    const char *text = log_text_line(&s->text, line, &n);
    int w = s->wrap ? bt_text_width(text, n) : 0;
    return w > width && width > 0 ? (w + width - 1) / width : 1;
}

static void paint_matches(struct view *v, struct rect row, const char *line, size_t n, int skip)
{
    struct log_view *s = v->state;
    size_t begin, end;
    for (size_t at = 0; log_pattern_match(&s->pattern, line, n, at, &begin, &end);
         at = end > begin ? end : end + 1) {
        int x = bt_text_width(line, begin) - skip, w = bt_text_width(line + begin, end - begin);
        if (x < 0) {
            w += x;
            x = 0;
        }
        if (w > 0) term_paint(app_term(v->app), row, 0, x, w, ROLE_MARK);
    }
}

/* One row of a line: its columns from skip on. */
static void draw_row(struct view *v, struct rect row, size_t line, int skip)
{
    struct log_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str part = {0};
    size_t n;
    const char *text = log_text_line(&s->text, line, &n);
    bool last = !s->wrap;
    bt_text_slice(&part, text, n, skip, last ? bt_text_width(text, n) : row.w);
    term_text(t, row, 0, 0, role_of(text, n), bt_str_text(&part), part.len);
    bt_str_free(&part);
    paint_matches(v, row, text, n, skip);
    if (line == s->list.cursor && !s->follow) term_paint(t, row, 0, 0, row.w, ROLE_CURSOR);
}

/* Long lines take several rows: the first one shown is moved until the cursor's line ends in sight. */
static void keep_cursor_in_sight(struct log_view *s, struct rect in)
{
    int rows = 0;
    for (size_t i = s->list.cursor + 1; i-- > s->list.top;) {
        rows += rows_of(s, i, in.w);
        if (rows <= in.h) continue;
        s->list.top = i < s->list.cursor ? i + 1 : i;
        return;
    }
}

static void draw_lines(struct view *v, struct rect in)
{
    struct log_view *s = v->state;
    int y = 0;
    s->list.at = in;
    s->list.page = in.h;
    list_resize(&s->list, s->text.n_lines);
    if (s->follow) list_act(&s->list, ACT_END, 1);
    if (s->wrap) keep_cursor_in_sight(s, in);
    s->list.wide = 0;
    for (size_t i = s->list.top; i < s->text.n_lines && y < in.h; i++) {
        int rows = rows_of(s, i, in.w);
        for (int part = 0; part < rows && y < in.h; part++, y++) {
            struct rect row = {.y = in.y + y, .x = in.x, .h = 1, .w = in.w};
            draw_row(v, row, i, s->wrap ? part * in.w : s->list.left);
        }
        size_t n;
        const char *text = log_text_line(&s->text, i, &n);
        int hidden = s->wrap ? 0 : bt_text_width(text, n) - in.w;
        if (hidden > s->list.wide) s->list.wide = hidden;
    }
}

static void draw_empty(struct view *v, struct rect in)
{
    static const struct empty
        no_run = {.role = ROLE_TEXT,
                  .missing = "There is no log yet.",
                  .advice = {"It begins with the first run: choose a file in 3 Experiment and launch it."}},
        silent = {.role = ROLE_TEXT,
                  .missing = "The process has printed nothing.",
                  .advice = {"o goes back to the log."}},
        no_log = {.role = ROLE_TEXT,
                  .missing = "This run has no log.",
                  .advice = {"r chooses another run, o shows what its process printed."}};
    const struct log_view *s = v->state;
    const struct empty failed = {.role = ROLE_BAD, .missing = s->error};
    struct term *t = app_term(v->app);
    if (s->error)
        empty_draw(t, in, &failed);
    else if (!s->dir && app_runs_known(v->app))
        empty_draw(t, in, &no_run);
    else if (s->loaded)
        empty_draw(t, in, s->output ? &silent : &no_log);
}

static char *title(const struct log_view *s)
{
    struct bt_str out = {0};
    bt_str_add(&out, s->output ? "Output" : "Log");
    if (s->dir) bt_str_addf(&out, " · %s", bt_path_base(s->dir));
    if (s->follow && s->text.n_lines) bt_str_add(&out, " · following");
    if (!s->follow && s->text.n_lines)
        bt_str_addf(&out, " · line %zu of %zu", s->text.forgotten + s->list.cursor + 1,
                    s->text.forgotten + s->text.n_lines);
    if (s->pattern.text) bt_str_addf(&out, " · %s%s", s->pattern.text[0] == '/' ? "" : "/", s->pattern.text);
    return bt_str_take(&out);
}

static void draw(struct view *v, struct rect area)
{
    struct log_view *s = v->state;
    char *text = title(s);
    struct rect in = term_box(app_term(v->app), area, text, true);
    free(text);
    if (s->text.n_lines)
        draw_lines(v, in);
    else
        draw_empty(v, in);
}

/* ── searching ── */

static bool find_from(struct view *v, size_t from, int by)
{
    struct log_view *s = v->state;
    size_t found;
    if (!s->text.n_lines || !log_search(&s->text, &s->pattern, from % s->text.n_lines, by, &found))
        return false;
    s->follow = false;
    s->list.cursor = found;
    list_resize(&s->list, s->text.n_lines);
    return true;
}

static bool find_next(struct view *v, int by)
{
    struct log_view *s = v->state;
    size_t n = s->text.n_lines;
    if (!s->pattern.text || !n) {
        app_say(v->app, ROLE_DIM,
                s->pattern.text ? "there is nothing to search" : "nothing to search for: / first");
        return true;
    }
    if (!find_from(v, by > 0 ? s->list.cursor + 1 : s->list.cursor + n - 1, by))
        app_say(v->app, ROLE_WARN, "'%s' is not in the log", s->pattern.text);
    return true;
}

static void look_for(struct view *v, const char *text)
{
    struct log_view *s = v->state;
    struct bt_error err = {0};
    s->list.cursor = s->before_search;
    s->follow = s->followed_before;
    if (log_pattern_set(&s->pattern, text, &err) != BT_OK)
        app_say_error(v->app, &err);
    else if (*text)
        find_from(v, s->before_search, 1);
}

/* An expression is looked for when it ends. */
static void search_changed(void *ctx, const char *text)
{
    look_for(ctx, bt_regex_unfinished(text) ? "" : text);
}

static void search_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct log_view *s = v->state;
    look_for(v, text ? text : "");
    size_t found;
    if (text && *text && s->text.n_lines && !log_search(&s->text, &s->pattern, 0, 1, &found))
        app_say(v->app, ROLE_WARN, "'%s' is not in the log", text);
}

static bool search(struct view *v)
{
    struct log_view *s = v->state;
    s->before_search = s->list.cursor;
    s->followed_before = s->follow;
    app_ask(v->app, &(struct app_prompt){.what = "/ (text, or /re/): ",
                                         .history = "search",
                                         .done = search_done,
                                         .changed = search_changed,
                                         .check = app_check_pattern,
                                         .ctx = v});
    return true;
}

/* ── actions ── */

static bool copy_line(struct view *v)
{
    struct log_view *s = v->state;
    size_t n;
    if (!s->text.n_lines) return false;
    const char *line = log_text_line(&s->text, s->list.cursor, &n);
    term_copy(app_term(v->app), line, n);
    app_say(v->app, ROLE_GOOD, "the line is in the clipboard");
    return true;
}

static bool escape(struct log_view *s)
{
    if (!s->pattern.text) return false;
    log_pattern_clear(&s->pattern);
    return true;
}

static bool move_in(struct log_view *s, int action, int count)
{
    bool moved = list_act(&s->list, action, count);
    bool sideways = action == ACT_LEFT || action == ACT_RIGHT;
    if (moved && !sideways) s->follow = s->list.n && s->list.cursor + 1 == s->list.n && action != ACT_UP;
    return moved;
}

static bool act(struct view *v, int action, int count)
{
    struct log_view *s = v->state;
    switch (action) {
    case LOG_FOLLOW:
        s->follow = !s->follow;
        return true;
    case LOG_WRAP:
        s->wrap = !s->wrap;
        s->list.left = 0;
        return true;
    case LOG_SOURCE:
        s->output = !s->output;
        start_over(s);
        tick(v, 0);
        return true;
    case LOG_RUN:
        choose_run(v);
        return true;
    case ACT_SEARCH:
        return search(v);
    case ACT_NEXT:
    case ACT_PREVIOUS:
        return find_next(v, action == ACT_NEXT ? 1 : -1);
    case ACT_COPY:
        return copy_line(v);
    case ACT_ESCAPE:
        return escape(s);
    default:
        return move_in(s, action, count);
    }
}

static bool mouse(struct view *v, const struct event *e)
{
    struct log_view *s = v->state;
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN)
        return move_in(s, e->button == MOUSE_WHEEL_UP ? ACT_UP : ACT_DOWN, 3);
    bool press = e->button == MOUSE_LEFT && !e->release && !e->drag;
    if (!press || !layout_in(s->list.at, e->y, e->x)) return false;
    size_t row = s->list.top;
    for (int y = s->list.at.y; row < s->list.n; row++)
        if ((y += rows_of(s, row, s->list.at.w)) > e->y) break;
    if (row == s->list.n) return false;
    s->list.cursor = row;
    s->follow = false;
    return true;
}

static bool open_log(struct view *v)
{
    struct log_view *s = v->state;
    s->offset = -1;
    s->follow = true;
    return true;
}

static void keep(const struct view *v, struct bt_json_writer *w)
{
    const struct log_view *s = v->state;
    bt_jw_kbool(w, "wrap", s->wrap);
}

static void restore(struct view *v, const struct bt_json *kept)
{
    struct log_view *s = v->state;
    s->wrap = bt_json_bool(bt_json_get(kept, "wrap"), s->wrap);
}

static void close_log(struct view *v)
{
    struct log_view *s = v->state;
    log_text_clear(&s->text);
    log_pattern_clear(&s->pattern);
    forget_choice(s);
    free(s->dir);
    free(s->error);
}

static const int idle[] = {ACT_ENTER, ACT_NONE};

const struct view_ops view_log = {
    .name = "Log",
    .size = sizeof(struct log_view),
    .panes = 1,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .idle = idle,
    .open = open_log,
    .keep = keep,
    .restore = restore,
    .close = close_log,
    .receive = receive,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .tick = tick,
};
