/* Files of torch.save, made here byte by byte: what is right in them is read, whatever is wrong is refused by its name, and no byte that
 * changes or is missing does any harm. */
#include "formats/safetensors.h"
#include "formats/torch_bin.h"
#include "formats/weights.h"
#include "tests/unit/files.h"
#include <bertty/str.h>

static struct bt_error err;

/* ── pickles ── */

static void add_number(struct bt_str *s, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++) bt_str_addc(s, (char)(i < 8 ? x >> (8 * i) : 0));
}

static void add_text(struct bt_str *s, const char *text)
{
    bt_str_addc(s, 'X');
    add_number(s, strlen(text), 4);
    bt_str_add(s, text);
}

static void add_int(struct bt_str *s, int64_t x)
{
    bt_str_addc(s, 'J');
    add_number(s, (uint64_t)x, 4);
}

static void add_tuple(struct bt_str *s, const int *x, int n)
{
    bt_str_addc(s, '(');
    for (int i = 0; i < n; i++) add_int(s, x[i]);
    bt_str_addc(s, 't');
}

/* A tensor of rank 2 in a storage of its own. */
struct spec {
    const char *name, *type, *key;
    int count, offset, shape[2], stride[2];
};

static void add_tensor(struct bt_str *s, const struct spec *t)
{
    add_text(s, t->name);
    bt_str_add(s, "ctorch._utils\n_rebuild_tensor_v2\n((");
    add_text(s, "storage");
    bt_str_addf(s, "ctorch\n%s\n", t->type);
    add_text(s, t->key);
    add_text(s, "cpu");
    add_int(s, t->count);
    bt_str_add(s, "tQ");
    add_int(s, t->offset);
    add_tuple(s, t->shape, 2);
    add_tuple(s, t->stride, 2);
    bt_str_add(s, "\x89"
                  "ccollections\nOrderedDict\n)RtR");
}

static void add_dict(struct bt_str *s, const struct spec *t, size_t n)
{
    bt_str_add(s, "ccollections\nOrderedDict\n)R(");
    for (size_t i = 0; i < n; i++) add_tensor(s, &t[i]);
    bt_str_addc(s, 'u');
}

static struct bt_str pickle_of(const struct spec *t, size_t n)
{
    struct bt_str s = {.len = 0};
    bt_str_add(&s, "\x80\x02");
    add_dict(&s, t, n);
    bt_str_addc(&s, '.');
    return s;
}

/* ── zip archives ── */

struct member {
    const char *name, *bytes;
    size_t n;
    int flags, method;
    int64_t shift; /* added to the offset in the directory */
    bool wide;     /* sizes and offset as zip64 has them */
};

static void add_local(struct bt_str *s, const struct member *m)
{
    add_number(s, 0x04034b50, 4);
    add_number(s, 20, 2);
    add_number(s, (uint64_t)m->flags, 2);
    add_number(s, (uint64_t)m->method, 2);
    add_number(s, 0, 16);
    add_number(s, strlen(m->name), 2);
    add_number(s, 0, 2);
    bt_str_add(s, m->name);
    bt_str_addn(s, m->bytes, m->n);
}

static void add_central(struct bt_str *s, const struct member *m, uint64_t at)
{
    uint64_t offset = at + (uint64_t)m->shift;
    add_number(s, 0x02014b50, 4);
    add_number(s, 20, 2);
    add_number(s, 20, 2);
    add_number(s, (uint64_t)m->flags, 2);
    add_number(s, (uint64_t)m->method, 2);
    add_number(s, 0, 8);
    add_number(s, m->wide ? UINT32_MAX : m->n, 4);
    add_number(s, m->wide ? UINT32_MAX : m->n, 4);
    add_number(s, strlen(m->name), 2);
    add_number(s, m->wide ? 28 : 0, 2);
    add_number(s, 0, 10);
    add_number(s, m->wide ? UINT32_MAX : offset, 4);
    bt_str_add(s, m->name);
    if (!m->wide) return;
    add_number(s, 1, 2);
    add_number(s, 24, 2);
    add_number(s, m->n, 8);
    add_number(s, m->n, 8);
    add_number(s, offset, 8);
}

