#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static void set(int fd, int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof value);
}

/* Spread over source addresses, since each has 28,000 ports to give, and servers count by them. */
static int connect_from(const struct options *options, unsigned number) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (options->receive) set(fd, SOL_SOCKET, SO_RCVBUF, (int)options->receive);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % options->addresses);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)options->request.port);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS))
        return fd;
    close(fd);
    return -1;
}

void open_later(struct watcher *watcher, uint64_t at_us) {
    watcher->state = WAITING;
    watcher->open_at_us = at_us;
}

static void begin(struct crowd *crowd, struct watcher *watcher) {
    watcher->fd = connect_from(&crowd->options, (unsigned)(watcher - crowd->all));
    if (watcher->fd < 0) {
        fail(crowd, watcher);
        return;
    }
    watcher->state = CONNECTING;
    crowd->opening++;
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = watcher};
    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, watcher->fd, &event);
}

void open_waiting(struct crowd *crowd) {
    if (crowd->ready + crowd->stalled + crowd->opening + crowd->dropped >= crowd->count) return;
    uint64_t now = now_us();
    for (unsigned i = 0; i < crowd->count && crowd->opening < crowd->options.at_once; i++) {
        struct watcher *watcher = &crowd->all[i];
        if (watcher->state == WAITING && watcher->open_at_us <= now) begin(crowd, watcher);
    }
}

void go_on_opening(struct crowd *crowd, struct watcher *watcher) {
    int error = 0;
    socklen_t size = sizeof error;
    char request[2048];
    getsockopt(watcher->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    size_t length = websocket_request(request, sizeof request, &crowd->options.request);
    if (error || send(watcher->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
        fail(crowd, watcher);
        return;
    }
    watcher->state = UPGRADING;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watcher};
    epoll_ctl(crowd->epoll, EPOLL_CTL_MOD, watcher->fd, &event);
}

static bool greet(const struct options *options, struct watcher *watcher) {
    enum opcode opcode = options->text ? TEXT : BINARY;
    bool resumes = watcher->known && options->resume.length;
    unsigned plain = options->greeting_count - (resumes ? 1 : 0);
    for (unsigned i = 0; i < plain; i++) {
        const struct greeting *greeting = &options->greetings[i];
        if (!send_frame(watcher, opcode, greeting->bytes, greeting->length)) return false;
    }
    if (!resumes) return true;
    uint8_t frame[2 * GREETING_BYTES + 20];
    size_t length = options->resume.length;
    memcpy(frame, options->resume.bytes, length);
    length += number_write(frame + length, watcher->seen.last, options->packed);
    memcpy(frame + length, options->resume_end.bytes, options->resume_end.length);
    return send_frame(watcher, opcode, frame, length + options->resume_end.length);
}

ssize_t take_consent(struct crowd *crowd, struct watcher *watcher, const uint8_t *data,
                     size_t length) {
    ssize_t taken = websocket_consent(data, length);
    if (taken <= 0) return taken;
    watcher->state = GREETED;
    if (!greet(&crowd->options, watcher)) return -1;
    if (crowd->options.ready.length == 0 && !crowd->options.nats) become_ready(crowd, watcher);
    return taken;
}

void become_ready(struct crowd *crowd, struct watcher *watcher) {
    if (watcher->state == READY) return;
    watcher->state = READY;
    watcher->tries = 0;
    watcher->known = true;
    crowd->opening--;
    crowd->ready++;
    histogram_note(&crowd->opened, now_us() - watcher->begun_us);
}

void put_away(struct crowd *crowd, struct watcher *watcher) {
    if (watcher->state == READY) crowd->ready--;
    if (watcher->state == STALLED) crowd->stalled--;
    if (watcher->state >= CONNECTING && watcher->state <= GREETED) crowd->opening--;
    if (watcher->fd >= 0) close(watcher->fd); /* which takes it out of the epoll */
    free(watcher->rest);
    free(watcher->message);
    free(watcher->unsaid);
    watcher->fd = -1;
    watcher->rest = watcher->message = watcher->unsaid = NULL;
    watcher->rest_length = watcher->message_length = watcher->unsaid_length = 0;
    watcher->state = ABSENT;
}

void fail(struct crowd *crowd, struct watcher *watcher) {
    bool opening = watcher->state < READY, stalled = watcher->state == STALLED;
    put_away(crowd, watcher);
    if (stalled) {
        watcher->state = GONE;
        crowd->dropped++;
    } else if (opening && ++watcher->tries <= MAX_TRIES) {
        crowd->tries_again++;
        open_later(watcher, now_us() + AGAIN_US + (uint64_t)rand() % AGAIN_US);
    } else {
        watcher->state = GONE;
        crowd->gone++;
    }
}
