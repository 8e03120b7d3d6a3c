/* World: Bare. */
#include "pod.h"

#include <asm/errno.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/time.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"

#define NS_PER_SECOND 1000000000ll

static int problem_at(struct dm_pod_problem *problem, const char *step, int64_t error)
{
    problem->step = step;
    problem->error = error;
    return -1;
}

/* A map of one line about oneself needs no privilege, user_namespaces(7). */
static int map_one(const char *path, uint32_t inside, uint32_t outside)
{
    char line[64];
    dm_format(line, sizeof line, "%d %d 1", (int32_t)inside, (int32_t)outside);
    return dm_write_file(path, line);
}

static int enter_user_namespace(uint32_t uid_inside, uint32_t uid_outside, uint32_t gid_inside, uint32_t gid_outside,
                                struct dm_pod_problem *problem)
{
    int64_t error = dm_syscall1(__NR_unshare, CLONE_NEWUSER);
    if (error < 0)
        return problem_at(problem, "a user namespace", error);
    /* Without privilege the group map needs setgroups(2) to be forbidden; in the inner namespace it already is. */
    (void)dm_write_file("/proc/self/setgroups", "deny");
    error = map_one("/proc/self/uid_map", uid_inside, uid_outside);
    if (error < 0)
        return problem_at(problem, "the user map of a user namespace", error);
    error = map_one("/proc/self/gid_map", gid_inside, gid_outside);
    if (error < 0)
        return problem_at(problem, "the group map of a user namespace", error);
    return 0;
}

static int64_t clock_now(int clock)
{
    struct dm_timespec now = {0, 0};
    (void)dm_syscall2(__NR_clock_gettime, clock, (int64_t)&now);
    return now.seconds * NS_PER_SECOND + now.nanoseconds;
}

/* The offset of one clock in /proc/self/timens_offsets: "monotonic  seconds  nanoseconds". */
static int64_t present_offset(const char *text, const char *clock)
{
    size_t length = dm_length(clock);
    while (*text != 0 && memcmp(text, clock, length) != 0) {
        while (*text != 0 && *text != '\n')
            text++;
        text += *text == '\n';
    }
    text += *text != 0 ? length : 0;
    int64_t parts[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        int negative = 0;
        while (*text == ' ' || *text == '\t')
            text++;
        if (*text == '-') {
            negative = 1;
            text++;
        }
        for (; *text >= '0' && *text <= '9'; text++)
            parts[i] = parts[i] * 10 + (*text - '0');
        if (negative)
            parts[i] = -parts[i];
    }
    return parts[0] * NS_PER_SECOND + parts[1];
}

/* Offsets count from the host's clocks, also in a time namespace inside another, time_namespaces(7). */
static int set_clock(const char *offsets, const char *name, int clock, int64_t target)
{
    if (target == 0)
        return 0;
    int64_t offset = present_offset(offsets, name) + target - clock_now(clock);
    int64_t seconds = offset / NS_PER_SECOND, rest = offset % NS_PER_SECOND;
    if (rest < 0) {
        rest += NS_PER_SECOND;
        seconds--;
    }
    char line[96];
    dm_format(line, sizeof line, "%s %l %l\n", name, seconds, rest);
    return dm_write_file("/proc/self/timens_offsets", line);
}

static int set_clocks(const struct dm_plan_pod *pod)
{
    char offsets[256];
    int64_t length = dm_read_file("/proc/self/timens_offsets", offsets, sizeof offsets - 1);
    if (length < 0)
        return (int)length;
    offsets[length] = 0;
    int error = set_clock(offsets, "monotonic", CLOCK_MONOTONIC, pod->monotonic_ns);
    return error < 0 ? error : set_clock(offsets, "boottime", CLOCK_BOOTTIME, pod->boottime_ns);
}

int dm_pod_enter(int user_namespaces, const struct dm_plan_pod *pod, struct dm_pod_problem *problem)
{
    uint32_t uid = (uint32_t)dm_syscall0(__NR_geteuid), gid = (uint32_t)dm_syscall0(__NR_getegid);
    if (user_namespaces && enter_user_namespace(0, uid, 0, gid, problem) < 0)
        return -1;
    if (user_namespaces && enter_user_namespace(uid, 0, gid, 0, problem) < 0)
        return -1;
    /* Owned by the inner user namespace: there the restored process, for as long as it makes its resources, may choose
     * the ids of System V objects (ipc_permissions() of ipc/ipc_sysctl.c asks for CAP_CHECKPOINT_RESTORE there). */
    int64_t error = dm_syscall1(__NR_unshare, CLONE_NEWIPC);
    if (error < 0)
        return problem_at(problem, "an IPC namespace", error);
    error = dm_syscall1(__NR_unshare, CLONE_NEWPID | CLONE_NEWNS);
    if (error < 0)
        return problem_at(problem, "PID and mount namespaces", error);
    error = dm_syscall1(__NR_unshare, CLONE_NEWTIME);
    if (error < 0)
        return problem_at(problem, "a time namespace", error);
    error = set_clocks(pod);
    if (error < 0)
        return problem_at(problem, "the clocks of a time namespace", error);
    return 0;
}