static void add_end64(struct bt_str *s, uint64_t members, uint64_t bytes, uint64_t at)
{
    uint64_t here = s->len;
    add_number(s, 0x06064b50, 4);
    add_number(s, 44, 8);
    add_number(s, 0, 12);
    add_number(s, members, 8);
    add_number(s, members, 8);
    add_number(s, bytes, 8);
    add_number(s, at, 8);
    add_number(s, 0x07064b50, 4);
    add_number(s, 0, 4);
    add_number(s, here, 8);
    add_number(s, 1, 4);
}

static struct bt_str zip_of(const struct member *m, size_t n)
{
    struct bt_str s = {.len = 0};
    uint64_t at[16];
    bool wide = false;
    for (size_t i = 0; i < n; i++) {
        at[i] = s.len;
        add_local(&s, &m[i]);
        wide = wide || m[i].wide;
    }
    uint64_t begin = s.len;
    for (size_t i = 0; i < n; i++) add_central(&s, &m[i], at[i]);
    uint64_t bytes = s.len - begin;
    if (wide) add_end64(&s, n, bytes, begin);
    add_number(&s, 0x06054b50, 4);
    add_number(&s, 0, 4);
    add_number(&s, wide ? 0xffff : n, 2);
    add_number(&s, wide ? 0xffff : n, 2);
    add_number(&s, wide ? UINT32_MAX : bytes, 4);
    add_number(&s, wide ? UINT32_MAX : begin, 4);
    add_number(&s, 0, 2);
    assert_false(s.failed);
    return s;
}

/* ── samples ── */

static const float six[6] = {1, 2, 3, 4, 5, 6};
static const double wide6[6] = {1, 2, 3, 4, 5, 6};
static const uint16_t half6[6] = {0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600};
static const uint16_t brain6[6] = {0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0};

#define PLAIN .count = 6, .shape = {2, 3}, .stride = {3, 1}

static const struct spec sample[] = {
    {.name = "plain", .type = "FloatStorage", .key = "0", PLAIN},
    {.name = "turned", .type = "FloatStorage", .key = "0", .count = 6, .shape = {3, 2}, .stride = {1, 3}},
    {.name = "inside",
     .type = "FloatStorage",
     .key = "0",
     .count = 6,
     .offset = 3,
     .shape = {1, 3},
     .stride = {9, 1}},
    {.name = "again", .type = "FloatStorage", .key = "0", .count = 6, .shape = {2, 2}, .stride = {0, 1}},
    {.name = "half", .type = "HalfStorage", .key = "1", PLAIN},
    {.name = "brain", .type = "BFloat16Storage", .key = "2", PLAIN},
    {.name = "double", .type = "DoubleStorage", .key = "3", .count = 6, .shape = {3, 2}, .stride = {1, 3}},
    {.name = "bytes", .type = "ByteStorage", .key = "4", .count = 6, .shape = {2, 3}, .stride = {3, 1}},
};
enum { SAMPLES = sizeof sample / sizeof *sample };
static const struct {
    const void *bytes;
    size_t n;
} storage[] = {{.bytes = six, .n = sizeof six},
               {.bytes = half6, .n = sizeof half6},
               {.bytes = brain6, .n = sizeof brain6},
               {.bytes = wide6, .n = sizeof wide6},
               {.bytes = "abcdef", .n = 6}};
enum { STORAGES = sizeof storage / sizeof *storage };

static struct bt_str zip_with(const struct bt_str *pickle, const struct member *change, size_t which)
{
    static const char *const names[] = {"m/data/0", "m/data/1", "m/data/2", "m/data/3", "m/data/4"};
    struct member m[STORAGES + 2] = {{.name = "m/data.pkl", .bytes = pickle->data, .n = pickle->len},
                                     {.name = "m/byteorder", .bytes = "little", .n = 6}};
    for (size_t i = 0; i < STORAGES; i++)
        m[i + 2] = (struct member){.name = names[i], .bytes = storage[i].bytes, .n = storage[i].n};
    if (change) m[which] = *change;
    return zip_of(m, STORAGES + 2);
}

