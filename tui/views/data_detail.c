/* One row, whole: its cells, or its text in word pieces with the cut at max_seq_length. */
#include "tui/views/data_view.h"
#include "tui/views/predictions_spans.h"

#include <bertty/file.h>
#include <inttypes.h>
#include <string.h>

/* ── cells ── */

static void put_marked(struct sheet *p, const char *text, size_t n, const struct data_mark *mark)
{
    struct pred_marked m = {.n = 0};
    const struct pred_span span = {.begin = mark->begin,
                                   .end = mark->begin + mark->n,
                                   .open = mark->open,
                                   .close = mark->close,
                                   .role = ROLE_MARK};
    pred_mark_spans(&m, text, n, &span, 1, 0);
    pred_marked_put(&m, p, ROLE_TEXT, 2);
    pred_marked_free(&m);
}

static void put_cell(struct sheet *p, const struct data_view *s, const struct data_cached *c, size_t k)
{
    const struct data_file *f = s->file;
    bool named = k < bt_table_columns(f->table);
    struct data_mark mark;
    struct bt_str part = {0};
    data_part_name(f, &c->cells, k, &part);
    sheet_print(p, ROLE_HEADER, 0, "%s%s", named ? bt_table_column(f->table, k) : "(beyond the columns)",
                bt_str_text(&part));
    bt_str_free(&part);
    if (data_mark(f, &c->cells, k, &mark))
        put_marked(p, c->cells.cell[k], c->cells.cell_n[k], &mark);
    else if (c->cells.cell_n[k])
        sheet_wrap(p, ROLE_TEXT, 2, c->cells.cell[k], c->cells.cell_n[k]);
    else
        sheet_print(p, ROLE_DIM, 2, "(empty)");
}

static void put_cells(struct sheet *p, const struct data_view *s, const struct data_cached *c)
{
    size_t columns = bt_table_columns(s->file->table);
    if (c->status == BT_INVALID)
        sheet_print(p, ROLE_BAD, 0, "This record cannot be parsed:");
    else if (c->status != BT_OK)
        sheet_print(p, ROLE_BAD, 0, "This row cannot be read:");
    else if (c->cells.n != columns)
        sheet_print(p, ROLE_WARN, 0, "This row has %zu cells; the file has %zu columns.", c->cells.n,
                    columns);
    if (c->status != BT_OK) sheet_wrap(p, ROLE_BAD, 2, c->why, strlen(c->why));
    if (c->status == BT_INVALID && c->cells.n) {
        sheet_print(p, ROLE_HEADER, 0, "As it stands in the file:");
        sheet_wrap(p, ROLE_TEXT, 2, c->cells.cell[0], c->cells.cell_n[0]);
        return;
    }
    for (size_t k = 0; k < c->cells.n; k++) put_cell(p, s, c, k);
}

/* ── word pieces ── */

/* Pieces first … last of an encoding, separated by blanks. */
static void put_pieces(struct sheet *p, const struct data_words *w, const struct bt_encoding *e, size_t first,
                       size_t last, enum role role)
{
    struct bt_str text = {0};
    for (size_t i = first; i < last && text.len < 48 << 10; i++) {
        const char *piece = bt_tokenizer_piece(w->tokenizer, e->ids[i]);
        bt_str_addf(&text, "%s%s", i > first ? " " : "", piece ? piece : "?");
    }
    if (last > first) sheet_wrap(p, role, 2, bt_str_text(&text), text.len);
    bt_str_free(&text);
}

static void put_part(struct sheet *p, const struct data_words *w, const char *name,
                     const struct bt_encoding *e, size_t kept, size_t tail, const char *before)
{
    sheet_print(p, ROLE_HEADER, 0, "%s", name);
    sheet_join(p, ROLE_DIM, (int)strlen(name) + 2, "%zu piece%s", e->n, e->n == 1 ? "" : "s");
    if (before) sheet_print(p, ROLE_DIM, 2, "%s", before);
    put_pieces(p, w, e, 0, kept - tail, ROLE_TEXT);
    if (kept < e->n) {
        sheet_print(p, ROLE_WARN, 0, "── cut here: the model does not see the next %zu ──", e->n - kept);
        put_pieces(p, w, e, kept - tail, e->n - tail, ROLE_DIM);
    }
    if (tail) {
        sheet_print(p, ROLE_WARN, 0, "── the model sees the last %zu ──", tail);
        put_pieces(p, w, e, e->n - tail, e->n, ROLE_TEXT);
    }
    sheet_print(p, ROLE_DIM, 2, "[SEP]");
}

static void put_sum(struct sheet *p, const struct data_words *w, const struct data_cut *cut)
{
    size_t all = cut->text + cut->pair + cut->special, kept = cut->kept + cut->pair_kept + cut->special;
    if (!w->max_length)
        sheet_print(p, ROLE_TEXT, 0, "%zu pieces with [CLS] and [SEP]", all);
    else if (cut->windows > 1)
        sheet_print(p, ROLE_GOOD, 0,
                    "%zu pieces with [CLS] and [SEP]: read in %zu windows of max_seq_length %zu", all,
                    cut->windows, w->max_length);
    else if (kept < all && !w->max_query)
        sheet_print(p, ROLE_WARN, 0, "%zu pieces with [CLS] and [SEP]: cut to max_seq_length %zu", all, kept);
    else
        sheet_print(p, ROLE_GOOD, 0, "%zu of at most %zu pieces (max_seq_length), [CLS] and [SEP] counted",
                    kept, w->max_length);
    if (w->max_query && cut->kept < cut->text)
        sheet_print(p, ROLE_WARN, 0, "the question is cut to max_query_length %zu", cut->kept);
    if (cut->unknown) sheet_print(p, ROLE_WARN, 0, "%zu unknown: [UNK]", cut->unknown);
}

