/* The library's start, and the checkpoint thread. World: Guest.
 *
 * The checkpoint thread is made by a raw clone(2): a second thread known to libc
 * would turn a single-threaded program into a threaded one (malloc takes locks,
 * pthread_exit in main no longer ends the process). It has all signals blocked, so
 * that none of the program's is ever delivered to it.
 */
#define _GNU_SOURCE
#include "core.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "affinity.h"
#include "dm_embed.h"
#include "dm_rawthread.h"
#include "dm_syscall.h"
#include "exec.h"
#include "exec_window.h"
#include "fork.h"
#include "membership.h"
#include "old_address_calls.h"
#include "own_table.h"
#include "privileges.h"
#include "reuse_address.h"
#include "sem_undo.h"
#include "shell.h"
#include "suspend.h"
#include "user_namespace.h"

#define STACK_BYTES (64u << 10)
/* Programs that end sooner never speak to the coordinator: a shell's short commands. A
 * checkpoint finds such a process through its parent and waits for it. */
#define HELLO_DELAY_NANOSECONDS 3000000
#define HIGHEST_SELECTED 16384
#define PAUSE_NANOSECONDS 20000000

int dm_managed_step(struct dm_step *step);

/* pthread_atfork(3) marks the handlers with the object that they belong to; usually from crtbeginS.o, which we do
 * without. */
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;

/* The linker gives the ends of the library as loaded. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static struct dm_self s_self;
static struct dm_thread_slot s_slot;
static struct dm_restart_info s_restart_info;
static struct dm_raw_thread s_thread;
static uint64_t s_mask_before_fork;
static int s_can_borrow;
/* Not constant: a child of fork(2) has copied the page of these variables, and would map one of the library's file for it. */
static struct timespec s_hello_delay;
static uint32_t s_must_leave; /* atomic */

/* What the program wants to be done by the checkpoint thread. Function and argument belong to the lock that keeps others out of C#. */
static struct {
    void (*function)(void *);
    void *argument;
    uint32_t asked; /* atomic */
    uint32_t done;  /* futex: the last one that was asked for and is done */
} s_errand;

struct dm_self *dm_self(void)
{
    return &s_self;
}

/* poll(2) takes no more descriptors than RLIMIT_NOFILE, so none where that is 0; select(2) does not ask. A number that is too high
 * for the set is looked at now and then. */
static int64_t select_one(int fd, const struct timespec *timeout, const uint64_t *mask)
{
    uint64_t set[HIGHEST_SELECTED / 64] = {0};
    const struct {
        const uint64_t *mask;
        uint64_t bytes;
    } signals = {mask, sizeof *mask};
    static const struct timespec Pause = {0, PAUSE_NANOSECONDS};
    if (fd >= HIGHEST_SELECTED)
        return dm_syscall5(__NR_ppoll, 0, 0, (int64_t)&Pause, (int64_t)mask, sizeof *mask);
    if (fd >= 0)
        set[fd / 64] |= 1ull << fd % 64;
    return dm_syscall6(__NR_pselect6, fd + 1, (int64_t)set, 0, 0, (int64_t)timeout, (int64_t)&signals);
}

/* A signal reaches this thread only where it waits with this mask: that of dm_interrupt_own_thread. */
static const uint64_t Interruptible = ~(1ull << (DM_SUSPEND_SIGNAL - 1));

static int32_t wait_for(const struct dm_step *step)
{
    if (step->kind == DM_WAIT_SYNC)
        return (int32_t)dm_syscall1(__NR_fsync, step->descriptor);
    const uint64_t mask = Interruptible;
    struct pollfd wanted = {.fd = step->descriptor, .events = POLLIN};
    struct timespec timeout = {step->timeout_milliseconds / 1000, step->timeout_milliseconds % 1000 * 1000000L};
    struct timespec *limit = step->timeout_milliseconds < 0 ? NULL : &timeout;
    int64_t result = dm_syscall5(__NR_ppoll, (int64_t)&wanted, 1, (int64_t)limit, (int64_t)&mask, sizeof mask);
    return (int32_t)(result == -EINVAL ? select_one(step->descriptor, limit, &mask) : result);
}

