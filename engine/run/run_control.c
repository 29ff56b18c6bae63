#include "run/control.h"
#include "run/status_read.h"

#include <bertty/file.h>
#include <bertty/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One write with O_APPEND: the lines of two who steer at once do not mix. */
static enum bt_status append(const char *path, const struct bt_str *line, struct bt_error *err)
{
    struct stat info;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) return bt_fail_errno(err, "%s", path);
    enum bt_status status = BT_OK;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = bt_fail(err, BT_INVALID, "%s: not a regular file", path);
    } else {
        if (!bt_write_all(fd, line->data, line->len)) status = bt_fail_errno(err, "%s", path);
    }
    close(fd);
    return status;
}

/* *queued: it waits for an engine. */
static enum bt_status check_alive(const char *dir, bool *queued, struct bt_error *err)
{
    struct bt_run_status s;
    enum bt_status status = bt_run_status(dir, &s, err);
    if (status != BT_OK) return status;
    *queued = s.state == BT_RUN_QUEUED;
    if (s.baseline)
        status = bt__refuse_baseline(&s, err);
    else if (!bt_run_state_alive(s.state))
        status = bt_fail(err, BT_INVALID, "%s: the run is %s: it has no engine that could be told", s.id,
                         bt_run_state_name(s.state));
    bt_run_status_clear(&s);
    return status;
}

enum bt_status bt_run_control(const char *dir, const char *command, struct bt_error *err)
{
    struct bt__command parsed;
    struct bt_str line = {0};
    if (strpbrk(command, "\r\n")) return bt_fail(err, BT_INVALID, "a command is one line");
    enum bt_status status = bt__command_parse(command, &parsed, err);
    bool queued = false;
    if (status == BT_OK) status = check_alive(dir, &queued, err);
    if (queued && parsed.kind == BT__STOP) return bt_queue_remove(dir, err);
    if (status != BT_OK) return status;
    char *path = bt_path_join(dir, "control");
    bt_str_addf(&line, "%s\n", command);
    status = path && !line.failed ? append(path, &line, err)
                                  : bt_fail(err, BT_NOMEM, "%s: no memory for a command", dir);
    bt_str_free(&line);
    free(path);
    return status;
}
