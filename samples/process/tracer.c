/* Traces a program as strace and gdb do: it runs only as far as it is let. */
#include "../sample.h"
#include <sys/ptrace.h>
#include <sys/wait.h>

int main(int count, char **arguments)
{
    CHECK(count > 1, "usage: tracer PROGRAM...");
    pid_t child = TRY(fork());
    if (child == 0) {
        TRY(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
        execvp(arguments[1], arguments + 1);
        _exit(127);
    }
    for (int status;;) {
        CHECK(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
        if (WIFEXITED(status))
            return WEXITSTATUS(status);
        CHECK(WIFSTOPPED(status), "it was killed");
        ptrace(PTRACE_CONT, child, NULL, (void *)(intptr_t)(WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status)));
    }
}
