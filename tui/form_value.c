/* Changing one field: what was typed, steps, resets. */
#include "tui/form_internal.h"

#include <bertty/num.h>
#include <bertty/yaml.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ── into the text ── */

/* value NULL: the line goes. */
static enum bt_status write_value(struct form *f, size_t field, const char *value, bool keep_past,
                                  struct bt_error *err)
{
    struct bt_str text = {.data = NULL};
    bt_str_addn(&text, f->now.text, f->now.n);
    if (text.failed) return bt_fail(err, BT_NOMEM, "no memory for the form");
    enum bt_status st = bt_experiment_edit(&text, bt_options(NULL)[field].key, value, err);
    struct bt_yaml *check = st ? NULL : bt_yaml_parse(bt_str_text(&text), text.len, "experiment", err);
    if (!st && !check) st = BT_INVALID;
    bt_yaml_free(check);
    if (st) {
        bt_str_free(&text);
        return st;
    }
    size_t n = text.len;
    return form_take(f, bt_str_take(&text), n, keep_past, err);
}

/* The library's own spelling of a value. */
static enum bt_status canonical(const struct bt_option *o, const char *yaml, struct bt_str *out,
                                struct bt_error *err)
{
    struct bt_experiment *x;
    enum bt_status st = bt_experiment_new(&x, err);
    if (st) return st;
    st = bt_experiment_set(x, o->key, yaml, err);
    if (!st) bt_experiment_get(x, o, out);
    bt_experiment_free(x);
    return st;
}

static char *trimmed(const char *typed)
{
    while (*typed == ' ' || *typed == '\t') typed++;
    size_t n = strlen(typed);
    while (n && (typed[n - 1] == ' ' || typed[n - 1] == '\t')) n--;
    return bt_strndup(typed, n);
}

static void quote(const char *typed, struct bt_str *out)
{
    bt_str_addc(out, '"');
    for (const char *c = typed; *c; c++) {
        if (*c == '"' || *c == '\\') bt_str_addc(out, '\\');
        if ((unsigned char)*c < 0x20)
            bt_str_addf(out, "\\x%02x", (unsigned char)*c);
        else
            bt_str_addc(out, *c);
    }
    bt_str_addc(out, '"');
}

static enum bt_status text_value(const struct bt_option *o, const char *typed, struct bt_str *out,
                                 struct bt_error *err)
{
    struct bt_str yaml = {.data = NULL};
    if (strcmp(typed, "null") == 0)
        bt_str_add(&yaml, "null");
    else
        quote(typed, &yaml);
    enum bt_status st = canonical(o, bt_str_text(&yaml), out, err);
    bt_str_free(&yaml);
    return st;
}

/* As YAML if there are brackets or quotes, else the pieces between commas. */
static void list_yaml(const char *typed, struct bt_str *out)
{
    if (typed[0] == '[') {
        bt_str_add(out, typed);
        return;
    }
    bt_str_addc(out, '[');
    if (strchr(typed, '"')) {
        bt_str_add(out, typed);
    } else {
        for (const char *p = typed; *p;) {
            size_t n = strcspn(p, ",");
            char *piece = bt_strndup(p, n), *word = piece ? trimmed(piece) : NULL;
            if (word && *word) {
                quote(word, out);
                bt_str_add(out, ", ");
            }
            if (!word) out->failed = true;
            free(piece);
            free(word);
            p += n + (p[n] == ',');
        }
    }
    bt_str_addc(out, ']');
}

static enum bt_status list_value(const struct bt_option *o, const char *typed, struct bt_str *out,
                                 struct bt_error *err)
{
    struct bt_str yaml = {.data = NULL};
    list_yaml(typed, &yaml);
    enum bt_status st = yaml.failed ? bt_fail(err, BT_NOMEM, "no memory for the form")
                                    : canonical(o, bt_str_text(&yaml), out, err);
    bt_str_free(&yaml);
    return st;
}

/* Numbers, switches and choices are kept as they were typed (5e-5), right or wrong, as long as they are one plain word. */
static enum bt_status word_value(const struct bt_option *o, const char *typed, struct bt_str *out,
                                 struct bt_error *err)
{
    struct bt_yaml *v = bt_yaml_parse(typed, strlen(typed), o->key, NULL);
    bool plain = v && v->kind == BT_YAML_SCALAR && !v->quoted && strcmp(v->text, typed) == 0 &&
                 !strpbrk(typed, "#:,[]{}\n");
    bt_yaml_free(v);
    if (plain) {
        bt_str_add(out, typed);
        return BT_OK;
    }
    enum bt_status st = canonical(o, typed, out, err);
    return st ? st : bt_fail(err, BT_INVALID, "%s: found \"%.60s\", expected one word", o->key, typed);
}

