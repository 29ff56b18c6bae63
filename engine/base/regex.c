#include <bertty/regex.h>

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    SMALL_TEXT = 4096,   /* bytes: looked at in one go */
    SMALL_LIMIT = 1000,  /* steps from one beginning, in one go; enough for almost all */
    LARGE_LIMIT = 200000 /* … where that was not enough */
};
/* Seconds of processor time for one text; half as many after each one that was given up. */
static const double PATIENCE = 0.05, LEAST_PATIENCE = 0.002, PATIENCE_A_BYTE = 4e-9;
static const double SHORT = 0.0005, LONG = 0.005; /* of one go over a part of the beginnings */

struct bt_regex {
    pcre2_code *code;
    pcre2_match_data *found;
    pcre2_match_context *quick, *patient;
    pcre2_jit_stack *stack;
    double patience;
    bool jit, local;
};

/* ── compiling ── */

/* In a class, or behind a backslash outside of one: what the pattern means does not depend on what lies around. */
static bool local_escape(char c)
{
    return strchr("dDwWsShHbBtanrfe", c) || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                              (c >= 'A' && c <= 'Z') || (signed char)c < 0);
}

/* The closing bracket of the class whose first byte is p, or NULL. */
static const char *class_end(const char *p, const char *end)
{
    if (p < end && *p == '^') p++;
    if (p < end && *p == ']') p++;
    for (; p < end && *p != ']'; p++) {
        if (*p == '[') return NULL; /* perhaps [:alpha:] */
        if (*p == '\\' && (++p == end || !local_escape(*p))) return NULL;
    }
    return p < end ? p : NULL;
}

/* What is certain to be local; all else is not. */
static bool looks_local(const char *p, size_t n)
{
    const char *end = p + n;
    bool quantified = false;
    for (; p < end; p++) {
        bool quantifier = memchr("*+?}", *p, 4);
        if (*p == '+' && quantified) return false; /* possessive */
        if (*p == '^' || *p == '$' || *p == '#') return false;
        if (*p == '\\' && (++p == end || !local_escape(*p)))
            return false;
        else if (*p == '[' && !(p = class_end(p + 1, end)))
            return false;
        else if (*p == '(' && p + 1 < end && p[1] == '*')
            return false;
        else if (*p == '(' && p + 1 < end && p[1] == '?' && (p + 2 == end || p[2] != ':'))
            return false;
        quantified = quantifier;
    }
    return true;
}

static enum bt_status bad_pattern(const char *pattern, size_t at, int code, struct bt_error *err)
{
    PCRE2_UCHAR message[160];
    if (pcre2_get_error_message(code, message, sizeof message) < 0) message[0] = '\0';
    size_t valid = bt_utf8_valid(pattern, at);
    return bt_fail(err, BT_INVALID, "regular expression, at character %zu: %s",
                   bt_utf8_count(pattern, valid) + 1, (const char *)message);
}

static bool prepare(struct bt_regex *r)
{
    r->found = pcre2_match_data_create(1, NULL);
    r->quick = pcre2_match_context_create(NULL);
    r->patient = pcre2_match_context_create(NULL);
    if (!r->found || !r->quick || !r->patient) return false;
    pcre2_set_match_limit(r->quick, SMALL_LIMIT);
    pcre2_set_match_limit(r->patient, LARGE_LIMIT);
    pcre2_set_heap_limit(r->quick, 1024); /* KiB; where there is no JIT */
    pcre2_set_heap_limit(r->patient, 1024);
    r->jit = pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) == 0;
    if (!r->jit) return true;
    r->stack = pcre2_jit_stack_create(32 << 10, 1 << 20, NULL);
    pcre2_jit_stack_assign(r->quick, NULL, r->stack);
    pcre2_jit_stack_assign(r->patient, NULL, r->stack);
    return r->stack;
}

enum bt_status bt_regex_compile(const char *pattern, size_t n, int flags, struct bt_regex **out, size_t *at,
                                struct bt_error *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_USE_OFFSET_LIMIT;
    int code = 0;
    PCRE2_SIZE where = 0;
    *out = NULL;
    if (at) *at = 0;
    options |= flags & BT_REGEX_LITERAL ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
    if (flags & BT_REGEX_ICASE) options |= PCRE2_CASELESS;
    struct bt_regex *r = calloc(1, sizeof *r);
    if (!r) return bt_fail(err, BT_NOMEM, "no memory for a regular expression");
    r->code = pcre2_compile((PCRE2_SPTR)pattern, n, options, &code, &where, NULL);
    if (!r->code) {
        bt_regex_free(r);
        if (at) *at = where;
        return bad_pattern(pattern, where, code, err);
    }
    if (!prepare(r)) {
        bt_regex_free(r);
        return bt_fail(err, BT_NOMEM, "no memory for a regular expression");
    }
    r->patience = PATIENCE;
    r->local = flags & BT_REGEX_LITERAL || looks_local(pattern, n);
    *out = r;
    return BT_OK;
}

