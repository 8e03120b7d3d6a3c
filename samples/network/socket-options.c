/* Proves: whatever a program has set on its sockets is as it was: TCP connected and
 * listening, UDP of IPv4 and IPv6, AF_UNIX; also buffer sizes and packet filters, which
 * of them an exec closes, and a lock on one. */
#include "../sample.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define OPTION(level, name, value) { level, name, #name, value }

/* Those with 4 bytes. What may not be set here (as a user) keeps its value, and that is compared. */
static const struct { int level, option; const char *name; int value; } s_options[] = {
    OPTION(SOL_SOCKET, SO_BROADCAST, 1), OPTION(SOL_SOCKET, SO_KEEPALIVE, 1), OPTION(SOL_SOCKET, SO_OOBINLINE, 1), OPTION(SOL_SOCKET, SO_PRIORITY, 5),
    OPTION(SOL_SOCKET, SO_DONTROUTE, 1), OPTION(SOL_SOCKET, SO_RCVLOWAT, 77), OPTION(SOL_SOCKET, SO_TIMESTAMPNS, 1), OPTION(SOL_SOCKET, SO_MARK, 9),
    OPTION(SOL_SOCKET, SO_RXQ_OVFL, 1), OPTION(SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE),
    OPTION(SOL_SOCKET, SO_SNDBUF, 30000), OPTION(SOL_SOCKET, SO_RCVBUF, 50000), OPTION(SOL_SOCKET, SO_PASSCRED, 1), OPTION(SOL_SOCKET, SO_REUSEPORT, 1),
    OPTION(SOL_SOCKET, SO_ZEROCOPY, 1), OPTION(SOL_SOCKET, SO_BUSY_POLL, 50), OPTION(SOL_SOCKET, SO_PEEK_OFF, 3),
    OPTION(IPPROTO_TCP, TCP_NODELAY, 1), OPTION(IPPROTO_TCP, TCP_CORK, 1), OPTION(IPPROTO_TCP, TCP_KEEPIDLE, 44), OPTION(IPPROTO_TCP, TCP_KEEPINTVL, 33),
    OPTION(IPPROTO_TCP, TCP_KEEPCNT, 5), OPTION(IPPROTO_TCP, TCP_SYNCNT, 4), OPTION(IPPROTO_TCP, TCP_LINGER2, 22), OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT, 15),
    OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT, 12345), OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096), OPTION(IPPROTO_TCP, TCP_FASTOPEN, 3),
    OPTION(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1), OPTION(IPPROTO_TCP, TCP_INQ, 1),
    OPTION(IPPROTO_IP, IP_TOS, 0x28), OPTION(IPPROTO_IP, IP_TTL, 33), OPTION(IPPROTO_IP, IP_PKTINFO, 1), OPTION(IPPROTO_IP, IP_RECVTTL, 1),
    OPTION(IPPROTO_IP, IP_RECVTOS, 1), OPTION(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), OPTION(IPPROTO_IP, IP_RECVERR, 1), OPTION(IPPROTO_IP, IP_FREEBIND, 1),
    OPTION(IPPROTO_IP, IP_MULTICAST_TTL, 7), OPTION(IPPROTO_IP, IP_MULTICAST_LOOP, 0), OPTION(IPPROTO_IP, IP_MULTICAST_ALL, 0), OPTION(IPPROTO_IP, IP_MINTTL, 1),
    OPTION(IPPROTO_IP, IP_MULTICAST_IF, 0x0100007f), OPTION(IPPROTO_IP, IP_TRANSPARENT, 1),
    OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44), OPTION(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 6), OPTION(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_IF, 1), OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), OPTION(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1),
    OPTION(IPPROTO_IPV6, IPV6_RECVTCLASS, 1), OPTION(IPPROTO_IPV6, IPV6_TCLASS, 0x20), OPTION(IPPROTO_IPV6, IPV6_V6ONLY, 1), OPTION(IPPROTO_IPV6, IPV6_DONTFRAG, 1),
};

enum { OPTIONS = sizeof s_options / sizeof s_options[0], SOME = 3, SOCKETS = 7 + SOME };

struct subject {
    const char *name;
    int fd, before[OPTIONS], was_there[OPTIONS];
    struct linger linger;
    struct timeval timeout;
    char congestion[16];
};

static int option_of(int fd, int i, int *value)
{
    socklen_t length = sizeof *value;
    *value = 0;
    return getsockopt(fd, s_options[i].level, s_options[i].option, value, &length) == 0;
}

static void read_others(int fd, struct subject *into)
{
    socklen_t length = sizeof into->linger;
    TRY(getsockopt(fd, SOL_SOCKET, SO_LINGER, &into->linger, &length));
    length = sizeof into->timeout;
    TRY(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &into->timeout, &length));
    length = sizeof into->congestion;
    getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, into->congestion, &length);
}

/* Every `step`th option, from `first` on. */
static void set_some(struct subject *subject, const char *name, int fd, int first, int step)
{
    struct linger linger = { 1, 3 };
    struct timeval timeout = { 7, 0 };
    *subject = (struct subject){ .name = name, .fd = fd };
    for (int i = first; i < OPTIONS; i += step)
        setsockopt(fd, s_options[i].level, s_options[i].option, &s_options[i].value, sizeof(int));
    TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    TRY(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout));
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    for (int i = 0; i < OPTIONS; i++)
        subject->was_there[i] = option_of(fd, i, &subject->before[i]);
    read_others(fd, subject);
}

