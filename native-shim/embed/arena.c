/* See arena.h. World: Guest and Frozen. No lock: it is open only while the runtime starts, and one thread does that. */
#define _GNU_SOURCE
#include "arena.h"

#include <sys/mman.h>

#include "dm_syscall.h"

enum {
    PAGE_BYTES = 4096,
    TABLE_BYTES = 2 << 20, /* what one page table spans: small pieces share the first, large ones follow it */
    SMALL_BYTES = 1 << 20,
};

static struct {
    uint64_t start, end; /* kept when it is closed: for unmap */
    uint64_t small, large;
    uint32_t is_open;
} s_arena;

static uint64_t rounded(uint64_t bytes, uint64_t unit)
{
    return (bytes + unit - 1) & ~(unit - 1);
}

static int64_t map(uint64_t bytes, int flags)
{
    return dm_mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

int dm_arena_open(uint64_t bytes)
{
    bytes = rounded(bytes, TABLE_BYTES);
    int64_t address = map(bytes + TABLE_BYTES, MAP_NORESERVE);
    if (dm_is_error(address))
        return (int)address;
    uint64_t start = rounded((uint64_t)address, TABLE_BYTES);
    if (start != (uint64_t)address)
        (void)dm_munmap((uint64_t)address, start - (uint64_t)address);
    if (start + bytes != (uint64_t)address + bytes + TABLE_BYTES)
        (void)dm_munmap(start + bytes, (uint64_t)address + TABLE_BYTES - start);
    /* Some ten pages are used here and there: each would become 2 MiB where huge pages are always on. */
    (void)dm_madvise(start, bytes, MADV_NOHUGEPAGE);
    s_arena.start = s_arena.small = start;
    s_arena.large = start + TABLE_BYTES;
    s_arena.end = start + bytes;
    s_arena.is_open = 1;
    return 0;
}

void dm_arena_close(void)
{
    s_arena.is_open = 0;
    if (s_arena.large < s_arena.end)
        (void)dm_munmap(s_arena.large, s_arena.end - s_arena.large);
    s_arena.end = s_arena.large;
}

int64_t dm_arena_map(size_t bytes)
{
    uint64_t needed = rounded(bytes, PAGE_BYTES);
    uint64_t *next = needed < SMALL_BYTES ? &s_arena.small : &s_arena.large;
    uint64_t end = needed < SMALL_BYTES ? s_arena.start + TABLE_BYTES : s_arena.end;
    if (s_arena.is_open == 0 || needed > end - *next)
        return map(bytes, MAP_NORESERVE);
    uint64_t address = *next;
    *next += needed;
    return (int64_t)address;
}

int64_t dm_arena_unmap(uint64_t address, size_t bytes)
{
    return address >= s_arena.start && address < s_arena.end ? dm_madvise(address, bytes, MADV_DONTNEED)
                                                             : dm_munmap(address, bytes);
}
