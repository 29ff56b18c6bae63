/* An editor of the user's, which has the screen meanwhile. */
#include "tui/app_private.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The variable may hold options, "code --wait": the shell splits it, and never reads the path. */
static void run_editor(const char *editor, const char *path)
{
    execl("/bin/sh", "sh", "-c", "exec $2 \"$1\"", "sh", path, editor, (char *)NULL);
    _exit(127);
}

static const char *users_editor(void)
{
    const char *editor = getenv("VISUAL");
    if (!editor || !*editor) editor = getenv("EDITOR");
    return editor && *editor ? editor : "vi";
}

/* Ctrl-Z in the editor stops us with it. */
static int wait_for(pid_t child)
{
    int state = 0;
    for (;;) {
        if (waitpid(child, &state, WUNTRACED) < 0) {
            if (errno != EINTR) return -1;
        } else if (WIFSTOPPED(state)) {
            raise(SIGSTOP);
            kill(child, SIGCONT);
        } else {
            return WIFEXITED(state) ? WEXITSTATUS(state) : 0;
        }
    }
}

bool app_edit_file(struct app *a, const char *path)
{
    const char *editor = users_editor();
    if (!term_suspend(a->term)) {
        app_say(a, ROLE_BAD, "%s: an editor needs a terminal", path);
        return true;
    }
    pid_t child = fork();
    if (child == 0) run_editor(editor, path);
    int code = child > 0 ? wait_for(child) : -1;
    term_resume(a->term);
    app_redraw(a);
    bool started = code >= 0 && code != 126 && code != 127;
    if (!started) app_say(a, ROLE_BAD, "'%s' could not be started: set EDITOR", editor);
    return started;
}
