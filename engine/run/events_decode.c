#include "run/events_decode.h"

#include <math.h>

/* Field numbers of event.proto, summary.proto, tensor.proto, tensor_shape.proto and types.proto in tensorboard/compat/proto */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_SUMMARY = 5, EVENT_SESSION_LOG = 7 };
enum { SUMMARY_VALUE = 1, SESSION_STATUS = 1, SESSION_START = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { METADATA_PLUGIN = 1, PLUGIN_NAME = 1 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4 };
enum { SHAPE_DIM = 2, DIM_SIZE = 1, SHAPE_UNKNOWN = 3 };

/* ── a tensor of one element ── */

static double from_float(uint64_t bits)
{
    return (double)bt__wire_float(bits);
}

static double from_double(uint64_t bits)
{
    return bt__wire_double(bits);
}

static double from_int32(uint64_t bits)
{
    return (double)(int32_t)(uint32_t)bits;
}

static double from_int64(uint64_t bits)
{
    return (double)(int64_t)bits;
}

static double from_bool(uint64_t bits)
{
    return bits ? 1.0 : 0.0;
}

static double from_bfloat16(uint64_t bits)
{
    return (double)bt__wire_float((bits & 0xffff) << 16);
}

static double from_half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double mantissa = (double)(bits & 1023), sign = bits & 0x8000 ? -1.0 : 1.0;
    if (exponent == 31) return mantissa > 0 ? (double)NAN : sign * (double)INFINITY;
    return exponent ? sign * ldexp(1024 + mantissa, exponent - 25) : sign * ldexp(mantissa, -24);
}

/* How a DataType's single element is stored: `field` (a repeated number, packed or not), or tensor_content. */
static const struct dtype {
    uint32_t dtype, field, bytes;
    enum bt__wire_type type;
    double (*value)(uint64_t bits);
} dtypes[] = {
    {.dtype = 1, .field = 5, .bytes = 4, .type = WIRE_FIXED32, .value = from_float},
    {.dtype = 2, .field = 6, .bytes = 8, .type = WIRE_FIXED64, .value = from_double},
    {.dtype = 3, .field = 7, .bytes = 4, .type = WIRE_VARINT, .value = from_int32},
    {.dtype = 9, .field = 10, .bytes = 8, .type = WIRE_VARINT, .value = from_int64},
    {.dtype = 10, .field = 11, .bytes = 1, .type = WIRE_VARINT, .value = from_bool},
    {.dtype = 14, .field = 13, .bytes = 2, .type = WIRE_VARINT, .value = from_bfloat16},
    {.dtype = 19, .field = 13, .bytes = 2, .type = WIRE_VARINT, .value = from_half},
};

/* True if the shape has one element: [] or [1, 1, …]. */
static bool one_element(struct bt__wire shape)
{
    struct bt__field f = {0}, size = {0};
    while (bt__wire_next(&shape, &f)) {
        if (f.number == SHAPE_UNKNOWN && f.type == WIRE_VARINT && f.value) return false;
        if (f.number != SHAPE_DIM || f.type != WIRE_BYTES) continue;
        uint64_t n = 0;
        while (bt__wire_next(&f.bytes, &size))
            if (size.number == DIM_SIZE && size.type == WIRE_VARINT) n = size.value;
        if (n != 1) return false;
    }
    return !shape.bad;
}

static const struct dtype *find_dtype(struct bt__wire tensor)
{
    struct bt__field f = {0};
    uint64_t dtype = 0;
    while (bt__wire_next(&tensor, &f)) {
        if (f.number == TENSOR_DTYPE && f.type == WIRE_VARINT) dtype = f.value;
        if (f.number == TENSOR_SHAPE && f.type == WIRE_BYTES && !one_element(f.bytes)) return NULL;
    }
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (dtypes[i].dtype == dtype) return &dtypes[i];
    return NULL;
}

static uint64_t little(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;) v = v << 8 | p[i];
    return v;
}

