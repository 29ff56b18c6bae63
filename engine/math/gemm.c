#include "math/gemm.h"

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    pthread_once_t once;
    __typeof__(cblas_sgemm) *sgemm;
    bool serial; /* the library bears one caller at a time */
    pthread_mutex_t lock;
    char name[160], problem[256];
} blas = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

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
    /* 0: built without threads, which leaves out the locks around its buffers too: calls from two threads at once give wrong products. */
    int (*parallel)(void) = NULL;
    *(void **)&parallel = dlsym(lib, "openblas_get_parallel");
    blas.serial = parallel && parallel() == 0;
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

bool bt__gemm_serial(void)
{
    return blas.serial;
}

struct operand {
    CBLAS_TRANSPOSE how;
    const float *p;
    int ld;
};

static void multiply(int m, int n, int k, struct operand a, struct operand b, float beta, float *c, int ldc)
{
    if (blas.serial) pthread_mutex_lock(&blas.lock);
    blas.sgemm(CblasRowMajor, a.how, b.how, m, n, k, 1.0f, a.p, a.ld, b.p, b.ld, beta, c, ldc);
    if (blas.serial) pthread_mutex_unlock(&blas.lock);
}

void bt__gemm_nt(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc)
{
    const struct operand x = {.how = CblasNoTrans, .p = a, .ld = lda},
                         y = {.how = CblasTrans, .p = b, .ld = ldb};
    multiply(m, n, k, x, y, beta, c, ldc);
}

void bt__gemm_nn(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc)
{
    const struct operand x = {.how = CblasNoTrans, .p = a, .ld = lda},
                         y = {.how = CblasNoTrans, .p = b, .ld = ldb};
    multiply(m, n, k, x, y, beta, c, ldc);
}

void bt__gemm_tn(int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                 int ldc)
{
    const struct operand x = {.how = CblasTrans, .p = a, .ld = lda},
                         y = {.how = CblasNoTrans, .p = b, .ld = ldb};
    multiply(m, n, k, x, y, beta, c, ldc);
}
