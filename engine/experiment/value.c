#include "experiment/value.h"

#include <bertty/num.h>
#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void bt__list_free(struct bt_string_list *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->item[i]);
    free(l->item);
    *l = (struct bt_string_list){.n = 0};
}

enum bt_status bt__list_add(struct bt_string_list *l, const char *text, struct bt_error *err)
{
    char **item = realloc(l->item, (l->n + 1) * sizeof *item);
    if (item) l->item = item;
    char *copy = item ? bt_strdup(text) : NULL;
    if (!copy) return bt_fail(err, BT_NOMEM, "no memory for a list");
    l->item[l->n++] = copy;
    return BT_OK;
}

enum bt_status bt__list_append(struct bt_string_list *l, const struct bt_string_list *more,
                               struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < more->n && !st; i++) st = bt__list_add(l, more->item[i], err);
    return st;
}

const struct bt_option *bt__setting_option(const char *setting, const char **value)
{
    const size_t n = strcspn(setting, "=");
    if (value) *value = setting + n + (setting[n] == '=');
    for (size_t i = 0; i < BT_OPTIONS; i++) {
        const struct bt_option *o = &bt_options(NULL)[i];
        if (strlen(o->key) == n && strncmp(o->key, setting, n) == 0) return o;
    }
    return NULL;
}

/* ── from text ── */

struct input {
    const struct bt_option *o;
    const struct bt_yaml *v;
    const char *file;
    struct bt_error *err;
};

static enum bt_status refuse(const struct input *in, const char *expected)
{
    const char *found = in->v->kind == BT_YAML_SCALAR ? in->v->text
                        : in->v->kind == BT_YAML_LIST ? "a list"
                                                      : "a map";
    struct bt_str shown = {.data = NULL};
    bt_text_fit(&shown, found, strlen(found), 60);
    enum bt_status st;
    if (in->file)
        st = bt_fail(in->err, BT_INVALID, "%s:%u:%u: %s: found \"%s\", expected %s", in->file, in->v->line,
                     in->v->column, in->o->key, bt_str_text(&shown), expected);
    else
        st = bt_fail(in->err, BT_INVALID, "%s: found \"%s\", expected %s", in->o->key, bt_str_text(&shown),
                     expected);
    bt_str_free(&shown);
    return st;
}

static enum bt_status out_of_range(const struct input *in, const char *what)
{
    char low[BT_NUMBER_SIZE], high[BT_NUMBER_SIZE];
    struct bt_str text = {.data = NULL};
    bt_str_addf(&text, "%s from %s to %s%s", what, bt_format_double(in->o->low, low),
                bt_format_double(in->o->high, high), in->o->nullable ? " or null" : "");
    enum bt_status st = refuse(in, bt_str_text(&text));
    bt_str_free(&text);
    return st;
}

static enum bt_status put_text(struct bt_experiment *x, const struct input *in)
{
    char **field = bt__field(x, in->o);
    if (in->v->kind != BT_YAML_SCALAR) return refuse(in, "a text");
    char *copy = bt_yaml_is_null(in->v) ? NULL : bt_strdup(in->v->text);
    if (!copy && !bt_yaml_is_null(in->v)) return bt_fail(in->err, BT_NOMEM, "no memory for %s", in->o->key);
    free(*field);
    *field = copy;
    return BT_OK;
}

static enum bt_status put_list(struct bt_experiment *x, const struct input *in)
{
    struct bt_string_list fresh = {.n = 0};
    enum bt_status st = BT_OK;
    if (in->v->kind == BT_YAML_MAP) return refuse(in, "a text or a list of texts");
    if (in->v->kind == BT_YAML_SCALAR && !bt_yaml_is_null(in->v))
        st = bt__list_add(&fresh, in->v->text, in->err);
    for (size_t i = 0; in->v->kind == BT_YAML_LIST && i < in->v->n && !st; i++) {
        if (in->v->items[i]->kind != BT_YAML_SCALAR)
            st = refuse(in, "a list of texts");
        else
            st = bt__list_add(&fresh, in->v->items[i]->text, in->err);
    }
    if (st) {
        bt__list_free(&fresh);
        return st;
    }
    bt__list_free(bt__field(x, in->o));
    *(struct bt_string_list *)bt__field(x, in->o) = fresh;
    return BT_OK;
}

static enum bt_status put_int(struct bt_experiment *x, const struct input *in)
{
    int64_t *field = bt__field(x, in->o), n;
    double wide;
    if (in->o->nullable && bt_yaml_is_null(in->v)) {
        *field = -1;
        return BT_OK;
    }
    bool ok = in->v->kind == BT_YAML_SCALAR && bt_parse_int64(in->v->text, &n);
    if (!ok && in->v->kind == BT_YAML_SCALAR && bt_parse_double(in->v->text, &wide) && wide == floor(wide) &&
        fabs(wide) < 1e15) {
        n = (int64_t)wide; /* 1e4 */
        ok = true;
    }
    if (!ok || (double)n < in->o->low || (double)n > in->o->high) return out_of_range(in, "a whole number");
    *field = n;
    return BT_OK;
}

