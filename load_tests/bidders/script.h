/* What the bidders say: made beforehand, so that saying it costs next to nothing. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stddef.h>
#include <stdint.h>

/* A message to be sent. A line's messages wait for each other in a closed loop. */
struct saying {
    uint32_t connection, line, length;
    const uint8_t *bytes;
};

struct script {
    uint32_t connections, lines, greeting_count, count;
    struct saying *greetings; /* in the order of connections */
    struct saying *sayings;   /* the n-th one is request number n */
};

/* Read a file of little-endian 32-bit numbers: connections, lines, greetings, sayings; then each
 * message as connection, line, length, and its bytes. Ends the program if it is not that. */
void script_read(struct script *script, const char *path);

#endif
