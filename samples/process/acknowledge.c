/* Proves: a signal that comes while the program is being checkpointed ends the call in which the program waits for it, as it
 * would at any other time. Says "got N" for each SIGUSR1, from behind the call.
 * usage: acknowledge pause|poll|read|futex|restart    how it waits; restart: read, with SA_RESTART */
#include "../sample.h"
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile sig_atomic_t s_got, s_over;
static int s_pipe[2];

static void count(int signal)
{
    s_got++;
    (void)signal;
}

/* With SA_RESTART the call goes on, and ends because the handler has given it something. */
static void feed(int signal)
{
    count(signal);
    if (write(s_pipe[1], "!", 1) != 1)
        _exit(3);
}

static void finish(int signal)
{
    s_over = 1;
    (void)signal;
}

static int wait_once(const char *how)
{
    static int word;
    char byte;
    switch (how[0] == 'p' ? how[1] : how[0]) {
    case 'a': return pause();
    case 'o': return poll(NULL, 0, -1);
    case 'f': return (int)syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
    default: return (int)read(s_pipe[0], &byte, 1);
    }
}

int main(int arguments, char **argument)
{
    const char *how = arguments > 1 ? argument[1] : "pause";
    bool restarts = strcmp(how, "restart") == 0;
    struct sigaction on_signal = { .sa_handler = restarts ? feed : count, .sa_flags = restarts ? SA_RESTART : 0 };
    struct sigaction on_end = { .sa_handler = finish };
    TRY(pipe(s_pipe));
    TRY(sigaction(SIGUSR1, &on_signal, NULL));
    TRY(sigaction(SIGUSR2, &on_end, NULL));
    sample_ready();
    for (int said = 0; !s_over;) {
        int result = wait_once(how);
        CHECK(restarts || (result == -1 && errno == EINTR), "%s returned %d: %s", how, result, strerror(errno));
        if (s_got != said) {
            said = s_got;
            printf("got %d\n", said);
            fflush(stdout);
        }
    }
    return sample_ok(0);
}
