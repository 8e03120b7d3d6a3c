/* Proves: a program that starts others by every means, as fast as it can, can be
 * put to sleep at any instant: fork, vfork, posix_spawn, fork+exec, system, popen.
 * Each child's exit status or output is checked. */
#include "../sample.h"
#include <spawn.h>

extern char **environ;
static char *s_self;

static void expect(pid_t child, int code, const char *what)
{
    int status;
    pid_t ended = waitpid(child, &status, 0);
    CHECK(ended == child, "%s: waitpid: %s", what, strerror(errno));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code, "%s: wait status 0x%x, not exit code %d", what, status, code);
}

static void by_fork(int code)
{
    pid_t child = TRY(fork());
    if (child == 0)
        _exit(code);
    expect(child, code, "fork");
}

static void by_fork_exec(int code)
{
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    pid_t child = TRY(fork());
    if (child == 0) {
        execl(s_self, "spawn-loop", "child", text, (char *)NULL);
        _exit(127);
    }
    expect(child, code, "fork and execl");
}

static void by_vfork(int code)
{
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    pid_t child = TRY(vfork());
    if (child == 0) {
        execl(s_self, "spawn-loop", "child", text, (char *)NULL);
        _exit(127);
    }
    expect(child, code, "vfork and execl");
}

static void by_spawn(int code)
{
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    char *arguments[] = { "spawn-loop", "child", text, NULL };
    pid_t child;
    CHECK(posix_spawn(&child, s_self, NULL, NULL, arguments, environ) == 0, "posix_spawn");
    expect(child, code, "posix_spawn");
}

static void by_system(int code)
{
    char command[32];
    snprintf(command, sizeof command, "exit %d", code);
    int status = system(command);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code, "system: status 0x%x, not exit code %d", status, code);
}

static void by_popen(int code)
{
    char command[64], answer[16] = "";
    snprintf(command, sizeof command, "echo %d | cat", code);
    FILE *stream = popen(command, "re");
    CHECK(stream, "popen: %s", strerror(errno));
    CHECK(fgets(answer, sizeof answer, stream) && atoi(answer) == code, "popen: '%s', not %d", answer, code);
    int status = pclose(stream);
    CHECK(status == 0, "pclose: 0x%x", status);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return atoi(argv[2]);

    static void (*const means[])(int) = { by_fork, by_fork_exec, by_vfork, by_spawn, by_system, by_popen };
    s_self = realpath("/proc/self/exe", NULL);
    uint64_t sum = 0;

    sample_ready();
    for (uint64_t step = 0; sample_more(50); step++) {
        for (int i = 0; i < 6; i++)
            means[i]((step * 6 + i) % 100);
        sum = sample_mix(sum + step);
    }

    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD, "a child is left over");
    free(s_self);
    return sample_ok(sum);
}
