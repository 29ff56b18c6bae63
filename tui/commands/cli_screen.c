#include "tui/commands/cli_screen.h"

const char *const cli_colour_names[] = {"0", "8", "16", "256", "true", NULL};

int cli_colours(int choice)
{
    static const int number[] = {0, 8, 16, 256, 1 << 24};
    return choice < 0 ? -1 : number[choice];
}
