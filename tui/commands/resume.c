/* bertty resume */
#include "tui/commands/cli_run.h"

static const char about[] =
    "A run that was paused goes on. One whose engine has ended is resumed from its last checkpoint by\n"
    "`bertty train --resume RUN`.\n";

int cmd_resume(int argc, char **argv)
{
    const struct cli_steer what = {.command = "resume",
                                   .word = "resume",
                                   .about = about,
                                   .done = "goes on",
                                   .hint = "starts one from the last checkpoint"};
    return cli_steer(&what, argc, argv);
}
