/* bertty stop */
#include "tui/commands/cli_run.h"

static const char about[] = "The engine finishes its step, saves a checkpoint and ends. `bertty train "
                            "--resume RUN` goes on later. A run that is\n"
                            "still queued is taken out of the queue.\n";

int cmd_stop(int argc, char **argv)
{
    const struct cli_steer what = {.command = "stop",
                                   .word = "stop",
                                   .about = about,
                                   .done = "will stop after its step, with a checkpoint"};
    return cli_steer(&what, argc, argv);
}