static void set(struct subject *subject, const char *name, int fd)
{
    set_some(subject, name, fd, 0, 1);
}

static void check(const struct subject *subject)
{
    struct subject now = { 0 };
    for (int i = 0; i < OPTIONS; i++) {
        int value;
        CHECK(option_of(subject->fd, i, &value) == subject->was_there[i] && value == subject->before[i], "%s: %s is %d, was %d", subject->name,
              s_options[i].name, value, subject->before[i]);
    }
    read_others(subject->fd, &now);
    CHECK(memcmp(&now.linger, &subject->linger, sizeof now.linger) == 0, "%s: SO_LINGER differs", subject->name);
    CHECK(memcmp(&now.timeout, &subject->timeout, sizeof now.timeout) == 0, "%s: SO_SNDTIMEO differs", subject->name);
    CHECK(memcmp(now.congestion, subject->congestion, sizeof now.congestion) == 0, "%s: TCP_CONGESTION is %.16s", subject->name, now.congestion);
}

/* Lets only datagrams pass whose first byte is 'y' (a UDP header has 8 bytes). */
static struct sock_filter s_filter[] = {
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1), BPF_STMT(BPF_RET | BPF_K, 0xFFFF), BPF_STMT(BPF_RET | BPF_K, 0),
};

static void check_filter(int filtered, const struct sockaddr_in *name)
{
    char buffer[8];
    int sender = TRY(socket(AF_INET, SOCK_DGRAM, 0));
    CHECK(sendto(sender, "no", 2, 0, (const void *)name, sizeof *name) == 2 && sendto(sender, "yes", 3, 0, (const void *)name, sizeof *name) == 3, "sendto: %s",
          strerror(errno));
    CHECK(recv(filtered, buffer, sizeof buffer, 0) == 3 && buffer[0] == 'y', "the filter is gone");
    close(sender);
}

static void check_descriptors(const struct subject *subjects)
{
    for (int i = 0; i < SOCKETS; i++)
        CHECK(fcntl(subjects[i].fd, F_GETFD) == (i % 2 == 0 ? FD_CLOEXEC : 0), "%s: FD_CLOEXEC is %d", subjects[i].name, fcntl(subjects[i].fd, F_GETFD));
}

/* Only another process sees it. */
static void check_lock(int fd)
{
    pid_t child = TRY(fork());
    if (child == 0) {
        struct flock found = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _exit(fcntl(fd, F_GETLK, &found) == 0 && found.l_type == F_WRLCK && found.l_pid == getppid() ? 0 : 1);
    }
    int status;
    TRY(waitpid(child, &status, 0));
    CHECK(status == 0, "the lock on the connection is gone");
}

int main(void)
{
    struct subject subjects[SOCKETS];
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, filtered_name = name;
    socklen_t length = sizeof name;
    int pair[2], plain = TRY(socket(AF_INET, SOCK_STREAM, 0)), listener = TRY(socket(AF_INET, SOCK_STREAM, 0)), client = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(bind(plain, (void *)&name, sizeof name));
    TRY(getsockname(plain, (void *)&name, &length));
    TRY(listen(plain, 5));
    TRY(connect(client, (void *)&name, sizeof name));
    TRY(accept(plain, NULL, NULL));
    for (int i = 0; i < SOME; i++) {
        int other = TRY(socket(AF_INET, SOCK_STREAM, 0));
        TRY(connect(other, (void *)&name, sizeof name));
        TRY(accept(plain, NULL, NULL));
        set_some(&subjects[7 + i], "TCP connection with some", other, i, SOME);
    }
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    int six = socket(AF_INET6, SOCK_DGRAM, 0);

    set(&subjects[0], "TCP connection", client);
    set(&subjects[1], "TCP listener", listener);
    name.sin_port = 0;
    TRY(bind(listener, (void *)&name, sizeof name));
    TRY(listen(listener, 7));
    set(&subjects[1], "TCP listener", listener);
    set(&subjects[2], "unbound TCP", TRY(socket(AF_INET, SOCK_STREAM, 0)));
    set(&subjects[3], "UDP", TRY(socket(AF_INET, SOCK_DGRAM, 0)));
    set(&subjects[4], "UDP of IPv6", six >= 0 ? six : TRY(socket(AF_INET, SOCK_DGRAM, 0)));
    set(&subjects[5], "AF_UNIX", pair[0]);
    set(&subjects[6], "AF_UNIX datagrams", TRY(socket(AF_UNIX, SOCK_DGRAM, 0)));

    int filtered = TRY(socket(AF_INET, SOCK_DGRAM, 0));
    struct sock_fprog program = { 4, s_filter };
    TRY(bind(filtered, (void *)&filtered_name, sizeof filtered_name));
    TRY(getsockname(filtered, (void *)&filtered_name, &length));
    TRY(setsockopt(filtered, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    check_filter(filtered, &filtered_name);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    TRY(fcntl(client, F_SETLK, &lock));
    for (int i = 0; i < SOCKETS; i += 2)
        TRY(fcntl(subjects[i].fd, F_SETFD, FD_CLOEXEC));
    check_descriptors(subjects);
    check_lock(client);

    sample_ready();
    while (sample_more(100))
        sample_idle();

    for (int i = 0; i < SOCKETS; i++)
        check(&subjects[i]);
    check_descriptors(subjects);
    check_lock(client);
    check_filter(filtered, &filtered_name);
    return sample_ok(0);
}
