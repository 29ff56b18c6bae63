/* The command line `:`. */
#include "tui/app_private.h"
#include <bertty/hub.h>
#include <bertty/num.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ── actions by their names ── */

static bool run_action(struct app *a, const struct action *actions, size_t n, const char *word, int count)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(actions[i].name, word) != 0) continue;
        app_act(a, actions[i].id, count);
        return true;
    }
    return false;
}

static bool run_view(struct app *a, const char *word)
{
    for (int i = 0; i < VIEWS; i++) {
        if (strcasecmp(a->view[i].ops->name, word) != 0) continue;
        app_act(a, ACT_VIEW1 + i, 1);
        return true;
    }
    return false;
}

static void command_candidates(struct app *a, const char *before, struct bt_str *out);

/* With the nearest name that there is. */
static void say_unknown(struct app *a, const char *word)
{
    enum { MOST = 256 };
    const char *name[MOST], *near = NULL;
    struct bt_str all = {.data = NULL};
    size_t n = 0;
    command_candidates(a, "", &all);
    for (char *p = all.data, *end; p && n < MOST && (end = strchr(p, '\n')); p = end + 1) {
        *end = '\0';
        name[n++] = p;
    }
    near = bt_nearest(word, name, n);
    if (near)
        app_say(a, ROLE_BAD, "no command '%s' (did you mean '%s'?)", word, near);
    else
        app_say(a, ROLE_BAD, "no command '%s' (Tab lists them)", word);
    bt_str_free(&all);
}

/* "name", or "name count". */
static void run_word(struct app *a, const char *word, const char *argument)
{
    const struct view_ops *ops = app_front(a)->ops;
    int64_t count = 1;
    size_t n;
    const struct action *common = keymap_common(&n);
    if (*argument && (!bt_parse_int64(argument, &count) || count < 1 || count > 99999999)) {
        app_say(a, ROLE_BAD, "%s: found '%s', expected a count", word, argument);
        return;
    }
    a->counting = *argument != '\0';
    bool known = run_action(a, ops->actions, ops->n_actions, word, (int)count) ||
                 run_action(a, common, n, word, (int)count) || run_view(a, word);
    a->counting = false;
    if (!known) say_unknown(a, word);
}

/* ── commands with arguments ── */

static void run_theme(struct app *a, const char *argument)
{
    struct bt_error err = {0};
    if (!*argument)
        theme_choose(a);
    else if (theme_use(a, argument, &err) != BT_OK)
        theme_say_error(a, &err);
}

static bool is_experiment(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

void app_open_path(struct app *a, const char *path)
{
    app_open(a, is_experiment(path) ? VIEW_EXPERIMENT : VIEW_DATA, &(struct app_request){.path = path});
}

static void run_open(struct app *a, const char *argument)
{
    struct stat info;
    if (!*argument)
        app_say(a, ROLE_BAD, "open: which file?");
    else if (stat(argument, &info) != 0)
        app_say(a, ROLE_BAD, "%s: %s", argument, strerror(errno));
    else
        app_open_path(a, argument);
}

static void run_edit(struct app *a, const char *argument)
{
    if (*argument)
        app_edit_file(a, argument);
    else
        app_say(a, ROLE_BAD, "edit: which file?");
}

static void run_runs(struct app *a, const char *argument)
{
    if (*argument) runs_set_dir(a, argument);
    app_show(a, VIEW_RUNS);
}

/* Exact, or the only one that holds the word. NULL: said. */
static const struct bt_run_status *find_run(struct app *a, const char *word)
{
    const struct bt_run_list *list = app_runs(a);
    const struct bt_run_status *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->run[i].id, word) == 0) return &list->run[i];
        if (!strstr(list->run[i].id, word)) continue;
        found = &list->run[i];
        n++;
    }
    if (n == 1) return found;
    app_say(a, ROLE_BAD, n ? "'%s' fits %zu runs" : "no run '%s' (Tab lists them)", word, n);
    return NULL;
}

