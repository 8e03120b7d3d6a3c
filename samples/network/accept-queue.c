/* Proves: connections that nobody has accepted yet still wait, in order, after a
 * restart, whoever has the client's end: TCP over IPv4 and to a listener of both
 * families, AF_UNIX by path and abstract name; and a group of listeners that share
 * a port (SO_REUSEPORT) is one again. */
#include "../sample.h"
#include <arpa/inet.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { FOUR, BOTH, PATH, ABSTRACT, KINDS, CLIENTS = 3 };

struct kind { const char *name; int listener; struct sockaddr_storage address; socklen_t length; int clients[CLIENTS]; };

static void listen_at(struct kind *kind, int family)
{
    kind->listener = TRY(socket(family, SOCK_STREAM, 0));
    TRY(bind(kind->listener, (struct sockaddr *)&kind->address, kind->length));
    TRY(listen(kind->listener, CLIENTS));
    if (family != AF_UNIX)
        TRY(getsockname(kind->listener, (struct sockaddr *)&kind->address, &kind->length));
}

static void connect_all(struct kind *kind)
{
    struct sockaddr_storage to = kind->address;
    socklen_t length = kind->length;
    if (to.ss_family == AF_INET6) {              /* an IPv4 client of a listener of both families */
        struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                    .sin_port = ((struct sockaddr_in6 *)&to)->sin6_port };
        memcpy(&to, &four, sizeof four);
        length = sizeof four;
    }
    for (int i = 0; i < CLIENTS; i++) {
        kind->clients[i] = TRY(socket(to.ss_family, SOCK_STREAM, 0));
        TRY(connect(kind->clients[i], (struct sockaddr *)&to, length));
        usleep(12000);                           /* the order is known to the tick */
    }
}

/* The client says its number only after the restart, when the server has said where it is in the queue. */
static void talk(int fd, int number, const char *what)
{
    unsigned char mine = (unsigned char)number, place = 99;
    CHECK(send(fd, &mine, 1, 0) == 1, "%s: send: %s", what, strerror(errno));
    sample_read(fd, &place, 1, what);
    CHECK(place == number, "%s: client %d was accepted as number %d", what, number, place);
}

static void serve(struct kind *kind)
{
    int accepted[CLIENTS];
    unsigned char number;
    for (int i = 0; i < CLIENTS; i++)
        accepted[i] = TRY(accept(kind->listener, NULL, NULL));
    for (unsigned char i = 0; i < CLIENTS; i++) {
        sample_read(accepted[i], &number, 1, kind->name);
        CHECK(send(accepted[i], &i, 1, 0) == 1, "%s: send: %s", kind->name, strerror(errno));
        CHECK(number == i, "%s: number %d was accepted as number %d", kind->name, number, i);
        close(accepted[i]);
    }
}

int main(void)
{
    static struct kind kinds[KINDS] = { { .name = "IPv4" }, { .name = "both families" }, { .name = "path" }, { .name = "abstract name" } };
    int go[2], on = 1, group[2];
    char byte;
    *(struct sockaddr_in *)&kinds[FOUR].address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    kinds[FOUR].length = sizeof(struct sockaddr_in);
    *(struct sockaddr_in6 *)&kinds[BOTH].address = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
    kinds[BOTH].length = sizeof(struct sockaddr_in6);
    struct sockaddr_un *path = (void *)&kinds[PATH].address, *name = (void *)&kinds[ABSTRACT].address;
    path->sun_family = name->sun_family = AF_UNIX;
    snprintf(path->sun_path, sizeof path->sun_path, "%s", sample_path("queue"));
    kinds[PATH].length = sizeof *path;
    kinds[ABSTRACT].length = offsetof(struct sockaddr_un, sun_path) + 1 + snprintf(name->sun_path + 1, 100, "dormouse-queue-%d", getpid());
    for (int i = 0; i < KINDS; i++)
        listen_at(&kinds[i], kinds[i].address.ss_family);
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in shared = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof shared;
        if (i == 1)
            TRY(getsockname(group[0], (struct sockaddr *)&shared, &length));
        group[i] = TRY(socket(AF_INET, SOCK_STREAM, 0));
        TRY(setsockopt(group[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
        TRY(bind(group[i], (struct sockaddr *)&shared, length));
        TRY(listen(group[i], 5));
    }

    TRY(pipe(go));
    connect_all(&kinds[PATH]);                   /* some clients are in the server itself */
    pid_t child = TRY(fork());
    if (child == 0) {
        for (int i = 0; i < KINDS; i++) {
            close(kinds[i].listener);
            if (i != PATH)
                connect_all(&kinds[i]);
        }
        TRY(write(go[1], "x", 1));
        while (sample_more(100))
            sample_idle();
        for (int i = 0; i < KINDS; i++)
            for (int k = 0; k < CLIENTS && i != PATH; k++)
                talk(kinds[i].clients[k], k, kinds[i].name);
        _exit(0);
    }
    sample_read(go[0], &byte, 1, "go");
    sample_ready();
    while (sample_more(100))
        sample_idle();
    for (int i = 0; i < KINDS; i++) {
        if (i == PATH)
            for (unsigned char k = 0; k < CLIENTS; k++)
                CHECK(send(kinds[i].clients[k], &k, 1, 0) == 1, "send: %s", strerror(errno));
        serve(&kinds[i]);
    }
    sample_wait_child(child, "clients");

    struct sockaddr_in first, second;
    socklen_t length = sizeof first;
    TRY(getsockname(group[0], (struct sockaddr *)&first, &length));
    TRY(getsockname(group[1], (struct sockaddr *)&second, &length));
    CHECK(memcmp(&first, &second, sizeof first) == 0, "the group of listeners is split");
    TRY(getsockopt(group[1], SOL_SOCKET, SO_REUSEPORT, &on, &(socklen_t){ sizeof on }));
    CHECK(on, "SO_REUSEPORT is lost");
    unlink(path->sun_path);
    return sample_ok(0);
}
