/* This process and this machine, as a run records them: so that a reader can tell whether a run's engine still lives. */
#ifndef BERTTY_RUN_PROC_H
#define BERTTY_RUN_PROC_H

#include <stdint.h>

struct bt__proc {
    int64_t pid;
    int64_t start; /* field 22 of /proc/<pid>/stat: clock ticks after boot; 0: unknown */
    char boot_id[40];
    char host[65];
};

void bt__proc_self(struct bt__proc *p);
/* Start time of a process, 0 if there is none, or a dead one (or no /proc). *letter (or NULL): its state as /proc/<pid>/stat has it ('T': stopped, 'D': waits
 * for a device, …); '?' if there is none. */
int64_t bt__proc_look(int64_t pid, char *letter);
int64_t bt__proc_start(int64_t pid);

double bt__proc_rss_mib(void);     /* resident now */
double bt__proc_max_rss_mib(void); /* … at its highest */
double bt__proc_cpu_seconds(void); /* of all threads */
double bt__clock(void);            /* monotonic seconds */
double bt__wall(void);             /* seconds since 1970 */
void bt__sleep(double seconds);
/* "model name" of /proc/cpuinfo, or "unknown". */
void bt__cpu_name(char *out, int size);

#endif
