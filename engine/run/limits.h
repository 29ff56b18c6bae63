/* What this machine has left: memory and disk. */
#ifndef BERTTY_RUN_LIMITS_H
#define BERTTY_RUN_LIMITS_H

/* MiB that this process may come to use: the smallest of the cgroups' limits, and what is available plus what it has. */
double bt__memory_mib(void);
/* The same by the /proc and /sys that are below root ("": the machine's): for tests. */
double bt__memory_below(const char *root);
/* MiB free for us on the file system of path, or of its nearest existing parent; negative: unknown. */
double bt__disk_mib(const char *path);

#endif
