/* The Hugging Face cache: what a name is, where it lies, what is there. */
#include "formats/hub.h"
#include "formats/peft.h"

#include <bertty/file.h>
#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_NAME = 96, LONGEST_REVISION = 200, LARGEST_REF = 4096 };
static const char folder_prefix[] = "models--";
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

/* ── names ── */

/* The hub's rule: no - or . at either end, no -- (it stands for the slash in the cache), no "..". */
static bool is_word(const char *text, size_t n)
{
    if (n == 0 || strspn(text, letters) < n || strchr("-.", text[0]) || strchr("-.", text[n - 1]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (text[i] == text[i - 1] && strchr("-.", text[i])) return false;
    return true;
}

static bool is_repo(const char *text, size_t n)
{
    const char *slash = memchr(text, '/', n);
    size_t first = slash ? (size_t)(slash - text) : 0;
    if (n > LONGEST_NAME || (n > 4 && strncmp(text + n - 4, ".git", 4) == 0)) return false;
    if (!slash) return is_word(text, n);
    return is_word(text, first) && is_word(slash + 1, n - first - 1);
}

/* What git takes for a reference, so that it is a path below refs/ too. */
static bool is_revision(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || n > LONGEST_REVISION || text[0] == '/' || text[n - 1] == '/' || text[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || text[i - 1] == '/';
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || strchr("~^:?*[\\@", text[i])) return false;
        if (first && strchr("./-", text[i])) return false;
        if (text[i] == '.' && text[i + 1] == '.') return false;
    }
    return true;
}

bool bt_hub_is_name(const char *text)
{
    const char *at = strchr(text, '@');
    return is_repo(text, at ? (size_t)(at - text) : strlen(text)) && (!at || is_revision(at + 1));
}

bool bt__hub_is_commit(const char *text)
{
    return strlen(text) == BT__COMMIT_HEX && strspn(text, "0123456789abcdef") == BT__COMMIT_HEX;
}

bool bt__hub_is_plain(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n <= 128 && text[0] != '.' && strspn(text, letters) == n;
}

/* ── where ── */

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool bt__hub_env_true(const char *name)
{
    static const char *const yes[] = {"1", "on", "yes", "true"};
    const char *value = env(name);
    for (size_t i = 0; value && i < sizeof yes / sizeof *yes; i++)
        if (strcasecmp(yes[i], value) == 0) return true;
    return false;
}

static const char *home(void)
{
    const char *dir = env("HOME");
    if (dir) return dir;
    const struct passwd *user = getpwuid(getuid());
    return user && user->pw_dir ? user->pw_dir : "/";
}

char *bt__hub_env_path(const char *name)
{
    const char *value = env(name);
    if (!value) return NULL;
    bool own = value[0] == '~' && (value[1] == '/' || !value[1]);
    return own ? bt_strfmt("%s%s", home(), value + 1) : bt_strdup(value);
}

/* dir/name; frees dir. */
static char *below(char *dir, const char *name)
{
    char *path = dir ? bt_path_join(dir, name) : NULL;
    free(dir);
    return path;
}

char *bt__hub_home(void)
{
    if (env("HF_HOME")) return bt__hub_env_path("HF_HOME");
    if (env("XDG_CACHE_HOME")) return below(bt__hub_env_path("XDG_CACHE_HOME"), "huggingface");
    return bt_path_join(home(), ".cache/huggingface");
}

static char *cache_dir(void)
{
    if (env("HF_HUB_CACHE")) return bt__hub_env_path("HF_HUB_CACHE");
    if (env("HUGGINGFACE_HUB_CACHE")) return bt__hub_env_path("HUGGINGFACE_HUB_CACHE");
    return below(bt__hub_home(), "hub");
}

/* cache/models--org--name */
static char *folder_of(const char *cache, const char *repo)
{
    const char *slash = strchr(repo, '/');
    if (!slash) return bt_strfmt("%s/%s%s", cache, folder_prefix, repo);
    return bt_strfmt("%s/%s%.*s--%s", cache, folder_prefix, (int)(slash - repo), repo, slash + 1);
}

enum bt_status bt__hub_place(const char *name, struct bt__hub_place *p, struct bt_error *err)
{
    *p = (struct bt__hub_place){.repo = NULL};
    if (!bt_hub_is_name(name))
        return bt_fail(err, BT_INVALID, "%s: not the name of a model, expected org/name or org/name@revision",
                       name);
    const char *at = strchr(name, '@');
    p->repo = bt_strndup(name, at ? (size_t)(at - name) : strlen(name));
    p->revision = bt_strdup(at ? at + 1 : "main");
    p->cache = cache_dir();
    p->folder = p->repo && p->cache ? folder_of(p->cache, p->repo) : NULL;
    if (p->repo && p->revision && p->folder) return BT_OK;
    bt__hub_place_free(p);
    return bt_fail(err, BT_NOMEM, "%s: no memory for a name", name);
}

void bt__hub_place_free(struct bt__hub_place *p)
{
    free(p->repo);
    free(p->revision);
    free(p->cache);
    free(p->folder);
    *p = (struct bt__hub_place){.repo = NULL};
}

/* ── what is there ── */

static bool has_file(const char *dir, const char *name)
{
    char *path = bt_path_join(dir, name);
    bool there = path && bt_path_exists(path);
    free(path);
    return there;
}

/* The commit that refs/REVISION names; "" if there is no such file. */
static enum bt_status commit_of(const struct bt__hub_place *p, char commit[BT__COMMIT_HEX + 1],
                                struct bt_error *err)
{
    char *path = bt_strfmt("%s/refs/%s", p->folder, p->revision), *text = NULL;
    size_t n = 0;
    commit[0] = '\0';
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", p->folder);
    enum bt_status st = bt_path_exists(path) ? bt_file_read(path, LARGEST_REF, &text, &n, err) : BT_NOTFOUND;
    if (!st) {
        text[strcspn(text, " \r\n")] = '\0';
        if (bt__hub_is_commit(text))
            memcpy(commit, text, BT__COMMIT_HEX + 1);
        else
            st = bt_fail(err, BT_DAMAGED, "%s: found \"%.60s\", expected a commit", path, text);
    }
    free(text);
    free(path);
    return st == BT_NOTFOUND ? BT_OK : st;
}

enum bt_status bt__hub_snapshot(const struct bt__hub_place *p, char **dir, struct bt_error *err)
{
    char commit[BT__COMMIT_HEX + 1];
    *dir = NULL;
    enum bt_status st = BT_OK;
    if (bt__hub_is_commit(p->revision))
        memcpy(commit, p->revision, sizeof commit);
    else
        st = commit_of(p, commit, err);
    if (st || !commit[0]) return st;
    char *path = bt_strfmt("%s/snapshots/%s", p->folder, commit);
    if (!path) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", p->folder);
    if (has_file(path, "config.json") || has_file(path, "bert_config.json") ||
        has_file(path, BT__PEFT_SETTINGS))
        *dir = path;
    else
        free(path);
    return BT_OK;
}

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum bt_status bt_hub_find(const char *text, char **dir, struct bt_error *err)
{
    struct bt__hub_place p;
    *dir = NULL;
    if (is_directory(text)) {
        *dir = bt_strdup(text);
        return *dir ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for a name", text);
    }
    if (bt_path_exists(text))
        return bt_fail(err, BT_INVALID, "%s: not a directory, expected that of a model", text);
    if (!bt_hub_is_name(text)) return bt_fail(err, BT_NOTFOUND, "%s: no such file or directory", text);
    enum bt_status st = bt__hub_place(text, &p, err);
    if (st) return st;
    st = bt__hub_snapshot(&p, dir, err);
    if (!st && !*dir)
        st = bt_fail(err, BT_NOTFOUND,
                     "%s: no such directory, and no such model in the cache %s: `bertty pull %s` fetches it",
                     text, p.cache, text);
    bt__hub_place_free(&p);
    return st;
}

/* ── the list ── */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* models--org--name → org/name, if its main revision is there; NULL: it is not. */
static char *name_of(const char *entry)
{
    size_t n = sizeof folder_prefix - 1;
    struct bt__hub_place p;
    char *dir = NULL, *name = strncmp(entry, folder_prefix, n) == 0 ? bt_strdup(entry + n) : NULL;
    char *dash = name ? strstr(name, "--") : NULL;
    if (dash) {
        *dash = '/';
        memmove(dash + 1, dash + 2, strlen(dash + 2) + 1);
    }
    if (name && bt_hub_is_name(name) && bt__hub_place(name, &p, NULL) == BT_OK) {
        if (bt__hub_snapshot(&p, &dir, NULL)) dir = NULL;
        bt__hub_place_free(&p);
    }
    if (dir) {
        free(dir);
        return name;
    }
    free(name);
    return NULL;
}

void bt_hub_list(const char *prefix, struct bt_str *out)
{
    enum { MOST = 1000 };
    char *cache = cache_dir(), **name = calloc(MOST, sizeof *name);
    DIR *d = cache && name ? opendir(cache) : NULL;
    size_t n = 0;
    for (const struct dirent *e; d && n < MOST && (e = readdir(d));) {
        char *found = name_of(e->d_name);
        if (found && strncmp(found, prefix, strlen(prefix)) == 0)
            name[n++] = found;
        else
            free(found);
    }
    if (d) closedir(d);
    if (n) qsort(name, n, sizeof *name, by_text);
    for (size_t i = 0; i < n; i++) {
        bt_str_addf(out, "%s\n", name[i]);
        free(name[i]);
    }
    free(name);
    free(cache);
}
