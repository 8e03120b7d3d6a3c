/* The guest: the one stack and TLS block on which all of C# runs, and the lock before it.
 * World: Guest. See dm_embed.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/auxv.h>

#include "arena.h"
#include "dm_embed.h"
#include "dm_gate.h"
#include "dm_syscall.h"
#include "embed.h"

enum {
    LOCK_FREE = 0,
    LOCK_HELD = 1,
    LOCK_CONTENDED = 2,
    HWCAP2_FSGSBASE = 1 << 1, /* arch/x86/include/uapi/asm/hwcap2.h */
};

struct dm_raw_thread dm_guest;

static uint32_t s_lock;
static uint32_t s_up;
static int64_t s_pid;
static uint64_t s_has_fsgsbase;

/* Any variable of this library's TLS block: dm_rt___tls_get_addr takes its bearings from it. */
__thread uint32_t dm_tls_anchor __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Exported by the C# object: its first line of managed code makes the runtime start. */
int dm_managed_ping(int value);

void dm_guest_enter(void (*function)(void *), void *argument, void *stack_top, void *fs_base, void *old_fs_base,
                    uint64_t has_fsgsbase) __attribute__((visibility("hidden")));

static void *current_fs_base(void)
{
    void *base;
    __asm__("movq %%fs:0, %0" : "=r"(base)); /* the first word of the block is its own address, psABI 3.4.6 */
    return base;
}

int dm_runtime_is_inside(void)
{
    return dm_guest.fs_base != 0 && current_fs_base() == dm_guest.fs_base;
}

int dm_runtime_is_up(void)
{
    return (int)__atomic_load_n(&s_up, __ATOMIC_ACQUIRE);
}

int dm_guest_owns_process(void)
{
    return dm_getpid() == s_pid;
}

static uint64_t block_signals(void)
{
    uint64_t all = UINT64_MAX;
    uint64_t previous = 0;
    (void)dm_syscall4(__NR_rt_sigprocmask, SIG_SETMASK, (int64_t)&all, (int64_t)&previous, 8);
    return previous;
}

static void restore_signals(uint64_t mask)
{
    (void)dm_syscall4(__NR_rt_sigprocmask, SIG_SETMASK, (int64_t)&mask, 0, 8);
}

static int try_lock(void)
{
    uint32_t expected = LOCK_FREE;
    return __atomic_compare_exchange_n(&s_lock, &expected, LOCK_HELD, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void unlock(void)
{
    if (__atomic_exchange_n(&s_lock, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_CONTENDED)
        (void)dm_futex(&s_lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0);
}

/* The lock is only ever held with all signals blocked, so that no handler can find it held by its own thread; and one
 * waits with the caller's mask, so that a waiting thread can be suspended for a checkpoint. */
uint64_t dm_runtime_lock(void)
{
    uint64_t mask = block_signals();
    if (try_lock())
        return mask;
    while (__atomic_exchange_n(&s_lock, LOCK_CONTENDED, __ATOMIC_ACQUIRE) != LOCK_FREE) {
        restore_signals(mask);
        (void)dm_futex(&s_lock, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, LOCK_CONTENDED, 0);
        mask = block_signals();
    }
    return mask;
}

/* After fork(2) the child unlocks, too: from then on the runtime in this memory is its own. A vfork(2) child runs none
 * of our handlers, and keeps the PID of its parent here. */
void dm_runtime_unlock(uint64_t signal_mask)
{
    s_pid = dm_getpid();
    unlock();
    restore_signals(signal_mask);
}

static void enter(void (*function)(void *), void *argument)
{
    char *top = (char *)dm_guest.stack + dm_guest.stack_bytes;
    dm_guest_enter(function, argument, top, dm_guest.fs_base, current_fs_base(), s_has_fsgsbase);
}

void dm_runtime_call(void (*function)(void *), void *argument)
{
    if (dm_runtime_is_inside()) {
        function(argument);
        return;
    }
    uint64_t mask = dm_runtime_lock();
    enter(function, argument);
    unlock();
    restore_signals(mask);
}

int dm_runtime_try_call(void (*function)(void *), void *argument)
{
    if (dm_runtime_is_inside()) {
        function(argument);
        return 0;
    }
    uint64_t mask = block_signals();
    if (!try_lock()) {
        restore_signals(mask);
        return -EBUSY;
    }
    enter(function, argument);
    unlock();
    restore_signals(mask);
    return 0;
}

int dm_runtime_prepare(void)
{
    if (dm_guest.fs_base != 0)
        return 0;
    s_pid = dm_getpid();
    s_has_fsgsbase = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
    dm_embed_find_self();
    dm_gate_prepare();
    return dm_raw_thread_prepare(&dm_guest, DM_GUEST_STACK_BYTES);
}

static void start(void *argument)
{
    int *result = argument;
    if (dm_runtime_is_up())
        return;
    *result = dm_settings_fit();
    if (*result != 0)
        return;
    *result = dm_managed_ping(0) == 1 ? 0 : -EIO;
    dm_arena_close();
    if (*result == 0)
        __atomic_store_n(&s_up, 1, __ATOMIC_RELEASE);
}

int dm_runtime_start(void)
{
    if (dm_runtime_is_up())
        return 0;
    int result = dm_runtime_prepare();
    if (result == 0)
        dm_runtime_call(start, &result);
    return result;
}
