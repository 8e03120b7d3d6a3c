/* World: Bare. */
#include "supervise.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/signalfd.h>
#include <linux/wait.h>

#include "base.h"
#include "coordinator.h"
#include "dm_syscall.h"
#include "init.h"
#include "kernel.h"
#include "numbers.h"
#include "pod.h"
#include "tree.h"

#define WAKING_STEP_MS 100
#define VERDICT_STEPS 50
#define REST_MS 20

enum { EVENT_SIGNAL, EVENT_REPORT, EVENT_COORDINATOR, EVENTS };

struct supervisor {
    struct dm_run *run;
    struct dm_coordinator coordinator;
    struct pollfd events[EVENTS];
    int waking;  /* the restart is not done yet */
    int stopped; /* a program was stopped at the terminal meanwhile */
    int verdict; /* steps for which the coordinator's verdict has been waited for although all have ended */
    int own_group;
};

static int in_pod(const struct supervisor *s)
{
    return (s->run->plan->flags & DM_PLAN_POD) != 0;
}

/* Puts our own group into the foreground of the terminal, when the computation's has it from us: another job may have it
 * by now. */
static void take_terminal_back(const struct supervisor *s)
{
    int32_t group = s->own_group;
    if (s->run->foreground)
        (void)dm_syscall3(__NR_ioctl, s->run->terminal_fd, TIOCSPGRP, (int64_t)&group);
    s->run->foreground = 0;
}

static int is_foreground(const struct supervisor *s)
{
    int32_t group = 0;
    return (s->run->plan->flags & DM_PLAN_TERMINAL) != 0 && s->run->terminal_fd >= 0 &&
           dm_syscall3(__NR_ioctl, s->run->terminal_fd, TIOCGPGRP, (int64_t)&group) == 0 && group == s->own_group;
}

static _Noreturn void end_by_signal(int signal)
{
    const uint64_t none[2] = {0, 0};
    /* The program has left its own core file, if any. */
    (void)dm_syscall4(__NR_prlimit64, 0, RLIMIT_CORE, (int64_t)none, 0);
    (void)dm_kill((int)dm_getpid(), signal);
    dm_signal_mask(DM_SIG_UNBLOCK, dm_signal_bit(signal));
    dm_exit_process(128 + signal);
}

static void order(const struct supervisor *s, enum dm_order_type type, int32_t value)
{
    const struct dm_order message = {type, value};
    for (uint32_t pod = 0; pod < s->run->plan->pod_count; pod++) {
        if (in_pod(s))
            (void)dm_write(dm_board_pod(s->run, pod)->order_fd, &message, sizeof message);
        else
            dm_init_obey(s->run, (int32_t)pod, &message);
    }
}

static void kill_everything(const struct supervisor *s)
{
    const struct dm_run *run = s->run;
    dm_board_fail(run->board);
    for (uint32_t pod = 0; in_pod(s) && pod < run->plan->pod_count; pod++)
        if (dm_board_pod(run, pod)->first_pid > 0)
            (void)dm_kill(dm_board_pod(run, pod)->first_pid, DM_SIGKILL);
    for (uint32_t i = 0; !in_pod(s) && i < run->plan->node_count; i++)
        if (run->board->node[i].alive != 0 && run->board->node[i].ended == 0)
            (void)dm_kill(run->nodes[i].pid, DM_SIGKILL);
    while (dm_wait(-1, 0, 0) > 0)
        continue;
}

static _Noreturn void abandon(const struct supervisor *s, int signal)
{
    kill_everything(s);
    take_terminal_back(s);
    if (signal != 0)
        end_by_signal(signal);
    dm_exit_process(DM_EXIT_NOT_RESTARTED);
}

/* Usually nothing else lives when the roots have ended: then all that we have made is gone before we are. Others are
 * left alone after a moment. */
static void wait_for_the_rest(const struct supervisor *s)
{
    struct pollfd signals = s->events[EVENT_SIGNAL];
    for (int64_t more = 1; more > 0;) {
        struct signalfd_siginfo info;
        int64_t pid;
        while ((pid = dm_wait(-1, 0, WNOHANG)) > 0)
            continue;
        if (pid < 0)
            return;
        more = dm_syscall3(__NR_poll, (int64_t)&signals, 1, REST_MS);
        if (more > 0)
            (void)dm_read(signals.fd, &info, sizeof info);
    }
}

static _Noreturn void end_as(const struct supervisor *s, int32_t status)
{
    wait_for_the_rest(s);
    take_terminal_back(s);
    if ((status & 0x7f) != 0)
        end_by_signal(status & 0x7f);
    dm_exit_process((status >> 8) & 0xff);
}

