/* World: Bare. */
#include "init.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/signalfd.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "pod.h"
#include "tree.h"

#define LOOK_AFTER_MS 200

static void take_foreground(const struct dm_run *run, int32_t pod)
{
    int32_t group = run->pods[pod].foreground_group;
    if (run->terminal_fd >= 0 && group != 0)
        (void)dm_syscall3(__NR_ioctl, run->terminal_fd, TIOCSPGRP, (int64_t)&group);
}

int dm_init_found(struct dm_run *run, int32_t pod)
{
    if (dm_tree_grow(run, DM_PLAN_INIT, pod, 0) < 0)
        return -1;
    for (enum dm_phase phase = DM_PHASE_CREATED; phase <= DM_PHASE_MOVED; phase++)
        if (dm_board_pass(run, phase) < 0)
            return -1;
    /* All groups exist and nobody runs yet: a program that reads its terminal at once must find itself in the foreground. */
    if (run->foreground)
        take_foreground(run, pod);
    if (dm_tree_settle(run, DM_PLAN_INIT, pod) < 0)
        return -1;
    if (dm_board_pass(run, DM_PHASE_SETTLED) < 0)
        return -1;
    return dm_board_pass(run, DM_PHASE_CHECKED);
}

void dm_init_obey(const struct dm_run *run, int32_t pod, const struct dm_order *order)
{
    if (order->type == DM_ORDER_FOREGROUND) {
        take_foreground(run, pod);
        return;
    }
    for (uint32_t i = 0; i < run->plan->node_count; i++) {
        const struct dm_plan_node *node = &run->nodes[i];
        if (node->pod != pod || (node->flags & DM_NODE_ROOT) == 0 || run->board->node[i].ended != 0)
            continue;
        int to_group = order->type == DM_ORDER_SIGNAL_GROUP && node->pgid > 1;
        (void)dm_kill(to_group ? -node->pgid : node->pid, order->value);
    }
}

static int is_dead(int32_t pid)
{
    char path[32], stat[512];
    dm_format(path, sizeof path, "/proc/%d/stat", pid);
    int64_t length = dm_read_file(path, stat, sizeof stat - 1);
    if (length <= 0)
        return length == -ENOENT || length == -ESRCH;
    /* The state follows the name, which is in parentheses and may contain some, proc_pid_stat(5). */
    while (length > 0 && stat[length - 1] != ')')
        length--;
    return stat[length] == ' ' && (stat[length + 1] == 'Z' || stat[length + 1] == 'X');
}

void dm_init_look_after(const struct dm_run *run, int32_t pod)
{
    for (uint32_t i = 0; i < run->plan->node_count; i++) {
        const struct dm_plan_node *node = &run->nodes[i];
        const struct dm_board_node *entry = &run->board->node[i];
        if (node->pod != pod || node->kind != DM_NODE_MEMBER || entry->jumped != 0 || entry->ended != 0)
            continue;
        if (is_dead(node->pid) && __atomic_load_n(&entry->jumped, __ATOMIC_SEQ_CST) == 0 &&
            dm_board_fail_first(run->board))
            dm_say(run->error_fd, "%s (pid %d) ended while it was being restored.", dm_string(run, node->program),
                   node->pid);
    }
}

/* Moves the descriptors that are still needed behind the standard streams of the members and closes all others:
 * another pod's order pipe, for instance, must close when the supervisor ends. */
static void keep_descriptors(struct dm_run *run, int *order_fd)
{
    int next = run->plan->high_fd + 4;
    int *const kept[] = {&run->report_write, order_fd, &run->terminal_fd};
    for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (*kept[i] < 0)
            continue;
        if (dm_syscall3(__NR_dup3, *kept[i], next, O_CLOEXEC) >= 0)
            *kept[i] = next++;
    }
    (void)dm_syscall3(__NR_close_range, 3, run->plan->high_fd - 1, 0);
    (void)dm_syscall3(__NR_close_range, next, (int64_t)~0u, 0);
}

static void set_up(struct dm_run *run, int32_t pod, int *order_fd)
{
    struct dm_pod_problem problem;
    keep_descriptors(run, order_fd);
    if ((run->pods[pod].flags & DM_POD_KEEP_SESSION) == 0)
        (void)dm_syscall0(__NR_setsid);
    if (dm_pod_settle(&problem) < 0) {
        if (dm_board_fail_first(run->board))
            dm_say(run->error_fd, "cannot make a pod: %s: %e. Try --no-pod.", problem.step, problem.error);
        dm_exit_process(1);
    }
}

/* Returns 0 when the supervisor is gone. */
static int read_order(const struct dm_run *run, int32_t pod, int order_fd)
{
    struct dm_order order;
    if (dm_read(order_fd, &order, sizeof order) != sizeof order)
        return 0;
    dm_init_obey(run, pod, &order);
    return 1;
}

_Noreturn void dm_init_live(struct dm_run *run, int32_t pod, int order_fd)
{
    run->pod = pod;
    set_up(run, pod, &order_fd);
    if (dm_init_found(run, pod) < 0)
        dm_exit_process(1);

    const uint64_t wanted = dm_signal_bit(DM_SIGCHLD);
    int signals = (int)dm_syscall4(__NR_signalfd4, -1, (int64_t)&wanted, sizeof wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd events[2] = {{signals, POLLIN, 0}, {order_fd, POLLIN, 0}};
    while (dm_tree_reap(run) != 0) {
        if (dm_board_failed(run->board))
            dm_exit_process(1);
        int waking = __atomic_load_n(&run->board->jumped, __ATOMIC_SEQ_CST) < run->board->members;
        int64_t ready = dm_syscall3(__NR_poll, (int64_t)events, 2, waking ? LOOK_AFTER_MS : -1);
        if (ready == 0)
            dm_init_look_after(run, pod);
        if ((events[0].revents & POLLIN) != 0) {
            struct signalfd_siginfo info;
            (void)dm_read(signals, &info, sizeof info);
        }
        if (events[1].revents != 0 && !read_order(run, pod, order_fd)) {
            /* The supervisor may go when all roots have ended; other processes live on. */
            if (__atomic_load_n(&run->board->roots_left, __ATOMIC_SEQ_CST) != 0)
                dm_exit_process(1);
            events[1].fd = -1;
        }
    }
    dm_exit_process(0);
}
