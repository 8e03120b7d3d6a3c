/* Proves: whatever a program does to start another, and however empty the environment that it gives it, the new process belongs
 * to the computation: every function of the exec family, posix_spawn, system and popen with a cleared environment, from vfork
 * children, signal handlers and threads with small stacks, scripts, and children that pthread_atfork handlers do not see.
 * And each of them sees the environment that was asked for, nothing more. */
#include "../sample.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

extern char **environ;
pid_t _Fork(void);

enum { HERE = 8, GO = 9, DONE = 17, MANY = 3000 }; /* descriptors of every child, and its exit status */

static char *s_self, *s_shell_script, *s_plain_script, s_command[4200];
static char *s_arguments[] = { "exec-family", "child", "1", NULL };
static char *s_one[] = { "ONLY=this", NULL };
static char *s_many[MANY + 1];
static int s_go; /* its other end: when all copies are closed, the children end */

/* --- a child ---------------------------------------------------------------------------------------------------------- */

static void wait_for_the_end(void)
{
    char byte = 'h';
    sample_write(HERE, &byte, 1, "here");
    CHECK(read(GO, &byte, 1) == 0, "a child was told something");
}

/* What a shell adds by itself. */
static bool is_shells(const char *entry)
{
    return strncmp(entry, "PWD=", 4) == 0 || strncmp(entry, "SHLVL=", 6) == 0 || strncmp(entry, "_=", 2) == 0 ||
           strncmp(entry, "OLDPWD=", 7) == 0;
}

static int be_child(int expected)
{
    int count = 0;
    for (char **entry = environ; *entry; entry++) {
        CHECK(strncmp(*entry, "LD_PRELOAD", 10) != 0 && strncmp(*entry, "DORMOUSE_", 9) != 0, "a child sees %.11s", *entry);
        count += !is_shells(*entry);
    }
    CHECK(count == expected, "a child has %d variables, not %d", count, expected);
    wait_for_the_end();
    return DONE;
}

static int be_clone(void *unused)
{
    (void)unused;
    close(s_go);
    wait_for_the_end();
    _exit(DONE);
}

/* --- the ways ---------------------------------------------------------------------------------------------------------- */

/* In the child of fork(2): starts the program, and returns when it could not. */
static void by_execve(void) { execve(s_self, s_arguments, s_one); }
static void by_execv(void) { environ = s_one; execv(s_self, s_arguments); }
static void by_execvp(void) { clearenv(); setenv("PATH", "/nowhere", 1); execvp(s_self, s_arguments); }
static void by_execvpe(void) { execvpe(s_self, s_arguments, s_one); }
static void by_execl(void) { environ = s_one; execl(s_self, "exec-family", "child", "1", (char *)NULL); }
static void by_execlp(void) { environ = s_one; execlp(s_self, "exec-family", "child", "1", (char *)NULL); }
static void by_execle(void) { execle(s_self, "exec-family", "child", "1", (char *)NULL, s_one); }
static void by_fexecve(void) { fexecve(TRY(open(s_self, O_RDONLY | O_CLOEXEC)), s_arguments, s_one); }
static void by_execveat(void) { execveat(TRY(open(s_self, O_PATH | O_CLOEXEC)), "", s_arguments, s_one, AT_EMPTY_PATH); }
static void by_syscall(void) { syscall(SYS_execve, s_self, s_arguments, s_one); }
static void by_syscall_at(void) { syscall(SYS_execveat, TRY(open(s_self, O_PATH | O_CLOEXEC)), "", s_arguments, s_one, AT_EMPTY_PATH); }
static void by_script(void) { execve(s_shell_script, s_arguments, s_one); }
static void by_plain_script(void) { execvpe(s_plain_script, s_arguments, s_one); }

static void with_no_environment(void)
{
    execve(s_self, (char *[]){ "exec-family", "child", "0", NULL }, NULL);
}

static void with_many_variables(void)
{
    char count[16];
    snprintf(count, sizeof count, "%d", MANY);
    execve(s_self, (char *[]){ "exec-family", "child", count, NULL }, s_many);
}

static void with_other_preloads(void)
{
    /* The child sees its LD_PRELOAD again, without ours: the shell counts it. */
    execve("/bin/sh", (char *[]){ "sh", "-c", "[ \"$LD_PRELOAD\" = libm.so.6 ] && unset LD_PRELOAD && exec \"$0\" child 1", s_self, NULL },
           (char *[]){ s_one[0], "LD_PRELOAD=libm.so.6", NULL });
}

static void handler(int number)
{
    (void)number;
    execve(s_self, s_arguments, s_one);
}

static void by_signal_handler(void)
{
    static char stack[16384];
    TRY(sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL));
    TRY(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER }, NULL));
    raise(SIGUSR1);
}

static void by_env(void) { execl("/usr/bin/env", "env", "-i", s_one[0], s_self, "child", "1", (char *)NULL); }

static void by_popen(void)
{
    clearenv();
    FILE *stream = popen(s_command, "re");
    _exit(stream && WEXITSTATUS(pclose(stream)) == DONE ? DONE : 1);
}

