/* Proves: five processes in a row, joined by a pipe, an AF_UNIX stream, a TCP
 * connection and a FIFO, all of them kept full: not a byte lost, doubled or
 * reordered. Every relay checks the sequence; the sink reads slowly. */
#include "../sample.h"
#include <arpa/inet.h>
#include <sys/socket.h>

enum { LINKS = 4, BLOCK = 8192, WORDS = BLOCK / 8 };

static void tcp_pair(int pair[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int listener = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(bind(listener, (struct sockaddr *)&address, length));
    TRY(listen(listener, 1));
    TRY(getsockname(listener, (struct sockaddr *)&address, &length));
    pair[1] = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(connect(pair[1], (struct sockaddr *)&address, length));
    pair[0] = TRY(accept(listener, NULL, NULL));
    close(listener);
}

static void write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        CHECK(count > 0, "write: %s", strerror(errno));
        bytes += count;
        size -= count;
    }
}

/* The word that follows the last number is its complement: the end was intended. */
static void source(int out)
{
    uint64_t block[WORDS], next = 0;
    while (sample_more(300)) {
        for (int burst = 0; burst < 4; burst++) {
            for (int i = 0; i < WORDS; i++)
                block[i] = next++;
            write_all(out, (char *)block, sizeof block);
        }
    }
    block[0] = ~next;
    write_all(out, (char *)block, 8);
    close(out);
}

/* Checks all numbers; passes them on when out is not -1. Returns how many there were. */
static uint64_t relay(int in, int out, const char *name, bool slow)
{
    char block[BLOCK];
    size_t kept = 0;
    uint64_t next = 0, ended = 0;
    for (;;) {
        ssize_t count = read(in, block + kept, sizeof block - kept);
        CHECK(count >= 0, "%s: read: %s", name, strerror(errno));
        if (count == 0)
            break;
        if (out >= 0)
            write_all(out, block + kept, count);
        kept += count;
        size_t whole = kept / 8 * 8;
        for (size_t i = 0; i < whole; i += 8) {
            uint64_t word;
            memcpy(&word, block + i, 8);
            CHECK(!ended, "%s: data after the end", name);
            ended = word == ~next;
            CHECK(ended || word == next, "%s: number %llu instead of %llu", name, (unsigned long long)word, (unsigned long long)next);
            next += !ended;
        }
        memmove(block, block + whole, kept -= whole);
        if (slow && !ended)
            usleep(300);
    }
    CHECK(ended && kept == 0, "%s: the end is missing after %llu numbers", name, (unsigned long long)next);
    return next;
}

int main(void)
{
    static const char *names[] = { "pipe", "AF_UNIX stream", "TCP", "FIFO" };
    int links[LINKS][2];
    char *fifo = sample_path("chain.fifo");
    pid_t children[LINKS];
    TRY(pipe(links[0]));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, links[1]));
    tcp_pair(links[2]);
    TRY(mkfifo(fifo, 0600));
    int both = TRY(open(fifo, O_RDWR));   /* so that neither of the next two waits */
    links[3][0] = TRY(open(fifo, O_RDONLY));
    links[3][1] = TRY(open(fifo, O_WRONLY));
    close(both);

    /* Child 0 is the source, child i relays link i-1 to link i, this process is the sink. */
    for (int i = 0; i < LINKS; i++) {
        if ((children[i] = TRY(fork())) != 0)
            continue;
        for (int link = 0; link < LINKS; link++) {
            if (link != i - 1)
                close(links[link][0]);
            if (link != i)
                close(links[link][1]);
        }
        if (i == 0)
            source(links[0][1]);
        else
            relay(links[i - 1][0], links[i][1], names[i - 1], false);
        _exit(0);
    }
    for (int link = 0; link < LINKS; link++) {
        close(links[link][1]);
        if (link != LINKS - 1)
            close(links[link][0]);
    }

    sample_ready();
    uint64_t count = relay(links[LINKS - 1][0], -1, names[LINKS - 1], true);

    for (int i = 0; i < LINKS; i++)
        sample_wait_child(children[i], names[i]);
    unlink(fifo);
    return sample_ok(count);
}
