/* The pane about one run: its error, what differs from the reference, its metrics, the end of its log. */
#include "tui/views/runs_view.h"

#include <bertty/compare.h>
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/text.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_BYTES = 8192, TALL = 14, TWO_COLUMNS = 100 };
static const double LIVE_S = 2.0; /* how often the facts of a running run are read anew */

void runs_facts_clear(struct runs_facts *f)
{
    for (size_t i = 0; i < f->n_settings; i++) {
        free(f->setting[i].other);
        free(f->setting[i].here);
    }
    for (size_t i = 0; i < f->n_metrics; i++) free(f->metric[i].name);
    free(f->setting);
    free(f->metric);
    free(f->dir);
    free(f->reference);
    free(f->fault);
    bt_str_free(&f->log);
    *f = (struct runs_facts){.dir = NULL};
}

/* ── reading ── */

struct reading {
    struct view *v;
    struct runs_facts facts;
};

static struct bt_experiment *experiment_of(const char *dir, struct bt_error *err)
{
    struct bt_experiment *x = NULL;
    if (bt_run_experiment(dir, &x, err) == BT_NOTFOUND && err) *err = (struct bt_error){.status = BT_OK};
    return x;
}

/* Beside the defaults: the metric that decides where nobody says otherwise, too. */
static bool says_nothing(const struct bt_experiment *x, size_t i, bool reference)
{
    if (reference || i != BT_OPTION_eval_metric_for_best_model) return bt_option_repeats(x, i);
    const char *metric = x->eval_metric_for_best_model;
    return strcmp(metric ? metric : "", bt_experiment_metric(x)) == 0;
}

static bool is_path(size_t i)
{
    return i == BT_OPTION_model_name_or_path || i == BT_OPTION_data_train_file ||
           i == BT_OPTION_data_validation_file || i == BT_OPTION_data_test_file ||
           i == BT_OPTION_data_class_names_file || i == BT_OPTION_data_label_decisions;
}

char *runs_setting(const struct bt_experiment *x, size_t i)
{
    struct bt_str text = {.data = NULL};
    bt_experiment_get(x, &bt_options(NULL)[i], &text);
    char *all = bt_str_take(&text);
    bool single = all && is_path(i) && all[0] == '/';
    char *shown = single ? bt_strdup(bt_path_base(all)) : NULL;
    if (!shown) return all;
    free(all);
    return shown;
}

static void add_setting(struct runs_facts *f, size_t i, const struct bt_experiment *other,
                        const struct bt_experiment *x)
{
    struct runs_setting *more = realloc(f->setting, (f->n_settings + 1) * sizeof *more);
    if (!more) return;
    f->setting = more;
    f->setting[f->n_settings++] = (struct runs_setting){
        .name = bt_options(NULL)[i].name, .other = runs_setting(other, i), .here = runs_setting(x, i)};
}

/* What one tries values of; the rest says what the run is about. */
static bool is_tuned(size_t i)
{
    return strcmp(bt_options(NULL)[i].group, "data") != 0 && i != BT_OPTION_task_labels &&
           i != BT_OPTION_model_name_or_path;
}

static void read_settings(struct runs_facts *f, struct bt_error *err)
{
    struct bt_experiment *x = experiment_of(f->dir, err), *other = NULL;
    f->has_settings = x != NULL;
    if (f->reference)
        other = experiment_of(f->reference, err);
    else
        (void)bt_experiment_new(&other, err);
    for (int tuned = 1; tuned >= 0; tuned--)
        for (size_t i = 0; x && other && i < BT_OPTIONS; i++) {
            bool told = is_tuned(i) == (tuned == 1) && !says_nothing(x, i, f->reference != NULL);
            if (told && !bt_experiment_equal(x, other, &bt_options(NULL)[i])) add_setting(f, i, other, x);
        }
    bt_experiment_free(x);
    bt_experiment_free(other);
}

