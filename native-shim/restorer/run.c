/* What main.c begins with, and a member that has become its program's file (program_file.c) begins again with. World: Bare. */
#include "run.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/mman.h>

#include "base.h"
#include "dm_syscall.h"
#include "numbers.h"
#include "supervise.h"

_Noreturn void dm_refuse(const char *why, int64_t error)
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
            node->group_count > plan->group_count - node->groups || node->threads > plan->group_count ||
            node->thread_count > plan->group_count - node->threads || node->file >= plan->strings_bytes ||
            node->readers == 0)
            return 0;
    }
    return 1;
}

void dm_run_read_plan(struct dm_run *run, int fd)
{
    struct stat status;
    int64_t error = dm_syscall2(__NR_fstat, fd, (int64_t)&status);
    if (error < 0)
        dm_refuse("cannot read the plan", error);
    int64_t start = dm_mmap(0, (uint64_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (dm_is_error(start) || (uint64_t)status.st_size < sizeof(struct dm_plan))
        dm_refuse("cannot read the plan", dm_is_error(start) ? start : -EINVAL);
    const char *bytes = (const char *)start;
    run->plan = (const struct dm_plan *)bytes;
    run->pods = (const struct dm_plan_pod *)(bytes + run->plan->pods);
    run->nodes = (const struct dm_plan_node *)(bytes + run->plan->nodes);
    run->groups = (const uint32_t *)(bytes + run->plan->groups);
    run->strings = bytes + run->plan->strings;
    if (!is_whole(run, (uint64_t)status.st_size))
        dm_refuse("the plan is not of this version", -EINVAL);
    run->error_fd = 2 | ((run->plan->flags & DM_PLAN_NAME_HOST) != 0 ? DM_SAY_HOST : 0);
}

/* In memory that has a descriptor when it must outlive an execve(2). */
static void map_board(struct dm_run *run)
{
    const uint64_t bytes = dm_page_up(run->board_bytes);
    int flags = MAP_SHARED;
    if (run->board_fd < 0)
        flags |= MAP_ANONYMOUS;
    int64_t board = dm_mmap(0, bytes, PROT_READ | PROT_WRITE, flags, run->board_fd, 0);
    if (dm_is_error(board))
        dm_refuse("no memory", board);
    run->board = (struct dm_board *)board;
}

static uint64_t fixed_board_bytes(const struct dm_run *run)
{
    return sizeof(struct dm_board) + run->plan->node_count * sizeof(struct dm_board_node) +
           run->plan->pod_count * sizeof(struct dm_board_pod);
}

void dm_run_make_board(struct dm_run *run)
{
    const uint32_t numbers = dm_numbers_of(run);
    run->board_bytes = fixed_board_bytes(run) + numbers * sizeof(struct dm_number);
    run->board_fd = -1;
    if (numbers != 0) {
        int64_t fd = dm_syscall2(__NR_memfd_create, (int64_t) "dormouse-board", 0);
        int64_t error = fd < 0 ? fd : dm_syscall2(__NR_ftruncate, fd, (int64_t)dm_page_up(run->board_bytes));
        if (error < 0)
            dm_refuse("no memory", error);
        run->board_fd = (int)fd;
    }
    map_board(run);
    run->board->number_count = numbers;
    run->board->numbers_at = (uint32_t)fixed_board_bytes(run);
    for (uint32_t i = 0; i < run->plan->node_count; i++) {
        run->board->members += run->nodes[i].kind == DM_NODE_MEMBER;
        run->board->roots_left += (run->nodes[i].flags & DM_NODE_ROOT) != 0;
    }
}

void dm_run_open_board(struct dm_run *run, int fd)
{
    run->board_fd = fd;
    run->board_bytes = fixed_board_bytes(run) + dm_numbers_of(run) * sizeof(struct dm_number);
    map_board(run);
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

void dm_run_find_kernel_parts(struct dm_run *run)
{
    char maps[8192];
    int64_t length = dm_read_file("/proc/self/maps", maps, sizeof maps - 1);
    if (length <= 0)
        dm_refuse("cannot read /proc/self/maps", length);
    maps[length] = 0;
    for (const char *line = maps; *line != 0;) {
        const char *end = line;
        while (*end != 0 && *end != '\n')
            end++;
        note_part(run, line, end);
        line = *end != 0 ? end + 1 : end;
    }
}
