/* What a user may write for the workbench, what a terminal sends to it, and what it shows. */
#include "tests/fuzz/fuzz.h"

#include "tui/form.h"
#include "tui/keymap.h"
#include "tui/markup.h"
#include "tui/term_input.h"
#include "tui/theme.h"
#include "tui/views/charts_info.h"
#include "tui/views/log_text.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

#define READER(name)                                                                                         \
    static enum bt_status read_##name(const char *path, const char *dir, const char *text, size_t n,         \
                                      struct bt_error *err)

static enum bt_status read_theme(const char *path, const char *dir, const char *text, size_t n,
                                 struct bt_error *err)
{
    struct theme *t = NULL;
    (void)dir, (void)text, (void)n;
    const enum bt_status st = theme_load(path, &t, err);
    if (!st) theme_free(t);
    return st;
}

static enum bt_status read_keys(const char *path, const char *dir, const char *text, size_t n,
                                struct bt_error *err)
{
    struct keymap *k = NULL;
    (void)path, (void)dir, (void)text, (void)n;
    const enum bt_status st = keymap_load(&k, err);
    keymap_free(k);
    return st;
}

/* No byte of a text acts on a terminal or on a page, and a width is what it says. */
static void judge_clean(const char *clean, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)clean[i], after = (unsigned char)clean[i + 1];
        if (c < 0x20 || c == 0x7f) fuzz_broken("a control character in clean text");
        if (c == 0xc2 && after < 0xa0) fuzz_broken("a C1 control character in clean text");
    }
    if (bt_utf8_valid(clean, n) != n) fuzz_broken("clean text that is no UTF-8");
}

READER(text)
{
    struct bt_str clean = {0}, cut = {0}, page = {0};
    (void)path, (void)dir, (void)err;
    const int columns = n ? (unsigned char)text[0] % 100 : 0, width = bt_text_width(text, n);
    bt_text_clean(&clean, text, n);
    judge_clean(bt_str_text(&clean), clean.len);
    if (bt_text_width(clean.data, clean.len) != width) fuzz_broken("clean text of another width");
    const int used = bt_text_fit(&cut, text, n, columns);
    judge_clean(bt_str_text(&cut), cut.len);
    if (used > columns || bt_text_width(cut.data, cut.len) != used)
        fuzz_broken("a cut text of another width");
    bt_str_clear(&cut);
    const int sliced = bt_text_slice(&cut, text, n, columns / 2, columns);
    judge_clean(bt_str_text(&cut), cut.len);
    if (sliced > columns) fuzz_broken("a slice that is too wide");
    markup_textn(&page, text, n);
    if (strpbrk(bt_str_text(&page), "<>\"'")) fuzz_broken("text that is markup");
    bt_str_free(&clean);
    bt_str_free(&cut);
    bt_str_free(&page);
    return BT_OK;
}

static void take_events(struct input *in, bool idle, size_t *left)
{
    struct event e;
    while (input_next(in, idle, &e)) {
        if ((*left)-- == 0) fuzz_broken("more events than bytes");
        if (e.kind == EVENT_MOUSE && (e.y < 0 || e.x < 0)) fuzz_broken("a click outside the screen");
        if (e.kind == EVENT_PASTE && e.text[e.text_n]) fuzz_broken("a paste without its end");
    }
}

/* What a terminal sends, in pieces. The first byte: how long they are, and whether an answer is expected. */
READER(terminal)
{
    struct input *in = input_new();
    size_t left = 4 * n + 16;
    (void)path, (void)dir, (void)err;
    if (!in || !n) {
        input_free(in);
        return BT_OK;
    }
    const size_t piece = (text[0] & 31) + 1;
    input_expect_answer(in, text[0] & 32);
    input_add(in, "\x1b[1~", KEY_CODE_HOME);
    for (size_t at = 1; at < n; at += piece) {
        if (!input_feed(in, text + at, n - at < piece ? n - at : piece)) break;
        take_events(in, text[0] & 64, &left);
    }
    take_events(in, true, &left);
    input_free(in);
    return BT_OK;
}

/* The log of a run, as the Log view and the charts' marks read it. */
READER(log)
{
    struct log_text t = {0};
    struct charts_warnings warnings = {0};
    struct charts_info info = {0};
    (void)path, (void)err;
    for (size_t at = 0; at < n; at += 100) log_text_add(&t, text + at, n - at < 100 ? n - at : 100, 1000);
    for (size_t i = 0, line_n; i < t.n_lines; i++) {
        const char *line = log_text_line(&t, i, &line_n);
        if (memchr(line, '\n', line_n)) fuzz_broken("two lines in one");
        log_kind(line, line_n);
    }
    charts_info_read(dir, &warnings, &info);
    for (size_t i = 1; i < info.n_warned; i++)
        if (info.warned[i] < 0) fuzz_broken("a warning before the first step");
    charts_info_free(&info);
    free(warnings.at);
    log_text_clear(&t);
    return BT_OK;
}

static void change_and_undo(struct form *f, size_t field, const char *typed)
{
    size_t n;
    char *kept = bt_strdup(form_text(f, &n));
    const uint64_t version = form_version(f);
    form_put(f, field, typed, NULL);
    if (form_version(f) != version && !form_undo(f)) fuzz_broken("a change that cannot be undone");
    if (kept && strcmp(kept, form_text(f, &n)) != 0) fuzz_broken("undone, but not as it was");
    free(kept);
}

/* The form over a file: each field is shown, one is changed, and what is undone is as it was. */
READER(form)
{
    static struct form *f; /* nothing is left of the text before */
    struct bt_str out = {0};
    (void)path, (void)dir;
    if (!f && !(f = form_new())) return bt_fail(err, BT_NOMEM, "no form");
    const enum bt_status st = form_load(f, text, n, "x.yaml", err);
    for (size_t i = 0; !st && i < BT_OPTIONS; i++) {
        form_show(f, i, &out);
        form_typed(f, i, &out);
        bt_str_clear(&out);
    }
    for (size_t i = 0; !st && i < form_faults(f); i++)
        if (!form_fault(f, i).text) fuzz_broken("a fault without a word");
    if (!st && !form_broken(f)) change_and_undo(f, n % BT_OPTIONS, n % 2 ? "3" : "a: b #");
    bt_str_free(&out);
    return st;
}

const struct fuzz_target fuzz_screen[] = {
    {.name = "theme", .file = "x.yaml", .sources = "tui/theme.c", .read = read_theme},
    {.name = "keys", .file = "bertty/keys.yaml", .sources = "tui/keymap.c tui/key.c", .read = read_keys},
    {.name = "text", .sources = "engine/base/text.c tui/markup.c", .read = read_text},
    {.name = "terminal", .sources = "tui/term_input.c", .read = read_terminal},
    {.name = "log",
     .file = "log.txt",
     .sources = "tui/views/log_text.c tui/views/charts_info.c",
     .read = read_log},
    {.name = "form",
     .slow = true,
     .sources = "tui/form.c tui/form_read.c tui/form_value.c",
     .read = read_form},
    {.name = NULL}};