static uint64_t packed(struct bt__wire bytes, const struct dtype *d)
{
    if (d->type == WIRE_VARINT) return bt__wire_varint(&bytes);
    return bytes.end - bytes.p >= (ptrdiff_t)d->bytes ? little(bytes.p, d->bytes) : 0;
}

static bool tensor_value(struct bt__wire tensor, double *value)
{
    const struct dtype *d = find_dtype(tensor);
    struct bt__field f = {0};
    uint64_t bits = 0; /* an absent number is zero */
    if (!d) return false;
    while (bt__wire_next(&tensor, &f)) {
        bool content = f.number == TENSOR_CONTENT && f.type == WIRE_BYTES;
        if (content && f.bytes.end - f.bytes.p == (ptrdiff_t)d->bytes) bits = little(f.bytes.p, d->bytes);
        if (f.number == d->field) bits = f.type == WIRE_BYTES ? packed(f.bytes, d) : f.value;
    }
    *value = d->value(bits);
    return !tensor.bad;
}

/* ── the event ── */

static bool other_plugin(struct bt__wire metadata)
{
    static const char scalars[] = "scalars";
    struct bt__field f = {0}, name = {0};
    while (bt__wire_next(&metadata, &f)) {
        if (f.number != METADATA_PLUGIN || f.type != WIRE_BYTES) continue;
        while (bt__wire_next(&f.bytes, &name)) {
            size_t n = name.number == PLUGIN_NAME && name.type == WIRE_BYTES
                           ? (size_t)(name.bytes.end - name.bytes.p)
                           : 0;
            if (n && (n != sizeof scalars - 1 || memcmp(name.bytes.p, scalars, n) != 0)) return true;
        }
    }
    return false;
}

static bool is_start(struct bt__wire session)
{
    struct bt__field f = {0};
    bool start = false;
    while (bt__wire_next(&session, &f))
        if (f.number == SESSION_STATUS && f.type == WIRE_VARINT) start = f.value == SESSION_START;
    return start;
}

bool bt__event_parse(struct bt__wire message, struct bt__event *e)
{
    struct bt__field f = {0};
    *e = (struct bt__event){.kind = EVENT_OTHER};
    while (bt__wire_next(&message, &f)) {
        if (f.number == EVENT_WALL_TIME && f.type == WIRE_FIXED64) e->wall = bt__wire_double(f.value);
        if (f.number == EVENT_STEP && f.type == WIRE_VARINT) e->step = (int64_t)f.value;
        if (f.type != WIRE_BYTES) continue;
        if (f.number == EVENT_SUMMARY) {
            e->kind = EVENT_SCALARS;
            e->summary = f.bytes;
        }
        if (f.number == EVENT_SESSION_LOG && is_start(f.bytes)) e->kind = EVENT_START;
    }
    return !message.bad;
}

static void parse_value(struct bt__wire *value, struct bt__scalar *s)
{
    struct bt__field f = {0};
    while (bt__wire_next(value, &f)) {
        if (f.number == VALUE_TAG && f.type == WIRE_BYTES) {
            s->tag = (const char *)f.bytes.p;
            s->tag_n = (size_t)(f.bytes.end - f.bytes.p);
        } else if (f.number == VALUE_SIMPLE && f.type == WIRE_FIXED32) {
            s->value = from_float(f.value);
            s->has_value = true;
        } else if (f.number == VALUE_TENSOR && f.type == WIRE_BYTES) {
            s->has_value = tensor_value(f.bytes, &s->value);
        } else if (f.number == VALUE_METADATA && f.type == WIRE_BYTES) {
            s->other = other_plugin(f.bytes);
        }
    }
}

bool bt__event_scalar(struct bt__event *e, struct bt__scalar *s)
{
    struct bt__field f = {0};
    *s = (struct bt__scalar){0};
    while (bt__wire_next(&e->summary, &f)) {
        if (f.number != SUMMARY_VALUE || f.type != WIRE_BYTES) continue;
        parse_value(&f.bytes, s);
        e->summary.bad |= f.bytes.bad;
        return !f.bytes.bad;
    }
    return false;
}
