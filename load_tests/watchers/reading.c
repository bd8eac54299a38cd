#include "crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool send_frame(struct watcher *watcher, enum opcode opcode, const uint8_t *data, size_t length) {
    uint8_t frame[4096];
    if (length + FRAME_OVERHEAD > sizeof frame) return false;
    length = websocket_write(frame, opcode, data, length);
    /* Clients send so little that a full buffer means that nobody reads at the other end. */
    return send(watcher->fd, frame, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void note_close(struct crowd *crowd, const struct frame *frame) {
    unsigned code = frame->length < 2 ? 1005 : (unsigned)frame->payload[0] << 8 | frame->payload[1];
    for (unsigned i = 0; i < CLOSE_CODES; i++) {
        if (crowd->codes[i].count && crowd->codes[i].code != code) continue;
        crowd->codes[i].code = code;
        crowd->codes[i].count++;
        return;
    }
}

/* Add to what is kept of a message that is not whole. */
static bool keep(uint8_t **kept, size_t *kept_length, const uint8_t *data, size_t length) {
    if (length == 0) return true;
    if (*kept_length + length > READ_BYTES) return false;
    uint8_t *larger = realloc(*kept, *kept_length + length);
    if (larger == NULL) return false;
    memcpy(larger + *kept_length, data, length);
    *kept = larger;
    *kept_length += length;
    return true;
}

static bool whole(struct crowd *crowd, struct watcher *watcher, const uint8_t *data, size_t length,
                  uint64_t at_us) {
    return (crowd->options.nats ? nats_came : message_came)(crowd, watcher, data, length, at_us);
}

/* The usual frame is a whole message; fragments are gathered. */
static bool data_came(struct crowd *crowd, struct watcher *watcher, const struct frame *frame,
                      uint64_t at_us) {
    bool begins = frame->opcode != CONTINUATION;
    if (begins != (watcher->message == NULL)) return false;
    if (begins && frame->final) return whole(crowd, watcher, frame->payload, frame->length, at_us);
    if (!keep(&watcher->message, &watcher->message_length, frame->payload, frame->length))
        return false;
    if (!frame->final) return true;
    bool good = whole(crowd, watcher, watcher->message, watcher->message_length, at_us);
    free(watcher->message);
    watcher->message = NULL;
    watcher->message_length = 0;
    return good;
}

static bool frame_came(struct crowd *crowd, struct watcher *watcher, const struct frame *frame,
                       uint64_t at_us) {
    crowd->frames++;
    switch (frame->opcode) {
    case CONTINUATION:
    case TEXT:
    case BINARY:
        return data_came(crowd, watcher, frame, at_us);
    case PING:
        crowd->pings++;
        return send_frame(watcher, PONG, frame->payload, frame->length);
    case PONG:
        return true;
    case CLOSE:
        note_close(crowd, frame);
        send_frame(watcher, CLOSE, frame->payload, frame->length < 2 ? 0 : 2);
        return false;
    }
    return false;
}

/* How many of the bytes are done with; -1: the connection is broken. */
static ssize_t take(struct crowd *crowd, struct watcher *watcher, const uint8_t *data,
                    size_t length, uint64_t at_us) {
    size_t done = 0;
    while (done < length) {
        ssize_t taken;
        struct frame frame;
        if (watcher->state == UPGRADING) {
            taken = take_consent(crowd, watcher, data + done, length - done);
        } else {
            taken = websocket_read(data + done, length - done, &frame);
            if (taken > 0 && !frame_came(crowd, watcher, &frame, at_us)) return -1;
        }
        if (taken < 0) {
            crowd->broken++;
            return -1;
        }
        if (taken == 0) break;
        done += (size_t)taken;
    }
    return (ssize_t)done;
}

void read_from(struct crowd *crowd, struct watcher *watcher) {
    size_t before = watcher->rest_length;
    uint8_t *buffer = crowd->buffer;
    ssize_t got = recv(watcher->fd, buffer + before, READ_BYTES - before, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        fail(crowd, watcher);
        return;
    }
    crowd->bytes += (uint64_t)got;
    if (before) memcpy(buffer, watcher->rest, before);
    size_t length = before + (size_t)got;
    ssize_t done = take(crowd, watcher, buffer, length, now_us());
    free(watcher->rest);
    watcher->rest = NULL;
    watcher->rest_length = 0;
    if (done < 0 || length - (size_t)done == READ_BYTES ||
        !keep(&watcher->rest, &watcher->rest_length, buffer + done, length - (size_t)done))
        fail(crowd, watcher);
}
