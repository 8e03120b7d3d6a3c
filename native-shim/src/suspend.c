/* Thread suspension by signal. World: Frozen, raw system calls only.
 *
 * The signal is 33, glibc's SIGSETXID: sigaction(3), sigprocmask(3) and
 * pthread_sigmask(3) refuse or filter it, so a program can neither take nor block it
 * through libc. Our handler is installed only for the time of a suspension and told
 * from glibc's own use by si_code and a slot address; glibc's goes to the handler that was there before.
 *
 * It says that it comes from a timer: execve(2) takes such signals away, as it does the timers (flush_itimer_signals in
 * kernel/signal.c). Any other one would outlive an execve that the thread is in just now, past exec_window.h by a system call of its
 * own, and kill the new program, which has no handler.
 */
#define _GNU_SOURCE
#include "suspend.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "dm_embed.h"
#include "dm_rawthread.h"
#include "dm_syscall.h"
#include "exec_window.h"
#include "interrupted.h"
#include "pending.h"
#include "pending_search.h"
#include "procfs.h"
#include "thread_attributes.h"
#include "thread_state.h"

#define KERNEL_SIGSET_BYTES 8
#define SIGNAL_CODE SI_TIMER
#define RESEND_NANOSECONDS 1000000000LL

/* struct sigaction of the kernel, not of libc. */
struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

void dm_sigreturn(void);

static struct {
    struct dm_thread_slot *slots;
    uint32_t capacity;
    uint32_t count;
    uint32_t epoch;
    uint32_t released; /* futex: the last epoch that was let go */
    uint32_t parked;   /* futex: counts arrivals */
    uint32_t resent;   /* the last epoch in which a signal was sent twice */
    struct kernel_sigaction previous;
    struct {
        int64_t process, thread, user;
    } self;
    uint64_t every_cpu[DM_CPU_WORDS];
} s_suspension;

