#define _GNU_SOURCE
#include "sem_undo.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/sem.h>
#include <time.h>
#include <ucontext.h>

#include "dm_embed.h"
#include "dm_syscall.h"
#include "suspend.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST_CALLS 256
#define MOST_OPERATIONS 16
#define KERNEL_MOST_OPERATIONS 500 /* SEMOPM */
#define KERNEL_SIGSET_BYTES 8

/* A call under way: from before the system call until it is counted. */
struct call {
    uint32_t tid;   /* atomic; 0: free */
    uint32_t count; /* atomic; 0: not filled yet, or counted */
    uint32_t done;  /* atomic; the kernel has done it */
    int32_t set;
    int64_t since;
    struct {
        uint16_t number;
        int16_t change;
    } operations[MOST_OPERATIONS];
};

static struct {
    uint32_t is_used;       /* atomic; else a child of fork(2) has nothing to forget, and copies no page for that */
    uint32_t is_incomplete; /* atomic: more than there is room for */
    uint32_t lock;          /* held with all signals blocked, so never while the threads stand still */
    uint32_t count;
    struct dm_sem_undo kept[DM_SEM_UNDO_MOST];
    struct call calls[MOST_CALLS];
} s_undo;

/* What goes into the environment of an executed program, in hexadecimal digits. */
struct inheritance {
    int32_t pid;
    uint32_t is_incomplete;
    struct dm_sem_undo kept[DM_SEM_UNDO_MOST];
};

enum { NAME_BYTES = sizeof DM_SEM_UNDO_VARIABLE - 1, HEAD_BYTES = offsetof(struct inheritance, kept) };

int64_t dm_sem_call(int64_t number, int64_t set, const void *operations, uint64_t count, const void *timeout,
                    uint32_t *done);
extern char dm_sem_call_returned[], dm_sem_call_noted[], dm_resume_call_end[];

void dm_sem_undo_begin(void)
{
    if (s_undo.is_used == 0)
        return;
    s_undo.count = 0;
    s_undo.lock = 0;
    s_undo.is_incomplete = 0;
    for (uint32_t i = 0; i < MOST_CALLS; i++)
        s_undo.calls[i].tid = s_undo.calls[i].count = 0;
    s_undo.is_used = 0;
}

static struct dm_sem_undo *find(struct dm_sem_undo *kept, uint32_t *count, int32_t set, int32_t number)
{
    struct dm_sem_undo *free = NULL;
    for (uint32_t i = 0; i < *count; i++) {
        if (kept[i].set == set && kept[i].number == number)
            return &kept[i];
        if (kept[i].adjustment == 0)
            free = &kept[i];
    }
    if (free == NULL && *count < DM_SEM_UNDO_MOST)
        free = &kept[(*count)++];
    if (free != NULL)
        *free = (struct dm_sem_undo){.set = set, .number = number};
    return free;
}

/* False when there is no room. */
static bool add(struct dm_sem_undo *kept, uint32_t *count, const struct call *call)
{
    bool is_complete = true;
    for (uint32_t i = 0; i < call->count; i++) {
        struct dm_sem_undo *undo = find(kept, count, call->set, call->operations[i].number);
        if (undo == NULL) {
            is_complete = false;
            continue;
        }
        if (undo->adjustment == 0)
            undo->since = call->since;
        undo->adjustment -= call->operations[i].change;
    }
    return is_complete;
}

static void incomplete(void)
{
    __atomic_store_n(&s_undo.is_used, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&s_undo.is_incomplete, 1, __ATOMIC_RELAXED);
}

