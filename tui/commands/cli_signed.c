#include "tui/commands/cli_signed.h"

#include <stdlib.h>
#include <string.h>

static bool is_option(const char *word)
{
    return word[0] == '-' && (word[1] == '-' || strcmp(word, "-j") == 0 || strcmp(word, "-h") == 0);
}

static bool takes_value(const char *word, const char *const *valued)
{
    while (valued && *valued && strcmp(word, *valued) != 0) valued++;
    return valued && *valued;
}

bool cli_signed_sort(int argc, char **argv, const char *const *valued, struct cli_signed *w)
{
    const size_t n = (size_t)argc + 1;
    *w = (struct cli_signed){.rest = calloc(n, sizeof *w->rest),
                             .add = calloc(n, sizeof *w->add),
                             .drop = calloc(n, sizeof *w->drop)};
    bool run = false, value = false; /* one has been seen; this is the value of an option */
    if (!w->rest || !w->add || !w->drop) return false;
    for (int i = 0; i < argc; i++) {
        const char sign = run && !value && !is_option(argv[i]) ? argv[i][0] : '\0';
        if (sign == '+')
            w->add[w->n_add++] = argv[i] + 1;
        else if (sign == '-')
            w->drop[w->n_drop++] = argv[i] + 1;
        else
            w->rest[w->n_rest++] = argv[i];
        run |= i > 0 && !value && argv[i][0] != '-';
        value = takes_value(argv[i], valued);
    }
    return true;
}

void cli_signed_free(struct cli_signed *w)
{
    free(w->rest);
    free(w->add);
    free(w->drop);
}
