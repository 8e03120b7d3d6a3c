/* Proves: AF_UNIX sockets of all three types keep unread data in both directions,
 * datagrams their boundaries and senders (of this process, of another, and one that is gone), names (path, abstract, chosen by the
 * kernel) stay, a listener goes on accepting, half-closed stays half-closed. */
#include "../sample.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static char s_buffer[1 << 18];

static socklen_t abstract(struct sockaddr_un *address, const char *what)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    return offsetof(struct sockaddr_un, sun_path) + 1 +
           snprintf(address->sun_path + 1, 100, "dormouse-%s-%d", what, getpid());
}

static void put(int fd, size_t size, uint64_t seed)
{
    sample_fill(s_buffer, size, seed, 0);
    CHECK(send(fd, s_buffer, size, 0) == (ssize_t)size, "send: %s", strerror(errno));
}

static void expect(int fd, size_t size, uint64_t seed, const char *what, bool packet)
{
    if (packet)
        CHECK(recv(fd, s_buffer, sizeof s_buffer, 0) == (ssize_t)size, "%s: not a packet of %zu bytes", what, size);
    else
        sample_read(fd, s_buffer, size, what);
    sample_compare(s_buffer, size, seed, 0, what);
}

static void expect_nothing(int fd, const char *what)
{
    CHECK(recv(fd, s_buffer, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "%s: there is more than was sent", what);
}

/* A process of its own whose named socket has sent something, and one that it closes at once. */
static pid_t start_sender(const struct sockaddr_un *to, socklen_t length, int *go)
{
    int started[2], stop[2];
    char byte;
    TRY(pipe(started));
    TRY(pipe(stop));
    pid_t child = TRY(fork());
    if (child == 0) {
        struct sockaddr_un own;
        for (int i = 0; i < 2; i++) {
            int fd = TRY(socket(AF_UNIX, SOCK_DGRAM, 0));
            socklen_t own_length = abstract(&own, i == 0 ? "gone" : "child");
            TRY(bind(fd, (struct sockaddr *)&own, own_length));
            CHECK(sendto(fd, "child", 5, 0, (struct sockaddr *)to, length) == 5, "sendto: %s", strerror(errno));
            if (i == 0)
                close(fd);
        }
        close(stop[1]);
        TRY(write(started[1], "x", 1));
        _exit(read(stop[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(stop[0]);
    sample_read(started[0], &byte, 1, "sender");
    *go = stop[1];
    return child;
}

static void expect_from(int fd, const char *what, pid_t child)
{
    struct sockaddr_un from, wanted;
    socklen_t length = sizeof from;
    CHECK(recvfrom(fd, s_buffer, sizeof s_buffer, MSG_DONTWAIT, (struct sockaddr *)&from, &length) == 5, "datagram of %s: %s", what, strerror(errno));
    memset(&wanted, 0, sizeof wanted);
    wanted.sun_family = AF_UNIX;
    socklen_t wanted_length = offsetof(struct sockaddr_un, sun_path) + 1 + snprintf(wanted.sun_path + 1, 100, "dormouse-%s-%d", what, child);
    CHECK(length == wanted_length && memcmp(&from, &wanted, length) == 0, "the datagram of %s is from '@%s'", what, length > 3 ? from.sun_path + 1 : "");
}

int main(void)
{
    struct sockaddr_un name, from, path = { .sun_family = AF_UNIX };
    socklen_t length, from_length;
    int stream[2], packets[2], half[2];

    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
    put(stream[0], 100001, 1);
    put(stream[1], 99, 2);
    TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets));
    put(packets[0], 10, 3);
    put(packets[0], 20000, 4);
    put(packets[1], 1, 5);
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, half));
    put(half[0], 5, 6);
    TRY(shutdown(half[0], SHUT_WR));

    length = abstract(&name, "datagram");
    int receiver = TRY(socket(AF_UNIX, SOCK_DGRAM, 0)), named = TRY(socket(AF_UNIX, SOCK_DGRAM, 0));
    int automatic = TRY(socket(AF_UNIX, SOCK_DGRAM, 0));
    TRY(bind(receiver, (struct sockaddr *)&name, length));
    snprintf(path.sun_path, sizeof path.sun_path, "%s", sample_path("s"));
    TRY(bind(named, (struct sockaddr *)&path, sizeof path));
    TRY(bind(automatic, (struct sockaddr *)&path, sizeof(sa_family_t)));
    TRY(connect(named, (struct sockaddr *)&name, length));
    put(named, 768, 7);
    CHECK(sendto(automatic, "auto", 4, 0, (struct sockaddr *)&name, length) == 4, "sendto: %s", strerror(errno));

    int go;
    pid_t sender = start_sender(&name, length, &go);

    int listener = TRY(socket(AF_UNIX, SOCK_STREAM, 0)), client = TRY(socket(AF_UNIX, SOCK_STREAM, 0));
    length = abstract(&name, "stream");
    TRY(bind(listener, (struct sockaddr *)&name, length));
    TRY(listen(listener, 5));
    TRY(connect(client, (struct sockaddr *)&name, length));
    int server = TRY(accept(listener, NULL, NULL));
    put(client, 4242, 8);

    sample_ready();
    while (sample_more(100))
        sample_idle();

    expect(stream[1], 100001, 1, "stream", false);
    expect_nothing(stream[1], "stream");
    expect(stream[0], 99, 2, "stream back", false);
    expect_nothing(stream[0], "stream back");
    expect(packets[1], 10, 3, "first seqpacket", true);
    expect(packets[1], 20000, 4, "second seqpacket", true);
    expect_nothing(packets[1], "seqpacket");
    expect(packets[0], 1, 5, "seqpacket back", true);
    expect(half[1], 5, 6, "half-closed stream", false);
    CHECK(read(half[1], s_buffer, 1) == 0, "the half-closed stream has no end");
    put(half[1], 3, 9);
    expect(half[0], 3, 9, "other half", false);

    from_length = sizeof from;
    CHECK(recvfrom(receiver, s_buffer, sizeof s_buffer, 0, (struct sockaddr *)&from, &from_length) == 768, "first datagram");
    sample_compare(s_buffer, 768, 7, 0, "first datagram");
    CHECK(strcmp(from.sun_path, path.sun_path) == 0, "the first datagram is from '%s', not '%s'", from.sun_path, path.sun_path);
    from_length = sizeof from;
    CHECK(recvfrom(receiver, s_buffer, 100, MSG_DONTWAIT, (struct sockaddr *)&from, &from_length) == 4, "second datagram");
    CHECK(sendto(receiver, "re", 2, 0, (struct sockaddr *)&from, from_length) == 2, "answer to the automatic name: %s", strerror(errno));
    CHECK(recv(automatic, s_buffer, 10, MSG_DONTWAIT) == 2, "the answer did not come");
    expect_from(receiver, "gone", sender);
    expect_from(receiver, "child", sender);
    close(go);
    sample_wait_child(sender, "sender");
    put(named, 6, 10);
    expect(receiver, 6, 10, "datagram after", true);

    expect(server, 4242, 8, "accepted stream", false);
    int second = TRY(socket(AF_UNIX, SOCK_STREAM, 0));
    TRY(connect(second, (struct sockaddr *)&name, length));
    CHECK(accept(listener, NULL, NULL) >= 0, "the listener accepts no more: %s", strerror(errno));
    from_length = sizeof from;
    TRY(getpeername(client, (struct sockaddr *)&from, &from_length));
    CHECK(from_length == length && memcmp(&from, &name, length) == 0, "getpeername differs");
    unlink(path.sun_path);
    return sample_ok(0);
}
