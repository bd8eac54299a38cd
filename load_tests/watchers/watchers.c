/* Many WebSocket clients that check that each of them hears every event once and in order.
 *
 *   watchers --port 8080 --sequence HEX [--event HEX] [--greet HEX] ...
 *
 * Commands come on stdin, a line each: open N, reach SEQUENCE, cut N, return, reconnect N (cut
 * and return), stall N, mark, report, quit. Each is answered by a line on stdout once it has come
 * true; report by a JSON object. Ends when stdin does, and at the latest after --seconds. What
 * bytes mean is told by options, so that
 * the same program watches any server. */
#define _GNU_SOURCE
#include "crowd.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 1024
#define IDLE_MS 20
#define OTHER_FILES 16

uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now); /* it is compared with what other processes wrote */
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* As many watchers as this process may have files. */
static unsigned room(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 1000000 ? 1000000 : (unsigned)limit.rlim_cur - OTHER_FILES;
}

static void happened(struct crowd *crowd, const struct epoll_event *event) {
    struct watcher *watcher = event->data.ptr;
    if (watcher->state == CONNECTING)
        go_on_opening(crowd, watcher);
    else if (watcher->state == STALLED)
        fail(crowd, watcher); /* only its end is told */
    else
        read_from(crowd, watcher);
}

int main(int count, char **arguments) {
    static struct crowd crowd;
    static struct epoll_event events[EVENTS];
    options_read(&crowd.options, count, arguments);
    crowd.room = room();
    crowd.all = calloc(crowd.room, sizeof *crowd.all);
    crowd.buffer = malloc(READ_BYTES);
    crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event stdin_readable = {.events = EPOLLIN};
    if (crowd.all == NULL || crowd.buffer == NULL || crowd.epoll < 0 ||
        epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &stdin_readable) < 0) {
        perror("watchers");
        return 1;
    }
    uint64_t end_us = now_us() + crowd.options.seconds * 1000000ULL;
    bool commands = false;
    while (now_us() < end_us) {
        int ready = epoll_wait(crowd.epoll, events, EVENTS, IDLE_MS);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL)
                commands = true; /* after the rest, since a command may close sockets */
            else
                happened(&crowd, &events[i]);
        }
        if (commands && !take_commands(&crowd)) return 0;
        commands = false;
        open_waiting(&crowd);
        answer_if_due(&crowd);
    }
    fprintf(stderr, "watchers: the time is over\n");
    return 3;
}
