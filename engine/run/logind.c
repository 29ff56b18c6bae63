#include "run/logind.h"

#include <bertty/file.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONF = 1 << 20 };

static bool is_yes(const char *value)
{
    static const char *const words[] = {"yes", "true", "on", "1"};
    size_t n = strcspn(value, " \t\r\n");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == n && strncmp(words[i], value, n) == 0) return true;
    return false;
}

/* The last KillUserProcesses= of a file into *kills. defaults: the shipped file names the compiled-in value in a comment. */
static bool read_conf(const char *path, bool defaults, bool *kills)
{
    static const char key[] = "KillUserProcesses=";
    char *text = NULL;
    size_t n;
    if (bt_file_read(path, MAX_CONF, &text, &n, NULL) != BT_OK) return false;
    for (char *line = text, *next; line; line = next) {
        if ((next = strchr(line, '\n'))) next++;
        line += strspn(line, defaults ? "# \t" : " \t");
        if (strncmp(line, key, sizeof key - 1) == 0) *kills = is_yes(line + sizeof key - 1);
    }
    free(text);
    return true;
}

static int conf_name(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 5 && strcmp(e->d_name + n - 5, ".conf") == 0;
}

static void read_drop_ins(const char *dir, bool *kills)
{
    struct dirent **entry = NULL;
    int n = scandir(dir, &entry, conf_name, alphasort);
    for (int i = 0; i < n; i++) {
        char *path = bt_path_join(dir, entry[i]->d_name);
        if (path) read_conf(path, false, kills);
        free(path);
        free(entry[i]);
    }
    free(entry);
}

/* logind.conf(5): the first main file there is, then the drop-ins. */
static bool kills_processes(const char *root)
{
    static const char *const folders[] = {"/etc", "/run", "/usr/lib"};
    bool kills = false, found = false;
    for (int i = 0; i < 3 && !found; i++) {
        char *path = bt_strfmt("%s%s/systemd/logind.conf", root, folders[i]);
        if (path) found = read_conf(path, true, &kills) && read_conf(path, false, &kills);
        free(path);
    }
    for (int i = 2; i >= 0; i--) {
        char *path = bt_strfmt("%s%s/systemd/logind.conf.d", root, folders[i]);
        if (path) read_drop_ins(path, &kills);
        free(path);
    }
    return kills;
}

static bool exists(const char *root, const char *path, const char *name)
{
    char *full = bt_strfmt("%s%s%s", root, path, name);
    bool is = full && bt_path_exists(full);
    free(full);
    return is;
}

enum bt__logout bt__logout_plan(const char *root, const char *session, const char *runtime, const char *user)
{
    /* KillExcludeUsers= names root unless somebody took pains */
    bool exempt = user && strcmp(user, "root") == 0;
    if (!session || exempt || !exists(root, "/run/systemd/system", "") || !kills_processes(root))
        return BT__LOGOUT_SAFE;
    /* without lingering the user's manager, and a scope below it, ends with the last session */
    bool lingers = user && exists(root, "/var/lib/systemd/linger/", user);
    bool manager = runtime && exists(root, runtime, "/bus") && exists(root, "/usr/bin/systemd-run", "");
    return lingers && manager ? BT__LOGOUT_SCOPE : BT__LOGOUT_KILLS;
}
