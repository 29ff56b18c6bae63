/* Line plots drawn into a grid of characters; no terminal, no colours.
 *
 * Everything is borrowed for the call; the caller owns the cells. x never decreases within a line. Every column shows the least
 * and the greatest value that fall into it, however many points there are. A NaN is a gap with a mark; what cannot be
 * shown on a logarithmic axis (≤ 0) is a gap with a mark at the bottom. */
#ifndef TUI_PLOT_H
#define TUI_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plot_glyphs {
    PLOT_BRAILLE, /* 2 × 4 dots a cell */
    PLOT_BLOCK,   /* 2 × 2 quadrants a cell */
    PLOT_ASCII,   /* 1 × 3 heights a cell: ' - . */
};

enum plot_x {
    PLOT_X_NUMBER,
    PLOT_X_DURATION, /* seconds */
    PLOT_X_CLOCK,    /* seconds since 1970, shown as local time */
};

enum plot_role {
    PLOT_EMPTY,
    PLOT_AXIS,
    PLOT_LABEL,
    PLOT_FAINT, /* of line `colour` */
    PLOT_LINE,  /* of line `colour` */
    PLOT_MARK,  /* of line `colour`: the glyph that tells it apart without colour */
    PLOT_NAN,
    PLOT_EVENT,
    PLOT_CURSOR,
};

struct plot_cell {
    uint32_t ch; /* code point; a space where empty */
    uint8_t role, colour;
    uint8_t dots; /* private to the drawing */
};

struct plot_range {
    double min, max;
};
/* Points [*begin, *end) of a line (x never decreases) that are within. */
void plot_window(const double *x, size_t n, struct plot_range within, size_t *begin, size_t *end);

/* What PLOT_BLOCK_POINTS points in a row come to, so that a column of thousands is not looked at point by point. */
enum { PLOT_BLOCK_POINTS = 64 };
struct plot_block {
    double least, greatest;
    bool odd; /* one of them is not finite: the others mean nothing */
};
/* Of n values: n / PLOT_BLOCK_POINTS blocks. */
void plot_blocks(const double *y, size_t n, struct plot_block *block);
/* Points from i on, before end, that block i / PLOT_BLOCK_POINTS speaks for (log: only where all are positive); 0: they have to be looked at. */
size_t plot_block_at(const struct plot_block *block, size_t i, size_t end, bool log);

struct plot_line {
    const double *x, *y;
    size_t n;
    const struct plot_block *block; /* of y; NULL: none */
    unsigned colour; /* stable number of whatever the line stands for; also chooses its marker */
    bool faint;      /* drawn beneath the others */
    bool dashed;     /* the way between points, never the points themselves */
    bool
        level; /* its last value, over the whole width: a line that is compared with, and its x do not count */
    bool scattered; /* the points alone, whose x may come in any order */
    bool marked;    /* its marker stands at its end and here and there on the way */
};

struct plot_event { /* a tick under the plot */
    double x;
    uint32_t ch; /* code point */
};

struct plot_spec {
    int width, height; /* cells, with the axes */
    enum plot_glyphs glyphs;
    enum plot_x x_kind;
    bool log_x, log_y;
    struct plot_range x, y; /* what is shown; min < max; > 0 on a logarithmic axis */
    const struct plot_line *line;
    size_t n_lines;
    const struct plot_event *event;
    size_t n_events;
    bool cursor;
    double cursor_x;
};

/* Where the plot itself is, within the cells. */
struct plot_area {
    int left, top, width, height;
};

/* Fills cell[height][width]. */
void plot_draw(const struct plot_spec *spec, struct plot_cell *cell, struct plot_area *area);

/* The x in the middle of a column of the area, and the column of an x (not limited to the area). */
double plot_x_at(const struct plot_spec *spec, const struct plot_area *area, int column);
int plot_column(const struct plot_spec *spec, const struct plot_area *area, double x);

/* The marker of a colour. */
uint32_t plot_marker(unsigned colour, enum plot_glyphs glyphs);
/* The mark of a value that is no number, and of one beyond what an axis can show. */
uint32_t plot_nan_mark(enum plot_glyphs glyphs);

/* ── scales ── */

/* Least and greatest finite value of the lines (positive ones only if log) within x; false if there is none. clip
 * leaves out what lies beyond the span of nine in ten values by more than half of it. */
bool plot_values(const struct plot_line *line, size_t n_lines, struct plot_range x, bool log, bool clip,
                 struct plot_range *range);
/* Widened to tick marks, so that it changes rarely while a run goes on; never empty. */
struct plot_range plot_nice(struct plot_range range, bool log, int ticks);

enum { PLOT_MAX_TICKS = 24, PLOT_TICK_TEXT = 16 };
struct plot_tick {
    double at;
    char text[PLOT_TICK_TEXT];
};
/* At most `most` ticks (1-2-5 steps, decades, or round times) within the range; returns how many. */
int plot_ticks(struct plot_range range, enum plot_x kind, bool log, int most,
               struct plot_tick tick[PLOT_MAX_TICKS]);

/* A value in at most about 8 characters: 0.3381, 5e-05, 2913, 1.25M, nan. */
void plot_value(char *text, size_t size, double value);

#endif
