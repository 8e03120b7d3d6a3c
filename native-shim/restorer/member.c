/* From the restorer's old place to a hole of the image. World: Bare. */
#include "member.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/mman.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/stat.h>

#include "base.h"
#include "dm_crc32c.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "numbers.h"
#include "program_file.h"
#include "wake.h"

#define LOWEST_PLACE 0x10000000ull
#define HIGHEST_PLACE 0x7fff00000000ull
/* Kept free on both sides: the kernel keeps 1 MiB below a stack that grows. */
#define MARGIN (16ull << 20)
#define TRIES 16

/* The linker gives the ends of the program as loaded. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

void dm_enter(uint64_t stack_top, uint64_t function, uint64_t argument);

/* What is known before the region exists; on the old stack. */
struct opening {
    struct dm_run *run;
    const struct dm_plan_node *node;
    const char *program, *image;
    int32_t image_fd;
    struct dm_image_header header;
};

static _Noreturn void fail(const struct opening *o, const char *what, int64_t error)
{
    if (dm_board_fail_first(o->run->board)) {
        if (error == 0)
            dm_say(o->run->error_fd, "cannot wake %s (pid %d) from %s: %s. Nothing was restarted.", o->program,
                   o->node->pid, o->image, what);
        else
            dm_say(o->run->error_fd, "cannot wake %s (pid %d) from %s: %s: %e. Nothing was restarted.", o->program,
                   o->node->pid, o->image, what, error);
    }
    dm_exit_process(1);
}

_Noreturn void dm_wake_fail(struct dm_wake *wake, const char *what, const char *detail, int64_t error)
{
    if (dm_board_fail_first(wake->board)) {
        if (error == 0)
            dm_say(wake->error_fd, "cannot wake %s (pid %d) from %s: %s%s. Nothing was restarted.", wake->program,
                   wake->pid, wake->image, what, detail);
        else
            dm_say(wake->error_fd, "cannot wake %s (pid %d) from %s: %s%s: %e. Nothing was restarted.", wake->program,
                   wake->pid, wake->image, what, detail, error);
    }
    dm_exit_process(1);
}

static void read_exactly(const struct opening *o, void *to, uint64_t bytes, uint64_t offset, const char *what)
{
    for (uint8_t *at = to; bytes != 0;) {
        int64_t got = dm_pread(o->image_fd, at, bytes, offset);
        if (got <= 0)
            fail(o, what, got == 0 ? -EIO : got);
        at += got;
        offset += (uint64_t)got;
        bytes -= (uint64_t)got;
    }
}

static void open_image(struct opening *o)
{
    int64_t fd = dm_openat(AT_FDCWD, o->image, O_RDONLY, 0);
    if (dm_is_error(fd))
        fail(o, "it cannot be opened", fd);
    int32_t wanted = o->run->plan->high_fd + 3;
    if (fd != wanted) {
        int64_t error = dm_syscall3(__NR_dup3, fd, wanted, 0);
        if (error < 0)
            fail(o, "no descriptor is left", error);
        fd = wanted;
    }
    (void)dm_syscall4(__NR_prlimit64, 0, RLIMIT_NOFILE, (int64_t)&o->run->descriptors, 0);
    (void)dm_syscall3(__NR_close_range, 0, o->run->plan->high_fd - 1, 0);
    (void)dm_syscall3(__NR_close_range, wanted + 1, (int64_t)~0u, 0);
    o->image_fd = (int32_t)fd;

    read_exactly(o, &o->header, sizeof o->header, 0, "it cannot be read");
    const struct dm_image_header *header = &o->header;
    if (memcmp(header->magic, DM_IMAGE_MAGIC, sizeof header->magic) != 0 || header->version != DM_IMAGE_VERSION ||
        header->computation != o->node->computation || header->generation != o->node->generation ||
        header->member != o->node->member || header->pid != (uint32_t)o->node->pid)
        fail(o, "the file was replaced after dmrestart had read it", 0);
}

