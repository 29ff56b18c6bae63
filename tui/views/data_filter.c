/* Filters over the whole file, in the background: rows that hold a text, have a value, or fulfil an expression. */
#include "tui/views/data_view.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    STEPS = 256,         /* looks at DATA_STEP_BYTES in one slice */
    MOST_FOUND = 1 << 16 /* rows that one slice hands over */
};

/* ── looking ── */

struct filtering {
    struct data_walk walk;
    char *needle;
    ptrdiff_t column;
    enum data_match match;
    struct bt_regex *regex;       /* DATA_HOLDS */
    struct bt_row_filter *filter; /* DATA_WHERE */
    struct data_words words;      /* for pieces() */
    bool narrows;                 /* only rows that are in: */
    struct row_set within;
    struct bt_encoding encoding;
    struct bt_row row;
    size_t *found, n; /* of the last slice */
};

static void filtering_free(struct data_walk *w)
{
    struct filtering *f = (struct filtering *)w;
    bt_row_free(&f->row);
    bt_regex_free(f->regex);
    bt_row_filter_free(f->filter);
    bt_encoding_free(&f->encoding);
    row_set_free(&f->within);
    free(f->needle);
    free(f->found);
    free(f);
}

static bool is_other(void *ctx, const char *label, size_t n)
{
    const char *needle = ctx;
    return strlen(needle) != n || memcmp(label, needle, n) != 0;
}

/* Whether a row that holds the needle has it as a label. */
static bool has_label(struct filtering *f, size_t row)
{
    struct data_file *file = f->walk.file;
    size_t column = (size_t)f->column;
    if (bt_table_row(file->table, row, &f->row, NULL) != BT_OK || column >= f->row.n) return false;
    return !data_each_label(file->separator, f->row.cell[column], f->row.cell_n[column], is_other, f->needle);
}

enum { AT_ONCE = 256 /* rows found while the lock is held */ };

static bool belongs(struct filtering *f, size_t row)
{
    size_t i;
    return (!f->narrows || row_set_find(&f->within, row, &i)) &&
           (f->match != DATA_HAS_LABEL || has_label(f, row));
}

static bool filter_step(struct filtering *f, const atomic_bool *cancel)
{
    struct data_walk *w = &f->walk;
    const struct bt_table_query q = {.filter = f->filter,
                                     .regex = f->regex,
                                     .needle = f->needle,
                                     .column = f->column,
                                     .whole = f->match == DATA_EQUALS};
    enum bt_status st = BT_OK;
    size_t row = 0;
    data_lock(w->file);
    for (int i = 0; i < AT_ONCE && st == BT_OK && f->n < MOST_FOUND; i++) {
        st = bt_table_search(w->file->table, &q, w->at, false, DATA_STEP_BYTES, cancel, &row, &w->err);
        if (st == BT_OK && belongs(f, row)) f->found[f->n++] = row;
        if (st == BT_OK) w->at = row + 1;
    }
    data_unlock(w->file);
    if (st == BT_NOTFOUND) {
        w->err.status = BT_OK;
        w->at = row;
    }
    return (st == BT_OK || st == BT_NOTFOUND) && w->at < bt_table_rows(w->file->table) && f->n < MOST_FOUND;
}

static void filter_slice(struct data_walk *w, const atomic_bool *cancel)
{
    struct filtering *f = (struct filtering *)w;
    f->n = 0;
    for (int i = 0; i < STEPS && !atomic_load(cancel); i++)
        if (!filter_step(f, cancel)) break;
}

static bool add_rows(struct data_filter *to, const size_t *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!row_set_add(&to->rows, row[i])) return false;
    return true;
}

static void filter_turn(struct data_walk *w)
{
    struct filtering *f = (struct filtering *)w;
    struct data_view *s = w->v->state;
    if (w->err.status != BT_OK) app_say_error(w->v->app, &w->err);
    if (!add_rows(&s->filter, f->found, f->n)) {
        app_say(w->v->app, ROLE_BAD, "not enough memory for the rows of the filter");
        w->ended = true;
    }
    s->filter.progress = data_walk_progress(w);
    s->filter.complete = w->ended;
    s->filter.partial = data_walk_partial(w);
    if (w->ended && f->filter && bt_row_filter_gave_up(f->filter))
        app_say(w->v->app, ROLE_WARN,
                "the expression took too long on %zu texts, which count as not matching",
                bt_row_filter_gave_up(f->filter));
    if (w->ended) data_sort_again(w->v);
}

