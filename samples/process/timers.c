/* Proves: alarm, setitimer, timer_create (signal and thread), and timerfd go on:
 * periodic ones tick, the far ones keep the time that remains, ids stay. */
#include "../sample.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/timerfd.h>

enum { PERIODIC_MS = 20, FAR_SECONDS = 3600, SLACK_SECONDS = 60 };

static volatile sig_atomic_t s_virtual_ticks, s_signal_ticks, s_thread_ticks;

static void on_signal(int number)
{
    if (number == SIGVTALRM)
        s_virtual_ticks++;
    else
        s_signal_ticks++;
}

static void on_thread(union sigval value)
{
    CHECK(value.sival_int == 42, "SIGEV_THREAD carries %d", value.sival_int);
    s_thread_ticks++;
}

static struct itimerspec every(int milliseconds)
{
    struct timespec period = { .tv_nsec = milliseconds * 1000000L };
    return (struct itimerspec){ .it_interval = period, .it_value = period };
}

static timer_t make_timer(int kind, int signal_number, struct itimerspec when)
{
    struct sigevent event = { .sigev_notify = kind, .sigev_signo = signal_number };
    if (kind == SIGEV_THREAD) {
        event.sigev_notify_function = on_thread;
        event.sigev_value.sival_int = 42;
    }
    timer_t timer;
    TRY(timer_create(CLOCK_MONOTONIC, &event, &timer));
    TRY(timer_settime(timer, 0, &when, NULL));
    return timer;
}

/* Burns processor time, since ITIMER_VIRTUAL counts nothing else. */
static void wait_for_tick(volatile sig_atomic_t *ticks, const char *what)
{
    int before = *ticks;
    int64_t start = sample_clock_ms(CLOCK_MONOTONIC);
    while (*ticks == before)
        CHECK(sample_clock_ms(CLOCK_MONOTONIC) - start < 20000, "%s ticks no more", what);
}

/* CLOCK_MONOTONIC of the program has gone on by elapsed seconds, or the machine's has by more. */
static void check_far(long remaining, long elapsed, const char *what)
{
    CHECK(remaining <= FAR_SECONDS - elapsed + 2 + SLACK_SECONDS && remaining >= FAR_SECONDS - elapsed - SLACK_SECONDS,
          "%s: %ld s remain of %d after %ld s", what, remaining, FAR_SECONDS, elapsed);
}

int main(void)
{
    signal(SIGVTALRM, on_signal);
    signal(SIGRTMIN + 5, on_signal);
    int64_t start = sample_clock_ms(CLOCK_MONOTONIC);
    struct itimerspec far = { .it_value.tv_sec = FAR_SECONDS };

    alarm(FAR_SECONDS);
    TRY(setitimer(ITIMER_VIRTUAL, &(struct itimerval){ { 0, 10000 }, { 0, 10000 } }, NULL));
    timer_t ticking = make_timer(SIGEV_SIGNAL, SIGRTMIN + 5, every(PERIODIC_MS));
    timer_t deleted = make_timer(SIGEV_NONE, 0, far);   /* leaves a hole in the ids */
    timer_t distant = make_timer(SIGEV_SIGNAL, SIGRTMIN + 5, far);
    timer_t thread = make_timer(SIGEV_THREAD, 0, every(PERIODIC_MS));
    TRY(timer_delete(deleted));
    int periodic = TRY(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    TRY(timerfd_settime(periodic, 0, &(struct itimerspec){ { 0, 20000000 }, { 0, 20000000 } }, NULL));
    int distant_fd = TRY(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
    struct itimerspec absolute = { .it_value.tv_sec = time(NULL) + FAR_SECONDS };
    TRY(timerfd_settime(distant_fd, TFD_TIMER_ABSTIME, &absolute, NULL));
    int64_t real_start = time(NULL);

    sample_ready();
    while (sample_more(100))
        sample_idle();

    wait_for_tick(&s_virtual_ticks, "ITIMER_VIRTUAL");
    wait_for_tick(&s_signal_ticks, "the timer with SIGEV_SIGNAL");
    wait_for_tick(&s_thread_ticks, "the timer with SIGEV_THREAD");
    for (int i = 0; i < 3; i++) {
        uint64_t ticks = 0;
        struct pollfd ready = { .fd = periodic, .events = POLLIN };
        int count;
        while ((count = poll(&ready, 1, 20000)) < 0 && errno == EINTR)
            ;
        CHECK(count == 1 && read(periodic, &ticks, sizeof ticks) == sizeof ticks && ticks > 0, "timerfd ticks no more");
    }

    long elapsed = (sample_clock_ms(CLOCK_MONOTONIC) - start) / 1000;
    struct itimerspec left;
    TRY(timer_gettime(distant, &left));
    check_far(left.it_value.tv_sec, elapsed, "timer_create");
    TRY(timerfd_gettime(distant_fd, &left));
    check_far(left.it_value.tv_sec, time(NULL) - real_start, "timerfd on CLOCK_REALTIME");
    check_far(alarm(0), elapsed, "alarm");
    TRY(timer_delete(ticking));
    TRY(timer_delete(thread));
    TRY(timer_delete(distant));
    return sample_ok(0);
}