static uint64_t region_bytes_of(const struct opening *o, uint64_t *tables)
{
    const struct dm_image_header *h = &o->header;
    uint64_t threads = h->thread_count + o->node->readers;
    *tables = h->vma_count * sizeof(struct dm_image_vma) + h->thread_count * sizeof(struct dm_image_thread) +
              h->extent_count * sizeof(struct dm_image_extent) + h->strings_bytes +
              threads * sizeof(struct dm_wake_thread) + o->node->group_count * sizeof(uint32_t) +
              dm_length(o->program) + dm_length(o->image) + 256;
    uint64_t bytes = dm_page_up((uint64_t)(_end - __ehdr_start)) + dm_page_up(sizeof(struct dm_wake)) +
                     DM_IMAGE_HEADER_BYTES + dm_page_up(o->run->board_bytes) + dm_page_up(*tables) +
                     DM_LEADER_STACK_BYTES + threads * DM_THREAD_STACK_BYTES + o->node->readers * DM_SCRATCH_BYTES;
    for (int i = 0; i < DM_PARTS; i++)
        bytes += o->run->parts[i].bytes;
    return bytes;
}

/* Looks for room in the hole [start, end): in the middle first, then on both sides, since the restorer's own
 * mappings may be in the way. Returns the address or 0. */
