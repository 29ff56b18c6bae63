/* Texts that were kept: newest first, each once. */
#include "tui/views/probe_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 200 };

static void clear(struct probe_kept *k)
{
    free(k->text);
    free(k->pair);
    free(k->label);
}

void probe_kept_free(struct probe_view *s)
{
    for (size_t i = 0; i < s->n_kept; i++) clear(&s->kept[i]);
    free(s->kept);
    s->kept = NULL;
    s->n_kept = 0;
}

static void drop(struct probe_view *s, size_t i)
{
    clear(&s->kept[i]);
    memmove(s->kept + i, s->kept + i + 1, (s->n_kept - i - 1) * sizeof *s->kept);
    s->n_kept--;
    list_resize(&s->list, s->n_kept);
}

static bool same(const struct probe_kept *k, const char *text, const char *pair)
{
    return strcmp(k->text, text) == 0 && !k->pair == !pair && (!pair || strcmp(k->pair, pair) == 0);
}

static struct probe_kept make(const struct probe_view *s, const char *text, const char *pair)
{
    struct probe_kept k = {
        .text = bt_strdup(text), .pair = bt_strdup(pair), .step = -1, .score = (double)NAN};
    const struct probe_answer *a = s->found && s->found->n ? &s->found->answer[0] : NULL;
    if (a && !a->error && !s->stale) {
        struct bt_str said = {0};
        k.label = probe_answer_text(a, &said) ? bt_str_take(&said) : NULL;
        bt_str_free(&said);
        for (int i = a->n; i-- > 0;)
            if (a->said[i].chosen) k.score = a->said[i].label ? a->said[i].score : (double)NAN;
        k.step = a->step;
    }
    return k;
}

void probe_keep(struct view *v)
{
    struct probe_view *s = v->state;
    const char *text = edit_text(s->text), *pair = s->pair_shown ? edit_text(s->pair) : NULL;
    if (!*text && !(pair && *pair)) return;
    for (size_t i = 0; i < s->n_kept; i++)
        if (same(&s->kept[i], text, pair)) {
            drop(s, i);
            break;
        }
    if (s->n_kept == MOST) drop(s, MOST - 1);
    struct probe_kept *more = realloc(s->kept, (s->n_kept + 1) * sizeof *more);
    struct probe_kept k = more ? make(s, text, pair) : (struct probe_kept){.text = NULL};
    if (more) s->kept = more;
    if (!k.text) {
        app_say(v->app, ROLE_BAD, "no memory to keep the text");
        return;
    }
    memmove(s->kept + 1, s->kept, s->n_kept * sizeof *s->kept);
    s->kept[0] = k;
    s->n_kept++;
    list_resize(&s->list, s->n_kept);
    s->list.cursor = s->list.top = 0;
    app_say(v->app, ROLE_TEXT, "kept; Esc leaves the text for those that are kept");
}

void probe_kept_put_back(struct view *v)
{
    struct probe_view *s = v->state;
    if (s->list.cursor >= s->n_kept) return;
    const struct probe_kept *k = &s->kept[s->list.cursor];
    edit_set(s->text, k->text);
    edit_set(s->pair, k->pair ? k->pair : "");
    s->pair_shown = k->pair != NULL;
    s->pair_decided = true;
    v->focus = PROBE_TEXT;
}

void probe_kept_drop(struct view *v)
{
    struct probe_view *s = v->state;
    if (s->list.cursor < s->n_kept) drop(s, s->list.cursor);
}
