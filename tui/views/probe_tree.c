#include "tui/views/probe_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_NAMES = 30 /* of an answer, that are kept */,
    MOST_KEPT = 256 << 10 /* bytes of text, between starts */
};

/* ── nodes ── */

static void clear_answer(struct probe_node *x)
{
    for (int i = 0; i < x->n; i++) free(x->name[i]);
    free(x->name);
    free(x->score);
    free(x->run);
    free(x->said);
    free(x->label);
    *x = (struct probe_node){.text = x->text, .pair = x->pair, .parent = x->parent, .step = -1};
}

static void clear(struct probe_node *x)
{
    clear_answer(x);
    free(x->text);
    free(x->pair);
}

void probe_tree_free(struct probe_tree *t)
{
    for (int i = 0; i < t->n; i++) clear(&t->node[i]);
    free(t->node);
    *t = (struct probe_tree){.at = -1};
}

static bool is_text(const struct probe_node *x, const char *text, const char *pair)
{
    return strcmp(x->text, text) == 0 && !x->pair == !pair && (!pair || strcmp(x->pair, pair) == 0);
}

static bool is_leaf(const struct probe_tree *t, int i)
{
    for (int k = i + 1; k < t->n; k++)
        if (t->node[k].parent == i) return false;
    return true;
}

static void remove_node(struct probe_tree *t, int i)
{
    clear(&t->node[i]);
    t->n--;
    memmove(t->node + i, t->node + i + 1, (size_t)(t->n - i) * sizeof *t->node);
    for (int k = i; k < t->n; k++) t->node[k].parent -= t->node[k].parent > i;
    t->at -= t->at > i;
}

static void remove_oldest(struct probe_tree *t)
{
    for (int i = 0; i < t->n; i++)
        if (i != t->at && is_leaf(t, i)) {
            remove_node(t, i);
            return;
        }
    /* One line of edits: its beginning goes. */
    for (int k = 1; k < t->n; k++)
        if (t->node[k].parent == 0) t->node[k].parent = -1;
    remove_node(t, 0);
}

static int add(struct probe_tree *t, const char *text, const char *pair, int parent)
{
    if (t->n == t->cap) {
        const int cap = t->cap ? 2 * t->cap : 32;
        struct probe_node *more = realloc(t->node, (size_t)cap * sizeof *more);
        if (!more) return -1;
        t->node = more;
        t->cap = cap;
    }
    struct probe_node x = {.text = bt_strdup(text), .pair = bt_strdup(pair), .parent = parent, .step = -1};
    if (!x.text || (pair && !x.pair)) {
        clear(&x);
        return -1;
    }
    t->node[t->n] = x;
    return t->n++;
}

static bool take_answer(struct probe_node *x, const struct probe_answer *a, const char *run)
{
    struct bt_str said = {0};
    clear_answer(x);
    x->step = a->step;
    x->run = bt_strdup(run);
    x->said = probe_answer_text(a, &said) ? bt_str_take(&said) : bt_strdup("");
    bt_str_free(&said);
    x->name = calloc(MOST_NAMES, sizeof *x->name);
    x->score = calloc(MOST_NAMES, sizeof *x->score);
    if (!x->run || !x->said || !x->name || !x->score) return false;
    for (int i = 0; i < a->n && i < MOST_NAMES; i++) {
        const struct probe_said *s = &a->said[i];
        if (!(x->name[i] = bt_strdup(s->label ? s->label : ""))) return false;
        x->score[i] = s->score;
        x->n = i + 1;
        if (s->chosen && s->label && !x->label && !(x->label = bt_strdup(s->label))) return false;
    }
    return true;
}

bool probe_tree_note(struct probe_tree *t, const char *text, const char *pair, const struct probe_answer *a,
                     const char *run)
{
    int i = 0;
    while (i < t->n && !is_text(&t->node[i], text, pair)) i++;
    if (i == t->n) {
        if (t->n == PROBE_NODES) remove_oldest(t);
        i = add(t, text, pair, t->n ? t->at : -1);
    }
    if (i < 0) return false;
    t->at = i;
    return take_answer(&t->node[i], a, run);
}

/* ── the order ── */

static int children_of(const struct probe_tree *t, int parent)
{
    int n = 0;
    for (int i = 0; i < t->n; i++) n += t->node[i].parent == parent;
    return n;
}

