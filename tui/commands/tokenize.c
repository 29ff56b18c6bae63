/* bertty tokenize */
#include "tui/commands/cli.h"
#include "tui/commands/cli_model.h"
#include <bertty/experiment.h>
#include <bertty/file.h>
#include <bertty/json.h>
#include <bertty/run.h>
#include <bertty/tokenizer.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "Each line of FILE (without FILE, or with -: of standard input) is a text; there is no header and no "
    "quoting. Each "
    "line of the\n"
    "output is what the model gets for it: the pieces, or with --ids their numbers, with [CLS] and [SEP], "
    "never cut and\n"
    "never padded. Only a newline ends a line: a carriage return before it belongs to the text (and is white "
    "space).\n"
    "MODEL is a model directory, or a run: its best checkpoint, else its last; RUN@STEP names another.\n";

enum { MOST_LINE = 256 << 20, CHUNK = 1 << 16 };

struct request {
    bool json, ids;
    const char *runs;
    const char *model;
    const char *file;         /* NULL: standard input */
    int lower, strip, compat; /* index of the choice */
};

/* ── lines ── */

struct lines {
    int fd;
    const char *name;
    int64_t line; /* number of the current one, from 1 */
    char chunk[CHUNK];
    size_t at, n;        /* what is left of chunk */
    struct bt_str carry; /* a line that several chunks make up */
    bool end;
};

static ssize_t fill(struct lines *l)
{
    ssize_t got;
    do got = read(l->fd, l->chunk, CHUNK);
    while (got < 0 && errno == EINTR);
    l->at = 0;
    l->n = got > 0 ? (size_t)got : 0;
    l->end = got <= 0;
    return got;
}

/* The next line without its newline, borrowed until the next call; NULL at the end or after a failure (err->status). */
static const char *next_line(struct lines *l, size_t *n, struct bt_error *err)
{
    bt_str_clear(&l->carry);
    for (;;) {
        if (l->at == l->n && !l->end && fill(l) < 0) {
            bt_fail_errno(err, "%s", l->name);
            return NULL;
        }
        if (l->end) break;
        const char *begin = l->chunk + l->at, *nl = memchr(begin, '\n', l->n - l->at);
        *n = nl ? (size_t)(nl - begin) : l->n - l->at;
        l->at += *n + (nl != NULL);
        if (nl && l->carry.len == 0) {
            l->line++;
            return begin;
        }
        bt_str_addn(&l->carry, begin, *n);
        if (l->carry.failed || l->carry.len > MOST_LINE) {
            bt_fail(err, BT_INVALID, "%s:%lld: a line of more than %zu bytes, expected at most %d", l->name,
                    (long long)l->line + 1, l->carry.len, MOST_LINE);
            return NULL;
        }
        if (nl) break;
    }
    if (l->end && l->carry.len == 0) return NULL;
    l->line++;
    *n = l->carry.len;
    return bt_str_text(&l->carry);
}

/* ── the model ── */

static bool is_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool has(const char *dir, const char *name)
{
    char *path = bt_path_join(dir, name);
    bool there = path && bt_path_exists(path);
    free(path);
    return there;
}

/* auto, true, false → −1, 1, 0 */
static int tri(int choice)
{
    return choice == 0 ? -1 : choice == 1;
}

/* What the run's experiment says, where the command line says nothing. */
static enum bt_status run_settings(const struct request *q, const char *dir, struct bt_tokenizer_options *opt,
                                   struct bt_error *err)
{
    struct bt_experiment *x;
    enum bt_status st = bt_run_experiment(dir, &x, err);
    if (st == BT_NOTFOUND) return BT_OK; /* a run of another tool */
    if (st) return st;
    if (q->lower == 0) opt->do_lower_case = tri(x->model_do_lower_case);
    if (q->strip == 0) opt->strip_accents = tri(x->model_strip_accents);
    if (q->compat < 0 && x->model_tokenizer_compat == BT_TOKENIZER_COMPAT_GOOGLE)
        opt->compat = BT_COMPAT_GOOGLE;
    bt_experiment_free(x);
    return BT_OK;
}

static enum bt_status load(const struct request *q, struct bt_tokenizer **t, struct bt_error *err)
{
    struct bt_tokenizer_options opt = {.do_lower_case = tri(q->lower),
                                       .strip_accents = tri(q->strip),
                                       .compat = q->compat == 1 ? BT_COMPAT_GOOGLE : BT_COMPAT_HF};
    struct cli_model m;
    if (is_directory(q->model) && !has(q->model, "experiment.yaml") && !has(q->model, "status.json"))
        return bt_tokenizer_of_model(q->model, &opt, t, err);
    enum bt_status st = cli_model_find(q->runs, q->model, &m, err);
    if (!st && m.run) st = run_settings(q, m.run, &opt, err);
    if (!st) st = bt_tokenizer_of_model(m.dir, &opt, t, err);
    cli_model_clear(&m);
    return st;
}

/* ── output ── */

struct printer {
    const struct request *q;
    const struct bt_tokenizer *t;
    struct bt_encoding e;
    struct bt_str out;
    int64_t lines, tokens, unknown;
};

static void add_number(struct bt_str *out, int32_t id)
{
    char digits[12], *p = digits + sizeof digits;
    for (uint32_t v = (uint32_t)id; v > 0 || p == digits + sizeof digits; v /= 10)
        *--p = (char)('0' + v % 10);
    bt_str_addn(out, p, (size_t)(digits + sizeof digits - p));
}

