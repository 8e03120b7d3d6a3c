/* system(3), popen(3) and wordexp(3): libc starts their shell by itself, with the program's environment as it is, from
 * which our variables have been taken out (membership.h). World: the program's own.
 */
#define _GNU_SOURCE
#include "shell.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "dm_syscall.h"
#include "membership.h"

#define EXPORT __attribute__((visibility("default")))

static struct {
    int (*system)(const char *);
    FILE *(*popen)(const char *, const char *);
    int (*wordexp)(const char *, wordexp_t *, int);
} s_real;

void dm_shell_prepare(void)
{
    s_real.system = dlsym(RTLD_NEXT, "system");
    s_real.popen = dlsym(RTLD_NEXT, "popen");
    s_real.wordexp = dlsym(RTLD_NEXT, "wordexp");
}

static void make_ready(void)
{
    if (s_real.wordexp == NULL)
        dm_shell_prepare();
}

/* --- system -------------------------------------------------------------------------------------------------------- */

/* Of all calls at the same time the first changes the dispositions, and the last puts them back. */
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned s_running;
static struct sigaction s_interrupt, s_quit;

struct shell {
    pid_t pid;
    sigset_t mask;
};

static void ignore_keys(sigset_t *mask)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_mutex_lock(&s_lock);
    if (s_running++ == 0) {
        sigaction(SIGINT, &ignore, &s_interrupt);
        sigaction(SIGQUIT, &ignore, &s_quit);
    }
    pthread_mutex_unlock(&s_lock);
    pthread_sigmask(SIG_BLOCK, &child, mask);
}

static void heed_keys(const sigset_t *mask)
{
    pthread_mutex_lock(&s_lock);
    if (--s_running == 0) {
        sigaction(SIGINT, &s_interrupt, NULL);
        sigaction(SIGQUIT, &s_quit, NULL);
    }
    pthread_mutex_unlock(&s_lock);
    pthread_sigmask(SIG_SETMASK, mask, NULL);
}

static int start_shell(const char *line, struct shell *shell)
{
    posix_spawnattr_t attributes;
    sigset_t usual;
    sigemptyset(&usual);
    pthread_mutex_lock(&s_lock);
    if (s_interrupt.sa_handler != SIG_IGN)
        sigaddset(&usual, SIGINT);
    if (s_quit.sa_handler != SIG_IGN)
        sigaddset(&usual, SIGQUIT);
    pthread_mutex_unlock(&s_lock);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &shell->mask);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    char *arguments[] = {"sh", "-c", (char *)(uintptr_t)line, NULL};
    int error = posix_spawn(&shell->pid, "/bin/sh", NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static int await_shell(pid_t pid)
{
    int status;
    pid_t ended;
    do {
        ended = waitpid(pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    return ended == pid ? status : -1;
}

/* The calling thread is cancelled while it waits: nobody else would wait for the shell. */
static void end_shell(void *argument)
{
    const struct shell *shell = argument;
    kill(shell->pid, SIGKILL);
    (void)await_shell(shell->pid);
    heed_keys(&shell->mask);
}

/* As POSIX.1-2017 describes it; a shell that cannot be started counts as one that ends with 127. */
static int run_shell(const char *line)
{
    struct shell shell;
    int status = W_EXITCODE(127, 0);
    ignore_keys(&shell.mask);
    int error = start_shell(line, &shell);
    if (error == 0) {
        pthread_cleanup_push(end_shell, &shell);
        status = await_shell(shell.pid);
        error = status == -1 ? errno : 0;
        pthread_cleanup_pop(0);
    }
    heed_keys(&shell.mask);
    if (error != 0)
        errno = error;
    return status;
}

EXPORT int system(const char *line)
{
    make_ready();
    if (dm_membership_room(environ) == 0)
        return s_real.system(line);
    return line == NULL ? run_shell("exit 0") == 0 : run_shell(line);
}

/* --- popen and wordexp ---------------------------------------------------------------------------------------------- */

/* While libc's function starts its shell, `environ` is one with our variables. When another thread has given the program a
 * new environment meanwhile (setenv(3) copies it), that one stays, and the memory with it. */
struct lent {
    char **own, **with_ours;
    size_t bytes;
};

static void lend_environment(struct lent *lent)
{
    *lent = (struct lent){.own = environ, .bytes = dm_membership_room(environ)};
    if (lent->bytes == 0)
        return;
    int64_t room = dm_mmap(0, lent->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dm_is_error(room))
        return;
    lent->with_ours = dm_membership_environment(lent->own, 1, NULL, (void *)room);
    char **expected = lent->own;
    if (!__atomic_compare_exchange_n(&environ, &expected, lent->with_ours, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        dm_munmap((uint64_t)room, lent->bytes);
        lent->with_ours = NULL;
    }
}

static void take_environment_back(const struct lent *lent)
{
    char **expected = lent->with_ours;
    if (expected != NULL &&
        __atomic_compare_exchange_n(&environ, &expected, lent->own, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        dm_munmap((uint64_t)lent->with_ours, lent->bytes);
}

EXPORT FILE *popen(const char *line, const char *mode)
{
    struct lent lent;
    make_ready();
    lend_environment(&lent);
    FILE *stream = s_real.popen(line, mode);
    take_environment_back(&lent);
    return stream;
}

EXPORT int wordexp(const char *words, wordexp_t *result, int flags)
{
    struct lent lent;
    make_ready();
    lend_environment(&lent);
    int error = s_real.wordexp(words, result, flags);
    take_environment_back(&lent);
    return error;
}
