#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_ADDRESSES 200

static void fail(const char *what, const char *value) {
    fprintf(stderr, "watchers: %s: %s\n", what, value);
    exit(2);
}

static unsigned number(const char *text) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || end == text || value > 1000000000) fail("not a number", text);
    return (unsigned)value;
}

static void read_key(struct key *key, const char *hex) {
    if (!from_hex(hex, key->bytes, KEY_BYTES, &key->length)) fail("not such bytes", hex);
}

static void read_greeting(struct greeting *greeting, const char *hex) {
    if (!from_hex(hex, greeting->bytes, GREETING_BYTES, &greeting->length))
        fail("not such bytes", hex);
}

enum name {
    PORT, PATH, PROTOCOL, BEARER, ADDRESSES, AT_ONCE, RECEIVE, SECONDS, AS_TEXT, PACKED, AS_NATS,
    GREET,
    RESUME, RESUME_END, EVENT, READY, CONFLATED, SEQUENCE, AT, FIRST, LAST, RECOVERED
};

static const struct option NAMES[] = {
    {"port", 1, 0, PORT}, {"path", 1, 0, PATH}, {"protocol", 1, 0, PROTOCOL},
    {"bearer", 1, 0, BEARER}, {"addresses", 1, 0, ADDRESSES}, {"at-once", 1, 0, AT_ONCE},
    {"receive", 1, 0, RECEIVE}, {"seconds", 1, 0, SECONDS}, {"text", 0, 0, AS_TEXT},
    {"packed", 0, 0, PACKED},
    {"nats", 0, 0, AS_NATS}, {"greet", 1, 0, GREET}, {"resume", 1, 0, RESUME},
    {"resume-end", 1, 0, RESUME_END}, {"event", 1, 0, EVENT}, {"ready", 1, 0, READY},
    {"conflated", 1, 0, CONFLATED}, {"sequence", 1, 0, SEQUENCE}, {"at", 1, 0, AT},
    {"first", 1, 0, FIRST}, {"last", 1, 0, LAST}, {"recovered", 1, 0, RECOVERED}, {0, 0, 0, 0},
};

static void add_greeting(struct options *options, const char *hex) {
    if (options->greeting_count == GREETINGS) fail("too many greetings", hex);
    read_greeting(&options->greetings[options->greeting_count++], hex);
}

static void take(struct options *options, enum name name, char *value) {
    switch (name) {
    case PORT: options->request.port = number(value); break;
    case PATH: options->request.path = value; break;
    case PROTOCOL: options->request.protocol = value; break;
    case BEARER: options->request.bearer = value; break;
    case ADDRESSES: options->addresses = number(value); break;
    case AT_ONCE: options->at_once = number(value); break;
    case RECEIVE: options->receive = number(value); break;
    case SECONDS: options->seconds = number(value); break;
    case AS_TEXT: options->text = true; break;
    case PACKED: options->packed = true; break;
    case AS_NATS: options->nats = true; break;
    case GREET: add_greeting(options, value); break;
    case RESUME: read_greeting(&options->resume, value); break;
    case RESUME_END: read_greeting(&options->resume_end, value); break;
    case EVENT: read_key(&options->event, value); break;
    case READY: read_key(&options->ready, value); break;
    case CONFLATED: read_key(&options->conflated, value); break;
    case SEQUENCE: read_key(&options->sequence, value); break;
    case AT: read_key(&options->at, value); break;
    case FIRST: read_key(&options->first, value); break;
    case LAST: read_key(&options->last, value); break;
    case RECOVERED: read_key(&options->recovered, value); break;
    }
}

void options_read(struct options *options, int count, char **arguments) {
    *options = (struct options){
        .request.path = "/", .addresses = 1, .at_once = 256, .seconds = 300};
    int name;
    while ((name = getopt_long(count, arguments, "", NAMES, NULL)) != -1) {
        if (name == '?') exit(2);
        take(options, (enum name)name, optarg);
    }
    if (options->request.port == 0 || options->request.port > 65535) fail("--port", "1 to 65535");
    if (options->addresses == 0 || options->addresses > MAX_ADDRESSES) fail("--addresses", "1 to 200");
    if (options->at_once == 0 || options->sequence.length == 0) fail("missing", "--sequence");
}