static void count_call(struct call *call)
{
    const uint64_t all = ~0ull;
    uint64_t before;
    dm_syscall4(__NR_rt_sigprocmask, SIG_SETMASK, (int64_t)&all, (int64_t)&before, KERNEL_SIGSET_BYTES);
    while (__atomic_exchange_n(&s_undo.lock, 1, __ATOMIC_ACQUIRE) != 0)
        dm_syscall0(__NR_sched_yield);
    if (!add(s_undo.kept, &s_undo.count, call))
        incomplete();
    __atomic_store_n(&call->count, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&s_undo.lock, 0, __ATOMIC_RELEASE);
    dm_syscall4(__NR_rt_sigprocmask, SIG_SETMASK, (int64_t)&before, 0, KERNEL_SIGSET_BYTES);
}

static struct call *claim(void)
{
    uint32_t tid = (uint32_t)dm_gettid();
    __atomic_store_n(&s_undo.is_used, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < MOST_CALLS; i++) {
        uint32_t none = 0;
        if (__atomic_compare_exchange_n(&s_undo.calls[i].tid, &none, tid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return &s_undo.calls[i];
    }
    return NULL;
}

/* Seconds as the kernel notes them in sem_ctime: ktime_get_real_seconds. */
static int64_t second_now(void)
{
    struct timespec now = {0, 0};
    dm_syscall2(__NR_clock_gettime, CLOCK_REALTIME_COARSE, (int64_t)&now);
    return now.tv_sec;
}

static bool fill(struct call *call, int set, const struct sembuf *operations, size_t count)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if ((operations[i].sem_flg & SEM_UNDO) == 0 || operations[i].sem_op == 0)
            continue;
        if (kept == MOST_OPERATIONS)
            return false;
        call->operations[kept].number = operations[i].sem_num;
        call->operations[kept++].change = operations[i].sem_op;
    }
    call->set = set;
    call->since = second_now();
    __atomic_store_n(&call->done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&call->count, kept, __ATOMIC_RELEASE);
    return true;
}

/* In a child of vfork(2) the memory is the parent's, and what it would take back its own. */
static bool is_counted(const struct sembuf *operations, size_t count)
{
    bool undoes = false;
    if (operations == NULL || count > KERNEL_MOST_OPERATIONS)
        return false;
    for (size_t i = 0; i < count; i++)
        undoes |= (operations[i].sem_flg & SEM_UNDO) != 0;
    return undoes && dm_guest_owns_process();
}

static int perform(int64_t number, int set, struct sembuf *operations, size_t count, const struct timespec *timeout)
{
    int64_t error;
    struct call *call = is_counted(operations, count) ? claim() : NULL;
    if (call == NULL || !fill(call, set, operations, count)) {
        if (call != NULL || is_counted(operations, count))
            incomplete();
        error = dm_syscall4(number, set, (int64_t)operations, (int64_t)count, (int64_t)timeout);
    } else {
        error = dm_sem_call(number, set, operations, count, timeout, &call->done);
        if (error == 0)
            count_call(call);
    }
    if (call != NULL) {
        __atomic_store_n(&call->count, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&call->tid, 0, __ATOMIC_RELEASE);
    }
    if (error < 0)
        errno = (int)-error;
    return error < 0 ? -1 : 0;
}

EXPORT int semop(int set, struct sembuf *operations, size_t count)
{
    return perform(__NR_semop, set, operations, count, NULL);
}

EXPORT int semtimedop(int set, struct sembuf *operations, size_t count, const struct timespec *timeout)
{
    return perform(__NR_semtimedop, set, operations, count, timeout);
}

/* A call under way may or may not have been done when its thread ends by the execve(2) of another one. */
static bool is_calling(void)
{
    for (uint32_t i = 0; i < MOST_CALLS; i++) {
        if (__atomic_load_n(&s_undo.calls[i].count, __ATOMIC_ACQUIRE) != 0)
            return true;
    }
    return false;
}

