#include "tui/commands/cli_queue.h"

#include <bertty/file.h>
#include <bertty/json.h>
#include <stdlib.h>
#include <string.h>

static const double PATIENCE = 120; /* seconds: somebody else may be starting an engine */

enum bt_status cli_queue_take(const char *runs_dir, const char *by, const char *ended,
                              struct bt_queue_taken *taken)
{
    struct bt_error err = {.status = BT_OK};
    const struct bt_queue_taking how = {
        .runs_dir = runs_dir, .by = by, .ended = ended, .patience_s = PATIENCE};
    enum bt_status st = bt_queue_take(&how, taken, &err);
    if (st) cli_warn("the queue does not go on: %s", err.text);
    return st;
}

/* Its status as the list of its runs directory has it, with its place. */
static const struct bt_run_status *in_list(const struct bt_run_list *l, const char *dir)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->run[i].dir, dir) == 0) return &l->run[i];
    return NULL;
}

int64_t cli_queue_place(const char *dir)
{
    struct bt_run_list l = {.n = 0};
    char *runs = bt_path_above(dir);
    const struct bt_run_status *s =
        runs && bt_run_list(runs, NULL, &l, NULL) == BT_OK ? in_list(&l, dir) : NULL;
    int64_t place = s ? s->place : 0;
    bt_run_list_clear(&l);
    free(runs);
    return place;
}

static void tell(const struct bt_run_status *s, bool json)
{
    struct bt_str out = {0};
    struct bt_json_writer w = BT_JSON_WRITER(&out);
    if (!json && s->place)
        cli_line("%s is queued as number %lld", s->id, (long long)s->place);
    else if (!json)
        cli_line("run %s", s->dir);
    if (!json) return;
    bt_jw_object(&w);
    bt_jw_ktext(&w, "run", s->id);
    bt_jw_ktext(&w, "dir", s->dir);
    bt_jw_ktext(&w, "state", bt_run_state_name(s->state));
    bt_jw_kint(&w, "place", s->place);
    bt_jw_end_object(&w);
    cli_json(&out);
    bt_str_free(&out);
}

int cli_queue_added(const char *dir, bool json)
{
    struct bt_queue_taken taken;
    struct bt_run_list l = {.n = 0};
    struct bt_error err = {.status = BT_OK};
    char *runs = bt_path_above(dir);
    enum bt_status st = runs ? BT_OK : bt_fail(&err, BT_NOMEM, "no memory");
    if (!st) {
        (void)cli_queue_take(runs, "the command that queued it", NULL, &taken);
        bt_queue_taken_clear(&taken);
        st = bt_run_list(runs, NULL, &l, &err);
    }
    const struct bt_run_status *s = in_list(&l, dir);
    if (!st && !s) st = bt_fail(&err, BT_NOTFOUND, "%s: the run has gone", dir);
    if (!st) tell(s, json);
    bt_run_list_clear(&l);
    free(runs);
    return st ? cli_fail(&err) : CLI_DONE;
}
