/* What people noted about a run: tags and a text, in its directory's notes.json: {"tags": ["base", "paper"], "note": "…"}. No engine reads it and nothing else is
 * changed by it. The tag `hidden` takes a run out of the lists until somebody asks for it.
 *
 * A bt_notes owns its texts; bt_notes_clear() frees them. */
#ifndef BERTTY_NOTES_H
#define BERTTY_NOTES_H

#include <bertty/error.h>
#include <stdbool.h>
#include <stddef.h>

enum { BT_TAGS = 32, BT_TAG_BYTES = 64, BT_NOTE_BYTES = 4000 }; /* at most */
#define BT_TAG_HIDDEN "hidden"

struct bt_notes {
    char **tag; /* [n_tags], each once, in the order of their giving */
    size_t n_tags;
    char *note; /* NULL: none */
    char *
        fault; /* notes.json is there and cannot be understood: why, and nothing else is set; NULL: all is well */
};
void bt_notes_clear(struct bt_notes *n);
/* False: no memory, *to is empty. */
bool bt_notes_copy(struct bt_notes *to, const struct bt_notes *from);
/* Letters of either case. */
bool bt_notes_tagged(const struct bt_notes *n, const char *tag);

/* 1 to BT_TAG_BYTES bytes of valid UTF-8 without blanks, commas, quotes and control characters, no + or - first. */
bool bt_tag_ok(const char *tag);

/* Of a run's directory; no file: no notes. Failures (BT_DAMAGED, BT_INVALID: too large, too many, no tag) stand in out->fault too. */
enum bt_status bt_notes_load(const char *dir, struct bt_notes *out, struct bt_error *err);

struct bt_notes_change {
    const char *const *add, *const *drop; /* tags; one that is there already, or not there, is no error */
    size_t n_add, n_drop;
    bool all;         /* add is the whole list: all others go */
    const char *note; /* NULL: as it is; "": none */
};
/* Reads, changes and replaces the file under a lock of the directory; *out (or NULL) is what stands there then. A file that cannot be understood stays as it
 * is. BT_INVALID: not a tag, too many, too long; BT_IO: may not be written; BT_BUSY: somebody else holds the lock. */
enum bt_status bt_notes_change(const char *dir, const struct bt_notes_change *c, struct bt_notes *out,
                               struct bt_error *err);

#endif