static void stop_ourselves(const struct supervisor *s)
{
    (void)dm_kill((int)dm_getpid(), DM_SIGSTOP);
    /* Continued: by fg(1) when our group has the terminal. */
    s->run->foreground = is_foreground(s);
    if (s->run->foreground)
        order(s, DM_ORDER_FOREGROUND, 0);
    order(s, DM_ORDER_SIGNAL_GROUP, DM_SIGCONT);
}

static void handle_signal(const struct supervisor *s, int signal, int code)
{
    /* What the terminal sends to our group, the computation's processes have got too when they are in it. */
    int shared = code == DM_SI_KERNEL && (s->run->pods[0].flags & DM_POD_KEEP_SESSION) != 0;
    switch (signal) {
    case DM_SIGCHLD:
    case DM_SIGTTIN:
    case DM_SIGTTOU:
    case 13 /* SIGPIPE */:
        return;
    case DM_SIGTSTP:
        if (!shared)
            order(s, DM_ORDER_SIGNAL_GROUP, signal);
        stop_ourselves(s);
        return;
    case DM_SIGCONT:
        order(s, DM_ORDER_SIGNAL_GROUP, signal);
        return;
    default:
        if (s->waking && (signal == DM_SIGHUP || signal == DM_SIGINT || signal == DM_SIGQUIT || signal == DM_SIGTERM))
            abandon(s, signal);
        if (!shared)
            order(s, code == DM_SI_KERNEL ? DM_ORDER_SIGNAL_GROUP : DM_ORDER_SIGNAL, signal);
        return;
    }
}

static void read_signals(const struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (dm_read(s->events[EVENT_SIGNAL].fd, &info, sizeof info) == sizeof info)
        handle_signal(s, (int)info.ssi_signo, info.ssi_code);
}

/* Programs run a moment before the coordinator's word arrives that all do: what happens then is not lost. */
static void stop_when_awake(struct supervisor *s)
{
    if (!s->stopped || s->waking)
        return;
    s->stopped = 0;
    take_terminal_back(s);
    stop_ourselves(s);
}

static void read_reports(struct supervisor *s)
{
    struct dm_report report;
    while (dm_read(s->run->report_read, &report, sizeof report) == sizeof report) {
        if (report.type == DM_REPORT_STOPPED && (s->run->plan->flags & DM_PLAN_TERMINAL) != 0)
            s->stopped = 1;
        stop_when_awake(s);
    }
}

static void hear_coordinator(struct supervisor *s)
{
    enum dm_verdict verdict = dm_coordinator_read(&s->coordinator, s->run->plan);
    if (verdict == DM_VERDICT_NONE)
        return;
    if (verdict == DM_VERDICT_FAILED) {
        /* Without a reason: another dmrestart of this restart says it. */
        if (s->coordinator.reason[0] != 0)
            dm_say(s->run->error_fd & ~DM_SAY_HOST, "%s", s->coordinator.reason);
        abandon(s, 0);
    }
    if (verdict == DM_VERDICT_LOST && s->waking) {
        if (dm_board_fail_first(s->run->board))
            dm_say(s->run->error_fd, "the coordinator ended during the restart. Nothing was restarted.");
        abandon(s, 0);
    }
    s->waking = 0;
    s->events[EVENT_COORDINATOR].fd = -1;
    (void)dm_close(s->run->plan->coordinator_fd);
    stop_when_awake(s);
}

/* The first process of a pod has ended, or a builder or, without a pod, a child. */
static void reap(const struct supervisor *s)
{
    if (!in_pod(s)) {
        (void)dm_tree_reap(s->run);
        return;
    }
    int64_t pid;
    while ((pid = dm_wait(-1, 0, WNOHANG)) > 0)
        for (uint32_t pod = 0; pod < s->run->plan->pod_count; pod++)
            if (dm_board_pod(s->run, pod)->first_pid == pid)
                dm_board_pod(s->run, pod)->first_pid = 0;
}

static int pods_left(const struct supervisor *s)
{
    for (uint32_t pod = 0; pod < s->run->plan->pod_count; pod++)
        if (dm_board_pod(s->run, pod)->first_pid != 0)
            return 1;
    return 0;
}

/* All have ended before the restart was done: it has failed, or they were quick. The coordinator knows, and why. */
static int awaits_verdict(const struct supervisor *s)
{
    return s->waking && s->events[EVENT_COORDINATOR].fd >= 0 && s->verdict < VERDICT_STEPS;
}

