/* Variants of a text: words left out, typos, case, words of a list. What they mean to a model is not known here. */
#include "explain/vary.h"

#include "base/rng.h"
#include "base/unicode.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

/* ── the list of variants ── */

void bt__variant_free(struct bt_variant *v)
{
    free(v->text);
    free(v->what);
    free(v->said);
    free(v->of);
}

static bool is_known(const struct bt__edits *e, const char *text)
{
    if (strcmp(text, e->text) == 0) return true;
    for (size_t i = 0; i < e->n; i++)
        if (strcmp(e->item[i].text, text) == 0) return true;
    return false;
}

static char *what_of(const char *from, size_t n, const char *put)
{
    while (n && strchr(" \t\r\n", from[n - 1])) n--;
    while (n && strchr(" \t\r\n", *from)) {
        from++;
        n--;
    }
    put += strspn(put, " ");
    if (!*put) return bt_strfmt("− %.*s", (int)n, from);
    return n ? bt_strfmt("%.*s → %s", (int)n, from, put) : bt_strfmt("+ %s", put);
}

static bool room(struct bt__edits *e)
{
    if (e->n < e->cap) return true;
    const size_t cap = e->cap ? 2 * e->cap : 64;
    struct bt_variant *more = realloc(e->item, cap * sizeof *more);
    if (!more) return false;
    e->item = more;
    e->cap = cap;
    return true;
}

void bt__edits_add(struct bt__edits *e, enum bt_vary kind, size_t begin, size_t end, const char *put,
                   const char *what)
{
    if (e->failed) return;
    char *text = bt_strfmt("%.*s%s%s", (int)begin, e->text, put, e->text + end);
    const bool useless = text && (is_known(e, text) || !text[strspn(text, " \t\r\n\v\f")]);
    if (text && !useless && e->n == BT_VARIANTS) e->more = true;
    if (text && (useless || e->n == BT_VARIANTS)) {
        free(text);
        return;
    }
    struct bt_variant v = {.kind = kind, .text = text, .begin = begin, .end = end, .put = strlen(put)};
    v.what = what ? bt_strdup(what) : what_of(e->text + begin, end - begin, put);
    if (v.text && v.what && room(e)) {
        e->item[e->n++] = v;
        return;
    }
    bt__variant_free(&v);
    e->failed = true;
}

/* ── words left out ── */

/* Without the blank before it, or at the beginning the one behind it. */
void bt__vary_drop(struct bt__edits *e, const struct bt__spans *s)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t begin = s->item[i].begin, end = s->item[i].end;
        if (!s->item[i].letters) continue;
        if (begin && e->text[begin - 1] == ' ')
            begin--;
        else if (e->text[end] == ' ')
            end++;
        bt__edits_add(e, BT_VARY_DROP, begin, end, "", NULL);
    }
}

/* ── typos ── */

/* The keys around a key of the usual English keyboard, by letter. */
static const char *const beside[26] = {"qwsz",   "vghn", "xdfv",   "serfcx", "wsdr",   "drtgvc", "ftyhbv",
                                       "gyujnb", "ujko", "huikmn", "jiolm",  "kop",    "njk",    "bhjm",
                                       "iklp",   "ol",   "wa",     "edft",   "awedxz", "rfgy",   "yhji",
                                       "cfgb",   "qase", "zsdc",   "tghu",   "asx"};

/* The code points of a word: at [n + 1]. */
struct letters {
    const char *text;
    size_t at[66], n;
};

static struct letters letters_of(const char *text, size_t n)
{
    enum { MOST = 64 };
    struct letters l = {.text = text};
    int32_t c;
    for (size_t i = 0; i < n && l.n < MOST;) {
        const size_t length = bt_utf8_decode(text + i, n - i, &c);
        i += length ? length : 1;
        l.at[++l.n] = i;
    }
    return l;
}

static void add_letter(struct bt_str *to, const struct letters *l, size_t i)
{
    bt_str_addn(to, l->text + l->at[i], l->at[i + 1] - l->at[i]);
}

static char near_key(char c, uint32_t r)
{
    const bool small = c >= 'a' && c <= 'z', large = c >= 'A' && c <= 'Z';
    if (!small && !large) return '\0';
    const char *keys = beside[c - (small ? 'a' : 'A')];
    const char key = keys[r % strlen(keys)];
    return large ? (char)(key - 'a' + 'A') : key;
}

enum typo { CHANGED_OVER, LEFT_OUT, DOUBLED, KEY_BESIDE, TYPOS };

