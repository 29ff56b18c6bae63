/* Predictions as files: the columns that every kind of rows has, and those of its own. */
#include "tui/views/predictions_rows.h"

#include <bertty/json.h>
#include <bertty/num.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void add_number(struct bt_str *out, float x)
{
    char text[BT_NUMBER_SIZE];
    if (!isnan(x)) bt_str_add(out, bt_format_float(x, text));
}

/* Quoted where it would not be one cell otherwise. */
static void add_cell(struct bt_str *out, const char *text, size_t n)
{
    bool plain = !memchr(text, '\t', n) && !memchr(text, '\n', n) && !memchr(text, '\r', n) && text[0] != '"';
    if (plain) {
        bt_str_addn(out, text, n);
        return;
    }
    bt_str_addc(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"') bt_str_addc(out, '"');
        bt_str_addc(out, text[i]);
    }
    bt_str_addc(out, '"');
}

static void add_text(struct bt_str *out, const char *text)
{
    if (text) add_cell(out, text, strlen(text));
    bt_str_addc(out, '\t');
}

/* The words of a sentence; of a question with choices these too. */
static void example_text(const struct bt_predictions *p, const struct bt_prediction *r,
                         const struct bt_example *x, struct bt_str *out)
{
    struct bt_json *v = p->kind == BT_ROWS_TAGS ? bt_prediction_json(p, r) : NULL;
    const struct bt_json *word = bt_json_get(v, "tokens");
    for (size_t i = 0; i < bt_json_len(word); i++)
        bt_str_addf(out, "%s%s", i ? " " : "", bt_json_text(bt_json_at(word, i), ""));
    if (!v && x && x->text) bt_str_addn(out, x->text, x->text_n);
    for (uint32_t i = 0; p->kind == BT_ROWS_LABELS && x && i < x->parts; i++) {
        bt_str_add(out, i ? " / " : " | ");
        bt_str_addn(out, x->part[i].text, x->part[i].n);
    }
    bt_json_free(v);
}

/* ── with tabs ── */

struct own {
    const char *title;
    void (*add)(const struct bt_predictions *p, const struct bt_prediction *r, struct bt_str *out);
};

static void add_p(const struct bt_predictions *p, const struct bt_prediction *r, struct bt_str *out)
{
    (void)p;
    add_number(out, r->p);
}

static void add_margin(const struct bt_predictions *p, const struct bt_prediction *r, struct bt_str *out)
{
    add_number(out, pred_margin(p, r));
}

static void add_loss(const struct bt_predictions *p, const struct bt_prediction *r, struct bt_str *out)
{
    (void)p;
    add_number(out, r->loss);
}

static void add_error(const struct bt_predictions *p, const struct bt_prediction *r, struct bt_str *out)
{
    (void)p;
    add_number(out, (float)(r->value - r->gold_value));
}

static void add_correct(const struct bt_predictions *p, const struct bt_prediction *r, struct bt_str *out)
{
    (void)p;
    if (r->judged) bt_str_add(out, r->correct ? "true" : "false");
}

static void add_quality(const struct bt_predictions *p, const struct bt_prediction *r, struct bt_str *out)
{
    (void)p;
    add_number(out, (float)r->quality);
}

enum { OWN = 3 };
static const struct own own[][OWN] = {
    [BT_ROWS_LABELS] = {{.title = "confidence", .add = add_p},
                        {.title = "margin", .add = add_margin},
                        {.title = "loss", .add = add_loss}},
    [BT_ROWS_SETS] = {{.title = "correct", .add = add_correct},
                      {.title = "confidence", .add = add_p},
                      {.title = "loss", .add = add_loss}},
    [BT_ROWS_NUMBERS] = {{.title = "error", .add = add_error}, {.title = "loss", .add = add_loss}},
    [BT_ROWS_TAGS] = {{.title = "correct", .add = add_correct},
                      {.title = "confidence", .add = add_p},
                      {.title = "loss", .add = add_loss}},
    [BT_ROWS_ANSWERS] = {{.title = "exact", .add = add_correct},
                         {.title = "f1", .add = add_quality},
                         {.title = "confidence", .add = add_p}},
    [BT_ROWS_MASKS] = {{.title = "correct", .add = add_correct}, {.title = "loss", .add = add_loss}},
};

static bool noted(const struct pred_written *of)
{
    return of->notes && of->notes->n > 0;
}

