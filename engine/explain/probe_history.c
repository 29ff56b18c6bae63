/* Probe sets: what each checkpoint of a run said, kept in RUN/probes/NAME.jsonl:
 * {"step": 400, "results": {"<key>": {"passed": true, "score": 0.93, "said": "positive"}, …}} */
#include <bertty/probe_set.h>

#include <bertty/file.h>
#include <bertty/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 256 << 20 };

/* A line of the file. */
struct line {
    int64_t step;
    struct bt_json *root;
};
struct lines {
    struct line *line;
    size_t n;
};

static void free_lines(struct lines *l)
{
    for (size_t i = 0; i < l->n; i++) bt_json_free(l->line[i].root);
    free(l->line);
    *l = (struct lines){.n = 0};
}

static int by_step(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return x->step < y->step ? -1 : x->step > y->step;
}

static size_t line_of(const struct lines *l, int64_t step)
{
    size_t i = 0;
    while (i < l->n && l->line[i].step != step) i++;
    return i;
}

static char *path_of(const char *run_dir, const struct bt_probe_set *s)
{
    return bt_strfmt("%s/probes/%s.jsonl", run_dir, s->name);
}

static bool take_line(struct lines *l, const char *text, size_t n, const char *path)
{
    struct bt_json *root = bt_json_parse(text, n, path, NULL);
    const int64_t step = bt_json_int(bt_json_get(root, "step"), -1);
    const bool good =
        step >= 0 && bt_json_kind(bt_json_get(root, "results")) == BT_JSON_OBJECT && line_of(l, step) == l->n;
    struct line *more = good ? realloc(l->line, (l->n + 1) * sizeof *more) : NULL;
    if (more) l->line = more;
    if (more)
        l->line[l->n++] = (struct line){.step = step, .root = root};
    else
        bt_json_free(root);
    return more || !good;
}

static enum bt_status read_lines(const char *path, struct lines *l, struct bt_error *err)
{
    char *data = NULL;
    size_t n = 0;
    bool fine = true;
    *l = (struct lines){.n = 0};
    if (!bt_path_exists(path)) return BT_OK;
    enum bt_status st = bt_file_read(path, LARGEST, &data, &n, err);
    for (const char *at = data, *end; !st && fine && at < data + n; at = end + 1) {
        end = memchr(at, '\n', (size_t)(data + n - at));
        if (!end) end = data + n;
        fine = take_line(l, at, (size_t)(end - at), path);
    }
    free(data);
    if (!fine) st = bt_fail(err, BT_NOMEM, "%s: no memory", path);
    if (st) free_lines(l);
    if (l->n) qsort(l->line, l->n, sizeof *l->line, by_step);
    return st;
}

/* ── reading ── */

static bool take_verdict(const struct bt_json *v, struct bt_probe_verdict *to)
{
    if (bt_json_kind(v) != BT_JSON_OBJECT) return true;
    *to = (struct bt_probe_verdict){.known = true,
                                    .passed = bt_json_bool(bt_json_get(v, "passed"), false),
                                    .score = bt_json_number(bt_json_get(v, "score"), (double)NAN),
                                    .said = bt_strdup(bt_json_text(bt_json_get(v, "said"), ""))};
    return to->said;
}

enum bt_status bt_probe_history_load(const char *run_dir, const struct bt_probe_set *s,
                                     struct bt_probe_history **out, struct bt_error *err)
{
    struct lines l = {.n = 0};
    char *path = path_of(run_dir, s);
    *out = NULL;
    enum bt_status st = path ? read_lines(path, &l, err) : bt_fail(err, BT_NOMEM, "%s: no memory", run_dir);
    struct bt_probe_history *h = st ? NULL : calloc(1, sizeof *h);
    bool fine = h != NULL;
    if (h) {
        h->n = s->n;
        h->n_steps = l.n;
        h->step = calloc(l.n + 1, sizeof *h->step);
        h->verdict = calloc(l.n * s->n + 1, sizeof *h->verdict);
        fine = h->step && h->verdict;
    }
    for (size_t k = 0; fine && k < l.n; k++) {
        const struct bt_json *results = bt_json_get(l.line[k].root, "results");
        h->step[k] = l.line[k].step;
        for (size_t i = 0; fine && i < s->n; i++)
            fine = take_verdict(bt_json_get(results, s->probe[i].key), &h->verdict[i * l.n + k]);
    }
    if (!st && !fine) st = bt_fail(err, BT_NOMEM, "%s: no memory for a history", path);
    free_lines(&l);
    free(path);
    if (st)
        bt_probe_history_free(h);
    else
        *out = h;
    return st;
}