static void read_metrics(struct runs_facts *f, struct bt_error *err)
{
    const char *dir = f->dir;
    struct bt_compare *c;
    if (bt_compare_load(&(struct bt_run_at){.dir = dir, .step = BT_STEP_NONE}, 1, &c, err)) return;
    f->metric = calloc(c->n_metrics + 1, sizeof *f->metric);
    for (size_t i = 0; f->metric && i < c->n_metrics; i++) {
        if (isnan(c->metric[i].value[0])) continue;
        f->metric[f->n_metrics++] =
            (struct runs_metric){.name = bt_strdup(c->metric[i].name), .value = c->metric[i].value[0]};
    }
    bt_compare_free(c);
}

enum { DEEPEST = 8 /* folders in each other: a run has two */ };

/* Bytes of the files in an open directory, which is closed; links are not followed. */
static double bytes_in(int fd, int depth, const atomic_bool *cancel)
{
    double bytes = 0.0;
    DIR *d = fdopendir(fd);
    if (!d) {
        if (fd >= 0) close(fd);
        return 0.0;
    }
    for (struct dirent *e; !atomic_load(cancel) && (e = readdir(d));) {
        struct stat info;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (fstatat(dirfd(d), e->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (S_ISREG(info.st_mode)) bytes += (double)info.st_size;
        if (!S_ISDIR(info.st_mode) || depth == DEEPEST) continue;
        int below = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        bytes += bytes_in(below, depth + 1, cancel);
    }
    closedir(d);
    return bytes;
}

static double bytes_below(const char *dir, const atomic_bool *cancel)
{
    return bytes_in(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, cancel);
}

static void read_facts(void *ctx, const atomic_bool *cancel)
{
    struct reading *r = ctx;
    struct bt_error err = {.status = BT_OK};
    int64_t offset = -1;
    read_settings(&r->facts, &err);
    if (!atomic_load(cancel)) read_metrics(&r->facts, &err);
    if (!atomic_load(cancel)) (void)bt_run_log(r->facts.dir, &offset, LOG_BYTES, &r->facts.log, NULL);
    r->facts.bytes = bytes_below(r->facts.dir, cancel);
    if (err.status) r->facts.fault = bt_strdup(err.text);
}

static void facts_read(void *ctx, bool cancelled)
{
    struct reading *r = ctx;
    struct runs_view *s = runs_of(r->v);
    if (!cancelled) {
        if (!s->facts.dir || strcmp(s->facts.dir, r->facts.dir) != 0) s->detail_top = 0;
        struct runs_facts old = s->facts;
        s->facts = r->facts;
        r->facts = old;
        app_redraw(r->v->app);
    }
    runs_facts_clear(&r->facts);
    free(r);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void runs_detail_tick(struct view *v, double now)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_status *here = runs_here(v);
    if (!here || app_pending(v->app, &s->facts)) return;
    bool current = same(s->facts.dir, here->dir) && same(s->facts.reference, s->reference);
    bool moved = here->step != s->facts_step && now - s->facts_at >= LIVE_S;
    if (current && !moved) return;
    struct reading *r = calloc(1, sizeof *r);
    if (!r) return;
    r->v = v;
    r->facts.dir = bt_strdup(here->dir);
    r->facts.reference = bt_strdup(s->reference);
    s->facts_at = now;
    s->facts_step = bt_run_state_alive(here->state) ? -1 : here->step;
    struct app_task t = {.run = read_facts, .done = facts_read, .ctx = r, .owner = &s->facts};
    if (r->facts.dir && app_submit(v->app, &t)) return;
    runs_facts_clear(&r->facts);
    free(r);
}

/* ── drawing ── */

/* Where the next line goes; lines above the pane are counted only. */
struct page {
    struct view *v;
    struct rect r;
    int y; /* line of the whole, from 0 */
    bool tall;
};

static void line(struct page *p, int x, enum role role, const char *text, size_t n)
{
    int y = p->y - runs_of(p->v)->detail_top;
    if (y >= 0 && y < p->r.h) term_text(app_term(p->v->app), p->r, y, x, role, text, n);
}

static void heading(struct page *p, const char *text)
{
    line(p, 0, ROLE_TITLE, text, strlen(text));
    p->y++;
}

/* Bytes of the beginning that are at most so wide, at least 1. Halving: a long note is no slower. */
static size_t fitting(const char *text, size_t n, int columns)
{
    size_t low = 1, most = 8 * (size_t)(columns > 0 ? columns : 1), high = n < most ? n : most;
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (bt_text_width(text, middle) <= columns)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static void wrapped(struct page *p, enum role role, const char *text)
{
    size_t n = strlen(text);
    while (n) {
        size_t fits = fitting(text, n, p->r.w);
        if (fits < n) {
            size_t space = fits;
            while (space > 1 && text[space] != ' ') space--;
            if (space > 1) fits = space;
            while (fits > 1 && ((unsigned char)text[fits] & 0xc0) == 0x80) fits--;
        }
        line(p, 0, role, text, fits);
        p->y++;
        text += fits;
        n -= fits;
        while (n && *text == ' ') {
            text++;
            n--;
        }
    }
}

/* Words side by side, as many as fit into a line, in at most so many lines. */
struct flow {
    struct page *page;
    int x, lines; /* lines left, this one too */
};

static void flow_break(struct flow *f)
{
    if (!f->x) return;
    f->page->y++;
    f->x = 0;
    f->lines--;
}

static void flow_add(struct flow *f, enum role role, const char *name, const char *value)
{
    int a = bt_text_width(name, strlen(name)), b = bt_text_width(value, strlen(value)),
        width = a + (b ? 1 + b : 0), room = f->page->r.w - (f->lines == 1 ? 2 : 0);
    if (f->lines <= 0) return;
    if (f->x && f->x + width > room && f->lines == 1) {
        line(f->page, f->x - 1, ROLE_DIM, "…", strlen("…"));
        flow_break(f);
        return;
    }
    if (f->x && f->x + width > room) flow_break(f);
    line(f->page, f->x, ROLE_DIM, name, strlen(name));
    line(f->page, f->x + a + 1, role, value, strlen(value));
    f->x += width + 2;
}

/* A heading: on a line of its own, or as the first words. */
static struct flow flow_start(struct page *p, const char *title, int lines)
{
    struct flow f = {.page = p, .lines = p->tall ? 1000 : lines};
    if (p->tall) {
        heading(p, title);
    } else {
        line(p, 0, ROLE_TITLE, title, strlen(title));
        f.x = bt_text_width(title, strlen(title)) + 2;
    }
    return f;
}

/* "tags base paper · the note" */
static void draw_notes(struct page *p, const struct bt_notes *n)
{
    struct bt_str text = {.data = NULL};
    if (n->n_tags) bt_str_add(&text, "tags");
    for (size_t i = 0; i < n->n_tags; i++) bt_str_addf(&text, " %s", n->tag[i]);
    if (n->note) bt_str_addf(&text, "%s%s", n->n_tags ? " · " : "note ", n->note);
    if (text.len) wrapped(p, ROLE_TEXT, bt_str_text(&text));
    if (n->fault) wrapped(p, ROLE_WARN, n->fault);
    bt_str_free(&text);
}

static void draw_status(struct page *p, const struct bt_run_status *s)
{
    struct bt_str text = {.data = NULL};
    char glyph[4], number[PLOT_TICK_TEXT];
    size_t n = bt_utf8_encode((int32_t)runs_state_glyph(s, term_unicode(app_term(p->v->app))), glyph);
    bt_str_addf(&text, "%.*s %s", (int)n, glyph, bt_run_state_name(s->state));
    if (s->baseline) bt_str_addf(&text, " · %s baseline, without a model", s->baseline);
    if (s->place) bt_str_addf(&text, " %lld", (long long)s->place);
    if (s->total > 0) bt_str_addf(&text, " · step %lld of %lld", (long long)s->step, (long long)s->total);
    if (s->steered) bt_str_add(&text, " · *steered: a setting was changed on the way");
    if (s->metric && !isnan(s->best)) {
        plot_value(number, sizeof number, s->best);
        bt_str_addf(&text, " · best %s %s at step %lld", s->metric, number, (long long)s->best_step);
    }
    wrapped(p, runs_state_role(s), bt_str_text(&text));
    draw_notes(p, &s->notes);
    if (s->state == BT_RUN_QUEUED) {
        bt_str_clear(&text);
        runs_queue_why(p->v, s, &text);
        wrapped(p, ROLE_TEXT, bt_str_text(&text));
    }
    if (s->error) wrapped(p, bt_run_state_alive(s->state) ? ROLE_WARN : ROLE_BAD, s->error);
    bt_str_free(&text);
}

static void draw_settings(struct page *p, const struct runs_facts *f, int lines)
{
    struct bt_str text = {.data = NULL};
    if (!f->has_settings) {
        line(p, 0, ROLE_DIM, "settings unknown: no experiment.yaml",
             strlen("settings unknown: no experiment.yaml"));
        p->y++;
        return;
    }
    bt_str_addf(&text, f->n_settings ? "changed from %s" : "the same settings as %s",
                f->reference ? bt_path_base(f->reference) : "the defaults");
    struct flow flow = flow_start(p, bt_str_text(&text), lines);
    for (size_t i = 0; i < f->n_settings; i++) {
        const struct runs_setting *s = &f->setting[i];
        bt_str_clear(&text);
        if (f->reference) bt_str_addf(&text, "%s → ", s->other ? s->other : "");
        bt_str_add(&text, s->here ? s->here : "");
        flow_add(&flow, ROLE_ACCENT, s->name, bt_str_text(&text));
        if (p->tall) flow_break(&flow);
    }
    flow_break(&flow);
    bt_str_free(&text);
}

static void draw_metrics(struct page *p, const struct runs_facts *f, int lines)
{
    char number[PLOT_TICK_TEXT];
    if (f->n_metrics == 0) return;
    struct flow flow = flow_start(p, "metrics", lines);
    for (size_t i = 0; i < f->n_metrics; i++) {
        const char *name = f->metric[i].name ? f->metric[i].name : "";
        plot_value(number, sizeof number, f->metric[i].value);
        flow_add(&flow, ROLE_TEXT, strncmp(name, "eval/", 5) == 0 ? name + 5 : name, number);
    }
    flow_break(&flow);
}

/* The last lines, so many that the rest of the pane is filled (at least three). */
static void draw_log(struct page *p, const struct runs_facts *f)
{
    const char *text = bt_str_text(&f->log), *end = text + f->log.len;
    int room = p->r.h - p->y - 1, least = p->tall ? 3 : 2;
    if (end > text && end[-1] == '\n') end--;
    if (end == text) return;
    const char *from = end;
    for (int lines = 0; lines < (room > least ? room : least) && from > text; lines++) {
        if (lines) from--; /* the newline before what is shown */
        while (from > text && from[-1] != '\n') from--;
    }
    heading(p, "log");
    while (from < end) {
        const char *newline = memchr(from, '\n', (size_t)(end - from));
        size_t n = newline ? (size_t)(newline - from) : (size_t)(end - from);
        line(p, 0, ROLE_DIM, from, n);
        p->y++;
        from += n + 1;
    }
}

/* Beneath each other, or the log on the right where there is room. */
static void draw_facts(struct page *p, const struct runs_facts *f)
{
    struct page log = *p;
    bool two = p->r.w >= TWO_COLUMNS;
    if (two) {
        p->r.w = p->r.w / 2 - 1;
        log.r.x += p->r.w + 2;
        log.r.w -= p->r.w + 2;
        draw_log(&log, f);
    }
    p->y += p->tall;
    draw_settings(p, f, two && p->r.h > 8 ? p->r.h - 5 : 3);
    p->y += p->tall;
    draw_metrics(p, f, two ? 4 : 2);
    p->y += p->tall;
    if (!two) draw_log(p, f);
    if (log.y > p->y) p->y = log.y;
}

void runs_detail_draw(struct view *v, struct rect inside)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_status *here = runs_here(v);
    struct page p = {.v = v, .r = inside, .tall = inside.h >= TALL && inside.w < TWO_COLUMNS};
    s->detail_page = inside.h;
    if (!here) return;
    if (s->detail_top > 0 && s->detail_top > s->detail_lines - inside.h)
        s->detail_top = s->detail_lines > inside.h ? s->detail_lines - inside.h : 0;
    draw_status(&p, here);
    if (same(s->facts.dir, here->dir)) {
        if (s->facts.fault && here->state != BT_RUN_UNKNOWN) wrapped(&p, ROLE_WARN, s->facts.fault);
        draw_facts(&p, &s->facts);
    } else {
        line(&p, 0, ROLE_DIM, "…", strlen("…"));
        p.y++;
    }
    s->detail_lines = p.y;
}
