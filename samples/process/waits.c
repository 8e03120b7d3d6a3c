/* Proves: a call that waits with a timeout never returns EINTR because of us, never
 * returns early, and not much late: the time that remained is what it still waits.
 *
 *   SAMPLE_WAIT_MS  how long each call waits (default 200)
 *   SAMPLE_LATE_MS  how late it may be (default 5000: a restart lies in between) */
#include "../sample.h"
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static volatile bool s_over;
static long s_wait_ms = 200, s_late_ms = 5000;

static struct timespec span(void) { return (struct timespec){ s_wait_ms / 1000, s_wait_ms % 1000 * 1000000 }; }

static struct timespec at(clockid_t clock)
{
    struct timespec when, wait = span();
    TRY(clock_gettime(clock, &when));
    when.tv_sec += wait.tv_sec;
    when.tv_nsec += wait.tv_nsec;
    if (when.tv_nsec >= 1000000000)
        when.tv_sec++, when.tv_nsec -= 1000000000;
    return when;
}

/* Each waits once and returns 0, or the errno that is not its ordinary end. */
static int outcome(long result, int expected) { return result == 0 ? 0 : errno == expected ? 0 : errno; }

static int by_nanosleep(void) { struct timespec t = span(); return outcome(nanosleep(&t, NULL), 0); }
static int by_clock_nanosleep(void) { struct timespec t = span(); return clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL); }
static int by_absolute_sleep(void) { struct timespec t = at(CLOCK_MONOTONIC); return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL); }
static int by_poll(void) { return outcome(poll(NULL, 0, s_wait_ms), 0); }
static int by_ppoll(void) { struct timespec t = span(); sigset_t none; sigemptyset(&none); return outcome(ppoll(NULL, 0, &t, &none), 0); }
static int by_select(void) { struct timeval t = { s_wait_ms / 1000, s_wait_ms % 1000 * 1000 }; return outcome(select(0, NULL, NULL, NULL, &t), 0); }
static int by_pselect(void) { struct timespec t = span(); return outcome(pselect(0, NULL, NULL, NULL, &t, NULL), 0); }

static int by_epoll(void)
{
    struct epoll_event event;
    int fd = TRY(epoll_create1(0));
    int result = outcome(epoll_wait(fd, &event, 1, s_wait_ms), 0);
    close(fd);
    return result;
}

static int by_sem(void)
{
    sem_t sem;
    struct timespec t = at(CLOCK_REALTIME);
    sem_init(&sem, 0, 0);
    return outcome(sem_timedwait(&sem, &t), ETIMEDOUT);
}

static int by_condition(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec t = at(CLOCK_REALTIME);
    int result;
    pthread_mutex_lock(&lock);
    while ((result = pthread_cond_timedwait(&never, &lock, &t)) == 0)
        ;                            /* spurious wake-ups are allowed */
    pthread_mutex_unlock(&lock);
    return result == ETIMEDOUT ? 0 : result;
}

static int by_futex(void)
{
    uint32_t word = 0;
    struct timespec t = span();
    return outcome(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0), ETIMEDOUT);
}

static int by_sigtimedwait(void)
{
    sigset_t set;
    struct timespec t = span();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);        /* blocked in all threads */
    return outcome(sigtimedwait(&set, NULL, &t), EAGAIN);
}

static int by_recv(void)
{
    int pair[2];
    char byte;
    struct timeval t = { s_wait_ms / 1000, s_wait_ms % 1000 * 1000 };
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TRY(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    int result = outcome(recv(pair[0], &byte, 1, 0), EAGAIN);
    close(pair[0]);
    close(pair[1]);
    return result;
}

static int by_semtimedop(void)
{
    int id = TRY(semget(IPC_PRIVATE, 1, 0600));
    struct sembuf take = { .sem_op = -1 };
    struct timespec t = span();
    int result = outcome(semtimedop(id, &take, 1, &t), EAGAIN);
    TRY(semctl(id, 0, IPC_RMID));
    return result;
}

static const struct kind { const char *name; int (*wait)(void); clockid_t clock; } s_kinds[] = {
    { "nanosleep", by_nanosleep, CLOCK_MONOTONIC }, { "clock_nanosleep", by_clock_nanosleep, CLOCK_MONOTONIC },
    { "clock_nanosleep until", by_absolute_sleep, CLOCK_MONOTONIC }, { "poll", by_poll, CLOCK_MONOTONIC },
    { "ppoll", by_ppoll, CLOCK_MONOTONIC }, { "select", by_select, CLOCK_MONOTONIC },
    { "pselect", by_pselect, CLOCK_MONOTONIC }, { "epoll_wait", by_epoll, CLOCK_MONOTONIC },
    { "sem_timedwait", by_sem, CLOCK_REALTIME }, { "pthread_cond_timedwait", by_condition, CLOCK_REALTIME },
    { "futex", by_futex, CLOCK_MONOTONIC }, { "sigtimedwait", by_sigtimedwait, CLOCK_MONOTONIC },
    { "recv with SO_RCVTIMEO", by_recv, CLOCK_MONOTONIC }, { "semtimedop", by_semtimedop, CLOCK_MONOTONIC },
};
enum { KINDS = sizeof s_kinds / sizeof *s_kinds };

static void *repeat(void *argument)
{
    const struct kind *kind = argument;
    uintptr_t waits = 0;
    for (; !s_over || waits == 0; waits++) {
        int64_t start = sample_clock_ms(kind->clock);
        int error = kind->wait();
        int64_t took = sample_clock_ms(kind->clock) - start;
        CHECK(error == 0, "%s failed: %s", kind->name, strerror(error));
        CHECK(took >= s_wait_ms - 2, "%s returned after %lld ms, asked for %ld", kind->name, (long long)took, s_wait_ms);
        CHECK(took <= s_wait_ms + s_late_ms, "%s returned after %lld ms, asked for %ld", kind->name, (long long)took, s_wait_ms);
    }
    return (void *)waits;
}

int main(void)
{
    if (getenv("SAMPLE_WAIT_MS"))
        s_wait_ms = atol(getenv("SAMPLE_WAIT_MS"));
    if (getenv("SAMPLE_LATE_MS"))
        s_late_ms = atol(getenv("SAMPLE_LATE_MS"));
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    TRY(sigprocmask(SIG_BLOCK, &blocked, NULL));
    pthread_t threads[KINDS];
    for (int i = 0; i < KINDS; i++)
        CHECK(pthread_create(&threads[i], NULL, repeat, (void *)&s_kinds[i]) == 0, "pthread_create");

    sample_ready();
    while (sample_more(100))
        sample_idle();

    s_over = true;
    for (int i = 0; i < KINDS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0, "pthread_join");
    return sample_ok(0);
}