/* The tags with a blank between them. */
static void add_notes(const struct bt_notes *n, struct bt_str *out)
{
    struct bt_str tags = {0};
    for (size_t i = 0; n && i < n->n_tags; i++) bt_str_addf(&tags, "%s%s", i ? " " : "", n->tag[i]);
    add_text(out, bt_str_text(&tags));
    add_cell(out, n && n->note ? n->note : "", n && n->note ? strlen(n->note) : 0);
    bt_str_free(&tags);
}

static void write_row(const struct pred_written *of, const struct bt_prediction *r, struct bt_str *out)
{
    const struct bt_predictions *p = of->p;
    const struct bt_example *x = pred_example(p, of->texts, r);
    struct bt_str text = {0};
    bool labels = p->kind == BT_ROWS_LABELS;
    bt_str_addf(out, "%" PRId64 "\t", r->id);
    add_text(out, labels ? pred_label(p, r->gold) : r->gold_text);
    add_text(out, labels ? pred_label(p, r->predicted) : r->predicted_text);
    for (int k = 0; k < OWN && own[p->kind][k].title; k++) {
        own[p->kind][k].add(p, r, out);
        bt_str_addc(out, '\t');
    }
    example_text(p, r, x, &text);
    add_text(out, bt_str_text(&text));
    if (x && x->pair) add_cell(out, x->pair, x->pair_n);
    if (noted(of)) bt_str_addc(out, '\t');
    if (noted(of)) add_notes(bt_row_notes_of(of->notes, r->id), out);
    bt_str_addc(out, '\n');
    bt_str_free(&text);
}

void pred_write_tsv(const struct pred_written *of, const size_t *index, size_t n, struct bt_str *out)
{
    const enum bt_rows_kind kind = of->p->kind;
    bt_str_add(out, "id\tgold\tpredicted\t");
    for (int k = 0; k < OWN && own[kind][k].title; k++) bt_str_addf(out, "%s\t", own[kind][k].title);
    bt_str_add(out, noted(of) ? "text\ttext_pair\ttags\tnote\n" : "text\ttext_pair\n");
    for (size_t i = 0; i < n; i++) write_row(of, &of->p->row[index[i]], out);
}

/* ── as JSON lines ── */

static void label_members(const struct bt_predictions *p, const struct bt_prediction *r,
                          struct bt_json_writer *w)
{
    bt_jw_kint(w, "id", r->id);
    bt_jw_ktext(w, "gold", r->gold >= 0 ? pred_label(p, r->gold) : NULL);
    bt_jw_ktext(w, "predicted", pred_label(p, r->predicted));
    bt_jw_key(w, "confidence");
    bt_jw_float(w, r->p);
    bt_jw_key(w, "margin");
    bt_jw_float(w, pred_margin(p, r));
    bt_jw_key(w, "loss");
    bt_jw_float(w, r->loss);
    bt_jw_key(w, "scores");
    bt_jw_object(w);
    for (int k = 0; r->scores && k < p->n_labels; k++) {
        bt_jw_key(w, p->label[k]);
        bt_jw_float(w, r->scores[k]);
    }
    bt_jw_end_object(w);
}

static void json_notes(struct bt_json_writer *w, const struct bt_notes *n)
{
    bt_jw_key(w, "tags");
    bt_jw_array(w);
    for (size_t i = 0; n && i < n->n_tags; i++) bt_jw_text(w, n->tag[i]);
    bt_jw_end_array(w);
    bt_jw_ktext(w, "note", n ? n->note : NULL);
}

static void json_row(const struct pred_written *of, const struct bt_prediction *r, struct bt_str *out)
{
    const struct bt_predictions *p = of->p;
    const struct bt_example *x = pred_example(p, of->texts, r);
    struct bt_json_writer w = BT_JSON_WRITER(out);
    struct bt_json *v = p->kind == BT_ROWS_LABELS ? NULL : bt_prediction_json(p, r);
    struct bt_str text = {0};
    example_text(p, r, x, &text);
    bt_jw_object(&w);
    if (v)
        bt_jw_members(&w, v); /* as they stand in the file */
    else
        label_members(p, r, &w);
    bt_jw_key(&w, "text");
    bt_jw_textn(&w, bt_str_text(&text), text.len);
    if (x && x->pair) bt_jw_key(&w, "text_pair");
    if (x && x->pair) bt_jw_textn(&w, x->pair, x->pair_n);
    if (noted(of)) json_notes(&w, bt_row_notes_of(of->notes, r->id));
    bt_jw_end_object(&w);
    bt_str_addc(out, '\n');
    bt_str_free(&text);
    bt_json_free(v);
}

void pred_write_jsonl(const struct pred_written *of, const size_t *index, size_t n, struct bt_str *out)
{
    for (size_t i = 0; i < n; i++) json_row(of, &of->p->row[index[i]], out);
}
