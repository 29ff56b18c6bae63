/* What would change what the first model says: variants of the text that was typed in last, ranked, or the fewest words. Enter makes one the text. */
#include "tui/views/probe_view.h"

#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct probe_vary *vary_of(const struct view *v)
{
    return &((struct probe_view *)v->state)->vary;
}

static const struct probe_varied *found_of(const struct view *v)
{
    return vary_of(v)->work.found;
}

/* ── computing ── */

/* What is computed; specs point into it. */
struct order {
    bool flip;
    struct bt_vary_spec vary;
    char *words;
    const char **word;
};

static void order_free(void *order)
{
    struct order *o = order;
    if (!o) return;
    free(o->words);
    free(o->word);
    free(o);
}

/* "Anna, Peter" */
static bool split_words(struct order *o, const char *words)
{
    size_t n = 1;
    for (const char *c = words; *c; c++) n += *c == ',';
    o->words = bt_strdup(words);
    o->word = calloc(n, sizeof *o->word);
    if (!o->words || !o->word) return false;
    for (char *at = o->words, *end; at; at = end) {
        end = strchr(at, ',');
        if (end) *end++ = '\0';
        at += strspn(at, " ");
        for (size_t k = strlen(at); k && at[k - 1] == ' '; k--) at[k - 1] = '\0';
        if (*at) o->word[o->vary.words++] = at;
    }
    o->vary.word = o->word;
    return true;
}

/* The text that was typed in last; of choices the line that the cursor stands in. */
static int field_of(const struct view *v)
{
    const struct probe_view *s = v->state;
    const bool lines = probe_form(s->task)->lines;
    int choice = 0;
    bool any = false; /* something stands in the line */
    if (s->field != PROBE_PAIR || !s->pair_shown) return BT_VARY_TEXT;
    const char *text = edit_text(s->pair), *end = text + edit_cursor(s->pair);
    for (; lines && text < end; text++) { /* empty lines are no choices */
        if (*text == '\n') choice += any;
        any = *text != '\n';
    }
    return lines ? BT_VARY_CHOICE + choice : BT_VARY_PAIR;
}

static void *order(const struct view *v)
{
    const struct probe_vary *w = vary_of(v);
    struct order *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    o->flip = w->flip;
    o->vary = (struct bt_vary_spec){.field = field_of(v), .kinds = w->kinds, .together = PROBE_TOGETHER};
    if (split_words(o, w->words ? w->words : "")) return o;
    order_free(o);
    return NULL;
}

static void *run(struct probe_cache *c, const struct probe_wish *w, void *order, struct probe_pace *pace)
{
    const struct order *o = order;
    struct bt_vary_spec vary = o->vary;
    const struct bt_flip_spec flip = {.field = o->vary.field,
                                      .together = PROBE_TOGETHER,
                                      .cancel = &pace->stop,
                                      .progress = probe_pace_progress,
                                      .ctx = pace};
    vary.cancel = &pace->stop;
    vary.progress = probe_pace_progress;
    vary.ctx = pace;
    return probe_vary(c, w, &vary, o->flip ? &flip : NULL);
}

static void result_free(void *result)
{
    probe_varied_free(result);
}

static const struct probe_work_ops work = {
    .order = order, .order_free = order_free, .run = run, .result_free = result_free};

/* ── keys ── */

static void changed(struct view *v)
{
    struct probe_vary *w = vary_of(v);
    struct probe_view *s = v->state;
    w->list.cursor = w->list.top = 0;
    probe_work_changed(&w->work, false);
    if (s->below != BELOW_VARY) probe_below_show(v, BELOW_VARY);
    v->focus = PROBE_KEPT;
    app_redraw(v->app);
    probe_below_go(v);
}

void probe_vary_show(struct view *v, bool flip)
{
    struct probe_vary *w = vary_of(v);
    if (((struct probe_view *)v->state)->below == BELOW_VARY && w->flip == flip) {
        probe_below_show(v, BELOW_VARY); /* again: the kept texts */
        return;
    }
    w->flip = flip;
    changed(v);
}

static void words_typed(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct probe_vary *w = vary_of(v);
    if (!text) return;
    free(w->words);
    w->words = *text ? bt_strdup(text) : NULL;
    w->kinds = w->words ? 1u << BT_VARY_LIST : 0;
    w->flip = false;
    changed(v);
}

static const char *const kinds[] = {"all kinds",
                                    "drop: each word left out",
                                    "swap: each word for another",
                                    "negate: is, is not (English)",
                                    "typo: slips of the keys",
                                    "case: upper and lower",
                                    "list: words of your own …"};

