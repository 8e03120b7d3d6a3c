/* Proves: what a program does anew with the addresses and names that it knew reaches whom it reached before, wherever both have
 * woken, and answers come from the addresses that it knows: TCP and UDP, IPv4 and IPv6, also in a program that is executed.
 * Two of them run, each on its host: old-addresses PEER DIRECTORY (both see the directory). When the file DIRECTORY/round-N
 * appears they talk to each other, over new connections, and print "round N". */
#include "../sample.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#define PORT 5656

/* What a host was called and what its addresses were, when both began. */
struct host { char name[256]; struct sockaddr_storage four, six; };

struct family {
    int family;
    const struct sockaddr_storage *own, *peer;
    int listener, datagrams;
};

static struct host s_own, s_peer;
static struct family s_families[2];

static socklen_t size_of(int family)
{
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static struct sockaddr_storage look_up(const char *name, int family)
{
    struct addrinfo wanted = { .ai_family = family, .ai_socktype = SOCK_STREAM }, *answer;
    struct sockaddr_storage address = { 0 };
    int error = getaddrinfo(name, "5656", &wanted, &answer);
    CHECK(error == 0, "getaddrinfo of %s: %s", name, gai_strerror(error));
    memcpy(&address, answer->ai_addr, answer->ai_addrlen);
    freeaddrinfo(answer);
    return address;
}

static const char *text(const void *address)
{
    static char s_texts[4][80];
    static int s_next;
    char number[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *four = address;
    const struct sockaddr_in6 *six = address;
    inet_ntop(four->sin_family, four->sin_family == AF_INET ? (const void *)&four->sin_addr : &six->sin6_addr, number, sizeof number);
    char *room = s_texts[s_next++ % 4];
    snprintf(room, sizeof s_texts[0], "%s port %d", number, ntohs(four->sin_port));
    return room;
}

/* Flow and scope of an IPv6 address are 0 everywhere here. */
static void expect(const char *what, const void *address, const void *expected, bool any_port)
{
    struct sockaddr_in6 given = *(const struct sockaddr_in6 *)address;
    if (any_port)
        given.sin6_port = ((const struct sockaddr_in6 *)expected)->sin6_port;
    size_t bytes = given.sin6_family == AF_INET ? 8 : sizeof(struct sockaddr_in6);
    CHECK(memcmp(&given, expected, bytes) == 0, "%s on %s is %s, not %s", what, s_own.name, text(address), text(expected));
}

static struct sockaddr_storage with_port(const struct sockaddr_storage *address, int port)
{
    struct sockaddr_storage changed = *address;
    ((struct sockaddr_in *)&changed)->sin_port = htons((uint16_t)port);
    return changed;
}

static void check_own_names(int fd, const struct sockaddr_storage *own, const struct sockaddr_storage *peer, bool any_own_port, bool any_peer_port)
{
    struct sockaddr_storage name;
    socklen_t bytes = sizeof name;
    TRY(getsockname(fd, (struct sockaddr *)&name, &bytes));
    expect("getsockname", &name, own, any_own_port);
    bytes = sizeof name;
    TRY(getpeername(fd, (struct sockaddr *)&name, &bytes));
    expect("getpeername", &name, peer, any_peer_port);
}

static void look_around(void)
{
    struct utsname system;
    char name[256];
    TRY(gethostname(name, sizeof name));
    CHECK(strcmp(name, s_own.name) == 0, "gethostname says %s on %s", name, s_own.name);
    TRY(uname(&system));
    CHECK(strcmp(system.nodename, s_own.name) == 0, "uname says %s on %s", system.nodename, s_own.name);
    for (int i = 0; i < 2; i++) {
        const struct host *host = i == 0 ? &s_own : &s_peer;
        struct sockaddr_storage four = look_up(host->name, AF_INET), six = look_up(host->name, AF_INET6);
        expect("getaddrinfo", &four, &host->four, false);
        expect("getaddrinfo", &six, &host->six, false);
        struct hostent *entry = gethostbyname(host->name);
        CHECK(entry != NULL && memcmp(entry->h_addr_list[0], &((struct sockaddr_in *)&host->four)->sin_addr, 4) == 0, "gethostbyname of %s", host->name);
        CHECK(strcmp(entry->h_name, host->name) == 0, "gethostbyname of %s says %s", host->name, entry->h_name);
        int error = getnameinfo((struct sockaddr *)&host->four, size_of(AF_INET), name, sizeof name, NULL, 0, 0);
        CHECK(error == 0 && strcmp(name, host->name) == 0, "getnameinfo of %s says %s", text(&host->four), name);
    }
}

static void await(int fd, const char *what)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };
    CHECK(poll(&wanted, 1, 20000) == 1, "nothing comes: %s", what);
}

