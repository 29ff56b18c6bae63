/* The curves of the Charts view on their axes, and smoothed. */
#ifndef TUI_VIEWS_CHARTS_CURVES_H
#define TUI_VIEWS_CHARTS_CURVES_H

#include "tui/views/charts_data.h"

/* Fills x and smooth of a panel's curves: weight 0 = no smoothing, else that of an exponential moving average with its
 * start-up bias removed (as TensorBoard's). False without memory. */
bool charts_prepare(struct charts_panel *panel, enum charts_axis axis, double weight);

/* smooth[i] from y[0…i]; values that are not finite pass through. */
void charts_smooth(const double *y, size_t n, double weight, double *smooth);

/* Frees what was made of a run's curves. */
void charts_forget(struct charts_run *run);

/* A step on another axis, as the curves of that run have it. */
double charts_step_on(const struct charts_run *run, enum charts_axis axis, double step);

/* The index of the last point at or before x (the first one if there is none); n must not be 0. */
size_t charts_at(const double *x, size_t n, double at);

#endif