/* Without a name these are actions of the view in front, if it has them. */
static void run_run(struct app *a, const char *argument)
{
    if (!*argument) {
        run_word(a, "run", "");
        return;
    }
    const struct bt_run_status *s = find_run(a, argument);
    if (s) app_choose_run(a, s->dir);
}

static void run_mark(struct app *a, const char *argument)
{
    if (!*argument) {
        run_word(a, "mark", "");
        return;
    }
    const struct bt_run_status *s = find_run(a, argument);
    if (s) app_mark(a, s->dir, !app_marked(a, s->dir));
}

/* "train.seed", or the last part alone. */
static void run_option(struct app *a, const char *argument)
{
    const struct bt_option *o = bt_option_find(argument);
    if (o)
        app_open(a, VIEW_EXPERIMENT, &(struct app_request){.option = o});
    else if (*argument)
        app_say(a, ROLE_BAD, "no option '%s' (Tab lists them)", argument);
    else
        app_say(a, ROLE_BAD, "%s", "option: which one?");
}

static void run_quit(struct app *a, const char *argument)
{
    (void)argument;
    app_act(a, ACT_QUIT, 1);
}

static void complete_run(struct app *a, const char *before, struct bt_str *out, const char *prefix)
{
    const struct bt_run_list *list = app_runs(a);
    for (size_t i = 0; i < list->n; i++)
        if (strncmp(list->run[i].id, before, strlen(before)) == 0 && !strchr(list->run[i].id, '\n'))
            bt_str_addf(out, "%s%s\n", prefix, list->run[i].id);
}

static void complete_option(struct app *a, const char *before, struct bt_str *out, const char *prefix)
{
    size_t n, length = strlen(before);
    const struct bt_option *all = bt_options(&n);
    (void)a;
    for (size_t i = 0; i < n; i++) {
        bool named = length && strncmp(all[i].name, before, length) == 0;
        if (named || strncmp(all[i].key, before, length) == 0)
            bt_str_addf(out, "%s%s\n", prefix, named ? all[i].name : all[i].key);
    }
}

static void complete_theme(struct app *a, const char *before, struct bt_str *out, const char *prefix)
{
    size_t n;
    (void)a;
    char **names = theme_names(&n);
    for (size_t i = 0; names && i < n; i++)
        if (strncmp(names[i], before, strlen(before)) == 0) bt_str_addf(out, "%s%s\n", prefix, names[i]);
    theme_names_free(names, n);
}

static void complete_model(struct app *a, const char *before, struct bt_str *out, const char *prefix)
{
    (void)a;
    struct bt_str names = {.data = NULL};
    bt_hub_list(before, &names);
    for (const char *p = bt_str_text(&names); *p;) {
        size_t n = strcspn(p, "\n");
        bt_str_addf(out, "%s%.*s\n", prefix, (int)n, p);
        p += n + 1;
    }
    bt_str_free(&names);
}

static void complete_path(struct app *a, const char *before, struct bt_str *out, const char *prefix)
{
    (void)a;
    const char *slash = strrchr(before, '/'), *start = slash ? slash + 1 : before;
    char *dir = slash ? bt_strndup(before, (size_t)(slash - before) + 1) : bt_strdup("");
    DIR *d = dir ? opendir(*dir ? dir : ".") : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        bool hidden = e->d_name[0] == '.' && start[0] != '.';
        if (hidden || strncmp(e->d_name, start, strlen(start)) != 0 || strchr(e->d_name, '\n')) continue;
        bt_str_addf(out, "%s%s%s%s\n", prefix, dir, e->d_name, e->d_type == DT_DIR ? "/" : "");
    }
    if (d) closedir(d);
    free(dir);
}

struct command {
    const char *name;
    void (*run)(struct app *a, const char *argument);
    void (*complete)(struct app *a, const char *before, struct bt_str *out, const char *prefix);
};

