/* Proves: sockets that share a port each keep their own unread datagrams (SO_REUSEPORT,
 * SO_REUSEADDR), listeners that share one go on sharing it, and multicast groups stay
 * joined, with the senders that are wanted. */
#include "../sample.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

enum { MEMBERS = 4, DATAGRAMS = 40 };

static struct sockaddr_in loopback(uint32_t address, int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(address) };
}

static int shared(int type, int option, struct sockaddr_in *name)
{
    int on = 1, fd = TRY(socket(AF_INET, type, 0));
    socklen_t length = sizeof *name;
    TRY(setsockopt(fd, SOL_SOCKET, option, &on, sizeof on));
    TRY(bind(fd, (void *)name, sizeof *name));
    TRY(getsockname(fd, (void *)name, &length));
    return fd;
}

static void join(int fd, uint32_t group, bool one_source)
{
    struct group_source_req request = { .gsr_interface = if_nametoindex("lo") };
    int off = 0;
    *(struct sockaddr_in *)&request.gsr_group = loopback(group, 0);
    *(struct sockaddr_in *)&request.gsr_source = loopback(INADDR_LOOPBACK, 0);
    TRY(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off));
    TRY(setsockopt(fd, IPPROTO_IP, one_source ? MCAST_JOIN_SOURCE_GROUP : MCAST_JOIN_GROUP, &request,
                   one_source ? sizeof request : sizeof(struct group_req)));
}

static void say(uint32_t group, int port, const char *text)
{
    struct in_addr from = { htonl(INADDR_LOOPBACK) };
    struct sockaddr_in to = loopback(group, port);
    int fd = TRY(socket(AF_INET, SOCK_DGRAM, 0));
    TRY(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from));
    CHECK(sendto(fd, text, strlen(text), 0, (void *)&to, sizeof to) == (ssize_t)strlen(text), "multicast: %s", strerror(errno));
    close(fd);
}

static void await(int fd)
{
    struct pollfd wait = { fd, POLLIN, 0 };
    TRY(poll(&wait, 1, 10000));
}

static void expect(int fd, const char *text, const char *what)
{
    char buffer[64];
    if (text)
        await(fd);
    ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    CHECK(text ? got == (ssize_t)strlen(text) && memcmp(buffer, text, got) == 0 : got < 0, "%s: %.*s, not %s", what, got < 0 ? 7 : (int)got,
          got < 0 ? "nothing" : buffer, text ? text : "nothing");
}

int main(void)
{
    const uint32_t group = 0xE6010203 /* 230.1.2.3 */, chosen = 0xE8010204 /* 232.1.2.4 */;
    struct sockaddr_in name = loopback(INADDR_LOOPBACK, 0), tcp_name = name, any = loopback(INADDR_ANY, 0);
    int members[MEMBERS], listeners[2], held[MEMBERS] = { 0 }, seen[DATAGRAMS] = { 0 };
    for (int i = 0; i < MEMBERS; i++)
        members[i] = shared(SOCK_DGRAM, SO_REUSEPORT, &name);
    for (int i = 0; i < 2; i++) {
        listeners[i] = shared(SOCK_STREAM, SO_REUSEPORT, &tcp_name);
        TRY(listen(listeners[i], 5));
    }
    for (int i = 0; i < DATAGRAMS; i++) {               /* the kernel spreads them by the sender's port */
        int sender = TRY(socket(AF_INET, SOCK_DGRAM, 0));
        CHECK(sendto(sender, &i, sizeof i, 0, (void *)&name, sizeof name) == sizeof i, "sendto: %s", strerror(errno));
        close(sender);
    }
    int places[MEMBERS][DATAGRAMS], come = 0, off = -1;
    for (int i = 0; i < MEMBERS; i++)
        TRY(setsockopt(members[i], SOL_SOCKET, SO_PEEK_OFF, &held[i], sizeof held[i]));
    while (come < DATAGRAMS)                            /* who has which, when the kernel has delivered all */
        for (int i = 0; i < MEMBERS; i++)
            while (recv(members[i], &places[i][held[i]], sizeof(int), MSG_PEEK | MSG_DONTWAIT) == sizeof(int)) {
                held[i]++;
                come++;
            }
    for (int i = 0; i < MEMBERS; i++)
        TRY(setsockopt(members[i], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof off));

    int all = shared(SOCK_DGRAM, SO_REUSEADDR, &any), one = shared(SOCK_DGRAM, SO_REUSEADDR, &any), none = shared(SOCK_DGRAM, SO_REUSEADDR, &any), no = 0;
    join(all, group, false);
    join(one, group, false);
    join(one, chosen, true);
    TRY(setsockopt(none, IPPROTO_IP, IP_MULTICAST_ALL, &no, sizeof no));
    say(group, any.sin_port, "to both");
    await(all);
    await(one);

    sample_ready();
    while (sample_more(100))
        sample_idle();

    for (int i = 0; i < MEMBERS; i++)
        for (int j = 0; j < held[i]; j++) {
            int number = -1;
            CHECK(recv(members[i], &number, sizeof number, MSG_DONTWAIT) == sizeof number && number == places[i][j], "member %d has datagram %d, not %d", i, number,
                  places[i][j]);
            seen[number]++;
        }
    for (int i = 0; i < DATAGRAMS; i++)
        CHECK(seen[i] == 1, "datagram %d came %d times", i, seen[i]);

    expect(all, "to both", "unread multicast");
    expect(one, "to both", "unread multicast, second");
    expect(none, NULL, "not a member");
    say(group, any.sin_port, "again");
    expect(all, "again", "multicast");
    expect(one, "again", "multicast, second");
    say(chosen, any.sin_port, "chosen");
    expect(one, "chosen", "multicast of one sender");
    expect(all, NULL, "multicast of a group not joined");
    expect(none, NULL, "still not a member");

    for (int i = 0; i < 2; i++) {
        int client = TRY(socket(AF_INET, SOCK_STREAM, 0));
        TRY(connect(client, (void *)&tcp_name, sizeof tcp_name));
        int accepted = -1;
        for (int wait = 0; wait < 100 && accepted < 0; wait++) {
            for (int j = 0; j < 2 && accepted < 0; j++) {
                TRY(fcntl(listeners[j], F_SETFL, O_NONBLOCK));
                accepted = accept(listeners[j], NULL, NULL);
            }
            usleep(1000);
        }
        CHECK(accepted >= 0, "the listeners accept no more: %s", strerror(errno));
    }
    return sample_ok(0);
}
