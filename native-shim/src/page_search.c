/* Asks PAGEMAP_SCAN (Linux 6.7) or /proc/self/pagemap for private memory, mincore(2) for shared memory, whose pages exist also
 * where our page table does not show them. World: Frozen.
 */
#define _GNU_SOURCE
#include "page_search.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "dm_syscall.h"

#define PAGE 4096u

/* include/uapi/linux/fs.h of Linux 6.7; the distribution's header may be older. */
struct page_region {
    uint64_t start, end, categories;
};
struct pm_scan_arg {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN_CALL _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_FILE_BIT (1u << 2)
#define PAGE_IS_PRESENT_BIT (1u << 3)
#define PAGE_IS_SWAPPED_BIT (1u << 4)
#define PAGE_IS_PFNZERO_BIT (1u << 5)
#define PAGE_IS_GUARD_BIT (1u << 8)

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_FILE (1ull << 61)
#define PAGEMAP_GUARD (1ull << 58)

int dm_pages_open(struct dm_page_search *search)
{
    int64_t pagemap = dm_openat(AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
    search->pagemap = (int)pagemap;
    return pagemap < 0 ? (int)pagemap : 0;
}

void dm_pages_close(struct dm_page_search *search)
{
    dm_close(search->pagemap);
}

static int64_t scan_regions(struct dm_page_search *search, uint64_t start, uint64_t end, bool changed_only,
                            struct page_region *regions, uint64_t capacity, uint64_t *walked)
{
    for (;;) {
        struct pm_scan_arg scan = {
            .size = sizeof scan, .start = start, .end = end, .vec = (uint64_t)regions, .vec_len = capacity};
        scan.category_anyof_mask = PAGE_IS_PRESENT_BIT | PAGE_IS_SWAPPED_BIT;
        scan.category_inverted = PAGE_IS_PFNZERO_BIT | (changed_only ? PAGE_IS_FILE_BIT : 0);
        if (!search->no_guard_category)
            scan.category_inverted |= PAGE_IS_GUARD_BIT;
        scan.category_mask = scan.category_inverted;
        scan.return_mask = PAGE_IS_PRESENT_BIT;
        int64_t count = dm_syscall3(__NR_ioctl, search->pagemap, PAGEMAP_SCAN_CALL, (int64_t)&scan);
        if (count == -EINVAL && !search->no_guard_category) {
            search->no_guard_category = true;
            continue;
        }
        *walked = scan.walk_end;
        return count;
    }
}

static int find_by_scan(struct dm_page_search *search, uint64_t from, uint64_t to, bool changed_only)
{
    struct page_region *regions = (struct page_region *)search->scratch;
    uint64_t capacity = search->scratch_bytes / sizeof *regions;
    for (uint64_t at = from; at < to;) {
        uint64_t walked = at;
        int64_t count = scan_regions(search, at, to, changed_only, regions, capacity, &walked);
        if (count < 0)
            return (int)count;
        for (int64_t i = 0; i < count;) {
            /* The scan reports huge and small pages that touch as regions of their own. */
            uint64_t start = regions[i].start, end = regions[i].end;
            for (i++; i < count && regions[i].start == end; i++)
                end = regions[i].end;
            int error = search->found(search->argument, start, end);
            if (error < 0)
                return error;
        }
        if (walked <= at)
            return -EIO;
        at = walked;
    }
    return 0;
}

/* Page by page: `run` is where the run of pages begins that exist, 0 for none. */
static int note(const struct dm_page_search *search, uint64_t *run, uint64_t at, bool exists)
{
    int error = 0;
    if (exists && *run == 0)
        *run = at;
    if (!exists && *run != 0) {
        error = search->found(search->argument, *run, at);
        *run = 0;
    }
    return error;
}

static int find_by_pagemap(struct dm_page_search *search, uint64_t from, uint64_t to, bool changed_only)
{
    uint64_t *entries = (uint64_t *)search->scratch;
    const uint64_t capacity = search->scratch_bytes / sizeof *entries;
    uint64_t run = 0;
    for (uint64_t at = from; at < to;) {
        uint64_t pages = (to - at) / PAGE;
        if (pages > capacity)
            pages = capacity;
        int64_t got = dm_pread(search->pagemap, entries, pages * sizeof *entries, at / PAGE * sizeof *entries);
        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        for (uint64_t i = 0; i < (uint64_t)got / sizeof *entries; i++, at += PAGE) {
            uint64_t entry = entries[i];
            bool save = (entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0 && (entry & PAGEMAP_GUARD) == 0 &&
                        !(changed_only && (entry & PAGEMAP_FILE) != 0);
            int error = note(search, &run, at, save);
            if (error < 0)
                return error;
        }
    }
    return run != 0 ? search->found(search->argument, run, to) : 0;
}

int dm_pages_private(struct dm_page_search *search, uint64_t from, uint64_t to, bool changed_only)
{
    if (!search->no_scan) {
        int error = find_by_scan(search, from, to, changed_only);
        if (error != -ENOTTY && error != -EINVAL)
            return error;
        search->no_scan = true;
    }
    return find_by_pagemap(search, from, to, changed_only);
}

int dm_pages_shared(struct dm_page_search *search, uint64_t from, uint64_t to)
{
    uint8_t *resident = search->scratch;
    uint64_t run = 0;
    for (uint64_t at = from; at < to;) {
        uint64_t pages = (to - at) / PAGE;
        if (pages > search->scratch_bytes)
            pages = search->scratch_bytes;
        int64_t error = dm_syscall3(__NR_mincore, (int64_t)at, (int64_t)(pages * PAGE), (int64_t)resident);
        if (error < 0)
            return (int)error;
        for (uint64_t i = 0; i < pages; i++, at += PAGE) {
            int failed = note(search, &run, at, (resident[i] & 1) != 0);
            if (failed < 0)
                return failed;
        }
    }
    return run != 0 ? search->found(search->argument, run, to) : 0;
}
