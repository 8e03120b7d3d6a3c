/* World: ordinary. See dm_launcher_start.h. */
#define _GNU_SOURCE
#include "dm_launcher_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SIGNALS = 64, READY_FD = 3 };

/* struct sigaction of the kernel: libc's own sigaction(2) refuses the two real-time signals that glibc keeps for itself. */
struct kernel_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static struct {
    int argc;
    char **argv;
    char **environment;
    struct kernel_sigaction actions[SIGNALS + 1];
    uint64_t mask;
    struct rlimit files;
    uint64_t open_low; /* which of the descriptors 0 to 63 were open */
} at_start;

static long sys_sigaction(int number, const struct kernel_sigaction *new_action, struct kernel_sigaction *old_action)
{
    return syscall(SYS_rt_sigaction, number, new_action, old_action, sizeof(uint64_t));
}

static int was_open(int fd)
{
    return fd >= 64 || (at_start.open_low >> fd & 1);
}

/* glibc passes main's arguments to constructors: sysdeps/unix/sysv/linux/init-first.c, csu/libc-start.c. */
__attribute__((constructor(101))) static void remember(int argc, char **argv, char **environment)
{
    at_start.argc = argc;
    at_start.argv = argv;
    at_start.environment = environment;
    for (int number = 1; number <= SIGNALS; number++) {
        sys_sigaction(number, NULL, &at_start.actions[number]);
    }
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &at_start.mask, sizeof at_start.mask);
    getrlimit(RLIMIT_NOFILE, &at_start.files);
    for (int fd = 0; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            at_start.open_low |= 1ULL << fd;
        }
    }
    /* A standard descriptor that is closed would go to the first thing we open, and our complaints with it. */
    for (int fd = 0; fd < 3; fd++) {
        if (!was_open(fd) && open("/dev/null", O_RDWR | O_CLOEXEC) != fd) {
            _exit(125);
        }
    }
}

void dm_start_restore(void)
{
    uint64_t all = ~0ULL;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
    for (int number = 1; number <= SIGNALS; number++) {
        if (number != SIGKILL && number != SIGSTOP) {
            sys_sigaction(number, &at_start.actions[number], NULL);
        }
    }
    setrlimit(RLIMIT_NOFILE, &at_start.files);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &at_start.mask, NULL, sizeof at_start.mask);
}

/* Marks what was opened since the start to be closed by exec. .NET opens everything so already; this is for the exception. */
static void close_own_on_exec(void)
{
    for (int fd = 0; fd < 64; fd++) {
        if (!was_open(fd)) {
            int flags = fcntl(fd, F_GETFD);
            if (flags >= 0) {
                fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
            }
        }
    }
}

/* The length of NAME= in "NAME=value". */
static size_t name_length(const char *entry)
{
    const char *equals = strchr(entry, '=');
    return equals ? (size_t)(equals - entry) + 1 : strlen(entry);
}

static int has_name(const char *entry, const char *change)
{
    size_t length = name_length(change);
    return strncmp(entry, change, length) == 0 && (change[length - 1] == '=' || entry[length] == '=');
}

/* The environment at the start, with `changes` in place of what has the same names; "NAME" alone takes it out. NULL: no
 * memory. Owned by the caller. */
static char **changed_environment(char *const *changes)
{
    size_t old_count = 0, new_count = 0, used = 0;
    while (at_start.environment[old_count]) {
        old_count++;
    }
    while (changes[new_count]) {
        new_count++;
    }
    char **result = malloc((old_count + new_count + 1) * sizeof *result);
    if (!result) {
        return NULL;
    }
    for (size_t i = 0; i < old_count; i++) {
        int replaced = 0;
        for (size_t j = 0; j < new_count && !replaced; j++) {
            replaced = has_name(at_start.environment[i], changes[j]);
        }
        if (!replaced) {
            result[used++] = at_start.environment[i];
        }
    }
    for (size_t j = 0; j < new_count; j++) {
        if (strchr(changes[j], '=')) {
            result[used++] = changes[j];
        }
    }
    result[used] = NULL;
    return result;
}

