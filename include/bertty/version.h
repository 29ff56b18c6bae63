/* What this build is and what it found on this machine. All texts are static storage. */
#ifndef BERTTY_VERSION_H
#define BERTTY_VERSION_H

#include <stdbool.h>

#define BT_VERSION "0.1.0"

/* Compiler and target: "gcc 12.2.0, x86-64". */
const char *bt_build_name(void);
/* The vector kernels chosen for this CPU: "base", "avx2", "avx512", "avx512bf16". */
const char *bt_kernels_name(void);
/* This CPU multiplies bf16 itself. Otherwise train.precision: bf16 gives nearly the same figures, but is slower than fp32. */
bool bt_has_bf16(void);
/* The BLAS library that products run on, or why there is none. Loads it at the first call. */
const char *bt_blas_name(void);

#endif
