/* Numbers as text, whatever the locale says about decimal points. */
#ifndef BERTTY_NUM_H
#define BERTTY_NUM_H

#include <stdbool.h>
#include <stdint.h>

enum { BT_NUMBER_SIZE = 40 };

/* The whole text must be a finite number ("5e-5", "1", "-.5"); false otherwise, *v untouched. */
bool bt_parse_double(const char *text, double *v);
/* Decimal, optional sign, in range; underscores and spaces are refused. */
bool bt_parse_int64(const char *text, int64_t *v);
/* A time: "90s", "30m", "1h30m", "1.5h", "2d", "01:30:00" or "30:00" (minutes and seconds). Above 0, at most a thousand days; a number alone is refused, for
 * who says what it counts? */
bool bt_parse_duration(const char *text, double *seconds);
#define BT_A_DURATION "a time like 45m, 1h30m or 12:00:00" /* for what is said of others */
/* The shortest text that reads back as the same value; returns out. */
const char *bt_format_double(double v, char out[BT_NUMBER_SIZE]);
const char *bt_format_float(float v, char out[BT_NUMBER_SIZE]);

#endif
