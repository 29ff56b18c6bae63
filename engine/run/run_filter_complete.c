/* What the last word of a filter may become. */
#include "run/run_filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_OFFERED = 200 };

struct completion {
    const char *before, *word; /* word: the end of before that is completed */
    const struct bt_run_list *runs;
    const struct bt_facts *facts;
    struct bt_str *out;
    size_t first, n; /* of out: what stood there before is not ours; candidates */
};

/* Once; not what would not come back as one word. */
static void offer(struct completion *c, const char *text)
{
    size_t n = strlen(c->word);
    if (c->n == MAX_OFFERED || strncasecmp(text, c->word, n) != 0 || strpbrk(text, " \n\"()")) return;
    size_t at = c->out->len;
    bt_str_addf(c->out, "%.*s%s%s\n", (int)(c->word - c->before), c->before, c->word, text + n);
    if (c->out->failed) return;
    size_t added = c->out->len - at;
    for (size_t i = c->first; i < at; i += strcspn(c->out->data + i, "\n") + 1)
        if (strncmp(c->out->data + i, c->out->data + at, added) == 0) {
            c->out->len = at;
            c->out->data[at] = '\0';
            return;
        }
    c->n++;
}

static void offer2(struct completion *c, const char *a, const char *b)
{
    char *text = bt_strfmt("%s%s", a, b);
    if (text) offer(c, text);
    free(text);
}

static void offer_states(struct completion *c)
{
    offer(c, "state:alive");
    offer(c, "state:ended");
    for (int s = BT_RUN_QUEUED; s <= BT_RUN_UNKNOWN; s++)
        offer2(c, "state:", bt_run_state_name((enum bt_run_state)s));
}

static void offer_tags(struct completion *c)
{
    for (size_t i = 0; i < c->runs->n; i++)
        for (size_t k = 0; k < c->runs->run[i].notes.n_tags; k++)
            offer2(c, "tag:", c->runs->run[i].notes.tag[k]);
}

/* Of evaluations the short name; the whole tag once a slash is typed, and of all others. */
static void offer_figures(struct completion *c, const char *with)
{
    const char **tag = NULL;
    size_t n = 0;
    if (!bt_facts_names(c->facts, &tag, &n)) return;
    for (size_t i = 0; i < n; i++) {
        bool eval = strncmp(tag[i], "eval/", 5) == 0;
        offer2(c, with, eval && !strchr(c->word, '/') ? tag[i] + 5 : tag[i]);
    }
    free(tag);
}

static void offer_values(struct completion *c, const struct bt_option *o, const char *name, size_t n)
{
    static const char *const truth[] = {"true", "false"};
    size_t length;
    for (int i = 0; o->kind == BT_OPTION_CHOICE && bt_option_choice_text(o, i, &length); i++) {
        char *text = bt_strfmt("%.*s%.*s", (int)n, name, (int)length, bt_option_choice_text(o, i, &length));
        if (text) offer(c, text);
        free(text);
    }
    for (int i = 0; o->kind == BT_OPTION_BOOL && i < 2; i++) {
        char *text = bt_strfmt("%.*s%s", (int)n, name, truth[i]);
        if (text) offer(c, text);
        free(text);
    }
}

/* "cfg.…": names, or with a point in them "group.name"; behind : and = what the option may be. */
static void offer_options(struct completion *c)
{
    const char *name = c->word + 4;
    size_t n, length = strcspn(name, ":<>=");
    const struct bt_option *o = bt_options(&n), *whose;
    if (name[length]) {
        whose = bt__option_named(name, length, NULL);
        if (whose) offer_values(c, whose, c->word, 4 + length + 1);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool single = bt_option_find(o[i].name) == &o[i];
        offer2(c, "cfg.", single && !strchr(name, '.') ? o[i].name : o[i].key);
    }
}

static void offer_fields(struct completion *c)
{
    static const char *const smaller[] = {"loss", "left", "age"};
    for (int i = 0; i < BT__FIELDS; i++) offer2(c, bt__field_names[i], ":");
    offer(c, "cfg.");
    for (size_t i = 0; bt__key_names[i]; i++) {
        bool less = false;
        for (size_t k = 0; k < sizeof smaller / sizeof *smaller; k++)
            less |= strcmp(bt__key_names[i], smaller[k]) == 0;
        offer2(c, bt__key_names[i], less ? "<" : ">");
    }
    offer_figures(c, "");
}

void bt_run_filter_complete(const char *before, const struct bt_run_list *runs, const struct bt_facts *facts,
                            struct bt_str *out)
{
    struct completion c = {
        .before = before, .word = before, .runs = runs, .facts = facts, .out = out, .first = out->len};
    for (const char *p = before; *p; p++)
        if (*p == ' ' || *p == '\t' || *p == '(') c.word = p + 1;
    c.word += *c.word == '-';
    if (strncasecmp(c.word, "cfg.", 4) == 0)
        offer_options(&c);
    else if (strncmp(c.word, "state:", 6) == 0)
        offer_states(&c);
    else if (strncmp(c.word, "tag:", 4) == 0)
        offer_tags(&c);
    else if (strncmp(c.word, "last.", 5) == 0)
        offer_figures(&c, "last.");
    else
        offer_fields(&c);
}
