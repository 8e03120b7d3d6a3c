/* Proves: bytes that nobody has read yet stay in pipes, each once and in order:
 * an ordinary pipe, one that is full, a packet pipe with its boundaries, one whose
 * writer is gone, one whose reader is gone, a larger pipe, and a FIFO. */
#include "../sample.h"
#include <signal.h>

enum { SOME = 50001, BIG = 256 * 1024 };

static char s_buffer[1 << 20];

static size_t fill_up(int fd, uint64_t seed)
{
    size_t total = 0;
    TRY(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
    for (;;) {
        sample_fill(s_buffer, 4096, seed, total);
        ssize_t count = write(fd, s_buffer, 4096);
        if (count < 0 && errno == EAGAIN)
            return total;
        CHECK(count > 0, "filling a pipe: %s", strerror(errno));
        total += count;
    }
}

static void put(int fd, size_t size, uint64_t seed, const char *what)
{
    sample_fill(s_buffer, size, seed, 0);
    sample_write(fd, s_buffer, size, what);
}

static void expect(int fd, size_t size, uint64_t seed, const char *what)
{
    sample_read(fd, s_buffer, size, what);
    sample_compare(s_buffer, size, seed, 0, what);
    TRY(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
    ssize_t more = read(fd, s_buffer, 1);
    CHECK(more == 0 || (more == -1 && errno == EAGAIN), "%s: there is more than was written", what);
}

int main(void)
{
    int some[2], full[2], packets[2], ended[2], broken[2], big[2], rolling[2];
    char *fifo_path = sample_path("fifo");
    signal(SIGPIPE, SIG_IGN);

    TRY(pipe(some));
    put(some[1], SOME, 1, "pipe");
    TRY(pipe(full));
    size_t full_size = fill_up(full[1], 2);
    TRY(pipe2(packets, O_DIRECT));
    put(packets[1], 3, 3, "packet");
    put(packets[1], 5, 4, "packet");
    TRY(pipe(ended));
    put(ended[1], 7, 5, "pipe without writer");
    close(ended[1]);
    TRY(pipe(broken));
    close(broken[0]);
    TRY(pipe(big));
    int big_size = TRY(fcntl(big[1], F_SETPIPE_SZ, BIG));
    put(big[1], BIG - 4096, 6, "large pipe");
    TRY(mkfifo(fifo_path, 0600));
    int fifo = TRY(open(fifo_path, O_RDWR));
    put(fifo, 12345, 7, "fifo");
    TRY(pipe(rolling));
    put(rolling[1], 100, 8, "rolling pipe");

    sample_ready();
    uint64_t turn = 0;
    for (; sample_more(100); turn++) {
        unsigned char byte;
        sample_read(rolling[0], &byte, 1, "rolling pipe");
        CHECK(byte == sample_byte(8, turn % 100), "rolling pipe: byte %llu differs", (unsigned long long)turn);
        sample_write(rolling[1], &byte, 1, "rolling pipe");
        sample_idle();
    }

    expect(some[0], SOME, 1, "pipe");
    CHECK(fcntl(full[1], F_GETFL) & O_NONBLOCK, "O_NONBLOCK is lost");
    CHECK(write(full[1], "x", 1) == -1 && errno == EAGAIN, "the full pipe is not full any more");
    expect(full[0], full_size, 2, "full pipe");
    CHECK(read(packets[0], s_buffer, 100) == 3, "the first packet is not 3 bytes");
    sample_compare(s_buffer, 3, 3, 0, "packet");
    CHECK(read(packets[0], s_buffer, 100) == 5, "the second packet is not 5 bytes");
    sample_compare(s_buffer, 5, 4, 0, "packet");
    expect(ended[0], 7, 5, "pipe without writer");
    CHECK(read(ended[0], s_buffer, 1) == 0, "the end of a pipe without writer is lost");
    CHECK(write(broken[1], "x", 1) == -1 && errno == EPIPE, "a pipe without reader takes bytes");
    CHECK(fcntl(big[0], F_GETPIPE_SZ) == big_size, "F_GETPIPE_SZ is %d, was %d", fcntl(big[0], F_GETPIPE_SZ), big_size);
    expect(big[0], BIG - 4096, 6, "large pipe");
    expect(fifo, 12345, 7, "fifo");
    struct stat by_name, by_fd;
    TRY(stat(fifo_path, &by_name));
    TRY(fstat(fifo, &by_fd));
    CHECK(S_ISFIFO(by_fd.st_mode) && by_name.st_ino == by_fd.st_ino, "the FIFO is not the one with the name");
    unlink(fifo_path);
    return sample_ok(full_size);
}
