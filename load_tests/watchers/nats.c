#define _GNU_SOURCE
#include "crowd.h"

#include <stdlib.h>
#include <string.h>

/* The bytes that a MSG announces: the last number of its line. */
static size_t announced(const uint8_t *line, size_t length) {
    size_t size = 0, scale = 1;
    for (size_t i = length; i > 0 && line[i - 1] >= '0' && line[i - 1] <= '9'; i--, scale *= 10)
        size += (size_t)(line[i - 1] - '0') * scale;
    return size;
}

/* One thing that the server says: its bytes; 0: not all is there yet; -1: an error. */
static ssize_t said(struct crowd *crowd, struct watcher *watcher, const uint8_t *data,
                    size_t length, uint64_t at_us) {
    const uint8_t *end = memmem(data, length, "\r\n", 2);
    if (end == NULL) return 0;
    size_t line = (size_t)(end - data), taken = line + 2;
    if (memcmp(data, "MSG ", 4) == 0) {
        size_t size = announced(data, line);
        if (length < taken + size + 2) return 0;
        if (!message_came(crowd, watcher, end + 2, size, at_us)) return -1;
        return (ssize_t)(taken + size + 2);
    }
    if (memcmp(data, "PONG", 4) == 0) become_ready(crowd, watcher);
    if (memcmp(data, "-ERR", 4) == 0) return -1;
    static const uint8_t answer[] = "PONG\r\n";
    if (memcmp(data, "PING", 4) == 0 && !send_frame(watcher, BINARY, answer, sizeof answer - 1))
        return -1;
    return (ssize_t)taken;
}

/* A message may end in the middle of what is said: the rest goes before the next. */
bool nats_came(struct crowd *crowd, struct watcher *watcher, const uint8_t *data, size_t length,
               uint64_t at_us) {
    uint8_t *joined = NULL;
    if (watcher->unsaid_length) {
        joined = realloc(watcher->unsaid, watcher->unsaid_length + length);
        if (joined == NULL) return false;
        watcher->unsaid = NULL;
        memcpy(joined + watcher->unsaid_length, data, length);
        data = joined;
        length += watcher->unsaid_length;
        watcher->unsaid_length = 0;
    }
    ssize_t taken = 1;
    while (length >= 4 && taken > 0) {
        taken = said(crowd, watcher, data, length, at_us);
        if (taken > 0) {
            data += taken;
            length -= (size_t)taken;
        }
    }
    bool good = taken >= 0 && length < READ_BYTES;
    if (good && length) {
        watcher->unsaid = malloc(length);
        good = watcher->unsaid != NULL;
        if (good) memcpy(watcher->unsaid, data, length);
        watcher->unsaid_length = good ? length : 0;
    }
    free(joined);
    return good;
}
