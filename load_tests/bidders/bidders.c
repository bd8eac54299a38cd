/* Bidders on real WebSockets, who say what a script has and time the answers.
 *
 *   bidders PORT PATH PROTOCOL SCRIPT ANSWER REQUEST GOOD READY
 *
 * The last four in hexadecimal: how an answer begins, what stands before the number of the request
 * that it answers, what only a good answer holds, how the message begins that says that a
 * connection is ready. Commands on stdin: "open N COUNT", the next COUNT requests, N a second,
 * whatever the answers do; "closed SECONDS": each line of the script says the next thing when it
 * has its answer. Either is answered by a JSON object once every answer is there. */
#define _GNU_SOURCE
#include "bidders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_US 30000000ULL /* without any answer */
#define IDLE_US 100000

struct crowd crowd;
static uint64_t *sent_us;        /* by request; 0: not sent, or answered */
static uint32_t *next_of_line;   /* the request that a line says next; count: none */
static uint32_t *after;          /* the request after a request in its line */
static uint32_t said, waiting, good, bad, twice;
static bool closed_loop;
static uint64_t closes_us, answered_us;
static struct histogram latency;
static bool commanded;           /* a line has come on stdin */

uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void fail(const char *what) {
    fprintf(stderr, "bidders: %s\n", what);
    exit(1);
}

/* Ask, and count the time from when it was due, not from when we came to it. */
static void ask(uint32_t request, uint64_t due_us) {
    sent_us[request] = due_us;
    waiting++;
    say(&crowd.script.sayings[request]);
}

void answered(const uint8_t *data, size_t length, uint64_t at_us) {
    uint64_t request;
    if (!number_of(data, length, &crowd.request, true, &request) || request >= crowd.script.count ||
        sent_us[request] == 0) {
        twice++;
        return;
    }
    histogram_note(&latency, at_us - sent_us[request]);
    sent_us[request] = 0;
    waiting--;
    answered_us = at_us;
    if (end_of(data, length, &crowd.good))
        good++;
    else
        bad++;
    uint32_t line = crowd.script.sayings[request].line;
    next_of_line[line] = after[request];
    if (closed_loop && at_us < closes_us && after[request] < crowd.script.count)
        ask(after[request], at_us);
}

static void wait_until(uint64_t until_us) {
    static struct epoll_event events[512];
    uint64_t now = now_us(), wait_us = until_us > now ? until_us - now : 0;
    struct timespec wait = {(time_t)(wait_us / 1000000), (long)(wait_us % 1000000) * 1000};
    int ready = epoll_pwait2(crowd.epoll, events, 512, &wait, NULL);
    for (int i = 0; i < ready; i++) {
        if (events[i].data.ptr)
            read_from(events[i].data.ptr);
        else
            commanded = true;
    }
}

static void wait_for_answers(void) {
    answered_us = now_us();
    while (waiting && now_us() < answered_us + PATIENCE_US) wait_until(now_us() + 10000);
}

static void open_loop(uint32_t rate, uint32_t count) {
    uint64_t begun_us = now_us();
    if (count > crowd.script.count - said) count = crowd.script.count - said;
    for (uint32_t i = 0; i < count;) {
        uint64_t due_us = begun_us + (uint64_t)i * 1000000 / rate;
        if (due_us <= now_us()) {
            ask(said++, due_us);
            i++;
        }
        wait_until(due_us <= now_us() ? 0 : due_us);
    }
    wait_for_answers();
}

static void close_loop(uint32_t seconds) {
    closed_loop = true;
    closes_us = now_us() + seconds * 1000000ULL;
    for (uint32_t line = 0; line < crowd.script.lines; line++)
        if (next_of_line[line] < crowd.script.count) ask(next_of_line[line], now_us());
    while (now_us() < closes_us) wait_until(closes_us);
    closed_loop = false;
    wait_for_answers();
}

/* Which request comes after which, line by line. */
static void order_lines(void) {
    for (uint32_t line = 0; line < crowd.script.lines; line++) next_of_line[line] = crowd.script.count;
    for (uint32_t i = crowd.script.count; i-- > 0;) {
        uint32_t line = crowd.script.sayings[i].line;
        after[i] = next_of_line[line];
        next_of_line[line] = i;
    }
}

static void report(double took_s) {
    printf("{\"took_s\": %.6f, \"good\": %u, \"bad\": %u, \"unanswered\": %u, \"twice\": %u, "
           "\"latency_us\": ",
           took_s, good, bad, waiting, twice);
    histogram_print(&latency, stdout);
    printf("}\n");
    fflush(stdout);
}

static void obey(char *line) {
    unsigned first, second;
    uint64_t begun_us = now_us();
    memset(&latency, 0, sizeof latency);
    good = bad = twice = 0;
    if (sscanf(line, "open %u %u", &first, &second) == 2 && first)
        open_loop(first, second);
    else if (sscanf(line, "closed %u", &first) == 1)
        close_loop(first);
    else
        exit(0);
    report((double)(now_us() - begun_us) / 1e6);
}

static void read_key(struct key *key, const char *hex) {
    if (!from_hex(hex, key->bytes, KEY_BYTES, &key->length)) fail("not such bytes");
}

int main(int count, char **arguments) {
    if (count != 9) fail("PORT PATH PROTOCOL SCRIPT ANSWER REQUEST GOOD READY");
    struct request request = {
        .port = (unsigned)atoi(arguments[1]), .path = arguments[2], .protocol = arguments[3]};
    script_read(&crowd.script, arguments[4]);
    read_key(&crowd.answer, arguments[5]);
    read_key(&crowd.request, arguments[6]);
    read_key(&crowd.good, arguments[7]);
    read_key(&crowd.ready, arguments[8]);
    crowd.bidders = calloc(crowd.script.connections, sizeof *crowd.bidders);
    sent_us = calloc(crowd.script.count + 1, sizeof *sent_us);
    after = calloc(crowd.script.count + 1, sizeof *after);
    next_of_line = calloc(crowd.script.lines, sizeof *next_of_line);
    crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!crowd.bidders || !sent_us || !after || !next_of_line || crowd.epoll < 0)
        fail("no memory");
    prctl(PR_SET_TIMERSLACK, 1000);
    order_lines();
    for (uint32_t i = 0; i < crowd.script.connections; i++) open_bidder(i, &request);
    struct epoll_event stdin_readable = {.events = EPOLLIN};
    epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &stdin_readable);
    printf("ready %u\n", crowd.script.connections);
    fflush(stdout);
    for (;;) {
        wait_until(now_us() + IDLE_US);
        if (!commanded) continue;
        char line[128];
        ssize_t got = read(STDIN_FILENO, line, sizeof line - 1); /* one command is under way */
        if (got <= 0) return 0;
        line[got] = 0;
        commanded = false;
        obey(line);
    }
}
