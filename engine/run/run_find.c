#include "run/find.h"
#include "run/format.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMED = 6 }; /* candidates that a message lists */

/* ── RUN@STEP ── */

struct word_step {
    const char *word;
    int64_t step;
};

static bool parse_step(const char *text, int64_t *step)
{
    static const struct word_step words[] = {{.word = "best", .step = BT_STEP_BEST},
                                             {.word = "last", .step = BT_STEP_LAST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0) {
            *step = words[i].step;
            return true;
        }
    return bt_parse_int64(text, step) && *step >= 0;
}

/* An @ in the last component only: directories above may be called what they like. */
static enum bt_status split_name(const char *name, char **run, int64_t *step, struct bt_error *err)
{
    const char *at = strrchr(bt_path_base(name), '@');
    *step = BT_STEP_NONE;
    if (at && !parse_step(at + 1, step))
        return bt_fail(err, BT_INVALID,
                       "run '%s': '%s' after the @ is no step: expected a number, best or last", name,
                       at + 1);
    *run = at ? bt_strndup(name, (size_t)(at - name)) : bt_strdup(name);
    return *run ? BT_OK : bt_fail(err, BT_NOMEM, "run '%s': no memory", name);
}

/* ── what is no name ── */

static bool climbs(const char *name)
{
    for (const char *p = name; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0')) return true;
    }
    return false;
}

static enum bt_status check_name(const char *run, struct bt_error *err)
{
    if (!*run) return bt_fail(err, BT_INVALID, "a run's name is empty: expected an id or a path");
    if (climbs(run))
        return bt_fail(err, BT_INVALID, "run '%s': a name with .. is refused: give an absolute path", run);
    for (const char *p = run; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return bt_fail(err, BT_INVALID, "run '%s': control characters are refused", run);
    if (!strchr(run, '/') && run[0] == '.')
        return bt_fail(err, BT_INVALID, "run '%s': expected an id or a path", run);
    return BT_OK;
}

/* ── the ids of a runs directory ── */

struct ids {
    char **id;
    size_t n;
    bool failed;
};

static void ids_free(struct ids *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->id[i]);
    free(l->id);
}

static void ids_add(struct ids *l, const char *id)
{
    char **more = realloc(l->id, (l->n + 1) * sizeof *more);
    char *copy = bt_strdup(id);
    if (more) l->id = more;
    if (more && copy)
        l->id[l->n++] = copy;
    else
        free(copy);
    l->failed |= !more || !copy;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct ids ids_of(const char *runs_dir)
{
    struct ids l = {0};
    DIR *d = opendir(runs_dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && bt__is_run(dirfd(d), e->d_name, false)) ids_add(&l, e->d_name);
    if (d) closedir(d);
    if (l.n) qsort(l.id, l.n, sizeof *l.id, by_text);
    return l;
}

static bool abbreviates(const char *word, const char *id)
{
    size_t n = strlen(word), m = strlen(id);
    return n <= m && (memcmp(id, word, n) == 0 || memcmp(id + m - n, word, n) == 0);
}

/* ── the answers ── */

static enum bt_status absolute(const char *path, char **dir, struct bt_error *err)
{
    *dir = realpath(path, NULL);
    return *dir ? BT_OK : bt_fail_errno(err, "%s", path);
}

static enum bt_status find_path(const char *path, char **dir, struct bt_error *err)
{
    if (bt__is_run(AT_FDCWD, path, true)) return absolute(path, dir, err);
    return bt_path_exists(path)
               ? bt_fail(err, BT_NOTFOUND, "%s: not a run: no status.json and no event files", path)
               : bt_fail(err, BT_NOTFOUND, "%s: no such run", path);
}

static enum bt_status none(const char *runs_dir, const char *word, const struct ids *l, struct bt_error *err)
{
    if (l->n == 0) return bt_fail(err, BT_NOTFOUND, "no run '%s': there are no runs in %s", word, runs_dir);
    const char *near = bt_nearest(word, (const char *const *)l->id, l->n);
    if (near) return bt_fail(err, BT_NOTFOUND, "no run '%s' in %s: did you mean '%s'?", word, runs_dir, near);
    return bt_fail(err, BT_NOTFOUND, "no run '%s' in %s: `bertty runs` lists them", word, runs_dir);
}

static enum bt_status several(const char *word, const struct ids *l, size_t n, struct bt_error *err)
{
    struct bt_str text = {0};
    size_t named = 0;
    for (size_t i = 0; i < l->n && named < MAX_NAMED; i++)
        if (abbreviates(word, l->id[i])) bt_str_addf(&text, "%s%s", named++ ? ", " : "", l->id[i]);
    enum bt_status status = bt_fail(err, BT_INVALID, "run '%s' could be any of %zu: %s%s", word, n,
                                    bt_str_text(&text), n > named ? ", …" : "");
    bt_str_free(&text);
    return status;
}

/* The runs directory is a run itself and called like that. */
static bool is_itself(const char *runs_dir, const char *word)
{
    char *full = realpath(runs_dir, NULL);
    bool same = full && strcmp(bt_path_base(full), word) == 0 && bt__is_split_run(AT_FDCWD, full);
    free(full);
    return same;
}

static enum bt_status find_id(const char *runs_dir, const char *word, char **dir, struct bt_error *err)
{
    if (is_itself(runs_dir, word)) return absolute(runs_dir, dir, err);
    char *path = bt_path_join(runs_dir, word);
    if (!path) return bt_fail(err, BT_NOMEM, "run '%s': no memory", word);
    enum bt_status status = BT_OK;
    if (!bt__is_run(AT_FDCWD, path, false)) {
        struct ids l = ids_of(runs_dir);
        size_t n = 0, which = 0;
        for (size_t i = 0; i < l.n; i++)
            if (abbreviates(word, l.id[i]) && n++ == 0) which = i;
        free(path);
        path = n == 1 ? bt_path_join(runs_dir, l.id[which]) : NULL;
        if (n != 1)
            status = n ? several(word, &l, n, err) : none(runs_dir, word, &l, err);
        else if (!path || l.failed)
            status = bt_fail(err, BT_NOMEM, "run '%s': no memory", word);
        ids_free(&l);
    }
    if (status == BT_OK) status = absolute(path, dir, err);
    free(path);
    return status;
}

enum bt_status bt_run_find(const char *runs_dir, const char *name, char **dir, int64_t *step,
                           struct bt_error *err)
{
    char *run = NULL;
    int64_t at;
    *dir = NULL;
    enum bt_status status = split_name(name, &run, &at, err);
    if (status == BT_OK) status = check_name(run, err);
    if (status == BT_OK)
        status = strchr(run, '/') ? find_path(run, dir, err) : find_id(runs_dir, run, dir, err);
    free(run);
    if (status == BT_OK && (status = bt__format_of_run(*dir, err)) != BT_OK) {
        free(*dir);
        *dir = NULL;
    }
    if (status == BT_OK && step) *step = at;
    return status;
}

enum bt_status bt_run_experiment(const char *dir, struct bt_experiment **out, struct bt_error *err)
{
    char *path = bt_path_join(dir, "experiment.yaml");
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for its settings", dir);
    enum bt_status st = bt_experiment_load(path, out, err);
    free(path);
    return st;
}