static void look_around(struct supervisor *s)
{
    const struct dm_run *run = s->run;
    reap(s);
    if (__atomic_load_n(&run->board->jumped, __ATOMIC_SEQ_CST) == run->board->members)
        dm_numbers_end(s->run);
    if (s->waking && dm_board_failed(run->board))
        abandon(s, 0);
    if (awaits_verdict(s))
        return;
    if (__atomic_load_n(&run->board->roots_left, __ATOMIC_SEQ_CST) == 0)
        end_as(s, run->board->node[run->plan->first_root].status);
    if (in_pod(s) && !pods_left(s)) {
        if (s->waking)
            abandon(s, 0);
        end_as(s, DM_SIGKILL);
    }
    if (s->waking && run->plan->coordinator_fd < 0 &&
        __atomic_load_n(&run->board->jumped, __ATOMIC_SEQ_CST) == run->board->members)
        s->waking = 0;
}

static _Noreturn void watch(struct supervisor *s)
{
    for (;;) {
        look_around(s);
        int64_t ready = dm_syscall3(__NR_poll, (int64_t)s->events, EVENTS, s->waking ? WAKING_STEP_MS : -1);
        if (ready == 0 && !in_pod(s))
            dm_init_look_after(s->run, 0);
        if (ready == 0 &&
            (__atomic_load_n(&s->run->board->roots_left, __ATOMIC_SEQ_CST) == 0 || (in_pod(s) && !pods_left(s))))
            s->verdict++;
        if (ready <= 0)
            continue;
        if (s->events[EVENT_SIGNAL].revents != 0)
            read_signals(s);
        if (s->events[EVENT_REPORT].revents != 0)
            read_reports(s);
        if (s->events[EVENT_COORDINATOR].revents != 0)
            hear_coordinator(s);
    }
}

/* The builder makes the namespaces and their first process, and ends; we are that one's parent then. */
static _Noreturn void build_pod(struct dm_run *run, int32_t pod, int order_read)
{
    struct dm_pod_problem problem;
    if (dm_pod_enter((run->plan->flags & DM_PLAN_USER_NS) != 0, &run->pods[pod], &problem) < 0) {
        if (dm_board_fail_first(run->board))
            dm_say(run->error_fd, "cannot make a pod: %s: %e. Try --no-pod.", problem.step, problem.error);
        dm_exit_process(1);
    }
    int64_t first = dm_fork(0);
    if (first == 0)
        dm_init_live(run, pod, order_read);
    if (first < 0) {
        if (dm_board_fail_first(run->board))
            dm_say(run->error_fd, "cannot make a pod: its first process: %e. Nothing was restarted.", first);
        dm_exit_process(1);
    }
    dm_board_pod(run, (uint32_t)pod)->first_pid = (int32_t)first;
    dm_exit_process(0);
}

static void make_pods(struct supervisor *s)
{
    struct dm_run *run = s->run;
    (void)dm_syscall5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (uint32_t pod = 0; pod < run->plan->pod_count; pod++) {
        int pipe[2];
        int64_t error = dm_syscall2(__NR_pipe2, (int64_t)pipe, O_CLOEXEC);
        int64_t builder = error < 0 ? error : dm_fork(0);
        if (builder == 0) {
            (void)dm_close(pipe[1]);
            build_pod(run, (int32_t)pod, pipe[0]);
        }
        if (builder < 0) {
            dm_say(run->error_fd, "cannot make a pod: %e. Nothing was restarted.", builder);
            abandon(s, 0);
        }
        (void)dm_close(pipe[0]);
        dm_board_pod(run, pod)->order_fd = pipe[1];
        int32_t status = 0;
        (void)dm_wait((int)builder, &status, 0);
        if (status != 0)
            abandon(s, 0);
    }
}

_Noreturn void dm_supervise(struct dm_run *run)
{
    struct supervisor s;
    memset(&s, 0, sizeof s);
    s.run = run;
    s.waking = 1;
    s.own_group = (int)dm_syscall1(__NR_getpgid, 0);
    run->foreground = is_foreground(&s);
    const uint64_t all = ~0ull;
    int signals = (int)dm_syscall4(__NR_signalfd4, -1, (int64_t)&all, sizeof all, SFD_CLOEXEC | SFD_NONBLOCK);
    s.events[EVENT_SIGNAL] = (struct pollfd){signals, POLLIN, 0};
    s.events[EVENT_REPORT] = (struct pollfd){run->report_read, POLLIN, 0};
    s.events[EVENT_COORDINATOR] = (struct pollfd){run->plan->coordinator_fd, POLLIN, 0};

    if (in_pod(&s)) {
        make_pods(&s);
    } else {
        (void)dm_syscall5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        int64_t error = dm_numbers_begin(run);
        if (error < 0)
            dm_say(run->error_fd, "cannot wait for process numbers: %e. Nothing was restarted.", error);
        if (error < 0 || dm_init_found(run, 0) < 0)
            abandon(&s, 0);
    }
    watch(&s);
}
