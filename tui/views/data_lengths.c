/* How long the inputs are, in characters and in word pieces, and how many of them max_seq_length cuts. */
#include "tui/format.h"
#include "tui/views/data_view.h"

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_ROWS = 64 /* read while the lock is held */, SLICE_ROWS = 1 << 13, BINS = 12 };

struct data_lengths {
    struct data_histogram characters, pieces;
    size_t cut, unknown, all_pieces, empty;
    size_t longer, windows; /* rows that are read in several windows; windows of all rows */
    double progress;
    bool complete, partial, no_words;
    size_t max_length;
    char *of; /* the columns */
};

struct measuring {
    struct data_walk walk;
    struct data_words words;
    ptrdiff_t text;
    struct data_input in;
    struct bt_row row[STEP_ROWS];
    struct bt_encoding e[2];
    struct data_lengths got;
};

static void lengths_free(struct data_lengths *l)
{
    if (!l) return;
    data_histogram_free(&l->characters);
    data_histogram_free(&l->pieces);
    free(l->of);
    free(l);
}

static void measuring_free(struct data_walk *w)
{
    struct measuring *m = (struct measuring *)w;
    for (size_t i = 0; i < STEP_ROWS; i++) bt_row_free(&m->row[i]);
    bt_str_free(&m->in.joined);
    bt_encoding_free(&m->e[0]);
    bt_encoding_free(&m->e[1]);
    data_histogram_free(&m->got.characters);
    data_histogram_free(&m->got.pieces);
    free(m);
}

/* Of choices the one with most pieces. */
static bool measure_input(struct measuring *m, const struct bt_row *r, size_t i, struct data_cut *most,
                          size_t *characters)
{
    struct data_cut cut = {.windows = 1};
    struct data_input *in = &m->in;
    data_input(m->walk.file, r, i, m->text, in);
    if (!in->text) return true;
    size_t n = bt_utf8_count(in->text, in->n) + bt_utf8_count(in->pair ? in->pair : "", in->pair_n);
    if (n > *characters) *characters = n;
    if (!m->words.tokenizer) return true;
    if (!data_encode(&m->words, in->text, in->n, in->pair, in->pair_n, m->e, &cut)) return false;
    m->got.unknown += cut.unknown;
    m->got.all_pieces += cut.text + cut.pair;
    if (i == 0 || cut.text + cut.pair > most->text + most->pair) *most = cut;
    return true;
}

static bool measure_row(struct measuring *m, const struct bt_row *r)
{
    struct data_cut cut = {.windows = 1};
    size_t characters = 0;
    if (m->text < 0 || (size_t)m->text >= r->n) return true;
    for (size_t i = 0; i < data_inputs(m->walk.file); i++)
        if (!measure_input(m, r, i, &cut, &characters)) return false;
    m->got.empty += r->cell_n[m->text] == 0;
    m->got.cut += cut.kept + cut.pair_kept < cut.text + cut.pair;
    m->got.longer += cut.windows > 1;
    m->got.windows += cut.windows;
    return data_histogram_add(&m->got.characters, characters) &&
           (!m->words.tokenizer || data_histogram_add(&m->got.pieces, cut.text + cut.pair + cut.special));
}

/* Rows are read under the lock and measured without it. */
static void measure_step(struct measuring *m)
{
    struct data_walk *w = &m->walk;
    size_t rows = data_walk_rows(w), n = 0;
    data_lock(w->file);
    for (; n < STEP_ROWS && w->at < rows && w->err.status == BT_OK; w->at++) {
        enum bt_status st = bt_table_row(w->file->table, data_walk_row(w, w->at), &m->row[n], &w->err);
        if (st == BT_INVALID) w->err.status = BT_OK;
        n += st == BT_OK;
    }
    data_unlock(w->file);
    for (size_t i = 0; i < n; i++)
        if (!measure_row(m, &m->row[i])) bt_fail(&w->err, BT_NOMEM, "not enough memory to measure the rows");
}

static void measure_slice(struct data_walk *w, const atomic_bool *cancel)
{
    struct measuring *m = (struct measuring *)w;
    size_t until = w->at + SLICE_ROWS;
    while (w->at < until && w->at < data_walk_rows(w) && w->err.status == BT_OK && !atomic_load(cancel))
        measure_step(m);
}

