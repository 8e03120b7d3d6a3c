/* Proves: parents, process groups, sessions, exact PIDs and zombies come back.
 * Every process remembers who it was and answers whether it still is. */
#include "../sample.h"
#include <signal.h>

struct identity { pid_t pid, parent, group, session; };
struct member { const char *name; pid_t pid; int ask[2], answer[2]; struct identity first; };

static struct identity who_am_i(void)
{
    return (struct identity){ getpid(), getppid(), getpgrp(), getsid(0) };
}

/* Answers each byte with the identity of this process; ends at the end of the pipe. */
__attribute__((noreturn)) static void serve(struct member *me)
{
    char byte;
    while (read(me->ask[0], &byte, 1) == 1) {
        struct identity now = who_am_i();
        sample_write(me->answer[1], &now, sizeof now, me->name);
    }
    _exit(0);
}

static struct identity ask(struct member *member)
{
    struct identity now;
    sample_write(member->ask[1], "?", 1, member->name);
    sample_read(member->answer[0], &now, sizeof now, member->name);
    return now;
}

static void start(struct member *members, int index, const char *name, void (*prepare)(void))
{
    struct member *member = &members[index];
    member->name = name;
    TRY(pipe(member->ask));
    TRY(pipe(member->answer));
    if ((member->pid = TRY(fork())) == 0) {
        for (int i = 0; i <= index; i++)
            close(members[i].ask[1]);
        if (prepare)
            prepare();
        serve(member);
    }
    close(member->ask[0]);
    close(member->answer[1]);
    member->first = ask(member);
}

static void own_group(void) { TRY(setpgid(0, 0)); }
static void own_session(void) { TRY(setsid()); }

/* The middle process waits for the end of its child, so that the tree has depth. */
static void grandchild_in_own_session(void)
{
    TRY(setsid());
    pid_t child = TRY(fork());
    if (child == 0)
        return;
    int status;
    TRY(waitpid(child, &status, 0));
    _exit(status != 0);
}

static pid_t zombie(int code, int signal_number)
{
    pid_t child = TRY(fork());
    if (child == 0) {
        if (signal_number)
            raise(signal_number);
        _exit(code);
    }
    siginfo_t info;
    TRY(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    return child;
}

int main(void)
{
    struct member members[4] = { 0 };
    start(members, 0, "child", NULL);
    start(members, 1, "child in its own group", own_group);
    start(members, 2, "child in its own session", own_session);
    start(members, 3, "grandchild in a session of its parent", grandchild_in_own_session);
    pid_t exited = zombie(37, 0), killed = zombie(0, SIGTERM);
    struct identity me = who_am_i();

    sample_ready();
    while (sample_more(100))
        sample_idle();

    struct identity now = who_am_i();
    CHECK(now.pid == me.pid && now.group == me.group && now.session == me.session,
          "root: pid %d group %d session %d, was %d %d %d",
          now.pid, now.group, now.session, me.pid, me.group, me.session);
    for (int i = 0; i < 4; i++) {
        struct identity *first = &members[i].first;
        now = ask(&members[i]);
        CHECK(memcmp(&now, first, sizeof now) == 0, "%s: pid %d parent %d group %d session %d, was %d %d %d %d", members[i].name,
              now.pid, now.parent, now.group, now.session, first->pid, first->parent, first->group, first->session);
        close(members[i].ask[1]);
        sample_wait_child(members[i].pid, members[i].name);
    }
    int status;
    CHECK(waitpid(exited, &status, 0) == exited && WIFEXITED(status) && WEXITSTATUS(status) == 37, "zombie 1: status 0x%x", status);
    CHECK(waitpid(killed, &status, 0) == killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "zombie 2: status 0x%x", status);
    CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD, "there is a child that nobody made");
    return sample_ok(0);
}
