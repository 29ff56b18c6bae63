/* The tags that a model tells apart: all in one scheme, whatever scheme the data is written in. Tags that are no entities' (parts of speech) are taken
 * as they stand.
 *
 * A tag is handled as a struct bt__tag: a letter and a type. One that is taken as it stands has no letter, and the whole text for its type. */
#ifndef BERTTY_TASKS_TAGSET_H
#define BERTTY_TASKS_TAGSET_H

#include "metrics/tags.h"
#include "tasks/task.h"

struct bt__tagset {
    struct bt__labels names;
    struct bt__tag *meaning; /* [names.n]; points into names */
    enum bt__scheme scheme;
    bool raw; /* tags as they stand */
};

/* Zero-initialise but for scheme and raw; bt__tagset_free() releases. */
void bt__tagset_free(struct bt__tagset *s);
/* names are copied. */
enum bt_status bt__tagset_fill(struct bt__tagset *s, const struct bt__labels *names, struct bt_error *err);
/* Number of a tag, or −1. */
int bt__tagset_find(const struct bt__tagset *s, const struct bt__tag *t);
/* The same, with the tag added at the end if it is not there yet. */
enum bt_status bt__tagset_add(struct bt__tagset *s, const struct bt__tag *t, int *id, struct bt_error *err);
/* What a tag's text means in s. */
struct bt__tag bt__tagset_read(const struct bt__tagset *s, const char *text, size_t n);

/* What the tags of a split are like. */
struct bt__tag_survey {
    size_t words;
    size_t entities;      /* words whose tag is that of an entity, in whatever scheme */
    size_t foreign;       /* words whose tag is outside of every scheme */
    const char *scheme;   /* as bt__tag_scheme_name() has it; NULL: none */
    enum bt__scheme from; /* the scheme to read them in */
};
/* BT_INVALID: a word has no tag. */
enum bt_status bt__tag_survey(const struct bt__task_data *d, struct bt__tag_survey *out,
                              struct bt_error *err);
/* More tags outside of every scheme than inside: they are something else. */
bool bt__tag_survey_raw(const struct bt__tag_survey *v);

/* Sentences in the scheme of a set. Zero-initialise; bt__tag_reader_free() releases. */
struct bt__tag_reader {
    struct bt__tag *given, *tag; /* [cap]; tag: of the sentence that was read last */
    struct bt__entity *entity;
    size_t cap;
};
/* from: the scheme that the words are tagged in. Tags outside of every scheme become O. r->tag points into the words' tags. */
enum bt_status bt__tag_reader_read(struct bt__tag_reader *r, const struct bt__tagset *s, enum bt__scheme from,
                                   const struct bt_part *word, size_t n, struct bt_error *err);
void bt__tag_reader_free(struct bt__tag_reader *r);

#endif
