#include "tui/term_stderr.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A sanitizer's report is wanted at once, whatever it does to the screen. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HOLDS = 0 };
#else
enum { HOLDS = 1 };
#endif

static struct {
    int kept, terminal; /* file of what was printed; the true standard error; < 1: not held */
} held;

void stderr_hold(void)
{
    if (!HOLDS || held.kept > 0 || !isatty(STDERR_FILENO)) return;
    int file = memfd_create("standard error", MFD_CLOEXEC),
        copy = file >= 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
    if (copy < 0 || dup2(file, STDERR_FILENO) < 0) {
        if (file >= 0) close(file);
        if (copy >= 0) close(copy);
        return;
    }
    held.kept = file;
    held.terminal = copy;
}

static void make_harmless(char *text, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c != '\n' && (c < 0x20 || c > 0x7e)) text[i] = '?';
    }
}

void stderr_release(void)
{
    char text[1024];
    int file = held.kept;
    if (file < 1) return;
    held.kept = 0;
    dup2(held.terminal, STDERR_FILENO);
    close(held.terminal);
    lseek(file, 0, SEEK_SET);
    for (ssize_t n; (n = read(file, text, sizeof text)) > 0;) {
        make_harmless(text, n);
        if (write(STDERR_FILENO, text, (size_t)n) < 0) break;
    }
    close(file);
}
