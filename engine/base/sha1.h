/* SHA-1, for the names that git gives to files; not for anything that must withstand an attacker. */
#ifndef BERTTY_BASE_SHA1_H
#define BERTTY_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

struct bt__sha1 {
    uint32_t h[5];
    uint64_t bytes;
    unsigned char block[64];
};
void bt__sha1_start(struct bt__sha1 *s);
void bt__sha1_add(struct bt__sha1 *s, const void *data, size_t n);
/* Lower-case hex. */
void bt__sha1_end(struct bt__sha1 *s, char hex[41]);

#endif
