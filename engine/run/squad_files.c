/* Answers in the files that SQuAD's evaluation scripts read, with the names that Google's run_squad.py gives them. */
#include <bertty/predictor.h>

#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/num.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct files {
    struct bt_str predictions, odds, nbest;
    struct bt_json_writer to_predictions, to_odds, to_nbest;
    bool has_odds;
};

static void write_nbest(struct bt_json_writer *w, const struct bt_json *list)
{
    bt_jw_array(w);
    for (size_t i = 0; i < bt_json_len(list); i++) {
        const struct bt_json *one = bt_json_at(list, i);
        bt_jw_object(w);
        bt_jw_ktext(w, "text", bt_json_text(bt_json_get(one, "text"), ""));
        bt_jw_knum(w, "probability", bt_json_number(bt_json_get(one, "score"), 0.0));
        bt_jw_end_object(w);
    }
    bt_jw_end_array(w);
}

/* A question without an id goes by its number. */
static void take(struct files *f, const struct bt_json *row)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, bt_json_int(bt_json_get(row, "id"), 0));
    const char *id = bt_json_text(bt_json_get(row, "name"), number);
    const struct bt_json *odds = bt_json_get(row, "null_odds");
    bt_jw_ktext(&f->to_predictions, id, bt_json_text(bt_json_get(row, "prediction"), ""));
    if (odds) bt_jw_knum(&f->to_odds, id, bt_json_number(odds, 0.0));
    if (odds) f->has_odds = true;
    bt_jw_key(&f->to_nbest, id);
    write_nbest(&f->to_nbest, bt_json_get(row, "nbest"));
}

static enum bt_status take_all(struct files *f, const char *rows, size_t n, struct bt_error *err)
{
    const char *end = rows + n;
    while (rows < end) {
        const char *stop = memchr(rows, '\n', (size_t)(end - rows));
        size_t length = (size_t)((stop ? stop : end) - rows);
        struct bt_json *row = bt_json_parse(rows, length, "predictions", err);
        if (!row) return err ? err->status : BT_INVALID;
        take(f, row);
        bt_json_free(row);
        rows += length + 1;
    }
    return BT_OK;
}

static enum bt_status put(const char *dir, const char *name, struct bt_str *text, struct bt_error *err)
{
    char *path = bt_path_join(dir, name);
    bt_str_addc(text, '\n');
    enum bt_status st = path && !text->failed ? bt_file_replace(path, text->data, text->len, err)
                                              : bt_fail(err, BT_NOMEM, "%s: no memory for %s", dir, name);
    free(path);
    return st;
}

enum bt_status bt_squad_files_write(const char *dir, const char *rows, size_t n, struct bt_error *err)
{
    struct files f = {.has_odds = false};
    struct bt_json_writer *const w[] = {&f.to_predictions, &f.to_odds, &f.to_nbest};
    f.to_predictions = BT_JSON_WRITER(&f.predictions);
    f.to_odds = BT_JSON_WRITER(&f.odds);
    f.to_nbest = BT_JSON_WRITER(&f.nbest);
    for (int i = 0; i < 3; i++) bt_jw_object(w[i]);
    enum bt_status st = take_all(&f, rows, n, err);
    for (int i = 0; i < 3; i++) bt_jw_end_object(w[i]);
    if (!st) st = bt_mkdirs(dir, err);
    if (!st) st = put(dir, "predictions.json", &f.predictions, err);
    if (!st) st = put(dir, "nbest_predictions.json", &f.nbest, err);
    if (!st && f.has_odds) st = put(dir, "null_odds.json", &f.odds, err);
    bt_str_free(&f.predictions);
    bt_str_free(&f.odds);
    bt_str_free(&f.nbest);
    return st;
}
