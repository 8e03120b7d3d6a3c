/* Proves: TCP over loopback between two processes: unread data, buffers full in both
 * directions, half-closed connections, options, names, IPv6, and a listener that
 * goes on accepting. */
#include "stream.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { UNREAD, FULL, HALF, IDLE, SIX, CONNECTIONS };

static char s_buffer[1 << 16];

static int listener(int family, struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = TRY(socket(family, SOCK_STREAM, 0));
    if (bind(fd, family == AF_INET ? (void *)&four : (void *)&six, family == AF_INET ? sizeof four : sizeof six) != 0)
        return -1;                              /* this machine has no IPv6 */
    TRY(listen(fd, 8));
    *length = sizeof *address;
    TRY(getsockname(fd, (struct sockaddr *)address, length));
    return fd;
}

static void put(int fd, size_t size, uint64_t seed)
{
    sample_fill(s_buffer, size, seed, 0);
    CHECK(send(fd, s_buffer, size, 0) == (ssize_t)size, "send: %s", strerror(errno));
}

/* One side: tells the other how much it sent, idles, then receives all and compares. */
static void side(const int *fds, int tell, int hear, uint64_t mine, uint64_t theirs, bool client)
{
    struct { uint64_t full; struct sockaddr_storage own, peer; } sent = { 0 }, got;
    socklen_t length = sizeof sent.own, peer_length = sizeof sent.peer;
    int on = 1;
    put(fds[UNREAD], 30000, mine);
    sent.full = stream_fill_up(fds[FULL], mine + 1, 4000, 3);
    if (client) {
        put(fds[HALF], 77, mine + 2);
        TRY(shutdown(fds[HALF], SHUT_WR));
    }
    TRY(setsockopt(fds[IDLE], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    TRY(setsockopt(fds[IDLE], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
    TRY(getsockname(fds[IDLE], (struct sockaddr *)&sent.own, &length));
    TRY(getpeername(fds[IDLE], (struct sockaddr *)&sent.peer, &peer_length));
    sample_write(tell, &sent, sizeof sent, "tell");
    sample_read(hear, &got, sizeof got, "hear");

    if (!client)
        sample_ready();
    while (sample_more(100))
        sample_idle();

    stream_expect(fds[UNREAD], 30000, theirs, "unread data");
    pid_t reader = TRY(fork());                 /* both directions are full: someone must read first */
    if (reader == 0) {
        stream_expect(fds[FULL], got.full, theirs + 1, "full buffers");
        _exit(0);
    }
    sample_wait_child(reader, "reader");
    if (!client) {
        stream_expect(fds[HALF], 77, theirs + 2, "half-closed connection");
        CHECK(recv(fds[HALF], s_buffer, 1, 0) == 0, "the half-closed connection has no end");
        put(fds[HALF], 11, 99);
    } else {
        stream_expect(fds[HALF], 11, 99, "open half");
    }
    struct sockaddr_storage own = { 0 }, peer = { 0 };
    TRY(getsockname(fds[IDLE], (struct sockaddr *)&own, &length));
    TRY(getpeername(fds[IDLE], (struct sockaddr *)&peer, &peer_length));
    CHECK(memcmp(&own, &sent.own, length) == 0 && memcmp(&peer, &sent.peer, length) == 0, "the names of the connection differ");
    int value = 0;
    socklen_t size = sizeof value;
    TRY(getsockopt(fds[IDLE], IPPROTO_TCP, TCP_NODELAY, &value, &size));
    CHECK(value, "TCP_NODELAY is lost");
    TRY(getsockopt(fds[IDLE], SOL_SOCKET, SO_KEEPALIVE, &value, &size));
    CHECK(value, "SO_KEEPALIVE is lost");
    put(fds[SIX], 1000, mine);
    stream_expect(fds[SIX], 1000, theirs, "IPv6");
}

int main(void)
{
    struct sockaddr_storage four, six;
    socklen_t four_length, six_length;
    int there[2], back[2], server[CONNECTIONS], client[CONNECTIONS];
    int four_listener = listener(AF_INET, &four, &four_length), six_listener = listener(AF_INET6, &six, &six_length);
    for (int i = 0; i < CONNECTIONS; i++) {
        bool use_six = i == SIX && six_listener >= 0;
        client[i] = TRY(socket(use_six ? AF_INET6 : AF_INET, SOCK_STREAM, 0));
        TRY(connect(client[i], (struct sockaddr *)(use_six ? &six : &four), use_six ? six_length : four_length));
        server[i] = TRY(accept(use_six ? six_listener : four_listener, NULL, NULL));
    }
    TRY(pipe(there));
    TRY(pipe(back));

    pid_t child = TRY(fork());
    for (int i = 0; i < CONNECTIONS; i++)
        close(child == 0 ? server[i] : client[i]);
    if (child == 0) {
        close(four_listener);
        side(client, there[1], back[0], 100, 200, true);
        _exit(0);
    }
    side(server, back[1], there[0], 200, 100, false);
    sample_wait_child(child, "client");

    int late = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(connect(late, (struct sockaddr *)&four, four_length));
    CHECK(accept(four_listener, NULL, NULL) >= 0, "the listener accepts no more: %s", strerror(errno));
    return sample_ok(0);
}
