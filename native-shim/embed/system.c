/* System calls of the C# object, without libc: no cancellation points, nobody else's interposed functions.
 * World: Guest and Frozen. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <linux/membarrier.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "dm_embed.h"
#include "dm_syscall.h"
#include "embed.h"

int64_t dm_rt_result(int64_t result)
{
    if (!dm_is_error(result))
        return result;
    errno = (int)-result;
    return -1;
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

enum { MOST_RESERVATIONS = 8 };
static struct {
    uint64_t start, end;
} s_reservations[MOST_RESERVATIONS];

static bool is_reserved(uint64_t address)
{
    for (int i = 0; i < MOST_RESERVATIONS; i++) {
        if (address >= s_reservations[i].start && address < s_reservations[i].end)
            return true;
    }
    return false;
}

/* A part that is given back is reserved again where it was. */
static void note_reservation(uint64_t start, uint64_t bytes)
{
    for (int i = 0; i < MOST_RESERVATIONS && !is_reserved(start); i++) {
        if (s_reservations[i].end == 0) {
            s_reservations[i].start = start;
            s_reservations[i].end = start + bytes;
        }
    }
}

int dm_rt_madvise(void *address, size_t bytes, int advice)
{
    /* These two split mappings, and nobody reads a core file of ours. */
    if (advice == MADV_DONTDUMP || advice == MADV_DODUMP)
        return 0;
    return (int)dm_rt_result(dm_madvise((uint64_t)address, bytes, advice));
}

/* The collector reserves address space without access, and opens and closes it piece by piece. Each piece would change the
 * memory map while an image of this process is being planned, so what it reserves is open from the start: untouched
 * pages cost nothing either way. */
void *dm_rt_mmap64(void *address, size_t bytes, int prot, int flags, int fd, int64_t offset)
{
    bool is_closing = prot == PROT_NONE && (flags & MAP_FIXED) != 0 && is_reserved((uint64_t)address);
    if (is_closing)
        return dm_rt_madvise(address, bytes, MADV_DONTNEED) == 0 ? address : MAP_FAILED;
    bool is_anywhere = address == NULL && (flags & MAP_ANONYMOUS) != 0 && (prot & PROT_EXEC) == 0;
    int64_t result =
        is_anywhere ? dm_arena_map(bytes) : dm_mmap((uint64_t)address, bytes, prot, flags, fd, (uint64_t)offset);
    if (is_anywhere && prot == PROT_NONE && !dm_is_error(result))
        note_reservation((uint64_t)result, bytes);
    return (void *)dm_rt_result(result);
}

int dm_rt_munmap(void *address, size_t bytes)
{
    return (int)dm_rt_result(dm_arena_unmap((uint64_t)address, bytes));
}

int dm_rt_mprotect(void *address, size_t bytes, int prot)
{
    if (is_reserved((uint64_t)address))
        return 0;
    return (int)dm_rt_result(dm_mprotect((uint64_t)address, bytes, prot));
}

int64_t dm_rt_write(int fd, const void *buffer, size_t bytes)
{
    return dm_rt_result(dm_write(fd, buffer, bytes));
}

/* --- time -------------------------------------------------------------------------------------------------------- */

int dm_rt_clock_gettime(int clock, struct timespec *time)
{
    return (int)dm_rt_result(dm_syscall2(__NR_clock_gettime, clock, (int64_t)time));
}

int dm_rt_gettimeofday(struct timeval *time, void *zone)
{
    return (int)dm_rt_result(dm_syscall2(__NR_gettimeofday, (int64_t)time, (int64_t)zone));
}

int64_t dm_rt_time(int64_t *result)
{
    return dm_rt_result(dm_syscall1(__NR_time, (int64_t)result));
}

int dm_rt_nanosleep(const struct timespec *time, struct timespec *rest)
{
    return (int)dm_rt_result(dm_syscall2(__NR_nanosleep, (int64_t)time, (int64_t)rest));
}

/* Returns the error, not -1: clock_nanosleep(2). */
int dm_rt_clock_nanosleep(int clock, int flags, const struct timespec *time, struct timespec *rest)
{
    return -(int)dm_syscall4(__NR_clock_nanosleep, clock, flags, (int64_t)time, (int64_t)rest);
}

