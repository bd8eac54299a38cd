/* The floor: one message, framed once, and a send() for each socket. Nothing else happens here.
 *
 * Prints its port, then takes "send COUNT BYTES" on stdin and answers "sent SEQUENCE". It knows one
 * WebSocket key, that of RFC 6455's example, which our watchers use. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 65536
#define MESSAGE_BYTES 60000

static const char CONSENT[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static int clients[CLIENTS], client_count;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(fd, 4096) < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        die("listen");
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* A request comes in one piece here, and nothing after it. */
static void let_in(int fd) {
    char request[4096];
    if (recv(fd, request, sizeof request, 0) <= 0 || client_count == CLIENTS ||
        send(fd, CONSENT, sizeof CONSENT - 1, MSG_NOSIGNAL) < 0) {
        close(fd);
        return;
    }
    clients[client_count++] = fd;
}

static size_t framed(char *out, unsigned long sequence, size_t size) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    unsigned long at_us = (unsigned long)now.tv_sec * 1000000 + (unsigned long)now.tv_nsec / 1000;
    size_t head = size < 126 ? 2 : 4;
    out[0] = (char)0x81;
    out[1] = size < 126 ? (char)size : 126;
    if (head == 4) {
        out[2] = (char)(size >> 8);
        out[3] = (char)size;
    }
    size_t text = (size_t)sprintf(out + head, "{\"sequence\":%lu,\"at_us\":%lu,\"text\":\"",
                                  sequence, at_us);
    memset(out + head + text, 'x', size - text - 2);
    memcpy(out + head + size - 2, "\"}", 2);
    return head + size;
}

static void send_whole(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return; /* it has gone */
        if (sent < 0) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        if (sent > 0) {
            data += sent;
            length -= (size_t)sent;
        }
    }
}

static void send_all(unsigned long count, unsigned long size) {
    static unsigned long sequence;
    static char frame[MESSAGE_BYTES + 4];
    if (size < 80 || size > MESSAGE_BYTES) die("size");
    for (unsigned long i = 0; i < count; i++) {
        size_t length = framed(frame, ++sequence, size);
        for (int client = 0; client < client_count; client++)
            send_whole(clients[client], frame, length);
    }
    printf("sent %lu\n", sequence);
    fflush(stdout);
}

static void obey(void) {
    char line[128];
    unsigned long count, size;
    ssize_t got = read(STDIN_FILENO, line, sizeof line - 1); /* one command is under way at a time */
    if (got <= 0) exit(0);
    line[got] = 0;
    if (sscanf(line, "send %lu %lu", &count, &size) == 2) send_all(count, size);
}

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int epoll = epoll_create1(0), listener = listening();
    watch(epoll, listener);
    watch(epoll, STDIN_FILENO);
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, -1) < 1) continue;
        int fd = event.data.fd;
        if (fd == STDIN_FILENO) {
            obey();
        } else if (fd == listener) {
            int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (client < 0) continue;
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
            watch(epoll, client);
        } else {
            epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); /* it has only one thing to say */
            let_in(fd);
        }
    }
}
