#include "tui/columns.h"

#include <bertty/num.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct tally {
    size_t integers, numbers;
    uint64_t value[COLUMNS_DISTINCT]; /* hashes */
};

static uint64_t hash(const char *p, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    return h;
}

static void count(struct column *c, struct tally *t, const char *cell, size_t n)
{
    int64_t integer;
    double number;
    size_t i = 0;
    if (n == 0) return;
    uint64_t h = hash(cell, n);
    c->filled++;
    c->bytes += (double)n;
    t->integers += bt_parse_int64(cell, &integer);
    t->numbers += bt_parse_double(cell, &number);
    while (i < c->distinct && t->value[i] != h) i++;
    if (i == c->distinct && i < COLUMNS_DISTINCT) t->value[c->distinct++] = h;
}

static void decide(struct column *c, const struct tally *t)
{
    if (c->filled == 0) return;
    c->bytes /= (double)c->filled;
    if (t->integers == c->filled)
        c->kind = COLUMN_INTEGER;
    else if (t->numbers == c->filled)
        c->kind = COLUMN_NUMBER;
    else if (c->distinct < COLUMNS_DISTINCT && c->distinct * 2 <= c->filled)
        c->kind = COLUMN_VALUES;
    else
        c->kind = COLUMN_TEXT;
}

enum bt_status columns_look(struct bt_table *t, struct column **out, struct bt_error *err)
{
    size_t n = bt_table_columns(t), rows = bt_table_rows(t);
    struct column *c = calloc(n + 1, sizeof *c);
    struct tally *tally = calloc(n + 1, sizeof *tally);
    struct bt_row row = {0};
    enum bt_status st = c && tally ? BT_OK : bt_fail(err, BT_NOMEM, "no memory to look at the columns");
    for (size_t i = 0; !st && i < rows && i < COLUMNS_ROWS; i++) {
        st = bt_table_row(t, i, &row, err);
        for (size_t k = 0; !st && k < n && k < row.n; k++)
            count(&c[k], &tally[k], row.cell[k], row.cell_n[k]);
        if (st == BT_INVALID) st = BT_OK;
    }
    for (size_t k = 0; !st && k < n; k++) decide(&c[k], &tally[k]);
    bt_row_free(&row);
    free(tally);
    *out = st ? NULL : c;
    if (st) free(c);
    return st;
}

void column_describe(const struct column *c, char *out, size_t size)
{
    static const char *const names[] = {[COLUMN_EMPTY] = "empty",
                                        [COLUMN_INTEGER] = "integer",
                                        [COLUMN_NUMBER] = "number",
                                        [COLUMN_VALUES] = "words",
                                        [COLUMN_TEXT] = "text"};
    bool few = c->kind != COLUMN_EMPTY && c->kind != COLUMN_TEXT && c->distinct < COLUMNS_DISTINCT;
    snprintf(out, size, "%s", names[c->kind]);
    size_t n = strlen(out);
    if (few) snprintf(out + n, size - n, ", %zu value%s", c->distinct, c->distinct == 1 ? "" : "s");
}

/* ── guessing ── */

static ptrdiff_t named(const struct bt_table *t, const char *name)
{
    for (size_t i = 0; name && i < bt_table_columns(t); i++) {
        if (strcasecmp(bt_table_column(t, i), name) == 0) return (ptrdiff_t)i;
    }
    return -1;
}

static bool guess_by_name(const struct bt_table *t, struct column_guess *g)
{
    static const struct {
        const char *text, *pair;
    } usual[] = {
        {"text", "text_pair"},
        {"text_a", "text_b"},
        {"sentence1", "sentence2"},
        {"sentence", NULL},
        {"premise", "hypothesis"},
        {"question1", "question2"},
        {"text1", "text2"},
        {"question", "sentence"},
        {"#1 String", "#2 String"},
        {"review", NULL},
        {"content", NULL},
        {"comment", NULL},
        {"tweet", NULL},
        {"body", NULL},
        {"description", NULL},
    };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if ((g->text = named(t, usual[i].text)) < 0) continue;
        g->pair = named(t, usual[i].pair);
        return true;
    }
    return false;
}

/* The one column of texts that is much longer than any other. */
static ptrdiff_t longest_text(const struct bt_table *t, const struct column *c)
{
    ptrdiff_t best = -1;
    double next = 0;
    for (size_t i = 0; i < bt_table_columns(t); i++) {
        if (c[i].kind != COLUMN_TEXT) continue;
        if (best < 0 || c[i].bytes > c[best].bytes) {
            next = best < 0 ? 0 : c[best].bytes;
            best = (ptrdiff_t)i;
        } else if (c[i].bytes > next) {
            next = c[i].bytes;
        }
    }
    return best >= 0 && c[best].bytes >= 3 * next ? best : -1;
}

static ptrdiff_t guess_label(const struct bt_table *t, const struct column *c, const struct column_guess *g)
{
    static const char *const usual[] = {"label",  "labels",   "class", "category", "sentiment",
                                        "target", "polarity", "gold",  "quality",  "score"};
    ptrdiff_t found = -1;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if ((found = named(t, usual[i])) >= 0 && found != g->text && found != g->pair) return found;
    }
    found = -1;
    for (size_t i = 0; i < bt_table_columns(t); i++) {
        bool few = c[i].distinct >= 2 && c[i].distinct <= 20 && c[i].distinct * 2 <= c[i].filled;
        if (!few || (ptrdiff_t)i == g->text || (ptrdiff_t)i == g->pair) continue;
        if (found >= 0) return -1;
        found = (ptrdiff_t)i;
    }
    return found;
}

/* Formats whose columns are always the same; tags and answers are no labels of their rows. */
static bool guess_by_format(const struct bt_table *t, struct column_guess *g)
{
    static const struct column_guess fixed[BT_DATA_FORMATS] = {
        [BT_DATA_CONLL] = {.text = 0, .pair = -1, .label = -1},
        [BT_DATA_SQUAD] = {.text = 1, .pair = 2, .label = -1},
        [BT_DATA_SEMEVAL] = {.text = 0, .pair = 1, .label = 2},
        [BT_DATA_TEXT] = {.text = 0, .pair = -1, .label = -1}};
    enum bt_data_format format = bt_table_dialect(t)->format;
    if (format == BT_DATA_SWAG) {
        *g = (struct column_guess){
            .text = named(t, "sent1"), .pair = named(t, "sent2"), .label = named(t, "label")};
        return true;
    }
    if (fixed[format].pair == 0) return false;
    *g = fixed[format];
    return true;
}

struct column_guess columns_guess(const struct bt_table *t, const struct column *c)
{
    struct column_guess g = {.text = -1, .pair = -1, .label = -1};
    if (guess_by_format(t, &g)) return g;
    if (!guess_by_name(t, &g)) g.text = bt_table_columns(t) == 1 ? 0 : longest_text(t, c);
    if (g.text >= 0) g.label = guess_label(t, c, &g);
    return g;
}
