/* Proves: eventfd counts and semaphores, epoll sets (level, edge, one-shot, nested,
 * with their user data), signalfd with pending signals, and timerfd inside epoll. */
#include "../sample.h"
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static void watch(int set, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = { .events = events, .data.u64 = data };
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
}

/* The sorted user data of what is ready now, as one number in base 16. */
static uint64_t ready_now(int set)
{
    struct epoll_event events[16];
    int count;
    do
        count = epoll_wait(set, events, 16, 0);
    while (count < 0 && errno == EINTR);
    CHECK(count >= 0, "epoll_wait: %s", strerror(errno));
    bool seen[16] = { 0 };
    for (int i = 0; i < count; i++) {
        CHECK(events[i].data.u64 >> 4 == 0xdada0000dada, "epoll user data is %llx", (unsigned long long)events[i].data.u64);
        seen[events[i].data.u64 & 15] = true;
    }
    uint64_t result = 0;
    for (int i = 0; i < 16; i++)
        if (seen[i])
            result = result * 16 + i;
    return result;
}

static uint64_t data(int number) { return 0xdada0000dadaULL << 4 | number; }

int main(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMIN + 2);
    sigaddset(&signals, SIGUSR1);
    TRY(sigprocmask(SIG_BLOCK, &signals, NULL));

    int counter = TRY(eventfd(41, EFD_NONBLOCK));
    int semaphore = TRY(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
    int empty = TRY(eventfd(0, EFD_NONBLOCK));
    int by_signal = TRY(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
    int timer = TRY(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    int pipe_fds[2];
    TRY(pipe(pipe_fds));
    TRY(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 77 }));
    TRY(timerfd_settime(timer, 0, &(struct itimerspec){ { 0, 30000000 }, { 0, 30000000 } }, NULL));

    int set = TRY(epoll_create1(EPOLL_CLOEXEC)), inner = TRY(epoll_create1(0));
    watch(set, counter, EPOLLIN, data(1));
    watch(set, empty, EPOLLIN, data(2));
    watch(set, by_signal, EPOLLIN, data(3));
    watch(set, pipe_fds[1], EPOLLOUT | EPOLLONESHOT, data(4));
    watch(set, inner, EPOLLIN, data(5));
    watch(inner, semaphore, EPOLLIN, data(6));
    watch(inner, timer, EPOLLIN | EPOLLET, data(7));
    int copy = TRY(dup(pipe_fds[0]));
    watch(set, copy, EPOLLIN, data(8));
    CHECK(ready_now(set) == 0x1345, "epoll before: %llx", (unsigned long long)ready_now(set));

    sample_ready();
    while (sample_more(100)) {
        uint64_t now = ready_now(set);
        CHECK(now == 0x135, "epoll: ready are %llx, not 135", (unsigned long long)now);
        sample_idle();
    }

    struct epoll_event event = { .events = EPOLLOUT | EPOLLONESHOT, .data.u64 = data(4) };
    TRY(epoll_ctl(set, EPOLL_CTL_MOD, pipe_fds[1], &event));
    sample_write(pipe_fds[1], "x", 1, "pipe");
    sample_write(empty, &(uint64_t){ 1 }, 8, "eventfd");
    CHECK(ready_now(set) == 0x123458, "epoll after: not everything that should be is ready");

    uint64_t value;
    CHECK(read(counter, &value, 8) == 8 && value == 41, "eventfd holds %llu, not 41", (unsigned long long)value);
    for (int i = 0; i < 3; i++)
        CHECK(read(semaphore, &value, 8) == 8 && value == 1, "the eventfd semaphore gave up after %d", i);
    CHECK(read(semaphore, &value, 8) == -1 && errno == EAGAIN, "the eventfd semaphore has too many");
    CHECK(read(timer, &value, 8) == 8 && value > 0, "timerfd has not ticked");
    struct signalfd_siginfo info;
    CHECK(read(by_signal, &info, sizeof info) == sizeof info, "signalfd: %s", strerror(errno));
    CHECK(info.ssi_signo == (unsigned)SIGRTMIN + 2 && info.ssi_int == 77 && info.ssi_pid == (unsigned)getpid(),
          "signalfd: signal %u value %d pid %u", info.ssi_signo, info.ssi_int, info.ssi_pid);
    CHECK(fcntl(set, F_GETFD) == FD_CLOEXEC && fcntl(inner, F_GETFD) == 0, "close-on-exec of the epoll sets");
    return sample_ok(0);
}
