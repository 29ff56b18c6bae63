/* What `bertty data` prints. */
#ifndef TUI_COMMANDS_CLI_DATA_H
#define TUI_COMMANDS_CLI_DATA_H

#include "tui/columns.h"
#include <bertty/data_report.h>

struct cli_data_facts {
    const struct bt_data_spec *spec;
    const struct bt_data_dialect *dialect; /* of the first file */
    size_t max_length;                     /* 0: nothing is cut */
    bool guessed;                          /* the columns are */
    bool label_first; /* … and the delimiter: a label, a blank and a text on each line */
};

void cli_data_tell(const struct bt_data_report *r, const struct cli_data_facts *f);
void cli_data_json(const struct bt_data_report *r, const struct cli_data_facts *f);
/* The columns, with the first row as an example. */
void cli_data_columns(const char *path, struct bt_table *t, const struct column *c);
void cli_data_columns_json(const struct bt_table *t, const struct column *c);

#endif