static int64_t now_nanoseconds(void)
{
    struct timespec now;
    dm_syscall2(__NR_clock_gettime, CLOCK_MONOTONIC, (int64_t)&now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void wake_checkpoint_thread(void)
{
    __atomic_add_fetch(&s_suspension.parked, 1, __ATOMIC_RELEASE);
    dm_futex(&s_suspension.parked, FUTEX_WAKE_PRIVATE, 1, NULL);
}

static void announce_parked(struct dm_thread_slot *slot)
{
    __atomic_store_n(&slot->state, DM_SLOT_PARKED, __ATOMIC_RELEASE);
    wake_checkpoint_thread();
}

static void answer_request(struct dm_thread_slot *slot, struct dm_pending *pending)
{
    switch (__atomic_load_n(&slot->request, __ATOMIC_ACQUIRE)) {
    case DM_REQUEST_NOTE_PENDING:
        dm_pending_capture(pending);
        break;
    case DM_REQUEST_CLOSE:
        dm_close((int)slot->argument);
        break;
    default:
        return;
    }
    __atomic_store_n(&slot->request, 0, __ATOMIC_RELEASE);
    wake_checkpoint_thread();
}

/* The second one of a signal that was sent twice would come when our handler is gone, and end the program. All signals are
 * blocked here. */
static void take_resent(uint32_t epoch)
{
    const uint64_t set = 1ull << (DM_SUSPEND_SIGNAL - 1);
    const struct timespec none = {0, 0};
    if (__atomic_load_n(&s_suspension.resent, __ATOMIC_ACQUIRE) != epoch)
        return;
    while (dm_syscall4(__NR_rt_sigtimedwait, (int64_t)&set, 0, (int64_t)&none, KERNEL_SIGSET_BYTES) ==
           DM_SUSPEND_SIGNAL)
        ;
}

/* Parked threads wait for one word with these, so that a request need not wake all of them. */
static uint32_t bit_of(const struct dm_thread_slot *slot)
{
    return 1u << (slot - s_suspension.slots) % 32;
}

static void park(struct dm_thread_slot *slot)
{
    struct dm_pending pending;
    dm_pending_init(&pending);
    if (dm_context_save(&slot->context) != 0) {
        dm_restore_thread(slot);
        pending.restored = 1;
        slot->restored = 1;
    }
    /* Read before anybody can know that we are here: the slot is used again as soon as we are released. */
    uint32_t epoch = slot->epoch;
    announce_parked(slot);
    for (;;) {
        uint32_t released = __atomic_load_n(&s_suspension.released, __ATOMIC_ACQUIRE);
        if ((int32_t)(released - epoch) >= 0)
            break;
        answer_request(slot, &pending);
        dm_futex_bits(&s_suspension.released, FUTEX_WAIT_BITSET_PRIVATE, released, bit_of(slot));
    }
    if (pending.restored != 0)
        dm_pending_put_back(&pending);
    dm_pending_release(&pending);
    take_resent(epoch);
}

static bool is_slot(const struct dm_thread_slot *slot)
{
    return slot >= s_suspension.slots && slot < s_suspension.slots + s_suspension.capacity;
}

static void on_suspend_signal(int signal, siginfo_t *info, void *context)
{
    struct dm_thread_slot *slot = info->si_value.sival_ptr;
    if (info->si_code != SIGNAL_CODE || !is_slot(slot)) {
        void (*previous)(int, siginfo_t *, void *) = s_suspension.previous.handler;
        if ((uint64_t)previous > 1)
            previous(signal, info, context);
        return;
    }
    struct dm_resume_call room;
    const struct dm_blocked_call blocked = dm_blocked_call_of(slot);
    /* A signal that was sent twice, and arrives after its suspension is over, parks nobody. */
    if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == DM_SLOT_SIGNALLED && slot->tid == (uint32_t)dm_gettid()) {
        dm_capture_thread(slot, context, s_suspension.every_cpu);
        park(slot);
    }
    dm_continue_interrupted_call(&blocked, context, &room);
}

static void install_handler(struct kernel_sigaction *previous)
{
    struct kernel_sigaction ours = {
        .handler = on_suspend_signal,
        .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | 0x04000000 /* SA_RESTORER */,
        .restorer = dm_sigreturn,
        .mask = ~0ull,
    };
    struct kernel_sigaction old;
    dm_syscall4(__NR_rt_sigaction, DM_SUSPEND_SIGNAL, (int64_t)&ours, (int64_t)&old, KERNEL_SIGSET_BYTES);
    if (previous != NULL && old.handler != on_suspend_signal)
        *previous = old;
}

static int queue_signal(int64_t process, uint32_t tid, struct dm_thread_slot *slot)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = DM_SUSPEND_SIGNAL;
    info.si_code = SIGNAL_CODE;
    info.si_pid = (int)process;
    info.si_uid = (unsigned)s_suspension.self.user;
    info.si_value.sival_ptr = slot;
    return (int)dm_syscall4(__NR_rt_tgsigqueueinfo, info.si_pid, tid, DM_SUSPEND_SIGNAL, (int64_t)&info);
}

static int send_signal(struct dm_thread_slot *slot)
{
    return queue_signal(s_suspension.self.process, slot->tid, slot);
}

static bool is_own_thread(uint32_t tid)
{
    return tid == (uint32_t)s_suspension.self.thread || dm_raw_thread_is_ours(tid);
}

static struct dm_thread_slot *find_slot(uint32_t tid)
{
    for (uint32_t i = 0; i < s_suspension.count; i++) {
        if (s_suspension.slots[i].tid == tid)
            return &s_suspension.slots[i];
    }
    return NULL;
}

/* The old array is left to threads that still hold its addresses in queued signals. */
static int grow(uint32_t wanted)
{
    if (wanted <= s_suspension.capacity)
        return 0;
    uint32_t capacity = s_suspension.capacity == 0 ? 64 : s_suspension.capacity;
    while (capacity < wanted)
        capacity *= 2;
    int64_t memory = dm_mmap(0, capacity * sizeof(struct dm_thread_slot), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dm_is_error(memory))
        return (int)memory;
    s_suspension.slots = (struct dm_thread_slot *)memory;
    s_suspension.capacity = capacity;
    return 0;
}

/* Reserves slots for all threads there are and half as many again; only while nobody is parked. */
static int reserve(void)
{
    struct dm_task_list tasks;
    dm_task_list_open(&tasks);
    uint32_t count = 0;
    while (dm_task_list_next(&tasks) != 0)
        count++;
    dm_task_list_close(&tasks);
    return grow(count + count / 2 + 16);
}

