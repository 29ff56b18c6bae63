#include "dataset/cells.h"

#include <bertty/num.h>
#include <bertty/text.h>
#include <inttypes.h>
#include <string.h>

/* The parser counts lines within the record, which has one. */
static void place_error(const char *path, size_t line, const struct bt_error *why, struct bt_error *err)
{
    if (why->status == BT_NOMEM ||
        strncmp(why->text, "record:-1:", 10) == 0) { /* the parser's way to say it */
        bt_fail(err, BT_NOMEM, "%s:%zu: no memory for this record", path, line);
        return;
    }
    const char *rest = strncmp(why->text, "record:1:", 9) == 0  ? why->text + 9
                       : strncmp(why->text, "record: ", 8) == 0 ? why->text + 7
                                                                : why->text;
    bt_fail(err, why->status, "%s:%zu:%s%s", path, line, rest,
            why->status == BT_INVALID ? "; expected one {…} a line" : "");
}

struct bt_json *bt__json_record(const char *path, const struct bt__record *rec, bool *repaired,
                                struct bt_error *err)
{
    struct bt_error why = {0};
    struct bt_str text = {0};
    const char *data = rec->data;
    size_t n = rec->n;
    *repaired = bt_utf8_valid(data, n) < n;
    if (*repaired) {
        bt__utf8_repair(&text, data, n);
        data = bt_str_text(&text);
        n = text.len;
    }
    struct bt_json *root = text.failed ? (bt_fail(&why, BT_NOMEM, "record: no memory"), NULL)
                                       : bt_json_parse(data, n, "record", &why);
    bt_str_free(&text);
    if (!root) {
        place_error(path, rec->line, &why, err);
        return NULL;
    }
    if (bt_json_kind(root) == BT_JSON_OBJECT) return root;
    bt_json_free(root);
    bt_fail(err, BT_INVALID, "%s:%zu: not a JSON object, expected one {…} a line", path, rec->line);
    return NULL;
}

void bt__json_text(const struct bt_json *value, struct bt_str *out)
{
    size_t n = 0;
    const char *text = bt_json_textn(value, &n);
    struct bt_json_writer w = BT_JSON_WRITER(out);
    if (text)
        bt_str_addn(out, text, n);
    else if (bt_json_kind(value) != BT_JSON_NULL)
        bt_jw_value(&w, value);
}
