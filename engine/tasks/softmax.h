/* Probabilities and cross-entropy of logits of which one is right. */
#ifndef BERTTY_TASKS_SOFTMAX_H
#define BERTTY_TASKS_SOFTMAX_H

#include <stddef.h>

/* p[n] = softmax(logits[n]), in double inside. */
void bt__softmax(const float *logits, int n, float *p);
/* Index of the largest logit; the first of equals. */
int bt__argmax(const float *logits, int n);

/* Loss of one example, −Σ q·log p with q = (1 − ε)·onehot(gold) + ε/classes (Szegedy et al. 2016). Unless NULL, dlogits [classes] receives
 * scale · (p − q), the gradient of scale · loss. */
double bt__cross_entropy(const float *logits, int classes, int gold, double smoothing, double scale,
                         float *dlogits);
/* The same with a weight for each label, Σ −q·w·log p, as torch.nn.CrossEntropyLoss(weight=w, reduction="sum"); weight NULL: all 1. */
double bt__weighted_cross_entropy(const float *logits, int classes, int gold, const double *weight,
                                  double smoothing, double scale, float *dlogits);

#endif
