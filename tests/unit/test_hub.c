/* Names of models and the Hugging Face cache that a test makes. */
#include "base/sha1.h"
#include "tests/unit/files.h"

#include <bertty/file.h>
#include <bertty/hub.h>
#include <sys/stat.h>

static const char A[] = "0123456789abcdef0123456789abcdef01234567",
                  B[] = "89abcdef0123456789abcdef0123456789abcdef";

static void what_a_name_is(void **state)
{
    (void)state;
    static const char *const names[] = {"bert",
                                        "a/b",
                                        "google-bert/bert-base-uncased",
                                        "a/b@v1.0",
                                        "a/b@refs/pr/1",
                                        "A.b_c-d/e",
                                        "a/b@0123456789abcdef0123456789abcdef01234567"};
    static const char *const others[] = {
        "",        "/a",     "a/",       "./a",    "../a",   "a/..",    "a/b/c",   "a--b",        "a..b",
        ".a",      "a.",     "-a",       "a b",    "a/b@",   "@main",   "a/b@..",  "a@b@c",       "a@/x",
        "a@x/",    "a@x//y", "a@x/../y", "a@.x",   "a@x/.y", "a\n",     "a/b.git", "caf\xc3\xa9", "a@x y",
        "a@x\x1b", "a@-x",   "a@x:y",    "a/b@x.", "a\\b",   "a/b?x=1", "a@x*",    "~/a",         "a%2f",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!bt_hub_is_name(names[i])) fail_msg("'%s' is a name", names[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (bt_hub_is_name(others[i])) fail_msg("'%s' is no name", others[i]);
    char text[120];
    memset(text, 'a', sizeof text);
    text[96] = '\0';
    assert_true(bt_hub_is_name(text));
    text[96] = 'a';
    text[97] = '\0';
    assert_false(bt_hub_is_name(text));
}

/* ── a cache ── */

static char root[] = "/tmp/bertty-hub-XXXXXX";

static void put(const char *path, const char *text)
{
    char *whole = bt_path_join(root, path), *dir = bt_strndup(whole, (size_t)(bt_path_base(whole) - whole));
    assert_int_equal(bt_mkdirs(dir, NULL), BT_OK);
    assert_int_equal(bt_file_replace(whole, text, strlen(text), NULL), BT_OK);
    free(whole);
    free(dir);
}

static int make_cache(void **state)
{
    (void)state;
    if (!mkdtemp(root) || chdir(root) != 0) return -1;
    setenv("HOME", root, 1);
    put("hub/models--org--name/refs/main", A);
    put("hub/models--org--name/refs/v1", B);
    put("hub/models--org--name/refs/bad", "../../../etc");
    put("hub/models--org--name/refs/half", "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
    put("hub/models--org--name/snapshots/0123456789abcdef0123456789abcdef01234567/config.json", "{}");
    put("hub/models--org--name/snapshots/89abcdef0123456789abcdef0123456789abcdef/bert_config.json", "{}");
    put("hub/models--org--name/snapshots/cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd/vocab.txt", "a");
    put("hub/models--plain/refs/main", "0123456789abcdef0123456789abcdef01234567\n");
    put("hub/models--plain/snapshots/0123456789abcdef0123456789abcdef01234567/config.json", "{}");
    put("hub/datasets--org--other/refs/main", A);
    put("other/hub/models--x/refs/main", A);
    put("other/hub/models--x/snapshots/0123456789abcdef0123456789abcdef01234567/config.json", "{}");
    put(".cache/huggingface/hub/models--y/refs/main", A);
    put(".cache/huggingface/hub/models--y/snapshots/0123456789abcdef0123456789abcdef01234567/config.json",
        "{}");
    return 0;
}

static int remove_cache(void **state)
{
    (void)state;
    char *command = bt_strfmt("rm -rf '%s'", root);
    int code = chdir("/") ? -1 : system(command); /* a directory of our own making */
    free(command);
    return code;
}

static void use(const char *name, const char *value)
{
    static const char *const all[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) unsetenv(all[i]);
    if (name) setenv(name, value, 1);
}

static void found(const char *name, const char *ending)
{
    char *dir = NULL;
    struct bt_error err = {.status = BT_OK};
    if (bt_hub_find(name, &dir, &err)) fail_msg("%s: %s", name, err.text);
    size_t n = strlen(dir), m = strlen(ending);
    if (n < m || strcmp(dir + n - m, ending) != 0) fail_msg("%s: %s, expected …%s", name, dir, ending);
    free(dir);
}

static void missing(const char *name, enum bt_status status, const char *said)
{
    char *dir = NULL;
    struct bt_error err = {.status = BT_OK};
    enum bt_status st = bt_hub_find(name, &dir, &err);
    assert_null(dir);
    if (st != status || !strstr(err.text, said))
        fail_msg("%s: %d %s, expected \"%s\"", name, (int)st, err.text, said);
}

static void names_are_found(void **state)
{
    (void)state;
    use("HF_HUB_CACHE", "hub");
    found("org/name", "hub/models--org--name/snapshots/0123456789abcdef0123456789abcdef01234567");
    found("org/name@main", "01234567");
    found("org/name@v1", "89abcdef");
    found("org/name@89abcdef0123456789abcdef0123456789abcdef", "89abcdef");
    found("plain", "models--plain/snapshots/0123456789abcdef0123456789abcdef01234567");
    missing("org/name@v2", BT_NOTFOUND, "`bertty pull org/name@v2` fetches it");
    missing("org/none", BT_NOTFOUND, "no such model in the cache hub: `bertty pull org/none` fetches it");
    missing("org/name@bad", BT_DAMAGED, "refs/bad: found \"../../../etc\", expected a commit");
    missing("org/name@half", BT_NOTFOUND, "no such model"); /* no configuration: it is not whole */
    missing("../hub/x", BT_NOTFOUND, "no such file or directory");
    missing("hub/models--plain/refs/main", BT_INVALID, "not a directory");
    found("hub", "hub"); /* a directory comes first */
}

static void where_the_cache_is(void **state)
{
    (void)state;
    use("HUGGINGFACE_HUB_CACHE", "other/hub");
    found("x", "01234567");
    use("HF_HOME", "other");
    found("x", "other/hub/models--x/snapshots/0123456789abcdef0123456789abcdef01234567");
    use("HF_HOME", "~/other");
    found("x", "01234567");
    use("XDG_CACHE_HOME", "~/.cache");
    found("y", "01234567");
    use(NULL, NULL);
    found("y", "/.cache/huggingface/hub/models--y/snapshots/0123456789abcdef0123456789abcdef01234567");
    missing("x", BT_NOTFOUND, "/.cache/huggingface/hub");
    use("HF_HOME", "");
    found("y", "01234567");
}

static void what_there_is(void **state)
{
    (void)state;
    struct bt_str out = {.data = NULL};
    use("HF_HUB_CACHE", "hub");
    bt_hub_list("", &out);
    assert_string_equal(bt_str_text(&out), "org/name\nplain\n");
    bt_str_clear(&out);
    bt_hub_list("or", &out);
    assert_string_equal(bt_str_text(&out), "org/name\n");
    bt_str_free(&out);
}

/* FIPS 180's example, and lengths around the padding's border against Python's hashlib. */
static void sha1(void **state)
{
    (void)state;
    char hex[41], text[200];
    struct bt__sha1 s;
    bt__sha1_start(&s);
    bt__sha1_add(&s, "abc", 3);
    bt__sha1_end(&s, hex);
    assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    memset(text, 'a', sizeof text);
    static const struct {
        size_t n;
        const char *hex;
    } rows[] = {{.n = 0, .hex = "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
                {.n = 55, .hex = "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
                {.n = 56, .hex = "c2db330f6083854c99d4b5bfb6e8f29f201be699"},
                {.n = 63, .hex = "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},
                {.n = 64, .hex = "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
                {.n = 119, .hex = "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"},
                {.n = 200, .hex = "e61cfffe0d9195a525fc6cf06ca2d77119c24a40"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bt__sha1_start(&s);
        for (size_t at = 0; at < rows[i].n; at += 7)
            bt__sha1_add(&s, text, rows[i].n - at < 7 ? rows[i].n - at : 7);
        bt__sha1_end(&s, hex);
        assert_string_equal(hex, rows[i].hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_name_is),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(where_the_cache_is),
        cmocka_unit_test(what_there_is),
        cmocka_unit_test(sha1),
    };
    return cmocka_run_group_tests(tests, make_cache, remove_cache);
}
