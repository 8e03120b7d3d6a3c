/* Children that pthread_atfork(3) handlers do not see: _Fork(3) leaves them out, clone(2) knows none. Like a child of fork(2)
 * they get a checkpoint thread of their own. World: the program's own; signal handlers (_Fork).
 *
 * fork(2), forkpty(3) and daemon(3) run the handlers; a vfork(2) child borrows its parent's memory until it starts a
 * program. Who makes a child by a raw system call is seen by its parent at a checkpoint, and named.
 */
#define _GNU_SOURCE
#include "fork.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/types.h>

#include "core.h"
#include "membership.h"

#define EXPORT __attribute__((visibility("default")))

typedef int clone_function(int (*)(void *), void *, int, void *, pid_t *, void *, pid_t *);

static pid_t (*s_real_fork)(void);
static clone_function *s_real_clone;

void dm_fork_prepare(void)
{
    s_real_fork = dlsym(RTLD_NEXT, "_Fork"); /* glibc 2.34; nobody can call ours without it */
    s_real_clone = dlsym(RTLD_NEXT, "clone");
}

static void make_ready(void)
{
    if (s_real_clone == NULL)
        dm_fork_prepare();
}

pid_t _Fork(void);
EXPORT pid_t _Fork(void)
{
    make_ready();
    if (dm_membership_token() == NULL)
        return s_real_fork();
    dm_before_fork();
    pid_t pid = s_real_fork();
    int error = errno;
    if (pid == 0)
        dm_after_fork_in_child();
    else
        dm_after_fork_in_parent();
    errno = error;
    return pid;
}

struct child {
    int (*function)(void *);
    void *argument;
};

/* The parent's stack is copied with the rest of its memory. */
static int begin_child(void *argument)
{
    const struct child *child = argument;
    dm_after_fork_in_child();
    return child->function(child->argument);
}

EXPORT int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    va_list list;
    va_start(list, argument);
    pid_t *parent_tid = va_arg(list, pid_t *);
    void *tls = va_arg(list, void *);
    pid_t *child_tid = va_arg(list, pid_t *);
    va_end(list);
    make_ready();
    if ((flags & CLONE_VM) != 0 || dm_membership_token() == NULL)
        return s_real_clone(function, stack, flags, argument, parent_tid, tls, child_tid);
    struct child child = {function, argument};
    dm_before_fork();
    int pid = s_real_clone(begin_child, stack, flags, &child, parent_tid, tls, child_tid);
    int error = errno;
    dm_after_fork_in_parent();
    errno = error;
    return pid;
}