/* From the port that both know, and from one that the kernel chooses. */
static void talk_by_datagrams(const struct family *family, int round)
{
    struct sockaddr_storage from, own = with_port(family->own, 0);
    int other = TRY(socket(family->family, SOCK_DGRAM, 0)), got;
    TRY(bind(other, (struct sockaddr *)&own, size_of(family->family)));
    TRY(sendto(family->datagrams, &round, sizeof round, 0, (const struct sockaddr *)family->peer, size_of(family->family)));
    await(family->datagrams, "a datagram");
    socklen_t bytes = sizeof from;
    TRY(recvfrom(family->datagrams, &got, sizeof got, 0, (struct sockaddr *)&from, &bytes));
    CHECK(got == round && bytes == size_of(family->family), "a datagram of round %d in round %d", got, round);
    expect("recvfrom", &from, family->peer, false);

    /* Asked at the known port, the peer answers to where it came from. */
    struct sockaddr_storage to = *family->peer;
    struct iovec data = { &round, sizeof round };
    struct msghdr message = { .msg_name = &to, .msg_namelen = size_of(family->family), .msg_iov = &data, .msg_iovlen = 1 };
    TRY(sendmsg(other, &message, 0));
    data.iov_base = &got;
    message = (struct msghdr){ .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &data, .msg_iovlen = 1 };
    await(family->datagrams, "a question");
    TRY(recvmsg(family->datagrams, &message, 0));
    expect("recvmsg", &from, family->peer, true);
    struct mmsghdr answer = { .msg_hdr = message };
    TRY(sendmmsg(family->datagrams, &answer, 1, 0));
    await(other, "an answer");
    bytes = sizeof from;
    TRY(recvfrom(other, &got, sizeof got, 0, (struct sockaddr *)&from, &bytes));
    expect("recvfrom", &from, family->peer, false);
    close(other);
}

/* Both connect, and both accept; the program that is executed has the connection from then on. */
static void talk_by_connection(const struct family *family, int round)
{
    struct sockaddr_storage from, own = with_port(family->own, 0);
    int caller = TRY(socket(family->family, SOCK_STREAM, 0));
    if (round % 2 == 1)
        TRY(bind(caller, (struct sockaddr *)&own, size_of(family->family)));
    else if (family->family == AF_INET && round % 4 == 0)
        TRY(bind(caller, (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_UNSPEC }, sizeof(struct sockaddr_in)));
    TRY(connect(caller, (const struct sockaddr *)family->peer, size_of(family->family)));
    await(family->listener, "a connection");
    socklen_t bytes = sizeof from;
    int called = TRY(accept(family->listener, (struct sockaddr *)&from, &bytes));
    expect("accept", &from, family->peer, true);
    check_own_names(caller, family->own, family->peer, true, false);
    check_own_names(called, family->own, family->peer, false, true);
    char name[256];
    sample_write(caller, s_own.name, sizeof s_own.name, "own name");
    sample_read(called, name, sizeof name, "name of the peer");
    CHECK(strcmp(name, s_peer.name) == 0, "the peer is %s", name);

    fflush(stdout);
    pid_t child = TRY(fork());
    if (child == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", caller);
        execl("/proc/self/exe", "old-addresses", s_own.name, s_peer.name, number, text(family->peer), NULL);
        _exit(127);
    }
    int status;
    TRY(waitpid(child, &status, 0));
    CHECK(status == 0, "the program that was executed ended with 0x%x", status);
    sample_write(called, "", 1, "end");
    sample_read(caller, name, 1, "end");
    close(caller);
    close(called);
}