static void by_system(void)
{
    clearenv();
    _exit(WEXITSTATUS(system(s_command)));
}

static void (*const s_ways[])(void) = {
    by_execve, by_execv, by_execvp, by_execvpe, by_execl, by_execlp, by_execle, by_fexecve, by_execveat, by_syscall,
    by_syscall_at, by_script, by_plain_script, with_no_environment, with_many_variables, with_other_preloads, by_signal_handler, by_env,
    by_popen, by_system,
};
enum { WAYS = sizeof s_ways / sizeof s_ways[0] };

/* --- ways that make the process, too -------------------------------------------------------------------------------------- */

static pid_t vfork_and_exec(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execve(s_self, s_arguments, s_one);
        _exit(127);
    }
    return child;
}

static pid_t spawn(void)
{
    pid_t child;
    CHECK(posix_spawn(&child, s_self, NULL, NULL, s_arguments, s_one) == 0, "posix_spawn");
    return child;
}

static void *spawn_in_thread(void *unused)
{
    (void)unused;
    pid_t child;
    CHECK(posix_spawnp(&child, s_self, NULL, NULL, s_arguments, s_one) == 0, "posix_spawnp");
    return (void *)(intptr_t)child;
}

static pid_t spawn_from_a_small_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *child;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32768);
    CHECK(pthread_create(&thread, &attributes, spawn_in_thread, NULL) == 0, "pthread_create");
    CHECK(pthread_join(thread, &child) == 0, "pthread_join");
    pthread_attr_destroy(&attributes);
    return (intptr_t)child;
}

static pid_t fork_without_handlers(void)
{
    pid_t child = _Fork();
    if (child == 0)
        be_clone(NULL);
    return child;
}

static pid_t fork_by_syscall(void)
{
    pid_t child = syscall(SYS_fork);
    if (child == 0)
        be_clone(NULL);
    return child;
}

static pid_t fork_by_clone(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    return clone(be_clone, stack + sizeof stack, SIGCHLD, NULL);
}

/* daemon(3): the process in between ends, and the daemon becomes the child of whoever collects orphans: this one. */
static pid_t daemonise(void)
{
    int number[2];
    TRY(pipe2(number, O_CLOEXEC));
    pid_t between = TRY(fork());
    if (between == 0) {
        TRY(daemon(1, 1));
        pid_t self = getpid();
        sample_write(number[1], &self, sizeof self, "daemon");
        execve(s_self, s_arguments, s_one);
        _exit(127);
    }
    pid_t child;
    sample_read(number[0], &child, sizeof child, "daemon");
    close(number[0]);
    close(number[1]);
    sample_wait_child(between, "the process between");
    return child;
}

static pid_t (*const s_makers[])(void) = {
    vfork_and_exec, spawn, spawn_from_a_small_stack, fork_without_handlers, fork_by_syscall, fork_by_clone, daemonise,
};
enum { MAKERS = sizeof s_makers / sizeof s_makers[0] };

static char *write_script(const char *name, const char *first)
{
    char *path = sample_path(name);
    FILE *file = fopen(path, "we");
    CHECK(file, "%s: %s", path, strerror(errno));
    fprintf(file, "%sexec \"%s\" child 1\n", first, s_self);
    fclose(file);
    TRY(chmod(path, 0755));
    return path;
}

static pid_t make_child(int number)
{
    if (number >= WAYS)
        return TRY(s_makers[number - WAYS]());
    pid_t child = TRY(fork());
    if (child == 0) {
        close(s_go);
        s_ways[number]();
        sample_fail("way %d: %s", number, strerror(errno));
    }
    return child;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return be_child(atoi(argv[2]));

    int here[2], go[2];
    pid_t children[WAYS + MAKERS];
    s_self = realpath("/proc/self/exe", NULL);
    s_shell_script = write_script("script.sh", "#!/bin/sh\n");
    s_plain_script = write_script("script-without-a-first-line", "");
    snprintf(s_command, sizeof s_command, "exec '%s' child 0", s_self);
    for (int i = 0; i < MANY; i++)
        CHECK(asprintf(&s_many[i], "VARIABLE_%d=%d", i, i) > 0, "no memory");
    TRY(prctl(PR_SET_CHILD_SUBREAPER, 1));
    TRY(pipe2(here, O_CLOEXEC));
    TRY(pipe2(go, O_CLOEXEC));
    TRY(dup2(here[1], HERE));
    TRY(dup2(go[0], GO));
    s_go = go[1];

    for (int i = 0; i < WAYS + MAKERS; i++) {
        char byte;
        children[i] = make_child(i);
        sample_read(here[0], &byte, 1, "a child");
    }

    sample_ready();
    while (sample_more(50))
        sample_idle();

    close(s_go);
    for (int i = 0; i < WAYS + MAKERS; i++) {
        int status;
        CHECK(waitpid(children[i], &status, 0) == children[i], "way %d: waitpid: %s", i, strerror(errno));
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == DONE, "way %d: wait status 0x%x", i, status);
    }
    return sample_ok(WAYS + MAKERS);
}
