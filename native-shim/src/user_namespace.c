/* unshare(2) and setns(2) into a user namespace: the kernel wants a process without other threads, and ours is one. So it goes
 * away for that moment, and comes back. World: the program's own.
 *
 * The process then lives in a namespace of its own, which a checkpoint refuses by name (README).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>

#include "core.h"
#include "user_namespace.h"

#define EXPORT __attribute__((visibility("default")))

static struct {
    int (*unshare)(int);
    int (*setns)(int, int);
} s_real;

void dm_user_namespace_prepare(void)
{
    s_real.unshare = dlsym(RTLD_NEXT, "unshare");
    s_real.setns = dlsym(RTLD_NEXT, "setns");
}

EXPORT int unshare(int flags)
{
    if (s_real.unshare == NULL)
        dm_user_namespace_prepare();
    /* check_unshare_flags and ksys_unshare in kernel/fork.c: what needs a process of one thread. */
    bool is_away =
        (flags & (CLONE_NEWUSER | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)) != 0 && dm_checkpoint_thread_leave();
    int result = s_real.unshare(flags);
    int error = errno;
    if (is_away)
        dm_checkpoint_thread_return();
    errno = error;
    return result;
}

EXPORT int setns(int fd, int type)
{
    if (s_real.setns == NULL)
        dm_user_namespace_prepare();
    int result = s_real.setns(fd, type);
    /* Of user namespaces, and of time namespaces: userns_install in kernel/user_namespace.c, timens_install in kernel/time/namespace.c. */
    if (result == 0 || (errno != EINVAL && errno != EUSERS) || !dm_checkpoint_thread_leave())
        return result;
    result = s_real.setns(fd, type);
    int error = errno;
    dm_checkpoint_thread_return();
    errno = error;
    return result;
}