/* The older stream around a pickled dict. */
static struct bt_str stream_with(const struct bt_str *pickle)
{
    struct bt_str s = {.len = 0};
    bt_str_add(&s, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}");
    add_text(&s, "little_endian");
    bt_str_add(&s, "\x88s.");
    bt_str_addn(&s, pickle->data, pickle->len);
    bt_str_add(&s, "\x80\x02](");
    for (int i = STORAGES - 1; i >= 0; i--) add_text(&s, (char[]){(char)('0' + i), 0});
    bt_str_add(&s, "e.");
    for (int i = STORAGES - 1; i >= 0; i--) {
        add_number(&s, 6, 8);
        bt_str_addn(&s, storage[i].bytes, storage[i].n);
    }
    assert_false(s.failed);
    return s;
}

/* ── reading ── */

static enum bt_status read_all(const char *path)
{
    struct bt__torch_bin *b = NULL;
    enum bt_status st = bt__torch_bin_open(path, &b, &err);
    if (st) return st;
    for (size_t i = 0; !st && i < bt__torch_bin_count(b); i++) {
        const struct bt__tensor_info *t = bt__torch_bin_at(b, i);
        if (!bt__float_bytes(t->dtype) || t->count > 4096)
            continue; /* a stride of 0 may make a tensor of any size */
        float *x = malloc(t->count * sizeof *x + 1);
        assert_non_null(x);
        st = bt__torch_bin_read_f32(b, i, x, 1, &err);
        free(x);
    }
    bt__torch_bin_close(b);
    return st;
}

static enum bt_status read_bytes(struct bt_str s)
{
    enum bt_status st = read_all(file_with("x.bin", s.data, s.len));
    bt_str_free(&s);
    return st;
}

static void expect_refused(struct bt_str s, enum bt_status status, const char *words)
{
    enum bt_status st = read_bytes(s);
    if (st != status || !strstr(err.text, words) || !strstr(err.text, "x.bin"))
        fail_msg("status %d, expected %d: \"%s\", expected \"%s\"", (int)st, (int)status, err.text, words);
}

/* One pickle in a zip archive. */
static struct bt_str zipped(struct bt_str pickle)
{
    struct bt_str s = zip_with(&pickle, NULL, 0);
    bt_str_free(&pickle);
    return s;
}

static struct bt_str bytes_of(const char *bytes, size_t n)
{
    struct bt_str s = {.len = 0};
    bt_str_addn(&s, bytes, n);
    return s;
}
#define PICKLE(text) bytes_of(text, sizeof(text) - 1)

static void expect_values(const struct bt__torch_bin *b, const char *name, const float *want, size_t n)
{
    float x[6] = {0};
    ptrdiff_t i = bt__torch_bin_find(b, name);
    assert_true(i >= 0);
    assert_int_equal(bt__torch_bin_at(b, (size_t)i)->count, n);
    assert_int_equal(bt__torch_bin_read_f32(b, (size_t)i, x, 1, &err), BT_OK);
    for (size_t k = 0; k < n; k++) assert_true(x[k] == want[k]);
}

static void expect_sample(struct bt_str s)
{
    static const float turned[] = {1, 4, 2, 5, 3, 6}, inside[] = {4, 5, 6}, again[] = {1, 2, 1, 2};
    struct bt__torch_bin *b = NULL;
    if (bt__torch_bin_open(file_with("x.bin", s.data, s.len), &b, &err)) fail_msg("%s", err.text);
    assert_int_equal(bt__torch_bin_count(b), SAMPLES);
    expect_values(b, "plain", six, 6);
    expect_values(b, "turned", turned, 6);
    expect_values(b, "inside", inside, 3);
    expect_values(b, "again", again, 4);
    expect_values(b, "half", six, 6);
    expect_values(b, "brain", six, 6);
    expect_values(b, "double", turned, 6);
    assert_int_equal(bt__torch_bin_find(b, "other"), -1);
    float x[6];
    assert_int_equal(bt__torch_bin_read_f32(b, (size_t)bt__torch_bin_find(b, "bytes"), x, 1, &err),
                     BT_INVALID);
    assert_non_null(strstr(err.text, "bytes holds integers"));
    bt__torch_bin_close(b);
    bt_str_free(&s);
}

