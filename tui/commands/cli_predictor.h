/* A model that a command asks, and the rows of a file that it is asked about. */
#ifndef TUI_COMMANDS_CLI_PREDICTOR_H
#define TUI_COMMANDS_CLI_PREDICTOR_H

#include "tui/commands/cli.h"
#include "tui/commands/cli_model.h"
#include <bertty/predictor.h>

/* --precision, whose choice is kept in an int, and what it says: NULL where the run decides. */
extern const char *const cli_precisions[];
#define CLI_PRECISION(to_)                                                                                   \
    CLI_CHOICE("precision", 0, to_, cli_precisions,                                                          \
               "of the arithmetic: auto, fp32, bf16 (default: auto, as the run was trained)")
const char *cli_precision(int choice);

struct cli_predictor {
    struct bt_predictor *p;
    const char *name;       /* as it was given */
    struct cli_model model; /* run NULL: a model alone */
};
/* RUN or MODEL. vectors: as in struct bt_predictor_spec. Close in any case. */
enum bt_status cli_predictor_open(struct cli_predictor *c, const char *runs_dir, const char *name,
                                  int64_t threads, bool vectors, struct bt_error *err);
void cli_predictor_close(struct cli_predictor *c);

/* Whether the model can be asked about such an input: a run's is held to what it was trained on. choices: how many --choice gave. */
enum bt_status cli_predictor_fits(const struct cli_predictor *c, const struct bt_input *in, size_t choices,
                                  struct bt_error *err);

/* The input of --text, --pair (NULL: none) and --choice; free(*part) after its use. */
enum bt_status cli_input_of(const char *text, const char *pair, const struct cli_list *choice,
                            struct bt_input *in, struct bt_part **part, struct bt_error *err);

/* A table is read by the run's columns, other kinds of data by what they are; a file without such settings is a text a line, with a tab before its pair. labels: with
 * those that the settings name. The caller frees *out. */
enum bt_status cli_examples_load(const struct bt_predictor *p, const char *file, bool labels,
                                 struct bt_examples **out, struct bt_error *err);

/* Asks about the rows of a file, in the manner of cli_examples_load() without labels: those that `rows` names (numbers from 1), all where it is empty. It ends with the
 * first that fails, whose error names the row, and when nobody reads the output any more. */
enum bt_status cli_predictor_rows(const struct cli_predictor *c, const char *file,
                                  const struct cli_list *rows,
                                  enum bt_status (*ask)(void *ctx, const struct bt_input *in, int64_t row,
                                                        struct bt_error *err),
                                  void *ctx, struct bt_error *err);

#endif