static uint64_t try_hole(uint64_t start, uint64_t end, uint64_t bytes)
{
    if (start < LOWEST_PLACE)
        start = LOWEST_PLACE;
    if (end > HIGHEST_PLACE)
        end = HIGHEST_PLACE;
    if (end < start || end - start < bytes + 2 * MARGIN)
        return 0;
    uint64_t room = end - start - bytes - 2 * MARGIN;
    for (uint64_t i = 0; i < TRIES; i++) {
        uint64_t share = (i % 2 == 0) ? TRIES / 2 + i / 2 : TRIES / 2 - (i + 1) / 2;
        uint64_t at = (start + MARGIN + room / TRIES * share) & ~(DM_PAGE - 1);
        int64_t got = dm_mmap(at, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (got == (int64_t)at)
            return at;
        if (!dm_is_error(got))
            (void)dm_munmap((uint64_t)got, bytes); /* a kernel before 4.17 takes the address as a hint */
    }
    return 0;
}

/* The largest hole first, by asking for ever smaller ones. */
static uint64_t find_region(const struct opening *o, const struct dm_image_vma *vmas, uint64_t bytes)
{
    for (uint64_t floor = 1ull << 46; floor >= bytes; floor /= 4) {
        uint64_t start = 0;
        for (uint64_t i = 0; i <= o->header.vma_count; i++) {
            uint64_t end = i < o->header.vma_count ? vmas[i].start : HIGHEST_PLACE;
            uint64_t found = end > start && end - start >= floor ? try_hole(start, end, bytes) : 0;
            if (found != 0)
                return found;
            if (i < o->header.vma_count)
                start = vmas[i].end;
        }
    }
    return 0;
}

/* The mappings must be known to find a hole, and the hole to have a place for them: so they are read twice. */
static uint64_t make_region(const struct opening *o, uint64_t bytes)
{
    uint64_t table_bytes = dm_page_up(o->header.vma_count * sizeof(struct dm_image_vma));
    int64_t table = dm_mmap(0, table_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dm_is_error(table))
        fail(o, "no memory for its list of mappings", table);
    read_exactly(o, (void *)table, o->header.vma_count * sizeof(struct dm_image_vma), o->header.vma_offset,
                 "its list of mappings cannot be read");
    uint64_t region = find_region(o, (const struct dm_image_vma *)table, bytes);
    if (region == 0)
        fail(o, "its address space has no hole for the restorer", 0);
    (void)dm_munmap((uint64_t)table, table_bytes);
    return region;
}

static void *take(uint64_t *at, uint64_t bytes)
{
    void *start = (void *)*at;
    *at += (bytes + 15) & ~15ull;
    return start;
}

static void *load_table(const struct opening *o, uint64_t *at, uint64_t offset, uint64_t bytes, uint32_t crc,
                        const char *what)
{
    void *table = take(at, bytes);
    read_exactly(o, table, bytes, offset, what);
    if (dm_crc32c(table, bytes) != crc)
        fail(o, what, -EIO);
    return table;
}

static const char *copy_text(uint64_t *at, const char *text)
{
    size_t bytes = dm_length(text) + 1;
    return memcpy(take(at, bytes), text, bytes);
}

static void load_tables(const struct opening *o, struct dm_wake *wake, uint64_t at)
{
    const struct dm_image_header *h = &o->header;
    wake->vmas = load_table(o, &at, h->vma_offset, h->vma_count * sizeof(struct dm_image_vma), h->vma_crc,
                            "its list of mappings is damaged");
    wake->threads = load_table(o, &at, h->thread_offset, h->thread_count * sizeof(struct dm_image_thread),
                               h->thread_crc, "its list of threads is damaged");
    wake->extents = load_table(o, &at, h->extent_offset, h->extent_count * sizeof(struct dm_image_extent),
                               h->extent_crc, "its list of extents is damaged");
    wake->strings =
        load_table(o, &at, h->strings_offset, h->strings_bytes, h->strings_crc, "its list of strings is damaged");
    wake->thread_arguments = take(&at, (h->thread_count + o->node->readers) * sizeof(struct dm_wake_thread));
    uint32_t *groups = take(&at, o->node->group_count * sizeof(uint32_t));
    memcpy(groups, o->run->groups + o->node->groups, o->node->group_count * sizeof(uint32_t));
    wake->identity.groups = groups;
    wake->program = copy_text(&at, o->program);
    wake->image = copy_text(&at, o->image);
}

static void move_mapping(const struct opening *o, uint64_t from, uint64_t bytes, uint64_t to, const char *what)
{
    int64_t got = dm_syscall5(__NR_mremap, (int64_t)from, (int64_t)bytes, (int64_t)bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                              (int64_t)to);
    if (dm_is_error(got))
        fail(o, what, got);
}

static void fill_info(const struct opening *o, struct dm_wake *wake)
{
    const struct dm_plan *plan = o->run->plan;
    struct dm_restart_info *info = &wake->info;
    info->bytes = sizeof *info;
    info->flags = ((plan->flags & DM_PLAN_POD) != 0 ? DM_RESTART_POD : 0) |
                  ((plan->flags & DM_PLAN_ACCEPT_CHANGED_FILES) != 0 ? DM_RESTART_ACCEPT_CHANGED_FILES : 0) |
                  ((plan->flags & DM_PLAN_QUIET) != 0 ? DM_RESTART_QUIET : 0) |
                  ((plan->flags & DM_PLAN_NAME_HOST) != 0 ? DM_RESTART_NAME_HOST : 0);
    info->region_start = wake->region_start;
    info->region_bytes = wake->region_bytes;
    info->session = plan->session;
    info->image_fd = o->image_fd;
    for (int i = 0; i < 3; i++)
        info->stdio[i] = dm_syscall3(__NR_fcntl, plan->high_fd + i, F_GETFD, 0) >= 0 ? plan->high_fd + i : -1;
    info->port = plan->port;
    memcpy(info->token, plan->token, sizeof info->token);
    memcpy(info->host, plan->host, sizeof info->host);
    memcpy(info->library, plan->library, sizeof info->library);
}

static uint32_t is_roots_own(int32_t fd)
{
    struct stat status;
    return dm_syscall2(__NR_fstat, fd, (int64_t)&status) == 0 && status.st_uid == 0 &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static uint32_t gives_rights_up(const struct dm_wake *wake)
{
    for (uint64_t i = 0; i < wake->header->thread_count; i++) {
        if ((wake->threads[i].flags & DM_THREAD_GIVES_UP) != 0)
            return 1;
    }
    return 0;
}

static void fill_identity(const struct opening *o, struct dm_wake *wake)
{
    const struct dm_plan_node *node = o->node;
    int user_namespaces = (o->run->plan->flags & DM_PLAN_USER_NS) != 0;
    wake->identity.drop_capabilities = user_namespaces && node->uid != 0;
    if (wake->identity.drop_capabilities)
        wake->info.flags |= DM_RESTART_DROP_CAPABILITIES;
    wake->identity.set_ids = !user_namespaces && dm_syscall0(__NR_geteuid) == 0;
    wake->identity.keeps_rights = is_roots_own(o->image_fd) && gives_rights_up(wake);
    wake->identity.uid = node->uid;
    wake->identity.gid = node->gid;
    wake->identity.group_count = node->group_count;
}

static _Noreturn void wake_in_region(struct dm_wake *wake)
{
    dm_wake_memory(wake);
    dm_wake_threads(wake);
}

_Noreturn void dm_member_wake(struct dm_run *run, int32_t index)
{
    struct opening o;
    memset(&o, 0, sizeof o);
    if (dm_numbers_are_counted(run->board) && !run->is_again)
        dm_become_program_file(run, index);
    o.run = run;
    o.node = &run->nodes[index];
    o.program = dm_string(run, o.node->program);
    o.image = dm_string(run, o.node->image);
    open_image(&o);

    uint64_t table_bytes = 0;
    uint64_t region_bytes = region_bytes_of(&o, &table_bytes);
    uint64_t region = make_region(&o, region_bytes);
    uint64_t code_bytes = dm_page_up((uint64_t)(_end - __ehdr_start));
    uint64_t at = region;
    memcpy((void *)at, __ehdr_start, (size_t)(_end - __ehdr_start));
    at += code_bytes;

    struct dm_wake *wake = (struct dm_wake *)at;
    at += dm_page_up(sizeof *wake);
    wake->region_start = region;
    wake->region_bytes = region_bytes;
    wake->header = (struct dm_image_header *)at;
    at += DM_IMAGE_HEADER_BYTES;
    memcpy(wake->header, &o.header, sizeof o.header);

    uint64_t board = at;
    at += dm_page_up(run->board_bytes);
    for (int i = 0; i < DM_PARTS; i++) {
        wake->parts[i] = (struct dm_kernel_part){at, run->parts[i].bytes};
        at += run->parts[i].bytes;
    }
    load_tables(&o, wake, at);
    at += dm_page_up(table_bytes);
    uint64_t leader_stack_top = at + DM_LEADER_STACK_BYTES;
    wake->stacks = leader_stack_top;
    wake->scratch = wake->stacks + (o.header.thread_count + o.node->readers) * DM_THREAD_STACK_BYTES;

    wake->readers = o.node->readers;
    wake->image_fd = o.image_fd;
    wake->pid = o.node->pid;
    wake->nice = o.node->nice;
    wake->spare_tid = o.node->spare_tid;
    wake->index = index;
    fill_info(&o, wake);
    fill_identity(&o, wake);
    wake->error_fd = wake->info.stdio[2] | (run->error_fd & DM_SAY_HOST);
    run->error_fd = wake->error_fd;

    wake->board = (struct dm_board *)board;
    wake->board_node = &wake->board->node[index];
    int64_t error = dm_mprotect(region, code_bytes, PROT_READ | PROT_EXEC);
    if (error < 0)
        fail(&o, "the kernel forbids code in anonymous memory", error);
    for (int i = 0; i < DM_PARTS; i++)
        if (run->parts[i].bytes != 0)
            move_mapping(&o, run->parts[i].start, run->parts[i].bytes, wake->parts[i].start,
                         "the kernel's own pages cannot be moved");
    move_mapping(&o, (uint64_t)run->board, dm_page_up(run->board_bytes), board, "the shared page cannot be moved");

    uint64_t function = (uint64_t)&wake_in_region - (uint64_t)__ehdr_start + region;
    dm_enter(leader_stack_top, function, (uint64_t)wake);
    __builtin_unreachable();
}
