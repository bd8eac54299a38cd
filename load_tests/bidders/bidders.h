/* Connections that speak (talk.c), and what is asked and answered over them (bidders.c). */
#ifndef BIDDERS_H
#define BIDDERS_H

#include "../watchers/fields.h"
#include "../watchers/histogram.h"
#include "../watchers/websocket.h"
#include "script.h"

struct bidder {
    int fd;
    bool ready;
    uint8_t *rest; /* the beginning of a frame */
    size_t rest_length;
};

struct crowd {
    struct script script;
    struct bidder *bidders;
    int epoll;
    /* How an answer begins; what stands before its request's number; what only a good one holds;
     * how the message begins that says that a connection is ready. */
    struct key answer, request, good, ready;
};

extern struct crowd crowd;

uint64_t now_us(void);
void fail(const char *what);

/* Open a connection, say its greetings, and wait until it is ready. */
void open_bidder(uint32_t number, const struct request *request);
void say(const struct saying *saying);
void read_from(struct bidder *bidder);

/* Called with each answer that comes. */
void answered(const uint8_t *data, size_t length, uint64_t at_us);

#endif
