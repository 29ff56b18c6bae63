/* The scatter of a data map: variability to the right, confidence upwards, in each cell how many rows. */
#include "tui/views/predictions_map.h"

#include "tui/format.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double most_variability = 0.5; /* of numbers from 0 to 1 */

uint32_t pred_map_sign(uint32_t count)
{
    return count == 0 ? ' ' : count < 10 ? '0' + count : count < 100 ? '+' : count < 1000 ? '#' : '@';
}

/* Which of n cells a share of the axis lies in. */
static int cell_of(double share, int n)
{
    const int i = (int)floor(share * n);
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

void pred_map_grid_free(struct pred_map_grid *g)
{
    free(g->count);
    free(g->region);
    *g = (struct pred_map_grid){.w = 0};
}

static void count_rows(struct pred_map_grid *g, const struct bt_map *m, uint32_t (*of)[BT_MAP_REGIONS])
{
    for (size_t i = 0; i < m->n; i++) {
        const struct bt_map_row *r = &m->row[i];
        if (!r->epochs) continue;
        const int x = cell_of(r->variability / most_variability, g->w),
                  y = g->h - 1 - cell_of(r->confidence, g->h);
        of[y * g->w + x][r->region]++;
    }
    for (int i = 0; i < g->w * g->h; i++)
        for (int k = 0; k < BT_MAP_REGIONS; k++) {
            if (of[i][k] > of[i][g->region[i]]) g->region[i] = (unsigned char)k;
            g->count[i] += of[i][k];
        }
}

bool pred_map_count(struct pred_map_grid *g, const struct bt_map *m, int w, int h)
{
    if (g->count && g->w == w && g->h == h) return true;
    pred_map_grid_free(g);
    const size_t cells = (size_t)w * (size_t)h;
    *g = (struct pred_map_grid){
        .w = w, .h = h, .count = calloc(cells, sizeof *g->count), .region = calloc(cells, 1)};
    uint32_t(*of)[BT_MAP_REGIONS] = calloc(cells, sizeof *of);
    bool fine = g->count && g->region && of;
    if (fine)
        count_rows(g, m, of);
    else
        pred_map_grid_free(g);
    free(of);
    return fine;
}

struct pred_map_box pred_map_cell(const struct pred_map_grid *g, int x, int y)
{
    const int up = g->h - 1 - y;
    return (struct pred_map_box){.from_x = most_variability * x / g->w,
                                 .to_x = x == g->w - 1 ? INFINITY : most_variability * (x + 1) / g->w,
                                 .from_y = (double)up / g->h,
                                 .to_y = up == g->h - 1 ? INFINITY : (double)(up + 1) / g->h};
}

bool pred_map_in(const struct pred_map_box *b, const struct bt_map_row *r)
{
    return r->epochs && r->variability >= b->from_x && r->variability < b->to_x &&
           r->confidence >= b->from_y && r->confidence < b->to_y;
}

/* ── drawing ── */

enum { LEFT = 5 /* the axis and its numbers */ };

static enum role role_of(enum bt_map_region r)
{
    static const enum role role[BT_MAP_REGIONS] = {
        [BT_MAP_EASY] = ROLE_GOOD, [BT_MAP_AMBIGUOUS] = ROLE_ACCENT, [BT_MAP_HARD] = ROLE_BAD};
    return role[r];
}

static void draw_cells(struct term *t, struct rect plot, const struct pred_map *m)
{
    const struct pred_map_grid *g = &m->grid;
    const int limit = m->m->limit < most_variability ? cell_of(m->m->limit / most_variability, g->w) : g->w;
    for (int y = 0; y < g->h; y++)
        for (int x = 0; x < g->w; x++) {
            const uint32_t n = g->count[y * g->w + x];
            if (n)
                term_put(t, plot, y, x, role_of((enum bt_map_region)g->region[y * g->w + x]),
                         pred_map_sign(n));
            else if (x == limit)
                term_put(t, plot, y, x, ROLE_BORDER, 0x250a); /* ┊ */
            else if (y == g->h / 2 && x < limit)
                term_put(t, plot, y, x, ROLE_BORDER, 0x2508); /* ┈ */
        }
}

static void draw_axes(struct term *t, struct rect in, struct rect plot)
{
    for (int y = 0; y < plot.h; y++) {
        const bool tick = y == 0 || y == plot.h - 1 || y == plot.h / 2;
        term_put(t, in, y, LEFT - 1, ROLE_DIM, tick ? 0x2524 : 0x2502); /* ┤ │ */
    }
    term_print(t, in, 0, 0, ROLE_DIM, "%s", " 1.0");
    term_print(t, in, plot.h / 2, 0, ROLE_DIM, "%s", " 0.5");
    term_print(t, in, plot.h - 1, 0, ROLE_DIM, "%s", " 0.0");
    term_put(t, in, plot.h, LEFT - 1, ROLE_DIM, 0x2514); /* └ */
    for (int x = 0; x < plot.w; x++) term_put(t, in, plot.h, LEFT + x, ROLE_DIM, 0x2500);
    term_print(t, in, plot.h + 1, LEFT, ROLE_DIM, "%s", "0  variability →");
    if (plot.w > 24) term_print(t, in, plot.h + 1, LEFT + plot.w - 3, ROLE_DIM, "%s", "0.5");
}

/* How many rows there are of each region, by name; in a narrow pane by its first word. */
static void draw_regions(struct term *t, struct rect in, int y, const struct bt_map *m)
{
    enum { WIDE = 58 };
    static const enum bt_map_region order[] = {BT_MAP_EASY, BT_MAP_AMBIGUOUS, BT_MAP_HARD};
    int x = 0;
    for (int i = 0; i < BT_MAP_REGIONS; i++) {
        const char *name = bt_map_region_name(order[i]);
        struct bt_str text = {0};
        bt_str_addn(&text, name, in.w >= WIDE ? strlen(name) : strcspn(name, "-"));
        bt_str_addc(&text, ' ');
        format_count(&text, (int64_t)m->count[order[i]]);
        x += term_print(t, in, y, x, role_of(order[i]), "%s", bt_str_text(&text)) + 2;
        bt_str_free(&text);
    }
}

static void draw_cursor(struct view *v, struct rect in, struct rect plot, const struct pred_map *m)
{
    struct term *t = app_term(v->app);
    const struct pred_map_grid *g = &m->grid;
    const struct pred_map_box b = pred_map_cell(g, m->x, m->y);
    const uint32_t n = g->count[m->y * g->w + m->x];
    term_paint(t, plot, m->y, m->x, 1, v->focus == PRED_MATRIX ? ROLE_CURSOR : ROLE_CURSOR_IDLE);
    term_print(t, in, plot.h + 3, 0, n ? ROLE_TEXT : ROLE_DIM, "%u row%s: conf %.2f–%.2f var %.2f–%.2f", n,
               n == 1 ? "" : "s", b.from_y, fmin(b.to_y, 1), b.from_x, fmin(b.to_x, most_variability));
}

/* At first where most rows are. */
static void place(struct pred_map *m)
{
    const struct pred_map_grid *g = &m->grid;
    int best = 0;
    for (int i = 1; i < g->w * g->h; i++)
        if (g->count[i] > g->count[best]) best = i;
    if (!m->placed) {
        m->x = best % g->w;
        m->y = best / g->w;
        m->placed = true;
    }
    m->x = m->x >= g->w ? g->w - 1 : m->x;
    m->y = m->y >= g->h ? g->h - 1 : m->y;
}

/* The region of most rows of the cursor's cell; NULL: it has none. */
static const unsigned char *here(const struct pred_map *m)
{
    const int at = m->y * m->grid.w + m->x;
    return m->grid.count[at] ? &m->grid.region[at] : NULL;
}

void pred_map_plot(struct view *v, struct rect area)
{
    enum { BELOW = 4, EDGES = 2 };
    const struct pred_view *s = v->state;
    struct pred_map *m = s->map;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    const int h = area.h - EDGES - BELOW, w = area.w - EDGES - LEFT;
    const bool room = h >= 3 && w >= 8 && pred_map_count(&m->grid, m->m, w, h);
    if (room) place(m);
    bt_str_add(&title, "data map · confidence ↑");
    if (room && here(m)) bt_str_addf(&title, " · %s", bt_map_region_name((enum bt_map_region) * here(m)));
    struct rect in = term_box(t, area, bt_str_text(&title), v->focus == PRED_MATRIX);
    bt_str_free(&title);
    m->plot_at = (struct rect){.y = in.y, .x = in.x + LEFT, .h = room ? h : 0, .w = w};
    if (!room) {
        term_print(t, in, 0, 0, ROLE_DIM, "%s", "no room for the map: z");
        return;
    }
    draw_axes(t, in, m->plot_at);
    draw_cells(t, m->plot_at, m);
    draw_regions(t, in, h + 2, m->m);
    draw_cursor(v, in, m->plot_at, m);
}
