/* Many microseconds in little room: each is kept to within 1.6 per cent. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_STEPS 64 /* to each doubling */

struct histogram {
    uint64_t count, max;
    uint64_t buckets[HISTOGRAM_STEPS * 40];
};

void histogram_note(struct histogram *histogram, uint64_t value);

/* Print it as a JSON object: count, p50, p90, p99, max. */
void histogram_print(const struct histogram *histogram, FILE *out);

#endif