static bool may_leave(const struct dm_step *step)
{
    return __atomic_load_n(&s_must_leave, __ATOMIC_ACQUIRE) != 0 && step->kind == DM_WAIT_READABLE &&
           !dm_is_suspended();
}

static void run_errand(void)
{
    if (__atomic_load_n(&s_errand.asked, __ATOMIC_ACQUIRE) == s_errand.done)
        return;
    const uint64_t ours = ~Interruptible;
    const struct timespec none = {0, 0};
    uint64_t mask = dm_runtime_lock();
    s_errand.function(s_errand.argument);
    /* The signal that came with it would find no handler when it is let in later. All signals are blocked here. */
    while (dm_syscall4(__NR_rt_sigtimedwait, (int64_t)&ours, 0, (int64_t)&none, sizeof ours) == DM_SUSPEND_SIGNAL)
        ;
    __atomic_store_n(&s_errand.done, s_errand.asked, __ATOMIC_RELEASE);
    dm_runtime_unlock(mask);
    dm_futex(&s_errand.done, FUTEX_WAKE_PRIVATE, 0x7fffffff, NULL);
}

/* The kernel takes what has passed off the time: ppoll(2). */
static void sleep_before_hello(void)
{
    struct timespec left = s_hello_delay;
    while (dm_syscall5(__NR_ppoll, 0, 0, (int64_t)&left, (int64_t)&Interruptible, sizeof Interruptible) == -EINTR)
        run_errand();
}

struct turn {
    struct dm_step step;
    int ended;
};

static void take_turn(void *argument)
{
    struct turn *turn = argument;
    turn->ended = dm_managed_step(&turn->step);
}

static int checkpoint_thread(void *unused)
{
    (void)unused;
    sleep_before_hello();
    dm_affinity_release();
    s_self.owns_table = s_can_borrow && dm_table_leave() == 0;
    if (dm_runtime_start() != 0)
        return 0;
    /* C# runs on the guest's stack and TLS block; it is there that a checkpoint is taken and a restart begins. */
    s_self.fs_base = (uint64_t)dm_guest.fs_base;
    s_self.tid = (uint32_t)dm_gettid();

    struct turn turn;
    memset(&turn, 0, sizeof turn);
    for (;;) {
        dm_runtime_call(take_turn, &turn);
        run_errand();
        /* Looked at right before the signal is let in: the turn may have taken its handler away. */
        if (turn.ended || may_leave(&turn.step))
            return 0;
        turn.step.result = wait_for(&turn.step);
    }
}

/* When the kernel gives us no thread (RLIMIT_NPROC) the program runs all the same; a checkpoint will name it as
 * a process that does not answer. */
static void start_checkpoint_thread(void)
{
    dm_privileges_begin();
    if (dm_raw_thread_start(&s_thread, checkpoint_thread, NULL) != 0)
        s_self.tid = 0;
}

/* Nobody is inside C# while the process is copied. */
void dm_before_fork(void)
{
    s_mask_before_fork = dm_runtime_lock();
}

void dm_after_fork_in_parent(void)
{
    dm_runtime_unlock(s_mask_before_fork);
}

/* Where the table is shared, the connection would otherwise stay open for as long as this process lives. */
static void forget_connection(void)
{
    if (s_self.link != 0 && !s_self.owns_table)
        dm_close((int)s_self.link - 1);
    s_self.link = 0;
    s_self.owns_table = 0;
}

void dm_after_fork_in_child(void)
{
    forget_connection();
    s_must_leave = 0;
    s_errand.done = s_errand.asked;
    dm_sem_undo_begin();
    dm_exec_window_begin();
    dm_affinity_stay();
    start_checkpoint_thread();
    dm_affinity_release();
    dm_runtime_unlock(s_mask_before_fork);
}

