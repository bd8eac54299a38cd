#define _GNU_SOURCE
#include "bidders.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define READ_BYTES (4u << 20)
#define ADDRESSES 40 /* source addresses: servers count connections by them */

void say(const struct saying *saying) {
    uint8_t frame[4096];
    if (saying->length + FRAME_OVERHEAD > sizeof frame) fail("a message is too long");
    size_t length = websocket_write(frame, BINARY, saying->bytes, saying->length);
    int fd = crowd.bidders[saying->connection].fd;
    if (send(fd, frame, length, MSG_NOSIGNAL) != (ssize_t)length) fail("a connection was lost");
}

static void frame_came(struct bidder *bidder, const struct frame *frame, uint64_t at_us) {
    if (frame->opcode == PING) {
        uint8_t pong[FRAME_OVERHEAD + 125];
        size_t length = websocket_write(pong, PONG, frame->payload, frame->length);
        if (send(bidder->fd, pong, length, MSG_NOSIGNAL) < 0) fail("a connection was lost");
    } else if (frame->opcode == CLOSE) {
        fail("the server closed a connection");
    } else if (begins_with(frame->payload, frame->length, &crowd.answer)) {
        answered(frame->payload, frame->length, at_us);
    } else if (begins_with(frame->payload, frame->length, &crowd.ready)) {
        bidder->ready = true;
    }
}

void read_from(struct bidder *bidder) {
    static uint8_t buffer[READ_BYTES];
    size_t length = bidder->rest_length, done = 0;
    if (length) memcpy(buffer, bidder->rest, length);
    ssize_t got = recv(bidder->fd, buffer + length, READ_BYTES - length, 0), taken = 1;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) fail("the server cut a connection off");
    length += (size_t)got;
    uint64_t at_us = now_us();
    while (done < length) {
        struct frame frame;
        taken = websocket_read(buffer + done, length - done, &frame);
        if (taken < 0) fail("a broken frame");
        if (taken == 0) break;
        frame_came(bidder, &frame, at_us);
        done += (size_t)taken;
    }
    free(bidder->rest);
    bidder->rest_length = length - done;
    bidder->rest = bidder->rest_length ? malloc(bidder->rest_length) : NULL;
    if (bidder->rest) memcpy(bidder->rest, buffer + done, bidder->rest_length);
}

/* One after the other, each until it is ready. */
void open_bidder(uint32_t number, const struct request *request) {
    struct bidder *bidder = &crowd.bidders[number];
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % ADDRESSES);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)request->port);
    char text[2048];
    uint8_t consent[8192];
    size_t length = websocket_request(text, sizeof text, request), have = 0;
    bidder->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(bidder->fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        connect(bidder->fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        send(bidder->fd, text, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail("cannot connect");
    setsockopt(bidder->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    ssize_t taken = 0;
    while (taken == 0) {
        ssize_t got = recv(bidder->fd, consent + have, sizeof consent - have, 0);
        if (got <= 0) fail("the server closed the handshake");
        have += (size_t)got;
        taken = websocket_consent(consent, have);
    }
    if (taken != (ssize_t)have) fail("the server refused the handshake");
    for (uint32_t i = 0; i < crowd.script.greeting_count; i++)
        if (crowd.script.greetings[i].connection == number) say(&crowd.script.greetings[i]);
    while (!bidder->ready) read_from(bidder);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = bidder};
    epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, bidder->fd, &event);
}

