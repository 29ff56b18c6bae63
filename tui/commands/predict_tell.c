#include "tui/commands/predict_tell.h"

#include <bertty/experiment.h>
#include <bertty/json.h>
#include <bertty/text.h>

/* ── one label of several ── */

static void label_text(const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    (void)in;
    for (size_t i = 0; i < out->n; i++)
        if (out->answer[i].chosen) bt_str_addf(to, "%s\t%.4f", out->answer[i].label, out->answer[i].score);
}

static void logits(struct bt_json_writer *w, const struct bt_output *out)
{
    bt_jw_key(w, "logits");
    bt_jw_array(w);
    for (size_t i = 0; i < out->n_logits; i++) bt_jw_float(w, out->logits[i]);
    bt_jw_end_array(w);
}

static void scores(struct bt_json_writer *w, const struct bt_output *out)
{
    bt_jw_key(w, "scores");
    bt_jw_object(w);
    for (size_t i = 0; i < out->n; i++) {
        bt_jw_key(w, out->answer[i].label);
        bt_jw_float(w, (float)out->answer[i].score);
    }
    bt_jw_end_object(w);
}

static void label_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    (void)in;
    for (size_t i = 0; i < out->n; i++)
        if (out->answer[i].chosen) bt_jw_ktext(w, "label", out->answer[i].label);
    scores(w, out);
    logits(w, out);
}

/* ── a number ── */

static void number_text(const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    (void)in;
    bt_str_addf(to, "%.6g", out->answer[0].score);
}

static void number_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    (void)in;
    bt_jw_knum(w, "value", out->answer[0].score);
}

/* ── any number of labels ── */

static void set_text(const struct bt_output *out, const char *separator, struct bt_str *to)
{
    for (size_t i = 0, some = 0; i < out->n; i++)
        if (out->answer[i].chosen) bt_str_addf(to, "%s%s", some++ ? separator : "", out->answer[i].label);
}

static void set_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    (void)in;
    bt_jw_key(w, "labels");
    bt_jw_array(w);
    for (size_t i = 0; i < out->n; i++)
        if (out->answer[i].chosen) bt_jw_text(w, out->answer[i].label);
    bt_jw_end_array(w);
    scores(w, out);
    logits(w, out);
}

/* ── words with tags ── */

/* A cell of a line: what would end it becomes a blank. */
static void cell(struct bt_str *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) bt_str_addc(to, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
}

/* A line for each entity; an empty one ends the input. */
static void spans_text(const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    for (size_t i = 0; i < out->n; i++) {
        const struct bt_answer *a = &out->answer[i];
        bt_str_addf(to, "%s\t%zu\t%zu\t", a->label, bt_utf8_count(in->text, a->begin),
                    bt_utf8_count(in->text, a->end));
        cell(to, in->text + a->begin, a->end - a->begin);
        bt_str_addf(to, "\t%.4f\n", a->score);
    }
}

static void words_json(const struct bt_output *out, struct bt_json_writer *w)
{
    bt_jw_key(w, "tokens");
    bt_jw_array(w);
    for (size_t i = 0; i < out->words; i++) bt_jw_textn(w, out->word[i].text, out->word[i].n);
    bt_jw_end_array(w);
    bt_jw_key(w, "tags");
    bt_jw_array(w);
    for (size_t i = 0; i < out->words; i++) bt_jw_textn(w, out->word[i].tag, out->word[i].tag_n);
    bt_jw_end_array(w);
}

static void spans_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    bt_jw_key(w, "answers");
    bt_jw_array(w);
    for (size_t i = 0; i < out->n; i++) {
        const struct bt_answer *a = &out->answer[i];
        bt_jw_object(w);
        bt_jw_ktext(w, "label", a->label);
        bt_jw_key(w, "score");
        bt_jw_float(w, (float)a->score);
        bt_jw_kint(w, "begin", (int64_t)bt_utf8_count(in->text, a->begin));
        bt_jw_kint(w, "end", (int64_t)bt_utf8_count(in->text, a->end));
        bt_jw_key(w, "text");
        bt_jw_textn(w, in->text + a->begin, a->end - a->begin);
        bt_jw_kbool(w, "chosen", a->chosen);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
    words_json(out, w);
    logits(w, out);
}

