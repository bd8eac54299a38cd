#define _GNU_SOURCE
#include "script.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t *at, *end;

static void fail(const char *what) {
    fprintf(stderr, "bidders: script: %s\n", what);
    exit(2);
}

static uint32_t number(void) {
    uint32_t value;
    if (end - at < (long)sizeof value) fail("it ends too early");
    memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
}

static struct saying *sayings(const struct script *script, uint32_t count) {
    struct saying *all = calloc(count ? count : 1, sizeof *all);
    if (all == NULL) fail("too many messages");
    for (uint32_t i = 0; i < count; i++) {
        all[i].connection = number();
        all[i].line = number();
        all[i].length = number();
        all[i].bytes = at;
        if (all[i].connection >= script->connections || all[i].line >= script->lines)
            fail("a connection or line beyond those announced");
        if (all[i].length > end - at) fail("it ends too early");
        at += all[i].length;
    }
    return all;
}

void script_read(struct script *script, const char *path) {
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) < 0) fail(path);
    at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at == MAP_FAILED) fail("cannot be mapped");
    close(fd);
    end = at + info.st_size;
    script->connections = number();
    script->lines = number();
    script->greeting_count = number();
    script->count = number();
    script->greetings = sayings(script, script->greeting_count);
    script->sayings = sayings(script, script->count);
    if (at != end) fail("more than was announced");
}
