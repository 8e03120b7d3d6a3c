/* What ./run bench measures, one operation per run: `micro NAME [arguments]` prints nanoseconds per operation, by the clock
 * and of processor time (children included), each the least of several rounds. Processor time hardly depends on what else
 * the machine does. The last ones hold memory, so that images of a known size can be made. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
enum { MIB = 1 << 20 };

static void need(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Of this process, exactly, and of the children that have ended. */
static int64_t processor_ns(void)
{
    struct rusage children;
    getrusage(RUSAGE_CHILDREN, &children);
    return now_ns(CLOCK_PROCESS_CPUTIME_ID) + (children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1000000000LL +
           (children.ru_utime.tv_usec + children.ru_stime.tv_usec) * 1000LL;
}

static void one_fork(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    need(waitpid(child, NULL, 0) == child, "waitpid");
}

static void one_spawn(void)
{
    char *arguments[] = {"true", NULL};
    pid_t child;
    need(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0, "posix_spawn");
    need(waitpid(child, NULL, 0) == child, "waitpid");
}

static void one_malloc(void)
{
    static __thread void *volatile kept[64];
    static __thread unsigned turn;
    unsigned slot = turn++ % 64;
    free(kept[slot]);
    kept[slot] = malloc(16 + turn * 7 % 1000);
}

static int s_pipe[2];

static void one_pipe(void)
{
    char byte = 1;
    need(write(s_pipe[1], &byte, 1) == 1 && read(s_pipe[0], &byte, 1) == 1, "pipe");
}

static void one_open(void)
{
    close(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void *nothing(void *argument)
{
    return argument;
}

static void one_thread(void)
{
    pthread_t thread;
    need(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0, "pthread_create");
}

static void one_compute(void)
{
    double sum = 0;
    for (int i = 1; i < 100000; i++)
        sum += 1.0 / i;
    __asm__ volatile("" : : "x"(sum));
}

static struct sockaddr_in s_address = {.sin_family = AF_INET};
static int s_listener;

static void one_connect(void)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct linger at_once = {1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* so that ports do not run out */
    need(connect(client, (struct sockaddr *)&s_address, sizeof s_address) == 0, "connect");
    int server = accept(s_listener, NULL, NULL);
    need(server >= 0, "accept");
    close(client);
    close(server);
}

static void listen_somewhere(void)
{
    socklen_t length = sizeof s_address;
    s_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s_listener = socket(AF_INET, SOCK_STREAM, 0);
    need(bind(s_listener, (struct sockaddr *)&s_address, length) == 0 && listen(s_listener, 16) == 0, "listen");
    need(getsockname(s_listener, (struct sockaddr *)&s_address, &length) == 0, "getsockname");
}

static const struct operation {
    const char *name;
    void (*run)(void);
    int count;
    int threads;
} s_operations[] = {
    {"fork", one_fork, 200, 1},           {"spawn", one_spawn, 50, 1},      {"malloc", one_malloc, 1000000, 1},
    {"malloc-2", one_malloc, 1000000, 2}, {"pipe", one_pipe, 100000, 1},    {"open", one_open, 100000, 1},
    {"thread", one_thread, 2000, 1},      {"compute", one_compute, 500, 1}, {"connect", one_connect, 2000, 1},
};

static void *repeat(void *argument)
{
    const struct operation *operation = argument;
    for (int i = 0; i < operation->count; i++)
        operation->run();
    return NULL;
}

static void measure(const struct operation *operation)
{
    int64_t best = INT64_MAX, least = INT64_MAX;
    need(pipe(s_pipe) == 0, "pipe");
    listen_somewhere();
    for (int round = 0; round < 7; round++) {
        pthread_t second;
        int64_t start = now_ns(CLOCK_MONOTONIC), worked = processor_ns();
        if (operation->threads == 2)
            need(pthread_create(&second, NULL, repeat, (void *)operation) == 0, "pthread_create");
        repeat((void *)operation);
        if (operation->threads == 2)
            pthread_join(second, NULL);
        int64_t took = now_ns(CLOCK_MONOTONIC) - start;
        worked = processor_ns() - worked;
        best = took < best ? took : best;
        least = worked < least ? worked : least;
    }
    printf("%.1f %.1f\n", (double)best / operation->count, (double)least / operation->count);
}

static void fill(char *memory, size_t size)
{
    uint64_t word = 88172645463325252;
    for (size_t i = 0; i < size; i += 8) {
        word ^= word << 13, word ^= word >> 7, word ^= word << 17;
        memcpy(memory + i, &word, 8);
    }
}

static char *hold(size_t mebibytes)
{
    char *memory =
        mmap(NULL, mebibytes * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    need(memory != MAP_FAILED, "mmap");
    fill(memory, mebibytes * MIB);
    return memory;
}

/* Holds memory, and says when it has stood still for more than 3 ms: "gap FROM TO", nanoseconds of CLOCK_REALTIME. */
__attribute__((noreturn)) static void watch(size_t mebibytes)
{
    hold(mebibytes);
    puts("ready");
    fflush(stdout);
    for (int64_t last = now_ns(CLOCK_REALTIME);;) {
        usleep(200);
        int64_t now = now_ns(CLOCK_REALTIME);
        if (now - last > 3000000) {
            printf("gap %lld %lld\n", (long long)last, (long long)now);
            fflush(stdout);
        }
        last = now;
    }
}

__attribute__((noreturn)) static void forest(int processes, size_t mebibytes)
{
    for (int i = 1; i < processes; i++) {
        if (fork() == 0) {
            hold(mebibytes);
            for (;;)
                pause();
        }
    }
    hold(mebibytes);
    sleep(1);
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}

/* What a checkpoint cannot be faster than: the same bytes by write(2), and on the disk. Prints seconds. */
static void plain_write(const char *path, size_t mebibytes)
{
    char *memory = hold(mebibytes);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (size_t i = 0; i < mebibytes; i += 4)
        need(write(fd, memory + i * MIB, 4 * MIB) == 4 * MIB, "write");
    int64_t written = now_ns(CLOCK_MONOTONIC);
    need(fsync(fd) == 0, "fsync");
    printf("%.4f %.4f\n", (written - start) / 1e9, (now_ns(CLOCK_MONOTONIC) - start) / 1e9);
}

/* And a restart: populated memory filled by read(2). Prints seconds. */
static void plain_read(const char *path, size_t mebibytes)
{
    int64_t start = now_ns(CLOCK_MONOTONIC);
    int fd = open(path, O_RDONLY);
    char *memory =
        mmap(NULL, mebibytes * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    for (size_t i = 0; i < mebibytes; i += 4)
        need(read(fd, memory + i * MIB, 4 * MIB) == 4 * MIB, "read");
    printf("%.4f\n", (now_ns(CLOCK_MONOTONIC) - start) / 1e9);
}

/* As many TCP connections between two processes, each with some bytes that nobody has read. */
__attribute__((noreturn)) static void connections(int count)
{
    struct rlimit limit = {(rlim_t)count * 2 + 64, (rlim_t)count * 2 + 64};
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    need(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, count) == 0, "listen");
    need(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    pid_t child = fork();
    for (int i = 0; i < count; i++) {
        int fd = child == 0 ? accept(listener, NULL, NULL) : socket(AF_INET, SOCK_STREAM, 0);
        need(fd >= 0, "a socket");
        need(child == 0 || connect(fd, (struct sockaddr *)&address, length) == 0, "connect");
        need(write(fd, "unread", 6) == 6, "write");
    }
    if (child == 0)
        puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (argc == 3 && strcmp(name, "watch") == 0)
        watch(strtoul(argv[2], NULL, 0));
    if (argc == 3 && strcmp(name, "connections") == 0)
        connections(atoi(argv[2]));
    if (argc == 4 && strcmp(name, "forest") == 0)
        forest(atoi(argv[2]), strtoul(argv[3], NULL, 0));
    if (argc == 4 && strcmp(name, "write") == 0)
        return plain_write(argv[2], strtoul(argv[3], NULL, 0)), 0;
    if (argc == 4 && strcmp(name, "read") == 0)
        return plain_read(argv[2], strtoul(argv[3], NULL, 0)), 0;
    for (size_t i = 0; i < sizeof s_operations / sizeof *s_operations; i++) {
        if (strcmp(name, s_operations[i].name) == 0)
            return measure(&s_operations[i]), 0;
    }
    fprintf(stderr,
            "usage: micro OPERATION | watch MIB | forest N MIB | connections N | write FILE MIB | read FILE MIB\n");
    return 2;
}