void bt_probe_history_free(struct bt_probe_history *h)
{
    if (!h) return;
    for (size_t i = 0; h->verdict && i < h->n * h->n_steps; i++) free(h->verdict[i].said);
    free(h->verdict);
    free(h->step);
    free(h);
}

bool bt_probe_history_has(const struct bt_probe_history *h, int64_t step)
{
    size_t k = 0;
    while (k < h->n_steps && h->step[k] != step) k++;
    if (k == h->n_steps) return false;
    for (size_t i = 0; i < h->n; i++)
        if (!h->verdict[i * h->n_steps + k].known) return false;
    return true;
}

bool bt_probe_flips(const struct bt_probe_history *h, struct bt_probe_flip **out, size_t *n)
{
    size_t *last = calloc(h->n + 1, sizeof *last); /* the step that a probe was known at, from 1 */
    *n = 0;
    *out = calloc(h->n * h->n_steps + 1, sizeof **out);
    for (size_t k = 0; last && *out && k < h->n_steps; k++)
        for (size_t i = 0; i < h->n; i++) {
            const struct bt_probe_verdict *v = &h->verdict[i * h->n_steps + k];
            if (!v->known) continue;
            if (last[i] && h->verdict[i * h->n_steps + last[i] - 1].passed != v->passed)
                (*out)[(*n)++] = (struct bt_probe_flip){.probe = i, .from = last[i] - 1, .to = k};
            last[i] = k + 1;
        }
    const bool fine = last && *out;
    free(last);
    if (fine) return true;
    free(*out);
    *out = NULL;
    return false;
}

/* ── adding ── */

static bool is_of(const struct bt_probe_set *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->probe[i].key, key) == 0) return true;
    return false;
}

static void write_verdict(struct bt_json_writer *w, const char *key, bool passed, double score,
                          const char *said)
{
    bt_jw_key(w, key);
    bt_jw_object(w);
    bt_jw_kbool(w, "passed", passed);
    bt_jw_knum(w, "score", score);
    bt_jw_ktext(w, "said", said);
    bt_jw_end_object(w);
}

/* What was said of probes that are no longer in the set, or only in another version of it, stays. */
static void write_line(struct bt_str *out, int64_t step, const struct bt_json *before,
                       const struct bt_probe_set *s, const struct bt_probe_results *r)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "step", step);
    bt_jw_key(&w, "results");
    bt_jw_object(&w);
    for (const void *it = bt_json_first(before); it; it = bt_json_next(before, it)) {
        const struct bt_json *v = bt_json_value(it);
        if (r && is_of(s, bt_json_key(it))) continue;
        write_verdict(&w, bt_json_key(it), bt_json_bool(bt_json_get(v, "passed"), false),
                      bt_json_number(bt_json_get(v, "score"), (double)NAN),
                      bt_json_text(bt_json_get(v, "said"), ""));
    }
    for (size_t i = 0; r && i < r->n; i++) {
        size_t first = 0;
        while (strcmp(s->probe[first].key, s->probe[i].key) != 0) first++;
        if (first == i) /* the same question under another name has the same answer */
            write_verdict(&w, s->probe[i].key, r->result[i].passed, r->result[i].score, r->result[i].said);
    }
    bt_jw_end_object(&w);
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
}

static enum bt_status write_lines(const char *path, const struct lines *l, int64_t step,
                                  const struct bt_probe_set *s, const struct bt_probe_results *r,
                                  struct bt_error *err)
{
    struct bt_str text = {0};
    bool written = false;
    for (size_t i = 0; i < l->n; i++) {
        const struct bt_json *before = bt_json_get(l->line[i].root, "results");
        if (!written && l->line[i].step > step) write_line(&text, step, NULL, s, r);
        written |= l->line[i].step >= step;
        write_line(&text, l->line[i].step, before, s, l->line[i].step == step ? r : NULL);
    }
    if (!written) write_line(&text, step, NULL, s, r);
    enum bt_status st = text.failed ? bt_fail(err, BT_NOMEM, "%s: no memory", path)
                                    : bt_file_write_atomic(path, text.data, text.len, err);
    bt_str_free(&text);
    return st;
}

enum bt_status bt_probe_history_add(const char *run_dir, const struct bt_probe_set *s, int64_t step,
                                    const struct bt_probe_results *r, struct bt_error *err)
{
    struct lines l = {.n = 0};
    char *path = path_of(run_dir, s), *folder = bt_path_join(run_dir, "probes");
    enum bt_status st =
        path && folder ? bt_mkdirs(folder, err) : bt_fail(err, BT_NOMEM, "%s: no memory", run_dir);
    if (!st) st = read_lines(path, &l, err);
    if (!st) st = write_lines(path, &l, step, s, r, err);
    free_lines(&l);
    free(path);
    free(folder);
    return st;
}