static enum bt_status put_real(struct bt_experiment *x, const struct input *in)
{
    double *field = bt__field(x, in->o), n;
    if (in->o->nullable && bt_yaml_is_null(in->v)) {
        *field = -1.0;
        return BT_OK;
    }
    bool ok = in->v->kind == BT_YAML_SCALAR && bt_parse_double(in->v->text, &n);
    if (!ok || n < in->o->low || n > in->o->high) return out_of_range(in, "a number");
    *field = n;
    return BT_OK;
}

/* 1, 0, or −1 if it is neither. */
static int truth(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off",
                                        "True", "False", "Yes", "No", "On", "Off",
                                        "TRUE", "FALSE", "YES", "NO", "ON", "OFF"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) return i % 2 == 0;
    return -1;
}

static enum bt_status put_bool(struct bt_experiment *x, const struct input *in)
{
    int value = in->v->kind == BT_YAML_SCALAR ? truth(in->v->text) : -1;
    if (value < 0) return refuse(in, "true or false");
    *(bool *)bt__field(x, in->o) = value == 1;
    return BT_OK;
}

/* " (did you mean steps?)", if one of the choices is near. */
static void suggest(const struct input *in, struct bt_str *out)
{
    enum { MOST = 16 };
    char *copy[MOST];
    const char *choice;
    size_t length, n = 0;
    while (n < MOST && (choice = bt_option_choice_text(in->o, (int)n, &length)) &&
           (copy[n] = bt_strndup(choice, length)))
        n++;
    const char *near = bt_nearest(in->v->text, (const char *const *)copy, n);
    if (near) bt_str_addf(out, " (did you mean %s?)", near);
    for (size_t i = 0; i < n; i++) free(copy[i]);
}

static enum bt_status refuse_choice(const struct input *in)
{
    struct bt_str text = {.data = NULL};
    size_t n, next;
    const char *choice;
    for (int i = 0; (choice = bt_option_choice_text(in->o, i, &n)); i++) {
        bool last = !bt_option_choice_text(in->o, i + 1, &next);
        bt_str_addf(&text, "%s%.*s", i == 0 ? "" : last ? " or " : ", ", (int)n, choice);
    }
    if (in->v->kind == BT_YAML_SCALAR) suggest(in, &text);
    enum bt_status st = refuse(in, bt_str_text(&text));
    bt_str_free(&text);
    return st;
}

static enum bt_status put_choice(struct bt_experiment *x, const struct input *in)
{
    if (in->v->kind != BT_YAML_SCALAR) return refuse_choice(in);
    const char *text = in->v->text;
    int i = bt_option_choice(in->o, text, strlen(text)), value = truth(text);
    if (i < 0 && value >= 0) i = bt_option_choice(in->o, value ? "true" : "false", value ? 4 : 5);
    if (i < 0 && value == 0) i = bt_option_choice(in->o, "no", 2);
    if (i < 0) return refuse_choice(in);
    *(int *)bt__field(x, in->o) = i;
    return BT_OK;
}

enum bt_status bt__value_from_yaml(struct bt_experiment *x, const struct bt_option *o,
                                   const struct bt_yaml *v, const char *file, struct bt_error *err)
{
    static enum bt_status (*const put[])(struct bt_experiment *, const struct input *) = {
        [BT_OPTION_TEXT] = put_text, [BT_OPTION_LIST] = put_list, [BT_OPTION_INT] = put_int,
        [BT_OPTION_REAL] = put_real, [BT_OPTION_BOOL] = put_bool, [BT_OPTION_CHOICE] = put_choice};
    struct input in = {.o = o, .v = v, .file = file, .err = err};
    enum bt_status st = put[o->kind](x, &in);
    if (st) return st;
    x->set[bt_option_index(o)] = true;
    x->line[bt_option_index(o)] = file ? v->line : 0;
    return BT_OK;
}

/* ── to text ── */

/* What YAML does not allow as it is or takes for a line's end, and what changes how its neighbours look. */
static bool needs_escape(int32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200b && cp <= 0x200f) ||
           (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
           (cp >= 0xfff0 && cp <= 0xffff) || (cp >= 0xe0000 && cp <= 0xe0fff);
}

/* Whether YAML reads the plain text back as the same scalar, inside [ ] too. */
static bool plain_is_safe(const char *s)
{
    struct bt_yaml v = {.kind = BT_YAML_SCALAR, .text = (char *)(uintptr_t)s};
    size_t n = strlen(s);
    if (bt_yaml_is_null(&v) || bt_utf8_valid(s, n) != n) return false;
    if (strchr("-?:,[]{}#&*!|>'\"%@` ", s[0]) || s[n - 1] == ' ' || s[n - 1] == ':') return false;
    for (size_t i = 0; i < n;) {
        int32_t cp;
        i += bt_utf8_decode(s + i, n - i, &cp);
        if (needs_escape(cp) || (cp < 0x80 && strchr(",[]{}", cp))) return false;
    }
    return !strstr(s, ": ") && !strstr(s, " #") && truth(s) < 0;
}