static void kind_chosen(void *ctx, int index)
{
    struct view *v = ctx;
    struct probe_vary *w = vary_of(v);
    if (index < 0 || index > BT_VARIES) return;
    if (index == 1 + BT_VARY_LIST) {
        const struct app_prompt prompt = {.what = "words (with commas): ",
                                          .initial = w->words ? w->words : "",
                                          .history = "probe words",
                                          .done = words_typed,
                                          .ctx = v};
        app_ask(v->app, &prompt);
        return;
    }
    w->kinds = index ? 1u << (index - 1) : 0;
    w->flip = false;
    changed(v);
}

void probe_vary_kinds(struct view *v)
{
    app_choose(v->app, "Variants", kinds, sizeof kinds / sizeof *kinds, kind_chosen, v);
}

/* The text of what is under the cursor; NULL: nothing is. */
static const char *chosen(const struct view *v)
{
    const struct probe_varied *x = found_of(v);
    const struct probe_vary *w = vary_of(v);
    if (!x || w->work.due || w->work.job) return NULL;
    if (x->flip) return x->flip->n ? x->flip->new_text : NULL;
    return x->variants && w->list.cursor < x->variants->n ? x->variants->item[w->list.cursor].text : NULL;
}

/* A choice takes the place of its line; empty lines stay. */
static char *with_choice(const char *lines, int choice, const char *text)
{
    struct bt_str out = {0};
    for (const char *at = lines; *at;) {
        const size_t n = strcspn(at, "\n");
        if (n && choice-- == 0)
            bt_str_add(&out, text);
        else
            bt_str_addn(&out, at, n);
        at += n;
        if (*at) bt_str_addc(&out, *at++);
    }
    return bt_str_take(&out);
}

static bool take(struct view *v)
{
    const struct probe_view *s = v->state;
    const struct probe_varied *x = found_of(v);
    const char *text = chosen(v), *pair = s->pair_shown ? edit_text(s->pair) : NULL;
    if (!text) return true;
    char *choices =
        x->field >= BT_VARY_CHOICE ? with_choice(pair ? pair : "", x->field - BT_VARY_CHOICE, text) : NULL;
    if (x->field == BT_VARY_TEXT)
        probe_take_text(v, text, pair);
    else if (x->field == BT_VARY_PAIR || choices)
        probe_take_text(v, edit_text(s->text), choices ? choices : text);
    free(choices);
    return true;
}

/* ── drawing ── */

static const struct list_column columns[] = {{.title = "", .min = 1, .max = 1},
                                             {.title = "change", .min = 6, .max = 6, .right = true},
                                             {.title = "after", .min = 6, .max = 8, .right = true, .drop = 2},
                                             {.title = "says", .min = 8, .max = 16},
                                             {.title = "kind", .min = 6, .max = 6, .drop = 1},
                                             {.title = "what", .min = 10}};
enum { FLIPPED, CHANGE, AFTER, SAYS, KIND, WHAT };

static void cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct bt_variant *x = &((const struct bt_variants *)ctx)->item[row];
    if (x->flipped && column != CHANGE && column != AFTER) *role = ROLE_MARK;
    if (column == FLIPPED) bt_str_add(out, x->flipped ? "*" : "");
    if (column == CHANGE) bt_str_addf(out, "%.4f", x->change);
    if (column == AFTER) bt_str_addf(out, "%.4f", x->after);
    if (column == SAYS) bt_str_add(out, x->said);
    if (column == KIND) bt_str_add(out, bt_varies[x->kind]);
    if (column == WHAT) bt_str_add(out, x->what);
}

static struct list_look look(const struct view *v, struct bt_variants *x)
{
    return (struct list_look){.column = columns,
                              .n_columns = 6,
                              .sorted = -1,
                              .focused = v->focus == PROBE_KEPT,
                              .cell = cell,
                              .ctx = x};
}

/* How many there are, and what they were made with. */
static void tell_sum(struct sheet *d, const struct bt_variants *x)
{
    struct bt_str line = {0};
    bool swapped = false;
    for (size_t i = 0; i < x->n; i++) swapped |= x->item[i].kind == BT_VARY_SWAP;
    bt_str_addf(&line, "%zu variants, %zu decide otherwise (*); %lld passes", x->n, x->flipped,
                (long long)x->passes);
    if (swapped) bt_str_add(&line, x->own_head ? "; swaps: own MLM head" : "; swaps: nearest embeddings");
    if (x->more) bt_str_addf(&line, "; the first %d", BT_VARIANTS);
    sheet_wrap(d, ROLE_DIM, 1, bt_str_text(&line), line.len);
    bt_str_free(&line);
}

