#include "run/events_files.h"
#include "run/events_wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FOLDERS = 256 }; /* below one run; more are no curves that anybody could tell apart */

const char *bt__events_split(const char *folder)
{
    static const struct {
        const char *name, *split;
    } splits[] = {
        {.name = "train", .split = "train/"},     {.name = "training", .split = "train/"},
        {.name = "validation", .split = "eval/"}, {.name = "val", .split = "eval/"},
        {.name = "valid", .split = "eval/"},      {.name = "eval", .split = "eval/"},
        {.name = "evaluation", .split = "eval/"}, {.name = "dev", .split = "eval/"},
        {.name = "test", .split = "test/"},
    };
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++)
        if (strcmp(folder, splits[i].name) == 0) return splits[i].split;
    return NULL;
}

/* The key of add_scalars(tag, {key: …}), whose directory is tag_key with its slashes made "_"; NULL: it is none of these. */
static const char *key_of(const char *folder, const char *tag, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!folder[i] || folder[i] != (tag[i] == '/' ? '_' : tag[i])) return NULL;
    return folder[n] == '_' && folder[n + 1] ? folder + n + 1 : NULL;
}

bool bt__events_tag(const char *folder, const char *tag, size_t n, struct bt_str *out)
{
    const char *split = bt__events_split(folder), *key = split ? NULL : key_of(folder, tag, n);
    if (!split && !key) return false;
    if (!split) split = bt__events_split(key);
    if (split) bt_str_add(out, split);
    bt_str_addn(out, tag, n);
    if (!split) bt_str_addf(out, "/%s", key);
    return !out->failed;
}

static bool may_be_folder(const struct dirent *e)
{
    bool directory = e->d_type == DT_DIR || e->d_type == DT_UNKNOWN;
    return directory && e->d_name[0] != '.' && (bt__events_split(e->d_name) || strchr(e->d_name, '_'));
}

static bool each_in(DIR *d, const char *folder, bt__events_seen *seen, void *ctx)
{
    bool go_on = true;
    for (struct dirent *e; go_on && (e = readdir(d));)
        if (bt__events_name(e->d_name)) go_on = seen(ctx, dirfd(d), folder, e->d_name);
    return go_on;
}

static bool each_below(int at, const char *folder, bt__events_seen *seen, void *ctx)
{
    struct stat info;
    int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool own = fd >= 0 && fstatat(fd, "status.json", &info, AT_SYMLINK_NOFOLLOW) == 0;
    DIR *d = fd >= 0 && !own ? fdopendir(fd) : NULL;
    if (!d && fd >= 0) close(fd);
    bool go_on = !d || each_in(d, folder, seen, ctx);
    if (d) closedir(d);
    return go_on;
}

bool bt__events_each(DIR *run, bt__events_seen *seen, void *ctx)
{
    bool go_on = true;
    int folders = 0;
    for (struct dirent *e; go_on && (e = readdir(run));)
        if (e->d_type != DT_DIR && bt__events_name(e->d_name))
            go_on = seen(ctx, dirfd(run), NULL, e->d_name);
        else if (may_be_folder(e) && folders++ < MOST_FOLDERS)
            go_on = each_below(dirfd(run), e->d_name, seen, ctx);
    return go_on;
}