void bt__yaml_text(struct bt_str *out, const char *text)
{
    if (plain_is_safe(text)) {
        bt_str_add(out, text);
        return;
    }
    bt_str_addc(out, '"');
    for (size_t i = 0, n = strlen(text), length; i < n; i += length) {
        int32_t cp = 0;
        length = bt_utf8_decode(text + i, n - i, &cp);
        if (cp == '"' || cp == '\\')
            bt_str_addf(out, "\\%c", (int)cp);
        else if (length > 0 && needs_escape(cp))
            bt_str_addf(out, cp < 0x100 ? "\\x%02x" : "\\U%08x", (unsigned)cp);
        else
            bt_str_addn(out, text + i, length ? length : 1);
        if (length == 0) length = 1; /* no UTF-8: whoever reads it back says so */
    }
    bt_str_addc(out, '"');
}

static void get_text(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out)
{
    const char *text = *(char *const *)bt__const_field(x, o);
    if (text)
        bt__yaml_text(out, text);
    else
        bt_str_add(out, "null");
}

static void get_list(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out)
{
    const struct bt_string_list *l = bt__const_field(x, o);
    if (l->n == 1) {
        bt__yaml_text(out, l->item[0]);
        return;
    }
    bt_str_addc(out, '[');
    for (size_t i = 0; i < l->n; i++) {
        if (i) bt_str_add(out, ", ");
        bt__yaml_text(out, l->item[i]);
    }
    bt_str_addc(out, ']');
}

static void get_int(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out)
{
    int64_t n = *(const int64_t *)bt__const_field(x, o);
    if (o->nullable && n < 0)
        bt_str_add(out, "null");
    else
        bt_str_addf(out, "%lld", (long long)n);
}

static void get_real(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out)
{
    char text[BT_NUMBER_SIZE];
    double n = *(const double *)bt__const_field(x, o);
    bt_str_add(out, o->nullable && n < 0.0 ? "null" : bt_format_double(n, text));
}

static void get_bool(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out)
{
    bt_str_add(out, *(const bool *)bt__const_field(x, o) ? "true" : "false");
}

static void get_choice(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out)
{
    size_t n;
    const char *text = bt_option_choice_text(o, *(const int *)bt__const_field(x, o), &n);
    bt_str_addn(out, text ? text : "", n);
}

void bt_experiment_get(const struct bt_experiment *x, const struct bt_option *o, struct bt_str *out)
{
    static void (*const get[])(const struct bt_experiment *, const struct bt_option *, struct bt_str *) = {
        [BT_OPTION_TEXT] = get_text, [BT_OPTION_LIST] = get_list, [BT_OPTION_INT] = get_int,
        [BT_OPTION_REAL] = get_real, [BT_OPTION_BOOL] = get_bool, [BT_OPTION_CHOICE] = get_choice};
    get[o->kind](x, o, out);
}

bool bt_option_repeats(const struct bt_experiment *x, size_t option)
{
    switch (option) {
    case BT_OPTION_run_output_dir:
    case BT_OPTION_run_name:
    case BT_OPTION_eval_greater_is_better:
        return true;
    case BT_OPTION_train_data_seed:
        return x->train_data_seed == x->train_seed;
    case BT_OPTION_optim_head_learning_rate:
        return x->optim_head_learning_rate == x->optim_learning_rate;
    default:
        return false;
    }
}

bool bt__list_same(const struct bt_string_list *a, const struct bt_string_list *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) same = bt_same_text(a->item[i], b->item[i]);
    return same;
}

/* Every negative number of a nullable option is null. Integers are below 2^53. */
static bool same_number(double a, double b, bool nullable)
{
    return a == b || (nullable && a < 0.0 && b < 0.0);
}

bool bt_experiment_equal(const struct bt_experiment *a, const struct bt_experiment *b,
                         const struct bt_option *o)
{
    const void *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
    switch (o->kind) {
    case BT_OPTION_TEXT:
        return bt_same_text(*(char *const *)x, *(char *const *)y);
    case BT_OPTION_LIST:
        return bt__list_same(x, y);
    case BT_OPTION_INT:
        return same_number((double)*(const int64_t *)x, (double)*(const int64_t *)y, o->nullable);
    case BT_OPTION_REAL:
        return same_number(*(const double *)x, *(const double *)y, o->nullable);
    case BT_OPTION_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case BT_OPTION_CHOICE:
        return *(const int *)x == *(const int *)y;
    }
    return false;
}
