/* Becomes another program (execve) or another user (setuid), or has a child (fork), by a system call of its own: no function of libc is called that could be
 * replaced. */
#include "../sample.h"
#include <sys/syscall.h>

static long call(long number, const void *a, const void *b, const void *c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

int main(int count, char **arguments)
{
    CHECK(count == 2, "usage: past-libc execve|fork|setuid");
    if (strcmp(arguments[1], "fork") == 0)
        CHECK(call(SYS_fork, NULL, NULL, NULL) >= 0, "fork");
    else if (strcmp(arguments[1], "setuid") == 0) {
        CHECK(call(SYS_setuid, (void *)1234, NULL, NULL) == 0, "setuid");
        sample_ready();
    } else
        call(SYS_execve, "/bin/sleep", (char *[]){ "sleep", "1000", NULL }, NULL);
    sleep(1000);
    return 0;
}