static bool copy_histogram(struct data_histogram *to, const struct data_histogram *from)
{
    size_t *count = realloc(to->count, (from->cap + 1) * sizeof *count);
    if (!count) return false;
    if (from->cap) memcpy(count, from->count, from->cap * sizeof *count);
    *to = *from;
    to->count = count;
    return true;
}

static void measure_turn(struct data_walk *w)
{
    struct measuring *m = (struct measuring *)w;
    struct data_view *s = w->v->state;
    struct data_lengths *l = s->lengths;
    if (w->err.status != BT_OK) app_say_error(w->v->app, &w->err);
    if (!l || !copy_histogram(&l->characters, &m->got.characters) ||
        !copy_histogram(&l->pieces, &m->got.pieces))
        return;
    l->cut = m->got.cut;
    l->unknown = m->got.unknown;
    l->all_pieces = m->got.all_pieces;
    l->empty = m->got.empty;
    l->longer = m->got.longer;
    l->windows = m->got.windows;
    l->progress = data_walk_progress(w);
    l->complete = w->ended;
    l->partial = data_walk_partial(w);
}

void data_lengths_clear(struct data_view *s)
{
    lengths_free(s->lengths);
    s->lengths = NULL;
    s->lengths_sheet.top = 0;
}

/* The text's column, else the cursor's. */
static ptrdiff_t text_column(const struct data_view *s)
{
    return s->file->text >= 0 ? s->file->text : (ptrdiff_t)s->column;
}

static void start(struct view *v)
{
    struct data_view *s = v->state;
    struct measuring *m = calloc(1, sizeof *m);
    data_walk_stop(v, &s->owner_lengths);
    if (m) m->walk.v = v;
    if (!m || !data_walk_shown(&m->walk)) {
        free(m);
        return;
    }
    m->walk.owner = &s->owner_lengths;
    m->walk.slice = measure_slice;
    m->walk.turn = measure_turn;
    m->walk.free = measuring_free;
    m->words = s->file->settings.words;
    m->text = text_column(s);
    data_walk_start(&m->walk);
}

/* The tokenizer is loaded first: the view calls again when it is known. */
void data_measure(struct view *v)
{
    struct data_view *s = v->state;
    if (!s->file) return;
    s->page = DATA_LENGTHS;
    if (!s->lengths) {
        ptrdiff_t text = text_column(s), pair = s->file->pair;
        const char *second = pair >= 0 ? bt_table_column(s->file->table, (size_t)pair) : NULL;
        if (!(s->lengths = calloc(1, sizeof *s->lengths))) return;
        s->lengths->of =
            bt_strfmt("%s%s%s%s", bt_table_column(s->file->table, (size_t)text), second ? " + " : "",
                      second ? second : "", s->file->n_choices ? " + the longest choice" : "");
        s->lengths->no_words = true; /* not measured yet */
    }
    data_load_words(v);
    if (!s->file->words_known || !s->lengths->no_words) return;
    s->lengths->no_words = false;
    s->lengths->max_length = s->file->settings.words.max_length;
    start(v);
}

/* ── drawing ── */

static void put_share(struct sheet *p, enum role role, const char *what, size_t n, size_t of,
                      const char *unit)
{
    struct bt_str text = {0};
    format_count(&text, (int64_t)n);
    sheet_print(p, role, 2, "%-28s %10s %s (%.1f %%)", what, bt_str_text(&text), unit,
                of ? 100 * (double)n / (double)of : 0.0);
    bt_str_free(&text);
}

static void put_bin(struct sheet *p, const struct data_histogram *h, size_t from, size_t to, size_t most,
                    size_t limit)
{
    size_t n = data_histogram_between(h, from, to);
    int room = p->width - 32 > 4 ? p->width - 32 : 4;
    int w = (int)((double)n / (double)(most ? most : 1) * room + 0.5);
    struct bt_str line = {0}, count = {0};
    format_count(&count, (int64_t)n);
    bool over = limit && from >= limit;
    if (to == SIZE_MAX)
        bt_str_addf(&line, "%6zu …       ", from);
    else
        bt_str_addf(&line, "%6zu – %-6zu", from, to - 1);
    bt_str_addf(&line, "%9s  ", bt_str_text(&count));
    for (int i = 0; i < w || (i == 0 && n); i++) bt_str_add(&line, over ? "░" : "▇");
    sheet_print(p, over ? ROLE_WARN : ROLE_TEXT, 0, "%s", bt_str_text(&line));
    bt_str_free(&line);
    bt_str_free(&count);
}