int dm_rt_sched_yield(void)
{
    return (int)dm_rt_result(dm_syscall0(__NR_sched_yield));
}

/* --- the process and its machine --------------------------------------------------------------------------------- */

int dm_rt_getpid(void)
{
    return (int)dm_getpid();
}

int dm_rt_sysinfo(struct sysinfo *info)
{
    return (int)dm_rt_result(dm_syscall1(__NR_sysinfo, (int64_t)info));
}

int dm_rt_getrlimit64(int resource, void *limit)
{
    return (int)dm_rt_result(dm_syscall4(__NR_prlimit64, 0, resource, 0, (int64_t)limit));
}

/* What the runtime falls back to when it cannot open /dev/urandom; 31 bits, lrand48(3). */
int64_t dm_rt_lrand48(void)
{
    uint32_t random = 0;
    (void)dm_syscall3(__NR_getrandom, (int64_t)&random, sizeof random, 0);
    return random >> 1;
}

/* The cache sizes stay unknown (0): the collector would make its youngest generation as large as the cache. */
int64_t dm_rt_sysconf(int name)
{
    struct sysinfo info;
    switch (name) {
    case _SC_PAGESIZE:
        return 4096;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return 1;
    case _SC_PHYS_PAGES:
        return dm_rt_sysinfo(&info) == 0 ? (int64_t)(info.totalram / 4096 * info.mem_unit) : -1;
    case _SC_AVPHYS_PAGES:
        return dm_rt_sysinfo(&info) == 0 ? (int64_t)(info.freeram / 4096 * info.mem_unit) : -1;
    default:
        return 0;
    }
}

/* The few numbers that the runtime calls itself.
 * membarrier: the runtime wants to interrupt its other threads; it has none. Answered here, so that no registration
 * (inherited by fork, visible to the program's own QUERY) happens.
 * gettid: C# has one thread whose identity outlives any kernel thread. */
int64_t dm_rt_syscall(int64_t number, int64_t first)
{
    switch (number) {
    case __NR_gettid:
        return 1;
    case __NR_membarrier:
        return first == MEMBARRIER_CMD_QUERY
                   ? MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
                   : 0;
    default:
        return dm_rt_result(-ENOSYS);
    }
}

/* --- this library ------------------------------------------------------------------------------------------------ */

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static struct dl_phdr_info s_self;

static int keep_self(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    (void)argument;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_offset == 0 &&
            start == (uintptr_t)__ehdr_start) {
            s_self = *info;
            s_self.dlpi_adds = 1;
            s_self.dlpi_subs = 0;
            s_self.dlpi_tls_data = NULL;
            return 1;
        }
    }
    return 0;
}

void dm_embed_find_self(void)
{
    if (s_self.dlpi_phdr == NULL)
        (void)dl_iterate_phdr(keep_self, NULL);
}

/* The unwinder looks for the tables of managed frames, which all lie in this library. */
int dm_rt_dl_iterate_phdr(int (*visit)(struct dl_phdr_info *, size_t, void *), void *argument)
{
    return visit(&s_self, sizeof s_self, argument);
}

static uintptr_t end_of_self(void)
{
    uintptr_t end = 0;
    for (int i = 0; i < s_self.dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &s_self.dlpi_phdr[i];
        uintptr_t limit = s_self.dlpi_addr + header->p_vaddr + header->p_memsz;
        if (header->p_type == PT_LOAD && limit > end)
            end = limit;
    }
    return end;
}

struct symbol_info {
    const char *file;
    const void *base;
    const char *symbol;
    const void *address;
};

/* The runtime asks in which module its own code lies. */
int dm_rt_dladdr(const void *address, struct symbol_info *info)
{
    memset(info, 0, sizeof *info);
    if ((uintptr_t)address < (uintptr_t)__ehdr_start || (uintptr_t)address >= end_of_self())
        return 0;
    info->file = s_self.dlpi_name;
    info->base = __ehdr_start;
    return 1;
}
