/* Proves: a program that starts another by a system call of its own, past libc, while a checkpoint begins is not killed by the signal
 * that stops threads: each child becomes another program some times, and ends as it should. */
#include "../sample.h"
#include <sys/syscall.h>

enum { CHILDREN = 4, TIMES = 6, MOST_VARIABLES = 256, STATUS = 7 };

static char s_text[1 << 17];
static char *s_environment[MOST_VARIABLES + 1];

/* What the kernel was given: libc's `environ` does not show what makes a process a member. */
static void read_environment(void)
{
    int fd = TRY(open("/proc/self/environ", O_RDONLY | O_CLOEXEC)), count = 0;
    size_t length = 0;
    for (ssize_t got; (got = TRY(read(fd, s_text + length, sizeof s_text - 1 - length))) > 0;)
        length += (size_t)got;
    close(fd);
    for (char *at = s_text; at < s_text + length && count < MOST_VARIABLES; at += strlen(at) + 1)
        s_environment[count++] = at;
}

static long execute(char **arguments)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_execve), "D"("/proc/self/exe"), "S"(arguments), "d"(s_environment) : "rcx", "r11", "memory");
    return result;
}

/* Long enough to be a member by then, and never at the same moment of its life. */
static void live(void)
{
    struct timespec nap = { 0, 4000000 + (getpid() * 7919L + clock()) % 3000000 };
    TRY(nanosleep(&nap, NULL));
}

static void become(int times)
{
    char left[16];
    char *arguments[] = { "exec-past-libc", left, NULL };
    snprintf(left, sizeof left, "%d", times);
    read_environment();
    live();
    sample_fail("execve: %s", strerror((int)-execute(arguments)));
}

static pid_t start_child(void)
{
    pid_t pid = TRY(fork());
    if (pid == 0)
        become(TIMES);
    return pid;
}

int main(int count, char **arguments)
{
    if (count > 1 && atoi(arguments[1]) > 0)
        become(atoi(arguments[1]) - 1);
    if (count > 1)
        return STATUS;
    uint64_t rounds = 0;
    sample_ready();
    while (sample_more(30)) {
        pid_t children[CHILDREN];
        for (int i = 0; i < CHILDREN; i++)
            children[i] = start_child();
        for (int i = 0; i < CHILDREN; i++) {
            int status;
            CHECK(waitpid(children[i], &status, 0) == children[i], "child %d is not ours: %s", (int)children[i], strerror(errno));
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == STATUS, "child %d ended with status 0x%x", (int)children[i], status);
        }
        rounds++;
    }
    CHECK(rounds > 0, "no round");
    return sample_ok(0);
}
