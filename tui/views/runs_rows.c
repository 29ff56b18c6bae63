#include "tui/views/runs_rows.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── numbers ── */

double runs_number(const struct bt_run_status *s, enum runs_column column, double now)
{
    switch (column) {
    case RUNS_STATE:
        return (double)s->state + 1e-6 * (double)s->place; /* the queue in its order */
    case RUNS_BEST:
        return s->best;
    case RUNS_AT:
        return s->best_step >= 0 ? (double)s->best_step : NAN;
    case RUNS_LAST:
        return s->last;
    case RUNS_LOSS:
        return s->train_loss;
    case RUNS_PROGRESS:
        return s->total > 0 ? (double)s->step / (double)s->total : NAN;
    case RUNS_EPOCH:
        return s->total > 0 || s->epoch > 0.0 ? s->epoch : NAN;
    case RUNS_SPEED:
        return s->tokens_per_s > 0.0 ? s->tokens_per_s : NAN;
    case RUNS_ETA:
        return bt_run_state_alive(s->state) ? s->eta_s : NAN;
    case RUNS_AGE:
        return s->started > 0.0 ? now - s->started : NAN;
    case RUNS_MARK:
    case RUNS_ID:
    case RUNS_COLUMNS:
        break;
    }
    return NAN;
}

bool runs_descending_first(enum runs_column column)
{
    return column != RUNS_STATE && column != RUNS_ID && column != RUNS_LOSS && column != RUNS_ETA &&
           column != RUNS_AGE;
}

/* ── filter ── */

enum word_kind { WORD_PLAIN, WORD_STATE, WORD_NUMBER };
enum compare { LESS, LESS_EQUAL, EQUAL, GREATER_EQUAL, GREATER };

struct runs_word {
    enum word_kind kind;
    bool negated;
    char *text;
    enum runs_column column; /* RUNS_COLUMNS: the step */
    enum compare compare;
    double value;
};

struct field {
    const char *name;
    enum runs_column column;
    double scale; /* of the number that is typed */
};

static const struct field fields[] = {
    {.name = "metric", .column = RUNS_BEST, .scale = 1},  {.name = "best", .column = RUNS_BEST, .scale = 1},
    {.name = "last", .column = RUNS_LAST, .scale = 1},    {.name = "loss", .column = RUNS_LOSS, .scale = 1},
    {.name = "step", .column = RUNS_COLUMNS, .scale = 1}, {.name = "epoch", .column = RUNS_EPOCH, .scale = 1},
    {.name = "speed", .column = RUNS_SPEED, .scale = 1},  {.name = "eta", .column = RUNS_ETA, .scale = 3600},
    {.name = "age", .column = RUNS_AGE, .scale = 3600},
};

void runs_filter_clear(struct runs_filter *f)
{
    for (size_t i = 0; i < f->n; i++) free(f->word[i].text);
    free(f->word);
    *f = (struct runs_filter){.n = 0};
}

/* The operator at p: its length, 0 if there is none. */
static size_t operator_at(const char *p, enum compare *c)
{
    bool equal = p[0] && p[1] == '=';
    if (p[0] == '<') *c = equal ? LESS_EQUAL : LESS;
    if (p[0] == '>') *c = equal ? GREATER_EQUAL : GREATER;
    if (p[0] == '=') *c = EQUAL;
    return p[0] == '<' || p[0] == '>' ? 1 + (size_t)equal : p[0] == '=' ? 1 + (size_t)equal : 0;
}

static bool number_word(const char *text, struct runs_word *w, struct bt_str *why)
{
    size_t n = strcspn(text, "<>=");
    const struct field *f = NULL;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strlen(fields[i].name) == n && strncmp(fields[i].name, text, n) == 0) f = &fields[i];
    size_t sign = operator_at(text + n, &w->compare);
    char *end;
    const char *digits = text + n + sign;
    w->value = strtod(digits, &end);
    if (!f) {
        bt_str_addf(why, "%.*s: no such figure; metric, last, loss, step, epoch, speed, eta, age", (int)n,
                    text);
        return false;
    }
    if (end == digits || *end) {
        bt_str_addf(why, "%s: expected a number after %.*s", text, (int)(n + sign), text);
        return false;
    }
    w->kind = WORD_NUMBER;
    w->column = f->column;
    w->value *= f->scale;
    return true;
}

static bool state_word(const char *text, struct runs_word *w, struct bt_str *why)
{
    w->kind = WORD_STATE;
    for (int s = BT_RUN_QUEUED; s <= BT_RUN_UNKNOWN; s++)
        if (strncmp(bt_run_state_name((enum bt_run_state)s), text, strlen(text)) == 0) return true;
    if (strcmp(text, "alive") == 0) return true;
    bt_str_addf(why, "state:%s: no such state; alive, training, finished, stopped, failed, …", text);
    return false;
}

