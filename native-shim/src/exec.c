/* The exec family and posix_spawn(3) with an environment that makes the new program a member (membership.h).
 * World: the program's own; a vfork(2) child, which borrows its parent's memory; a signal handler.
 *
 * Therefore in C, and without C#, lock or malloc: docs/decisions/0004. The environment lies on the stack, as libc's own
 * argument lists of execl(3) do, or in a mapping when it is large. libc's real function is called in the end, or that of
 * another preloaded library: what it does beyond execve(2) (PATH, the shell for scripts without #!) is its own.
 */
#define _GNU_SOURCE
#include "exec.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dm_syscall.h"
#include "exec_target.h"
#include "exec_window.h"
#include "membership.h"
#include "remote.h"

#define EXPORT __attribute__((visibility("default")))

/* More than this is no longer taken from a stack that may be a small one. */
enum { MOST_STACK_BYTES = 4096 };

static struct {
    int (*execve)(const char *, char *const *, char *const *);
    int (*execvpe)(const char *, char *const *, char *const *);
    int (*execveat)(int, const char *, char *const *, char *const *, int);
    int (*fexecve)(int, char *const *, char *const *);
    spawn_function *posix_spawn, *posix_spawnp;
} s_real;

void dm_exec_prepare(void)
{
    s_real.execve = dlsym(RTLD_NEXT, "execve");
    s_real.execvpe = dlsym(RTLD_NEXT, "execvpe");
    s_real.execveat = dlsym(RTLD_NEXT, "execveat"); /* glibc 2.34; nobody can call ours without it */
    s_real.fexecve = dlsym(RTLD_NEXT, "fexecve");
    s_real.posix_spawn = dlsym(RTLD_NEXT, "posix_spawn");
    s_real.posix_spawnp = dlsym(RTLD_NEXT, "posix_spawnp");
}

/* Calls before our constructor come from constructors of other libraries. */
static void make_ready(void)
{
    if (s_real.posix_spawnp == NULL)
        dm_exec_prepare();
}

/* What is to be started, and how; whether the program named there can carry us; and the call at last. */
struct start {
    int (*call)(const struct start *start, char *const *environment);
    int (*carries)(const struct start *start);
    const char *path;
    char *const *arguments;
    char *extra; /* one more variable, or NULL */
    int descriptor, flags;
    pid_t *pid;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    spawn_function *spawn;
};

/* exec(2) is kept apart from a suspension (exec_window.h); posix_spawn(3) does it in a child, where nobody is suspended. */
static int call(const struct start *start, char *const *environment)
{
    bool entered = start->spawn == NULL && dm_exec_enter();
    int result = start->call(start, environment);
    dm_exec_leave(entered);
    return result;
}

static __attribute__((noinline)) int run(const struct start *start, char *const *environment, void *room)
{
    return call(start, dm_membership_environment(environment, start->carries(start), start->extra, room));
}

static __attribute__((noinline)) int run_on_stack(const struct start *start, char *const *environment, size_t bytes)
{
    uint64_t room[bytes / sizeof(uint64_t) + 1];
    return run(start, environment, room);
}

/* An exec that succeeds takes the mapping with it, but for a vfork(2) child: its parent keeps these few pages for good. */
static int run_mapped(const struct start *start, char *const *environment, size_t bytes)
{
    int64_t room = dm_mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dm_is_error(room))
        return call(start, environment);
    int result = run(start, environment, (void *)room);
    dm_munmap((uint64_t)room, bytes);
    return result;
}

static int begin_as_it_is(const struct start *start, char *const *environment)
{
    size_t bytes = dm_membership_room(environment);
    return bytes <= MOST_STACK_BYTES ? run_on_stack(start, environment, bytes) : run_mapped(start, environment, bytes);
}

static int always_carries(const struct start *start)
{
    (void)start;
    return 1;
}

/* dmssh in place of ssh. */
static __attribute__((noinline)) int begin_remote(const struct start *start, char *const *environment)
{
    char path[dm_remote_path_bytes()], variable[dm_remote_variable_bytes(start->path)];
    struct start changed = *start;
    if (!dm_remote_path(path))
        return begin_as_it_is(start, environment);
    changed.path = path;
    changed.extra = dm_remote_variable(start->path, variable);
    changed.carries = always_carries;
    return begin_as_it_is(&changed, environment);
}

static int begin(const struct start *start, char *const *environment)
{
    if (dm_membership_room(environment) == 0)
        return call(start, environment);
    return dm_remote_is(start->path) ? begin_remote(start, environment) : begin_as_it_is(start, environment);
}

