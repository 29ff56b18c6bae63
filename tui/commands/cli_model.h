/* RUN or MODEL on a command line. */
#ifndef TUI_COMMANDS_CLI_MODEL_H
#define TUI_COMMANDS_CLI_MODEL_H

#include <bertty/error.h>
#include <stdint.h>

/* The model that RUN or MODEL means: a Hugging Face directory, its name in the Hugging Face cache, or the checkpoint of a run (RUN, RUN@STEP, RUN@best, RUN@last; the best, else the last). A
 * checkpoint's own directory is known as its run's. */
struct cli_model {
    char *dir, *run; /* run NULL: a model alone */
    int64_t step;    /* of a run's checkpoint; −1: not known */
};
enum bt_status cli_model_find(const char *runs_dir, const char *name, struct cli_model *m,
                              struct bt_error *err);
void cli_model_clear(struct cli_model *m);

#endif
