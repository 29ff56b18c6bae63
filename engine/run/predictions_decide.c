/* Predictions decided anew by thresholds (<bertty/threshold.h>). */
#include "run/predictions_parts.h"

#include <bertty/threshold.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum bt_status no_memory(struct bt_error *err)
{
    return bt_fail(err, BT_NOMEM, "no memory to decide predictions anew");
}

/* ── one label of two ── */

static void decide_label(const struct bt_predictions *p, struct bt_prediction *r, int positive,
                         double threshold)
{
    const int to = r->scores[positive] >= (float)threshold ? positive : 1 - positive;
    r->predicted = to;
    r->predicted_text = p->label[to];
    r->p = r->scores[to];
    r->correct = r->gold == to;
    if (r->judged) r->quality = r->correct ? 1.0 : 0.0;
}

/* ── sets ── */

static bool has(const struct bt_json *list, const char *text)
{
    for (size_t i = 0; i < bt_json_len(list); i++)
        if (strcmp(bt_json_text(bt_json_at(list, i), ""), text) == 0) return true;
    return false;
}

/* in [n_labels]; returns whether the set is the gold one. */
static bool choose(const struct bt_predictions *p, const struct bt_prediction *r, const struct bt_json *v,
                   const double *threshold, bool *in)
{
    const struct bt_json *said = bt_json_get(v, "labels"), *gold = bt_json_get(v, "gold_labels");
    bool right = true;
    for (int i = 0; i < p->n_labels; i++) {
        in[i] = isnan(threshold[i]) ? has(said, p->label[i]) : r->scores[i] >= (float)threshold[i];
        right = right && in[i] == has(gold, p->label[i]);
    }
    return right;
}

/* What stands between labels that are written as one text: what the file has between the first two of a gold set. The caller frees; NULL: no memory. */
static char *between(const struct bt_predictions *p)
{
    char *found = NULL;
    for (size_t i = 0; i < p->n && !found; i++) {
        struct bt_json *v = p->row[i].gold_text ? bt_prediction_json(p, &p->row[i]) : NULL;
        const struct bt_json *gold = bt_json_get(v, "gold_labels");
        const char *first = bt_json_text(bt_json_at(gold, 0), ""),
                   *second = bt_json_text(bt_json_at(gold, 1), ""), *text = p->row[i].gold_text;
        const size_t n = strlen(first);
        const char *at = *second && strncmp(text, first, n) == 0 ? strstr(text + n, second) : NULL;
        if (at) found = bt_strndup(text + n, (size_t)(at - text) - n);
        bt_json_free(v);
    }
    return found ? found : bt_strdup(",");
}

static void write_row(struct bt_str *out, const struct bt_predictions *p, const struct bt_json *old,
                      const struct bt_prediction *r, const bool *in)
{
    struct bt_json_writer w = BT_JSON_WRITER(out);
    bt_jw_object(&w);
    for (const void *it = bt_json_first(old); it; it = bt_json_next(old, it)) {
        const char *key = bt_json_key(it);
        bt_jw_key(&w, key);
        if (strcmp(key, "prediction") == 0) {
            bt_jw_text(&w, r->predicted_text);
        } else if (strcmp(key, "correct") == 0) {
            bt_jw_bool(&w, r->correct);
        } else if (strcmp(key, "labels") == 0) {
            bt_jw_array(&w);
            for (int i = 0; i < p->n_labels; i++)
                if (in[i]) bt_jw_text(&w, p->label[i]);
            bt_jw_end_array(&w);
        } else {
            bt_jw_value(&w, bt_json_value(it));
        }
    }
    bt_jw_end_object(&w);
}

static enum bt_status decide_set(struct bt_predictions *p, struct bt_prediction *r, const double *threshold,
                                 const char *separator, bool *in, struct bt_str *out)
{
    struct bt_json *v = bt_prediction_json(p, r);
    struct bt_str text = {0};
    if (!v) return BT_NOMEM;
    r->correct = choose(p, r, v, threshold, in);
    if (r->judged) r->quality = r->correct ? 1.0 : 0.0;
    for (int i = 0, some = 0; i < p->n_labels; i++)
        if (in[i]) bt_str_addf(&text, "%s%s", some++ ? separator : "", p->label[i]);
    r->predicted_text = bt__predictions_keep(p, bt_str_text(&text));
    const size_t at = out->len;
    if (r->predicted_text) write_row(out, p, v, r, in);
    r->at = at;
    r->size = out->len - at;
    bt_str_addc(out, '\n');
    bt_str_free(&text);
    bt_json_free(v);
    return r->predicted_text ? BT_OK : BT_NOMEM;
}

static enum bt_status decide_sets(struct bt_predictions *p, const double *threshold, struct bt_error *err)
{
    char *separator = between(p);
    struct bt_str out = {0};
    bool *in = calloc((size_t)p->n_labels + 1, sizeof *in);
    enum bt_status st = in && separator ? BT_OK : BT_NOMEM;
    for (size_t i = 0; i < p->n && !st; i++) st = decide_set(p, &p->row[i], threshold, separator, in, &out);
    char *text = !st && !out.failed ? bt_str_take(&out) : NULL;
    free(in);
    free(separator);
    bt_str_free(&out);
    if (!text) return no_memory(err);
    free(p->text);
    p->text = text;
    return BT_OK;
}

enum bt_status bt_predictions_decide(struct bt_predictions *p, const double *threshold, struct bt_error *err)
{
    if (p->kind == BT_ROWS_SETS) return decide_sets(p, threshold, err);
    if (p->kind != BT_ROWS_LABELS || p->n_labels != 2)
        return bt_fail(err, BT_UNSUPPORTED,
                       "a threshold decides between two labels, or about sets of labels");
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; !isnan(threshold[k]) && i < p->n; i++)
            decide_label(p, &p->row[i], k, threshold[k]);
    return BT_OK;
}
