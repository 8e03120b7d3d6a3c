/* World: Bare. */
#include <asm/errno.h>
#include <linux/futex.h>
#include <linux/wait.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "numbers.h"
#include "run.h"

#define WAIT_STEP_NS 100000000ll
/* No phase takes long: each is a few system calls of each process. */
#define WAIT_STEPS 600

void dm_board_tell(struct dm_board *board)
{
    __atomic_add_fetch(&board->change, 1, __ATOMIC_SEQ_CST);
    (void)dm_futex(&board->change, FUTEX_WAKE, 0x7fffffff, 0);
}

int dm_board_fail_first(struct dm_board *board)
{
    uint32_t was = __atomic_exchange_n(&board->failed, 1, __ATOMIC_SEQ_CST);
    dm_board_tell(board);
    return was == 0;
}

void dm_board_fail(struct dm_board *board)
{
    (void)dm_board_fail_first(board);
}

int dm_board_failed(const struct dm_board *board)
{
    return __atomic_load_n(&board->failed, __ATOMIC_SEQ_CST) != 0;
}

int dm_is_told_to_end(void)
{
    const uint64_t wanted =
        dm_signal_bit(DM_SIGHUP) | dm_signal_bit(DM_SIGINT) | dm_signal_bit(DM_SIGQUIT) | dm_signal_bit(DM_SIGTERM);
    uint64_t pending = 0;
    (void)dm_syscall2(__NR_rt_sigpending, (int64_t)&pending, sizeof pending);
    return (pending & wanted) != 0;
}

int dm_board_is_over(struct dm_board *board, int error_fd)
{
    if (dm_board_failed(board))
        return 1;
    if (!dm_is_told_to_end())
        return 0;
    if (dm_board_fail_first(board))
        dm_say(error_fd, "interrupted. Nothing was restarted.");
    return 1;
}

static int child_has_ended(void)
{
    struct dm_siginfo info;
    memset(&info, 0, sizeof info);
    int64_t error = dm_syscall5(__NR_waitid, P_ALL, 0, (int64_t)&info, WEXITED | WNOHANG | WNOWAIT, 0);
    return error == 0 && info.pid != 0;
}

static uint32_t participants(const struct dm_run *run)
{
    return run->plan->node_count + ((run->plan->flags & DM_PLAN_POD) != 0 ? run->plan->pod_count : 1);
}

void dm_board_pass_ahead(const struct dm_run *run, enum dm_phase phase)
{
    if (__atomic_add_fetch(&run->board->arrived[phase], 1, __ATOMIC_SEQ_CST) == participants(run))
        dm_board_tell(run->board);
}

int dm_board_pass(const struct dm_run *run, enum dm_phase phase)
{
    struct dm_board *board = run->board;
    const uint32_t needed = participants(run);
    const struct dm_timespec step = {0, WAIT_STEP_NS};
    dm_board_pass_ahead(run, phase);
    int32_t counted = board->last_number;
    for (int steps = 0;;) {
        uint32_t change = __atomic_load_n(&board->change, __ATOMIC_SEQ_CST);
        if (dm_board_failed(board))
            return -1;
        if (__atomic_load_n(&board->arrived[phase], __ATOMIC_SEQ_CST) >= needed)
            return 0;
        if (dm_futex(&board->change, FUTEX_WAIT, change, &step) != -ETIMEDOUT)
            continue;
        if (phase < DM_PHASE_MOVED && child_has_ended()) {
            if (dm_board_fail_first(board))
                dm_say(run->error_fd, "a process of the new tree ended too early. Nothing was restarted.");
            return -1;
        }
        /* Counting takes its time. */
        if (dm_numbers_are_counted(board) && dm_board_is_over(board, run->error_fd))
            return -1;
        steps = counted == __atomic_load_n(&board->last_number, __ATOMIC_SEQ_CST) ? steps + 1 : 0;
        counted = board->last_number;
        if (steps >= WAIT_STEPS) {
            if (dm_board_fail_first(board))
                dm_say(run->error_fd, "the new processes did not get ready in a minute. Nothing was restarted.");
            return -1;
        }
    }
}