static bool add_word(struct runs_filter *f, const char *text, struct bt_str *why)
{
    struct runs_word w = {.kind = WORD_PLAIN, .negated = text[0] == '-' && text[1]};
    const char *body = text + w.negated;
    bool fine = true;
    if (strncmp(body, "state:", 6) == 0) {
        body += 6;
        fine = state_word(body, &w, why);
    } else if (isalpha((unsigned char)body[0]) && strpbrk(body, "<>=")) {
        fine = number_word(body, &w, why);
    }
    if (!fine) return false;
    struct runs_word *word = realloc(f->word, (f->n + 1) * sizeof *word);
    if (word) f->word = word;
    w.text = word ? bt_strdup(body) : NULL;
    if (!w.text) {
        bt_str_add(why, "no memory for the filter");
        return false;
    }
    f->word[f->n++] = w;
    return true;
}

bool runs_filter_parse(const char *text, struct runs_filter *out, struct bt_str *why)
{
    *out = (struct runs_filter){.n = 0};
    bool fine = true;
    while (fine && *(text += strspn(text, " \t"))) {
        size_t n = strcspn(text, " \t");
        char *word = bt_strndup(text, n);
        fine = word && add_word(out, word, why);
        free(word);
        text += n;
    }
    if (!fine) runs_filter_clear(out);
    return fine;
}

static bool holds(const struct runs_word *w, double v)
{
    switch (w->compare) {
    case LESS:
        return v < w->value;
    case LESS_EQUAL:
        return v <= w->value;
    case EQUAL:
        return v == w->value;
    case GREATER_EQUAL:
        return v >= w->value;
    case GREATER:
        return v > w->value;
    }
    return false;
}

static bool word_matches(const struct runs_word *w, const struct bt_run_status *s, double now)
{
    const char *state = bt_run_state_name(s->state);
    if (w->kind == WORD_STATE)
        return strcmp(w->text, "alive") == 0 ? bt_run_state_alive(s->state)
                                             : strncmp(state, w->text, strlen(w->text)) == 0;
    if (w->kind == WORD_NUMBER)
        return holds(w, w->column == RUNS_COLUMNS ? (double)s->step : runs_number(s, w->column, now));
    return strcasestr(s->id, w->text) || (s->name && strcasestr(s->name, w->text)) ||
           strcasestr(state, w->text);
}

bool runs_filter_match(const struct runs_filter *f, const struct bt_run_status *s, double now)
{
    for (size_t i = 0; i < f->n; i++)
        if (word_matches(&f->word[i], s, now) == f->word[i].negated) return false;
    return true;
}

/* ── order ── */

struct sorting {
    const struct bt_run_list *list;
    const struct runs_order *order;
};

static int by_number(double a, double b, bool descending)
{
    if (isnan(a) || isnan(b)) return (int)isnan(a) - (int)isnan(b);
    int c = (a > b) - (a < b);
    return descending ? -c : c;
}

static int compare_rows(const void *pa, const void *pb, void *ctx)
{
    const struct sorting *s = ctx;
    size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
    const struct bt_run_status *x = &s->list->run[a], *y = &s->list->run[b];
    const struct runs_order *o = s->order;
    int c;
    if (o->column == RUNS_ID)
        c = o->descending ? strcmp(y->id, x->id) : strcmp(x->id, y->id);
    else if (o->column == RUNS_MARK)
        c = by_number(o->marked(o->ctx, x->dir), o->marked(o->ctx, y->dir), o->descending);
    else
        c = by_number(runs_number(x, o->column, o->now), runs_number(y, o->column, o->now), o->descending);
    return c ? c : (a > b) - (a < b);
}

size_t runs_rows(const struct bt_run_list *list, const struct runs_filter *filter,
                 const struct runs_order *order, size_t *row)
{
    struct sorting s = {.list = list, .order = order};
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (runs_filter_match(filter, &list->run[i], order->now)) row[n++] = i;
    qsort_r(row, n, sizeof *row, compare_rows, &s);
    return n;
}

/* ── texts ── */

void runs_duration(struct bt_str *out, double seconds)
{
    if (!(seconds >= 0.0) || seconds > 1e9) return;
    long long s = (long long)seconds;
    if (s < 60)
        bt_str_addf(out, "%llds", s);
    else if (s < 3600)
        bt_str_addf(out, "%lldm", s / 60);
    else if (s < 86400)
        bt_str_addf(out, "%lldh%02lld", s / 3600, s / 60 % 60);
    else
        bt_str_addf(out, "%lldd", s / 86400);
}
