/* Numbers found in messages by the bytes of their keys, without reading all of a message. */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_BYTES 64

/* Bytes given on the command line in hexadecimal; none if length is 0. */
struct key {
    uint8_t bytes[KEY_BYTES];
    size_t length, last_at; /* last_at: where it was found last, for it is often there again */
};

/* Whether a message begins with these bytes; false if there are none. */
bool begins_with(const uint8_t *data, size_t length, const struct key *key);

/* Where the bytes end in a message; 0 if they do not occur. */
size_t end_of(const uint8_t *data, size_t length, struct key *key);

/* The number that stands behind a key, in decimal or as MessagePack; false if there is none. */
bool number_of(const uint8_t *data, size_t length, struct key *key, bool msgpack, uint64_t *value);

/* Write a number in decimal or as MessagePack; its length, at most 20. */
size_t number_write(uint8_t *out, uint64_t value, bool msgpack);

/* Read hexadecimal digits; false if they are none, or more than there is room. */
bool from_hex(const char *hex, uint8_t *out, size_t room, size_t *length);

#endif
