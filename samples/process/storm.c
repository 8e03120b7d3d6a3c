/* Proves: the worst moment is as good as any. Threads allocate, create threads,
 * open and close files, fork and execute, all at full tilt and at the same time. */
#include "../sample.h"
#include <pthread.h>
#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;
static volatile bool s_over;

static void *do_malloc(void *unused)
{
    (void)unused;
    for (uint64_t i = 1; !s_over; i++) {
        size_t size = sample_mix(i) % 20000 + 8;
        unsigned char *block = malloc(size);
        CHECK(block, "no memory");
        memset(block, (int)i, size);
        CHECK(block[0] == (unsigned char)i && block[size - 1] == (unsigned char)i, "memory changed");
        free(block);
    }
    return NULL;
}

static void *return_argument(void *argument) { return argument; }

static void *do_threads(void *unused)
{
    (void)unused;
    for (uintptr_t i = 1; !s_over; i++) {
        pthread_t thread;
        void *result;
        CHECK(pthread_create(&thread, NULL, return_argument, (void *)i) == 0, "pthread_create");
        CHECK(pthread_join(thread, &result) == 0 && (uintptr_t)result == i, "pthread_join");
    }
    return NULL;
}

static void *do_exec(void *unused)
{
    (void)unused;
    while (!s_over) {
        char *arguments[] = { "sh", "-c", "exit 5", NULL };
        pid_t child;
        int status;
        CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0, "posix_spawn");
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5, "sh: status 0x%x", status);
    }
    return NULL;
}

static void *do_fork(void *unused)
{
    (void)unused;
    while (!s_over) {
        int status;
        pid_t child = TRY(fork());
        if (child == 0) {
            free(malloc(100000));   /* libc's locks must be usable in the child */
            _exit(6);
        }
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 6, "fork: status 0x%x", status);
    }
    return NULL;
}

/* Past libc's functions; and a number that does not exist sets errno as libc's syscall does. */
static void *do_system_calls(void *unused)
{
    (void)unused;
    while (!s_over) {
        int status;
        pid_t child = (pid_t)TRY(syscall(SYS_fork));
        if (child == 0) {
            syscall(SYS_execve, "/bin/sh", (char *[]){ "sh", "-c", "exit 7", NULL }, environ);
            _exit(127);
        }
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "syscall: status 0x%x", status);
        CHECK(syscall(-1L, 0) == -1 && errno == ENOSYS, "syscall(-1): %s", strerror(errno));
    }
    return NULL;
}

static void *do_files(void *path)
{
    for (uint64_t i = 0; !s_over; i++) {
        uint64_t back = ~i;
        int fd = TRY(open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        sample_write(fd, &i, sizeof i, "file");
        CHECK(pread(fd, &back, sizeof back, 0) == sizeof back && back == i, "file: read back %llu, not %llu",
              (unsigned long long)back, (unsigned long long)i);
        TRY(close(fd));
    }
    return NULL;
}

int main(void)
{
    void *(*work[])(void *) = { do_malloc, do_malloc, do_threads, do_exec, do_fork, do_system_calls, do_files };
    enum { COUNT = sizeof work / sizeof *work };
    pthread_t threads[COUNT];
    char *path = sample_path("storm.dat");
    for (int i = 0; i < COUNT; i++)
        CHECK(pthread_create(&threads[i], NULL, work[i], path) == 0, "pthread_create");

    sample_ready();
    while (sample_more(100))
        sample_idle();

    s_over = true;
    for (int i = 0; i < COUNT; i++)
        CHECK(pthread_join(threads[i], NULL) == 0, "pthread_join");
    unlink(path);
    return sample_ok(0);
}
