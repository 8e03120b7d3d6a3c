/* Proves: System V semaphores, message queues and shared memory come back with their ids and contents, also when nobody has
 * used them yet, when who has used them is gone, and when nobody has them attached; they roll back with memory. */
#include "../sample.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { SEMAPHORES = 3, SEGMENT_BYTES = 100000, MESSAGES = 4 };

struct message {
    long type;
    char text[20];
};

static void add(int set, int number, int change)
{
    struct sembuf operation = { .sem_num = (unsigned short)number, .sem_op = (short)change };
    TRY(semop(set, &operation, 1));
}

static void send(int queue, long type)
{
    struct message message = { .type = type };
    snprintf(message.text, sizeof message.text, "message %ld", type);
    TRY(msgsnd(queue, &message, strlen(message.text) + 1, 0));
}

static void receive(int queue, long type)
{
    struct message message;
    char expected[20];
    snprintf(expected, sizeof expected, "message %ld", type);
    CHECK(msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT) > 0, "message %ld is lost: %s", type, strerror(errno));
    CHECK(message.type == type && strcmp(message.text, expected) == 0, "'%s' came instead of '%s'", message.text, expected);
}

/* A segment that is attached only while it is looked at. */
static void with_segment(int segment, void (*use)(unsigned char *memory, uint64_t seed), uint64_t seed)
{
    unsigned char *memory = TRY((unsigned char *)shmat(segment, NULL, 0));
    use(memory, seed);
    TRY(shmdt(memory));
}

static void fill(unsigned char *memory, uint64_t seed) { sample_fill(memory, SEGMENT_BYTES, seed, 0); }
static void compare(unsigned char *memory, uint64_t seed) { sample_compare(memory, SEGMENT_BYTES, seed, 0, "the segment"); }

int main(void)
{
    int unused = TRY(semget(IPC_PRIVATE, SEMAPHORES, IPC_CREAT | 0600)), used = TRY(semget(IPC_PRIVATE, SEMAPHORES, IPC_CREAT | 0640));
    int silent = TRY(msgget(IPC_PRIVATE, IPC_CREAT | 0600)), queue = TRY(msgget(IPC_PRIVATE, IPC_CREAT | 0600)), left = TRY(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    int segment = TRY(shmget(IPC_PRIVATE, SEGMENT_BYTES, IPC_CREAT | 0600));
    with_segment(segment, fill, 0);

    pid_t child = TRY(fork());                    /* uses them and ends */
    if (child == 0) {
        send(left, 1);
        send(left, 2);
        _exit(0);
    }
    sample_wait_child(child, "child");
    for (long type = 1; type <= MESSAGES; type++)
        send(queue, type);

    sample_ready();
    uint64_t step = 0;
    for (; sample_more(100); step++) {
        with_segment(segment, compare, step);
        with_segment(segment, fill, step + 1);
        add(used, (int)(step % SEMAPHORES), 1);
        receive(queue, (long)(step + 1));
        send(queue, (long)(step + 1 + MESSAGES));
        sample_idle();
    }

    struct semid_ds set;
    TRY(semctl(used, 0, IPC_STAT, &set));
    CHECK((set.sem_perm.mode & 0777) == 0640 && set.sem_nsems == SEMAPHORES, "the set has mode %o", set.sem_perm.mode);
    for (uint64_t i = 0; i < SEMAPHORES; i++) {
        int value = TRY(semctl(used, (int)i, GETVAL)), expected = (int)((step + SEMAPHORES - 1 - i) / SEMAPHORES);
        CHECK(value == expected, "semaphore %d is %d instead of %d", (int)i, value, expected);
        CHECK(TRY(semctl(unused, (int)i, GETVAL)) == 0, "an unused semaphore has a value");
    }
    add(unused, 1, 1);
    send(silent, 7);
    receive(silent, 7);
    receive(left, 1);
    receive(left, 2);
    for (long type = 1; type <= MESSAGES; type++)
        receive(queue, (long)step + type);
    with_segment(segment, compare, step);
    TRY(semctl(unused, 0, IPC_RMID));
    TRY(semctl(used, 0, IPC_RMID));
    TRY(msgctl(silent, IPC_RMID, NULL));
    TRY(msgctl(queue, IPC_RMID, NULL));
    TRY(msgctl(left, IPC_RMID, NULL));
    TRY(shmctl(segment, IPC_RMID, NULL));
    return sample_ok(0);
}
