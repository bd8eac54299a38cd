#define _GNU_SOURCE
#include "websocket.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

/* The key of RFC 6455's example, so that the right answer is known without SHA-1. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

static int optional(char *out, size_t room, const char *header, const char *value) {
    return value == NULL ? 0 : snprintf(out, room, "%s%s\r\n", header, value);
}

size_t websocket_request(char *out, size_t room, const struct request *request) {
    size_t at = (size_t)snprintf(
        out, room,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n",
        request->path, request->port);
    at += (size_t)optional(out + at, room - at, "Sec-WebSocket-Protocol: ", request->protocol);
    at += (size_t)optional(out + at, room - at, "Authorization: Bearer ", request->bearer);
    at += (size_t)snprintf(out + at, room - at, "\r\n");
    return at;
}

ssize_t websocket_consent(const uint8_t *data, size_t length) {
    const uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL) return length > 8192 ? -1 : 0;
    size_t taken = (size_t)(end - data) + 4;
    if (taken < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0) return -1;
    if (memmem(data, taken, ACCEPT, strlen(ACCEPT)) == NULL) return -1;
    return (ssize_t)taken;
}

ssize_t websocket_read(const uint8_t *data, size_t length, struct frame *frame) {
    if (length < 2) return 0;
    if ((data[0] & 0x70) || (data[1] & 0x80)) return -1; /* an extension, or masked: not for us */
    size_t head = 2, size = data[1];
    if (size == 126) {
        if (length < 4) return 0;
        size = (size_t)data[2] << 8 | data[3];
        head = 4;
    } else if (size == 127) {
        if (length < 10) return 0;
        uint64_t wide;
        memcpy(&wide, data + 2, sizeof wide);
        wide = be64toh(wide);
        if (wide >> 31) return -1;
        size = (size_t)wide;
        head = 10;
    }
    if (length < head + size) return 0;
    *frame = (struct frame){data[0] & 15, data[0] >> 7, data + head, size};
    return (ssize_t)(head + size);
}

size_t websocket_write(uint8_t *out, enum opcode opcode, const uint8_t *payload, size_t length) {
    size_t head = 2;
    out[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) {
        out[1] = (uint8_t)(0x80 | length);
    } else {
        out[1] = 0x80 | 126;
        out[2] = (uint8_t)(length >> 8);
        out[3] = (uint8_t)length;
        head = 4;
    }
    memcpy(out + head, MASK, sizeof MASK);
    head += sizeof MASK;
    for (size_t i = 0; i < length; i++) out[head + i] = payload[i] ^ MASK[i & 3];
    return head + length;
}
