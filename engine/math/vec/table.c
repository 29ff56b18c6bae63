/* The kernels of one instruction set, in a table. */
#include "math/vec/vec.h"

#define KERNELS(X)                                                                                           \
    X(gelu)                                                                                                  \
    X(gelu_tanh)                                                                                             \
    X(relu)                                                                                                  \
    X(gelu_backward)                                                                                         \
    X(gelu_tanh_backward)                                                                                    \
    X(relu_backward)                                                                                         \
    X(norm)                                                                                                  \
    X(norm_backward)                                                                                         \
    X(scale_shift)                                                                                           \
    X(dropout)                                                                                               \
    X(exps)                                                                                                  \
    X(softmax)                                                                                               \
    X(softmax_backward)                                                                                      \
    X(colsum)                                                                                                \
    X(colsum_dot)                                                                                            \
    X(add)                                                                                                   \
    X(sum4)                                                                                                  \
    X(sumsq)                                                                                                 \
    X(scale)                                                                                                 \
    X(adamw)                                                                                                 \
    X(sgd)                                                                                                   \
    X(sgd_momentum)                                                                                          \
    X(add_squares)                                                                                           \
    X(sumsq_product)                                                                                         \
    X(shrink_subtract)

#define PRODUCTS(X, precision)                                                                               \
    X(pack, precision)                                                                                       \
    X(pack_transposed, precision)                                                                            \
    X(pack_left, precision)                                                                                  \
    X(product, precision)

/* The declarations repeat the members' types: a kernel with another signature does not compile. */
#define X(name) extern __typeof__(*((struct bt__kernels *)0)->name) VEC(name);
KERNELS(X)
#undef X
#define X(name, precision) extern __typeof__(*((struct bt__products *)0)->name) VEC(name##precision);
PRODUCTS(X, )
PRODUCTS(X, _bf16)
X(pack_rows, _bf16)
#undef X

#define TEXT2(a) #a
#define TEXT(a)  TEXT2(a)

#ifdef __AVX512BF16__
#define HAS_BF16 true
#else
#define HAS_BF16 false
#endif

extern const struct bt__kernels BT__PASTE(bt__kernels, BT__ARCH);
const struct bt__kernels BT__PASTE(bt__kernels, BT__ARCH) = {
    .name = TEXT(BT__ARCH),
    .has_bf16 = HAS_BF16,
#define X(name, precision) .name = VEC(name##precision),
    .fp32 = {.steps = 1, .panel = VEC_PANEL, PRODUCTS(X, )},
    .bf16 = {.steps = 2, .panel = VEC_PANEL, X(pack_rows, _bf16) PRODUCTS(X, _bf16)},
#undef X
#define X(name) .name = VEC(name),
    KERNELS(X)
#undef X
};
