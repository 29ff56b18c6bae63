/* The screen's parts that need no terminal: input, edited lines, lists, layout, keys, glyphs, themes, a log's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/edit.h"
#include "tui/format.h"
#include "tui/keymap.h"
#include "tui/layout.h"
#include "tui/list.h"
#include "tui/term_glyph.h"
#include "tui/term_input.h"
#include "tui/views/log_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ── input ── */

struct expected {
    const char *bytes;
    size_t n; /* 0: strlen */
    enum event_kind kind;
    int32_t key;
    bool alt;
};

static void keys_of_sequences(void **state)
{
    static const struct expected cases[] = {
        {.bytes = "a", .kind = EVENT_KEY, .key = 'a'},
        {.bytes = "\xc3\xa9", .kind = EVENT_KEY, .key = 0xe9},
        {.bytes = "\xf0\x9f\x98\x80", .kind = EVENT_KEY, .key = 0x1f600},
        {.bytes = "\r", .kind = EVENT_KEY, .key = KEY_CODE_ENTER},
        {.bytes = "\t", .kind = EVENT_KEY, .key = KEY_CODE_TAB},
        {.bytes = "\x7f", .kind = EVENT_KEY, .key = KEY_CODE_BACKSPACE},
        {.bytes = "\x12", .kind = EVENT_KEY, .key = KEY_CTRL('r')},
        {.bytes = "\033", .kind = EVENT_KEY, .key = KEY_CODE_ESCAPE},
        {.bytes = "\033x", .kind = EVENT_KEY, .key = 'x', .alt = true},
        {.bytes = "\033\r", .kind = EVENT_KEY, .key = KEY_CODE_ENTER, .alt = true},
        {.bytes = "\033[", .kind = EVENT_KEY, .key = '[', .alt = true},
        {.bytes = "\033O", .kind = EVENT_KEY, .key = 'O', .alt = true},
        {.bytes = "\033[A", .kind = EVENT_KEY, .key = KEY_CODE_UP},
        {.bytes = "\033OB", .kind = EVENT_KEY, .key = KEY_CODE_DOWN},
        {.bytes = "\033[1;3D", .kind = EVENT_KEY, .key = KEY_CODE_LEFT, .alt = true},
        {.bytes = "\033[1;5C", .kind = EVENT_KEY, .key = KEY_CODE_RIGHT, .alt = true},
        {.bytes = "\033[1;2C", .kind = EVENT_KEY, .key = KEY_CODE_RIGHT},
        {.bytes = "\033[3~", .kind = EVENT_KEY, .key = KEY_CODE_DELETE},
        {.bytes = "\033[6~", .kind = EVENT_KEY, .key = KEY_CODE_PAGE_DOWN},
        {.bytes = "\033[24~", .kind = EVENT_KEY, .key = KEY_CODE_F12},
        {.bytes = "\033[[B", .kind = EVENT_KEY, .key = KEY_CODE_F1 + 1},
        {.bytes = "\033OP", .kind = EVENT_KEY, .key = KEY_CODE_F1},
        {.bytes = "\033[Z", .kind = EVENT_KEY, .key = KEY_CODE_BACKTAB},
        {.bytes = "\033Op", .kind = EVENT_KEY, .key = '0'},
        {.bytes = "\033[X1", .kind = EVENT_KEY, .key = '1'}, /* an unknown sequence is passed over */
        {.bytes = "\xff\xfe\xc3z", .kind = EVENT_KEY, .key = 'z'},
        {.bytes = "\0k", .n = 2, .kind = EVENT_KEY, .key = 'k'},
        {.bytes = "\033]12;rgb:00/00/00\033\\j", .kind = EVENT_KEY, .key = 'j'},
        {.bytes = "\033P1$r0m\033\\j", .kind = EVENT_KEY, .key = 'j'},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expected *c = &cases[i];
        struct input *in = input_new();
        struct event e;
        assert_true(input_feed(in, c->bytes, c->n ? c->n : strlen(c->bytes)));
        assert_true(input_next(in, true, &e));
        assert_int_equal(e.kind, c->kind);
        assert_int_equal(e.key, c->key);
        assert_int_equal(e.alt, c->alt);
        assert_false(input_next(in, true, &e));
        input_free(in);
    }
}

