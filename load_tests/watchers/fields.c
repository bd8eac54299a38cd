#define _GNU_SOURCE
#include "fields.h"

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

bool begins_with(const uint8_t *data, size_t length, const struct key *key) {
    return key->length && length >= key->length && memcmp(data, key->bytes, key->length) == 0;
}

size_t end_of(const uint8_t *data, size_t length, struct key *key) {
    if (key->length == 0) return 0;
    size_t at = key->last_at;
    if (at + key->length > length || memcmp(data + at, key->bytes, key->length) != 0) {
        const uint8_t *found = memmem(data, length, key->bytes, key->length);
        if (found == NULL) return 0;
        key->last_at = at = (size_t)(found - data);
    }
    return at + key->length;
}

static bool decimal(const uint8_t *data, size_t length, uint64_t *value) {
    size_t i = 0;
    *value = 0;
    for (; i < length && isdigit(data[i]); i++) *value = *value * 10 + (uint64_t)(data[i] - '0');
    return i > 0;
}

/* The unsigned integers of MessagePack: one byte, or a byte that says how many follow. */
static bool packed(const uint8_t *data, size_t length, uint64_t *value) {
    if (length && data[0] < 0x80) {
        *value = data[0];
        return true;
    }
    if (length == 0 || data[0] < 0xcc || data[0] > 0xcf) return false;
    size_t size = (size_t)1 << (data[0] - 0xcc);
    if (length < 1 + size) return false;
    *value = 0;
    for (size_t i = 1; i <= size; i++) *value = *value << 8 | data[i];
    return true;
}

bool number_of(const uint8_t *data, size_t length, struct key *key, bool msgpack,
               uint64_t *value) {
    size_t at = end_of(data, length, key);
    if (at == 0) return false;
    return (msgpack ? packed : decimal)(data + at, length - at, value);
}

size_t number_write(uint8_t *out, uint64_t value, bool msgpack) {
    if (!msgpack) return (size_t)sprintf((char *)out, "%lu", value);
    uint64_t wide = htobe64(value);
    out[0] = 0xcf;
    memcpy(out + 1, &wide, sizeof wide);
    return 1 + sizeof wide;
}

bool from_hex(const char *hex, uint8_t *out, size_t room, size_t *length) {
    *length = 0;
    for (; hex[0]; hex += 2) {
        unsigned value;
        if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1])) return false;
        if (*length == room) return false;
        sscanf(hex, "%2x", &value);
        out[(*length)++] = (uint8_t)value;
    }
    return true;
}