static int path_carries(const struct start *start)
{
    return dm_target_carries(start->descriptor, start->path);
}

static int file_carries(const struct start *start)
{
    return dm_target_carries_in_path(start->path);
}

/* --- exec --------------------------------------------------------------------------------------------------------- */

static int call_execve(const struct start *start, char *const *environment)
{
    return s_real.execve(start->path, start->arguments, environment);
}

static int call_execvpe(const struct start *start, char *const *environment)
{
    return s_real.execvpe(start->path, start->arguments, environment);
}

static int call_execveat(const struct start *start, char *const *environment)
{
    return s_real.execveat(start->descriptor, start->path, start->arguments, environment, start->flags);
}

static int call_fexecve(const struct start *start, char *const *environment)
{
    return s_real.fexecve(start->descriptor, start->arguments, environment);
}

EXPORT int execve(const char *path, char *const arguments[], char *const environment[])
{
    make_ready();
    return begin(
        &(struct start){
            .call = call_execve, .carries = path_carries, .descriptor = AT_FDCWD, .path = path, .arguments = arguments},
        environment);
}

EXPORT int execv(const char *path, char *const arguments[])
{
    return execve(path, arguments, environ);
}

EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[])
{
    make_ready();
    return begin(&(struct start){.call = call_execvpe, .carries = file_carries, .path = file, .arguments = arguments},
                 environment);
}

EXPORT int execvp(const char *file, char *const arguments[])
{
    return execvpe(file, arguments, environ);
}

EXPORT int execveat(int directory, const char *path, char *const arguments[], char *const environment[], int flags)
{
    make_ready();
    return begin(&(struct start){.call = call_execveat,
                                 .carries = path_carries,
                                 .descriptor = directory,
                                 .path = path,
                                 .arguments = arguments,
                                 .flags = flags},
                 environment);
}

EXPORT int fexecve(int fd, char *const arguments[], char *const environment[])
{
    make_ready();
    return begin(
        &(struct start){
            .call = call_fexecve, .carries = path_carries, .descriptor = fd, .path = "", .arguments = arguments},
        environment);
}

/* The variadic ones: their arguments as an array on the stack, which is where libc puts it. */

/* With the NULL. */
static size_t count_arguments(const char *first, va_list list)
{
    size_t count = 1;
    for (const char *argument = first; argument != NULL; argument = va_arg(list, const char *))
        count++;
    return count;
}

/* Leaves the list behind the NULL, where execle(3) has its environment. */
static void collect_arguments(const char *first, va_list list, char **arguments)
{
    const char *argument = first;
    while ((*arguments++ = (char *)(uintptr_t)argument) != NULL)
        argument = va_arg(list, const char *);
}

EXPORT int execl(const char *path, const char *first, ...)
{
    va_list list;
    va_start(list, first);
    char *arguments[count_arguments(first, list)];
    va_end(list);
    va_start(list, first);
    collect_arguments(first, list, arguments);
    va_end(list);
    return execve(path, arguments, environ);
}

EXPORT int execlp(const char *file, const char *first, ...)
{
    va_list list;
    va_start(list, first);
    char *arguments[count_arguments(first, list)];
    va_end(list);
    va_start(list, first);
    collect_arguments(first, list, arguments);
    va_end(list);
    return execvpe(file, arguments, environ);
}

EXPORT int execle(const char *path, const char *first, ...)
{
    va_list list;
    va_start(list, first);
    char *arguments[count_arguments(first, list)];
    va_end(list);
    va_start(list, first);
    collect_arguments(first, list, arguments);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, arguments, environment);
}

/* --- posix_spawn --------------------------------------------------------------------------------------------------- */

static int call_spawn(const struct start *start, char *const *environment)
{
    return start->spawn(start->pid, start->path, start->actions, start->attributes, start->arguments, environment);
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    make_ready();
    return begin(&(struct start){.call = call_spawn,
                                 .carries = path_carries,
                                 .descriptor = AT_FDCWD,
                                 .path = path,
                                 .arguments = arguments,
                                 .pid = pid,
                                 .actions = actions,
                                 .attributes = attributes,
                                 .spawn = s_real.posix_spawn},
                 environment);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
    make_ready();
    return begin(&(struct start){.call = call_spawn,
                                 .carries = file_carries,
                                 .path = file,
                                 .arguments = arguments,
                                 .pid = pid,
                                 .actions = actions,
                                 .attributes = attributes,
                                 .spawn = s_real.posix_spawnp},
                 environment);
}
