/* All watchers of a run, in one thread on one epoll. */
#ifndef CROWD_H
#define CROWD_H

#include "checks.h"
#include "options.h"

/* A message may be this long: a snapshot of a large sale fits. */
#define READ_BYTES (8u << 20)
#define MAX_TRIES 40
#define AGAIN_US 100000 /* before another try, and as much again by chance */
#define CLOSE_CODES 8   /* how many different ones are counted apart */

enum state { ABSENT, WAITING, CONNECTING, UPGRADING, GREETED, READY, STALLED, GONE };

struct watcher {
    int fd;
    enum state state;
    unsigned tries;
    bool known;                /* the server has told where the events begin */
    uint64_t open_at_us;       /* while it waits */
    uint64_t begun_us;         /* when it was told to open */
    struct seen seen;
    /* A frame's beginning; a message's fragments; in NATS's protocol, what is not all said. */
    uint8_t *rest, *message, *unsaid;
    size_t rest_length, message_length, unsaid_length;
};

struct close_code {
    unsigned code;
    uint64_t count;
};

struct crowd {
    struct options options;
    int epoll;
    struct watcher *all;
    unsigned room, count;      /* count: told to open, from the front of all */
    unsigned stalled, next;    /* next: the first that is sent away next time */
    unsigned opening, ready;   /* handshakes under way; those that hear events */
    uint64_t dropped;          /* stalled ones whose connection has ended */
    uint64_t frames, bytes, messages_else, pings, tries_again, unrecovered, broken, gone;
    uint64_t reconnects;
    struct close_code codes[CLOSE_CODES];
    struct histogram opened;   /* from being told to open until ready */
    struct checks checks;
    uint8_t *buffer;           /* READ_BYTES, for whoever is reading */
};

uint64_t now_us(void);

/* opening.c: connecting, the handshake, trying again. */
void open_later(struct watcher *watcher, uint64_t at_us);
void open_waiting(struct crowd *crowd); /* as many as may be under way */
void go_on_opening(struct crowd *crowd, struct watcher *watcher); /* it has become writable */
ssize_t take_consent(struct crowd *crowd, struct watcher *watcher, const uint8_t *data,
                     size_t length);
void become_ready(struct crowd *crowd, struct watcher *watcher);
void put_away(struct crowd *crowd, struct watcher *watcher); /* its socket; it is ABSENT then */
void fail(struct crowd *crowd, struct watcher *watcher);     /* tries again, or is GONE */

/* reading.c: bytes from a socket, frames, whole messages. */
void read_from(struct crowd *crowd, struct watcher *watcher);
bool send_frame(struct watcher *watcher, enum opcode opcode, const uint8_t *data, size_t length);

/* messages.c: what a message says. False: the connection is broken. */
bool message_came(struct crowd *crowd, struct watcher *watcher, const uint8_t *data,
                  size_t length, uint64_t at_us);

/* nats.c: the same where messages are a stream of NATS's protocol. */
bool nats_came(struct crowd *crowd, struct watcher *watcher, const uint8_t *data, size_t length,
               uint64_t at_us);

/* commands.c: lines on stdin, answers on stdout. False: the end. */
bool take_commands(struct crowd *crowd);
void answer_if_due(struct crowd *crowd);

#endif