bool probe_tree_order(const struct probe_tree *t, struct probe_branch *out)
{
    struct probe_branch *stack = calloc((size_t)t->n + 1, sizeof *stack);
    int depth = 0, done = 0;
    if (!stack) return false;
    for (int i = t->n; i-- > 0;) /* the first root on top */
        if (t->node[i].parent < 0) stack[depth++] = (struct probe_branch){.node = i};
    while (depth > 0) {
        const struct probe_branch b = out[done++] = stack[--depth];
        const int further = b.depth + (children_of(t, b.node) > 1);
        for (int i = t->n; i-- > b.node + 1;)
            if (t->node[i].parent == b.node)
                stack[depth++] = (struct probe_branch){.node = i, .depth = further};
    }
    free(stack);
    return true;
}

/* ── differences of texts ── */

enum { MOST_WORDS = 400 /* that are compared one by one */ };

struct words {
    const char *at[MOST_WORDS];
    size_t length[MOST_WORDS];
    int n;
    bool cut; /* there are more */
};

static void split(const char *text, struct words *w)
{
    static const char blanks[] = " \t\r\n";
    w->n = 0;
    for (text += strspn(text, blanks); *text && w->n < MOST_WORDS; text += strspn(text, blanks)) {
        w->at[w->n] = text;
        w->length[w->n] = strcspn(text, blanks);
        text += w->length[w->n++];
    }
    w->cut = *text != '\0';
}

static bool same(const struct words *a, int i, const struct words *b, int k)
{
    return a->length[i] == b->length[k] && memcmp(a->at[i], b->at[k], a->length[i]) == 0;
}

/* How many words of a from i on and of b from k on are common, in their order: [MOST_WORDS + 1, MOST_WORDS + 1]. */
typedef short common_table[MOST_WORDS + 1][MOST_WORDS + 1];

static void count_common(const struct words *a, const struct words *b, common_table common)
{
    for (int i = a->n; i >= 0; i--)
        for (int k = b->n; k >= 0; k--)
            if (i == a->n || k == b->n)
                common[i][k] = 0;
            else if (same(a, i, b, k))
                common[i][k] = (short)(common[i + 1][k + 1] + 1);
            else
                common[i][k] = common[i + 1][k] > common[i][k + 1] ? common[i + 1][k] : common[i][k + 1];
}

/* Words that go, come or stay, one after the other. */
static void put(struct bt_str *out, const char *sign, const struct words *w, int i)
{
    bt_str_addf(out, "%s%s%.*s", out->len ? " " : "", sign, (int)w->length[i], w->at[i]);
}

struct telling {
    struct bt_str *out;
    bool whole; /* what stays too; else each run of words that go or come has one sign */
    char last;  /* '-', '+', or ' ': the words before */
};

static void tell(struct telling *t, char what, const struct words *w, int i)
{
    const char *sign = what == ' ' ? "" : what == '-' ? "−" : "+";
    if (t->whole)
        put(t->out, sign, w, i);
    else if (what != ' ')
        put(t->out, t->last == what ? "" : what == '-' ? "− " : "+ ", w, i);
    t->last = what;
}

static void walk(const struct words *a, const struct words *b, common_table common, struct telling *t)
{
    int i = 0, k = 0;
    while (i < a->n || k < b->n) {
        if (i < a->n && k < b->n && same(a, i, b, k)) {
            tell(t, ' ', b, k++);
            i++;
        } else if (i < a->n && (k == b->n || common[i + 1][k] >= common[i][k + 1])) {
            tell(t, '-', a, i++);
        } else {
            tell(t, '+', b, k++);
        }
    }
    if (a->cut || b->cut) bt_str_add(t->out, " …");
}

static void differ(const char *a, const char *b, struct telling *t)
{
    struct words *w = malloc(2 * sizeof *w);
    common_table *common = malloc(sizeof *common);
    if (w && common) {
        split(a, &w[0]);
        split(b, &w[1]);
        count_common(&w[0], &w[1], *common);
        walk(&w[0], &w[1], *common, t);
    }
    free(common);
    free(w);
}

void probe_words_changed(const char *a, const char *b, struct bt_str *out)
{
    struct telling t = {.out = out, .last = ' '};
    differ(a, b, &t);
}

void probe_words_marked(const char *a, const char *b, struct bt_str *out)
{
    struct telling t = {.out = out, .whole = true, .last = ' '};
    differ(a, b, &t);
}

/* ── differences of answers ── */

static double score_of(const struct probe_node *x, const char *label)
{
    for (int i = 0; i < x->n; i++)
        if (strcmp(x->name[i], label) == 0) return x->score[i];
    return (double)NAN;
}

