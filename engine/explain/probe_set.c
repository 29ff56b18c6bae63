/* Probe sets: reading their files. */
#include <bertty/probe_set.h>

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/num.h>
#include <bertty/yaml.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 8 << 20, MOST_CHOICES = 64 };

static const struct {
    const char *word, *name;
} kinds[BT_PROBE_KINDS] = {[BT_PROBE_MINIMUM] = {.word = "expect", .name = "minimum"},
                           [BT_PROBE_INVARIANCE] = {.word = "same_for", .name = "invariance"},
                           [BT_PROBE_RISE] = {.word = "rises_for", .name = "direction"},
                           [BT_PROBE_FALL] = {.word = "falls_for", .name = "direction"}};

const char *bt_probe_kind_name(enum bt_probe_kind kind)
{
    return kinds[kind].name;
}

/* Of which kinds a probe may hold the member. */
enum { MINIMUM = 1 << BT_PROBE_MINIMUM, INVARIANCE = 1 << BT_PROBE_INVARIANCE, RISE = 1 << BT_PROBE_RISE };
enum { FALL = 1 << BT_PROBE_FALL, DIRECTION = RISE | FALL, ANY = MINIMUM | INVARIANCE | DIRECTION };
static const struct {
    const char *key;
    int kinds;
} members[] = {{.key = "name", .kinds = ANY},
               {.key = "text", .kinds = ANY},
               {.key = "pair", .kinds = ANY},
               {.key = "choices", .kinds = ANY},
               {.key = "expect", .kinds = MINIMUM},
               {.key = "at_least", .kinds = MINIMUM},
               {.key = "at_most", .kinds = MINIMUM},
               {.key = "same_for", .kinds = INVARIANCE},
               {.key = "tolerance", .kinds = INVARIANCE},
               {.key = "rises_for", .kinds = RISE},
               {.key = "falls_for", .kinds = FALL},
               {.key = "label", .kinds = DIRECTION},
               {.key = "by", .kinds = DIRECTION}};
enum { MEMBERS = sizeof members / sizeof *members };

/* ── faults ── */

struct reader {
    const char *path;
    struct bt_error *err;
    enum bt_status st; /* of the first fault */
};

static void fault(struct reader *r, const struct bt_yaml *at, const char *fmt, ...) BT_PRINTF(3, 4);
static void fault(struct reader *r, const struct bt_yaml *at, const char *fmt, ...)
{
    char text[320];
    va_list ap;
    if (r->st) return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->st = bt_fail(r->err, BT_INVALID, "%s:%u: %s", r->path, at->line, text);
}

static void no_memory(struct reader *r)
{
    if (!r->st) r->st = bt_fail(r->err, BT_NOMEM, "%s: no memory for its probes", r->path);
}

/* ── values ── */

static char *text_of(struct reader *r, const struct bt_yaml *v, const char *what)
{
    if (r->st) return NULL;
    if (v->kind != BT_YAML_SCALAR || bt_yaml_is_null(v)) {
        fault(r, v, "%s: expected a text", what);
        return NULL;
    }
    char *text = bt_strdup(v->text);
    if (!text) no_memory(r);
    return text;
}

static double number_of(struct reader *r, const struct bt_yaml *v, const char *what, double least)
{
    double number = NAN;
    if (r->st || !v) return number;
    if (v->kind != BT_YAML_SCALAR || !bt_parse_double(v->text, &number) || number < least)
        fault(r, v, "%s: expected a number%s", what, least == 0.0 ? " from 0 on" : "");
    return number;
}

/* A text, or a list of at most so many. Never NULL but after a fault. */
static char **texts_of(struct reader *r, const struct bt_yaml *v, const char *what, size_t most, size_t *n)
{
    const size_t count = v->kind == BT_YAML_LIST ? v->n : 1;
    char **list = NULL;
    *n = 0;
    if (count > most) fault(r, v, "%s: %zu texts, expected at most %zu", what, count, most);
    if (r->st) return NULL;
    list = calloc(count + 1, sizeof *list);
    if (!list) no_memory(r);
    for (size_t i = 0; i < count && !r->st; i++) {
        list[i] = text_of(r, v->kind == BT_YAML_LIST ? v->items[i] : v, what);
        if (list[i]) *n = i + 1;
    }
    return list;
}

static void free_texts(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++) free(list[i]);
    free(list);
}

/* ── inputs ── */

/* A text alone, or {text, pair, choices}; what a variant does not say is the original's. */
static void read_input(struct reader *r, const struct bt_yaml *v, const struct bt_probe_input *original,
                       struct bt_probe_input *to)
{
    const bool map = v->kind == BT_YAML_MAP;
    const struct bt_yaml *text = map ? bt_yaml_get(v, "text") : v,
                         *pair = map ? bt_yaml_get(v, "pair") : NULL,
                         *choices = map ? bt_yaml_get(v, "choices") : NULL;
    if (!text && !original) fault(r, v, "no text");
    if (r->st) return;
    to->text = text ? text_of(r, text, "text") : bt_strdup(original->text);
    to->pair = pair ? text_of(r, pair, "pair") : bt_strdup(original ? original->pair : NULL);
    if (choices) to->choice = texts_of(r, choices, "choices", MOST_CHOICES, &to->n_choices);
    if (!r->st && !to->text) no_memory(r);
    if (choices && to->n_choices < 2) fault(r, choices, "choices: %zu, expected at least two", to->n_choices);
    if (choices || !original || !original->n_choices || r->st) return;
    to->choice = calloc(original->n_choices, sizeof *to->choice);
    for (size_t i = 0; to->choice && i < original->n_choices; i++)
        if ((to->choice[i] = bt_strdup(original->choice[i]))) to->n_choices = i + 1;
    if (to->n_choices != original->n_choices) no_memory(r);
}

