/* What is kept between starts, in ~/.local/state/bertty: state.json has the chosen theme, session-….json all that belongs to one runs directory. A file
 * that is damaged, or of another version, is told and passed over. */
#include "tui/app_private.h"
#include <bertty/file.h>
#include <bertty/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_STATE_BYTES = 1 << 20 };

static bool forgetful; /* set before anything else is done */

void state_forget(void)
{
    forgetful = true;
}

char *app_state_dir(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (forgetful) return NULL;
    if (state && state[0] == '/') return bt_path_join(state, "bertty");
    return home && *home ? bt_path_join(home, ".local/state/bertty") : NULL;
}

static char *path_of(const char *name)
{
    char *dir = app_state_dir(), *path = dir ? bt_path_join(dir, name) : NULL;
    free(dir);
    return path;
}

/* By the directory itself, whatever name leads to it; one that is not there yet, by the name that it will have. */
static char *session_path(const char *runs_dir)
{
    char real[PATH_MAX], here[PATH_MAX], hex[65], name[sizeof "session-.json" + 16];
    char *above = runs_dir[0] != '/' && getcwd(here, sizeof here) ? bt_path_join(here, runs_dir) : NULL;
    const char *whole = realpath(runs_dir, real) ? real : above ? above : runs_dir;
    bt_sha256(whole, strlen(whole), hex);
    snprintf(name, sizeof name, "session-%.16s.json", hex);
    free(above);
    return path_of(name);
}

/* ── reading ── */

/* Nothing there: NULL in silence. */
static struct bt_json *load(struct app *a, const char *path)
{
    struct bt_error err = {.status = BT_OK};
    if (!path || !bt_path_exists(path)) return NULL;
    struct bt_json *root = bt_json_load(path, MAX_STATE_BYTES, &err);
    int64_t version = bt_json_int(bt_json_get(root, "version"), STATE_VERSION);
    if (root && version == STATE_VERSION) return root;
    if (root)
        bt_fail(&err, BT_INVALID, "%s: found version %lld, expected %d", path, (long long)version,
                STATE_VERSION);
    a->foreign_state |= root != NULL;
    bt_json_free(root);
    app_say(a, ROLE_WARN, "%s; what was kept is passed over", theme_short_error(&err));
    return NULL;
}

/* The first part of the way to it that is there. */
static bool writable(const char *dir)
{
    struct stat info;
    char *path = bt_strdup(dir);
    while (path && stat(path, &info) != 0 && strcmp(path, "/") != 0) {
        char *above = bt_path_above(path);
        free(path);
        path = above;
    }
    bool good = path && stat(path, &info) == 0 && S_ISDIR(info.st_mode) && access(path, W_OK | X_OK) == 0;
    free(path);
    return good;
}

void state_load(struct app *a)
{
    char *path = path_of("state.json"), *dir = app_state_dir();
    struct bt_json *root = load(a, path);
    a->kept_theme = bt_strdup(bt_json_text(bt_json_get(root, "theme"), NULL));
    a->unkept = dir && !writable(dir);
    if (a->unkept) app_say(a, ROLE_WARN, "%s cannot be written: nothing is kept for the next time", dir);
    bt_json_free(root);
    free(path);
    free(dir);
}

void session_load(struct app *a)
{
    char *path = session_path(a->runs.dir);
    a->foreign_state = false;
    a->kept = load(a, path);
    session_restore(a);
    free(path);
}

/* ── writing ── */

static enum bt_status save(const char *path, struct bt_str *text, struct bt_error *err)
{
    char *dir = bt_path_above(path);
    bt_str_addc(text, '\n');
    enum bt_status status = dir && !text->failed ? bt_mkdirs(dir, err) : bt_fail(err, BT_NOMEM, "%s", path);
    if (status == BT_OK) status = bt_file_replace(path, text->data, text->len, err);
    bt_str_free(text);
    free(dir);
    return status;
}

static enum bt_status save_theme(const struct app *a, struct bt_error *err)
{
    struct bt_str out = {.data = NULL};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    char *path = path_of("state.json");
    bt_jw_object(&w);
    bt_jw_kint(&w, "version", STATE_VERSION);
    bt_jw_ktext(&w, "theme", a->kept_theme);
    bt_jw_end_object(&w);
    enum bt_status status = path ? save(path, &out, err) : BT_OK;
    bt_str_free(&out);
    free(path);
    return status;
}

static enum bt_status save_session(const struct app *a, struct bt_error *err)
{
    struct bt_str out = {.data = NULL};
    char *path = session_path(a->runs.dir);
    session_write(a, &out);
    enum bt_status status = path ? save(path, &out, err) : BT_OK;
    bt_str_free(&out);
    free(path);
    return status;
}

enum bt_status session_save(struct app *a, struct bt_error *err)
{
    bool whole = !forgetful && !a->unkept && !a->foreign_state;
    enum bt_status status = whole ? save_session(a, err) : BT_OK;
    bt_json_free(a->kept);
    a->kept = NULL;
    return status;
}

enum bt_status state_save(struct app *a, struct bt_error *err)
{
    bool theme = a->chose_theme && !forgetful && !a->unkept;
    enum bt_status status = theme ? save_theme(a, err) : BT_OK,
                   second = session_save(a, status == BT_OK ? err : NULL);
    return status == BT_OK ? second : status;
}
