/* The threads of a member, and the last step into its program. World: Bare, in the region. */
#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "numbers.h"
#include "wake.h"

#define ARCH_SET_FS 0x1002

int64_t dm_clone_thread(struct clone_args *arguments, uint64_t bytes, void (*function)(struct dm_wake_thread *),
                        struct dm_wake_thread *argument);

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS)

/* The same with clone(2), whose number the kernel chooses: containers may forbid clone3. */
int64_t dm_clone_thread_anyhow(uint64_t flags, uint64_t stack_top, void *child_tid, uint64_t tls,
                               void (*function)(struct dm_wake_thread *), struct dm_wake_thread *argument);

/* `tid` 0: the kernel chooses. */
static int64_t start_thread(struct dm_wake *wake, uint64_t index, int32_t tid, uint64_t fs_base, uint64_t more_flags,
                            void (*function)(struct dm_wake_thread *))
{
    struct dm_wake_thread *argument = &wake->thread_arguments[index];
    struct clone_args arguments;
    uint64_t stack = wake->stacks + index * DM_THREAD_STACK_BYTES;
    if (tid == 0)
        return dm_clone_thread_anyhow(THREAD_FLAGS | more_flags, stack + DM_THREAD_STACK_BYTES, &argument->tid, fs_base,
                                      function, argument);
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = THREAD_FLAGS | more_flags;
    arguments.stack = stack;
    arguments.stack_size = DM_THREAD_STACK_BYTES;
    arguments.tls = fs_base;
    arguments.child_tid = (uint64_t)&argument->tid;
    arguments.set_tid = (uint64_t)&tid;
    arguments.set_tid_size = 1;
    int64_t result;
    unsigned tries = 0;
    do
        result = dm_clone_thread(&arguments, sizeof arguments, function, argument);
    while (dm_number_may_become_free(result, &tries));
    return result;
}

static void wait_for_end(uint32_t *tid)
{
    for (uint32_t value; (value = __atomic_load_n(tid, __ATOMIC_SEQ_CST)) != 0;)
        (void)dm_futex(tid, FUTEX_WAIT, value, 0);
}

static void help(struct dm_wake_thread *self)
{
    dm_wake_read(self->wake, self->helper);
    dm_exit_thread(0);
}

void dm_wake_read_together(struct dm_wake *wake)
{
    uint64_t first = wake->header->thread_count;
    for (uint32_t i = 1; i < wake->readers; i++) {
        struct dm_wake_thread *helper = &wake->thread_arguments[first + i];
        *helper = (struct dm_wake_thread){.wake = wake, .helper = i, .tid = 1};
        /* Without helpers it only takes longer. */
        int32_t tid = dm_numbers_are_counted(wake->board) ? 0 : wake->spare_tid + (int32_t)i;
        if (start_thread(wake, first + i, tid, 0, CLONE_CHILD_CLEARTID, help) < 0)
            helper->tid = 0;
    }
    dm_wake_read(wake, 0);
    for (uint32_t i = 1; i < wake->readers; i++)
        wait_for_end(&wake->thread_arguments[first + i].tid);
}

static int64_t set_capabilities(uint32_t low, uint32_t high)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
    return dm_syscall2(__NR_capset, (int64_t)&header, (int64_t)data);
}

/* What the thread makes is the program's, and whoever it connects to sees the program's user; but it may do what root may. */
static int64_t become_user_with_rights(uint32_t uid)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct now[2];
    int64_t error = dm_syscall2(__NR_capget, (int64_t)&header, (int64_t)now);
    /* The saved user 0 keeps what is permitted: capabilities(7). */
    if (error == 0)
        error = dm_syscall3(__NR_setresuid, uid, uid, 0);
    return error == 0 ? set_capabilities(now[0].permitted, now[1].permitted) : error;
}

