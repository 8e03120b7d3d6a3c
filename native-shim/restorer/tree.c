/* World: Bare. */
#include "tree.h"

#include <asm/errno.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/wait.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "member.h"
#include "numbers.h"

static _Noreturn void give_up(const struct dm_run *run)
{
    dm_board_fail(run->board);
    dm_exit_process(1);
}

static void report(const struct dm_run *run, enum dm_report_type type, int32_t node, int32_t status)
{
    struct dm_report message = {type, node, status};
    /* Shorter than PIPE_BUF, so never torn. Nobody listens any more when the supervisor has ended. */
    (void)dm_write(run->report_write, &message, sizeof message);
}

static int32_t node_of(const struct dm_run *run, int32_t pid)
{
    for (uint32_t i = 0; i < run->plan->node_count; i++)
        if (run->nodes[i].pid == pid && run->nodes[i].pod == run->pod && run->board->node[i].alive != 0 &&
            run->board->node[i].ended == 0)
            return (int32_t)i;
    return -1;
}

static void note_end(const struct dm_run *run, int32_t node, int32_t status)
{
    struct dm_board_node *entry = &run->board->node[node];
    entry->status = status;
    entry->ended = 1;
    if (run->nodes[node].kind == DM_NODE_MEMBER && entry->jumped == 0 && dm_board_fail_first(run->board))
        dm_say(run->error_fd, "%s (pid %d) ended while it was being restored.",
               dm_string(run, run->nodes[node].program), run->nodes[node].pid);
    if ((run->nodes[node].flags & DM_NODE_ROOT) == 0)
        return;
    __atomic_sub_fetch(&run->board->roots_left, 1, __ATOMIC_SEQ_CST);
    report(run, DM_REPORT_ENDED, node, status);
}

int dm_tree_reap(const struct dm_run *run)
{
    for (;;) {
        int32_t status = 0;
        int64_t pid = dm_wait(-1, &status, WNOHANG | WUNTRACED);
        if (pid == 0)
            return 1;
        if (pid < 0)
            return 0;
        int32_t node = node_of(run, (int32_t)pid);
        if (node < 0)
            continue;
        if ((status & 0xff) != 0x7f)
            note_end(run, node, status);
        else if ((run->nodes[node].flags & DM_NODE_ROOT) != 0)
            report(run, DM_REPORT_STOPPED, node, status);
    }
}

/* Stays a parent until the last child has ended. */
static _Noreturn void stand_in(const struct dm_run *run)
{
    const uint64_t wanted = dm_signal_bit(DM_SIGCHLD);
    while (dm_tree_reap(run) != 0)
        (void)dm_syscall4(__NR_rt_sigtimedwait, (int64_t)&wanted, 0, 0, sizeof wanted);
    dm_exit_process(0);
}

static _Noreturn void end_as(int32_t wait_status)
{
    int signal = wait_status & 0x7f;
    if (signal != 0) {
        const uint64_t none[2] = {0, 0};
        (void)dm_syscall4(__NR_prlimit64, 0, RLIMIT_CORE, (int64_t)none, 0);
        (void)dm_kill((int)dm_getpid(), signal);
        dm_signal_mask(DM_SIG_UNBLOCK, dm_signal_bit(signal));
    }
    dm_exit_process((wait_status >> 8) & 0xff);
}

static void join_group(const struct dm_run *run, const struct dm_plan_node *node, int32_t group)
{
    int64_t error = dm_syscall2(__NR_setpgid, 0, group);
    if (error < 0 && dm_board_fail_first(run->board))
        dm_say(run->error_fd, "cannot put %s (pid %d) into process group %d: %e. Nothing was restarted.",
               dm_string(run, node->program), node->pid, node->pgid, error);
}

static void pass(const struct dm_run *run, enum dm_phase phase)
{
    if (dm_board_pass(run, phase) < 0)
        dm_exit_process(1);
}