struct scan {
    uint32_t waiting;  /* not parked yet */
    uint32_t last_tid; /* one of them */
    bool full;         /* no slot left: the whole suspension must start again */
};

static void scan_threads(struct scan *scan)
{
    struct dm_task_list tasks;
    *scan = (struct scan){0};
    if (dm_exec_is_entered()) {
        scan->waiting = 1;
        scan->last_tid = (uint32_t)dm_syscall0(__NR_getpid);
        return;
    }
    dm_task_list_open(&tasks);
    for (uint32_t tid; (tid = dm_task_list_next(&tasks)) != 0;) {
        if (is_own_thread(tid))
            continue;
        struct dm_thread_slot *slot = find_slot(tid);
        if (slot == NULL) {
            if (s_suspension.count == s_suspension.capacity) {
                scan->full = true;
                break;
            }
            slot = &s_suspension.slots[s_suspension.count++];
            memset(slot, 0, sizeof *slot);
            slot->tid = tid;
            slot->epoch = s_suspension.epoch;
            dm_read_blocked_call(tid, slot);
            __atomic_store_n(&slot->state, DM_SLOT_SIGNALLED, __ATOMIC_RELEASE);
            send_signal(slot);
        }
        if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != DM_SLOT_PARKED) {
            scan->waiting++;
            scan->last_tid = tid;
        }
    }
    dm_task_list_close(&tasks);
}

/* Threads that ended while they were being signalled leave slots that nobody parks in. */
static void drop_unparked(void)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s_suspension.count; i++)
        kept += s_suspension.slots[i].state == DM_SLOT_PARKED;
    if (kept == s_suspension.count)
        return;
    /* A parked thread holds its slot's address, so slots do not move: mark the others free. */
    for (uint32_t i = 0; i < s_suspension.count; i++) {
        if (s_suspension.slots[i].state != DM_SLOT_PARKED)
            s_suspension.slots[i].state = DM_SLOT_FREE;
    }
}

static void resend(void)
{
    install_handler(&s_suspension.previous);
    __atomic_store_n(&s_suspension.resent, s_suspension.epoch, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < s_suspension.count; i++) {
        if (__atomic_load_n(&s_suspension.slots[i].state, __ATOMIC_ACQUIRE) == DM_SLOT_SIGNALLED)
            send_signal(&s_suspension.slots[i]);
    }
}

/* The main thread may have ended by pthread_exit(3) while others go on: it takes no signal any more. */
static bool only_zombies_wait(const struct scan *scan)
{
    return scan->waiting == 1 && dm_task_is_zombie(scan->last_tid);
}

int dm_suspend(uint32_t deadline_milliseconds, struct dm_suspend_failure *failure)
{
    int error = reserve();
    if (error < 0)
        return error;
    s_suspension.count = 0;
    s_suspension.epoch++;
    s_suspension.self.process = dm_getpid();
    s_suspension.self.thread = dm_gettid();
    s_suspension.self.user = dm_syscall0(__NR_getuid);
    dm_every_cpu(s_suspension.every_cpu);
    dm_forget_cpu_clocks();
    dm_exec_close();
    install_handler(&s_suspension.previous);

    int64_t start = now_nanoseconds();
    int64_t deadline = start + (int64_t)deadline_milliseconds * 1000000;
    int64_t next_resend = start + RESEND_NANOSECONDS;
    for (;;) {
        uint32_t parked = __atomic_load_n(&s_suspension.parked, __ATOMIC_ACQUIRE);
        struct scan scan;
        scan_threads(&scan);
        if (scan.waiting == 0 && !scan.full)
            break;
        bool zombie = only_zombies_wait(&scan);
        int64_t now = now_nanoseconds();
        if (scan.full || zombie || now >= deadline) {
            struct dm_thread_slot *slot = find_slot(scan.last_tid);
            *failure = (struct dm_suspend_failure){
                .tid = scan.last_tid, .zombie_leader = zombie, .call_number = slot != NULL ? slot->call_number : -1};
            drop_unparked();
            dm_resume();
            return scan.full ? -EAGAIN : -ETIMEDOUT;
        }
        if (now >= next_resend) {
            resend();
            next_resend = now + RESEND_NANOSECONDS;
        }
        struct timespec pause = {0, 1000000};
        dm_futex(&s_suspension.parked, FUTEX_WAIT_PRIVATE, parked, &pause);
    }
    drop_unparked();
    return 0;
}