static uint32_t checkpoint_thread_number(void)
{
    return dm_membership_token() == NULL ? 0 : __atomic_load_n(&s_thread.tid, __ATOMIC_ACQUIRE);
}

/* Until the kernel has taken it off the list of this process's threads: __unhash_process in kernel/exit.c. */
static bool is_there(uint32_t tid)
{
    return dm_syscall3(__NR_tgkill, dm_getpid(), tid, 0) == 0;
}

/* Not while the signal of another thread's errand is on its way: it would find no handler. */
static void end_interruption(void)
{
    uint64_t mask = dm_runtime_lock();
    if (s_errand.asked == s_errand.done)
        dm_own_thread_interrupted();
    dm_runtime_unlock(mask);
}

bool dm_checkpoint_thread_leave(void)
{
    uint32_t tid = checkpoint_thread_number();
    if (tid == 0)
        return false;
    uint64_t mask = dm_runtime_lock();
    __atomic_store_n(&s_must_leave, 1, __ATOMIC_RELEASE);
    dm_interrupt_own_thread(tid);
    dm_runtime_unlock(mask);
    while (is_there(tid)) {
        const struct timespec pause = {0, 200000};
        dm_syscall2(__NR_nanosleep, (int64_t)&pause, 0);
    }
    s_errand.done = s_errand.asked;
    end_interruption();
    return true;
}

void dm_checkpoint_thread_do(void (*function)(void *), void *argument)
{
    uint32_t tid = checkpoint_thread_number();
    if (tid == 0 || !dm_guest_owns_process())
        return;
    uint64_t mask = dm_runtime_lock();
    s_errand.function = function;
    s_errand.argument = argument;
    uint32_t ticket = __atomic_add_fetch(&s_errand.asked, 1, __ATOMIC_RELEASE);
    dm_interrupt_own_thread(tid);
    dm_runtime_unlock(mask);
    for (uint32_t done; (int32_t)((done = __atomic_load_n(&s_errand.done, __ATOMIC_ACQUIRE)) - ticket) < 0;) {
        const struct timespec pause = {0, 10000000};
        if (!is_there(__atomic_load_n(&s_thread.tid, __ATOMIC_ACQUIRE)))
            return;
        dm_futex(&s_errand.done, FUTEX_WAIT_PRIVATE, done, &pause);
    }
    end_interruption();
}

void dm_checkpoint_thread_return(void)
{
    __atomic_store_n(&s_must_leave, 0, __ATOMIC_RELEASE);
    forget_connection();
    start_checkpoint_thread();
}

__attribute__((constructor)) static void start(void)
{
    int saved = errno;
    dm_exec_prepare();
    dm_shell_prepare();
    dm_fork_prepare();
    dm_address_calls_prepare();
    dm_host_names_prepare();
    dm_reuse_address_prepare();
    dm_user_namespace_prepare();
    dm_privileges_prepare();
    errno = saved;
    if (dm_membership_take(environ) != 0)
        return;
    s_self.coordinator = dm_membership_coordinator();
    s_self.token = dm_membership_token();
    s_self.stdio = dm_membership_stdio();
    s_self.namespaces = dm_membership_namespaces();
    s_self.library_start = (uint64_t)__ehdr_start;
    s_self.library_end = (uint64_t)_end;
    s_restart_info.bytes = sizeof s_restart_info;
    s_self.restart_info = &s_restart_info;
    s_self.restored_entry = (uint64_t)dm_restored_entry;
    s_self.slot = &s_slot;
    s_can_borrow = dm_table_can_be_borrowed();
    s_hello_delay.tv_nsec = HELLO_DELAY_NANOSECONDS;
    if (dm_runtime_prepare() == 0 && dm_raw_thread_prepare(&s_thread, STACK_BYTES) == 0) {
        dm_exec_window_begin();
        pthread_atfork(dm_before_fork, dm_after_fork_in_parent, dm_after_fork_in_child);
        start_checkpoint_thread();
    }
    errno = saved;
}
