/* Proves: TCP connections in every state come back: half closed in either way, closed
 * both ways with data unread, full with the sender's end already shut down or closed,
 * an urgent byte, a connect that has not succeeded yet, one that was refused, a reset
 * not yet seen, a socket connected to itself, sockets bound and not connected. */
#include "stream.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in s_address;
static int s_listener;
static char s_buffer[1 << 16];

static int tcp(void)
{
    return TRY(socket(AF_INET, SOCK_STREAM, 0));
}

static struct sockaddr_in name_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_in name = { 0 };
    socklen_t length = sizeof name;
    CHECK(get(fd, (struct sockaddr *)&name, &length) == 0, "name of %d: %s", fd, strerror(errno));
    return name;
}

static void pair(int *client, int *server)
{
    *client = tcp();
    TRY(connect(*client, (struct sockaddr *)&s_address, sizeof s_address));
    *server = TRY(accept(s_listener, NULL, NULL));
}

static void put(int fd, const char *text)
{
    CHECK(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text), "send: %s", strerror(errno));
}

static void expect(int fd, const char *text, const char *what)
{
    ssize_t count = recv(fd, s_buffer, strlen(text), MSG_WAITALL);
    CHECK(count == (ssize_t)strlen(text) && memcmp(s_buffer, text, count) == 0, "%s: %zd bytes '%.*s' (%s), not '%s'", what, count,
          count > 0 ? (int)count : 0, s_buffer, strerror(errno), text);
}

static void expect_end(int fd, const char *what)
{
    CHECK(recv(fd, s_buffer, 1, 0) == 0, "%s: no end", what);
}

static void expect_stream(int fd, uint64_t size, uint64_t seed, const char *what)
{
    stream_expect(fd, size, seed, what);
    expect_end(fd, what);
}

static short events(int fd)
{
    struct pollfd poll_fd = { fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0 };
    TRY(poll(&poll_fd, 1, 0));
    return poll_fd.revents;
}