struct dm_thread_slot *dm_suspended_slots(uint32_t *count)
{
    *count = s_suspension.count;
    return s_suspension.slots;
}

static void await_answers(void)
{
    for (uint32_t i = 0; i < s_suspension.count; i++) {
        while (__atomic_load_n(&s_suspension.slots[i].request, __ATOMIC_ACQUIRE) != 0) {
            /* Woken anew each time: a thread may have looked at its request right before it was set. */
            uint32_t parked = __atomic_load_n(&s_suspension.parked, __ATOMIC_ACQUIRE);
            dm_futex_bits(&s_suspension.released, FUTEX_WAKE_BITSET_PRIVATE, 0x7fffffff,
                          bit_of(&s_suspension.slots[i]));
            struct timespec pause = {0, 1000000};
            dm_futex(&s_suspension.parked, FUTEX_WAIT_PRIVATE, parked, &pause);
        }
    }
}

void dm_capture_pending(void)
{
    dm_search_pending(s_suspension.slots, s_suspension.count);
    await_answers();
}

void dm_close_in_program(uint32_t descriptor)
{
    for (uint32_t i = 0; i < s_suspension.count; i++) {
        struct dm_thread_slot *slot = &s_suspension.slots[i];
        if (slot->state != DM_SLOT_PARKED)
            continue;
        slot->argument = descriptor;
        __atomic_store_n(&slot->request, DM_REQUEST_CLOSE, __ATOMIC_RELEASE);
        break;
    }
    await_answers();
}

void dm_resume(void)
{
    dm_syscall4(__NR_rt_sigaction, DM_SUSPEND_SIGNAL, (int64_t)&s_suspension.previous, 0, KERNEL_SIGSET_BYTES);
    /* Slots are free for the next suspension only when their threads have left: the epoch tells. */
    for (uint32_t i = 0; i < s_suspension.count; i++)
        __atomic_store_n(&s_suspension.slots[i].state, DM_SLOT_FREE, __ATOMIC_RELEASE);
    __atomic_store_n(&s_suspension.released, s_suspension.epoch, __ATOMIC_RELEASE);
    dm_futex(&s_suspension.released, FUTEX_WAKE_PRIVATE, 0x7fffffff, NULL);
    dm_exec_open();
}

void dm_interrupt_own_thread(uint32_t tid)
{
    install_handler(&s_suspension.previous);
    queue_signal(dm_getpid(), tid, NULL);
}

void dm_own_thread_interrupted(void)
{
    dm_syscall4(__NR_rt_sigaction, DM_SUSPEND_SIGNAL, (int64_t)&s_suspension.previous, 0, KERNEL_SIGSET_BYTES);
}

int dm_is_suspended(void)
{
    return __atomic_load_n(&s_suspension.released, __ATOMIC_ACQUIRE) != s_suspension.epoch;
}

int dm_await_restored(uint32_t deadline_milliseconds)
{
    int64_t deadline = now_nanoseconds() + (int64_t)deadline_milliseconds * 1000000;
    for (;;) {
        uint32_t parked = __atomic_load_n(&s_suspension.parked, __ATOMIC_ACQUIRE);
        uint32_t missing = 0;
        for (uint32_t i = 0; i < s_suspension.count; i++) {
            const struct dm_thread_slot *slot = &s_suspension.slots[i];
            missing += slot->state != DM_SLOT_FREE && __atomic_load_n(&slot->restored, __ATOMIC_ACQUIRE) == 0;
        }
        if (missing == 0)
            return 0;
        if (now_nanoseconds() >= deadline)
            return -ETIMEDOUT;
        struct timespec pause = {0, 1000000};
        dm_futex(&s_suspension.parked, FUTEX_WAIT_PRIVATE, parked, &pause);
    }
}

void dm_restored_entry(uint64_t slot)
{
    dm_context_resume(&((struct dm_thread_slot *)slot)->context, 1);
}
