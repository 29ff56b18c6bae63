#include <bertty/json.h>

#include <bertty/num.h>
#include <bertty/text.h>
#include <math.h>
#include <string.h>

enum { DEEPEST = 32, DEEPEST_COPY = 30 };

/* What stands before a value or a key. */
static void separate(struct bt_json_writer *w)
{
    if (w->after_key)
        w->after_key = false;
    else if (w->comma[w->depth])
        bt_str_addc(w->out, ',');
    w->comma[w->depth] = true;
}

static void open(struct bt_json_writer *w, char c)
{
    separate(w);
    bt_str_addc(w->out, c);
    if (w->depth < DEEPEST) w->depth++;
    w->comma[w->depth] = false;
}

static void close(struct bt_json_writer *w, char c)
{
    bt_str_addc(w->out, c);
    if (w->depth > 0) w->depth--;
}

void bt_jw_object(struct bt_json_writer *w)
{
    open(w, '{');
}

void bt_jw_array(struct bt_json_writer *w)
{
    open(w, '[');
}

void bt_jw_end_object(struct bt_json_writer *w)
{
    close(w, '}');
}

void bt_jw_end_array(struct bt_json_writer *w)
{
    close(w, ']');
}

static void escape(struct bt_str *out, unsigned char c)
{
    static const char *const names[] = {['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r",
                                        ['\t'] = "\\t", ['"'] = "\\\"", ['\\'] = "\\\\"};
    if (c < sizeof names / sizeof *names && names[c])
        bt_str_add(out, names[c]);
    else
        bt_str_addf(out, "\\u%04x", c);
}

static void quote(struct bt_str *out, const char *text, size_t n)
{
    bt_str_addc(out, '"');
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)text[i];
        int32_t point;
        size_t length = bt_utf8_decode(text + i, n - i, &point);
        if (length == 0) {
            bt_str_add(out, "\xef\xbf\xbd");
            i++;
        } else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            escape(out, c);
            i++;
        } else {
            bt_str_addn(out, text + i, length);
            i += length;
        }
    }
    bt_str_addc(out, '"');
}

void bt_jw_key(struct bt_json_writer *w, const char *key)
{
    separate(w);
    quote(w->out, key, strlen(key));
    bt_str_addc(w->out, ':');
    w->after_key = true;
}

void bt_jw_textn(struct bt_json_writer *w, const char *text, size_t n)
{
    separate(w);
    quote(w->out, text, n);
}

void bt_jw_text(struct bt_json_writer *w, const char *text)
{
    if (text)
        bt_jw_textn(w, text, strlen(text));
    else
        bt_jw_null(w);
}

void bt_jw_int(struct bt_json_writer *w, int64_t v)
{
    separate(w);
    bt_str_addf(w->out, "%lld", (long long)v);
}

/* −0 needs its fraction: a reader takes "-0" for a whole number, which has no sign there. */
static bool is_minus_zero(double v)
{
    return v == 0.0 && signbit(v);
}

void bt_jw_num(struct bt_json_writer *w, double v)
{
    char text[BT_NUMBER_SIZE];
    separate(w);
    if (isfinite(v))
        bt_str_add(w->out, is_minus_zero(v) ? "-0.0" : bt_format_double(v, text));
    else
        bt_str_add(w->out, "null");
}

void bt_jw_float(struct bt_json_writer *w, float v)
{
    char text[BT_NUMBER_SIZE];
    separate(w);
    if (isfinite(v))
        bt_str_add(w->out, is_minus_zero((double)v) ? "-0.0" : bt_format_float(v, text));
    else
        bt_str_add(w->out, "null");
}

void bt_jw_bool(struct bt_json_writer *w, bool v)
{
    separate(w);
    bt_str_add(w->out, v ? "true" : "false");
}

void bt_jw_null(struct bt_json_writer *w)
{
    separate(w);
    bt_str_add(w->out, "null");
}

void bt_jw_ktext(struct bt_json_writer *w, const char *key, const char *text)
{
    bt_jw_key(w, key);
    bt_jw_text(w, text);
}

void bt_jw_kint(struct bt_json_writer *w, const char *key, int64_t v)
{
    bt_jw_key(w, key);
    bt_jw_int(w, v);
}

void bt_jw_knum(struct bt_json_writer *w, const char *key, double v)
{
    bt_jw_key(w, key);
    bt_jw_num(w, v);
}

void bt_jw_kbool(struct bt_json_writer *w, const char *key, bool v)
{
    bt_jw_key(w, key);
    bt_jw_bool(w, v);
}

void bt_jw_members(struct bt_json_writer *w, const struct bt_json *object)
{
    for (const void *it = bt_json_first(object); it; it = bt_json_next(object, it)) {
        bt_jw_key(w, bt_json_key(it));
        bt_jw_value(w, bt_json_value(it));
    }
}

void bt_jw_value(struct bt_json_writer *w, const struct bt_json *v)
{
    size_t n = 0;
    const char *text = bt_json_textn(v, &n);
    const enum bt_json_kind kind = bt_json_kind(v);
    if ((kind == BT_JSON_ARRAY || kind == BT_JSON_OBJECT) && w->depth >= DEEPEST_COPY) {
        bt_jw_text(w, "…");
        return;
    }
    switch (kind) {
    case BT_JSON_NULL:
        bt_jw_null(w);
        break;
    case BT_JSON_BOOL:
        bt_jw_bool(w, bt_json_bool(v, false));
        break;
    case BT_JSON_INT:
        bt_jw_int(w, bt_json_int(v, 0));
        break;
    case BT_JSON_REAL:
        bt_jw_num(w, bt_json_number(v, 0));
        break;
    case BT_JSON_STRING:
        bt_jw_textn(w, text, n);
        break;
    case BT_JSON_ARRAY:
        bt_jw_array(w);
        for (size_t i = 0; i < bt_json_len(v); i++) bt_jw_value(w, bt_json_at(v, i));
        bt_jw_end_array(w);
        break;
    case BT_JSON_OBJECT:
        bt_jw_object(w);
        bt_jw_members(w, v);
        bt_jw_end_object(w);
        break;
    }
}
