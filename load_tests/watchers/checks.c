#include "checks.h"

#include <string.h>

void seen_from(struct seen *seen, uint64_t sequence) {
    seen->last = sequence;
    seen->recent = ~0ULL;
}

static void advance(struct checks *checks, struct seen *seen, uint64_t sequence) {
    uint64_t step = sequence - seen->last;
    checks->missing += step - 1;
    seen->recent = (step < 64 ? seen->recent << step : 0) | 1;
    seen->last = sequence;
}

/* It should have come before: it was missing, and is only late; or it has come already. */
static void step_back(struct checks *checks, struct seen *seen, uint64_t sequence) {
    uint64_t back = seen->last - sequence;
    if (back < 64 && !(seen->recent >> back & 1)) {
        seen->recent |= 1ULL << back;
        checks->missing--;
        checks->reordered++;
    } else {
        checks->duplicates++;
    }
}

static void note_moment(struct checks *checks, uint64_t sequence, uint64_t now_us) {
    struct moment *moment = &checks->moments[sequence % MOMENTS];
    if (moment->sequence != sequence || moment->count == 0)
        *moment = (struct moment){.sequence = sequence, .first_us = now_us};
    if (now_us > moment->last_us) moment->last_us = now_us;
    moment->count++;
}

void check_event(struct checks *checks, struct seen *seen, uint64_t sequence, uint64_t at_us,
                 uint64_t now_us) {
    checks->events++;
    if (sequence > seen->last)
        advance(checks, seen, sequence);
    else
        step_back(checks, seen, sequence);
    if (at_us) {
        checks->early += at_us > now_us; /* the two clocks are not the same */
        histogram_note(&checks->latency, at_us > now_us ? 0 : now_us - at_us);
    }
    note_moment(checks, sequence, now_us);
}

void check_conflated(struct checks *checks, struct seen *seen, uint64_t first, uint64_t last) {
    checks->conflated++;
    if (first > seen->last + 1) checks->missing += first - seen->last - 1;
    if (first <= seen->last) checks->duplicates += seen->last - first + 1;
    if (last > seen->last) seen_from(seen, last);
}

void checks_reset(struct checks *checks) {
    checks->events = 0;
    memset(&checks->latency, 0, sizeof checks->latency);
    memset(checks->moments, 0, sizeof checks->moments);
}

void checks_print(struct checks *checks, uint64_t watchers, FILE *out) {
    memset(&checks->spread, 0, sizeof checks->spread);
    for (unsigned i = 0; i < MOMENTS; i++) {
        const struct moment *moment = &checks->moments[i];
        if (moment->count && moment->count >= watchers)
            histogram_note(&checks->spread, moment->last_us - moment->first_us);
    }
    fprintf(out,
            "\"events\": %lu, \"missing\": %lu, \"duplicates\": %lu, \"reordered\": %lu, "
            "\"conflated\": %lu, \"early\": %lu, \"latency_us\": ",
            checks->events, checks->missing, checks->duplicates, checks->reordered,
            checks->conflated, checks->early);
    histogram_print(&checks->latency, out);
    fprintf(out, ", \"spread_us\": ");
    histogram_print(&checks->spread, out);
}
