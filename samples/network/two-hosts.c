/* Proves: TCP between two hosts: a token that never rests, and a connection whose
 * buffers are full in both directions, keep every byte through a restart, wherever
 * the two ends wake; both go on seeing the addresses that they had.
 * Usage: two-hosts listen PORT | two-hosts ADDRESS PORT. */
#include "stream.h"
#include <arpa/inet.h>
#include <sys/socket.h>

struct names { struct sockaddr_in own, peer; };

static char s_buffer[1 << 16];

static void name_both(int fd, struct names *names)
{
    socklen_t length = sizeof names->own;
    memset(names, 0, sizeof *names);
    TRY(getsockname(fd, (struct sockaddr *)&names->own, &length));
    length = sizeof names->peer;
    TRY(getpeername(fd, (struct sockaddr *)&names->peer, &length));
}

int main(int argc, char **argv)
{
    CHECK(argc == 3, "usage: two-hosts listen PORT | two-hosts ADDRESS PORT");
    bool listens = strcmp(argv[1], "listen") == 0;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])), .sin_addr.s_addr = INADDR_ANY };
    int fds[2], on = 1;
    int listener = listens ? TRY(socket(AF_INET, SOCK_STREAM, 0)) : -1;
    if (listens) {
        TRY(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
        TRY(bind(listener, (struct sockaddr *)&address, sizeof address));
        TRY(listen(listener, 5));
        printf("listening\n");
        fflush(stdout);
    } else
        CHECK(inet_pton(AF_INET, argv[1], &address.sin_addr) == 1, "no address: %s", argv[1]);
    for (int i = 0; i < 2; i++) {
        if (listens)
            fds[i] = TRY(accept(listener, NULL, NULL));
        else {
            fds[i] = TRY(socket(AF_INET, SOCK_STREAM, 0));
            TRY(connect(fds[i], (struct sockaddr *)&address, sizeof address));
        }
    }
    if (listens)
        close(listener);
    struct names before[2], after;
    for (int i = 0; i < 2; i++)
        name_both(fds[i], &before[i]);
    uint64_t totals[2] = { stream_fill_up(fds[1], listens ? 1 : 2, 4000, 5), 0 }, token = 0;

    /* Who listens leads: 0 in the top bit ends it. */
    if (listens) {
        sample_ready();
        do {
            token++;
            sample_write(fds[0], &token, sizeof token, "token");
            uint64_t answer;
            sample_read(fds[0], &answer, sizeof answer, "token");
            CHECK(answer == sample_mix(token), "token %llu came back as something else", (unsigned long long)token);
        } while (sample_more(100000000));
        token = 0;
        sample_write(fds[0], &token, sizeof token, "end");
    } else
        for (;;) {
            sample_read(fds[0], &token, sizeof token, "token");
            if (token == 0)
                break;
            token = sample_mix(token);
            sample_write(fds[0], &token, sizeof token, "token");
        }
    sample_write(fds[0], &totals[0], sizeof totals[0], "total");
    sample_read(fds[0], &totals[1], sizeof totals[1], "total");
    stream_expect(fds[1], totals[1], listens ? 2 : 1, "full connection");
    CHECK(recv(fds[1], s_buffer, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "there is more than was sent");
    for (int i = 0; i < 2; i++) {
        name_both(fds[i], &after);
        CHECK(memcmp(&after, &before[i], sizeof after) == 0, "connection %d has other addresses than it had", i);
    }
    sample_write(fds[0], &token, 1, "goodbye");
    sample_read(fds[0], &token, 1, "goodbye");
    return listens ? sample_ok(0) : 0;
}
