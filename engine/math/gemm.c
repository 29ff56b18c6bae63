#include "math/gemm.h"

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    pthread_once_t once;
    __typeof__(cblas_sgemm) *sgemm;
    char name[160], problem[256];
} blas = {.once = PTHREAD_ONCE_INIT};

/* The first of these that the system has. */
static const char *const candidates[] = {"libopenblas.so.0", "libopenblas.so", "libcblas.so.3"};

static void name_it(void *lib)
{
    char *(*config)(void) = NULL;
    char *(*core)(void) = NULL;
    *(void **)&config = dlsym(lib, "openblas_get_config");
    *(void **)&core = dlsym(lib, "openblas_get_corename");
    snprintf(blas.name, sizeof blas.name, "%.90s [%.40s]", config ? config() : "BLAS", core ? core() : "?");
}

static void load(void)
{
    /* Read when the library is loaded: it must not start threads of its own. */
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *lib = NULL;
    for (size_t i = 0; !lib && i < sizeof candidates / sizeof *candidates; i++)
        lib = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        const char *why = dlerror();
        snprintf(blas.problem, sizeof blas.problem, "%s", why ? why : "libopenblas.so.0 not found");
        return;
    }
    void (*set_threads)(int) = NULL;
    *(void **)&set_threads = dlsym(lib, "openblas_set_num_threads");
    if (set_threads) set_threads(1);
    *(void **)&blas.sgemm = dlsym(lib, "cblas_sgemm");
    if (!blas.sgemm) snprintf(blas.problem, sizeof blas.problem, "the library has no cblas_sgemm");
    name_it(lib);
}

enum bt_status bt__gemm_init(struct bt_error *err)
{
    pthread_once(&blas.once, load);
    if (blas.sgemm) return BT_OK;
    return bt_fail(err, BT_UNSUPPORTED, "OpenBLAS cannot be loaded (%s): install libopenblas0-pthread",
                   blas.problem);
}

const char *bt__gemm_name(void)
{
    return blas.name;
}

void bt__gemm_nt(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc)
{
    blas.sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc);
}

void bt__gemm_nn(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc)
{
    blas.sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc);
}

void bt__gemm_tn(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc)
{
    blas.sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc);
}
