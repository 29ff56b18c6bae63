/* RUN or MODEL on a command line. */
#ifndef TUI_COMMANDS_CLI_MODEL_H
#define TUI_COMMANDS_CLI_MODEL_H

#include <bertty/predictor.h>

/* The model that RUN or MODEL means: a Hugging Face directory, its name in the Hugging Face cache, or the checkpoint of a run (RUN, RUN@STEP, RUN@best, RUN@last; the best, else the last). A
 * checkpoint's own directory is known as its run's. */
struct cli_model {
    char *dir, *run; /* run NULL: a model alone */
    int64_t step;    /* of a run's checkpoint; −1: not known */
};
enum bt_status cli_model_find(const char *runs_dir, const char *name, struct cli_model *m,
                              struct bt_error *err);
void cli_model_clear(struct cli_model *m);

/* Whether the model can be asked about such an input. name: of the model, as it was given; run: it is a run's, which is held to what it was trained on; choices_given: texts of --choice. */
enum bt_status cli_model_fits(const struct bt_predictor *p, const char *name, bool run,
                              const struct bt_input *in, size_t choices_given, struct bt_error *err);

#endif