static const struct command commands[] = {
    {.name = "theme", .run = run_theme, .complete = complete_theme},
    {.name = "open", .run = run_open, .complete = complete_path},
    {.name = "edit", .run = run_edit, .complete = complete_path},
    {.name = "runs", .run = run_runs, .complete = complete_path},
    {.name = "pull", .run = pull_run, .complete = complete_model},
    {.name = "run", .run = run_run, .complete = complete_run},
    {.name = "mark", .run = run_mark, .complete = complete_run},
    {.name = "option", .run = run_option, .complete = complete_option},
    {.name = "q", .run = run_quit},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find_command(const char *word, size_t n)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strlen(commands[i].name) == n && strncmp(commands[i].name, word, n) == 0) return &commands[i];
    return NULL;
}

/* ── the line ── */

/* A number alone: to that row. */
static bool run_number(struct app *a, const char *text)
{
    int64_t row;
    if (!bt_parse_int64(text, &row)) return false;
    a->counting = row > 0;
    if (row < 1 || row > INT_MAX)
        app_say(a, ROLE_BAD, "found '%s', expected a row from 1 to %d", text, INT_MAX);
    else
        app_act(a, ACT_END, (int)row);
    a->counting = false;
    return true;
}

static void command_done(void *ctx, const char *text)
{
    struct app *a = ctx;
    if (!text) return;
    text += strspn(text, " ");
    if (run_number(a, text)) return;
    size_t n = strcspn(text, " ");
    const struct command *c = find_command(text, n);
    char *word = bt_strndup(text, n), *argument = bt_strdup(text + n + strspn(text + n, " "));
    for (size_t end = argument ? strlen(argument) : 0; end && argument[end - 1] == ' ';)
        argument[--end] = '\0';
    if (word && argument && n) {
        if (c)
            c->run(a, argument);
        else
            run_word(a, word, argument);
    }
    free(word);
    free(argument);
}

static void candidate(struct bt_str *out, const char *name, const char *before)
{
    char *line = bt_strfmt("%s\n", name);
    bool fits = line && strncmp(name, before, strlen(before)) == 0;
    const char *found = fits && out->len ? strstr(out->data, line) : NULL;
    bool there = found && (found == out->data || found[-1] == '\n');
    if (fits && !there) bt_str_add(out, line);
    free(line);
}

static void command_candidates(struct app *a, const char *before, struct bt_str *out)
{
    const struct view_ops *ops = app_front(a)->ops;
    size_t n;
    for (size_t i = 0; i < N_COMMANDS; i++) candidate(out, commands[i].name, before);
    for (size_t i = 0; i < ops->n_actions; i++) candidate(out, ops->actions[i].name, before);
    const struct action *common = keymap_common(&n);
    for (size_t i = 0; i < n; i++)
        if (common[i].id < ACT_VIEW1) candidate(out, common[i].name, before);
    for (int i = 0; i < VIEWS; i++) {
        char name[32] = "";
        for (size_t k = 0; a->view[i].ops->name[k] && k + 1 < sizeof name; k++)
            name[k] = (char)(a->view[i].ops->name[k] | 0x20);
        candidate(out, name, before);
    }
}

static void command_complete(void *ctx, const char *before, struct bt_str *out)
{
    struct app *a = ctx;
    size_t n = strcspn(before, " ");
    const struct command *c = before[n] ? find_command(before, n) : NULL;
    if (before[n]) {
        const char *argument = before + n + strspn(before + n, " ");
        char *prefix = bt_strndup(before, (size_t)(argument - before));
        if (c && c->complete && prefix) c->complete(a, argument, out, prefix);
        free(prefix);
        return;
    }
    command_candidates(a, before, out);
}

void command_open(struct app *a)
{
    app_ask(
        a,
        &(struct app_prompt){
            .what = ":", .history = "command", .done = command_done, .complete = command_complete, .ctx = a});
}
