/* dormouse-restorer PLAN-DESCRIPTOR | --probe [DESCRIPTOR]. World: Bare.
 *
 * Executed by dmrestart in its own place: it has its process id, terminal and
 * standard streams. See plan.h, run.h, supervise.h, in this order.
 */
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "pod.h"
#include "run.h"
#include "supervise.h"

/* Three streams, the image, three of init.c, plan and board. */
#define RESERVED_DESCRIPTORS 16
#define AGAIN_DESCRIPTOR 10

/* High numbers may be above the soft limit; root, or who has CAP_SYS_RESOURCE, may go above the hard one, too. */
static void raise_limit(struct dm_run *run)
{
    const uint64_t needed = (uint64_t)run->plan->high_fd + RESERVED_DESCRIPTORS;
    (void)dm_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (int64_t)&run->descriptors);
    const struct dm_limit higher = {needed, run->descriptors.hard};
    const struct dm_limit highest = {needed, needed};
    if (run->descriptors.soft < needed && dm_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, (int64_t)&higher, 0) < 0)
        (void)dm_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, (int64_t)&highest, 0);
}

static void prepare_descriptors(struct dm_run *run)
{
    int pipe[2];
    int64_t error = 0;
    raise_limit(run);
    for (int fd = 0; fd < 3; fd++)
        if (dm_syscall3(__NR_fcntl, fd, F_GETFD, 0) >= 0 && error >= 0)
            error = dm_syscall3(__NR_dup3, fd, run->plan->high_fd + fd, 0);
    if (error >= 0)
        error = dm_syscall2(__NR_pipe2, (int64_t)pipe, O_CLOEXEC | O_NONBLOCK);
    if (error < 0)
        dm_refuse("no descriptor is left", error);
    run->report_read = pipe[0];
    run->report_write = pipe[1];
    run->terminal_fd = -1;
    if ((run->plan->flags & DM_PLAN_TERMINAL) != 0)
        run->terminal_fd = (int)dm_openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY, 0);
}

/* Numbers above those of the members' streams, which program_file.c passes on. */
static void keep_for_again(struct dm_run *run, int plan_fd)
{
    run->plan_fd = run->plan->high_fd + AGAIN_DESCRIPTOR;
    int64_t error = dm_syscall3(__NR_dup3, plan_fd, run->plan_fd, 0);
    if (error >= 0)
        error = dm_syscall3(__NR_dup3, run->board_fd, run->plan_fd + 1, 0);
    if (error < 0)
        dm_refuse("no descriptor is left", error);
    (void)dm_close(plan_fd);
    (void)dm_close(run->board_fd);
    run->board_fd = run->plan_fd + 1;
}

/* All signals stay blocked for ever and are read from descriptors; members get their masks back from libdormouse.
 * Ignored signals would stay ignored in the restored programs. */
static void prepare_signals(void)
{
    const struct {
        uint64_t handler, flags, restorer, mask;
    } by_default = {0, 0, 0, 0};
    dm_signal_mask(DM_SIG_SETMASK, ~0ull);
    for (int signal = 1; signal <= DM_SIGNALS; signal++)
        (void)dm_syscall4(__NR_rt_sigaction, signal, (int64_t)&by_default, 0, 8);
}

static int read_number(const char *text)
{
    int number = dm_take_decimal(&text);
    return *text == 0 ? number : -1;
}

__attribute__((visibility("hidden"))) _Noreturn void dm_main(const uint64_t *stack)
{
    const uint64_t argument_count = stack[0];
    const char *argument = argument_count >= 2 ? (const char *)stack[2] : "";
    prepare_signals();
    if (dm_equal(argument, "--probe"))
        dm_exit_process(dm_probe(argument_count == 3 ? read_number((const char *)stack[3]) : 1));
    int fd = read_number(argument);
    if (argument_count != 2 || fd < 0) {
        dm_say(2, "dormouse-restorer is a part of dmrestart and is not for use by hand.");
        dm_exit_process(DM_EXIT_NOT_RESTARTED);
    }

    struct dm_run run;
    memset(&run, 0, sizeof run);
    dm_run_read_plan(&run, fd);
    dm_run_make_board(&run);
    dm_run_find_kernel_parts(&run);
    prepare_descriptors(&run);
    if ((run.plan->flags & DM_PLAN_COUNT) != 0)
        keep_for_again(&run, fd);
    else
        (void)dm_close(fd);
    (void)dm_syscall5(__NR_prctl, PR_SET_NAME, (int64_t) "dmrestart", 0, 0, 0);
    dm_supervise(&run);
}