const char *dm_start_argument(int32_t index)
{
    return index >= 0 && index < at_start.argc ? at_start.argv[index] : NULL;
}

int32_t dm_start_exec(const char *path, int32_t index, char *const *environment)
{
    if (index < 0 || index >= at_start.argc) {
        return -EINVAL;
    }
    return dm_start_become(path, at_start.argv + index, environment, -1);
}

int32_t dm_start_become(const char *path, char *const *argv, char *const *environment, int32_t keep)
{
    char **changed = changed_environment(environment);
    if (!changed) {
        return -ENOMEM;
    }
    close_own_on_exec();
    if (keep >= 0) {
        fcntl(keep, F_SETFD, 0);
    }
    dm_start_restore();
    execve(path, argv, changed);
    int error = errno;
    free(changed);
    return -error;
}

/* In the child of fork: nothing but system calls until exec. */
static _Noreturn void become_daemon(const char *path, char *const *argv, char *const *environment, int ready)
{
    setsid();
    if (chdir("/") != 0) {
        _exit(127);
    }
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) {
        dup2(null, fd);
    }
    if (ready == READY_FD) {
        fcntl(READY_FD, F_SETFD, 0);
    } else {
        dup2(ready, READY_FD);
    }
    syscall(SYS_close_range, READY_FD + 1, ~0U, 0);
    dm_start_restore();
    execve(path, argv, environment);
    _exit(127);
}

int32_t dm_start_daemon(const char *path, char *const *argv, char *const *environment, int32_t *ready)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    char **changed = changed_environment(environment);
    if (!changed) {
        close(ends[0]);
        close(ends[1]);
        return -ENOMEM;
    }
    /* Twice, so that the daemon is no child of the program that this process becomes: its wait() must not see it. */
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            become_daemon(path, argv, changed, ends[1]);
        }
        _exit(0);
    }
    int error = errno;
    close(ends[1]);
    free(changed);
    if (pid < 0) {
        close(ends[0]);
        return -error;
    }
    siginfo_t ended;
    while (waitid(P_PID, (id_t)pid, &ended, WEXITED) != 0 && errno == EINTR) {
    }
    *ready = ends[0];
    return 0;
}

/* In the child of fork: nothing but system calls until exec. */
static _Noreturn void become_orphan(const char *path, char *const *argv, char *const *environment, int in, int out)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    close_own_on_exec();
    dm_start_restore();
    execve(path, argv, environment);
    _exit(127);
}

int32_t dm_start_orphan(const char *path, char *const *argv, char *const *environment, int32_t *to, int32_t *from)
{
    int in[2], out[2];
    char **changed = changed_environment(environment);
    if (!changed) {
        return -ENOMEM;
    }
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        free(changed);
        return -errno;
    }
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            become_orphan(path, argv, changed, in[0], out[1]);
        }
        _exit(0);
    }
    int error = errno;
    close(in[0]);
    close(out[1]);
    free(changed);
    if (pid < 0) {
        return -error;
    }
    siginfo_t ended;
    while (waitid(P_PID, (id_t)pid, &ended, WEXITED) != 0 && errno == EINTR) {
    }
    *to = in[1];
    *from = out[0];
    return 0;
}

int32_t dm_start_stat(const char *path, int32_t fd, struct dm_start_file *file)
{
    struct stat status;
    if (!path && !was_open(fd)) {
        return -EBADF;
    }
    if ((path ? stat(path, &status) : fstat(fd, &status)) != 0) {
        return -errno;
    }
    *file = (struct dm_start_file){
        .device = status.st_dev,
        .inode = status.st_ino,
        .mode = status.st_mode,
        .uid = status.st_uid,
        .gid = status.st_gid,
        .has_capabilities = path && getxattr(path, "security.capability", NULL, 0) > 0,
    };
    return 0;
}

int32_t dm_start_private_directory(const char *path)
{
    struct stat status;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    if (lstat(path, &status) != 0) {
        return -errno;
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid()) {
        return -EPERM;
    }
    return (status.st_mode & 077) == 0 || chmod(path, 0700) == 0 ? 0 : -errno;
}

int32_t dm_start_access(const char *path, int32_t mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 ? 0 : -errno;
}
