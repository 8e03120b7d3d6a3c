/* Proves: a blocking write of many bytes to a pipe, an AF_UNIX stream or a TCP
 * connection returns the full count, as it would have without us, although it was
 * interrupted in its middle; and so does a blocking recv with MSG_WAITALL. */
#include "../sample.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

enum { SIZE = 4 << 20, KINDS = 3 };

static volatile bool s_over;

struct transfer { const char *name; int in, out; uint64_t writes, reads; };

static void *write_much(void *argument)
{
    struct transfer *transfer = argument;
    char *block = malloc(SIZE);
    sample_fill(block, SIZE, transfer->out, 0);
    while (!s_over) {
        ssize_t count = write(transfer->out, block, SIZE);
        CHECK(count == SIZE, "%s: write returned %zd of %d (%s)", transfer->name, count, SIZE, strerror(errno));
        transfer->writes++;
    }
    close(transfer->out);
    free(block);
    return NULL;
}

static void *read_slowly(void *argument)
{
    struct transfer *transfer = argument;
    uint64_t seed = transfer->out, position = 0;
    bool is_pipe = strcmp(transfer->name, "pipe") == 0;
    char block[65536];
    for (;;) {
        ssize_t count = is_pipe ? read(transfer->in, block, 50000) : recv(transfer->in, block, 50000, MSG_WAITALL);
        CHECK(count >= 0, "%s: read: %s", transfer->name, strerror(errno));
        if (count == 0)
            break;
        CHECK(is_pipe || count == 50000 || s_over, "%s: recv with MSG_WAITALL returned %zd", transfer->name, count);
        for (ssize_t i = 0; i < count; i += 997)
            CHECK((unsigned char)block[i] == sample_byte(seed, (position + i) % SIZE), "%s: byte %llu differs",
                  transfer->name, (unsigned long long)(position + i));
        position += count;
        if (!s_over)
            usleep(500);
    }
    transfer->reads = position / SIZE;
    CHECK(position % SIZE == 0, "%s: %llu bytes came", transfer->name, (unsigned long long)position);
    return NULL;
}

int main(void)
{
    struct transfer transfers[KINDS] = { { .name = "pipe" }, { .name = "AF_UNIX stream" }, { .name = "TCP" } };
    int pair[2];
    TRY(pipe(pair));
    transfers[0].in = pair[0], transfers[0].out = pair[1];
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    transfers[1].in = pair[0], transfers[1].out = pair[1];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int listener = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(bind(listener, (struct sockaddr *)&address, length));
    TRY(listen(listener, 1));
    TRY(getsockname(listener, (struct sockaddr *)&address, &length));
    transfers[2].out = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(connect(transfers[2].out, (struct sockaddr *)&address, length));
    transfers[2].in = TRY(accept(listener, NULL, NULL));
    close(listener);

    pthread_t writers[KINDS], readers[KINDS];
    for (int i = 0; i < KINDS; i++) {
        CHECK(pthread_create(&readers[i], NULL, read_slowly, &transfers[i]) == 0, "pthread_create");
        CHECK(pthread_create(&writers[i], NULL, write_much, &transfers[i]) == 0, "pthread_create");
    }

    sample_ready();
    while (sample_more(100))
        sample_idle();

    s_over = true;
    for (int i = 0; i < KINDS; i++) {
        pthread_join(writers[i], NULL);
        pthread_join(readers[i], NULL);
        CHECK(transfers[i].writes == transfers[i].reads, "%s: %llu writes, %llu reads", transfers[i].name,
              (unsigned long long)transfers[i].writes, (unsigned long long)transfers[i].reads);
    }
    return sample_ok(0);
}