/* "/re/" or "/re/i". */
static bool is_expression(const char *text, size_t n, bool *icase)
{
    *icase = n > 2 && text[n - 1] == 'i' && text[n - 2] == '/';
    return text[0] == '/' && ((n > 2 && text[n - 1] == '/') || (n > 3 && *icase));
}

bool bt_regex_unfinished(const char *text)
{
    bool icase;
    return text[0] == '/' && !is_expression(text, strlen(text), &icase);
}

enum bt_status bt_regex_typed(const char *text, struct bt_regex **out, struct bt_error *err)
{
    size_t n = strlen(text);
    bool icase;
    if (!is_expression(text, n, &icase))
        return bt_regex_compile(text, n, BT_REGEX_LITERAL | BT_REGEX_ICASE, out, NULL, err);
    return bt_regex_compile(text + 1, n - 2 - icase, icase ? BT_REGEX_ICASE : 0, out, NULL, err);
}

void bt_regex_free(struct bt_regex *r)
{
    if (!r) return;
    pcre2_match_data_free(r->found);
    pcre2_match_context_free(r->quick);
    pcre2_match_context_free(r->patient);
    pcre2_jit_stack_free(r->stack);
    pcre2_code_free(r->code);
    free(r);
}

bool bt_regex_local(const struct bt_regex *r)
{
    return r->local;
}

/* ── matching ── */

/* Matches that begin in [from, until). */
static int match(struct bt_regex *r, const char *bytes, size_t n, size_t from, size_t until,
                 pcre2_match_context *with)
{
    pcre2_set_offset_limit(with, until > n ? PCRE2_UNSET : until - 1);
    return r->jit ? pcre2_jit_match(r->code, (PCRE2_SPTR)bytes, n, from, 0, r->found, with)
                  : pcre2_match(r->code, (PCRE2_SPTR)bytes, n, from, 0, r->found, with);
}

static enum bt_match outcome(const struct bt_regex *r, int code, size_t *begin, size_t *end)
{
    if (code == PCRE2_ERROR_NOMATCH) return BT_MATCH_NONE;
    if (code < 0) return BT_MATCH_GAVE_UP;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->found);
    *begin = at[0] < at[1] ? at[0] : at[1]; /* \K in a lookahead may turn them round */
    *end = at[0] < at[1] ? at[1] : at[0];
    return BT_MATCH_FOUND;
}

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* So many beginnings at a time that the clock is looked at often, whatever each of them costs. */
static enum bt_match find_in_parts(struct bt_regex *r, const char *bytes, size_t n, size_t from,
                                   size_t *begin, size_t *end)
{
    const double start = processor_time(), patience = r->patience + PATIENCE_A_BYTE * (double)n;
    size_t part = n < 1 << 16 ? 64 : ((size_t)1 << 24) / n + 1;
    double before = start;
    for (;;) {
        size_t until = part > n - from ? n + 1 : from + part;
        while (until < n && ((unsigned char)bytes[until] & 0xc0) == 0x80) until++;
        int code = match(r, bytes, n, from, until, r->patient);
        if (code != PCRE2_ERROR_NOMATCH || until > n) return outcome(r, code, begin, end);
        double now = processor_time();
        if (now - start > patience) return BT_MATCH_GAVE_UP;
        if (now - before < SHORT) part *= 2;
        if (now - before > LONG && part > 1) part /= 2;
        before = now;
        from = until;
    }
}

enum bt_match bt_regex_find(struct bt_regex *r, const char *bytes, size_t n, size_t from, size_t *begin,
                            size_t *end)
{
    enum bt_match found;
    if (n <= SMALL_TEXT) {
        int code = match(r, bytes, n, from, n + 1, r->quick);
        if (code != PCRE2_ERROR_MATCHLIMIT) return outcome(r, code, begin, end);
    }
    found = find_in_parts(r, bytes, n, from, begin, end);
    if (found != BT_MATCH_GAVE_UP) return found;
    r->local = false;
    r->patience = r->patience > 2 * LEAST_PATIENCE ? r->patience / 2 : LEAST_PATIENCE;
    return found;
}
