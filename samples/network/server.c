/* Proves, together with client.c: a client and a server that were started by two
 * dmlaunch commands under one coordinator sleep and wake together.
 * Usage: server PORT-FILE. Writes its port there, serves any number of clients,
 * answers every number with its mix; ends when the last client is gone. */
#include "../sample.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

enum { MOST = 64 };

int main(int argc, char **argv)
{
    CHECK(argc == 2, "usage: server PORT-FILE");
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    struct pollfd sockets[MOST] = { { .fd = TRY(socket(AF_INET, SOCK_STREAM, 0)), .events = POLLIN } };
    int count = 1;
    bool served = false;
    TRY(bind(sockets[0].fd, (struct sockaddr *)&address, length));
    TRY(listen(sockets[0].fd, 16));
    TRY(getsockname(sockets[0].fd, (struct sockaddr *)&address, &length));
    char port[16], *temporary = NULL;
    CHECK(asprintf(&temporary, "%s.new", argv[1]) > 0, "no memory");
    int file = TRY(open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    sample_write(file, port, snprintf(port, sizeof port, "%d\n", ntohs(address.sin_port)), "port file");
    close(file);
    TRY(rename(temporary, argv[1]));
    sample_ready();

    while (count > 1 || !served) {
        CHECK(poll(sockets, count, -1) > 0, "poll: %s", strerror(errno));
        if (sockets[0].revents && count < MOST) {
            sockets[count++] = (struct pollfd){ .fd = TRY(accept(sockets[0].fd, NULL, NULL)), .events = POLLIN };
            served = true;
        }
        for (int i = 1; i < count; i++) {
            uint64_t number;
            if (!sockets[i].revents)
                continue;
            ssize_t got = recv(sockets[i].fd, &number, sizeof number, MSG_WAITALL);
            if (got == sizeof number) {
                number = sample_mix(number);
                sample_write(sockets[i].fd, &number, sizeof number, "answer");
                continue;
            }
            CHECK(got == 0, "a client ended in the middle: %zd (%s)", got, strerror(errno));
            close(sockets[i].fd);
            sockets[i--] = sockets[--count];
        }
    }
    return sample_ok(0);
}