/* Token i of the sequence: 0 is [CLS], e.n + 1 is [SEP]. */
static int32_t token(const struct printer *p, size_t i)
{
    if (i == 0) return bt_tokenizer_special(p->t, BT_CLS);
    return i <= p->e.n ? p->e.ids[i - 1] : bt_tokenizer_special(p->t, BT_SEP);
}

static void print_json(struct printer *p)
{
    struct bt_json_writer w = BT_JSON_WRITER(&p->out);
    bt_jw_object(&w);
    bt_jw_key(&w, "ids");
    bt_jw_array(&w);
    for (size_t i = 0; i < p->e.n + 2; i++) bt_jw_int(&w, token(p, i));
    bt_jw_end_array(&w);
    bt_jw_key(&w, "pieces");
    bt_jw_array(&w);
    for (size_t i = 0; i < p->e.n + 2; i++) bt_jw_text(&w, bt_tokenizer_piece(p->t, token(p, i)));
    bt_jw_end_array(&w);
    bt_jw_end_object(&w);
}

static void print_line(struct printer *p)
{
    for (size_t i = 0; i < p->e.n + 2; i++) {
        if (i > 0) bt_str_addc(&p->out, ' ');
        if (p->q->ids)
            add_number(&p->out, token(p, i));
        else
            bt_str_add(&p->out, bt_tokenizer_piece(p->t, token(p, i)));
    }
}

static void print_text(struct printer *p)
{
    int32_t unknown = bt_tokenizer_special(p->t, BT_UNK);
    for (size_t i = 0; i < p->e.n; i++) p->unknown += p->e.ids[i] == unknown;
    p->lines++;
    p->tokens += (int64_t)p->e.n + 2;
    bt_str_clear(&p->out);
    if (p->q->json)
        print_json(p);
    else
        print_line(p);
    cli_data(bt_str_text(&p->out), p->out.len);
}

static void print_result(struct printer *p)
{
    struct bt_json_writer w = BT_JSON_WRITER(&p->out);
    bt_str_clear(&p->out);
    bt_jw_object(&w);
    bt_jw_kint(&w, "lines", p->lines);
    bt_jw_kint(&w, "tokens", p->tokens);
    bt_jw_kint(&w, "unknown", p->unknown);
    bt_jw_end_object(&w);
    cli_json(&p->out);
}

static enum bt_status print_all(struct printer *p, struct lines *l, struct bt_error *err)
{
    const char *text;
    size_t n;
    err->status = BT_OK;
    while (!cli_output_gone() && (text = next_line(l, &n, err))) {
        if (bt_tokenizer_ids(p->t, text, n, &p->e, err))
            return bt_error_prefix(err, err->status, "%s:%lld", l->name, (long long)l->line);
        print_text(p);
        if (p->out.failed) return bt_fail(err, BT_NOMEM, "%s:%lld: no memory", l->name, (long long)l->line);
    }
    if (!err->status && p->q->json) print_result(p);
    return err->status;
}

static enum bt_status open_input(const struct request *q, struct lines **out, struct bt_error *err)
{
    struct lines *l = calloc(1, sizeof *l);
    *out = l;
    if (!l) return bt_fail(err, BT_NOMEM, "no memory for reading");
    return cli_text_open(q->file, &l->name, &l->fd, err);
}

static int tokenize(const struct request *q)
{
    struct bt_error err = {0};
    struct bt_tokenizer *t = NULL;
    struct lines *l = NULL;
    enum bt_status st = load(q, &t, &err);
    struct printer p = {.q = q, .t = t};
    if (!st && (bt_tokenizer_special(t, BT_CLS) < 0 || bt_tokenizer_special(t, BT_SEP) < 0))
        st = bt_fail(&err, BT_INVALID, "%s: the vocabulary has no [CLS] or no [SEP]", q->model);
    if (!st) st = open_input(q, &l, &err);
    if (!st) st = print_all(&p, l, &err);
    if (l) bt_str_free(&l->carry);
    if (l && l->fd > STDIN_FILENO) close(l->fd);
    free(l);
    bt_str_free(&p.out);
    bt_encoding_free(&p.e);
    bt_tokenizer_free(t);
    return st ? cli_fail(&err) : CLI_DONE;
}

int cmd_tokenize(int argc, char **argv)
{
    static const char *const flag[] = {"auto", "true", "false", NULL}, *const compat[] = {"hf", "google",
                                                                                          NULL};
    struct request q = {.runs = "runs", .compat = -1};
    const struct cli_option options[] = {
        CLI_FLAG("ids", 'i', &q.ids, "print numbers instead of pieces"),
        CLI_CHOICE("do-lower-case", 0, &q.lower, flag,
                   "lower-case the text (auto: as the model's files or the run say)"),
        CLI_CHOICE("strip-accents", 0, &q.strip, flag,
                   "remove accents (auto: likewise, else with lower-casing)"),
        CLI_CHOICE("compat", 0, &q.compat, compat,
                   "as Hugging Face's tokenizers (default) or as Google's original code"),
        CLI_RUNS(&q.runs),
        CLI_JSON(&q.json),
        CLI_END,
    };
    const struct cli_spec spec = {
        .command = "tokenize", .about = about, .options = options, .min_args = 1, .max_args = 2};
    struct cli_args args;
    int code;
    if (!cli_parse(&spec, argc, argv, &args, &code)) return code;
    if (q.ids && q.json) return cli_misuse("tokenize", "--json has the ids too: give --ids or --json");
    q.model = args.v[0];
    q.file = args.n > 1 ? args.v[1] : NULL;
    return tokenize(&q);
}