static void check_variant(struct reader *r, const struct bt_yaml *v)
{
    for (size_t i = 0; v->kind == BT_YAML_MAP && i < v->n; i++) {
        const char *key = v->keys[i]->text;
        if (strcmp(key, "text") != 0 && strcmp(key, "pair") != 0 && strcmp(key, "choices") != 0)
            fault(r, v->keys[i], "\"%.60s\" is not part of an input, expected text, pair or choices", key);
    }
}

static void read_inputs(struct reader *r, const struct bt_yaml *v, struct bt_probe *p)
{
    const struct bt_yaml *variants = p->kind == BT_PROBE_MINIMUM ? NULL : bt_yaml_get(v, kinds[p->kind].word);
    const bool list = variants && variants->kind == BT_YAML_LIST;
    const size_t n = list ? variants->n : variants ? 1 : 0;
    if (list && (n == 0 || n > BT_PROBE_VARIANTS))
        fault(r, variants, "%s: %zu inputs, expected 1 to %d", kinds[p->kind].word, n, BT_PROBE_VARIANTS);
    if (r->st) return;
    p->input = calloc(n + 1, sizeof *p->input);
    if (!p->input) {
        no_memory(r);
        return;
    }
    p->n_inputs = n + 1;
    read_input(r, v, NULL, &p->input[0]);
    for (size_t i = 0; i < n && !r->st; i++) {
        check_variant(r, list ? variants->items[i] : variants);
        read_input(r, list ? variants->items[i] : variants, &p->input[0], &p->input[i + 1]);
    }
}

/* ── one probe ── */

static bool kind_of(struct reader *r, const struct bt_yaml *v, enum bt_probe_kind *kind)
{
    int found = 0;
    if (v->kind != BT_YAML_MAP) {
        fault(r, v, "a probe: expected text and what is expected of it");
        return false;
    }
    /* A number alone is an expectation too. */
    *kind = BT_PROBE_MINIMUM;
    for (int k = 0; k < BT_PROBE_KINDS; k++)
        if (bt_yaml_get(v, kinds[k].word)) {
            *kind = (enum bt_probe_kind)k;
            found++;
        }
    if (found > 1)
        fault(r, v, "a probe with %d expectations, expected one of expect, same_for, rises_for, falls_for",
              found);
    if (!found && !bt_yaml_get(v, "at_least") && !bt_yaml_get(v, "at_most"))
        fault(r, v,
              "nothing is expected: no expect, same_for, rises_for or falls_for (of numbers at_least or "
              "at_most)");
    return !r->st;
}

