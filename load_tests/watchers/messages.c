#include "crowd.h"

/* The server tells where the events of this connection begin, or go on. */
static void begun(struct crowd *crowd, struct watcher *watcher, const uint8_t *data,
                  size_t length) {
    struct options *options = &crowd->options;
    uint64_t sequence;
    bool told = number_of(data, length, &options->sequence, options->packed, &sequence);
    if (told && !(watcher->known && end_of(data, length, &options->recovered))) {
        crowd->unrecovered += watcher->known;
        seen_from(&watcher->seen, sequence);
    }
    become_ready(crowd, watcher);
}

static bool event(struct crowd *crowd, struct watcher *watcher, const uint8_t *data, size_t length,
                  uint64_t at_us) {
    struct options *options = &crowd->options;
    uint64_t sequence, happened_us = 0;
    if (!number_of(data, length, &options->sequence, options->packed, &sequence)) {
        crowd->broken++;
        return false;
    }
    number_of(data, length, &options->at, options->packed, &happened_us);
    check_event(&crowd->checks, &watcher->seen, sequence, happened_us, at_us);
    return true;
}

bool message_came(struct crowd *crowd, struct watcher *watcher, const uint8_t *data,
                  size_t length, uint64_t at_us) {
    struct options *options = &crowd->options;
    if (options->event.length == 0 || begins_with(data, length, &options->event))
        return event(crowd, watcher, data, length, at_us);
    crowd->messages_else++;
    if (begins_with(data, length, &options->ready)) begun(crowd, watcher, data, length);
    uint64_t first, last;
    if (begins_with(data, length, &options->conflated) &&
        number_of(data, length, &options->first, options->packed, &first) &&
        number_of(data, length, &options->last, options->packed, &last))
        check_conflated(&crowd->checks, &watcher->seen, first, last);
    return true;
}
