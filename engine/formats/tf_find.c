/* Which checkpoint of TensorFlow's a directory holds. */
#include "formats/tf_bundle.h"

#include <bertty/file.h>
#include <bertty/str.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_LIST = 1 << 20 /* bytes of the file "checkpoint" */ };
static const char suffix[] = ".index";

/* dir/base (n bytes of it), if the index of that checkpoint is there; NULL: it is not, or no memory (*failed). */
static char *if_there(const char *dir, const char *base, size_t n, bool *failed)
{
    char *name = bt_strfmt("%s/%.*s", dir, (int)n, base);
    char *index = name ? bt_strfmt("%s%s", name, suffix) : NULL;
    *failed = *failed || !index;
    bool there = index && n > 0 && bt_path_exists(index);
    free(index);
    if (there) return name;
    free(name);
    return NULL;
}

/* The last component of model_checkpoint_path in the file "checkpoint", a text that TensorFlow's Saver keeps; length in *n. */
static const char *latest_in(const char *text, size_t *n)
{
    static const char key[] = "model_checkpoint_path:";
    const char *at = strncmp(text, key, sizeof key - 1) == 0 ? text : NULL;
    const char *quote = at ? strchr(at, '"') : NULL, *end = quote ? strpbrk(quote + 1, "\"\n") : NULL;
    if (!end || *end != '"') return NULL;
    const char *base = quote + 1;
    for (const char *p = base; p < end; p++)
        if (*p == '/') base = p + 1;
    *n = (size_t)(end - base);
    return base;
}

/* The checkpoint that the list names, if there is a list and that checkpoint. */
static enum bt_status latest(const char *dir, char **name, struct bt_error *err)
{
    char *text = NULL, *path = bt_path_join(dir, "checkpoint");
    struct bt_error why = {.status = BT_OK};
    size_t n;
    bool failed = !path;
    if (path && bt_file_read(path, LARGEST_LIST, &text, &n, &why) == BT_OK) {
        const char *base = latest_in(text, &n);
        if (base) *name = if_there(dir, base, n, &failed);
    }
    free(text);
    free(path);
    if (why.status == BT_IO) return bt_fail(err, BT_IO, "%s", why.text);
    return failed || why.status == BT_NOMEM ? bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir) : BT_OK;
}

/* The only index in the directory. */
static enum bt_status only_one(const char *dir, char **name, struct bt_error *err)
{
    DIR *d = opendir(dir);
    if (!d) return bt_fail_errno(err, "%s", dir);
    int found = 0;
    bool failed = false;
    for (const struct dirent *e; (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n < sizeof suffix || strcmp(e->d_name + n - (sizeof suffix - 1), suffix) != 0) continue;
        if (found++ == 0) *name = if_there(dir, e->d_name, n - (sizeof suffix - 1), &failed);
    }
    closedir(d);
    if (found == 1 && *name) return BT_OK;
    free(*name);
    *name = NULL;
    if (failed) return bt_fail(err, BT_NOMEM, "%s: no memory for a name", dir);
    if (found > 1)
        return bt_fail(
            err, BT_INVALID,
            "%s: %d checkpoints of TensorFlow, expected one, or a file \"checkpoint\" that names one", dir,
            found);
    return bt_fail(err, BT_NOTFOUND, "%s: no checkpoint of TensorFlow (NAME.index)", dir);
}

enum bt_status bt__tf_find(const char *path, char **name, struct bt_error *err)
{
    struct stat info;
    size_t n = strlen(path), cut = sizeof suffix - 1;
    *name = NULL;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        bool index = n > cut && strcmp(path + n - cut, suffix) == 0;
        *name = bt_strndup(path, index ? n - cut : n);
        return *name ? BT_OK : bt_fail(err, BT_NOMEM, "%s: no memory for its name", path);
    }
    enum bt_status st = latest(path, name, err);
    return st || *name ? st : only_one(path, name, err);
}
