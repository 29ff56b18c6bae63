#include "run/steering.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char file_name[] = "steered.jsonl";

static enum bt_status append(struct bt__steering *s, int64_t step, double rate, struct bt_error *err)
{
    struct bt__steered *more = realloc(s->item, (s->n + 1) * sizeof *more);
    if (!more) return bt_fail(err, BT_NOMEM, "no memory for a changed setting");
    s->item = more;
    s->item[s->n++] = (struct bt__steered){.step = step, .learning_rate = rate};
    return BT_OK;
}

static enum bt_status read_line(struct bt__steering *s, const char *line, size_t n, struct bt_error *err)
{
    struct bt_json *v = bt_json_parse(line, n, file_name, NULL);
    int64_t step = bt_json_int(bt_json_get(v, "step"), -1);
    double rate = bt_json_number(bt_json_get(v, "value"), (double)NAN);
    bool ours = strcmp(bt_json_text(bt_json_get(v, "option"), ""), "learning_rate") == 0;
    bt_json_free(v);
    return ours && step >= 0 && isfinite(rate) ? append(s, step, rate, err) : BT_OK;
}

enum bt_status bt__steering_load(struct bt__steering *s, const struct bt__rundir *r, struct bt_error *err)
{
    char *data = NULL, *path = bt__rundir_path(r, file_name);
    size_t n = 0;
    *s = (struct bt__steering){.n = 0};
    if (!path) return bt_fail(err, BT_NOMEM, "no memory for a name");
    enum bt_status st = bt_path_exists(path) ? bt_file_read(path, 16 << 20, &data, &n, err) : BT_OK;
    for (size_t at = 0; !st && at < n;) {
        const char *end = memchr(data + at, '\n', n - at);
        if (!end) break;
        st = read_line(s, data + at, (size_t)(end - data) - at, err);
        at = (size_t)(end - data) + 1;
    }
    free(data);
    free(path);
    return st;
}

enum bt_status bt__steering_add(struct bt__steering *s, const struct bt__rundir *r, int64_t step,
                                double learning_rate, struct bt_error *err)
{
    enum bt_status st = append(s, step, learning_rate, err);
    struct bt_str text = {0};
    for (size_t i = 0; i < s->n && !st; i++) {
        struct bt_json_writer w = BT_JSON_WRITER(&text);
        bt_jw_object(&w);
        bt_jw_kint(&w, "step", s->item[i].step);
        bt_jw_ktext(&w, "option", "learning_rate");
        bt_jw_knum(&w, "value", s->item[i].learning_rate);
        bt_jw_end_object(&w);
        bt_str_addc(&text, '\n');
    }
    if (!st && (st = bt__rundir_write(r, file_name, &text, err))) s->n--;
    bt_str_free(&text);
    return st;
}

double bt__steering_rate(const struct bt__steering *s, int64_t step)
{
    double rate = (double)NAN;
    for (size_t i = 0; i < s->n; i++)
        if (s->item[i].step <= step) rate = s->item[i].learning_rate;
    return rate;
}

void bt__steering_free(struct bt__steering *s)
{
    free(s->item);
    *s = (struct bt__steering){.n = 0};
}
