/* bertty pause */
#include "tui/commands/cli_run.h"

static const char about[] =
    "The engine finishes its step and waits, its memory kept, until `bertty resume RUN`.\n";

int cmd_pause(int argc, char **argv)
{
    const struct cli_steer what = {
        .command = "pause", .word = "pause", .about = about, .done = "will pause after its step"};
    return cli_steer(&what, argc, argv);
}