static void check_place(const struct dm_run *run, const struct dm_plan_node *node)
{
    int32_t ppid = (int32_t)dm_syscall0(__NR_getppid);
    int32_t pgid = (int32_t)dm_syscall1(__NR_getpgid, 0);
    int32_t sid = (int32_t)dm_syscall1(__NR_getsid, 0);
    if (((node->flags & DM_NODE_CHECK_PARENT) != 0 && ppid != node->ppid) ||
        ((node->flags & DM_NODE_CHECK_GROUP) != 0 && pgid != node->pgid) ||
        ((node->flags & DM_NODE_CHECK_SESSION) != 0 && sid != node->sid)) {
        if (dm_board_fail_first(run->board))
            dm_say(run->error_fd,
                   "%s (pid %d) has parent %d, group %d, session %d instead of %d, %d, %d. Nothing was restarted.",
                   dm_string(run, node->program), node->pid, ppid, pgid, sid, node->ppid, node->pgid, node->sid);
        dm_exit_process(1);
    }
}

static _Noreturn void live(struct dm_run *run, int32_t index)
{
    const struct dm_plan_node *node = &run->nodes[index];
    run->board->node[index].alive = 1;
    dm_numbers_end(run);
    if ((node->flags & DM_NODE_SUBREAPER) != 0)
        (void)dm_syscall5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (dm_tree_grow(run, index, node->pod, 1) < 0)
        give_up(run);
    if ((node->flags & DM_NODE_SETSID) != 0) {
        int64_t error = dm_syscall0(__NR_setsid);
        if (error < 0) {
            dm_say(run->error_fd, "cannot make session %d: %e. Nothing was restarted.", node->pid, error);
            give_up(run);
        }
    }
    if (dm_tree_grow(run, index, node->pod, 0) < 0)
        give_up(run);
    pass(run, DM_PHASE_CREATED);
    if ((node->flags & DM_NODE_MAKES_GROUP) != 0)
        join_group(run, node, 0);
    pass(run, DM_PHASE_GROUPS_MADE);
    if ((node->flags & DM_NODE_JOINS_GROUP) != 0)
        join_group(run, node, node->pgid);
    pass(run, DM_PHASE_JOINED);
    if ((node->flags & DM_NODE_MOVES_GROUP) != 0)
        join_group(run, node, node->pgid);
    pass(run, DM_PHASE_MOVED);
    if (dm_tree_settle(run, index, node->pod) < 0)
        give_up(run);
    if (node->kind == DM_NODE_TRANSIENT || node->kind == DM_NODE_ZOMBIE) {
        dm_board_pass_ahead(run, DM_PHASE_SETTLED);
        dm_board_pass_ahead(run, DM_PHASE_CHECKED);
        end_as(node->kind == DM_NODE_ZOMBIE ? node->wait_status : 0);
    }
    pass(run, DM_PHASE_SETTLED);
    check_place(run, node);
    pass(run, DM_PHASE_CHECKED);
    if (node->kind == DM_NODE_STANDIN)
        stand_in(run);
    dm_member_wake(run, index);
}

/* In the intermediate: its child goes to the next subreaper when it ends. */
static _Noreturn void fork_and_end(struct dm_run *run, int32_t index)
{
    int64_t child = dm_fork(run->nodes[index].pid);
    if (child == 0)
        live(run, index);
    dm_exit_process(child < 0 ? (int)-child : 0);
}

/* When the number is missed, that is no error: the turn comes again. */
static int64_t fork_counted(struct dm_run *run, int32_t index)
{
    if (dm_numbers_count(run->board, run->error_fd, index) < 0)
        return 0;
    int64_t child = dm_fork(0);
    if (child == 0 && dm_getpid() == run->nodes[index].pid)
        live(run, index);
    if (child == 0)
        dm_exit_process(0);
    dm_numbers_made(run->board, index, child);
    if (child > 0 && child != run->nodes[index].pid)
        (void)dm_wait((int)child, 0, 0);
    return child < 0 ? child : 0;
}