/* ── the tests ── */

static void both_forms(void **state)
{
    (void)state;
    struct bt_str pickle = pickle_of(sample, SAMPLES);
    expect_sample(zip_with(&pickle, NULL, 0));
    expect_sample(stream_with(&pickle));
    const struct member wide = {.name = "m/data.pkl", .bytes = pickle.data, .n = pickle.len, .wide = true};
    expect_sample(zip_with(&pickle, &wide, 0));
    bt_str_free(&pickle);
}

static void dict_inside(void **state)
{
    (void)state;
    static const char *const keys[] = {"state_dict", "model", "model_state_dict"};
    for (size_t i = 0; i < 3; i++) {
        struct bt_str s = PICKLE("\x80\x02}(");
        add_text(&s, "epoch");
        bt_str_add(&s, "K\x03");
        add_text(&s, keys[i]);
        add_dict(&s, sample, SAMPLES);
        bt_str_add(&s, "u.");
        expect_sample(zipped(s));
    }
    struct bt_str s = PICKLE("\x80\x02}");
    add_text(&s, "optimizer");
    add_dict(&s, sample, SAMPLES);
    bt_str_add(&s, "s.");
    expect_refused(zipped(s), BT_INVALID, "no dict of tensors");
}

/* What runs something in Python runs nothing here. */
static void programs(void **state)
{
    (void)state;
    const char *mark = file_path("was-run");
    char text[128];
    snprintf(text, sizeof text, "touch %.100s", mark);
    struct bt_str s = PICKLE("\x80\x02"
                             "cposix\nsystem\n");
    add_text(&s, text);
    bt_str_add(&s, "\x85R.");
    expect_refused(zipped(s), BT_UNSUPPORTED, "posix.system");
    struct bt_str t = PICKLE("\x80\x04");
    add_text(&t, "builtins");
    add_text(&t, "eval");
    bt_str_add(&t, "\x93.");
    expect_refused(zipped(t), BT_UNSUPPORTED, "builtins.eval");
    struct bt_str u = PICKLE("\x80\x02"
                             "ctorch\nFloatStorage\n)R.");
    expect_refused(zipped(u), BT_UNSUPPORTED, "torch.FloatStorage");
    struct bt_str v = PICKLE("\x80\x02"
                             "cposix\nsystem\n.");
    struct bt_str stream = stream_with(&v);
    expect_refused(stream, BT_UNSUPPORTED, "posix.system");
    bt_str_free(&v);
    assert_int_equal(access(mark, F_OK), -1);
}

