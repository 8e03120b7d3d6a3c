/* What two relays say to each other. World: ordinary: a relay is a program like any other, and a member of its computation.
 *
 * Frames on one TCP connection, both ways: u8 kind | u24 payload bytes, little endian | payload.
 */
#ifndef DM_RELAY_CHANNEL_H
#define DM_RELAY_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_INPUT = 1,    /* standard input of the command; without payload: its end */
    FRAME_OUTPUT = 2,   /* standard output */
    FRAME_ERROR = 3,    /* standard error */
    FRAME_STATUS = 4,   /* the command has ended and all its output has been sent: i32 exit status */
    FRAME_UNWANTED = 5, /* u8 kind, output or error: nobody reads it any more */
    FRAME_TERMINAL = 6, /* struct terminal_state: at first, and when the window changes */
};

enum { FRAME_HEADER_BYTES = 4, FRAME_MOST_BYTES = 32768, MOST_SOURCES = 2, MOST_SINKS = 2 };

/* A descriptor that is read and sent, or written with what comes. fd is -1 once it has ended. Those that other programs share
 * are never made non-blocking: they are written in pieces that poll(2) promises room for. */
struct stream {
    int fd;
    enum frame_kind kind;
};

struct channel {
    int socket;
    struct stream sources[MOST_SOURCES], sinks[MOST_SINKS];
    /* To the other relay. */
    uint8_t outgoing[FRAME_HEADER_BYTES + FRAME_MOST_BYTES + 1024];
    size_t outgoing_bytes, sent;
    /* From it. */
    uint8_t incoming[FRAME_HEADER_BYTES + FRAME_MOST_BYTES];
    size_t received, written;
    /* A frame that no sink takes, or the end of a sink. Returns false to leave the loop. */
    bool (*control)(struct channel *channel, enum frame_kind kind, const uint8_t *payload, size_t bytes);
    /* After every wait: signals may have come. Returns false to leave the loop. */
    bool (*turn)(struct channel *channel);
};

/* The socket becomes non-blocking: the two relays must not wait for each other. */
void channel_open(struct channel *channel);

/* Appends a frame; there is room for a small one always, and for a large one when channel_is_clear. */
void channel_send(struct channel *channel, enum frame_kind kind, const void *payload, size_t bytes);
bool channel_is_clear(const struct channel *channel);

/* Whether anything can still be read from the sources. */
bool channel_has_sources(const struct channel *channel);

/* Carries until control or turn says so (true), or the connection ends (false). Signals that are blocked now are delivered only
 * while it waits. */
bool channel_run(struct channel *channel);

/* Sends what is left. False when the connection has ended. */
bool channel_flush(struct channel *channel);

#endif