/* Byte by byte: nothing is told before a sequence is whole, and then the same. */
static void sequences_in_pieces(void **state)
{
    static const char bytes[] = "\033[1;3D\xe2\x82\xac\033[<0;5;7M\033[200~a\033[20b\rc\033[201~q";
    static const enum event_kind kinds[] = {EVENT_KEY, EVENT_KEY, EVENT_MOUSE, EVENT_PASTE, EVENT_KEY};
    struct input *in = input_new();
    struct event e;
    size_t n = 0;
    (void)state;
    for (const char *p = bytes; *p; p++) {
        assert_true(input_feed(in, p, 1));
        if (!input_next(in, false, &e)) continue;
        assert_int_equal(e.kind, kinds[n]);
        if (n == 1) assert_int_equal(e.key, 0x20ac);
        if (n == 2) assert_true(e.y == 6 && e.x == 4 && e.button == MOUSE_LEFT && !e.release);
        if (n == 3) assert_true(e.text_n == 8 && memcmp(e.text, "a\033[20b\nc", 8) == 0);
        n++;
    }
    assert_int_equal(n, 5);
    input_free(in);
}

/* What a terminal tells of itself; whatever is none of that is passed over, and the key behind it is a key. */
static void answers(void **state)
{
    static const struct {
        const char *bytes;
        struct event e;
    } cases[] = {
        {.bytes = "\033]11;rgb:ffff/ffff/ffff\033\\", .e = {.kind = EVENT_BACKGROUND, .light = true}},
        {.bytes = "\033]11;rgb:00/2b/36\007", .e = {.kind = EVENT_BACKGROUND}},
        {.bytes = "\033]11;rgba:8/8/8/0\007", .e = {.kind = EVENT_BACKGROUND, .light = true}},
        {.bytes = "\033]11;rgb:ffff/0000/0000\007", .e = {.kind = EVENT_BACKGROUND}},
        {.bytes = "\033]11;rgb:0000/ffff/0000\007", .e = {.kind = EVENT_BACKGROUND, .light = true}},
        {.bytes = "\033[?64;1;2c", .e = {.kind = EVENT_ANSWER, .key = ANSWER_LAST}},
        {.bytes = "\033[?2026;2$y", .e = {.kind = EVENT_ANSWER, .key = 2026, .y = 2}},
        {.bytes = "\033[0n", .e = {.kind = EVENT_ANSWER, .key = ANSWER_WELL}},
        {.bytes = "\033]11;rgb:ff/ff\007", .e = {.kind = EVENT_KEY, .key = 'q'}},
        {.bytes = "\033]11;rgb:fffff/0/0\007", .e = {.kind = EVENT_KEY, .key = 'q'}},
        {.bytes = "\033]11;rgb\007", .e = {.kind = EVENT_KEY, .key = 'q'}},
        {.bytes = "\033]11;rgba\007", .e = {.kind = EVENT_KEY, .key = 'q'}},
        {.bytes = "\033]10;rgb:f/f/f\007", .e = {.kind = EVENT_KEY, .key = 'q'}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct input *in = input_new();
        struct event e = {.kind = EVENT_NONE};
        const struct event *w = &cases[i].e;
        input_expect_answer(in, true);
        for (const char *p = cases[i].bytes; *p; p++) {
            assert_true(input_feed(in, p, 1));
            if (strncmp(cases[i].bytes, "\033]11;", 5) == 0 && p - cases[i].bytes >= 5 && p[1])
                assert_false(input_next(in, true, &e)); /* a pause within is no end */
        }
        assert_true(input_feed(in, "q", 1) && input_next(in, false, &e));
        assert_true(e.kind == w->kind && e.light == w->light && e.key == w->key && e.y == w->y);
        if (w->kind != EVENT_KEY) assert_true(input_next(in, false, &e) && e.key == 'q');
        input_free(in);
    }
}

static void mouse_reports(void **state)
{
    static const struct {
        const char *bytes;
        struct event e;
    } cases[] = {
        {.bytes = "\033[<0;1;1M", .e = {.button = MOUSE_LEFT}},
        {.bytes = "\033[<0;300;200m", .e = {.button = MOUSE_LEFT, .x = 299, .y = 199, .release = true}},
        {.bytes = "\033[<32;2;3M", .e = {.button = MOUSE_LEFT, .x = 1, .y = 2, .drag = true}},
        {.bytes = "\033[<64;2;3M", .e = {.button = MOUSE_WHEEL_UP, .x = 1, .y = 2}},
        {.bytes = "\033[<65;2;3M", .e = {.button = MOUSE_WHEEL_DOWN, .x = 1, .y = 2}},
        {.bytes = "\033[M !!", .e = {.button = MOUSE_LEFT}},
        {.bytes = "\033[M#!\"", .e = {.button = MOUSE_NONE, .y = 1, .release = true}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct input *in = input_new();
        struct event e;
        const struct event *w = &cases[i].e;
        input_feed(in, cases[i].bytes, strlen(cases[i].bytes));
        assert_true(input_next(in, false, &e));
        assert_int_equal(e.kind, EVENT_MOUSE);
        assert_true(e.button == w->button && e.x == w->x && e.y == w->y && e.release == w->release &&
                    e.drag == w->drag);
        input_free(in);
    }
}

static void any_bytes_are_survived(void **state)
{
    uint32_t seed = 7;
    struct input *in = input_new();
    struct event e;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        static const char often[] = "\033\033\033[[[<;O01259~MmPZ]";
        seed = seed * 1664525 + 1013904223;
        char c = seed >> 31 ? often[(seed >> 8) % (sizeof often - 1)] : (char)(seed >> 16);
        input_feed(in, &c, 1);
        while (input_next(in, (seed >> 5) % 8 == 0, &e))
            if (e.kind == EVENT_KEY) assert_true(e.key > 0 && e.key <= KEY_CODE_F12);
    }
    input_free(in);
}

/* ── edited lines ── */

static bool press(struct edit *e, int32_t key, bool alt)
{
    bool changed;
    return edit_key(e, &(struct event){.kind = EVENT_KEY, .key = key, .alt = alt}, &changed) && changed;
}

static void type(struct edit *e, const char *text)
{
    for (; *text; text++) assert_true(press(e, *text, false));
}

static void editing(void **state)
{
    struct edit *e = edit_new(false);
    (void)state;
    type(e, "one two  three");
    assert_true(press(e, KEY_CTRL('w'), false));
    assert_string_equal(edit_text(e), "one two  ");
    press(e, KEY_CODE_HOME, false);
    type(e, "zero ");
    assert_string_equal(edit_text(e), "zero one two  ");
    press(e, 'f', true);
    assert_int_equal(edit_cursor(e), 8);
    assert_true(press(e, KEY_CTRL('k'), false));
    assert_string_equal(edit_text(e), "zero one");
    assert_true(press(e, KEY_CTRL('y'), false));
    assert_string_equal(edit_text(e), "zero one two  ");
    assert_true(press(e, KEY_CTRL('u'), false));
    assert_string_equal(edit_text(e), "");
    assert_false(press(e, KEY_CODE_BACKSPACE, false));
    assert_false(press(e, KEY_CODE_ENTER, false));
    assert_false(press(e, KEY_CODE_UP, false));
    assert_false(press(e, '1', true));
    for (int i = 0; i < 40; i++) press(e, 0x1f, false);
    assert_string_equal(edit_text(e), "");
    edit_free(e);
}

static void undo_goes_word_by_word(void **state)
{
    struct edit *e = edit_new(false);
    (void)state;
    type(e, "good film");
    assert_true(press(e, 0x1f, false));
    assert_string_equal(edit_text(e), "good");
    assert_true(press(e, 0x1f, false));
    assert_string_equal(edit_text(e), "");
    edit_set(e, "whole");
    edit_set(e, "other");
    assert_true(press(e, 0x1f, false));
    assert_string_equal(edit_text(e), "whole");
    edit_free(e);
}

/* e + combining acute is one character; so are letters with many marks, and they take no time. */
static void combining_characters(void **state)
{
    struct edit *e = edit_new(false);
    (void)state;
    edit_set(e, "ae\xcc\x81z");
    press(e, KEY_CODE_LEFT, false);
    press(e, KEY_CODE_LEFT, false);
    assert_int_equal(edit_cursor(e), 1);
    assert_true(press(e, KEY_CODE_DELETE, false));
    assert_string_equal(edit_text(e), "az");
    struct bt_str marks = {0};
    bt_str_add(&marks, "x");
    for (int i = 0; i < 2000; i++) bt_str_add(&marks, "\xcc\x81");
    edit_set(e, marks.data);
    assert_true(press(e, KEY_CODE_BACKSPACE, false));
    assert_string_equal(edit_text(e), "");
    bt_str_free(&marks);
    edit_free(e);
}

static void only_text_gets_in(void **state)
{
    struct edit *one = edit_new(false), *many = edit_new(true);
    static const char text[] = "a\033[31m\x01"
                               "b\nc\td\xff\xc3"
                               "e";
    (void)state;
    edit_insert(one, text, sizeof text - 1);
    assert_string_equal(edit_text(one), "a[31mb c de");
    edit_insert(many, text, sizeof text - 1);
    assert_string_equal(edit_text(many), "a[31mb\nc de");
    press(many, KEY_CODE_UP, false);
    assert_int_equal(edit_cursor(many), 4);
    assert_true(press(many, KEY_CODE_ENTER, true));
    assert_string_equal(edit_text(many), "a[31\nmb\nc de");
    edit_free(one);
    edit_free(many);
}

/* ── lists and layout ── */

static void list_motions(void **state)
{
    struct list l = {.page = 10};
    (void)state;
    list_resize(&l, 100);
    assert_true(list_act(&l, ACT_DOWN, 12));
    assert_true(l.cursor == 12 && l.top == 3);
    assert_true(list_act(&l, ACT_PAGE_DOWN, 1));
    assert_int_equal(l.cursor, 22);
    assert_true(list_act(&l, ACT_END, 1));
    assert_true(l.cursor == 99 && l.top == 90);
    assert_true(list_act(&l, ACT_HOME, 50));
    assert_int_equal(l.cursor, 49);
    assert_true(list_act(&l, ACT_UP, 1000));
    assert_true(l.cursor == 0 && l.top == 0);
    assert_false(list_act(&l, ACT_RIGHT, 1));
    l.wide = 5;
    assert_true(list_act(&l, ACT_RIGHT, 1));
    assert_int_equal(l.left, 5);
    assert_false(list_act(&l, ACT_ENTER, 1));
    list_act(&l, ACT_END, 1);
    list_resize(&l, 3);
    assert_true(l.cursor == 2 && l.top == 0);
    list_resize(&l, 0);
    assert_true(l.cursor == 0 && l.top == 0 && list_act(&l, ACT_DOWN, 1) && l.cursor == 0);
}

static void panes_share_a_border(void **state)
{
    (void)state;
    for (int w = 0; w < 130; w++) {
        struct rect a, b, r = {.y = 2, .x = 3, .h = 20, .w = w};
        layout_columns(r, 400, 20, 30, &a, &b);
        assert_int_equal(a.x, 3);
        assert_int_equal(b.x + b.w, 3 + w);
        if (w > 0) assert_int_equal(b.x, a.x + a.w - 1);
        if (w >= 50) assert_true(a.w >= 20 && b.w >= 30);
        assert_true(a.w >= 0 && b.w >= 0);
    }
    struct rect a, b;
    layout_rows((struct rect){.h = 21, .w = 5}, 500, 3, 3, &a, &b);
    assert_true(a.h == 11 && b.y == 10 && b.h == 11 && a.w == 5 && b.w == 5);
    assert_true(layout_in(b, 10, 0) && !layout_in(b, 9, 0) && !layout_in(b, 10, 5));
}

/* Where a border is put, there it is. */
static void a_share_gives_its_cells(void **state)
{
    (void)state;
    for (int length = 2; length <= 500; length++)
        for (int first = 1; first <= length; first++) {
            struct rect a, b, r = {.h = 5, .w = length};
            layout_columns(r, layout_share(length, first), 1, 1, &a, &b);
            assert_int_equal(a.w, first);
        }
}

/* ── keys ── */

static void key_names(void **state)
{
    static const char *const names[] = {"a",        "Space",     "Ctrl-r", "Alt-x",  "F1",
                                        "F12",      "PgUp",      "Enter",  "Esc",    "Up",
                                        "\xc3\xa9", "Shift-Tab", "?",      "Alt-Up", "Tab"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct event e = {.kind = EVENT_KEY};
        struct bt_str out = {0};
        e.key = key_parse(names[i], &e.alt);
        assert_int_not_equal(e.key, 0);
        key_name(&e, &out);
        assert_string_equal(bt_str_text(&out), names[i]);
        bt_str_free(&out);
    }
    bool alt;
    assert_int_equal(key_parse("F13", &alt), 0);
    assert_int_equal(key_parse("Foo", &alt), 0);
    assert_int_equal(key_parse("", &alt), 0);
}

static int action_of(const struct view_ops *view, const char *key)
{
    struct event e = {.kind = EVENT_KEY};
    e.key = key_parse(key, &e.alt);
    return keymap_find(NULL, view, &e);
}

static void views_go_before_the_workbench(void **state)
{
    static const struct action own[] = {{.id = ACT_OWN, .name = "zap", .keys = "z Ctrl-r", .help = "zap"}};
    const struct view_ops view = {.name = "Test", .actions = own, .n_actions = 1};
    (void)state;
    assert_int_equal(action_of(&view, "z"), ACT_OWN);
    assert_int_equal(action_of(&view, "Ctrl-r"), ACT_OWN);
    assert_int_equal(action_of(NULL, "z"), ACT_ZOOM);
    assert_int_equal(action_of(&view, "j"), ACT_DOWN);
    assert_int_equal(action_of(&view, "Down"), ACT_DOWN);
    assert_int_equal(action_of(&view, "Alt-8"), ACT_VIEW1 + 7);
    assert_int_equal(action_of(&view, "Alt-j"), ACT_NONE);
}

/* In every view: no two of its actions share a key or a name, and all keys have names. */
static void views_are_consistent(void **state)
{
    static const struct view_ops *const views[] = {
#define VIEW(id, symbol) &symbol,
#include "tui/views/views.def"
#undef VIEW
    };
    (void)state;
    for (size_t v = 0; v < VIEWS; v++) {
        for (size_t i = 0; i < views[v]->n_actions; i++) {
            const struct action *a = &views[v]->actions[i];
            char *copy = strdup(a->keys ? a->keys : ""), *rest = copy;
            assert_non_null(a->name);
            assert_non_null(a->help);
            for (char *word; (word = strsep(&rest, " "));) {
                if (!*word) continue;
                int found = action_of(views[v], word);
                if (found != a->id)
                    fail_msg("%s: key %s of %s means another action", views[v]->name, word, a->name);
            }
            free(copy);
            for (size_t k = 0; k < i; k++) assert_string_not_equal(a->name, views[v]->actions[k].name);
        }
    }
}

/* ── glyphs, themes, figures ── */

static void glyphs(void **state)
{
    (void)state;
    assert_int_equal(glyph_line(LINE_UP | LINE_DOWN | LINE_RIGHT), 0x251c);
    assert_int_equal(glyph_ascii(0x251c), '+');
    assert_int_equal(glyph_ascii(0x2026), '~');
    assert_int_equal(glyph_ascii(0x4e2d), '?');
    assert_int_equal(glyph_ascii('x'), 'x');
    assert_int_equal(colour_index(0xff0000, 256), 196);
    assert_int_equal(colour_index(0x808080, 256), 244);
    assert_int_equal(colour_index(0xff757f, 8), 1);
    assert_int_equal(colour_index(0x5fafff, 16), 12);
}

static char *write_theme(const char *text)
{
    char *path = strdup("/tmp/bertty-theme-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void themes(void **state)
{
    struct bt_error err;
    struct theme *t = NULL;
    static const char *const bad[][2] = {
        {"titel: default\n", ":1:1: no role 'titel' (did you mean 'title'?)"},
        {"title: rad\n", ":1:8: found 'rad', expected a colour"},
        {"title: bright-default\n", ":1:8: found 'bright-default', expected a colour"},
        {"dim: default\ntitle: {bold: 1}\n", ":2:15: found '1', expected true or false"},
        {"title: {bald: true}\n", ":1:9: found 'bald', expected fg, bg"},
        {"[a, b]\n", ":1:1: found 'a list or a map', expected a map of roles"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *path = write_theme(bad[i][0]);
        assert_int_equal(theme_load(path, &t, &err), BT_INVALID);
        if (!strstr(err.text, bad[i][1])) fail_msg("%s", err.text);
        unlink(path);
        free(path);
    }
    char *path = write_theme("title: {fg: \"#010203\", underline: true}\ngood: \"#ffffff\"\n");
    assert_int_equal(theme_load(path, &t, &err), BT_OK);
    assert_true(t->style[ROLE_TITLE].fg == 0x010203 && t->style[ROLE_TITLE].attributes == THEME_UNDERLINE);
    assert_true(t->style[ROLE_GOOD].fg == 0xffffff && t->style[ROLE_BAD].attributes == THEME_BOLD);
    theme_free(t);
    unlink(path);
    free(path);
    assert_int_equal(theme_load("no-such", &t, &err), BT_NOTFOUND);
    assert_non_null(strstr(err.text, "monochrome"));
}

static void figures(void **state)
{
    struct bt_str s = {0};
    (void)state;
    format_count(&s, 2913);
    bt_str_addc(&s, ' ');
    format_count(&s, -1234567);
    bt_str_addc(&s, ' ');
    format_count(&s, 12);
    assert_string_equal(bt_str_text(&s), "2,913 -1,234,567 12");
    bt_str_clear(&s);
    format_duration(&s, 98.7);
    format_duration(&s, 7505);
    format_duration(&s, 90000);
    format_duration(&s, -1);
    assert_string_equal(bt_str_text(&s), "1m38s2h05m1d01h?");
    bt_str_free(&s);
}

/* ── a log's text ── */

static void log_lines(void **state)
{
    struct log_text t = {0};
    size_t n;
    (void)state;
    log_text_add(&t, "one\ntwo", 7, 1000);
    assert_int_equal(t.n_lines, 2);
    log_text_add(&t, " more\n\nlast\n", 12, 1000);
    assert_int_equal(t.n_lines, 4);
    assert_memory_equal(log_text_line(&t, 1, &n), "two more", 8);
    assert_int_equal(n, 8);
    log_text_line(&t, 2, &n);
    assert_int_equal(n, 0);
    size_t dropped = log_text_add(&t, "0123456789\n", 11, 25);
    assert_int_equal(dropped, t.forgotten);
    assert_int_equal(dropped + t.n_lines, 5);
    assert_memory_equal(log_text_line(&t, t.n_lines - 1, &n), "0123456789", 10);
    log_text_clear(&t);
}

static void log_patterns(void **state)
{
    struct log_text t = {0};
    struct log_pattern p = {0};
    size_t found = 99;
    (void)state;
    log_text_add(&t, "Alpha 1\nbeta 2\nalpha (3\n", 24, 1000);
    struct bt_error err = {0};
    assert_int_equal(log_pattern_set(&p, "alpha", NULL), BT_OK);
    assert_true(log_search(&t, &p, 1, 1, &found) && found == 2);
    assert_true(log_search(&t, &p, 1, -1, &found) && found == 0);
    assert_int_equal(log_pattern_set(&p, "/Alpha/", NULL), BT_OK);
    assert_true(log_search(&t, &p, 1, 1, &found) && found == 0);
    assert_int_equal(log_pattern_set(&p, "/(?<!\\()\\b\\d$/", NULL), BT_OK); /* Perl's */
    assert_true(log_search(&t, &p, 2, 1, &found) && found == 0);
    assert_int_equal(log_pattern_set(&p, "(3", NULL), BT_OK); /* a text */
    assert_true(log_search(&t, &p, 0, 1, &found) && found == 2);
    assert_int_equal(log_pattern_set(&p, "/(3/", &err), BT_INVALID);
    assert_true(strstr(err.text, "at character 3"));
    assert_false(log_search(&t, &p, 0, 1, &found));
    assert_int_equal(log_pattern_set(&p, "gamma", NULL), BT_OK);
    assert_false(log_search(&t, &p, 0, 1, &found));
    log_pattern_clear(&p);
    log_text_clear(&t);
    assert_int_equal(log_kind("12:00 Warning: x", 16), LOG_WARNING);
    assert_int_equal(log_kind("step 1", 6), LOG_PLAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_sequences),
        cmocka_unit_test(sequences_in_pieces),
        cmocka_unit_test(answers),
        cmocka_unit_test(mouse_reports),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(editing),
        cmocka_unit_test(undo_goes_word_by_word),
        cmocka_unit_test(combining_characters),
        cmocka_unit_test(only_text_gets_in),
        cmocka_unit_test(list_motions),
        cmocka_unit_test(panes_share_a_border),
        cmocka_unit_test(a_share_gives_its_cells),
        cmocka_unit_test(key_names),
        cmocka_unit_test(views_go_before_the_workbench),
        cmocka_unit_test(views_are_consistent),
        cmocka_unit_test(glyphs),
        cmocka_unit_test(themes),
        cmocka_unit_test(figures),
        cmocka_unit_test(log_lines),
        cmocka_unit_test(log_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
