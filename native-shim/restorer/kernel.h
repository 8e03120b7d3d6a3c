/* Structs of the kernel that its own headers do not give to programs without a
 * libc, and typed system calls of the restorer. World: Bare.
 */
#ifndef DM_KERNEL_H
#define DM_KERNEL_H

#include <linux/sched.h>
#include <stdint.h>

#include "base.h"
#include "dm_syscall.h"

struct dm_timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

/* siginfo_t as waitid(2) fills it; 128 bytes. include/uapi/asm-generic/siginfo.h */
struct dm_siginfo {
    int32_t signo, error, code, pad;
    int32_t pid;
    uint32_t uid;
    int32_t status;
    uint32_t rest[25];
};
_Static_assert(sizeof(struct dm_siginfo) == 128, "siginfo");

/* Values of si_code for SIGCHLD, include/uapi/asm-generic/siginfo.h. */
enum { DM_CLD_EXITED = 1, DM_CLD_KILLED = 2, DM_CLD_DUMPED = 3, DM_CLD_STOPPED = 5, DM_CLD_CONTINUED = 6 };
enum { DM_SI_USER = 0, DM_SI_KERNEL = 0x80 };

/* Signal numbers of x86-64, signal(7). */
enum {
    DM_SIGHUP = 1,
    DM_SIGINT = 2,
    DM_SIGQUIT = 3,
    DM_SIGKILL = 9,
    DM_SIGTERM = 15,
    DM_SIGCHLD = 17,
    DM_SIGCONT = 18,
    DM_SIGSTOP = 19,
    DM_SIGTSTP = 20,
    DM_SIGTTIN = 21,
    DM_SIGTTOU = 22,
    DM_SIGWINCH = 28,
    DM_SIGNALS = 64,
};

enum { DM_SIG_BLOCK = 0, DM_SIG_UNBLOCK = 1, DM_SIG_SETMASK = 2 };

static inline void dm_signal_mask(int how, uint64_t mask)
{
    (void)dm_syscall4(__NR_rt_sigprocmask, how, (int64_t)&mask, 0, sizeof mask);
}

static inline uint64_t dm_signal_bit(int signal)
{
    return 1ull << (signal - 1);
}

static inline int64_t dm_kill(int pid, int signal)
{
    return dm_syscall2(__NR_kill, pid, signal);
}

/* fork(2), with an exact number when pid is not 0. Returns as fork does. */
static inline int64_t dm_fork(int32_t pid)
{
    int32_t wanted = pid;
    struct clone_args arguments;
    /* Containers may forbid clone3. */
    if (pid == 0)
        return dm_syscall5(__NR_clone, DM_SIGCHLD, 0, 0, 0, 0);
    memset(&arguments, 0, sizeof arguments);
    arguments.exit_signal = DM_SIGCHLD;
    arguments.set_tid = (uint64_t)&wanted;
    arguments.set_tid_size = 1;
    return dm_syscall2(__NR_clone3, (int64_t)&arguments, sizeof arguments);
}

/* A number may be held for a moment by who is just ending, or by the process group of one whose new parent takes its time (the
 * first process of some containers looks once a second): 1 when it is worth another try, after a nap. `tries` counts them, from 0. */
static inline int dm_number_may_become_free(int64_t error, unsigned *tries)
{
    enum { MOST_NAPS = 1000 };
    const int64_t nap[2] = {0, 5000000}; /* struct timespec */
    if (error != -17 /* EEXIST */ || (*tries)++ == MOST_NAPS)
        return 0;
    (void)dm_syscall2(__NR_nanosleep, (int64_t)nap, 0);
    return 1;
}

/* wait4(2): returns the pid, 0 or -errno; repeats after EINTR. */
static inline int64_t dm_wait(int pid, int32_t *status, int options)
{
    int64_t result;
    do
        result = dm_syscall4(__NR_wait4, pid, (int64_t)status, options, 0);
    while (result == -4 /* EINTR */);
    return result;
}

#endif
