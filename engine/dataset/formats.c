#include "dataset/formats.h"

static const char *const conll_columns[] = {"words", "tags", NULL};
static const char *const squad_columns[] = {"id", "question", "context", "answers", NULL};
static const char *const semeval_columns[] = {"text", "aspect", "label", NULL};
static const char *const text_columns[] = {"text", NULL};

static const struct bt__format formats[BT_DATA_FORMATS] = {
    [BT_DATA_AUTO] = {.name = "auto"},
    [BT_DATA_CSV] = {.name = "csv", .load = bt__load_table},
    [BT_DATA_TSV] = {.name = "tsv", .load = bt__load_table},
    [BT_DATA_JSONL] = {.name = "jsonl", .load = bt__load_table},
    [BT_DATA_CONLL] = {.name = "conll",
                       .kind = BT_EXAMPLE_WORDS,
                       .looks = bt__conll_looks,
                       .find = bt__conll_find,
                       .cells = bt__conll_cells,
                       .columns = conll_columns,
                       .load = bt__load_conll},
    [BT_DATA_SQUAD] = {.name = "squad",
                       .kind = BT_EXAMPLE_QUESTION,
                       .looks = bt__squad_looks,
                       .columns = squad_columns,
                       .load = bt__load_squad},
    [BT_DATA_SEMEVAL] = {.name = "semeval",
                         .kind = BT_EXAMPLE_ASPECT,
                         .looks = bt__semeval_looks,
                         .find = bt__semeval_find,
                         .cells = bt__semeval_cells,
                         .columns = semeval_columns,
                         .load = bt__load_semeval},
    [BT_DATA_SWAG] = {.name = "swag", .kind = BT_EXAMPLE_CHOICES, .load = bt__load_table},
    [BT_DATA_TEXT] = {.name = "text",
                      .kind = BT_EXAMPLE_PLAIN,
                      .looks = bt__text_looks,
                      .find = bt__text_find,
                      .cells = bt__text_cells,
                      .columns = text_columns,
                      .load = bt__load_text},
};

const struct bt__format *bt__format_of(enum bt_data_format f)
{
    return &formats[f < BT_DATA_FORMATS ? f : BT_DATA_AUTO];
}

const char *bt_data_format_name(enum bt_data_format f)
{
    return bt__format_of(f)->name;
}

enum bt_example_kind bt_data_format_kind(enum bt_data_format f)
{
    return bt__format_of(f)->kind;
}
