/* run.json: what was run, on what, where and when. */
#include "run/train_parts.h"

#include <bertty/file.h>
#include <bertty/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A small text file without its final newline; NULL if it cannot be read. The caller frees. */
static char *small_file(const char *dir, const char *name)
{
    char *data = NULL, *path = bt_path_join(dir, name);
    size_t n;
    if (path && bt_file_read(path, 1 << 20, &data, &n, NULL) == BT_OK) data[strcspn(data, "\n")] = '\0';
    free(path);
    return data;
}

/* The line "<sum> <ref>" of packed-refs. */
static char *packed_ref(const char *git, const char *ref)
{
    char *data = NULL, *path = bt_path_join(git, "packed-refs"), *found = NULL;
    size_t n, length = strlen(ref);
    if (path && bt_file_read(path, 16 << 20, &data, &n, NULL) == BT_OK)
        for (char *line = data; line && !found; line = strchr(line, '\n')) {
            if (*line == '\n') line++;
            char *space = strchr(line, ' ');
            if (space && strncmp(space + 1, ref, length) == 0 && space[1 + length] == '\n')
                found = bt_strndup(line, (size_t)(space - line));
        }
    free(path);
    free(data);
    return found;
}

/* The commit that a .git directory has checked out; NULL if it cannot be told. */
static char *head_of(const char *git)
{
    static const char mark[] = "ref: ";
    char *head = small_file(git, "HEAD");
    if (!head || strncmp(head, mark, sizeof mark - 1) != 0) return head;
    const char *ref = head + sizeof mark - 1;
    char *common = small_file(git, "commondir"), *sum = small_file(git, ref);
    char *shared = common ? (common[0] == '/' ? bt_strdup(common) : bt_path_join(git, common)) : NULL;
    if (!sum && shared) sum = small_file(shared, ref);
    if (!sum) sum = packed_ref(shared ? shared : git, ref);
    free(shared);
    free(common);
    free(head);
    return sum;
}

/* dir/.git: a directory, or a file that names one. */
static char *git_directory(const char *dir)
{
    static const char mark[] = "gitdir: ";
    char *path = bt_path_join(dir, ".git"), *file = small_file(dir, ".git");
    if (file && strncmp(file, mark, sizeof mark - 1) == 0) {
        free(path);
        path = file[8] == '/' ? bt_strdup(file + 8) : bt_path_join(dir, file + 8);
    }
    free(file);
    if (path && bt_path_exists(path)) return path;
    free(path);
    return NULL;
}

static char *git_commit(const char *cwd)
{
    char *dir = bt_strdup(cwd), *git = NULL;
    while (dir && dir[0] && !(git = git_directory(dir))) {
        char *slash = strrchr(dir, '/');
        if (!slash) break;
        *slash = '\0';
    }
    char *commit = git ? head_of(git) : NULL;
    free(git);
    free(dir);
    return commit;
}

static void write_command(struct bt_json_writer *w)
{
    char text[32768];
    FILE *f = fopen("/proc/self/cmdline", "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) fclose(f);
    text[n] = '\0';
    bt_jw_key(w, "command");
    bt_jw_array(w);
    for (size_t at = 0; at < n; at += strlen(text + at) + 1) bt_jw_text(w, text + at);
    bt_jw_end_array(w);
}

static void write_place(struct bt_json_writer *w, const struct bt__trainer *t)
{
    char cpu[128], started[40];
    time_t when = (time_t)t->status.started;
    struct tm tm;
    char *cwd = getcwd(NULL, 0), *commit = cwd ? git_commit(cwd) : NULL;
    bt__cpu_name(cpu, sizeof cpu);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&when, &tm));
    bt_jw_ktext(w, "version", BT_VERSION);
    bt_jw_ktext(w, "build", bt_build_name());
    bt_jw_ktext(w, "started", started);
    bt_jw_ktext(w, "host", t->status.proc.host);
    bt_jw_ktext(w, "cpu", cpu);
    bt_jw_ktext(w, "kernels", bt_kernels_name());
    bt_jw_ktext(w, "blas", bt_blas_name());
    bt_jw_kint(w, "threads", bt__pool_threads(t->pool));
    write_command(w);
    bt_jw_ktext(w, "cwd", cwd);
    bt_jw_ktext(w, "git_commit", commit);
    free(cwd);
    free(commit);
}

static void write_data(struct bt_json_writer *w, const struct bt__trainer *t)
{
    bt_jw_key(w, "labels");
    bt_jw_array(w);
    for (int i = 0; i < t->setup.task->labels.n; i++) bt_jw_text(w, t->setup.task->labels.name[i]);
    bt_jw_end_array(w);
    bt_jw_key(w, "rows");
    bt_jw_object(w);
    for (int i = 0; i < BT__SPLITS; i++)
        bt_jw_kint(w, bt__split_name((enum bt__split)i), (int64_t)t->setup.split[i].n);
    bt_jw_end_object(w);
    bt_jw_kint(w, "steps", t->total);
    bt_jw_kint(w, "steps_per_epoch", t->steps_per_epoch);
    bt_jw_key(w, "data");
    bt__hashes_write(w, &t->data);
}

enum bt_status bt__run_json(struct bt__trainer *t, struct bt_error *err)
{
    struct bt__hashes model;
    enum bt_status st = bt__hashing_end(&t->hashing, &t->data, &model, err);
    if (st) return st;
    struct bt_str text = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&text);
    bt_jw_object(&w);
    bt_jw_ktext(&w, "id", t->run->id);
    write_place(&w, t);
    write_data(&w, t);
    bt_jw_key(&w, "model");
    bt__hashes_write(&w, &model);
    bt_jw_kint(&w, "fresh_tensors", (int64_t)t->setup.report.fresh);
    bt_jw_end_object(&w);
    bt_str_addc(&text, '\n');
    bt__hashes_free(&model);
    return bt__rundir_write(t->run, "run.json", &text, err);
}
