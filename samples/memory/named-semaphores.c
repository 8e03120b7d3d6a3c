/* Named semaphores (sem_open): two programs, of which the second opens by name what the first has made, as Python's
 * multiprocessing does. They take turns; the maker maps the file under the temporary name that glibc gave it first. */
#include "../sample.h"
#include <semaphore.h>

static sem_t *s_ping, *s_pong;

static void turn(sem_t *wait_for, const char *who)
{
    struct timespec end;
    TRY(clock_gettime(CLOCK_REALTIME, &end));
    end.tv_sec += 30;
    while (sem_timedwait(wait_for, &end) != 0)
        CHECK(errno == EINTR, "%s: the other side is silent: %s", who, strerror(errno));
}

/* Byte 'q' comes when it is time to end. */
static int child(const char *ping, const char *pong, int control)
{
    TRY(s_ping = sem_open(ping, 0));
    TRY(s_pong = sem_open(pong, 0));
    for (char order = 0; order != 'q';) {
        turn(s_ping, "child");
        sample_read(control, &order, 1, "order");
        TRY(sem_post(s_pong));
    }
    return 0;
}

static sem_t *made(const char *name)
{
    sem_unlink(name);
    return TRY(sem_open(name, O_CREAT | O_EXCL, 0600, 0));
}

static pid_t started(char *program, char *ping, char *pong, char *control)
{
    pid_t child = TRY(fork());
    if (child == 0) {
        execl("/proc/self/exe", program, ping, pong, control, NULL);
        sample_fail("exec: %s", strerror(errno));
    }
    return child;
}

static void go(int control, char order)
{
    sample_write(control, &order, 1, "order");
    TRY(sem_post(s_ping));
    turn(s_pong, "parent");
}

int main(int count, char **arguments)
{
    if (count == 4)
        return child(arguments[1], arguments[2], atoi(arguments[3]));

    char ping[64], pong[64], number[16];
    snprintf(ping, sizeof ping, "/dormouse-ping-%d", getpid());
    snprintf(pong, sizeof pong, "/dormouse-pong-%d", getpid());
    s_ping = made(ping);
    s_pong = made(pong);
    int control[2];
    TRY(pipe(control));
    snprintf(number, sizeof number, "%d", control[0]);
    pid_t other = started(arguments[0], ping, pong, number);
    go(control[1], 'g');
    sample_ready();
    while (sample_more(100)) {
        go(control[1], 'g');
        sample_idle();
    }

    go(control[1], 'q');
    sample_wait_child(other, "child");

    /* A program that opens them by name only now must find the same ones. */
    other = started(arguments[0], ping, pong, number);
    go(control[1], 'q');
    sample_wait_child(other, "second child");
    TRY(sem_unlink(ping));
    TRY(sem_unlink(pong));
    return sample_ok(sample_mix(s_sample_steps));
}
