#include <bertty/version.h>

#include "math/gemm.h"
#include "math/kernels.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

#if defined(__clang__)
#define COMPILER "clang " TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT(__clang_patchlevel__)
#else
#define COMPILER "gcc " TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(__GNUC_PATCHLEVEL__)
#endif

#if defined(__x86_64__)
#define TARGET "x86-64"
#elif defined(__aarch64__)
#define TARGET "aarch64"
#else
#define TARGET "portable"
#endif

const char *bt_build_name(void)
{
    return COMPILER ", " TARGET;
}

const char *bt_kernels_name(void)
{
    return bt__kernels()->name;
}

bool bt_has_bf16(void)
{
    return bt__kernels()->has_bf16;
}

const char *bt_blas_name(void)
{
    return bt__gemm_init(NULL) == BT_OK ? bt__gemm_name() : "none (libopenblas.so.0 cannot be loaded)";
}
