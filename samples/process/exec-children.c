/* Proves: a child that starts a program while a checkpoint begins is neither lost nor killed: each ends as its program says. */
#include "../sample.h"
#include <sys/wait.h>

enum { CHILDREN = 4, STATUS = 7 };

static pid_t start_child(const char *program)
{
    pid_t pid = TRY(fork());
    if (pid == 0) {
        execl(program, program, "child", (char *)NULL);
        _exit(1);
    }
    return pid;
}

int main(int count, char **arguments)
{
    if (count > 1)
        return STATUS;
    uint64_t rounds = 0;
    sample_ready();
    while (sample_more(100)) {
        pid_t children[CHILDREN];
        for (int i = 0; i < CHILDREN; i++)
            children[i] = start_child(arguments[0]);
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
