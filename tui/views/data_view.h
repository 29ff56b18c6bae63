/* The Data view's state, shared by its files: data.c (keys), data_file.c (the file and its tasks), data_context.c (the experiment that names it), data_rows.c (the grid), data_find.c (search), data_filter.c, data_sort.c, data_hygiene.c (splits),
 * data_counts.c (values of a column), data_kinds.c (what the columns are to the task), data_lengths.c (how long the inputs are), data_detail.c (one row), data_settings.c (what the model reads of it), data_runs.c (who predicts it), data_files.c (what there is to open).
 *
 * The file is shared with tasks on worker threads: reference counts belong to the drawing thread, the table to whoever holds the lock. What a task
 * makes is its own until its turn comes on the drawing thread. */
#ifndef TUI_VIEWS_DATA_VIEW_H
#define TUI_VIEWS_DATA_VIEW_H

#include "tui/columns.h"
#include "tui/list.h"
#include "tui/sheet.h"
#include "tui/view.h"
#include "tui/views/data_words.h"
#include "tui/views/row_set.h"
#include <bertty/table.h>
#include <pthread.h>

/* ── the file ── */

enum { DATA_CHOICES = 16 };

/* What the model reads of a row. */
struct data_settings {
    char *model; /* directory with its tokenizer; NULL: unknown */
    struct bt_tokenizer_options tokenizer;
    struct data_words words; /* tokenizer NULL until it is loaded */
    char *unsaved;           /* where they differ from the experiment's file; NULL: nowhere */
    char *of;                /* … which that is; NULL: none yet */
};

/* A tokenizer that walks still use when the settings ask for another. Its references belong to the drawing thread. */
struct data_tokens {
    struct bt_tokenizer *tokenizer;
    int refs;
};

struct data_file {
    char *path;
    struct bt_table *table;
    pthread_mutex_t turn,
        lock; /* turn: so that the drawing thread never waits for more than one short piece of work */
    int refs;
    struct column *column;
    enum bt_example_kind kind;   /* of its examples, as the experiment or the format says */
    ptrdiff_t text, pair, label; /* columns; −1: none known */
    ptrdiff_t choice[DATA_CHOICES];
    int n_choices;
    char *separator;  /* between the labels of a set; NULL: a cell is one label */
    char *experiment; /* the file that names this one, or of the chosen run; NULL: none */
    bool named;       /* the experiment names this file */
    char *run;        /* whose experiment was looked at when the file was opened; NULL: none */
    bool run_awaited; /* … because the runs were not known yet */
    struct data_settings settings;
    char *settings_of; /* the experiment that was edited last and that they are of since; NULL: that above */
    struct data_tokens *tokens; /* that settings.words has; NULL: not loaded yet */
    bool words_asked, words_known;
    struct bt_error words_err;
    uint64_t edits_seen; /* version of what the Experiment view edits */
};

/* For all but scanning. Tasks hold it for a millisecond or so. */
void data_lock(struct data_file *f);
void data_unlock(struct data_file *f);
struct data_file *data_file_ref(struct data_file *f);
void data_file_unref(struct data_file *f);

/* ── work over the rows, slice by slice ── */

struct data_walk {
    struct view *v;
    struct data_file *file;
    const void *owner;
    struct data_tokens *tokens;
    size_t at;           /* the next row of the table, or of those in `only` */
    bool ended;          /* slice() has come to its end */
    bool some;           /* only these rows are looked at */
    struct row_set only; /* owned */
    struct bt_error err; /* status ≠ BT_OK: it failed */
    void (*slice)(struct data_walk *w, const atomic_bool *cancel); /* on a worker */
    void (*turn)(struct data_walk *w); /* on the drawing thread, after each slice */
    void (*free)(struct data_walk *w);
    struct data_walk *next; /* parked: waits for more rows to be known */
};
/* Takes w over; it is freed when it has ended, is cancelled, or another file was opened. */
void data_walk_start(struct data_walk *w);
/* Only the rows that the filter shows, or all; false: no memory. w->v is set. */
bool data_walk_shown(struct data_walk *w);
void data_walk_stop(struct view *v, const void *owner);
bool data_walk_going(const struct view *v, const void *owner);
/* For slice(): how many rows there are to look at now. */
size_t data_walk_rows(const struct data_walk *w);
/* The row of the table that is looked at as the i-th. */
size_t data_walk_row(const struct data_walk *w, size_t i);
double data_walk_progress(const struct data_walk *w);
/* It has ended without having seen all rows: one could not be read, or the file is not read to its end. */
bool data_walk_partial(const struct data_walk *w);

