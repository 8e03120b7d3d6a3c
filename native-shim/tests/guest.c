/* The C# runtime in this process: started from a raw thread, carried through forks, called by program threads, and
 * without a trace that the program could notice. World: Guest. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dm_embed.h"
#include "dm_syscall.h"

#include <linux/futex.h>

int dm_managed_ping(int value);

enum { GENERATIONS = 3, PINGS = 40, THREADS = 8 };

static struct dm_raw_thread s_thread;

static void ping(void *argument)
{
    int *value = argument;
    *value = dm_managed_ping(*value) == *value + 1;
}

static int ping_once(int value)
{
    dm_runtime_call(ping, &value);
    return value;
}

static int run_raw(void *argument)
{
    int *failures = argument;
    *failures += dm_runtime_start() != 0;
    for (int i = 0; i < PINGS; i++)
        *failures += !ping_once(i);
    return 0;
}

static void join_raw(struct dm_raw_thread *thread)
{
    uint32_t tid;
    while ((tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)) != 0)
        (void)dm_futex(&thread->tid, FUTEX_WAIT, tid, 0);
}

static void ping_from_raw_thread(void)
{
    int failures = 0;
    CHECK(dm_raw_thread_start(&s_thread, run_raw, &failures) == 0);
    join_raw(&s_thread);
    CHECK(failures == 0);
    CHECK(ping_once(7));
}

static void fork_deep(int generation)
{
    ping_from_raw_thread();
    if (generation == GENERATIONS)
        return;
    uint64_t mask = dm_runtime_lock();
    pid_t child = fork();
    dm_runtime_unlock(mask);
    CHECK(child >= 0);
    if (child == 0) {
        fork_deep(generation + 1);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(ping_once(8));
}

static uint64_t signal_mask(void)
{
    uint64_t mask = 0;
    CHECK(dm_syscall4(__NR_rt_sigprocmask, SIG_BLOCK, 0, (int64_t)&mask, sizeof mask) == 0);
    return mask;
}

static void *ping_from_program_thread(void *argument)
{
    uint64_t before = signal_mask();
    errno = EXDEV;
    for (int i = 0; i < PINGS; i++)
        CHECK(ping_once(i));
    CHECK(errno == EXDEV);
    CHECK(signal_mask() == before);
    return argument;
}

/* The threads end and others come: nothing of them may stay in the runtime. */
static void threads_come_and_go(void)
{
    for (int round = 0; round < 5; round++) {
        pthread_t threads[THREADS];
        pthread_attr_t small;
        CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 16384) == 0);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_create(&threads[i], &small, ping_from_program_thread, NULL) == 0);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        pthread_attr_destroy(&small);
    }
}

static int count_entries(const char *directory)
{
    int count = 0;
    DIR *entries = opendir(directory);
    CHECK(entries != NULL);
    while (readdir(entries) != NULL)
        count++;
    closedir(entries);
    return count;
}

static void leaves_no_trace(int descriptors)
{
    CHECK(count_entries("/proc/self/task") == 2 + 1);
    CHECK(count_entries("/proc/self/fd") == descriptors);
    for (int number = 1; number < 65; number++) {
        struct sigaction action = {0};
        if (number != SIGKILL && number != SIGSTOP && sigaction(number, NULL, &action) == 0)
            CHECK(action.sa_handler == SIG_DFL);
    }
}

static void starts_only_when_its_heap_fits(void)
{
    struct rlimit limit = {50u << 20, 600u << 20};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(dm_runtime_start() == -ENOMEM && !dm_runtime_is_up());
    limit.rlim_cur = 160u << 20;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

int main(void)
{
    for (int number = 1; number < 65; number++)
        signal(number, SIG_DFL);
    int descriptors = count_entries("/proc/self/fd");
    CHECK(setenv("DOTNET_GCHeapHardLimit", "1", 1) == 0);

    CHECK(dm_runtime_prepare() == 0);
    CHECK(dm_raw_thread_prepare(&s_thread, 128 * 1024) == 0);
    CHECK(!dm_runtime_is_up() && !dm_runtime_is_inside());
    starts_only_when_its_heap_fits();
    fork_deep(0);
    CHECK(dm_runtime_is_up());
    leaves_no_trace(descriptors);
    threads_come_and_go();
    return 0;
}