static void put_histogram(struct sheet *p, const char *what, const struct data_histogram *h, size_t limit)
{
    size_t width = data_histogram_width(h, BINS), most = 0, from = h->min - h->min % width, end = from;
    if (!h->n) return;
    while (end <= data_histogram_at(h, 0.995)) {
        size_t n = data_histogram_between(h, end, end + width);
        if (n > most) most = n;
        end += width;
    }
    sheet_print(p, ROLE_HEADER, 0, "%s", what);
    sheet_print(p, ROLE_TEXT, 2, "mean %.1f · median %zu · 90 %%: %zu · 99 %%: %zu · longest %zu",
                h->sum / (double)h->n, data_histogram_at(h, 0.5), data_histogram_at(h, 0.9),
                data_histogram_at(h, 0.99), h->max);
    for (size_t at = from; at < end; at += width) put_bin(p, h, at, at + width, most, limit);
    if (h->max >= end) put_bin(p, h, end, SIZE_MAX, most, limit);
}

static void put_words(struct sheet *p, const struct data_file *f, const struct data_lengths *l)
{
    if (!f->settings.words.tokenizer) {
        sheet_print(p, ROLE_HEADER, 0, "word pieces");
        sheet_wrap(p, ROLE_WARN, 2, f->words_err.text, strlen(f->words_err.text));
        return;
    }
    struct bt_str what = {0}, in = {0};
    const char *limit = f->settings.words.max_query ? "max_query_length" : "max_seq_length";
    bt_str_addf(&what, "cut at %s %zu", limit,
                f->settings.words.max_query ? f->settings.words.max_query : l->max_length);
    put_histogram(p, "word pieces, [CLS] and [SEP] counted", &l->pieces,
                  l->max_length ? l->max_length + 1 : 0);
    if (l->max_length)
        put_share(p, l->cut ? ROLE_WARN : ROLE_GOOD, bt_str_text(&what), l->cut, l->pieces.n, "rows");
    if (f->settings.words.max_query || l->longer) {
        put_share(p, ROLE_TEXT, "read in several windows", l->longer, l->pieces.n, "rows");
        format_count(&in, (int64_t)l->windows);
        sheet_print(p, ROLE_TEXT, 2, "%-28s %10s", "windows in all", bt_str_text(&in));
    }
    bt_str_free(&in);
    put_share(p, ROLE_TEXT, "unknown, [UNK]", l->unknown, l->all_pieces, "pieces");
    bt_str_free(&what);
}

void data_lengths_draw(struct view *v, struct rect area)
{
    struct data_view *s = v->state;
    struct data_lengths *l = s->lengths;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    data_measure(v);
    l = s->lengths;
    bt_str_addf(&title, "Lengths of %s", l && l->of ? l->of : "the texts");
    if (s->filter.on) bt_str_add(&title, " (filtered)");
    if (l && !l->complete) bt_str_addf(&title, " · measuring %.0f %%", l->progress * 100);
    if (l && l->partial) bt_str_add(&title, " · not all rows could be read");
    struct rect in = term_box(t, area, bt_str_text(&title), true);
    bt_str_free(&title);
    struct sheet *p = &s->lengths_sheet;
    sheet_begin(p, in.w - 2);
    if (!l || !l->characters.n) {
        sheet_print(p, ROLE_TEXT, 0, "%s",
                    l && l->complete ? "There are no rows to measure." : "Measuring …");
    } else {
        data_settings_put(p, &s->file->settings);
        put_words(p, s->file, l);
        sheet_print(p, ROLE_TEXT, 0, "%s", "");
        put_histogram(p, "characters", &l->characters, 0);
        put_share(p, l->empty ? ROLE_WARN : ROLE_TEXT, "empty texts", l->empty, l->characters.n, "rows");
    }
    sheet_draw(p, t, (struct rect){.y = in.y, .x = in.x + 1, .h = in.h, .w = in.w - 2});
}