static void tell_flip(struct sheet *d, const struct bt_flip *f)
{
    sheet_print(d, ROLE_MARK, 1, "%s %.4f → %s", f->of, f->score, f->new_said);
    if (f->flipped)
        sheet_print(d, ROLE_GOOD, 1, "flipped by %zu word%s", f->n, f->n == 1 ? "" : "s");
    else if (f->n)
        sheet_print(d, ROLE_WARN, 1, "%zu words do not suffice; it is %.4f then", f->n, f->new_score);
    else
        sheet_print(d, ROLE_WARN, 1, "no word that could be replaced makes a difference");
    for (size_t i = 0; i < f->n; i++)
        sheet_print(d, ROLE_TEXT, 1, "%s → %s  estimate %+.4f, then %.4f", f->word[i].from, f->word[i].to,
                    f->word[i].estimate, f->word[i].score);
    if (f->n) sheet_wrap(d, ROLE_TEXT, 1, f->new_text, strlen(f->new_text));
    sheet_print(d, ROLE_DIM, 1, "%lld variants tried; %lld passes, %lld backward; %zu undone",
                (long long)f->tried, (long long)f->passes, (long long)f->gradients, f->undone);
}

/* What was found, unless it answers the other question. */
static const struct probe_varied *to_tell(const struct probe_vary *w)
{
    const struct probe_varied *x = w->work.found;
    return x && (w->flip ? x->variants != NULL : x->flip != NULL) ? NULL : x;
}

static void tell(const struct probe_vary *w, struct sheet *d)
{
    const struct probe_varied *x = to_tell(w);
    int done, all;
    if (probe_work_progress(&w->work, &done, &all)) {
        if (all)
            sheet_print(d, ROLE_DIM, 1, "%s: %d of %d …", w->flip ? "words" : "variants", done, all);
        else
            sheet_print(d, ROLE_DIM, 1, "%s", "trying …");
    } else if (!x) {
        sheet_print(d, ROLE_DIM, 1, "%s", "Variants are tried here as soon as nobody types.");
    }
    if (!x) return;
    if (x->error) sheet_wrap(d, ROLE_BAD, 1, x->error, strlen(x->error));
    if (x->variants) tell_sum(d, x->variants);
    if (x->flip) tell_flip(d, x->flip);
}

static void draw(struct view *v, struct rect r)
{
    struct probe_vary *w = vary_of(v);
    struct term *t = app_term(v->app);
    const struct probe_varied *x = to_tell(w);
    const struct rect in =
        term_box(t, r, w->flip ? "Fewest words" : "Counterfactuals", v->focus == PROBE_KEPT);
    const int top = w->sheet.top;
    sheet_begin(&w->sheet, in.w - 1);
    tell(w, &w->sheet);
    const int rows = sheet_rows(&w->sheet), head = x && x->variants && rows < in.h ? rows : in.h;
    w->sheet.top = x && x->variants ? 0 : top;
    sheet_draw(&w->sheet, t, (struct rect){.y = in.y, .x = in.x, .h = head, .w = in.w});
    if (x && x->variants && head < in.h) {
        const struct list_look how = look(v, x->variants);
        list_resize(&w->list, x->variants->n);
        list_draw(t, (struct rect){.y = in.y + head, .x = in.x, .h = in.h - head, .w = in.w}, &w->list, &how);
    }
    if (x && (w->work.due || w->work.job)) term_shade(t, in, ROLE_DIM);
}

static bool act(struct view *v, int action, int count)
{
    struct probe_vary *w = vary_of(v);
    if (action == ACT_ENTER) return take(v);
    return w->flip ? sheet_act(&w->sheet, action, count) : list_act(&w->list, action, count);
}

static void mouse(struct view *v, const struct event *e)
{
    struct probe_vary *w = vary_of(v);
    const struct probe_varied *x = w->work.found;
    const bool wheel = e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN;
    bool activated = false;
    int title = -1;
    if (x && x->variants) {
        const struct list_look how = look(v, x->variants);
        if (list_mouse(&w->list, e, &how, &activated, &title) && activated) take(v);
    } else if (wheel) {
        sheet_scroll(&w->sheet, e->button == MOUSE_WHEEL_UP ? -1 : 1);
    }
}

static void hints(const struct view *v, struct bt_str *out)
{
    bt_str_addf(out, "i type  Enter take it over  V kinds, words  %s",
                vary_of(v)->flip ? "v variants  f kept" : "f fewest words  v kept");
}

const struct probe_below_ops probe_below_vary = {
    .draw = draw, .act = act, .mouse = mouse, .hints = hints, .copied = chosen};

void probe_vary_open(struct probe_view *s)
{
    s->vary.work = (struct probe_work){.ops = &work, .due = true};
}

void probe_vary_free(struct probe_view *s)
{
    probe_work_free(&s->vary.work);
    sheet_free(&s->vary.sheet);
    free(s->vary.words);
}