enum bt_status form_put(struct form *f, size_t field, const char *typed, struct bt_error *err)
{
    static enum bt_status (*const make[])(const struct bt_option *, const char *, struct bt_str *,
                                          struct bt_error *) = {
        [BT_OPTION_TEXT] = text_value, [BT_OPTION_LIST] = list_value, [BT_OPTION_INT] = word_value,
        [BT_OPTION_REAL] = word_value, [BT_OPTION_BOOL] = word_value, [BT_OPTION_CHOICE] = word_value};
    const struct bt_option *o = &bt_options(NULL)[field];
    f->stepped = FORM_NO_FIELD;
    char *word = trimmed(typed);
    if (!word) return bt_fail(err, BT_NOMEM, "no memory for the form");
    struct bt_str before = {.data = NULL}, value = {.data = NULL};
    form_typed(f, field, &before);
    enum bt_status st = BT_OK;
    if (!*word)
        st = form_reset(f, field, err);
    else if (strcmp(word, bt_str_text(&before)) != 0) {
        st = make[o->kind](o, word, &value, err);
        if (!st) st = write_value(f, field, bt_str_text(&value), false, err);
    }
    bt_str_free(&before);
    bt_str_free(&value);
    free(word);
    return st;
}

enum bt_status form_put_value(struct form *f, size_t field, const struct bt_experiment *x,
                              struct bt_error *err)
{
    struct bt_str value = {.data = NULL};
    f->stepped = FORM_NO_FIELD;
    bt_experiment_get(x, &bt_options(NULL)[field], &value);
    enum bt_status st = write_value(f, field, bt_str_text(&value), false, err);
    bt_str_free(&value);
    return st;
}

enum bt_status form_reset(struct form *f, size_t field, struct bt_error *err)
{
    f->stepped = FORM_NO_FIELD;
    if (!f->now.field[field].raw) return BT_OK;
    return write_value(f, field, NULL, false, err);
}

void form_typed(const struct form *f, size_t field, struct bt_str *out)
{
    const struct bt_option *o = &bt_options(NULL)[field];
    const struct form_field *value = &f->now.field[field];
    if (value->raw && (value->fault || o->kind != BT_OPTION_LIST)) {
        bt_str_add(out, value->raw);
        return;
    }
    struct bt_str text = {.data = NULL};
    bt_experiment_get(f->now.x, o, &text);
    const char *s = bt_str_text(&text);
    bool brackets = o->kind == BT_OPTION_LIST && s[0] == '[';
    if (brackets)
        bt_str_addn(out, s + 1, text.len - 2);
    else if (strcmp(s, "null") != 0 || value->raw)
        bt_str_add(out, s);
    bt_str_free(&text);
}

/* ── steps ── */

