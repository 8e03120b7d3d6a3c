/* Proves: RLIMIT_NOFILE below descriptors that are open, and too low to open anything at all, comes back as it was, with all
 * descriptors and what is in them. Who may raise a hard limit lowers that, too. */
#include "../sample.h"
#include <sys/resource.h>
#include <sys/socket.h>

enum { HIGH = 300, UNREAD = 5000 };

static bool s_lowers_hard;

/* Descriptors far above the limit that follows: a file, a pipe and a socket with data in them. */
struct high {
    int file, pipe[2], socket[2];
};

static int move(int fd, int number)
{
    TRY(dup2(fd, number));
    TRY(close(fd));
    return number;
}

static void make(struct high *high, uint64_t seed)
{
    char data[UNREAD];
    int pipe_ends[2], socket_ends[2];
    char *path;
    CHECK(asprintf(&path, "limit-%d", getpid()) > 0, "no memory");
    high->file = move(TRY(open(sample_path(path), O_RDWR | O_CREAT | O_TRUNC, 0600)), HIGH);
    TRY(pipe(pipe_ends));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_ends));
    for (int i = 0; i < 2; i++) {
        high->pipe[i] = move(pipe_ends[i], HIGH + 100 + i);
        high->socket[i] = move(socket_ends[i], HIGH + 200 + i);
    }
    sample_fill(data, sizeof data, seed, 0);
    sample_write(high->file, data, sizeof data, "the file");
    sample_write(high->pipe[1], data, sizeof data, "the pipe");
    sample_write(high->socket[1], data, sizeof data, "the socket");
    free(path);
}

static void verify(const struct high *high, uint64_t seed)
{
    char data[UNREAD];
    CHECK(lseek(high->file, 0, SEEK_CUR) == UNREAD, "the file's offset is %ld", (long)lseek(high->file, 0, SEEK_CUR));
    TRY(lseek(high->file, 0, SEEK_SET));
    const int from[] = { high->file, high->pipe[0], high->socket[0] };
    for (int i = 0; i < 3; i++) {
        sample_read(from[i], data, sizeof data, "a high descriptor");
        sample_compare(data, sizeof data, seed, 0, "a high descriptor");
    }
}

/* How many more can be opened; all are closed again. */
static int room(void)
{
    int opened[1024], count = 0;
    while (count < 1024 && (opened[count] = open("/dev/null", O_RDONLY)) >= 0)
        count++;
    CHECK(errno == EMFILE, "open: %s", strerror(errno));
    for (int i = 0; i < count; i++)
        close(opened[i]);
    return count;
}

/* capabilities(7): CAP_SYS_RESOURCE. */
static bool may_raise_hard(void)
{
    struct rlimit limit, higher;
    TRY(getrlimit(RLIMIT_CORE, &limit));
    higher = limit;
    higher.rlim_max = limit.rlim_max == RLIM_INFINITY ? 1 : limit.rlim_max + 1;
    higher.rlim_cur = 0;
    return setrlimit(RLIMIT_CORE, &higher) == 0 && setrlimit(RLIMIT_CORE, &limit) == 0;
}

static void lower(rlim_t soft)
{
    struct rlimit limit;
    TRY(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = soft;
    limit.rlim_max = s_lowers_hard ? soft : limit.rlim_max;
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
}

/* One process with this limit, from its beginning to its end. */
static void live(rlim_t soft, int ready)
{
    struct high high;
    struct rlimit before, now;
    make(&high, soft);
    lower(soft);
    TRY(getrlimit(RLIMIT_NOFILE, &before));
    if (ready >= 0)
        TRY(close(ready));
    int free_numbers = room();
    if (ready < 0)
        sample_ready();
    while (sample_more(100)) {
        if (soft > 0) {                                   /* else it may be raised for a moment: nothing can be opened otherwise */
            int now_free = room();
            CHECK(now_free == free_numbers, "%d descriptors can be opened, before it was %d", now_free, free_numbers);
        }
        sample_idle();
    }
    TRY(getrlimit(RLIMIT_NOFILE, &now));
    CHECK(now.rlim_cur == before.rlim_cur && now.rlim_max == before.rlim_max, "the limit is %lu, %lu and was %lu, %lu",
          now.rlim_cur, now.rlim_max, before.rlim_cur, before.rlim_max);
    verify(&high, soft);
}

int main(void)
{
    /* The first as usual; the second may open very little; the third nothing, not even while a checkpoint looks on. */
    static const rlim_t Limits[] = { 64, 40, 0 };
    pid_t children[2];
    int ready[2];
    s_lowers_hard = may_raise_hard();
    sample_path("");
    TRY(pipe(ready));
    for (int i = 0; i < 2; i++) {
        children[i] = TRY(fork());
        if (children[i] == 0) {
            close(ready[0]);
            live(Limits[i + 1], ready[1]);
            _exit(0);
        }
    }
    close(ready[1]);
    char end;
    CHECK(read(ready[0], &end, 1) == 0, "a child says something");
    live(Limits[0], -1);
    for (int i = 0; i < 2; i++)
        sample_wait_child(children[i], "a child");
    return sample_ok(0);
}
