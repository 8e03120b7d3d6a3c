/* Streams whose buffers are full: what is sent and what comes are parts of one sequence, so that nothing can be lost, doubled or
 * out of order. Bytes come from sample_fill(seed). */
#pragma once

#include "../sample.h"
#include <sys/socket.h>

static char s_stream_buffer[1 << 16];

/* Sends pieces of `piece` bytes until the connection has taken nothing for `patience` looks. The kernel moves bytes on: so
 * it is tried again. Returns how many went. */
__attribute__((unused)) static uint64_t stream_fill_up(int fd, uint64_t seed, size_t piece, int patience)
{
    uint64_t total = 0;
    for (int quiet = 0; quiet < patience;) {
        sample_fill(s_stream_buffer, piece, seed, total);
        ssize_t count = send(fd, s_stream_buffer, piece, MSG_DONTWAIT);
        CHECK(count > 0 || errno == EAGAIN, "send: %s", strerror(errno));
        if (count > 0)
            total += count, quiet = 0;
        else
            usleep(20000), quiet++;
    }
    return total;
}

__attribute__((unused)) static void stream_expect(int fd, uint64_t size, uint64_t seed, const char *what)
{
    for (uint64_t done = 0; done < size;) {
        ssize_t count = recv(fd, s_stream_buffer, size - done < sizeof s_stream_buffer ? size - done : sizeof s_stream_buffer, 0);
        CHECK(count > 0, "%s: %llu of %llu bytes, then %s", what, (unsigned long long)done, (unsigned long long)size,
              count ? strerror(errno) : "the end");
        sample_compare(s_stream_buffer, count, seed, done, what);
        done += count;
    }
}
