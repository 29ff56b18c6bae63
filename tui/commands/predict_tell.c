#include "tui/commands/predict_tell.h"

#include <bertty/experiment.h>
#include <bertty/json.h>

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

static void label_json(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w)
{
    (void)in;
    for (size_t i = 0; i < out->n; i++)
        if (out->answer[i].chosen) bt_jw_ktext(w, "label", out->answer[i].label);
    bt_jw_key(w, "scores");
    bt_jw_object(w);
    for (size_t i = 0; i < out->n; i++) {
        bt_jw_key(w, out->answer[i].label);
        bt_jw_float(w, (float)out->answer[i].score);
    }
    bt_jw_end_object(w);
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

/* ── the table ── */

static const struct {
    void (*text)(const struct bt_input *in, const struct bt_output *out, struct bt_str *to);
    void (*json)(const struct bt_input *in, const struct bt_output *out, struct bt_json_writer *w);
} form[] = {[BT_TYPE_CLASSIFICATION] = {.text = label_text, .json = label_json},
            [BT_TYPE_REGRESSION] = {.text = number_text, .json = number_json}};

void predict_tell_text(int type, const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    form[type].text(in, out, to);
}

void predict_tell_json(int type, const struct bt_input *in, const struct bt_output *out, struct bt_str *to)
{
    struct bt_json_writer w = BT_JSON_WRITER(to);
    bt_jw_object(&w);
    form[type].json(in, out, &w);
    bt_jw_end_object(&w);
}
