/* Whether every watcher saw every event once and in order, and how soon. */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdint.h>
#include <stdio.h>

#include "histogram.h"

#define MOMENTS 65536 /* events whose first and last delivery are remembered */

/* What one connection has seen. A bit of recent stands for each of the 64 sequences up to last. */
struct seen {
    uint64_t last, recent;
};

struct moment {
    uint64_t sequence, first_us, last_us, count;
};

/* missing: never came; reordered: came after a later one; duplicates: came again. */
struct checks {
    uint64_t events, missing, duplicates, reordered, conflated, early;
    struct histogram latency, spread;
    struct moment moments[MOMENTS];
};

/* Begin after a sequence: the next one is due. */
void seen_from(struct seen *seen, uint64_t sequence);

/* An event came. at_us: when it happened, 0 if it does not say. */
void check_event(struct checks *checks, struct seen *seen, uint64_t sequence, uint64_t at_us,
                 uint64_t now_us);

/* One frame came in place of the events from first to last. */
void check_conflated(struct checks *checks, struct seen *seen, uint64_t first, uint64_t last);

/* Forget how many and how soon; what went wrong stays. */
void checks_reset(struct checks *checks);

/* Print them as members of a JSON object. The spread is over events that so many watchers saw. */
void checks_print(struct checks *checks, uint64_t watchers, FILE *out);

#endif
