/* A hand on confident learning for tests. Standard input: ROWS LABELS, then for each row its label and its probabilities. Lines: the thresholds; the
 * joint's counts; the flagged rows; all rows in the order of the audit. */
#include <bertty/audit.h>
#include <bertty/num.h>
#include <stdio.h>
#include <stdlib.h>

static int tell(const struct bt_confident *c)
{
    char text[BT_NUMBER_SIZE];
    for (int k = 0; k < c->labels; k++) printf("%s ", bt_format_double(c->threshold[k], text));
    printf("\n");
    for (int k = 0; k < c->labels * c->labels; k++) printf("%lld ", (long long)c->joint[k]);
    printf("\n");
    for (size_t i = 0; i < c->n; i++)
        if (c->flagged[i]) printf("%zu ", i);
    printf("\n");
    for (size_t i = 0; i < c->n; i++) printf("%zu ", c->order[i]);
    printf("\n");
    return 0;
}

int main(void)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_confident *c = NULL;
    size_t n;
    int labels, code = 1;
    if (scanf("%zu %d", &n, &labels) != 2) return 2;
    float *scores = calloc(n * (size_t)labels + 1, sizeof *scores);
    int *given = calloc(n + 1, sizeof *given);
    bool fine = scores && given;
    for (size_t i = 0; fine && i < n; i++) {
        fine = scanf("%d", &given[i]) == 1;
        for (int k = 0; fine && k < labels; k++)
            fine = scanf("%f", &scores[i * (size_t)labels + (size_t)k]) == 1;
    }
    if (!fine)
        fprintf(stderr, "audit_tool: input ends early\n");
    else if (bt_confident_learn(scores, given, n, labels, &c, &err))
        fprintf(stderr, "%s\n", err.text);
    else
        code = tell(c);
    bt_confident_free(c);
    free(scores);
    free(given);
    return code;
}