/* ── what a view shows ── */

enum data_page { DATA_FILES, DATA_ROWS, DATA_DETAIL, DATA_COUNTS, DATA_LENGTHS, DATA_HYGIENE };

struct data_source { /* a file to open */
    char *path, *what, *of, *experiment;
    size_t shown; /* bytes of the path that are left out: the working directory's */
    bool there;
};

enum data_match {
    DATA_HOLDS,
    DATA_EQUALS,
    DATA_HAS_LABEL,
    DATA_WHERE, /* the needle is an expression */
    DATA_GIVEN  /* the rows were handed over, the needle says what they are */
};

struct data_filter {
    bool on;
    ptrdiff_t column; /* −1: any */
    char *needle;
    enum data_match match;
    char *within; /* … among the rows that have this, as it is told; NULL: all */
    struct row_set rows;
    bool complete, partial;
    double progress;
};

enum { DATA_STEP_BYTES = 256 << 10 /* looked at while the lock is held */ };

struct data_sorting {
    bool on, reversed;
    size_t column;
    uint32_t *row; /* the rows that are shown, in order; NULL: not yet, or not sorted */
    size_t n;
    double progress;
};

struct data_value {
    char *text;
    size_t n, rows;
};

struct data_counts {
    size_t column;
    bool labels;                      /* of sets, each by itself */
    char *of;                         /* title of the column */
    struct data_value *value;         /* most frequent first */
    size_t n, distinct, rows, beyond; /* beyond: rows whose values are too many to be told apart */
    double progress;
    bool complete, partial; /* partial: not all rows could be read */
};

struct data_given { /* rows of a file that is being opened; all ours */
    char *path, *what;
    size_t *row, n;
};

struct data_kept { /* the file of the last session, until the view is seen without another; all ours */
    char *path, *experiment;
    size_t row;
};

struct data_cached {
    size_t row; /* SIZE_MAX: empty */
    enum bt_status status;
    char why[160]; /* status ≠ BT_OK: the message */
    struct bt_row cells;
};
enum { DATA_CACHED = 256 };

struct data_view {
    enum data_page page, under; /* under: where Esc leads from the detail */
    struct data_file *file;
    char *opening;         /* NULL: nothing is being opened */
    struct bt_error error; /* of the last opening */
    size_t wanted;         /* row to go to as soon as it is known, from 1; 0: none */
    bool indexing, halted; /* halted: by the user */
    struct bt_error index_err;
    struct data_walk *parked;
    char owner_index, owner_open, owner_find, owner_filter, owner_counts, owner_lengths, owner_words,
        owner_sort, owner_hygiene, owner_files, owner_edits, owner_runs, owner_context;

    size_t cursor, top;          /* in what is shown: all rows or the filter's */
    size_t column, first_column; /* cursor's; the first one that is shown */
    int left;                    /* columns scrolled within the cursor's cell */
    bool reveal;                 /* the next drawing scrolls the cell so that the needle is seen */
    int wide;                    /* columns that the cursor's cell hides */
    bool wrap;
    int page_rows;
    int *width; /* widest cell seen of each column */
    struct rect grid;
    struct data_cached cached[DATA_CACHED];
    size_t cached_bytes; /* of their cells */