int dm_pod_settle(struct dm_pod_problem *problem)
{
    /* Slave: what the host mounts later (automounts, network homes) still appears here, ours do not there. */
    int64_t error = dm_syscall5(__NR_mount, 0, (int64_t) "/", 0, MS_REC | MS_SLAVE, 0);
    if (error < 0)
        return problem_at(problem, "mounts of its own", error);
    error = dm_syscall5(__NR_mount, (int64_t) "proc", (int64_t) "/proc", (int64_t) "proc",
                        MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
    if (error < 0)
        return problem_at(problem, "a /proc of its own (in a container with a masked /proc the kernel refuses it)",
                          error);
    /* POSIX message queues belong to the IPC namespace. Most programs have none, so failure is no reason to stop. */
    (void)dm_syscall5(__NR_mount, (int64_t) "mqueue", (int64_t) "/dev/mqueue", (int64_t) "mqueue",
                      MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
    return 0;
}

enum { PROBE_WORKED = 0, PROBE_FAILED = 1 };

static int print_result(int output, const char *what, const struct dm_pod_problem *problem)
{
    char line[256];
    size_t length = problem->step == 0
                        ? dm_format(line, sizeof line, "%s: ok\n", what)
                        : dm_format(line, sizeof line, "%s: %s: %e\n", what, problem->step, problem->error);
    (void)dm_write(output, line, length);
    return problem->step == 0 ? PROBE_WORKED : PROBE_FAILED;
}

/* Runs in the first process of a trial pod. */
static int probe_inside(int output)
{
    struct dm_pod_problem problem = {0, 0};
    if (dm_pod_settle(&problem) == 0) {
        int64_t child = dm_fork(4711);
        if (child == 0)
            dm_exit_process(0);
        if (child != 4711)
            problem_at(&problem, "exact process ids", child);
    }
    return print_result(output, "pod", &problem);
}

static int probe_pod(int output, int user_namespaces)
{
    const struct dm_plan_pod clocks = {.monotonic_ns = NS_PER_SECOND, .boottime_ns = NS_PER_SECOND};
    struct dm_pod_problem problem = {0, 0};
    if (dm_pod_enter(user_namespaces, &clocks, &problem) < 0)
        return print_result(output, "pod", &problem);
    int64_t first = dm_fork(0);
    if (first == 0)
        dm_exit_process(probe_inside(output));
    if (first < 0) {
        problem_at(&problem, "its first process", first);
        return print_result(output, "pod", &problem);
    }
    int32_t status = 0;
    (void)dm_wait((int)first, &status, 0);
    return status == 0 ? PROBE_WORKED : PROBE_FAILED;
}

static void probe_ids(int output)
{
    struct dm_pod_problem problem = {0, 0};
    int64_t child = -EEXIST;
    for (int32_t pid = 32767; pid > 32000 && child == -EEXIST; pid--)
        child = dm_fork(pid);
    if (child == 0)
        dm_exit_process(0);
    if (child < 0)
        problem_at(&problem, "exact process ids", child);
    else
        (void)dm_wait((int)child, 0, 0);
    (void)print_result(output, "ids", &problem);
}

int dm_probe(int output)
{
    for (int user_namespaces = 0; user_namespaces < 2; user_namespaces++) {
        int64_t trial = dm_fork(0);
        if (trial == 0) {
            /* The first attempt is for root only: stay silent when it fails. */
            if (user_namespaces == 0 && dm_syscall1(__NR_unshare, CLONE_NEWIPC) < 0)
                dm_exit_process(PROBE_FAILED);
            (void)dm_write(output, user_namespaces ? "user namespaces: yes\n" : "user namespaces: no\n",
                           user_namespaces ? 21 : 20);
            dm_exit_process(probe_pod(output, user_namespaces));
        }
        int32_t status = 0;
        (void)dm_wait((int)trial, &status, 0);
        if (status == 0)
            break;
    }
    probe_ids(output);
    return 0;
}