/* ── begin and end ── */

void data_filter_clear(struct view *v)
{
    struct data_view *s = v->state;
    size_t row = s->file && s->filter.on ? data_cursor_row(s) : SIZE_MAX;
    bool on = s->filter.on;
    data_walk_stop(v, &s->owner_filter);
    free(s->filter.needle);
    free(s->filter.within);
    row_set_free(&s->filter.rows);
    free(s->where);
    s->where = NULL;
    s->filter = (struct data_filter){.on = false};
    if (!on) return;
    data_sort_again(v);
    if (row != SIZE_MAX) s->cursor = row;
}

static bool begin(struct view *v, ptrdiff_t column, const char *needle, enum data_match match)
{
    struct data_view *s = v->state;
    data_filter_clear(v);
    s->filter = (struct data_filter){.column = column, .needle = bt_strdup(needle), .match = match};
    s->filter.on = s->filter.needle != NULL;
    s->cursor = s->top = 0;
    data_sort_again(v); /* once all rows are there */
    return s->filter.on;
}

static size_t count_pieces(void *ctx, const char *text, size_t n)
{
    struct filtering *f = ctx;
    bool ok = bt_tokenizer_ids(f->words.tokenizer, text, n, &f->encoding, NULL) == BT_OK;
    return ok ? f->encoding.n : 0;
}

/* What the rows are compared with, of which a task needs its own. */
static enum bt_status prepare(struct filtering *f, struct data_file *file, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    if (f->match == DATA_HOLDS) st = bt_regex_typed(f->needle, &f->regex, err);
    if (f->match == DATA_WHERE) st = bt_row_filter_parse(f->needle, file->table, &f->filter, NULL, err);
    f->words = file->settings.words;
    if (f->filter) bt_row_filter_pieces(f->filter, count_pieces, f);
    return st;
}

/* The rows that are shown now, and what they have. */
static bool keep_within(struct filtering *f, const struct data_view *s, char **text)
{
    struct bt_str told = {0};
    f->narrows = s->filter.on;
    if (!f->narrows) return true;
    data_filter_tell(s, &told);
    *text = bt_str_take(&told);
    return *text && row_set_copy(&s->filter.rows, &f->within);
}

static void filter(struct view *v, ptrdiff_t column, const char *needle, enum data_match match, bool further)
{
    struct data_view *s = v->state;
    char *within = NULL;
    struct bt_error err = {.status = BT_NOMEM, .text = "not enough memory for a filter"};
    struct filtering *f = calloc(1, sizeof *f);
    if (!f) return;
    *f = (struct filtering){.needle = bt_strdup(needle), .column = column, .match = match};
    f->found = calloc(MOST_FOUND, sizeof *f->found);
    if (!f->needle || !f->found || (further && !keep_within(f, s, &within)) ||
        prepare(f, s->file, &err) != BT_OK || !begin(v, column, needle, match)) {
        app_say_error(v->app, &err);
        filtering_free(&f->walk);
        free(within);
        return;
    }
    s->filter.within = within;
    f->walk = (struct data_walk){.v = v,
                                 .owner = &s->owner_filter,
                                 .slice = filter_slice,
                                 .turn = filter_turn,
                                 .free = filtering_free};
    data_walk_start(&f->walk);
}

void data_filter_by(struct view *v, ptrdiff_t column, const char *needle, enum data_match match)
{
    filter(v, column, needle, match, false);
}

void data_filter_further(struct view *v, ptrdiff_t column, const char *needle, enum data_match match)
{
    filter(v, column, needle, match, true);
}

void data_filter_tell(const struct data_view *s, struct bt_str *out)
{
    const struct data_filter *f = &s->filter;
    const char *of = f->column >= 0 ? bt_table_column(s->file->table, (size_t)f->column) : NULL;
    static const char *const how[] = {
        [DATA_HOLDS] = " having ", [DATA_EQUALS] = " = ", [DATA_HAS_LABEL] = " label "};
    if (f->within) bt_str_addf(out, "%s, of them", f->within);
    if (f->match == DATA_WHERE)
        bt_str_addf(out, " where %s", f->needle);
    else if (f->match == DATA_GIVEN)
        bt_str_addf(out, ": %s", f->needle);
    else
        bt_str_addf(out, " with %s%s“%s”", of ? of : "", of ? how[f->match] : "", f->needle);
}