static void opcodes(void **state)
{
    (void)state;
    static const struct {
        const char *pickle;
        const char *words;
    } cases[] = {
        {"\x80\x02(iposix\nsystem\n.", "INST is refused"},
        {"\x80\x02)\x81.", "NEWOBJ is refused"},
        {"\x80\x02S'x'\n.", "STRING is refused"},
        {"\x80\x02\x82\x01.", "EXT1 is refused"},
        {"\x80\x02\xff.", "0xff is unknown"},
        {"\x80\x09.", "PROTO"},
        {"\x80\x02t.", "TUPLE: there is no mark"},
        {"\x80\x02\x86.", "TUPLE2: the stack has too few"},
        {"\x80\x02(N.", "STOP: not exactly one"},
        {"\x80\x02N(N\x85\x86.", "TUPLE2: the stack has too few"},
        {"\x80\x02h\x05.", "BINGET: nothing was put there"},
        {"\x80\x02Nr\xff\xff\xff\xff.", "LONG_BINPUT: its number is too large"},
        {"\x80\x02}Ns.", "SETITEM: the stack has too few"},
        {"\x80\x02]NNs.", "SETITEM: what it fills is of another kind"},
        {"\x80\x02}(Nu.", "SETITEMS: a key has no value"},
        {"\x80\x02NQ.", "BINPERSID: its id is no short tuple"},
        {"\x80\x02N)R.", "REDUCE: what it would call is no function"},
        {"\x80\x02N}b.", "BUILD: expected attributes of a dict"},
        {"\x80\x02NN\x93.", "STACK_GLOBAL: its names are no texts"},
        {"\x80\x02X\xff\xff\xff\x7fx.", "BINUNICODE: the pickle ends here"},
        {"\x80\x02"
         "ccollections",
         "GLOBAL: its line does not end"},
        {"\x80\x02N", "ends without STOP"},
        {"\x80\x02N.N", "goes on behind its STOP"},
        {"\x80\x02}}q\x01s.", "SETITEM: the stack has too few"},
        {"\x80\x02(t.", "no dict of tensors"}, /* a tuple of nothing on a stack that never held anything */
        {"\x80\x02N.", "no dict of tensors"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bt_str s = bytes_of(cases[i].pickle, strlen(cases[i].pickle));
        struct bt_str z = zipped(s);
        enum bt_status st = read_bytes(z);
        if (!st || !strstr(err.text, cases[i].words))
            fail_msg("case %zu: \"%s\", expected \"%s\"", i, st ? err.text : "taken", cases[i].words);
    }
    /* a dict that holds itself */
    expect_refused(zipped(PICKLE("\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.")), BT_INVALID,
                   "no dict of tensors");
}

static void bounds(void **state)
{
    (void)state;
    static const struct {
        struct spec t;
        const char *words;
    } cases[] = {
        {{.name = "t", .type = "FloatStorage", .key = "0", .count = 6, .shape = {2, 3}, .stride = {4, 1}},
         "outside"},
        {{.name = "t",
          .type = "FloatStorage",
          .key = "0",
          .count = 6,
          .offset = 1,
          .shape = {2, 3},
          .stride = {3, 1}},
         "outside"},
        {{.name = "t",
          .type = "FloatStorage",
          .key = "0",
          .count = 6,
          .offset = -1,
          .shape = {1, 1},
          .stride = {1, 1}},
         "outside"},
        {{.name = "t",
          .type = "FloatStorage",
          .key = "0",
          .count = 6,
          .offset = 7,
          .shape = {0, 1},
          .stride = {1, 1}},
         "outside"},
        {{.name = "t",
          .type = "FloatStorage",
          .key = "0",
          .count = 6,
          .shape = {2147483647, 2147483647},
          .stride = {2147483647, 2147483647}},
         "overflows"},
        {{.name = "t",
          .type = "FloatStorage",
          .key = "0",
          .count = 6,
          .shape = {2, 2147483647},
          .stride = {1, 2147483647}},
         "outside"},
        {{.name = "t", .type = "FloatStorage", .key = "0", .count = 6, .shape = {-2, 3}, .stride = {3, 1}},
         "negative"},
        {{.name = "t", .type = "FloatStorage", .key = "0", .count = 6, .shape = {2, 3}, .stride = {-3, 1}},
         "negative"},
        {{.name = "t", .type = "FloatStorage", .key = "0", .count = 7, .shape = {2, 3}, .stride = {3, 1}},
         "storage 0 has 24 bytes"},
        {{.name = "t", .type = "DoubleStorage", .key = "0", PLAIN}, "storage 0 has 24 bytes"},
        {{.name = "t", .type = "FloatStorage", .key = "9", PLAIN}, "storage 9"},
        {{.name = "t", .type = "FloatStorage", .key = "../0", PLAIN}, "storage ../0"},
        {{.name = "t", .type = "FloatStorage", .key = "", PLAIN}, "describes a storage wrongly"},
        {{.name = "t", .type = "FloatStorage", .key = "0", .count = -6, .shape = {1, 1}},
         "describes a storage wrongly"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(zipped(pickle_of(&cases[i].t, 1)), BT_DAMAGED, cases[i].words);
    const struct spec twice[] = {sample[0], sample[0]};
    expect_refused(zipped(pickle_of(twice, 2)), BT_DAMAGED, "plain: occurs twice");
    const struct spec two_ways[] = {sample[0], {.name = "t", .type = "IntStorage", .key = "0", PLAIN}};
    struct bt_str pickle = pickle_of(two_ways, 2);
    expect_refused(stream_with(&pickle), BT_DAMAGED, "storage 0 is described in two ways");
    bt_str_free(&pickle);
    struct bt_str all = pickle_of(sample, SAMPLES), longer = stream_with(&all);
    bt_str_addc(&longer, 0);
    expect_refused(longer, BT_DAMAGED, "1 bytes behind the last storage");
    bt_str_free(&all);
    struct bt_str some = pickle_of(sample, 4);
    expect_refused(stream_with(&some), BT_DAMAGED, "belongs to no tensor");
    bt_str_free(&some);
}

static void archives(void **state)
{
    (void)state;
    static const struct {
        struct member m;
        enum bt_status status;
        const char *words;
    } cases[] = {
        {{.name = "m/data/0", .bytes = (const char *)six, .n = 24, .method = 8},
         BT_UNSUPPORTED,
         "m/data/0 is compressed"},
        {{.name = "m/data/0", .bytes = (const char *)six, .n = 24, .flags = 1},
         BT_UNSUPPORTED,
         "m/data/0 is encrypted"},
        {{.name = "m/data/0", .bytes = (const char *)six, .n = 24, .shift = -30},
         BT_DAMAGED,
         "zip member m/data/0"},
        {{.name = "m/data/0", .bytes = (const char *)six, .n = 24, .shift = 1 << 30},
         BT_DAMAGED,
         "outside the file"},
        {{.name = "m/data/1", .bytes = (const char *)six, .n = 24}, BT_DAMAGED, "m/data/1 occurs twice"},
        {{.name = "m/data/7", .bytes = (const char *)six, .n = 24},
         BT_DAMAGED,
         "no zip member for storage 0"},
    };
    struct bt_str pickle = pickle_of(sample, SAMPLES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(zip_with(&pickle, &cases[i].m, 2), cases[i].status, cases[i].words);
    const struct member big = {.name = "m/byteorder", .bytes = "big", .n = 3};
    expect_refused(zip_with(&pickle, &big, 1), BT_UNSUPPORTED, "byte order");
    const struct member none = {.name = "m/other", .bytes = pickle.data, .n = pickle.len};
    expect_refused(zip_with(&pickle, &none, 0), BT_INVALID, "without data.pkl");
    /* a member within another: its local header stands in the other's bytes */
    struct bt_str inner = {.len = 0};
    const struct member hidden = {.name = "m/x", .bytes = "y", .n = 1};
    add_local(&inner, &hidden);
    const struct member two[] = {{.name = "m/a", .bytes = inner.data, .n = inner.len},
                                 {.name = "m/x", .bytes = "y", .n = 1, .shift = -(int64_t)inner.len}};
    expect_refused(zip_of(two, 2), BT_DAMAGED, "overlap");
    bt_str_free(&inner);
    expect_refused(PICKLE("not of torch at all"), BT_DAMAGED, "opcode");
    expect_refused(PICKLE("\x80\x02N."), BT_INVALID, "no file of torch.save");
    bt_str_free(&pickle);
}

/* Every byte changed, in three ways, and the file cut at every length. */
static void change_all(struct bt_str good)
{
    size_t taken = 0;
    assert_int_equal(read_all(file_with("x.bin", good.data, good.len)), BT_OK);
    for (size_t n = 0; n < good.len; n++)
        assert_int_not_equal(read_all(file_with("x.bin", good.data, n)), BT_OK);
    for (size_t i = 0; i < good.len; i++) {
        static const unsigned char masks[] = {0xff, 0x01, 0x80};
        for (size_t k = 0; k < sizeof masks; k++) {
            err.text[0] = 0;
            good.data[i] = (char)((unsigned char)good.data[i] ^ masks[k]);
            enum bt_status st = read_all(file_with("x.bin", good.data, good.len));
            good.data[i] = (char)((unsigned char)good.data[i] ^ masks[k]);
            if (st) assert_true(strlen(err.text) > 5);
            taken += !st;
        }
    }
    assert_true(taken < good.len * 3 / 2);
    bt_str_free(&good);
}

static void changed(void **state)
{
    (void)state;
    struct bt_str pickle = pickle_of(sample, SAMPLES);
    change_all(stream_with(&pickle));
    const struct member wide = {
        .name = "m/data/0", .bytes = (const char *)six, .n = sizeof six, .wide = true};
    change_all(zip_with(&pickle, &wide, 2));
    bt_str_free(&pickle);
}

/* ── several files ── */

static void write_shard(const char *name, const char *const *tensors, size_t n)
{
    struct bt__tensor_out t[4];
    for (size_t i = 0; i < n; i++)
        t[i] = (struct bt__tensor_out){.name = tensors[i], .rank = 1, .shape = {6}, .data = six};
    const char *path = file_path(name);
    unlink(path);
    assert_int_equal(bt__safetensors_write(path, t, n, &err), BT_OK);
}

static enum bt_status open_index(const char *map)
{
    struct bt__weights *w = NULL;
    file_text("model.safetensors.index.json", map);
    enum bt_status st = bt__weights_open(files_dir, BT__WEIGHTS_AUTO, &w, &err);
    if (st) return st;
    float x[6];
    assert_int_equal(bt__weights_count(w), 3);
    assert_string_equal(bt__weights_at(w, (size_t)bt__weights_find(w, "c"))->name, "c");
    assert_int_equal(bt__weights_read_f32(w, (size_t)bt__weights_find(w, "c"), x, &err), BT_OK);
    assert_true(x[5] == 6);
    assert_int_equal(bt__weights_find(w, "d"), -1);
    assert_non_null(bt__weights_part(w, 2));
    assert_null(bt__weights_part(w, 3));
    bt__weights_close(w);
    return BT_OK;
}

static void shards(void **state)
{
    (void)state;
    static const struct {
        const char *map, *words;
    } bad[] = {
        {"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\", "
         "\"d\": "
         "\"2.safetensors\"}}",
         "tensor d is in none"},
        {"{\"weight_map\": {\"a\": \"1.safetensors\", \"c\": \"2.safetensors\"}}", "tensor b is in a file"},
        {"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"2.safetensors\", \"c\": \"2.safetensors\"}}",
         "tensor b is in a file"},
        {"{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"3.safetensors\"}}",
         "tensor b is in two"},
        {"{\"weight_map\": {\"a\": \"../1.safetensors\"}}", "\"../1.safetensors\" is not the name"},
        {"{\"weight_map\": {\"a\": \"/etc/passwd\"}}", "is not the name"},
        {"{\"weight_map\": {\"a\": \"..\"}}", "is not the name"},
        {"{\"weight_map\": {\"a\": 3}}", "is not the name"},
        {"{\"weight_map\": {\"a\": \"9.safetensors\"}}", "9.safetensors: no such file"},
        {"{\"weight_map\": {}}", "no weight_map"},
        {"[]", "no weight_map"}};
    static const char *const first[] = {"a", "b"}, *const second[] = {"c"}, *const third[] = {"b", "c"};
    assert_int_equal(bt__weights_open(files_dir, BT__WEIGHTS_AUTO, &(struct bt__weights *){NULL}, &err),
                     BT_NOTFOUND);
    assert_non_null(strstr(err.text, "pytorch_model.bin"));
    write_shard("1.safetensors", first, 2);
    write_shard("2.safetensors", second, 1);
    write_shard("3.safetensors", third, 2);
    const char *good =
        "{\"weight_map\": {\"a\": \"1.safetensors\", \"c\": \"2.safetensors\", \"b\": \"1.safetensors\"}}";
    if (open_index(good)) fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum bt_status st = open_index(bad[i].map);
        if (!st || !strstr(err.text, bad[i].words))
            fail_msg("case %zu: \"%s\", expected \"%s\"", i, st ? err.text : "taken", bad[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_forms), cmocka_unit_test(dict_inside),
                                       cmocka_unit_test(programs),   cmocka_unit_test(opcodes),
                                       cmocka_unit_test(bounds),     cmocka_unit_test(archives),
                                       cmocka_unit_test(changed),    cmocka_unit_test(shards)};
    return cmocka_run_group_tests_name("torch_bin", tests, files_make, files_remove);
}
