/* pthread functions of the C# object. World: Guest and Frozen.
 *
 * Only one thread is ever inside the C# object (dm_embed.h), so no lock is contended, no condition has a second party
 * and no thread-specific value needs a destructor. What is left is small: count the holds of a mutex, and know the
 * stack. A wait that nobody could end is a broken invariant and stops the process with a sentence.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "dm_embed.h"
#include "dm_syscall.h"
#include "embed.h"

/* The runtime makes one thread, for finalizers. It is promised and never made: C# in here has no finalizers that matter
 * (the generator checks that), the process keeps its number of threads, and a fork child has no dead thread to mourn.
 * The runtime does not wait for it: dotnet/runtime src/coreclr/nativeaot/Runtime/FinalizerHelpers.cpp, RhInitializeFinalization. */
int dm_rt_pthread_create(uint64_t *thread, const void *attributes, void *(*function)(void *), void *argument)
{
    (void)attributes;
    (void)function;
    (void)argument;
    *thread = 0;
    return 0;
}

uint64_t dm_rt_pthread_self(void)
{
    return (uint64_t)dm_guest.fs_base;
}

/* pthread_attr_t is 56 bytes; these are the first 16 of ours. */
struct attributes {
    void *stack;
    size_t stack_bytes;
};

int dm_rt_pthread_getattr_np(uint64_t thread, struct attributes *attributes)
{
    (void)thread;
    attributes->stack = dm_guest.stack;
    attributes->stack_bytes = dm_guest.stack_bytes;
    return 0;
}

int dm_rt_pthread_attr_getstack(const struct attributes *attributes, void **stack, size_t *stack_bytes)
{
    *stack = attributes->stack;
    *stack_bytes = attributes->stack_bytes;
    return 0;
}

int dm_rt_pthread_key_create(uint32_t *key, void (*destructor)(void *))
{
    (void)destructor;
    *key = 0;
    return 0;
}

int dm_rt_pthread_cond_wait(void *condition, void *mutex)
{
    static const char message[] = "dormouse: C# waits for a condition, but no other thread of it exists.\n";
    (void)condition;
    (void)mutex;
    (void)dm_write(2, message, sizeof message - 1);
    dm_rt_abort();
}

int dm_rt_pthread_cond_timedwait(void *condition, void *mutex, const struct timespec *deadline)
{
    (void)condition;
    (void)mutex;
    /* Conditions of the runtime use CLOCK_MONOTONIC. */
    (void)dm_syscall4(__NR_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, (int64_t)deadline, 0);
    return ETIMEDOUT;
}

/* One processor: the collector then makes one heap and nobody spins. */
int dm_rt_sched_getaffinity(int pid, size_t bytes, void *mask)
{
    (void)pid;
    memset(mask, 0, bytes);
    *(unsigned char *)mask = 1;
    return 0;
}

int dm_rt___sched_cpucount(size_t bytes, const unsigned char *mask)
{
    int count = 0;
    for (size_t i = 0; i < bytes * 8; i++)
        count += mask[i / 8] >> i % 8 & 1;
    return count;
}

/* Moved away from 34, which programs use; never sent, since nobody but the caller is ever inside. */
int dm_rt___libc_current_sigrtmin(void)
{
    return 63;
}
