#include "histogram.h"

#define BITS 6 /* HISTOGRAM_STEPS is two to the power of it */

static unsigned bucket_of(uint64_t value) {
    if (value < HISTOGRAM_STEPS) return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - BITS;
    unsigned bucket = (shift + 1) * HISTOGRAM_STEPS + (unsigned)(value >> shift) - HISTOGRAM_STEPS;
    unsigned last = HISTOGRAM_STEPS * 40 - 1;
    return bucket < last ? bucket : last;
}

/* The middle of what a bucket holds. */
static double value_of(unsigned bucket) {
    if (bucket < HISTOGRAM_STEPS) return bucket;
    unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    uint64_t low = (uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << shift;
    return (double)low + (double)(1ULL << shift) / 2;
}

void histogram_note(struct histogram *histogram, uint64_t value) {
    histogram->count++;
    if (value > histogram->max) histogram->max = value;
    histogram->buckets[bucket_of(value)]++;
}

static double quantile(const struct histogram *histogram, double share) {
    uint64_t rank = (uint64_t)((double)histogram->count * share), passed = 0;
    for (unsigned i = 0; i < HISTOGRAM_STEPS * 40; i++) {
        passed += histogram->buckets[i];
        if (passed > rank) return value_of(i) < (double)histogram->max ? value_of(i) : (double)histogram->max;
    }
    return (double)histogram->max;
}

void histogram_print(const struct histogram *histogram, FILE *out) {
    fprintf(out, "{\"count\": %lu, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"max\": %lu}",
            histogram->count, quantile(histogram, 0.5), quantile(histogram, 0.9),
            quantile(histogram, 0.99), histogram->max);
}
