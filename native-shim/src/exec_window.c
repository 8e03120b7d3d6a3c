/* Keeps exec(2) and the suspension's signal apart. World: the program's own (enter, leave), Frozen (the rest).
 *
 * A suspension and an execve(2) of the same process make each other begin anew: the one finds its threads gone, the other is
 * interrupted. So who starts a program says so before, and a suspension says so before it sends the first signal; each then looks
 * whether the other was first. The suspension waits for an exec: it ends with the process, or fails.
 *
 * What libc starts by itself is in no danger: system(3), popen(3), wordexp(3) and posix_spawn(3) execute in a child that borrows
 * its parent's memory (sysdeps/unix/sysv/linux/spawni.c), is a process of its own, and has nobody who suspends it. A
 * program that executes by a system call of its own does not come by here (libc's syscall(2) does), and suspend.c sees to it that
 * this does not harm it.
 */
#define _GNU_SOURCE
#include "exec_window.h"

#include <linux/futex.h>
#include <stdint.h>
#include <time.h>

#include "dm_embed.h"
#include "dm_syscall.h"

static struct {
    uint32_t entered;   /* threads in execve(2), or about to be */
    uint32_t is_closed; /* futex */
} s_window;

void dm_exec_window_begin(void)
{
    s_window.entered = 0;
    s_window.is_closed = 0;
}

bool dm_exec_enter(void)
{
    /* A child of vfork(2) has this memory, too, and nobody who suspends it. */
    if (!dm_guest_owns_process())
        return false;
    for (;;) {
        __atomic_add_fetch(&s_window.entered, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&s_window.is_closed, __ATOMIC_SEQ_CST) == 0)
            return true;
        dm_exec_leave(true);
        const struct timespec pause = {0, 10000000};
        dm_futex(&s_window.is_closed, FUTEX_WAIT_PRIVATE, 1, &pause);
    }
}

void dm_exec_leave(bool entered)
{
    if (entered)
        __atomic_sub_fetch(&s_window.entered, 1, __ATOMIC_SEQ_CST);
}

void dm_exec_close(void)
{
    __atomic_store_n(&s_window.is_closed, 1, __ATOMIC_SEQ_CST);
}

bool dm_exec_is_entered(void)
{
    return __atomic_load_n(&s_window.entered, __ATOMIC_SEQ_CST) != 0;
}

void dm_exec_open(void)
{
    __atomic_store_n(&s_window.is_closed, 0, __ATOMIC_SEQ_CST);
    dm_futex(&s_window.is_closed, FUTEX_WAKE_PRIVATE, 0x7fffffff, NULL);
}
