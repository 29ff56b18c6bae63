/* What the commands about runs share. */
#ifndef TUI_COMMANDS_CLI_RUN_H
#define TUI_COMMANDS_CLI_RUN_H

#include "tui/commands/cli.h"
#include <bertty/json.h>
#include <bertty/run.h>

struct bt_experiment;
/* An experiment file with the --set options of a command line. The caller frees *x, also after a failure. */
enum bt_status cli_experiment(const char *path, const struct cli_list *set, struct bt_experiment **x,
                              struct bt_error *err);

/* The directory of RUN; one of its checkpoints (RUN@STEP) is refused. The caller frees *dir. */
enum bt_status cli_run_find(const char *runs, const char *name, char **dir, struct bt_error *err);

/* The members of a status, without the braces. */
void cli_run_json(struct bt_json_writer *w, const struct bt_run_status *s);
/* The members of notes among them: tags, note, and notes_fault if there is one. */
void cli_notes_json(struct bt_json_writer *w, const struct bt_notes *n);

enum cli_notes { CLI_TELL_TAGS, CLI_TELL_NOTE };
/* What stands in a run's notes: one of the two for people (id: with the run's before it), all of it for programs. */
void cli_notes_tell(const char *dir, const struct bt_notes *n, enum cli_notes what, bool json, bool id);
/* "base, paper"; a file that cannot be understood: what is wrong with it. */
void cli_run_tags(struct bt_str *out, const struct bt_notes *n);

/* A cell: "training", "queued 2". */
void cli_run_state(struct cli_table *t, const struct bt_run_status *s);
/* "400/975", "400", "-" */
void cli_run_step(char *out, size_t size, const struct bt_run_status *s);
/* "2026-01-31 14:02", in local time; "-" for 0. */
void cli_time(char *out, size_t size, double seconds);
/* "12s", "3m12s", "5h03m", "2d04h"; "-" if it is not known. */
void cli_duration(char *out, size_t size, double seconds);
/* "512 B", "1.5 KiB", "260.1 MiB" */
void cli_bytes(char *out, size_t size, double bytes);

/* A command that tells each RUN's engine one word of the control file: all of cmd_stop() and its like. done: "will stop". Failures are told, the others still get
 * theirs. hint: of a run without an engine, or NULL. */
struct cli_steer {
    const char *command, *word, *about, *done, *hint;
};
int cli_steer(const struct cli_steer *what, int argc, char **argv);
/* The same for one RUN of a command line that was parsed: command and about do not count. */
int cli_steer_one(const struct cli_steer *what, const char *runs, const char *name, bool json);

#endif
