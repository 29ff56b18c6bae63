/* The kernels of one instruction set, in a table. */
#include "math/vec/vec.h"

#define KERNELS(X)                                                                                           \
    X(pack)                                                                                                  \
    X(pack_transposed)                                                                                       \
    X(pack_left)                                                                                             \
    X(product)                                                                                               \
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
    X(add3)                                                                                                  \
    X(sumsq)                                                                                                 \
    X(scale)                                                                                                 \
    X(adamw)                                                                                                 \
    X(sgd)                                                                                                   \
    X(sgd_momentum)                                                                                          \
    X(add_squares)                                                                                           \
    X(sumsq_product)                                                                                         \
    X(shrink_subtract)

/* The declarations repeat the members' types: a kernel with another signature does not compile. */
#define X(name) extern __typeof__(*((struct bt__kernels *)0)->name) VEC(name);
KERNELS(X)
#undef X

#define TEXT2(a) #a
#define TEXT(a)  TEXT2(a)

extern const struct bt__kernels BT__PASTE(bt__kernels, BT__ARCH);
const struct bt__kernels BT__PASTE(bt__kernels, BT__ARCH) = {.name = TEXT(BT__ARCH),
                                                             .panel = VEC_PANEL,
#define X(name) .name = VEC(name),
                                                             KERNELS(X)
#undef X
};
