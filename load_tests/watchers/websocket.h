/* The client's side of RFC 6455: a request, its answer, frames. No sockets. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

/* What a masked frame is longer than its payload, at most. */
#define FRAME_OVERHEAD 14

struct frame {
    enum opcode opcode;
    bool final;
    const uint8_t *payload;
    size_t length;
};

struct request {
    unsigned port;
    const char *path, *protocol, *bearer; /* the last two may be NULL */
};

/* The request for a WebSocket, as text; its length. */
size_t websocket_request(char *out, size_t room, const struct request *request);

/* How many bytes the server's consent takes; 0: not all is there yet; -1: it refuses. */
ssize_t websocket_consent(const uint8_t *data, size_t length);

/* Look at the frame that data begins with: its bytes; 0: not all is there yet; -1: broken. */
ssize_t websocket_read(const uint8_t *data, size_t length, struct frame *frame);

/* Write a masked frame; its length. */
size_t websocket_write(uint8_t *out, enum opcode opcode, const uint8_t *payload, size_t length);

#endif
