/* Answers to questions, scored as SQuAD's evaluation scripts 1.1 and 2.0 do; in per cent, as theirs. All texts are the caller's. */
#ifndef BERTTY_METRICS_ANSWERS_H
#define BERTTY_METRICS_ANSWERS_H

#include "metrics/metrics.h"

struct bt__gold_answer {
    const char *text;
    size_t n; /* bytes */
};

struct bt__answer {
    const char *predicted; /* NULL: there is no prediction; "": no answer */
    size_t predicted_n;    /* bytes */
    const struct bt__gold_answer *gold;
    size_t golds;     /* 0: the question has no answer */
    double null_odds; /* larger: rather no answer; used if has_null_odds */
};

struct bt__answer_results {
    size_t n;
    const struct bt__answer *item;
    bool v2; /* SQuAD 2.0: questions without an answer */
    bool
        has_null_odds; /* the predictions are what the model answers if it must (else null_odds counts as 0) */
    double threshold;  /* an answer with null_odds above it counts as none. 2.0's script: 1.0 unless told */
};

/* Appends the metrics of the family answers. */
enum bt_status bt__answer_metrics(const struct bt__answer_results *r, struct bt_metrics *out,
                                  struct bt_error *err);

/* One prediction's exact match (0 or 1) and F1 (0 to 1): the maximum over the gold answers. */
struct bt__answer_score {
    double exact, f1;
    bool counted; /* false: 2.0 passes over a question without a prediction */
};
enum bt_status bt__answer_score(const struct bt__answer *a, bool v2, struct bt__answer_score *out,
                                struct bt_error *err);

/* The threshold of null odds that is best on these predictions, by F1 or exact match, as find_best_thresh: *value in per cent. */
enum bt_status bt__answer_threshold(const struct bt__answer_results *r, bool by_f1, double *threshold,
                                    double *value, struct bt_error *err);

/* Appends the text as it is compared: lower case, without punctuation and articles, single spaces. */
void bt__answer_normalize(const char *text, size_t n, struct bt_str *out);

/* Whether the capital sigma at [begin, end) is the last letter of its word, where str.lower() writes it ς. */
bool bt__sigma_is_final(const char *text, size_t n, size_t begin, size_t end);

#endif
