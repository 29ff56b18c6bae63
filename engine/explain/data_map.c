#include <bertty/data_map.h>

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/num.h>
#include <bertty/str.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 30, MOST_EPOCHS = 1000 };

const char *bt_map_region_name(enum bt_map_region r)
{
    static const char *const name[BT_MAP_REGIONS] = {
        [BT_MAP_EASY] = "easy-to-learn", [BT_MAP_AMBIGUOUS] = "ambiguous", [BT_MAP_HARD] = "hard-to-learn"};
    return name[r];
}

/* ── figures ── */

void bt_map_sum_up(const float *p, const bool *right, size_t n, struct bt_map_row *out)
{
    double sum = 0, squares = 0;
    int seen = 0, was_right = 0, forgotten = 0;
    bool before = false;
    for (size_t e = 0; e < n; e++) {
        if (isnan(p[e])) continue;
        sum += (double)p[e];
        was_right += right[e];
        forgotten += seen && before && !right[e];
        before = right[e];
        seen++;
    }
    const double mean = seen ? sum / seen : (double)NAN;
    for (size_t e = 0; e < n; e++)
        if (!isnan(p[e])) squares += ((double)p[e] - mean) * ((double)p[e] - mean);
    out->epochs = seen;
    out->confidence = mean;
    out->variability = seen ? sqrt(squares / seen) : (double)NAN;
    out->correctness = seen ? (double)was_right / seen : (double)NAN;
    out->forgotten = forgotten;
    out->learnt = was_right > 0;
}

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

/* The variability from which on rows are ambiguous: at most a third of all, none rather than a part of equal ones; what does not vary at all is not ambiguous. */
static double limit_of(const double *sorted, size_t n)
{
    size_t most = n / 3;
    while (most > 0 && most < n && sorted[most] == sorted[most - 1]) most--;
    return most > 0 && sorted[most - 1] > 0 ? sorted[most - 1] : (double)INFINITY;
}

static enum bt_status find_regions(struct bt_map *m, struct bt_error *err)
{
    double *sorted = calloc(m->n + 1, sizeof *sorted);
    if (!sorted) return bt_fail(err, BT_NOMEM, "no memory for %zu rows", m->n);
    for (size_t i = 0; i < m->n; i++) sorted[i] = m->row[i].variability;
    qsort(sorted, m->n, sizeof *sorted, descending);
    m->limit = limit_of(sorted, m->n);
    free(sorted);
    for (size_t i = 0; i < m->n; i++) {
        struct bt_map_row *r = &m->row[i];
        r->region = r->variability >= m->limit ? BT_MAP_AMBIGUOUS
                    : r->confidence >= 0.5     ? BT_MAP_EASY
                                               : BT_MAP_HARD;
        m->count[r->region]++;
    }
    return BT_OK;
}

/* ── which epochs ── */

static int64_t epoch_of(const char *name)
{
    static const char first[] = "epoch-", last[] = ".jsonl";
    const size_t n = strlen(name), a = sizeof first - 1, b = sizeof last - 1;
    int64_t epoch = -1;
    if (n <= a + b || strncmp(name, first, a) != 0 || strcmp(name + n - b, last) != 0) return -1;
    char *number = bt_strndup(name + a, n - a - b);
    if (number && !bt_parse_int64(number, &epoch)) epoch = -1;
    free(number);
    return epoch;
}

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool add_epoch(struct bt_map *m, int64_t epoch)
{
    int64_t *more = realloc(m->epoch, (m->n_epochs + 1) * sizeof *more);
    if (!more) return false;
    m->epoch = more;
    more[m->n_epochs++] = epoch;
    return true;
}

static enum bt_status find_epochs(const char *dir, struct bt_map *m, struct bt_error *err)
{
    char *folder = bt_path_join(dir, "dynamics");
    DIR *d = folder ? opendir(folder) : NULL;
    bool fine = folder != NULL;
    for (struct dirent *e; fine && d && (e = readdir(d));) {
        const int64_t epoch = epoch_of(e->d_name);
        if (epoch > 0) fine = add_epoch(m, epoch);
    }
    if (d) closedir(d);
    free(folder);
    if (!fine) return bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    if (!m->n_epochs)
        return bt_fail(err, BT_NOTFOUND, "%s: no figures of training examples (dynamics/epoch-1.jsonl)", dir);
    qsort(m->epoch, m->n_epochs, sizeof *m->epoch, ascending);
    if (m->n_epochs > MOST_EPOCHS) {
        memmove(m->epoch, m->epoch + m->n_epochs - MOST_EPOCHS, MOST_EPOCHS * sizeof *m->epoch);
        m->n_epochs = MOST_EPOCHS;
    }
    return BT_OK;
}

/* ── reading ── */

struct seen {
    int64_t id;
    uint32_t epoch; /* index */
    float p;
    bool right;
};
struct reading {
    struct seen *seen;
    size_t n, cap;
    const char *path;
    size_t line;
    uint32_t epoch;
    struct bt_error *err;
};

