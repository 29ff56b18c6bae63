#include "run/control.h"

#include <bertty/experiment.h>
#include <bertty/num.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const words[] = {
    [BT__STOP] = "stop", [BT__PAUSE] = "pause", [BT__RESUME] = "resume", [BT__CHECKPOINT] = "checkpoint",
    [BT__EVAL] = "eval", [BT__SET] = "set"};
enum { WORDS = sizeof words / sizeof *words };

/* "learning_rate=1e-5" */
static enum bt_status parse_setting(const char *text, double *value, struct bt_error *err)
{
    const struct bt_option *o = &bt_options(NULL)[BT_OPTION_optim_learning_rate];
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : strlen(text);
    bool full = strlen(o->key) == n && strncmp(text, o->key, n) == 0;
    bool plain = strlen(o->name) == n && strncmp(text, o->name, n) == 0;
    if (!equals || (!full && !plain))
        return bt_fail(err, BT_INVALID, "set %.100s: expected learning_rate=VALUE", text);
    if (!bt_parse_double(equals + 1, value) || *value < o->low || *value > o->high)
        return bt_fail(err, BT_INVALID, "set %.100s: expected a number from %g to %g", text, o->low, o->high);
    return BT_OK;
}

enum bt_status bt__command_parse(const char *text, struct bt__command *out, struct bt_error *err)
{
    size_t n = strcspn(text, " \t\r");
    const char *rest = text + n + strspn(text + n, " \t\r");
    *out = (struct bt__command){.value = 0.0};
    for (int i = 0; i < WORDS; i++) {
        if (strlen(words[i]) != n || strncmp(words[i], text, n) != 0) continue;
        out->kind = (enum bt__command_kind)i;
        if (i == BT__SET) return parse_setting(rest, &out->value, err);
        if (*rest) return bt_fail(err, BT_INVALID, "%s: takes no argument, found \"%.60s\"", words[i], rest);
        return BT_OK;
    }
    return bt_fail(err, BT_INVALID,
                   "\"%.60s\" is no command: expected stop, pause, resume, checkpoint, eval or set", text);
}

bool bt__control_line(int fd, int64_t *offset, char *line, size_t size)
{
    ssize_t got = pread(fd, line, size - 1, (off_t)*offset);
    if (got <= 0) return false;
    char *end = memchr(line, '\n', (size_t)got);
    bool too_long = !end && (size_t)got == size - 1;
    if (!end && !too_long) return false;
    size_t n = end ? (size_t)(end - line) : (size_t)got;
    *offset += (int64_t)n + (end != NULL);
    line[n] = '\0';
    return true;
}

int64_t bt__control_end(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0;
}