/* The word with a typo at letter k; false: there can be none there. */
static bool mistype(const struct letters *l, enum typo how, size_t k, uint32_t r, struct bt_str *out)
{
    const char key = how == KEY_BESIDE ? near_key(l->text[l->at[k]], r) : '\0';
    if (how == CHANGED_OVER && k + 1 == l->n) return false;
    if (how == KEY_BESIDE && !key) return false;
    bt_str_clear(out);
    bt_str_addn(out, l->text, l->at[k]);
    if (how == CHANGED_OVER) add_letter(out, l, k + 1);
    if (how == KEY_BESIDE)
        bt_str_addc(out, key);
    else if (how != LEFT_OUT)
        add_letter(out, l, k);
    if (how == DOUBLED) add_letter(out, l, k);
    for (size_t i = k + 1 + (how == CHANGED_OVER); i < l->n; i++) add_letter(out, l, i);
    return !out->failed;
}

/* One of each kind, at a letter behind the first where there are three or more; words of two letters and less are no typos but other words. */
static void typos_of(struct bt__edits *e, const struct bt__span *s, uint32_t number, uint64_t seed)
{
    const struct letters l = letters_of(e->text + s->begin, s->end - s->begin);
    const struct bt__rng rng = bt__rng_key(seed, BT__STREAM_TYPO, number);
    struct bt_str word = {0};
    if (l.n < 3) return;
    for (uint32_t how = 0; how < TYPOS; how++) {
        const size_t room = l.n - 1 - (how == CHANGED_OVER);
        const size_t k = 1 + (size_t)(bt__rng_uniform(rng, how) * (double)room);
        if (!mistype(&l, (enum typo)how, k, bt__rng_u32(rng, 1000 + how), &word)) continue;
        const size_t end = s->begin + l.at[l.n]; /* the rest of a very long word stays */
        bt__edits_add(e, BT_VARY_TYPO, s->begin, end, bt_str_text(&word), NULL);
    }
    bt_str_free(&word);
}

void bt__vary_typos(struct bt__edits *e, const struct bt__spans *s, uint64_t seed)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->item[i].letters) typos_of(e, &s->item[i], (uint32_t)i, seed);
}

/* ── case ── */

enum letter_case { UPPER, LOWER, CAPITAL };

static void in_case(struct bt_str *out, const char *text, size_t n, enum letter_case how)
{
    int32_t c;
    char bytes[4];
    bt_str_clear(out);
    for (size_t i = 0, length; i < n; i += length) {
        length = bt_utf8_decode(text + i, n - i, &c);
        if (!length) {
            bt_str_addc(out, text[i]);
            length = 1;
            continue;
        }
        const bool upper = how == UPPER || (how == CAPITAL && i == 0);
        c = upper ? bt__unicode_upper(c) : bt__unicode_lower(c);
        bt_str_addn(out, bytes, bt_utf8_encode(c, bytes));
    }
}

void bt__vary_case(struct bt__edits *e, const struct bt__spans *s)
{
    static const char *const whole[] = {[UPPER] = "all upper case", [LOWER] = "all lower case"};
    const size_t n = strlen(e->text);
    struct bt_str text = {0};
    for (int how = UPPER; how <= LOWER; how++) {
        in_case(&text, e->text, n, (enum letter_case)how);
        bt__edits_add(e, BT_VARY_CASE, 0, n, bt_str_text(&text), whole[how]);
    }
    for (size_t i = 0; i < s->n; i++)
        for (int how = UPPER; how <= CAPITAL && s->item[i].letters; how++) {
            const struct bt__span *w = &s->item[i];
            in_case(&text, e->text + w->begin, w->end - w->begin, (enum letter_case)how);
            bt__edits_add(e, BT_VARY_CASE, w->begin, w->end, bt_str_text(&text), NULL);
        }
    e->failed |= text.failed;
    bt_str_free(&text);
}

/* ── words of a list ── */

static bool same_word(const char *text, const struct bt__span *s, const char *word)
{
    return strlen(word) == s->end - s->begin && strncasecmp(text + s->begin, word, s->end - s->begin) == 0;
}

static bool is_listed(const char *text, const struct bt__span *s, const char *const *word, size_t words)
{
    for (size_t k = 0; k < words; k++)
        if (same_word(text, s, word[k])) return true;
    return false;
}

void bt__vary_list(struct bt__edits *e, const struct bt__spans *s, const char *const *word, size_t words)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++) any |= is_listed(e->text, &s->item[i], word, words);
    for (size_t i = 0; i < s->n; i++) {
        const struct bt__span *w = &s->item[i];
        if (!w->letters || (any && !is_listed(e->text, w, word, words))) continue;
        for (size_t k = 0; k < words; k++)
            if (!same_word(e->text, w, word[k]))
                bt__edits_add(e, BT_VARY_LIST, w->begin, w->end, word[k], NULL);
    }
}
