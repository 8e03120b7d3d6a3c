/* Proves: UDP sockets keep unread datagrams with their boundaries and senders, connections and ports,
 * and both halves of a datagram socketpair(2) in two processes go on talking. */
#include "../sample.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int bound(struct sockaddr_in *name, uint32_t address)
{
    *name = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
    socklen_t length = sizeof *name;
    int fd = TRY(socket(AF_INET, SOCK_DGRAM, 0));
    TRY(bind(fd, (void *)name, sizeof *name));
    TRY(getsockname(fd, (void *)name, &length));
    return fd;
}

static void expect(int fd, const char *text, const struct sockaddr_in *sender)
{
    char buffer[64] = "";
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (void *)&from, &length);
    CHECK(got == (ssize_t)strlen(text) && memcmp(buffer, text, got) == 0, "recvfrom: %zd '%s' (%s), not '%s'", got, buffer,
          got < 0 ? strerror(errno) : "", text);
    CHECK(from.sin_port == sender->sin_port && from.sin_addr.s_addr == sender->sin_addr.s_addr, "'%s' is from port %d, not %d", text,
          ntohs(from.sin_port), ntohs(sender->sin_port));
}

/* The other process: sends what waits, and answers over the socketpair and over UDP at the end. */
static void other(int half, int fd, const struct sockaddr_in *everywhere)
{
    struct sockaddr_in target = *everywhere;
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TRY(connect(fd, (void *)&target, sizeof target));
    sample_write(fd, "first", 5, "udp");
    sample_write(fd, "", 0, "udp");
    sample_write(fd, "third", 5, "udp");
    sample_write(half, "sent", 4, "socketpair");
    char buffer[16];
    CHECK(recv(half, buffer, sizeof buffer, 0) == 2 && memcmp(buffer, "go", 2) == 0, "the socketpair is gone");
    sample_write(fd, "last", 4, "udp");
    sample_write(half, "done", 4, "socketpair");
}

int main(void)
{
    struct sockaddr_in everywhere, sender, here;
    int halves[2];
    int receiver = bound(&everywhere, INADDR_ANY), child_socket = bound(&sender, INADDR_LOOPBACK), second = bound(&here, INADDR_LOOPBACK);
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, halves));
    pid_t child = TRY(fork());
    if (child == 0) {
        close(halves[0]);
        other(halves[1], child_socket, &everywhere);
        _exit(0);
    }
    close(halves[1]);
    close(child_socket);
    char buffer[16];
    CHECK(recv(halves[0], buffer, sizeof buffer, MSG_PEEK) == 4, "the socketpair is silent");
    sample_ready();
    while (sample_more(100))
        sample_idle();

    expect(receiver, "first", &sender);
    expect(receiver, "", &sender);
    expect(receiver, "third", &sender);
    CHECK(recv(halves[0], buffer, sizeof buffer, 0) == 4 && memcmp(buffer, "sent", 4) == 0, "the socketpair lost its message");
    sample_write(halves[0], "go", 2, "socketpair");
    CHECK(recv(halves[0], buffer, sizeof buffer, 0) == 4 && memcmp(buffer, "done", 4) == 0, "the other half does not answer");
    expect(receiver, "last", &sender);

    struct sockaddr_in now;
    socklen_t length = sizeof now;
    TRY(getsockname(second, (void *)&now, &length));
    CHECK(now.sin_port == here.sin_port, "the port is %d, was %d", ntohs(now.sin_port), ntohs(here.sin_port));
    sample_wait_child(child, "child");
    return sample_ok(0);
}