void data_filter_given(struct view *v, const char *what, const size_t *row, size_t n)
{
    struct data_view *s = v->state;
    if (!begin(v, -1, what, DATA_GIVEN) || !add_rows(&s->filter, row, n)) {
        app_say(v->app, ROLE_BAD, "not enough memory for the rows");
        data_filter_clear(v);
        return;
    }
    s->filter.complete = true;
    s->filter.progress = 1;
    data_sort_again(v);
}

/* ── texts ── */

static void filter_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct data_view *s = v->state;
    if (!text || !s->file) return;
    if (*text)
        data_filter_by(v, -1, text, DATA_HOLDS);
    else
        data_filter_clear(v);
    app_redraw(v->app);
}

bool data_ask_filter(struct view *v)
{
    app_ask(
        v->app,
        &(struct app_prompt){
            .what = "rows with (text, or /re/): ", .history = "data-filter", .done = filter_done, .ctx = v});
    return true;
}

/* ── expressions ── */

/* One that asks for word pieces waits for the tokenizer. */
static bool has_words(struct view *v, const char *text)
{
    struct data_view *s = v->state;
    struct bt_row_filter *f;
    bool needed =
        bt_row_filter_parse(text, s->file->table, &f, NULL, NULL) == BT_OK && bt_row_filter_needs_pieces(f);
    bt_row_filter_free(f);
    if (!needed || s->file->settings.words.tokenizer) return true;
    if (s->file->words_known) {
        app_say_error(v->app, &s->file->words_err);
        return false;
    }
    free(s->where);
    s->where = bt_strdup(text);
    data_load_words(v);
    return false;
}

static void where_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct data_view *s = v->state;
    if (!text || !s->file) return;
    if (!*text)
        data_filter_clear(v);
    else if (has_words(v, text))
        data_filter_by(v, -1, text, DATA_WHERE);
    app_redraw(v->app);
}

void data_filter_keep_where(struct data_view *s)
{
    struct bt_row_filter *f = NULL;
    if (!s->filter.on || s->filter.match != DATA_WHERE || s->where) return;
    if (bt_row_filter_parse(s->filter.needle, s->file->table, &f, NULL, NULL) == BT_OK &&
        bt_row_filter_needs_pieces(f))
        s->where = bt_strdup(s->filter.needle);
    bt_row_filter_free(f);
}

void data_words_came(struct view *v)
{
    struct data_view *s = v->state;
    char *text = s->where;
    s->where = NULL;
    if (text) where_done(v, text);
    free(text);
}

/* Where the word that is being typed begins. */
static size_t last_word(const char *before)
{
    size_t n = strlen(before), ticks = 0;
    for (size_t i = 0; i < n; i++) ticks += before[i] == '`';
    if (ticks % 2) return (size_t)(strrchr(before, '`') - before);
    while (n > 0 && !strchr(" ()=<>!~\"'/", before[n - 1])) n--;
    return n;
}

static void candidate(struct bt_str *out, const char *before, size_t at, const char *word, bool column)
{
    const char *typed = before + at + (before[at] == '`');
    bool quote = column && (before[at] == '`' || strcspn(word, " \t()=<>!~\"'`/,&;:%") < strlen(word));
    if (strncasecmp(word, typed, strlen(typed)) != 0 || strpbrk(word, "`\n\\")) return;
    bt_str_addn(out, before, at);
    bt_str_addf(out, quote ? "`%s`\n" : "%s\n", word);
}

static void complete_where(void *ctx, const char *before, struct bt_str *out)
{
    static const char *const words[] = {"length(", "pieces(", "and ", "or ", "not "};
    const struct view *v = ctx;
    const struct data_view *s = v->state;
    size_t at = last_word(before);
    if (!s->file) return;
    for (size_t i = 0; i < bt_table_columns(s->file->table); i++)
        candidate(out, before, at, bt_table_column(s->file->table, i), true);
    for (size_t i = 0; before[at] != '`' && i < sizeof words / sizeof *words; i++)
        candidate(out, before, at, words[i], false);
}

bool data_ask_where(struct view *v)
{
    const struct data_view *s = v->state;
    app_ask(v->app, &(struct app_prompt){.what = "rows where: ",
                                         .initial = s->filter.match == DATA_WHERE ? s->filter.needle : NULL,
                                         .history = "data-where",
                                         .done = where_done,
                                         .complete = complete_where,
                                         .ctx = v});
    return true;
}