/* Has the connection and the names of the one that has executed it. */
static int be_executed(char **arguments)
{
    struct sockaddr_storage peer;
    socklen_t bytes = sizeof peer;
    char name[256];
    TRY(gethostname(name, sizeof name));
    CHECK(strcmp(name, arguments[1]) == 0, "gethostname says %s on %s in a program that was executed", name, arguments[1]);
    TRY(getpeername(atoi(arguments[3]), (struct sockaddr *)&peer, &bytes));
    CHECK(strcmp(text(&peer), arguments[4]) == 0, "getpeername says %s, not %s, in a program that was executed", text(&peer), arguments[4]);
    struct sockaddr_storage again = look_up(arguments[2], peer.ss_family);
    CHECK(strcmp(text(&again), arguments[4]) == 0, "%s is %s, not %s, in a program that was executed", arguments[2], text(&again), arguments[4]);
    int fd = TRY(socket(peer.ss_family, SOCK_DGRAM, 0));
    TRY(connect(fd, (struct sockaddr *)&again, bytes));
    close(fd);
    return 0;
}

static void listen_at(struct family *family)
{
    int on = 1;
    struct sockaddr_storage any = { .ss_family = AF_INET };
    family->listener = TRY(socket(family->family, SOCK_STREAM, 0));
    family->datagrams = TRY(socket(family->family, SOCK_DGRAM, 0));
    TRY(setsockopt(family->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    /* One at all addresses, one at the host's own. */
    if (family->family == AF_INET)
        any = with_port(&any, PORT);
    else
        any = *family->own;
    TRY(bind(family->listener, (struct sockaddr *)&any, size_of(family->family)));
    TRY(listen(family->listener, 5));
    TRY(bind(family->datagrams, (const struct sockaddr *)family->own, size_of(family->family)));
}

int main(int argc, char **argv)
{
    if (argc == 5)
        return be_executed(argv);
    CHECK(argc == 3, "usage: old-addresses PEER DIRECTORY");
    TRY(gethostname(s_own.name, sizeof s_own.name));
    snprintf(s_peer.name, sizeof s_peer.name, "%s", argv[1]);
    for (int i = 0; i < 2; i++) {
        struct host *host = i == 0 ? &s_own : &s_peer;
        host->four = look_up(host->name, AF_INET);
        host->six = look_up(host->name, AF_INET6);
    }
    s_families[0] = (struct family){ AF_INET, &s_own.four, &s_peer.four, -1, -1 };
    s_families[1] = (struct family){ AF_INET6, &s_own.six, &s_peer.six, -1, -1 };
    for (int i = 0; i < 2; i++)
        listen_at(&s_families[i]);
    sample_ready();
    for (int round = 1; sample_more(100); ) {
        char *path;
        CHECK(asprintf(&path, "%s/round-%d", argv[2], round) > 0, "no memory");
        bool begins = access(path, F_OK) == 0;
        free(path);
        if (!begins) {
            sample_idle();
            continue;
        }
        look_around();
        for (int i = 0; i < 2; i++) {
            talk_by_datagrams(&s_families[i], round);
            talk_by_connection(&s_families[i], round);
        }
        printf("round %d\n", round++);
        fflush(stdout);
    }
    puts("content");
    return fflush(stdout) == 0 ? 0 : 2;
}
