#include "crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* One command is under way at a time; its answer is one line. */
static enum { NOTHING, ALL_READY, ALL_AT } due;
static uint64_t due_sequence;
static unsigned due_from; /* those before it have seen the sequence */

static void answer(const char *word, uint64_t number) {
    printf("%s %lu\n", word, number);
    fflush(stdout);
    due = NOTHING;
}

void answer_if_due(struct crowd *crowd) {
    if (due == ALL_READY &&
        crowd->ready + crowd->stalled + crowd->gone + crowd->dropped >= crowd->count)
        answer("ready", crowd->ready);
    if (due != ALL_AT) return;
    for (; due_from < crowd->count; due_from++) {
        const struct watcher *watcher = &crowd->all[due_from];
        if (watcher->state >= STALLED || watcher->state == ABSENT) continue;
        if (watcher->state != READY || watcher->seen.last < due_sequence) return;
    }
    answer("reached", due_sequence);
}

static void open_more(struct crowd *crowd, unsigned number) {
    if (crowd->count + number > crowd->room) number = crowd->room - crowd->count;
    for (unsigned i = 0; i < number; i++) {
        struct watcher *watcher = &crowd->all[crowd->count++];
        watcher->fd = -1;
        watcher->begun_us = now_us();
        seen_from(&watcher->seen, 0);
        open_later(watcher, 0);
    }
    due = ALL_READY;
}

/* Cut so many off without a word. */
static void cut(struct crowd *crowd, unsigned number) {
    for (unsigned looked_at = 0; number && looked_at < crowd->count; looked_at++) {
        struct watcher *watcher = &crowd->all[crowd->next++ % crowd->count];
        if (watcher->state != READY) continue;
        put_away(crowd, watcher);
        crowd->reconnects++;
        number--;
    }
}

/* Have all come back at once who were cut off. */
static void come_back(struct crowd *crowd) {
    for (unsigned i = 0; i < crowd->count; i++) {
        struct watcher *watcher = &crowd->all[i];
        if (watcher->state != ABSENT) continue;
        watcher->begun_us = now_us();
        open_later(watcher, 0);
    }
    due = ALL_READY;
}

/* Have so many read no more, from the last on. */
static void stall(struct crowd *crowd, unsigned number) {
    struct epoll_event event = {.events = 0};
    for (unsigned i = crowd->count; number && i > 0; i--) {
        struct watcher *watcher = &crowd->all[i - 1];
        if (watcher->state != READY) continue;
        watcher->state = STALLED;
        crowd->ready--;
        crowd->stalled++;
        event.data.ptr = watcher;
        epoll_ctl(crowd->epoll, EPOLL_CTL_MOD, watcher->fd, &event);
        number--;
    }
    answer("stalled", crowd->stalled);
}

static void mark(struct crowd *crowd) {
    checks_reset(&crowd->checks);
    memset(&crowd->opened, 0, sizeof crowd->opened);
    crowd->frames = crowd->bytes = 0;
    answer("marked", 0);
}

static double cpu_s(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(struct crowd *crowd) {
    printf("{\"watchers\": %u, \"ready\": %u, \"stalled\": %u, \"dropped\": %lu, \"gone\": %lu, ",
           crowd->count, crowd->ready, crowd->stalled, crowd->dropped, crowd->gone);
    printf("\"frames\": %lu, \"bytes\": %lu, \"messages_else\": %lu, \"pings\": %lu, ",
           crowd->frames, crowd->bytes, crowd->messages_else, crowd->pings);
    printf("\"reconnects\": %lu, \"tries_again\": %lu, \"unrecovered\": %lu, \"broken\": %lu, ",
           crowd->reconnects, crowd->tries_again, crowd->unrecovered, crowd->broken);
    printf("\"close_codes\": {");
    for (unsigned i = 0; i < CLOSE_CODES && crowd->codes[i].count; i++)
        printf("%s\"%u\": %lu", i ? ", " : "", crowd->codes[i].code, crowd->codes[i].count);
    printf("}, \"cpu_s\": %.6f, ", cpu_s());
    checks_print(&crowd->checks, crowd->ready, stdout);
    printf(", \"opened_us\": ");
    histogram_print(&crowd->opened, stdout);
    printf("}\n");
    fflush(stdout);
}

static bool obey(struct crowd *crowd, const char *line) {
    char word[16];
    unsigned long number = 0;
    if (sscanf(line, "%15s %lu", word, &number) < 1) return true;
    if (strcmp(word, "open") == 0) {
        open_more(crowd, (unsigned)number);
    } else if (strcmp(word, "reach") == 0) {
        due = ALL_AT;
        due_from = 0;
        due_sequence = number;
    } else if (strcmp(word, "cut") == 0) {
        cut(crowd, (unsigned)number);
        answer("cut", number);
    } else if (strcmp(word, "return") == 0) {
        come_back(crowd);
    } else if (strcmp(word, "reconnect") == 0) {
        cut(crowd, (unsigned)number);
        come_back(crowd);
    } else if (strcmp(word, "stall") == 0) {
        stall(crowd, (unsigned)number);
    } else if (strcmp(word, "mark") == 0) {
        mark(crowd);
    } else if (strcmp(word, "report") == 0) {
        report(crowd);
    } else {
        return false; /* "quit", and what is no command */
    }
    return true;
}

bool take_commands(struct crowd *crowd) {
    static char lines[4096];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, lines + length, sizeof lines - 1 - length);
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false; /* who started us has ended */
    length += (size_t)got;
    lines[length] = 0;
    char *line = lines, *end;
    while ((end = strchr(line, '\n')) != NULL) {
        *end = 0;
        if (!obey(crowd, line)) return false;
        line = end + 1;
    }
    length = strlen(line);
    memmove(lines, line, length + 1);
    return true;
}