static const char *pair_name(const struct data_file *f, size_t i)
{
    ptrdiff_t column = f->n_choices ? f->choice[i] : f->pair;
    return column >= 0 ? bt_table_column(f->table, (size_t)column) : "";
}

/* One of the sequences that the model reads of the row. */
static void put_encoded(struct sheet *p, const struct data_file *f, const struct bt_row *row,
                        ptrdiff_t column, size_t i)
{
    struct bt_encoding e[2] = {{.n = 0}, {.n = 0}};
    struct data_input in = {.n = 0};
    struct data_cut cut;
    data_input(f, row, i, column, &in);
    if (!in.text)
        sheet_print(p, ROLE_WARN, 0, "This row has no text.");
    else if (!data_encode(&f->settings.words, in.text, in.n, in.pair, in.pair_n, e, &cut))
        sheet_print(p, ROLE_BAD, 0, "not enough memory for the word pieces");
    else {
        put_sum(p, &f->settings.words, &cut);
        if (i == 0 || cut.kept < cut.text)
            put_part(p, &f->settings.words, bt_table_column(f->table, (size_t)column), &e[0], cut.kept,
                     cut.tail, "[CLS]");
        if (in.pair) put_part(p, &f->settings.words, pair_name(f, i), &e[1], cut.pair_kept, 0, NULL);
    }
    bt_str_free(&in.joined);
    bt_encoding_free(&e[0]);
    bt_encoding_free(&e[1]);
}

static void put_words(struct view *v, struct sheet *p, const struct data_cached *c)
{
    const struct data_view *s = v->state;
    const struct data_file *f = s->file;
    data_load_words(v);
    if (!f->words_known) {
        sheet_print(p, ROLE_DIM, 0, "Loading the tokenizer …");
        return;
    }
    if (!f->settings.words.tokenizer) {
        sheet_wrap(p, ROLE_WARN, 0, f->words_err.text, strlen(f->words_err.text));
        static const char advice[] =
            "Open the file from the list (O) of a run or an experiment: its model is taken.";
        sheet_wrap(p, ROLE_TEXT, 0, advice, sizeof advice - 1);
        return;
    }
    data_settings_put(p, &f->settings);
    for (size_t i = 0; i < data_inputs(f); i++) {
        put_encoded(p, f, &c->cells, f->text >= 0 ? f->text : (ptrdiff_t)s->column, i);
        sheet_print(p, ROLE_DIM, 0, "%s", "");
    }
    sheet_print(p, ROLE_DIM, 0, "tokenizer: %s", f->settings.model);
    const char *of = f->settings.unsaved ? f->settings.of : f->settings_of ? f->settings_of : f->experiment;
    sheet_print(p, ROLE_DIM, 0, "settings:  %s", of ? of : "not saved yet");
}

/* ── the page ── */

void data_detail_draw(struct view *v, struct rect area)
{
    struct data_view *s = v->state;
    struct term *t = app_term(v->app);
    size_t row = data_cursor_row(s);
    struct bt_str title = {0};
    if (row == SIZE_MAX) {
        data_rows_draw(v, area);
        return;
    }
    const struct data_cached *c = data_row(s, row);
    bt_str_addf(&title, "%s · row %zu", bt_path_base(s->file->path), row + 1);
    if (s->filter.on) bt_str_addf(&title, " (%zu of %zu shown)", s->cursor + 1, data_rows(s));
    if (c->cells.line) bt_str_addf(&title, " · line %zu", c->cells.line);
    if (s->pieces) bt_str_add(&title, " · word pieces");
    struct rect in = term_box(t, area, bt_str_text(&title), true);
    bt_str_free(&title);
    if (s->sheet_row != row) s->sheet.top = 0;
    s->sheet_row = row;
    sheet_begin(&s->sheet, in.w - 2);
    if (s->pieces)
        put_words(v, &s->sheet, c);
    else
        put_cells(&s->sheet, s, c);
    sheet_draw(&s->sheet, t, (struct rect){.y = in.y, .x = in.x + 1, .h = in.h, .w = in.w - 2});
    int rows = sheet_rows(&s->sheet), below = rows - s->sheet.top - in.h;
    if (below > 0) term_print(t, area, area.h - 1, 2, ROLE_DIM, " %d more lines: PgDn ", below);
}

bool data_detail_act(struct view *v, int action, int count)
{
    struct data_view *s = v->state;
    switch (action) {
    case ACT_ESCAPE:
        s->page = DATA_ROWS;
        return true;
    case ACT_ENTER:
        s->page = DATA_ROWS;
        return true;
    case ACT_UP:
    case ACT_LEFT:
        return data_rows_act(v, ACT_UP, count);
    case ACT_DOWN:
    case ACT_RIGHT:
        return data_rows_act(v, ACT_DOWN, count);
    case ACT_HOME:
    case ACT_END:
        return data_rows_act(v, action, count);
    default:
        return sheet_act(&s->sheet, action, count);
    }
}
