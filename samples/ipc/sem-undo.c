/* Proves: what SEM_UNDO takes back when a process ends is taken back after a restart, too, in either direction and of several
 * semaphores, also of what the process took before it executed another program, while another thread never stops to take and give. */
#include "../sample.h"
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/sem.h>

enum { LOCK, ADDED, SHARED, BUSY, SEMAPHORES };

static int s_set;

static void change(int number, int by, int flags)
{
    struct sembuf operation = { .sem_num = (unsigned short)number, .sem_op = (short)by, .sem_flg = (short)flags };
    TRY(semop(s_set, &operation, 1));
}

static void *take_and_give(void *unused)
{
    for (;;) {
        change(BUSY, 1, SEM_UNDO);
        change(BUSY, -1, SEM_UNDO);
    }
    return unused;
}

static void expect(int number, int expected, const char *when)
{
    int value = TRY(semctl(s_set, number, GETVAL));
    CHECK(value == expected, "semaphore %d is %d %s, not %d", number, value, when, expected);
}

/* What the child executes, who holds some already. */
static int hold(int end, int ready)
{
    pthread_t thread;
    char byte = 0;
    change(SHARED, -1, SEM_UNDO);
    CHECK(pthread_create(&thread, NULL, take_and_give, NULL) == 0, "pthread_create");
    TRY(write(ready, &byte, 1));
    return read(end, &byte, 1) != 0;
}

int main(int count, char **arguments)
{
    if (count == 4) {
        s_set = atoi(arguments[1]);
        _exit(hold(atoi(arguments[2]), atoi(arguments[3])));
    }
    s_set = TRY(semget(IPC_PRIVATE, SEMAPHORES, IPC_CREAT | 0600));
    unsigned short values[SEMAPHORES] = { 1, 0, 5, 0 };
    TRY(semctl(s_set, 0, SETALL, values));
    for (time_t set = time(NULL); time(NULL) <= set + 1;)
        sample_idle();

    int end[2], ready[2];
    TRY(pipe(end));
    TRY(pipe(ready));
    pid_t child = TRY(fork());
    if (child == 0) {
        struct sembuf both[2] = { { SHARED, -2, SEM_UNDO }, { SHARED, -1, 0 } };
        close(end[1]);
        change(LOCK, -1, SEM_UNDO);
        change(ADDED, 3, SEM_UNDO);
        TRY(semop(s_set, both, 2));
        char set[16], ended[16], is_ready[16];
        snprintf(set, sizeof set, "%d", s_set);
        snprintf(ended, sizeof ended, "%d", end[0]);
        snprintf(is_ready, sizeof is_ready, "%d", ready[1]);
        TRY(execl("/proc/self/exe", "sem-undo", set, ended, is_ready, (char *)NULL));
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1, "the child has ended");

    sample_ready();
    while (sample_more(100)) {
        expect(LOCK, 0, "while it is held");
        expect(ADDED, 3, "while it is held");
        expect(SHARED, 1, "while it is held");
        sample_idle();
    }

    close(end[1]);
    sample_wait_child(child, "child");
    expect(LOCK, 1, "after the end of who held it");
    expect(ADDED, 0, "after the end of who held it");
    expect(SHARED, 4, "after the end of who held it");
    expect(BUSY, 0, "after the end of who held it");
    TRY(semctl(s_set, 0, IPC_RMID));
    return sample_ok(0);
}