bool probe_answer_changed(const struct probe_node *a, const struct probe_node *b, struct bt_str *out)
{
    if (!a->run || !b->run || strcmp(a->run, b->run) != 0) return false;
    const char *label = a->label ? a->label : "";
    const double change = score_of(b, label) - score_of(a, label);
    if (strcmp(a->said, b->said) != 0)
        bt_str_addf(out, "%s → %s", a->said, b->said);
    else
        bt_str_add(out, b->said);
    if (!isnan(change)) bt_str_addf(out, " %+.4f", change);
    return true;
}

/* ── between starts ── */

static void keep_answer(const struct probe_node *x, struct bt_json_writer *w)
{
    if (!x->run) return;
    bt_jw_ktext(w, "run", x->run);
    bt_jw_kint(w, "step", x->step);
    bt_jw_ktext(w, "said", x->said);
    bt_jw_ktext(w, "label", x->label);
    bt_jw_key(w, "scores");
    bt_jw_array(w);
    for (int i = 0; i < x->n; i++) {
        bt_jw_array(w);
        bt_jw_text(w, x->name[i]);
        bt_jw_num(w, x->score[i]);
        bt_jw_end_array(w);
    }
    bt_jw_end_array(w);
}

/* The first node of those that are kept: long passages add up. */
static int first_kept(const struct probe_tree *t)
{
    size_t bytes = 0;
    int i = t->n;
    for (; i > 0; i--) {
        bytes += strlen(t->node[i - 1].text) + (t->node[i - 1].pair ? strlen(t->node[i - 1].pair) : 0);
        if (bytes > MOST_KEPT) break;
    }
    return i;
}

void probe_tree_keep(const struct probe_tree *t, struct bt_json_writer *w)
{
    const int first = first_kept(t);
    bt_jw_kint(w, "at", t->at - first);
    bt_jw_key(w, "tree");
    bt_jw_array(w);
    for (int i = first; i < t->n; i++) {
        bt_jw_object(w);
        bt_jw_ktext(w, "text", t->node[i].text);
        if (t->node[i].pair) bt_jw_ktext(w, "pair", t->node[i].pair);
        bt_jw_kint(w, "parent", t->node[i].parent - first);
        keep_answer(&t->node[i], w);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static bool restore_answer(struct probe_node *x, const struct bt_json *kept)
{
    const char *run = bt_json_text(bt_json_get(kept, "run"), NULL);
    const struct bt_json *scores = bt_json_get(kept, "scores");
    if (!run) return true;
    x->run = bt_strdup(run);
    x->step = bt_json_int(bt_json_get(kept, "step"), -1);
    x->said = bt_strdup(bt_json_text(bt_json_get(kept, "said"), ""));
    x->label = bt_strdup(bt_json_text(bt_json_get(kept, "label"), NULL));
    x->name = calloc(MOST_NAMES, sizeof *x->name);
    x->score = calloc(MOST_NAMES, sizeof *x->score);
    if (!x->run || !x->said || !x->name || !x->score) return false;
    for (size_t i = 0; i < bt_json_len(scores) && i < MOST_NAMES; i++) {
        const struct bt_json *pair = bt_json_at(scores, i);
        if (!(x->name[i] = bt_strdup(bt_json_text(bt_json_at(pair, 0), "")))) return false;
        x->score[i] = bt_json_number(bt_json_at(pair, 1), (double)NAN);
        x->n = (int)i + 1;
    }
    return true;
}

void probe_tree_restore(struct probe_tree *t, const struct bt_json *kept)
{
    const struct bt_json *list = bt_json_get(kept, "tree");
    const size_t n = bt_json_len(list) < PROBE_NODES ? bt_json_len(list) : PROBE_NODES;
    probe_tree_free(t);
    for (size_t i = 0; i < n; i++) {
        const struct bt_json *one = bt_json_at(list, i);
        const char *text = bt_json_text(bt_json_get(one, "text"), NULL);
        const int64_t parent = bt_json_int(bt_json_get(one, "parent"), -1);
        if (!text) break; /* those behind it would have other parents */
        const int at = add(t, text, bt_json_text(bt_json_get(one, "pair"), NULL),
                           parent >= 0 && parent < t->n ? (int)parent : -1);
        if (at < 0) break;
        if (!restore_answer(&t->node[at], one)) clear_answer(&t->node[at]);
    }
    const int64_t at = bt_json_int(bt_json_get(kept, "at"), -1);
    t->at = at >= 0 && at < t->n ? (int)at : t->n - 1;
}
