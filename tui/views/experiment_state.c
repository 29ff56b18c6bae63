/* Where the workbench keeps what is not worth a file of the user's own. */
#include "tui/views/experiment_view.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

char *exp_state_path(const char *kind, const char *of)
{
    char hex[65], *dir = app_state_dir(), *path = NULL;
    bt_sha256(of, strlen(of), hex);
    if (dir && bt_mkdirs(dir, NULL) == BT_OK) path = bt_strfmt("%s/%s-%.16s.yaml", dir, kind, hex);
    free(dir);
    return path;
}
