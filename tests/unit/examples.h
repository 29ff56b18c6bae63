/* Examples read from files that a test writes, told in a line; and how a file is refused. */
#ifndef TESTS_UNIT_EXAMPLES_H
#define TESTS_UNIT_EXAMPLES_H

#include "tests/unit/files.h"

#include <bertty/dataset.h>
#include <bertty/str.h>

#define AUTO ((struct bt_data_dialect){.quoting = -1, .header = -1})

static struct bt_error err;

static inline enum bt_status load(const char *path, struct bt_data_spec spec, struct bt_examples **e)
{
    spec.files = &path;
    spec.n_files = 1;
    memset(&err, 0, sizeof err);
    return bt_examples_load(&spec, e, &err);
}

static inline void tell_parts(const struct bt_example *x, struct bt_str *s)
{
    for (size_t k = 0; k < x->parts; k++) {
        const struct bt_part *p = &x->part[k];
        assert_int_equal(strlen(p->text), p->n);
        bt_str_addf(s, "%s%s", k ? " " : "{", p->text);
        if (p->tag) bt_str_addf(s, "/%s", p->tag);
        if (p->at >= 0) bt_str_addf(s, "=%d", (int)p->at);
    }
    if (x->parts) bt_str_add(s, "}");
}

/* The file's examples as "line:text/pair/label#id@mark+n!{part/tag=at …}", what is not there left out, with that between them. */
static inline struct bt_examples *expect_told(const char *path, struct bt_data_spec spec, const char *between,
                                              const char *rows)
{
    struct bt_examples *e;
    struct bt_str s = {0};
    if (load(path, spec, &e)) fail_msg("%s", err.text);
    for (size_t i = 0; i < bt_examples_count(e); i++) {
        const struct bt_example *x = bt_examples_at(e, i);
        assert_int_equal(strlen(x->text), x->text_n);
        bt_str_addf(&s, "%s%zu:%s", i ? between : "", x->line, x->text);
        if (x->pair) bt_str_addf(&s, "/%s", x->pair);
        if (x->label) bt_str_addf(&s, "/%s", x->label);
        if (x->id) bt_str_addf(&s, "#%s", x->id);
        if (x->mark_n) bt_str_addf(&s, "@%zu+%zu", x->mark, x->mark_n);
        if (x->impossible) bt_str_add(&s, "!");
        tell_parts(x, &s);
    }
    assert_string_equal(bt_str_text(&s), rows);
    bt_str_free(&s);
    return e;
}

#endif
