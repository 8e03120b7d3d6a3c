/* Proves: handlers with their flags and masks, ignored signals, blocked masks per
 * thread, queued pending signals with their values and order (for the process and
 * for one thread), and the alternate stack come back. */
#include "../sample.h"
#include <pthread.h>
#include <signal.h>

static volatile sig_atomic_t s_handled, s_on_alternate_stack;
static char s_alternate_stack[65536];
static volatile bool s_over;

static void count(int number, siginfo_t *info, void *context)
{
    (void)context;
    char here;
    s_handled += number == SIGUSR1 && info->si_code == SI_TKILL;
    s_on_alternate_stack = &here >= s_alternate_stack && &here < s_alternate_stack + sizeof s_alternate_stack;
}

static void expect_pending(int number, int value, int code)
{
    sigset_t set;
    siginfo_t info;
    struct timespec now = { 0 };
    sigemptyset(&set);
    sigaddset(&set, number);
    int got = sigtimedwait(&set, &info, &now);
    CHECK(got == number, "signal %d is not pending (%s)", number, strerror(errno));
    CHECK(info.si_code == code && info.si_pid == getpid() && info.si_uid == getuid(),
          "signal %d: si_code %d si_pid %d si_uid %d", number, info.si_code, info.si_pid, info.si_uid);
    CHECK(code != SI_QUEUE || info.si_value.sival_int == value, "signal %d carries %d, not %d", number, info.si_value.sival_int, value);
}

static void *with_own_mask(void *unused)
{
    (void)unused;
    sigset_t mask, now;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);   /* what is pending for the process must not end here */
    sigaddset(&mask, SIGRTMIN + 4);
    sigaddset(&mask, SIGUSR1);
    CHECK(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0, "pthread_sigmask");
    CHECK(pthread_kill(pthread_self(), SIGRTMIN + 4) == 0, "pthread_kill");

    while (!s_over)
        sample_idle();

    pthread_sigmask(SIG_SETMASK, NULL, &now);
    for (int number = 1; number < 65; number++)
        CHECK(sigismember(&now, number) == sigismember(&mask, number), "the thread's mask differs in signal %d", number);
    expect_pending(SIGRTMIN + 4, 0, SI_USER);    /* what glibc's sigtimedwait makes of SI_TKILL */
    return NULL;
}

int main(void)
{
    stack_t stack = { .ss_sp = s_alternate_stack, .ss_size = sizeof s_alternate_stack };
    TRY(sigaltstack(&stack, NULL));
    struct sigaction pipe_action, seen;
    TRY(sigaction(SIGPIPE, NULL, &pipe_action));
    struct sigaction action = { .sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART };
    sigaddset(&action.sa_mask, SIGALRM);
    TRY(sigaction(SIGUSR1, &action, NULL));
    signal(SIGUSR2, SIG_IGN);
    signal(SIGHUP, SIG_IGN);

    sigset_t blocked, now;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGRTMIN + 1);
    sigaddset(&blocked, SIGTERM);
    pthread_t thread;
    TRY(sigprocmask(SIG_SETMASK, &blocked, NULL));
    CHECK(pthread_create(&thread, NULL, with_own_mask, NULL) == 0, "pthread_create");
    for (int value = 10; value < 13; value++)
        TRY(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = value }));
    TRY(kill(getpid(), SIGTERM));

    sample_ready();
    int raised = 0;
    while (sample_more(100)) {
        raise(SIGUSR1);
        raise(SIGUSR2);
        raised++;
        CHECK(s_on_alternate_stack, "the handler ran on the ordinary stack");
        sample_idle();
    }

    CHECK(s_handled == raised, "the handler ran %d times, not %d", (int)s_handled, raised);
    s_over = true;
    CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
    sigprocmask(SIG_SETMASK, NULL, &now);
    for (int number = 1; number < 65; number++)
        CHECK(sigismember(&now, number) == sigismember(&blocked, number), "the mask differs in signal %d", number);
    for (int value = 10; value < 13; value++)
        expect_pending(SIGRTMIN + 1, value, SI_QUEUE);
    expect_pending(SIGTERM, 0, SI_USER);
    TRY(sigaction(SIGUSR1, NULL, &seen));
    CHECK((seen.sa_flags & ~0x04000000) == action.sa_flags && seen.sa_sigaction == count && sigismember(&seen.sa_mask, SIGALRM),
          "the action of SIGUSR1 differs: flags %x", seen.sa_flags);
    TRY(sigaction(SIGHUP, NULL, &seen));
    CHECK(seen.sa_handler == SIG_IGN, "SIGHUP is no longer ignored");
    TRY(sigaction(SIGPIPE, NULL, &seen));
    CHECK(seen.sa_handler == pipe_action.sa_handler, "SIGPIPE is no longer as it was at the start");
    return sample_ok(0);
}
