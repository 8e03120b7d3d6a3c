/* dormouse-restorer PLAN-DESCRIPTOR | --probe [DESCRIPTOR]. World: Bare.
 *
 * Executed by dmrestart in its own place: it has its process id, terminal and
 * standard streams. See plan.h, run.h, supervise.h, in this order.
 */
#include <asm/errno.h>
#include <linux/mman.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "pod.h"
#include "run.h"
#include "supervise.h"

/* Three streams, the image, and three of init.c. */
#define RESERVED_DESCRIPTORS 16

static _Noreturn void refuse(const char *why, int64_t error)
{
    dm_say(2, "%s: %e. Nothing was restarted.", why, error);
    dm_exit_process(DM_EXIT_NOT_RESTARTED);
}

static int has_room(const struct dm_plan *plan, uint64_t offset, uint64_t count, uint64_t bytes)
{
    return offset >= sizeof *plan && offset <= plan->bytes && count <= (plan->bytes - offset) / bytes;
}

static int is_whole(const struct dm_run *run, uint64_t file_bytes)
{
    const struct dm_plan *plan = run->plan;
    if (memcmp(plan->magic, DM_PLAN_MAGIC, sizeof plan->magic) != 0 || plan->version != DM_PLAN_VERSION ||
        plan->bytes != file_bytes)
        return 0;
    if (!has_room(plan, plan->pods, plan->pod_count, sizeof(struct dm_plan_pod)) ||
        !has_room(plan, plan->nodes, plan->node_count, sizeof(struct dm_plan_node)) ||
        !has_room(plan, plan->groups, plan->group_count, sizeof(uint32_t)) ||
        !has_room(plan, plan->strings, plan->strings_bytes, 1) || plan->pod_count == 0 || plan->node_count == 0 ||
        plan->strings_bytes == 0 || plan->first_root >= plan->node_count || run->strings[plan->strings_bytes - 1] != 0)
        return 0;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct dm_plan_node *node = &run->nodes[i];
        if (node->pod < 0 || (uint32_t)node->pod >= plan->pod_count || node->creator >= (int32_t)i ||
            node->creator < DM_PLAN_INIT || node->program >= plan->strings_bytes ||
            node->image >= plan->strings_bytes || node->groups > plan->group_count ||
            node->group_count > plan->group_count - node->groups || node->readers == 0)
            return 0;
    }
    return 1;
}