static enum bt_status bad(const struct reading *r, const char *expected)
{
    return bt_fail(r->err, BT_INVALID, "%s:%zu: expected %s", r->path, r->line, expected);
}

static enum bt_status add_row(struct reading *r, const struct bt_json *v)
{
    const struct bt_json *id = bt_json_get(v, "id"), *p = bt_json_get(v, "p"),
                         *right = bt_json_get(v, "correct");
    const double value = bt_json_number(p, -1);
    if (bt_json_kind(id) != BT_JSON_INT || bt_json_int(id, 0) < 1)
        return bad(r, "\"id\", the number of a row");
    if (p && bt_json_kind(p) == BT_JSON_NULL) return BT_OK; /* it was not a number: a run that diverged */
    if (!(value >= 0 && value <= 1)) return bad(r, "\"p\", a probability");
    if (bt_json_kind(right) != BT_JSON_BOOL) return bad(r, "\"correct\", true or false");
    if (r->n == r->cap) {
        const size_t cap = r->cap ? 2 * r->cap : 1024;
        struct seen *more = realloc(r->seen, cap * sizeof *more);
        if (!more) return bt_fail(r->err, BT_NOMEM, "%s: no memory", r->path);
        r->seen = more;
        r->cap = cap;
    }
    r->seen[r->n++] = (struct seen){
        .id = bt_json_int(id, 0), .epoch = r->epoch, .p = (float)value, .right = bt_json_bool(right, false)};
    return BT_OK;
}

static enum bt_status read_line(struct reading *r, const char *line, size_t n)
{
    struct bt_error why = {.status = BT_OK};
    struct bt_json *v = bt_json_parse(line, n, "the line", &why);
    enum bt_status st =
        v ? add_row(r, v) : bt_fail(r->err, BT_INVALID, "%s:%zu: %s", r->path, r->line, why.text);
    bt_json_free(v);
    return st;
}

static enum bt_status read_epoch(struct reading *r)
{
    char *data = NULL;
    size_t n = 0;
    enum bt_status st = bt_file_read(r->path, LARGEST, &data, &n, r->err);
    r->line = 0;
    for (const char *at = data, *end = at + n; !st && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((stop ? stop : end) - at);
        r->line++;
        if (length) st = read_line(r, at, length);
        at += length + 1;
    }
    free(data);
    return st;
}

static int by_id(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

static enum bt_status make_rows(struct bt_map *m, struct reading *r, const char *dir, struct bt_error *err)
{
    size_t n = 0;
    if (r->n) qsort(r->seen, r->n, sizeof *r->seen, by_id);
    for (size_t i = 0; i < r->n; i++) n += i == 0 || r->seen[i].id != r->seen[i - 1].id;
    if (!n) return bt_fail(err, BT_NOTFOUND, "%s: the files in dynamics/ hold no rows", dir);
    m->row = calloc(n, sizeof *m->row);
    m->p = calloc(n * m->n_epochs, sizeof *m->p);
    m->right = calloc(n * m->n_epochs, sizeof *m->right);
    if (!m->row || !m->p || !m->right) return bt_fail(err, BT_NOMEM, "%s: no memory for %zu rows", dir, n);
    for (size_t i = 0; i < n * m->n_epochs; i++) m->p[i] = NAN;
    for (size_t i = 0; i < r->n; i++) {
        const struct seen *s = &r->seen[i];
        if (i == 0 || s->id != r->seen[i - 1].id) m->row[m->n++].id = s->id;
        m->p[(m->n - 1) * m->n_epochs + s->epoch] = s->p;
        m->right[(m->n - 1) * m->n_epochs + s->epoch] = s->right;
    }
    for (size_t i = 0; i < m->n; i++)
        bt_map_sum_up(m->p + i * m->n_epochs, m->right + i * m->n_epochs, m->n_epochs, &m->row[i]);
    return find_regions(m, err);
}

enum bt_status bt_map_load(const char *dir, struct bt_map **out, struct bt_error *err)
{
    struct reading r = {.err = err};
    struct bt_map *m = calloc(1, sizeof *m);
    *out = NULL;
    enum bt_status st = m ? find_epochs(dir, m, err) : bt_fail(err, BT_NOMEM, "%s: no memory", dir);
    for (; !st && r.epoch < m->n_epochs; r.epoch++) {
        char *path = bt_strfmt("%s/dynamics/epoch-%lld.jsonl", dir, (long long)m->epoch[r.epoch]);
        r.path = path;
        st = path ? read_epoch(&r) : bt_fail(err, BT_NOMEM, "%s: no memory", dir);
        free(path);
    }
    if (!st) st = make_rows(m, &r, dir, err);
    free(r.seen);
    if (st)
        bt_map_free(m);
    else
        *out = m;
    return st;
}

void bt_map_free(struct bt_map *m)
{
    if (!m) return;
    free(m->row);
    free(m->epoch);
    free(m->p);
    free(m->right);
    free(m);
}