int main(void)
{
    int half[2], both[2], late[2], orphan[2], urgent[2], inline_[2], reset[2], gone[2], on = 1;
    s_address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    s_listener = tcp();
    TRY(bind(s_listener, (struct sockaddr *)&s_address, sizeof s_address));
    TRY(listen(s_listener, 8));
    s_address = name_of(s_listener, getsockname);

    pair(&half[0], &half[1]);                     /* the server has ended, the client has not */
    put(half[1], "last words");
    TRY(shutdown(half[1], SHUT_WR));
    pair(&both[0], &both[1]);                     /* both have ended, nobody has read */
    put(both[0], "from client");
    put(both[1], "from server");
    TRY(shutdown(both[0], SHUT_WR));
    TRY(shutdown(both[1], SHUT_WR));
    pair(&late[0], &late[1]);                     /* more than fits, then the end */
    uint64_t late_size = stream_fill_up(late[0], 1, 8192, 3);
    TRY(shutdown(late[0], SHUT_WR));
    pair(&orphan[0], &orphan[1]);                 /* the same, and the sender is gone */
    uint64_t orphan_size = stream_fill_up(orphan[0], 2, 8192, 3);
    close(orphan[0]);
    pair(&gone[0], &gone[1]);                     /* closed with nothing left to deliver */
    put(gone[0], "bye");
    close(gone[0]);
    pair(&urgent[0], &urgent[1]);
    put(urgent[0], "before");
    TRY(send(urgent[0], "!", 1, MSG_OOB));
    put(urgent[0], "behind");
    pair(&inline_[0], &inline_[1]);
    TRY(setsockopt(inline_[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    put(inline_[0], "be");
    TRY(send(inline_[0], "!", 1, MSG_OOB));
    put(inline_[0], "af");
    pair(&reset[0], &reset[1]);
    struct linger hard = { 1, 0 };
    put(reset[1], "hard");
    TRY(setsockopt(reset[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
    close(reset[1]);

    int self = tcp();                             /* connected to itself */
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    TRY(bind(self, (struct sockaddr *)&own, sizeof own));
    own = name_of(self, getsockname);
    TRY(connect(self, (struct sockaddr *)&own, sizeof own));
    put(self, "to myself");

    int bound = tcp();
    struct sockaddr_in bound_name = { .sin_family = AF_INET };
    TRY(bind(bound, (struct sockaddr *)&bound_name, sizeof bound_name));
    bound_name = name_of(bound, getsockname);

    int refused = tcp(), closed = tcp();          /* nobody listens at the port of a socket that is only bound */
    TRY(bind(closed, (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, sizeof own));
    struct sockaddr_in closed_name = name_of(closed, getsockname);
    TRY(fcntl(refused, F_SETFL, O_NONBLOCK));
    CHECK(connect(refused, (struct sockaddr *)&closed_name, sizeof closed_name) == -1, "a connection to nobody");

    int full = tcp(), stuffing[3], connecting = tcp();   /* a backlog that is full: the next connect gets no answer */
    struct sockaddr_in full_name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    TRY(bind(full, (struct sockaddr *)&full_name, sizeof full_name));
    full_name = name_of(full, getsockname);
    TRY(listen(full, 0));
    for (int i = 0; i < 1; i++) {
        stuffing[i] = tcp();
        TRY(connect(stuffing[i], (struct sockaddr *)&full_name, sizeof full_name));
    }
    TRY(fcntl(connecting, F_SETFL, O_NONBLOCK));
    CHECK(connect(connecting, (struct sockaddr *)&full_name, sizeof full_name) == -1 && errno == EINPROGRESS, "connect: %s", strerror(errno));
    usleep(50000);
    CHECK((events(connecting) & POLLOUT) == 0, "the connection to a full backlog was made");
    CHECK((events(refused) & POLLERR) != 0 && (events(reset[0]) & POLLERR) != 0, "no error is pending");

    sample_ready();
    while (sample_more(100))
        sample_idle();

    expect(half[0], "last words", "half closed");
    expect_end(half[0], "half closed");
    put(half[0], "answer");
    expect(half[1], "answer", "open half");
    CHECK(send(half[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE, "the closed half can be written to");

    expect(both[0], "from server", "closed both ways");
    expect_end(both[0], "closed both ways");
    expect(both[1], "from client", "closed both ways, server");
    expect_end(both[1], "closed both ways, server");
    CHECK(send(both[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE, "closed both ways, and it can be written to");

    expect_stream(late[1], late_size, 1, "full and shut down");
    put(late[1], "thanks");
    expect(late[0], "thanks", "full and shut down, back");
    expect_stream(orphan[1], orphan_size, 2, "full and closed");
    expect(gone[1], "bye", "closed");
    expect_end(gone[1], "closed");

    char byte = 0;
    CHECK((events(urgent[1]) & POLLPRI) != 0, "the urgent byte is not announced");
    CHECK(recv(urgent[1], s_buffer, 100, 0) == 6 && memcmp(s_buffer, "before", 6) == 0, "before the urgent byte");
    int at_mark = 0;
    CHECK(ioctl(urgent[1], SIOCATMARK, &at_mark) == 0 && at_mark == 1, "not at the mark");
    CHECK(recv(urgent[1], &byte, 1, MSG_OOB) == 1 && byte == '!', "the urgent byte: %s", strerror(errno));
    expect(urgent[1], "behind", "behind the urgent byte");
    CHECK(recv(inline_[1], s_buffer, 100, 0) == 2, "the urgent byte among the others is not marked");
    expect(inline_[1], "!af", "the urgent byte among the others");

    ssize_t count = recv(reset[0], s_buffer, 10, 0);
    if (count == 4)
        count = recv(reset[0], s_buffer, 10, 0);
    CHECK(count == -1 && errno == ECONNRESET, "the reset: %zd, %s", count, strerror(errno));

    expect(self, "to myself", "connected to itself");
    put(self, "again");
    expect(self, "again", "connected to itself, again");
    struct sockaddr_in now = name_of(self, getpeername);
    CHECK(memcmp(&now, &own, sizeof own) == 0, "connected to itself under another name");

    now = name_of(bound, getsockname);
    CHECK(memcmp(&now, &bound_name, sizeof now) == 0, "the bound socket has another name");
    int error = 0;
    socklen_t length = sizeof error;
    TRY(getsockopt(refused, SOL_SOCKET, SO_ERROR, &error, &length));
    CHECK(error == ECONNREFUSED, "the refused connection: %s", strerror(error));

    CHECK((events(connecting) & (POLLOUT | POLLERR)) == 0, "the connection to a full backlog was made");
    int first = TRY(accept(full, NULL, NULL));
    now = name_of(first, getpeername);
    struct sockaddr_in stuffing_name = name_of(stuffing[0], getsockname);
    CHECK(memcmp(&now, &stuffing_name, sizeof now) == 0, "another connection was accepted first");
    struct pollfd wait = { connecting, POLLOUT, 0 };
    CHECK(poll(&wait, 1, 20000) == 1, "the connection under way is never made");
    TRY(getsockopt(connecting, SOL_SOCKET, SO_ERROR, &error, &length));
    CHECK(error == 0, "the connection under way: %s", strerror(error));
    int second = TRY(accept(full, NULL, NULL));
    put(connecting, "late");
    expect(second, "late", "the connection that was under way");
    put(first, "early");
    expect(stuffing[0], "early", "the connection that waited to be accepted");
    return sample_ok(0);
}
