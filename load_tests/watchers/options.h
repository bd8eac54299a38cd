/* What the watchers are told on the command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "fields.h"
#include "websocket.h"

#define GREETINGS 4
#define GREETING_BYTES 1024

struct greeting {
    uint8_t bytes[GREETING_BYTES];
    size_t length;
};

struct options {
    struct request request;
    unsigned addresses;  /* how many source addresses: 127.0.0.1 and on */
    unsigned at_once;    /* how many handshakes may be under way */
    unsigned receive;    /* SO_RCVBUF; 0: as the system has it */
    unsigned seconds;    /* the end of it all */
    bool text, packed;   /* frames are text; numbers are MessagePack, not decimal */
    bool nats;           /* messages are a stream of its protocol */
    /* Sent after the handshake, the last one with the sequence seen last where there is one. */
    struct greeting greetings[GREETINGS], resume, resume_end;
    unsigned greeting_count;
    /* What a message begins with; event empty: every message is one; ready empty: at once. */
    struct key event, ready, conflated;
    /* What stands before a number, or for a fact. */
    struct key sequence, at, first, last, recovered;
};

/* Read the arguments; ends the program with a word on what is wrong. */
void options_read(struct options *options, int count, char **arguments);

#endif