static void check_members(struct reader *r, const struct bt_yaml *v, enum bt_probe_kind kind)
{
    const char *names[MEMBERS];
    for (size_t k = 0; k < MEMBERS; k++) names[k] = members[k].key;
    for (size_t i = 0; i < v->n; i++) {
        size_t k = 0;
        while (k < MEMBERS && strcmp(members[k].key, v->keys[i]->text) != 0) k++;
        const char *near = k < MEMBERS ? NULL : bt_nearest(v->keys[i]->text, names, MEMBERS);
        if (k == MEMBERS)
            fault(r, v->keys[i], "\"%.60s\": a probe has no such member%s%s%s", v->keys[i]->text,
                  near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
        else if (!(members[k].kinds & 1 << kind))
            fault(r, v->keys[i], "%s: of no use with %s", members[k].key, kinds[kind].word);
    }
}

static void add_piece(struct bt_str *s, const char *text)
{
    bt_str_addf(s, "%zu:%s,", text ? strlen(text) : 0, text ? text : "");
}

/* What the probe asks, in a form of its own: lengths keep the pieces apart. */
static void make_key(struct reader *r, struct bt_probe *p)
{
    struct bt_str s = {0};
    char hex[65], number[BT_NUMBER_SIZE];
    const double figures[] = {p->at_least, p->at_most, p->by, p->tolerance};
    bt_str_addf(&s, "%s;", kinds[p->kind].word);
    for (size_t i = 0; i < p->n_inputs; i++) {
        add_piece(&s, p->input[i].text);
        add_piece(&s, p->input[i].pair);
        for (size_t c = 0; c < p->input[i].n_choices; c++) add_piece(&s, p->input[i].choice[c]);
        bt_str_addc(&s, ';');
    }
    for (size_t i = 0; i < p->n_expect; i++) add_piece(&s, p->expect[i]);
    add_piece(&s, p->label);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        add_piece(&s, isnan(figures[i]) ? "" : bt_format_double(figures[i], number));
    if (s.failed) no_memory(r);
    bt_sha256(bt_str_text(&s), s.len, hex);
    memcpy(p->key, hex, sizeof p->key - 1);
    p->key[sizeof p->key - 1] = '\0';
    bt_str_free(&s);
}

static void read_expectation(struct reader *r, const struct bt_yaml *v, struct bt_probe *p)
{
    const struct bt_yaml *expect = bt_yaml_get(v, "expect"), *label = bt_yaml_get(v, "label");
    if (expect) p->expect = texts_of(r, expect, "expect", BT_PROBE_VARIANTS, &p->n_expect);
    if (label) p->label = text_of(r, label, "label");
    p->at_least = number_of(r, bt_yaml_get(v, "at_least"), "at_least", -INFINITY);
    p->at_most = number_of(r, bt_yaml_get(v, "at_most"), "at_most", -INFINITY);
    p->tolerance = number_of(r, bt_yaml_get(v, "tolerance"), "tolerance", 0.0);
    p->by = number_of(r, bt_yaml_get(v, "by"), "by", 0.0);
    if (isnan(p->by)) p->by = 0.0;
    if (p->at_least > p->at_most) fault(r, v, "at_least is above at_most");
}

static void read_probe(struct reader *r, const struct bt_yaml *v, struct bt_probe *p)
{
    const struct bt_yaml *name;
    *p = (struct bt_probe){.line = v->line};
    if (!kind_of(r, v, &p->kind)) return;
    check_members(r, v, p->kind);
    read_inputs(r, v, p);
    read_expectation(r, v, p);
    if (r->st) return;
    name = bt_yaml_get(v, "name");
    p->name = name ? text_of(r, name, "name") : bt_strdup(p->input[0].text);
    if (!p->name) no_memory(r);
    make_key(r, p);
}

static void free_probe(struct bt_probe *p)
{
    for (size_t i = 0; i < p->n_inputs; i++) {
        free(p->input[i].text);
        free(p->input[i].pair);
        free_texts(p->input[i].choice, p->input[i].n_choices);
    }
    free(p->input);
    free_texts(p->expect, p->n_expect);
    free(p->name);
    free(p->label);
}

/* ── the file ── */

/* "a/negation.probe.yaml" → "negation" */
static char *name_of(const char *path)
{
    static const char *const ends[] = {".yaml", ".yml", ".probe"};
    const char *base = bt_path_base(path);
    size_t n = strlen(base);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t m = strlen(ends[i]);
        if (n > m && strncmp(base + n - m, ends[i], m) == 0) n -= m;
    }
    return bt_strndup(base, n);
}

static void check_names(struct reader *r, const struct bt_probe_set *s, const struct bt_yaml *list)
{
    for (size_t i = 0; i < s->n && !r->st; i++)
        for (size_t j = 0; j < i && !r->st; j++)
            if (strcmp(s->probe[i].name, s->probe[j].name) == 0)
                fault(r, list->items[i], "a second probe that is called \"%.60s\" (the first: line %u)",
                      s->probe[i].name, s->probe[j].line);
}

static void read_set(struct reader *r, const struct bt_yaml *root, struct bt_probe_set *s)
{
    const struct bt_yaml *list = bt_yaml_get(root, "probes");
    if (root->kind != BT_YAML_MAP || !list || list->kind != BT_YAML_LIST || list->n == 0) {
        fault(r, list ? list : root, "expected probes: and a list of them");
        return;
    }
    for (size_t i = 0; i < root->n; i++)
        if (strcmp(root->keys[i]->text, "probes") != 0)
            fault(r, root->keys[i], "\"%.60s\": expected probes only", root->keys[i]->text);
    if (list->n > BT_PROBES) fault(r, list, "%zu probes, expected at most %d", list->n, BT_PROBES);
    if (r->st) return;
    s->probe = calloc(list->n, sizeof *s->probe);
    if (!s->probe) no_memory(r);
    for (size_t i = 0; i < list->n && !r->st; i++) {
        s->n = i + 1;
        read_probe(r, list->items[i], &s->probe[i]);
    }
    check_names(r, s, list);
}

enum bt_status bt_probe_set_load(const char *path, struct bt_probe_set **out, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    struct reader r = {.path = path, .err = err};
    struct bt_yaml *root = bt_yaml_load(path, LARGEST, &why);
    *out = NULL;
    if (!root) return bt_fail(err, why.status, "%s", why.text);
    struct bt_probe_set *s = calloc(1, sizeof *s);
    if (s) s->path = bt_strdup(path);
    if (s) s->name = name_of(path);
    if (!s || !s->path || !s->name) no_memory(&r);
    if (!r.st) read_set(&r, root, s);
    bt_yaml_free(root);
    if (!r.st)
        *out = s;
    else
        bt_probe_set_free(s);
    return r.st;
}

void bt_probe_set_free(struct bt_probe_set *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) free_probe(&s->probe[i]);
    free(s->probe);
    free(s->path);
    free(s->name);
    free(s);
}