    struct data_filter filter;
    char *where; /* an expression that waits for the tokenizer; NULL: none */
    struct data_sorting sort;
    char *needle;           /* what was searched for, as it was typed; NULL: nothing */
    struct bt_regex *regex; /* … compiled, for the drawing thread */
    bool searching;
    int queued; /* finds to go on to when this search has ended; < 0: backwards */
    double search_progress;

    bool pieces; /* the detail shows word pieces */
    struct sheet sheet;
    size_t sheet_row;
    struct data_counts counts;
    struct list counts_list;
    int counts_bar; /* columns that the longest bar takes */
    struct data_lengths *lengths;
    struct sheet lengths_sheet;

    struct data_hygiene *hygiene; /* NULL: not looked at, or not yet */
    struct data_looking *looking; /* … : on its way; the task's */
    struct list hygiene_list;
    struct data_given given;
    struct data_kept kept;

    struct data_source *source;
    size_t n_sources;
    bool sources_asked;
    char *sources_run; /* run that they are of; NULL: none */
    struct list sources_list;
};

/* data_file.c */
void data_open(struct view *v, const char *path, const char *experiment, size_t row);
void data_look_again(struct view *v); /* for what says what its columns are; in the background */
void data_index(struct view *v);
void data_close_file(struct view *v);
/* data_context.c */
/* The experiment that names the file: the one it was chosen from (NULL: none), the run's, one of those that are kept here; else the first of them. NULL: none. The caller frees. */
struct bt_experiment *data_context(struct data_file *f, const char *chosen_from);
/* Whether their rows and cells are the same. */
bool data_same_layout(const struct data_file *a, const struct data_file *b);
/* The shown file takes over what another opening of it knows of its columns. */
void data_take_context(struct view *v, struct data_file *from);
void data_context_tick(struct view *v); /* looks at the chosen run's as soon as it is known */
/* An experiment whose paths are found; NULL: it cannot be read. The caller frees. */
struct bt_experiment *data_load_experiment(const char *path);
bool data_names_file(const struct bt_experiment *x, const char *path); /* reads directories */
/* data_settings.c */
void data_settings_take(struct data_settings *s,
                        const struct bt_experiment *x); /* of an empty one; may read files */
