/* Plain text line by line, without reading more than is there. */
#include "tui/commands/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10, LONGEST = 16 << 20, LOOK_AGAIN = 500 /* ms */ };

static enum bt_status check_kind(int fd, const char *name, struct bt_error *err)
{
    struct stat s;
    if (fstat(fd, &s) < 0) return bt_fail_errno(err, "%s", name);
    if (S_ISDIR(s.st_mode)) return bt_fail(err, BT_INVALID, "%s is a directory, expected a text file", name);
    if (fd != STDIN_FILENO && !S_ISREG(s.st_mode))
        return bt_fail(err, BT_INVALID, "%s is no regular file (pipe it into standard input instead)", name);
    return BT_OK;
}

enum bt_status cli_text_open(const char *path, const char **name, int *fd, struct bt_error *err)
{
    bool from_stdin = !path || strcmp(path, "-") == 0;
    *name = from_stdin ? "standard input" : path;
    *fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) return bt_fail_errno(err, "%s", path);
    enum bt_status st = check_kind(*fd, *name, err);
    if (!st) return BT_OK;
    if (!from_stdin) close(*fd);
    *fd = -1;
    return st;
}

enum bt_status cli_lines_open(struct cli_lines *l, const char *path, struct bt_error *err)
{
    *l = (struct cli_lines){.fd = -1};
    return cli_text_open(path, &l->name, &l->fd, err);
}

void cli_lines_close(struct cli_lines *l)
{
    if (l->fd > STDIN_FILENO) close(l->fd);
    bt_str_free(&l->buffer);
    *l = (struct cli_lines){.fd = -1};
}

/* Until there is something to read, or the user interrupts: a read alone would be taken up again after the signal. */
static void wait_for_input(const struct cli_lines *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    while (!cli_interrupted() && poll(&p, 1, LOOK_AGAIN) <= 0)
        ;
}

/* Appends what can be read at once. */
static enum bt_status more(struct cli_lines *l, struct bt_error *err)
{
    char piece[PIECE];
    wait_for_input(l);
    ssize_t n = cli_interrupted() ? 0 : read(l->fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR) return BT_OK;
    if (n < 0) return bt_fail_errno(err, "%s", l->name);
    if (n <= 0) l->at_end = true;
    if (l->at) { /* what was handed out goes */
        l->buffer.len -= l->at;
        memmove(l->buffer.data, l->buffer.data + l->at, l->buffer.len);
        l->at = 0;
    }
    if (n > 0) bt_str_addn(&l->buffer, piece, (size_t)n);
    if (l->buffer.failed || l->buffer.len > LONGEST)
        return bt_fail(err, BT_INVALID, "%s:%zu: a line of more than %d MiB", l->name, l->number + 1,
                       LONGEST >> 20);
    return BT_OK;
}

static char *line_end(const struct cli_lines *l, size_t from)
{
    return l->buffer.len > from ? memchr(l->buffer.data + from, '\n', l->buffer.len - from) : NULL;
}

static void hand_out(struct cli_lines *l, size_t end, size_t next)
{
    l->line = l->buffer.data + l->at;
    l->n = end - l->at;
    if (l->n && l->line[l->n - 1] == '\r') l->n--;
    l->line[l->n] = '\0';
    l->number++;
    l->at = next;
}

bool cli_lines_next(struct cli_lines *l, struct bt_error *err)
{
    char *end;
    size_t seen = 0; /* bytes from at on without a line's end */
    err->status = BT_OK;
    while (!(end = line_end(l, l->at + seen)) && !l->at_end) {
        seen = l->buffer.len - l->at;
        if (more(l, err)) return false;
    }
    if (cli_interrupted()) return false;
    if (end) {
        size_t at = (size_t)(end - l->buffer.data);
        hand_out(l, at, at + 1);
        return true;
    }
    if (l->at == l->buffer.len) return false;
    hand_out(l, l->buffer.len, l->buffer.len);
    return true;
}

bool cli_lines_would_wait(const struct cli_lines *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    return !line_end(l, l->at) && !l->at_end && poll(&p, 1, 0) == 0;
}
