/* One word of a filter: what it means, and whether it is true of a run. */
#include "run/run_filter.h"

#include <bertty/num.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const bt__field_names[BT__FIELDS] = {
    [BT__STATE] = "state", [BT__TAG] = "tag",   [BT__NOTE] = "note",
    [BT__NAME] = "name",   [BT__HOST] = "host", [BT__ERROR] = "error"};

void bt__word_clear(struct bt__word *w)
{
    bt_regex_free(w->regex);
    free(w->text);
    bt_run_key_clear(&w->key);
    *w = (struct bt__word){.kind = BT__WORD_ANY};
}

/* ── expressions ── */

static enum bt_status compile(const char *regex, struct bt__word *w, struct bt_error *err)
{
    struct bt_error why = {.status = BT_OK};
    if (!*regex) return bt_fail(err, BT_INVALID, "//: expected an expression between the slashes");
    enum bt_status st = bt_regex_compile(regex, strlen(regex), BT_REGEX_ICASE, &w->regex, NULL, &why);
    return st ? bt_fail(err, st, "/%.40s/: %s", regex, why.text) : BT_OK;
}

static bool found(const struct bt__word *w, const char *text)
{
    size_t begin, end;
    return bt_regex_find(w->regex, text, strlen(text), 0, &begin, &end) == BT_MATCH_FOUND;
}

/* ── words with a field ── */

static enum bt_status take_text(struct bt__word *w, const char *text, bool regex, struct bt_error *err)
{
    if (regex) return compile(text, w, err);
    w->text = bt_strdup(text);
    return w->text ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the filter");
}

static enum bt_status check_state(const char *state, bool whole, struct bt_error *err)
{
    if (strcasecmp(state, "alive") == 0 || strcasecmp(state, "ended") == 0) return BT_OK;
    for (int s = BT_RUN_QUEUED; s <= BT_RUN_UNKNOWN; s++) {
        const char *name = bt_run_state_name((enum bt_run_state)s);
        if (whole ? strcasecmp(name, state) == 0 : strncasecmp(name, state, strlen(state)) == 0) return BT_OK;
    }
    return bt_fail(err, BT_INVALID,
                   "state:%s: no such state; alive, ended, training, finished, stopped, failed, …", state);
}

static enum bt_status no_field(const char *name, size_t n, struct bt_error *err)
{
    char *copy = bt_strndup(name, n);
    const char *near = copy ? bt_nearest(copy, bt__field_names, BT__FIELDS) : NULL;
    if (near)
        bt_fail(err, BT_INVALID, "%s: no such field, did you mean %s:? (\"…\" for the words themselves)",
                copy, near);
    else
        bt_fail(err, BT_INVALID,
                "%.*s: no such field; state, tag, note, name, host, error, cfg.OPTION (\"…\" for the words "
                "themselves)",
                (int)n, name);
    free(copy);
    return BT_INVALID;
}

static enum bt_status text_field(const char *name, size_t n, const char *value, bool regex,
                                 struct bt__word *w, struct bt_error *err)
{
    size_t i = 0;
    while (i < BT__FIELDS && (strlen(bt__field_names[i]) != n || strncmp(bt__field_names[i], name, n) != 0))
        i++;
    if (i == BT__FIELDS) return no_field(name, n, err);
    w->kind = BT__WORD_FIELD;
    w->field = (enum bt__field)i;
    enum bt_status st = w->field == BT__STATE && !regex ? check_state(value, w->whole, err) : BT_OK;
    return st ? st : take_text(w, value, regex, err);
}