void data_settings_free(struct data_settings *s);
/* What was measured with others is measured anew. *got has the earlier ones afterwards. */
void data_settings_use(struct view *v, struct data_settings *got);
void data_settings_put(struct sheet *p, const struct data_settings *s); /* that they are not saved */
struct data_tokens *data_tokens_ref(struct data_tokens *t);
void data_tokens_unref(struct data_tokens *t);
void data_load_words(struct view *v);   /* the tokenizer, if it is not there yet */
void data_follow_edits(struct view *v); /* takes over what the Experiment view has now */
/* data_files.c */
void data_list_sources(struct view *v);
void data_files_draw(struct view *v, struct rect area);
bool data_files_act(struct view *v, int action, int count);
bool data_files_mouse(struct view *v, const struct event *e);
void data_sources_clear(struct data_view *s);
void data_ask_path(struct view *v);
/* data_runs.c */
bool data_ask_runs(struct view *v, size_t row); /* which run's prediction of that row */
/* data_rows.c */
size_t data_rows(const struct data_view *s);
size_t data_row_at(const struct data_view *s, size_t i); /* row of the table; SIZE_MAX: none */
size_t data_cursor_row(const struct data_view *s);
/* Cells of a row, kept; never NULL. */
const struct data_cached *data_row(struct data_view *s, size_t row);
void data_forget_rows(struct data_view *s);
void data_rows_draw(struct view *v, struct rect area);
bool data_rows_act(struct view *v, int action, int count);
bool data_rows_mouse(struct view *v, const struct event *e);
void data_go_to(struct data_view *s, size_t i);
/* "train.tsv · 5,000 rows …" */
void data_title(const struct view *v, struct bt_str *out);
/* Where a row stands among those that are shown; false: it is hidden. */
bool data_place_of(const struct data_view *s, size_t row, size_t *i);
/* data_find.c */
void data_search_clear(struct data_view *s);
bool data_ask_search(struct view *v);
bool data_search_next(struct view *v, bool backwards);
/* data_filter.c */
bool data_ask_filter(struct view *v);
bool data_ask_where(struct view *v);
void data_words_came(struct view *v);             /* the tokenizer is there, or never will be */
void data_filter_keep_where(struct data_view *s); /* a filter on word pieces is applied again when it comes */
void data_filter_by(struct view *v, ptrdiff_t column, const char *needle, enum data_match match);
/* The same among the rows that are shown now. */
void data_filter_further(struct view *v, ptrdiff_t column, const char *needle, enum data_match match);
/* Appends what the rows have: " where label = pos", " with “x”". */
void data_filter_tell(const struct data_view *s, struct bt_str *out);
/* Rows in ascending order, copied; what: what they are. */
void data_filter_given(struct view *v, const char *what, const size_t *row, size_t n);
void data_filter_clear(struct view *v);
/* data_sort.c */
bool data_sort(struct view *v);       /* by the cursor's column, the other way round, not at all */
void data_sort_again(struct view *v); /* other rows are shown */
void data_sort_clear(struct view *v);
/* data_counts.c */
void data_count(struct view *v, size_t column, bool labels); /* labels: each of a set by itself */
void data_counts_clear(struct data_view *s);
void data_counts_draw(struct view *v, struct rect area);
bool data_counts_act(struct view *v, int action, int count);
bool data_counts_mouse(struct view *v, const struct event *e);
/* data_lengths.c */
void data_measure(struct view *v);
void data_lengths_clear(struct data_view *s);
void data_lengths_draw(struct view *v, struct rect area);
/* data_hygiene.c */
void data_hygiene(struct view *v, bool anew);
void data_hygiene_clear(struct data_view *s);
void data_hygiene_tick(struct view *v);
void data_hygiene_draw(struct view *v, struct rect area);
bool data_hygiene_act(struct view *v, int action, int count);
bool data_hygiene_mouse(struct view *v, const struct event *e);
/* A file was opened, or could not be: shows the rows that were to be seen of it. */
void data_hygiene_opened(struct view *v);
void data_given_clear(struct data_view *s);
/* data_kinds.c */
void data_take_columns(struct data_file *f, const struct bt_experiment *x); /* x NULL: none */
/* Appends "  (text)", "  (choice 2: the right one ✓)", …, or nothing for a column that is no part of an example. */
void data_part_name(const struct data_file *f, const struct bt_row *r, size_t column, struct bt_str *out);
struct data_mark {
    size_t begin, n;          /* bytes of the cell */
    const char *open, *close; /* as in the Predictions view */
};
/* What an example is about in that cell: the aspect in its sentence, the answer in its passage. */
bool data_mark(const struct data_file *f, const struct bt_row *r, size_t column, struct data_mark *out);
/* Calls take() for each label of a cell of the labels' column, until it returns false; false then. */
typedef bool data_label_fn(void *ctx, const char *label, size_t n);
bool data_each_label(const char *separator, const char *cell, size_t n, data_label_fn *take, void *ctx);
/* Sequences that the model reads of a row: one, or one for each choice. */
size_t data_inputs(const struct data_file *f);
struct data_input {
    const char *text, *pair; /* NULL: none; borrowed from the row and joined */
    size_t n, pair_n;
    struct bt_str joined; /* the caller frees it */
};
void data_input(const struct data_file *f, const struct bt_row *r, size_t i, ptrdiff_t text,
                struct data_input *out);
/* data_detail.c */
void data_detail_draw(struct view *v, struct rect area);
bool data_detail_act(struct view *v, int action, int count);

#endif
