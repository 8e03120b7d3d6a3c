/* Proves: a checkpoint waits for the short moment in which no connection waits to be accepted, and a server
 * with clients that come and go loses none of them. With an argument: a server that never accepts. */
#include "../sample.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { WORD = 8 };

static void client(const struct sockaddr_in *address)
{
    for (uint64_t number = 0; sample_more(100); number++) {
        int fd = TRY(socket(AF_INET, SOCK_STREAM, 0));
        TRY(connect(fd, (const void *)address, sizeof *address));
        uint64_t answer, word = sample_mix(number);
        sample_write(fd, &word, WORD, "client");
        sample_read(fd, &answer, WORD, "client");
        CHECK(answer == ~word, "the server answers %llx to %llx", (unsigned long long)answer, (unsigned long long)word);
        close(fd);
    }
    int last = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(connect(last, (const void *)address, sizeof *address));
    close(last); /* the end of the service */
}

int main(int count, char **arguments)
{
    (void)arguments;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int listener = TRY(socket(AF_INET, SOCK_STREAM, 0));
    /* As servers do, so that they can start again at once. Without it a restart waits for the kernel's minute. */
    int on = 1;
    TRY(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    TRY(bind(listener, (void *)&address, sizeof address));
    TRY(listen(listener, 8));
    TRY(getsockname(listener, (void *)&address, &length));

    pid_t child = TRY(fork());
    if (child == 0) {
        client(&address);
        _exit(0);
    }
    sample_ready();
    while (count > 1)
        pause();
    for (;;) {
        usleep(3000); /* the next client waits in the queue most of the time */
        int fd = TRY(accept(listener, NULL, NULL));
        uint64_t word;
        ssize_t got = read(fd, &word, WORD);
        if (got == 0)
            break;
        CHECK(got == WORD, "read returned %zd", got);
        word = ~word;
        sample_write(fd, &word, WORD, "server");
        close(fd);
    }
    sample_wait_child(child, "client");
    return sample_ok(0);
}
