/* World: ordinary. See channel.h. */
#define _GNU_SOURCE
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void channel_open(struct channel *channel)
{
    fcntl(channel->socket, F_SETFL, fcntl(channel->socket, F_GETFL) | O_NONBLOCK);
    fcntl(channel->socket, F_SETFD, FD_CLOEXEC);
}

void channel_send(struct channel *channel, enum frame_kind kind, const void *payload, size_t bytes)
{
    uint8_t *to = channel->outgoing + channel->outgoing_bytes;
    to[0] = (uint8_t)kind;
    to[1] = (uint8_t)bytes;
    to[2] = (uint8_t)(bytes >> 8);
    to[3] = (uint8_t)(bytes >> 16);
    if (bytes > 0)
        memcpy(to + FRAME_HEADER_BYTES, payload, bytes);
    channel->outgoing_bytes += FRAME_HEADER_BYTES + bytes;
}

bool channel_is_clear(const struct channel *channel)
{
    return channel->outgoing_bytes == 0;
}

bool channel_has_sources(const struct channel *channel)
{
    for (int i = 0; i < MOST_SOURCES; i++) {
        if (channel->sources[i].fd >= 0)
            return true;
    }
    return false;
}

static size_t payload_bytes(const struct channel *channel)
{
    const uint8_t *header = channel->incoming;
    return header[1] | (size_t)header[2] << 8 | (size_t)header[3] << 16;
}

/* True when a whole frame is there. */
static bool has_frame(const struct channel *channel)
{
    return channel->received >= FRAME_HEADER_BYTES && channel->received == FRAME_HEADER_BYTES + payload_bytes(channel);
}

static struct stream *sink_of(struct channel *channel, enum frame_kind kind)
{
    for (int i = 0; i < MOST_SINKS; i++) {
        if (channel->sinks[i].kind == kind)
            return &channel->sinks[i];
    }
    return NULL;
}

/* Frames are read one by one, so that nothing is left over in memory that a sink has to wait for. */
static bool receive(struct channel *channel)
{
    size_t wanted = FRAME_HEADER_BYTES;
    if (channel->received >= FRAME_HEADER_BYTES) {
        wanted += payload_bytes(channel);
        if (wanted > sizeof channel->incoming)
            return false;
    }
    ssize_t count = read(channel->socket, channel->incoming + channel->received, wanted - channel->received);
    if (count <= 0)
        return count < 0 && (errno == EINTR || errno == EAGAIN);
    channel->received += (size_t)count;
    return true;
}

static void finish_frame(struct channel *channel)
{
    channel->received = 0;
    channel->written = 0;
}

/* False when control says that this is the end. */
static bool take_frame(struct channel *channel)
{
    enum frame_kind kind = channel->incoming[0];
    size_t bytes = payload_bytes(channel);
    struct stream *sink = sink_of(channel, kind);
    if (sink != NULL && sink->fd >= 0 && bytes > 0)
        return true; /* write_frame does it, piece by piece */
    bool goes_on =
        (sink != NULL && bytes > 0) || channel->control(channel, kind, channel->incoming + FRAME_HEADER_BYTES, bytes);
    finish_frame(channel);
    return goes_on;
}

static void write_frame(struct channel *channel, struct stream *sink)
{
    size_t rest = payload_bytes(channel) - channel->written;
    const uint8_t *from = channel->incoming + FRAME_HEADER_BYTES + channel->written;
    ssize_t count = write(sink->fd, from, rest < PIPE_BUF ? rest : PIPE_BUF);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count < 0) {
        uint8_t kind = (uint8_t)sink->kind;
        close(sink->fd);
        sink->fd = -1;
        channel_send(channel, FRAME_UNWANTED, &kind, 1);
        finish_frame(channel);
        return;
    }
    channel->written += (size_t)count;
    if (channel->written == payload_bytes(channel))
        finish_frame(channel);
}

static void read_source(struct channel *channel, struct stream *source)
{
    uint8_t data[FRAME_MOST_BYTES];
    ssize_t count = read(source->fd, data, sizeof data);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count > 0) {
        channel_send(channel, source->kind, data, (size_t)count);
        return;
    }
    /* A terminal whose other side is gone says EIO. */
    close(source->fd);
    source->fd = -1;
    channel_send(channel, source->kind, NULL, 0);
}

static bool transmit(struct channel *channel)
{
    ssize_t count = write(channel->socket, channel->outgoing + channel->sent, channel->outgoing_bytes - channel->sent);
    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    channel->sent += (size_t)count;
    if (channel->sent == channel->outgoing_bytes)
        channel->sent = channel->outgoing_bytes = 0;
    return true;
}

bool channel_flush(struct channel *channel)
{
    while (!channel_is_clear(channel)) {
        struct pollfd polled = {.fd = channel->socket, .events = POLLOUT};
        if ((poll(&polled, 1, -1) < 0 && errno != EINTR) || !transmit(channel))
            return false;
    }
    return true;
}

enum { SOCKET, SINK, FIRST_SOURCE, POLLED = FIRST_SOURCE + MOST_SOURCES };

static void prepare(const struct channel *channel, const struct stream *sink, struct pollfd *polled)
{
    bool is_clear = channel_is_clear(channel);
    polled[SOCKET].fd = channel->socket;
    polled[SOCKET].events = (short)((sink == NULL ? POLLIN : 0) | (is_clear ? 0 : POLLOUT));
    polled[SINK].fd = sink == NULL ? -1 : sink->fd;
    polled[SINK].events = POLLOUT;
    for (int i = 0; i < MOST_SOURCES; i++) {
        polled[FIRST_SOURCE + i].fd = is_clear ? channel->sources[i].fd : -1;
        polled[FIRST_SOURCE + i].events = POLLIN;
    }
}

static bool serve(struct channel *channel, struct stream *sink, const struct pollfd *polled)
{
    if ((polled[SOCKET].revents & POLLOUT) != 0 && !transmit(channel))
        return false;
    if (sink != NULL && polled[SINK].revents != 0)
        write_frame(channel, sink);
    for (int i = 0; i < MOST_SOURCES; i++) {
        if (channel_is_clear(channel) && polled[FIRST_SOURCE + i].revents != 0)
            read_source(channel, &channel->sources[i]);
    }
    return sink != NULL || (polled[SOCKET].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || receive(channel);
}

bool channel_run(struct channel *channel)
{
    sigset_t none;
    sigemptyset(&none);
    for (;;) {
        if (!channel->turn(channel))
            return true;
        if (has_frame(channel) && channel->written == 0 && !take_frame(channel))
            return true;
        struct stream *sink = has_frame(channel) ? sink_of(channel, channel->incoming[0]) : NULL;
        struct pollfd polled[POLLED];
        memset(polled, 0, sizeof polled);
        prepare(channel, sink, polled);
        if (ppoll(polled, POLLED, NULL, &none) < 0) {
            if (errno != EINTR)
                return false;
            continue;
        }
        if (!serve(channel, sink, polled))
            return false;
    }
}
