/* World: Frozen. */
#define _GNU_SOURCE
#include "pending.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>

#include "dm_syscall.h"
#include "procfs.h"

/* Of the kernel's siginfo_t: SI_MAX_SIZE. */
#define RECORD_BYTES 128
#define FIRST_CAPACITY 512
_Static_assert(sizeof(siginfo_t) == RECORD_BYTES, "siginfo_t");

void dm_pending_init(struct dm_pending *pending)
{
    *pending = (struct dm_pending){0};
}

static bool make_room(struct dm_pending *pending)
{
    if (pending->count < pending->capacity)
        return true;
    uint32_t capacity = pending->capacity == 0 ? FIRST_CAPACITY : pending->capacity * 2;
    int64_t memory =
        pending->memory == 0
            ? dm_mmap(0, (uint64_t)capacity * RECORD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            : dm_syscall4(__NR_mremap, (int64_t)pending->memory, (int64_t)pending->capacity * RECORD_BYTES,
                          (int64_t)capacity * RECORD_BYTES, MREMAP_MAYMOVE);
    if (dm_is_error(memory))
        return false;
    pending->memory = (uint64_t)memory;
    pending->capacity = capacity;
    return true;
}

static siginfo_t *record(const struct dm_pending *pending, uint32_t index)
{
    return (siginfo_t *)pending->memory + index;
}

/* The kernel looks into the thread's queue before that of the process, and every signal of `wanted` is in the thread's. */
void dm_pending_capture(struct dm_pending *pending)
{
    uint32_t tid = (uint32_t)dm_gettid();
    const struct timespec now = {0, 0};
    pending->count = 0;
    uint64_t wanted;
    while ((wanted = dm_thread_pending(tid)) != 0 && make_room(pending)) {
        siginfo_t *info = record(pending, pending->count);
        if (dm_syscall4(__NR_rt_sigtimedwait, (int64_t)&wanted, (int64_t)info, (int64_t)&now, sizeof wanted) <= 0)
            break;
        pending->count++;
    }
    dm_pending_put_back(pending);
}

void dm_pending_put_back(const struct dm_pending *pending)
{
    int64_t pid = dm_getpid(), tid = dm_gettid();
    for (uint32_t i = 0; i < pending->count; i++) {
        siginfo_t *info = record(pending, i);
        dm_syscall4(__NR_rt_tgsigqueueinfo, pid, tid, info->si_signo, (int64_t)info);
    }
}

void dm_pending_release(struct dm_pending *pending)
{
    if (pending->memory != 0)
        dm_munmap(pending->memory, (uint64_t)pending->capacity * RECORD_BYTES);
    pending->memory = 0;
}