void predict_tell_conll(const struct bt_output *out, struct bt_str *to)
{
    for (size_t i = 0; i < out->words; i++) {
        cell(to, out->word[i].text, out->word[i].n);
        bt_str_addf(to, "\t%s\n", out->word[i].tag);
    }
}

/* ── a part of a context ── */

/* The answer alone: empty where there is none. */
static void part_text(const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    (void)in;
    for (size_t i = 0; i < out->n; i++) {
        if (!out->answer[i].chosen) continue;
        cell(to, out->answer[i].label, out->answer[i].label_n);
        bt_str_addf(to, "\t%.4f", out->answer[i].score);
    }
}

/* All answers; text is what they have their places in. */
static void answers_json(const char *text, const struct bt_output *out, struct bt_json_writer *w)
{
    bt_jw_key(w, "answers");
    bt_jw_array(w);
    for (size_t i = 0; i < out->n; i++) {
        const struct bt_answer *a = &out->answer[i];
        bt_jw_object(w);
        bt_jw_key(w, "label");
        bt_jw_textn(w, a->label, a->label_n);
        bt_jw_key(w, "score");
        bt_jw_float(w, (float)a->score);
        bt_jw_kint(w, "begin", (int64_t)bt_utf8_count(text, a->begin));
        bt_jw_kint(w, "end", (int64_t)bt_utf8_count(text, a->end));
        bt_jw_kbool(w, "chosen", a->chosen);
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

static void parts_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    answers_json(in->pair, out, w);
}

/* ── filled masks ── */

/* The text with each [MASK] replaced by its likeliest word. */
static void filled_text(const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    size_t at = 0;
    for (size_t i = 0; i < out->n; i++) {
        const struct bt_answer *a = &out->answer[i];
        if (!a->chosen) continue;
        cell(to, in->text + at, a->begin - at);
        cell(to, a->label, a->label_n);
        at = a->end;
    }
    cell(to, in->text + at, in->text_n - at);
}

static void filled_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    answers_json(in->text, out, w);
}

/* ── one of several texts ── */

/* Choices may be the same text twice: their scores stand in their order. */
static void choice_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    (void)in;
    for (size_t i = 0; i < out->n; i++) {
        if (!out->answer[i].chosen) continue;
        bt_jw_kint(w, "choice", (int64_t)i);
        bt_jw_key(w, "label");
        bt_jw_textn(w, out->answer[i].label, out->answer[i].label_n);
    }
    bt_jw_key(w, "scores");
    bt_jw_array(w);
    for (size_t i = 0; i < out->n; i++) bt_jw_float(w, (float)out->answer[i].score);
    bt_jw_end_array(w);
    logits(w, out);
}

/* ── the table ── */

static const struct {
    void (*text)(const struct bt_input *in, const struct bt_output *out, struct bt_str *to);
    void (*set)(const struct bt_output *out, const char *separator, struct bt_str *to); /* instead of text */
    void (*json)(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w);
} form[] = {[BT_TYPE_CLASSIFICATION] = {.text = label_text, .json = label_json},
            [BT_TYPE_REGRESSION] = {.text = number_text, .json = number_json},
            [BT_TYPE_NER] = {.text = spans_text, .json = spans_json},
            [BT_TYPE_QA] = {.text = part_text, .json = parts_json},
            [BT_TYPE_ABSA] = {.text = label_text, .json = label_json},
            [BT_TYPE_MULTILABEL] = {.set = set_text, .json = set_json},
            [BT_TYPE_MULTIPLE_CHOICE] = {.text = part_text, .json = choice_json},
            [BT_TYPE_MLM] = {.text = filled_text, .json = filled_json}};

void predict_tell_text(const struct bt_experiment *x, const struct bt_input *in, const struct bt_output *out,
                       struct bt_str *to)
{
    const int type = x->task_type;
    if (form[type].set)
        form[type].set(out, x->task_label_separator, to);
    else
        form[type].text(in, out, to);
}

void predict_tell_json(int type, const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    struct bt_json_writer w = BT_JSON_WRITER(to);
    bt_jw_object(&w);
    form[type].json(in, out, &w);
    bt_jw_end_object(&w);
}