static int64_t create_counted(struct dm_run *run, int32_t index)
{
    if ((run->nodes[index].flags & DM_NODE_VIA_INTERMEDIATE) == 0)
        return fork_counted(run, index);
    int64_t intermediate = dm_fork(0);
    if (intermediate == 0)
        dm_exit_process((int)-fork_counted(run, index));
    int32_t status = 0;
    if (intermediate > 0)
        (void)dm_wait((int)intermediate, &status, 0);
    return intermediate < 0 ? intermediate : -((status >> 8) & 0xff);
}

static int cannot_make(const struct dm_run *run, const struct dm_plan_node *node, int64_t error)
{
    if (dm_board_fail_first(run->board)) {
        if (error == -EEXIST)
            dm_say(run->error_fd, "cannot wake %s as pid %d: another process has that number. Try again with --pod.",
                   dm_string(run, node->program), node->pid);
        else
            dm_say(run->error_fd, "cannot make process %d (%s): %e. Nothing was restarted.", node->pid,
                   dm_string(run, node->program), error);
    }
    return -1;
}

static int grow_counted(struct dm_run *run, int32_t creator, int before_setsid)
{
    for (;;) {
        int32_t index =
            dm_numbers_turn(run->board, run->error_fd, creator, before_setsid ? DM_NUMBER_EARLY : DM_NUMBER_LATE);
        if (index < 0)
            return index == DM_TURN_NONE ? 0 : -1;
        int64_t error = create_counted(run, index);
        if (dm_is_error(error))
            return cannot_make(run, &run->nodes[index], error);
    }
}

static int64_t create(struct dm_run *run, int32_t index)
{
    const struct dm_plan_node *node = &run->nodes[index];
    if ((node->flags & DM_NODE_VIA_INTERMEDIATE) == 0) {
        int64_t child = dm_fork(node->pid);
        if (child == 0)
            live(run, index);
        return child;
    }
    int64_t intermediate = dm_fork(node->spare_tid);
    if (intermediate == 0)
        fork_and_end(run, index);
    if (intermediate < 0)
        return intermediate;
    int32_t status = 0;
    (void)dm_wait((int)intermediate, &status, 0);
    return status == 0 ? 0 : -((status >> 8) & 0xff);
}

int dm_tree_grow(struct dm_run *run, int32_t creator, int32_t pod, int before_setsid)
{
    if (dm_numbers_are_counted(run->board))
        return grow_counted(run, creator, before_setsid);
    for (uint32_t i = 0; i < run->plan->node_count; i++) {
        const struct dm_plan_node *node = &run->nodes[i];
        if (node->creator != creator || node->pod != pod ||
            ((node->flags & DM_NODE_BEFORE_SETSID) != 0) != before_setsid)
            continue;
        int64_t error;
        unsigned tries = 0;
        do
            error = create(run, (int32_t)i);
        while (dm_number_may_become_free(error, &tries));
        if (dm_is_error(error))
            return cannot_make(run, node, error);
    }
    return 0;
}

int dm_tree_settle(const struct dm_run *run, int32_t creator, int32_t pod)
{
    for (uint32_t i = 0; i < run->plan->node_count; i++) {
        const struct dm_plan_node *node = &run->nodes[i];
        if (node->creator != creator || node->pod != pod)
            continue;
        struct dm_siginfo info;
        int64_t error = 0;
        if (node->kind == DM_NODE_TRANSIENT)
            error = dm_wait(node->pid, 0, 0);
        else if (node->kind == DM_NODE_ZOMBIE && (node->flags & DM_NODE_VIA_INTERMEDIATE) == 0)
            error = dm_syscall5(__NR_waitid, P_PID, node->pid, (int64_t)&info, WEXITED | WNOWAIT, 0);
        if (error < 0) {
            if (dm_board_fail_first(run->board))
                dm_say(run->error_fd, "process %d did not end as planned: %e. Nothing was restarted.", node->pid,
                       error);
            return -1;
        }
    }
    return 0;
}