static void read_plan(struct dm_run *run, int fd)
{
    struct stat status;
    int64_t error = dm_syscall2(__NR_fstat, fd, (int64_t)&status);
    if (error < 0)
        refuse("cannot read the plan", error);
    int64_t start = dm_mmap(0, (uint64_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (dm_is_error(start) || (uint64_t)status.st_size < sizeof(struct dm_plan))
        refuse("cannot read the plan", dm_is_error(start) ? start : -EINVAL);
    (void)dm_close(fd);
    const char *bytes = (const char *)start;
    run->plan = (const struct dm_plan *)bytes;
    run->pods = (const struct dm_plan_pod *)(bytes + run->plan->pods);
    run->nodes = (const struct dm_plan_node *)(bytes + run->plan->nodes);
    run->groups = (const uint32_t *)(bytes + run->plan->groups);
    run->strings = bytes + run->plan->strings;
    if (!is_whole(run, (uint64_t)status.st_size))
        refuse("the plan is not of this version", -EINVAL);
}

static void make_board(struct dm_run *run)
{
    run->board_bytes = sizeof(struct dm_board) + run->plan->node_count * sizeof(struct dm_board_node) +
                       run->plan->pod_count * sizeof(struct dm_board_pod);
    int64_t board = dm_mmap(0, dm_page_up(run->board_bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (dm_is_error(board))
        refuse("no memory", board);
    run->board = (struct dm_board *)board;
    for (uint32_t i = 0; i < run->plan->node_count; i++) {
        run->board->members += run->nodes[i].kind == DM_NODE_MEMBER;
        run->board->roots_left += (run->nodes[i].flags & DM_NODE_ROOT) != 0;
    }
}

static uint64_t read_hex(const char **text)
{
    uint64_t value = 0;
    for (;; (*text)++) {
        char c = **text;
        if (c >= '0' && c <= '9')
            value = value * 16 + (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (uint64_t)(c - 'a' + 10);
        else
            return value;
    }
}

/* A line of proc_pid_maps(5): "start-end rights offset device inode    name". */
static void note_part(struct dm_run *run, const char *line, const char *end)
{
    const char *name = end;
    while (name > line && name[-1] != ' ')
        name--;
    size_t length = (size_t)(end - name);
    int part = length == 6 && memcmp(name, "[vvar]", 6) == 0            ? DM_PART_VVAR
               : length == 13 && memcmp(name, "[vvar_vclock]", 13) == 0 ? DM_PART_VVAR_CLOCK
               : length == 6 && memcmp(name, "[vdso]", 6) == 0          ? DM_PART_VDSO
                                                                        : DM_PARTS;
    if (part == DM_PARTS)
        return;
    uint64_t start = read_hex(&line);
    line++;
    run->parts[part] = (struct dm_kernel_part){start, read_hex(&line) - start};
}

static void find_kernel_parts(struct dm_run *run)
{
    char maps[8192];
    int64_t length = dm_read_file("/proc/self/maps", maps, sizeof maps - 1);
    if (length <= 0)
        refuse("cannot read /proc/self/maps", length);
    maps[length] = 0;
    for (const char *line = maps; *line != 0;) {
        const char *end = line;
        while (*end != 0 && *end != '\n')
            end++;
        note_part(run, line, end);
        line = *end != 0 ? end + 1 : end;
    }
}

/* High numbers may be above the soft limit; root, or who has CAP_SYS_RESOURCE, may go above the hard one, too. */
static void raise_limit(struct dm_run *run)
{
    const uint64_t needed = (uint64_t)run->plan->high_fd + RESERVED_DESCRIPTORS;
    (void)dm_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (int64_t)&run->descriptors);
    const struct dm_limit higher = {needed, run->descriptors.hard};
    const struct dm_limit highest = {needed, needed};
    if (run->descriptors.soft < needed && dm_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, (int64_t)&higher, 0) < 0)
        (void)dm_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, (int64_t)&highest, 0);
}

static void prepare_descriptors(struct dm_run *run)
{
    int pipe[2];
    int64_t error = 0;
    raise_limit(run);
    for (int fd = 0; fd < 3; fd++)
        if (dm_syscall3(__NR_fcntl, fd, F_GETFD, 0) >= 0 && error >= 0)
            error = dm_syscall3(__NR_dup3, fd, run->plan->high_fd + fd, 0);
    if (error >= 0)
        error = dm_syscall2(__NR_pipe2, (int64_t)pipe, O_CLOEXEC | O_NONBLOCK);
    if (error < 0)
        refuse("no descriptor is left", error);
    run->report_read = pipe[0];
    run->report_write = pipe[1];
    run->terminal_fd = -1;
    if ((run->plan->flags & DM_PLAN_TERMINAL) != 0)
        run->terminal_fd = (int)dm_openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY, 0);
}

/* All signals stay blocked for ever and are read from descriptors; members get their masks back from libdormouse.
 * Ignored signals would stay ignored in the restored programs. */
static void prepare_signals(void)
{
    const struct {
        uint64_t handler, flags, restorer, mask;
    } by_default = {0, 0, 0, 0};
    dm_signal_mask(DM_SIG_SETMASK, ~0ull);
    for (int signal = 1; signal <= DM_SIGNALS; signal++)
        (void)dm_syscall4(__NR_rt_sigaction, signal, (int64_t)&by_default, 0, 8);
}

static int read_number(const char *text)
{
    int number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && number < 100000000; at++)
        number = number * 10 + (*at - '0');
    return at != text && *at == 0 ? number : -1;
}

__attribute__((visibility("hidden"))) _Noreturn void dm_main(const uint64_t *stack)
{
    const uint64_t argument_count = stack[0];
    const char *argument = argument_count >= 2 ? (const char *)stack[2] : "";
    prepare_signals();
    if (dm_equal(argument, "--probe"))
        dm_exit_process(dm_probe(argument_count == 3 ? read_number((const char *)stack[3]) : 1));
    int fd = read_number(argument);
    if (argument_count != 2 || fd < 0) {
        dm_say(2, "dormouse-restorer is a part of dmrestart and is not for use by hand.");
        dm_exit_process(DM_EXIT_NOT_RESTARTED);
    }

    struct dm_run run;
    memset(&run, 0, sizeof run);
    run.error_fd = 2;
    read_plan(&run, fd);
    if ((run.plan->flags & DM_PLAN_NAME_HOST) != 0)
        run.error_fd |= DM_SAY_HOST;
    make_board(&run);
    find_kernel_parts(&run);
    prepare_descriptors(&run);
    (void)dm_syscall5(__NR_prctl, PR_SET_NAME, (int64_t) "dmrestart", 0, 0, 0);
    dm_supervise(&run);
}