/* Credentials belong to threads, credentials(7): every thread does this for itself. */
static int64_t become_user(const struct dm_wake_identity *identity, uint32_t flags)
{
    int64_t error = 0;
    if (identity->set_ids) {
        error = dm_syscall2(__NR_setgroups, identity->group_count, (int64_t)identity->groups);
        /* In a rootless container setgroups(2) may be forbidden; who stays the same user has the right groups anyway. */
        if (error == -EPERM && identity->uid == (uint32_t)dm_syscall0(__NR_geteuid) &&
            identity->gid == (uint32_t)dm_syscall0(__NR_getegid))
            error = 0;
        if (error == 0)
            error = dm_syscall3(__NR_setresgid, identity->gid, identity->gid, identity->gid);
        if (error == 0 && identity->uid != 0)
            error = identity->keeps_rights ? become_user_with_rights(identity->uid)
                                           : dm_syscall3(__NR_setresuid, identity->uid, identity->uid, identity->uid);
    }
    /* libdormouse's own thread drops them when the process has its resources back. */
    if (error == 0 && identity->drop_capabilities && (flags & DM_THREAD_CHECKPOINT) == 0)
        error = set_capabilities(0, 0);
    /* Changing the user makes a process undumpable, and so its /proc/self the root's. */
    (void)dm_syscall5(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
    return error;
}

static void enter_program(struct dm_wake *wake, const struct dm_image_thread *record)
{
    void (*entry)(uint64_t) = (void (*)(uint64_t))wake->header->restored_entry;
    int64_t error = become_user(&wake->identity, record->flags);
    if (error < 0)
        dm_wake_fail(wake, "it cannot become the user that it was", "", error);
    entry(record->slot);
    dm_wake_fail(wake, "a thread came back from the restored program", "", 0);
}

static void run_thread(struct dm_wake_thread *self)
{
    if (dm_gettid() != (int64_t)self->record->tid)
        dm_exit_thread(0);
    while (__atomic_load_n(&self->wake->go, __ATOMIC_SEQ_CST) == 0)
        (void)dm_futex(&self->wake->go, FUTEX_WAIT, 0, 0);
    enter_program(self->wake, self->record);
}

static uint64_t thread_with(const struct dm_wake *wake, int32_t tid)
{
    for (uint64_t i = 0; i < wake->header->thread_count; i++)
        if ((int32_t)wake->threads[i].tid == tid)
            return i;
    return 0;
}

/* All of them, in the order in which their numbers come; for numbers.h. */
static void start_counted(struct dm_wake *wake)
{
    int32_t turn = dm_numbers_of_threads(wake->board) < 0 ? DM_TURN_FAILED : 0;
    while (turn >= 0) {
        turn = dm_numbers_turn(wake->board, wake->error_fd, wake->index, DM_NUMBER_THREAD);
        if (turn < 0 || dm_numbers_count(wake->board, wake->error_fd, turn) < 0)
            continue;
        int32_t wanted = dm_number_at(wake->board, turn)->number;
        uint64_t index = thread_with(wake, wanted);
        struct dm_wake_thread *argument = &wake->thread_arguments[index];
        const struct dm_image_thread *record = &wake->threads[index];
        *argument = (struct dm_wake_thread){.wake = wake, .record = record, .tid = 1};
        int64_t tid = start_thread(wake, index, 0, record->fs_base, CLONE_CHILD_CLEARTID, run_thread);
        dm_numbers_made(wake->board, turn, tid);
        if (tid < 0)
            dm_wake_fail(wake, "cannot make a thread", "", tid);
        if (tid != wanted)
            wait_for_end(&argument->tid);
    }
    if (turn != DM_TURN_NONE)
        dm_exit_process(1);
}

static const struct dm_image_thread *start_others(struct dm_wake *wake)
{
    const int are_counted = dm_numbers_are_counted(wake->board);
    if (are_counted)
        start_counted(wake);
    const struct dm_image_thread *leader = 0;
    for (uint64_t i = 0; i < wake->header->thread_count; i++) {
        const struct dm_image_thread *record = &wake->threads[i];
        if ((record->flags & DM_THREAD_LEADER) != 0) {
            leader = record;
            continue;
        }
        if (are_counted)
            continue;
        wake->thread_arguments[i] = (struct dm_wake_thread){.wake = wake, .record = record};
        int64_t tid = start_thread(wake, i, (int32_t)record->tid, record->fs_base, 0, run_thread);
        if (tid != (int32_t)record->tid) {
            char number[32];
            dm_format(number, sizeof number, "%d", (int32_t)record->tid);
            dm_wake_fail(wake,
                         tid == -EEXIST ? "another process has the number of its thread " : "cannot make its thread ",
                         number, tid == -EEXIST ? 0 : tid);
        }
    }
    if (leader == 0)
        dm_wake_fail(wake, "it has no leading thread", "", 0);
    return leader;
}

/* Children that have ended before now are not news to the program; they are waiting as it knows them. */
static void forget_child_signals(void)
{
    const uint64_t child = dm_signal_bit(DM_SIGCHLD);
    const struct dm_timespec now = {0, 0};
    while (dm_syscall4(__NR_rt_sigtimedwait, (int64_t)&child, 0, (int64_t)&now, sizeof child) > 0)
        continue;
}

_Noreturn void dm_wake_threads(struct dm_wake *wake)
{
    (void)dm_syscall3(__NR_setpriority, 0 /* PRIO_PROCESS */, 0, wake->nice);
    (void)dm_syscall5(__NR_prctl, PR_SET_NAME, (int64_t)wake->program, 0, 0, 0);
    const struct dm_image_thread *leader = start_others(wake);
    forget_child_signals();
    (void)dm_syscall2(__NR_arch_prctl, ARCH_SET_FS, (int64_t)leader->fs_base);
    __atomic_store_n(&wake->board_node->jumped, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&wake->board->jumped, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&wake->go, 1, __ATOMIC_SEQ_CST);
    (void)dm_futex(&wake->go, FUTEX_WAKE, 0x7fffffff, 0);
    enter_program(wake, leader);
    dm_exit_process(1);
}