char *dm_sem_undo_entry(void)
{
    static const char Digits[] = "0123456789abcdef";
    static char entry[NAME_BYTES + 2 * sizeof(struct inheritance) + 1] = DM_SEM_UNDO_VARIABLE;
    if (__atomic_load_n(&s_undo.is_used, __ATOMIC_ACQUIRE) == 0 || !dm_guest_owns_process())
        return NULL;
    const struct inheritance head = {.pid = (int32_t)dm_getpid(),
                                     .is_incomplete = s_undo.is_incomplete != 0 || is_calling()};
    bool is_any = head.is_incomplete != 0;
    size_t bytes = HEAD_BYTES + s_undo.count * sizeof s_undo.kept[0];
    for (uint32_t i = 0; i < s_undo.count; i++)
        is_any |= s_undo.kept[i].adjustment != 0;
    if (!is_any)
        return NULL;
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = i < HEAD_BYTES ? ((const uint8_t *)&head)[i] : ((const uint8_t *)s_undo.kept)[i - HEAD_BYTES];
        entry[NAME_BYTES + 2 * i] = Digits[byte >> 4];
        entry[NAME_BYTES + 2 * i + 1] = Digits[byte & 15];
    }
    entry[NAME_BYTES + 2 * bytes] = '\0';
    return entry;
}

static uint8_t digit(char hexadecimal)
{
    return (uint8_t)(hexadecimal <= '9' ? hexadecimal - '0' : hexadecimal - 'a' + 10);
}

void dm_sem_undo_take(const char *entry)
{
    struct inheritance inherited;
    const char *at = entry + NAME_BYTES;
    size_t bytes = 0;
    for (; bytes < sizeof inherited && at[0] != '\0' && at[1] != '\0'; at += 2)
        ((uint8_t *)&inherited)[bytes++] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
    if (bytes < HEAD_BYTES || inherited.pid != (int32_t)dm_getpid())
        return;
    s_undo.is_used = 1;
    s_undo.is_incomplete = inherited.is_incomplete;
    s_undo.count = (uint32_t)((bytes - HEAD_BYTES) / sizeof inherited.kept[0]);
    for (uint32_t i = 0; i < s_undo.count; i++)
        s_undo.kept[i] = inherited.kept[i];
}

static bool is_between(uint64_t address, const char *start, const char *end)
{
    return address >= (uint64_t)start && address < (uint64_t)end;
}

/* The kernel has done it, and the thread was stopped before it could say so. */
static bool has_just_returned(uint32_t tid)
{
    uint32_t count;
    const struct dm_thread_slot *slots = dm_suspended_slots(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i].tid != tid || slots[i].state != DM_SLOT_PARKED)
            continue;
        const greg_t *registers = ((const ucontext_t *)slots[i].user_context)->uc_mcontext.gregs;
        uint64_t at = (uint64_t)registers[REG_RIP];
        return registers[REG_RAX] == 0 && (is_between(at, dm_sem_call_returned, dm_sem_call_noted) ||
                                           is_between(at, dm_resume_call_after, dm_resume_call_end));
    }
    return false;
}

int32_t dm_sem_undo_list(struct dm_sem_undo *undo)
{
    uint32_t count = s_undo.count, listed = 0;
    bool is_complete = __atomic_load_n(&s_undo.is_incomplete, __ATOMIC_RELAXED) == 0;
    for (uint32_t i = 0; i < count; i++)
        undo[i] = s_undo.kept[i];
    for (uint32_t i = 0; i < MOST_CALLS; i++) {
        const struct call *call = &s_undo.calls[i];
        if (call->tid != 0 && call->count != 0 && (call->done != 0 || has_just_returned(call->tid)))
            is_complete &= add(undo, &count, call);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (undo[i].adjustment != 0)
            undo[listed++] = undo[i];
    }
    return is_complete ? (int32_t)listed : -EOVERFLOW;
}

void dm_sem_undo_since(int64_t second)
{
    for (uint32_t i = 0; i < s_undo.count; i++)
        s_undo.kept[i].since = second;
    for (uint32_t i = 0; i < MOST_CALLS; i++)
        s_undo.calls[i].since = second;
}
