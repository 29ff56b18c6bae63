#include "tui/empty.h"
#include "tui/sheet.h"
#include <string.h>

void empty_draw(struct term *t, struct rect in, const struct empty *e)
{
    enum { LEFT = 2, TOP = 1 };
    struct rect r = {.y = in.y + TOP, .x = in.x + LEFT, .h = in.h - TOP, .w = in.w - 2 * LEFT};
    struct sheet s = {0};
    if (r.h < 1 || r.w < 1) return;
    sheet_begin(&s, r.w);
    sheet_wrap(&s, e->role, 0, e->missing, strlen(e->missing));
    if (e->advice[0]) sheet_wrap(&s, ROLE_TEXT, 0, "", 0);
    for (int i = 0; i < EMPTY_LINES && e->advice[i]; i++)
        sheet_wrap(&s, ROLE_DIM, 0, e->advice[i], strlen(e->advice[i]));
    sheet_draw(&s, t, r);
    sheet_free(&s);
}