/* "cfg.optim:adam" or "=adamw"; a word of a choice must be part of one. */
static enum bt_status option_text(const struct bt_option *o, const char *value, bool regex,
                                  struct bt__word *w, struct bt_error *err)
{
    size_t n;
    bool any = regex || o->kind != BT_OPTION_CHOICE, whole = w->whole;
    for (int i = 0; !any && bt_option_choice_text(o, i, &n); i++) {
        char *choice = bt_strndup(bt_option_choice_text(o, i, &n), n);
        any = !choice || (whole ? strcasecmp(choice, value) == 0 : strcasestr(choice, value) != NULL);
        free(choice);
    }
    if (!any) return bt_fail(err, BT_INVALID, "cfg.%s: '%s' is none of %s", o->name, value, o->choices);
    w->kind = BT__WORD_OPTION;
    w->option = o;
    return take_text(w, value, regex, err);
}

/* ── words with a number ── */

/* The operator at p: its length, 0 if there is none. */
static size_t operator_at(const char *p, enum bt__compare *c)
{
    bool equal = p[0] && p[1] == '=';
    if (p[0] == '<') *c = equal ? BT__LESS_EQUAL : BT__LESS;
    if (p[0] == '>') *c = equal ? BT__GREATER_EQUAL : BT__GREATER;
    if (p[0] == '=') *c = BT__EQUAL;
    return p[0] == '<' || p[0] == '>' || p[0] == '=' ? 1 + (size_t)equal : 0;
}

static enum bt_status number_word(const char *text, size_t n, struct bt__word *w, struct bt_error *err)
{
    bool colon = text[n] == ':';
    size_t sign = colon ? 1 : operator_at(text + n, &w->compare);
    if (colon) w->compare = BT__EQUAL;
    char *name = bt_strndup(text, n);
    enum bt_status st =
        name ? bt_run_key_parse(name, &w->key, err) : bt_fail(err, BT_NOMEM, "no memory for the filter");
    free(name);
    w->kind = BT__WORD_NUMBER;
    if (!st && !bt_parse_double(text + n + sign, &w->value))
        st = bt_fail(err, BT_INVALID, "%s: expected a number after %.*s", text, (int)(n + sign), text);
    w->value *= w->key.scale;
    return st;
}

static bool is_field(const char *text, size_t n)
{
    for (size_t i = 0; i < BT__FIELDS; i++)
        if (strlen(bt__field_names[i]) == n && strncmp(bt__field_names[i], text, n) == 0) return true;
    return false;
}

static enum bt_status field_word(const char *text, size_t n, ptrdiff_t regex, struct bt__word *w,
                                 struct bt_error *err)
{
    enum bt__compare c = BT__EQUAL;
    bool colon = text[n] == ':', texts = colon;
    size_t sign = colon ? 1 : operator_at(text + n, &c);
    const struct bt_option *o = NULL;
    if (c == BT__EQUAL && strncmp(text, "cfg.", 4) == 0) {
        o = bt__option_named(text + 4, n - 4, err);
        if (!o) return BT_INVALID;
        if (!bt__option_is_number(o) || regex >= 0)
            texts = true;
        else
            return number_word(text, n, w, err);
    }
    texts |= c == BT__EQUAL && is_field(text, n);
    if (!texts) return number_word(text, n, w, err);
    w->whole = !colon;
    const char *value = text + n + sign;
    return o ? option_text(o, value, regex >= 0, w, err) : text_field(text, n, value, regex >= 0, w, err);
}

enum bt_status bt__word_parse(const char *text, bool literal, ptrdiff_t regex, struct bt__word *out,
                              struct bt_error *err)
{
    size_t n = strcspn(text, ":<>=");
    *out = (struct bt__word){.kind = BT__WORD_ANY, .key = {.column = BT_RUN_COLUMNS, .scale = 1}};
    if (!literal && regex != 0 && !text[n] && strncasecmp(text, "cfg.", 4) == 0)
        return bt_fail(err, BT_INVALID, "%s: expected cfg.OPTION>1 (< <= = >= >) or cfg.OPTION:word", text);
    bool plain = literal || regex == 0 || !text[n] || !isalpha((unsigned char)text[0]);
    enum bt_status st = plain ? take_text(out, text, regex == 0, err) : field_word(text, n, regex, out, err);
    if (st) bt__word_clear(out);
    return st;
}

