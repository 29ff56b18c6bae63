/* The texts that were asked, as a tree: an edit is a child of what was edited, going back and editing again makes a branch. No terminal. */
#ifndef TUI_VIEWS_PROBE_TREE_H
#define TUI_VIEWS_PROBE_TREE_H

#include "tui/views/probe_ask.h"
#include <bertty/json.h>

enum { PROBE_NODES = 300 /* at most: then the oldest leaf goes */ };

/* A text, with what the first model said of it last. */
struct probe_node {
    char *text, *pair; /* pair NULL: single */
    int parent;        /* −1: a root */
    char *run;         /* that answered; NULL: nothing was answered */
    int64_t step;
    char *said;    /* in a few words */
    char *label;   /* what was decided for first; NULL: a number, or nothing */
    char **name;   /* [n] labels, or answers, and … */
    double *score; /* … their scores */
    int n;
};

struct probe_tree {
    struct probe_node *node; /* [n] a parent stands before its children */
    int n, cap;
    int at; /* the text as it is; −1: none */
};
void probe_tree_free(struct probe_tree *t);

/* The text was asked: it becomes a child of the one before it, unless the tree has it. Either way it is the one that is edited from now on. False: no memory. */
bool probe_tree_note(struct probe_tree *t, const char *text, const char *pair, const struct probe_answer *a,
                     const char *run);

/* A node's place on the screen. */
struct probe_branch {
    int node;
    int depth; /* a node's only child stands below it, several stand further in */
};
/* From the roots on, each node before its children, into out [t->n]. False: no memory. */
bool probe_tree_order(const struct probe_tree *t, struct probe_branch *out);

/* What changed from a to b, word by word: "− very + not"; both alike: nothing. */
void probe_words_changed(const char *a, const char *b, struct bt_str *out);
/* The whole of b with what changed in it: "the film was −good +bad". */
void probe_words_marked(const char *a, const char *b, struct bt_str *out);
/* What became of the answer from node a to b: "positive → negative −0.8123". False: there is nothing to compare. */
bool probe_answer_changed(const struct probe_node *a, const struct probe_node *b, struct bt_str *out);

/* A member "tree" of an object that is open; and from such an object (or NULL) into an empty tree. */
void probe_tree_keep(const struct probe_tree *t, struct bt_json_writer *w);
void probe_tree_restore(struct probe_tree *t, const struct bt_json *kept);

#endif