/* Up or down on 1-2-3-…-9-10 (fine) or 1-2-5-10 (coarse) of the leading digit. */
static double ladder(double v, int up, bool coarse)
{
    static const double small[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, large[] = {1, 2, 5, 10};
    const double *rung = coarse ? large : small;
    size_t n = coarse ? sizeof large / sizeof *large : sizeof small / sizeof *small;
    double decade = pow(10.0, floor(log10(v) + 1e-9)), digit = v / decade;
    if (up) {
        for (size_t i = 0; i < n; i++)
            if (rung[i] > digit * (1.0 + 1e-9)) return rung[i] * decade;
        return 10.0 * decade;
    }
    for (size_t i = n; i-- > 0;)
        if (rung[i] < digit * (1.0 - 1e-9)) return rung[i] * decade;
    return rung[n - 2] * decade / 10.0;
}

static bool is_share(const struct bt_option *o)
{
    return o->high <= 1.0 && (o->fallback <= 0.0 || o->fallback > 1e-3);
}

/* Where a number that is 0 or null starts to climb. */
static double first_step(const struct bt_option *o)
{
    if (o->fallback > 0.0) return o->fallback;
    return o->high > 1e6 ? 1.0 : o->high > 10.0 ? 1e-3 : 1e-5;
}

static double step_real(const struct bt_option *o, double v, int up, bool coarse)
{
    double next;
    if (is_share(o)) {
        double by = coarse ? 0.1 : 0.01;
        next = (v < 0.0 ? 0.0 : v) + (up ? by : -by);
        next = round(next * 1e6) / 1e6;
    } else if (v <= 0.0) {
        next = up ? first_step(o) : 0.0;
    } else if (!coarse && v >= 1.0 && v < 1000.0) {
        next = up || v >= 2.0 ? v + (up ? 1.0 : -1.0) : 0.9;
    } else {
        next = ladder(v, up, coarse);
    }
    return next < 1e-12 ? 0.0 : next;
}

static double step_int(const struct bt_option *o, double v, int up, bool coarse)
{
    if (o->nullable && v < 0.0) return up ? (o->low > 0.0 ? o->low : 0.0) : v;
    if (!coarse) return v + (up ? 1.0 : -1.0);
    if (up) return v < 1.0 ? 1.0 : v * 2.0;
    return v <= 1.0 ? o->low : floor(v / 2.0);
}

static void number_text(const struct bt_option *o, double v, char text[BT_NUMBER_SIZE])
{
    char rounded[BT_NUMBER_SIZE];
    double exact = v;
    snprintf(rounded, sizeof rounded, o->kind == BT_OPTION_INT ? "%.0f" : "%.6g", v);
    (void)bt_parse_double(rounded, &exact);
    if (o->kind == BT_OPTION_INT)
        snprintf(text, BT_NUMBER_SIZE, "%.0f", exact);
    else
        bt_format_double(v >= o->high ? o->high : exact, text);
}

static double number_of(const struct bt_experiment *x, const struct bt_option *o)
{
    const void *field = (const char *)x + o->offset;
    return o->kind == BT_OPTION_INT ? (double)*(const int64_t *)field : *(const double *)field;
}

static void stepped_number(const struct form *f, const struct bt_option *o, int by, bool coarse,
                           struct bt_str *out)
{
    double v = number_of(f->now.x, o), from = v;
    char text[BT_NUMBER_SIZE];
    for (int i = abs(by); i > 0; i--)
        v = o->kind == BT_OPTION_INT ? step_int(o, v, by > 0, coarse) : step_real(o, v, by > 0, coarse);
    if (o->nullable && by < 0 && (from < 0.0 || from <= o->low)) {
        bt_str_add(out, "null");
        return;
    }
    if (v < o->low) v = o->low;
    if (v > o->high) v = o->high;
    number_text(o, v, text);
    bt_str_add(out, text);
}

static void stepped_choice(const struct form *f, const struct bt_option *o, int by, struct bt_str *out)
{
    size_t length;
    int n = 0, now = *(const int *)((const char *)f->now.x + o->offset);
    while (bt_option_choice_text(o, n, &length)) n++;
    const char *next = bt_option_choice_text(o, ((now + by) % n + n) % n, &length);
    bt_str_addn(out, next, length);
}

bool form_step(struct form *f, size_t field, int by, bool coarse)
{
    const struct bt_option *o = &bt_options(NULL)[field];
    struct bt_str value = {.data = NULL};
    if (by == 0 || f->now.broken || o->kind == BT_OPTION_TEXT || o->kind == BT_OPTION_LIST) return false;
    if (o->kind == BT_OPTION_BOOL)
        bt_str_add(&value, *(const bool *)((const char *)f->now.x + o->offset) ? "false" : "true");
    else if (o->kind == BT_OPTION_CHOICE)
        stepped_choice(f, o, by, &value);
    else
        stepped_number(f, o, by, coarse, &value);
    bool again = f->stepped == field && f->n_past > 0;
    bool fine = !value.failed && write_value(f, field, bt_str_text(&value), again, NULL) == BT_OK;
    bt_str_free(&value);
    f->stepped = fine ? field : FORM_NO_FIELD;
    return fine;
}

/* ── about a field ── */

bool form_is_path(size_t field)
{
    static const size_t paths[] = {BT_OPTION_model_name_or_path,    BT_OPTION_data_train_file,
                                   BT_OPTION_data_validation_file,  BT_OPTION_data_test_file,
                                   BT_OPTION_data_class_names_file, BT_OPTION_data_label_decisions,
                                   BT_OPTION_run_output_dir};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] == field) return true;
    return false;
}

static void choices(const struct bt_option *o, struct bt_str *out)
{
    size_t n;
    const char *text;
    for (int i = 0; (text = bt_option_choice_text(o, i, &n)); i++)
        bt_str_addf(out, "%s%.*s", i ? ", " : "", (int)n, text);
}

static void range(const struct bt_option *o, struct bt_str *out)
{
    char low[BT_NUMBER_SIZE], high[BT_NUMBER_SIZE];
    if (o->high >= 1e9)
        bt_str_addf(out, "from %s on", bt_format_double(o->low, low));
    else
        bt_str_addf(out, "%s to %s", bt_format_double(o->low, low), bt_format_double(o->high, high));
    if (o->unit[0]) bt_str_addf(out, " %s", o->unit);
    if (o->nullable) bt_str_add(out, " or null");
}

static void plain_default(size_t field, struct bt_str *out)
{
    const struct bt_option *o = &bt_options(NULL)[field];
    struct bt_experiment *x;
    if (bt_experiment_new(&x, NULL)) return;
    bt_experiment_get(x, o, out);
    bt_experiment_free(x);
}

void form_about(size_t field, struct bt_str *out)
{
    const struct bt_option *o = &bt_options(NULL)[field];
    static const char *const kind[] = {[BT_OPTION_TEXT] = "text",
                                       [BT_OPTION_LIST] = "list, separated by commas",
                                       [BT_OPTION_BOOL] = "true, false"};
    if (o->kind == BT_OPTION_CHOICE)
        choices(o, out);
    else if (o->kind == BT_OPTION_INT || o->kind == BT_OPTION_REAL)
        range(o, out);
    else
        bt_str_add(out, form_is_path(field)
                            ? (o->kind == BT_OPTION_LIST ? "paths, separated by commas" : "path")
                            : kind[o->kind]);
    bt_str_add(out, " · default ");
    plain_default(field, out);
}