/* ── is it true? ── */

static bool holds(enum bt__compare c, double a, double b)
{
    switch (c) {
    case BT__LESS:
        return a < b;
    case BT__LESS_EQUAL:
        return a <= b;
    case BT__EQUAL:
        return a == b;
    case BT__GREATER_EQUAL:
        return a >= b;
    case BT__GREATER:
        return a > b;
    }
    return false;
}

static bool text_matches(const struct bt__word *w, const char *text)
{
    if (!text) return false;
    if (w->regex) return found(w, text);
    return w->whole ? strcasecmp(text, w->text) == 0 : strcasestr(text, w->text) != NULL;
}

static bool state_matches(const struct bt__word *w, enum bt_run_state state)
{
    const char *name = bt_run_state_name(state);
    if (w->regex) return found(w, name);
    if (strcasecmp(w->text, "alive") == 0) return bt_run_state_alive(state);
    if (strcasecmp(w->text, "ended") == 0) return bt_run_state_ended(state);
    return w->whole ? strcasecmp(name, w->text) == 0 : strncasecmp(name, w->text, strlen(w->text)) == 0;
}

/* "tag:" alone: any tag. */
static bool tag_matches(const struct bt__word *w, const struct bt_notes *n)
{
    bool any = !w->regex && !*w->text && n->n_tags > 0;
    for (size_t i = 0; i < n->n_tags && !any; i++)
        any = w->regex ? found(w, n->tag[i]) : strcasecmp(n->tag[i], w->text) == 0;
    return any;
}

static bool field_matches(const struct bt__word *w, const struct bt_run_status *s)
{
    switch (w->field) {
    case BT__STATE:
        return state_matches(w, s->state);
    case BT__TAG:
        return tag_matches(w, &s->notes);
    case BT__NOTE:
        return text_matches(w, s->notes.note);
    case BT__NAME:
        return text_matches(w, s->id) || text_matches(w, s->name);
    case BT__HOST:
        return text_matches(w, s->host);
    case BT__ERROR:
        return text_matches(w, s->error);
    case BT__FIELDS:
        break;
    }
    return false;
}

static bool item_matches(const struct bt__word *w, const struct bt_string_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (text_matches(w, l->item[i])) return true;
    return false;
}

static bool option_matches(const struct bt__word *w, const struct bt_experiment *x)
{
    const struct bt_option *o = w->option;
    const char *at = (const char *)x + o->offset, *text;
    if (o->kind == BT_OPTION_LIST) return item_matches(w, (const struct bt_string_list *)(const void *)at);
    if (o->kind == BT_OPTION_TEXT) {
        memcpy(&text, at, sizeof text);
        return text_matches(w, text ? text : "null");
    }
    struct bt_str value = {0};
    bt_experiment_get(x, o, &value);
    bool found = text_matches(w, bt_str_text(&value));
    bt_str_free(&value);
    return found;
}

/* Event files keep floats: 0.9 is to be equal to what was logged as 0.9. */
static bool number_matches(const struct bt__word *w, double v)
{
    return w->key.figure ? holds(w->compare, (double)(float)v, (double)(float)w->value)
                         : holds(w->compare, v, w->value);
}

bool bt__word_match(const struct bt__word *w, const struct bt_run_status *s, const struct bt_run_facts *f,
                    double now)
{
    switch (w->kind) {
    case BT__WORD_ANY:
        return text_matches(w, s->id) || text_matches(w, s->name) ||
               (!w->regex && text_matches(w, bt_run_state_name(s->state)));
    case BT__WORD_FIELD:
        return field_matches(w, s);
    case BT__WORD_OPTION:
        return f->settings && option_matches(w, f->settings);
    case BT__WORD_NUMBER:
        return number_matches(w, bt_run_key_number(&w->key, s, f, now));
    }
    return false;
}
