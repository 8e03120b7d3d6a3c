/* The image writer. World: Frozen: raw system calls, no allocation, nothing of C#.
 *
 * Which pages a mapping has is asked of the kernel: PAGEMAP_SCAN (6.7) or
 * /proc/self/pagemap for private memory, mincore(2) for shared memory, whose
 * pages exist also where our page table does not show them.
 */
#define _GNU_SOURCE
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "checksum_thread.h"
#include "compress.h"
#include "dm_crc32c.h"
#include "dm_syscall.h"

#define PAGE 4096u
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
/* Checksum and write go over the same piece while it is in the second-level cache. */
#define PIECE_BYTES (256u << 10)
/* From here on a second processor computes checksums; for less it is not worth starting. */
#define LARGE_BYTES (8u << 20)
/* The scratch memory: what the kernel says of pages | the checksum thread | a compressed piece | the compressor's table |
 * a copy of a piece of our own stack. */
#define ANSWER_BYTES (DM_WRITE_SCRATCH_BYTES - 2 * PIECE_BYTES - DM_COMPRESS_TABLE_BYTES - DM_CHECKSUM_MEMORY_BYTES)
/* The small pieces that every process has (libc's data, stacks, our own) are mostly zeros and addresses: ranges up to the
 * first size are compressed until it is the second, which costs no more than writing them. What a program has more of is
 * written as it is. */
#define SMALL_BYTES (512u << 10)
#define COMPRESSED_BYTES (4u << 20)
/* More than the frames from dm_image_write to the system call. */
#define STACK_REACH (64u << 10)

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

struct writer {
    struct dm_write_plan *plan;
    uint64_t offset; /* next free byte of the file */
    uint64_t extent_count;
    uint64_t compressed_bytes; /* of memory */
    uint64_t prepared_taken;
    int pagemap;
    const struct dm_image_vma *vma; /* the one being saved */
    bool is_readable;
    bool is_small;                        /* the range */
    struct dm_checksum_thread *checksums; /* NULL: we do them ourselves */
    bool no_guard_category;               /* kernel before 6.15 */
    bool no_scan;                         /* kernel before 6.7 */
};

static int write_all(int fd, const void *data, uint64_t bytes, uint64_t offset)
{
    const uint8_t *at = data;
    while (bytes != 0) {
        int64_t written = dm_pwrite(fd, at, bytes, offset);
        if (written == -EINTR)
            continue;
        if (written < 0)
            return (int)written;
        if (written == 0)
            return -EIO;
        at += written;
        offset += (uint64_t)written;
        bytes -= (uint64_t)written;
    }
    return 0;
}

/* The stack that this very code runs on changes between checksum and write: it is saved by way of a copy. */
static bool is_near_stack(uint64_t address, uint32_t bytes)
{
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    return here + STACK_REACH >= address && here < address + bytes + STACK_REACH;
}

static const void *still(struct writer *w, uint64_t address, uint32_t bytes)
{
    if (!is_near_stack(address, bytes))
        return (const void *)address;
    return memcpy(w->plan->scratch + DM_WRITE_SCRATCH_BYTES - PIECE_BYTES, (const void *)address, bytes);
}

static int write_and_sum(struct writer *w, uint64_t address, uint32_t bytes, uint32_t *sum)
{
    uint32_t crc = ~0u;
    for (uint32_t done = 0; done < bytes;) {
        uint32_t piece = bytes - done < PIECE_BYTES ? bytes - done : PIECE_BYTES;
        const void *data = still(w, address + done, piece);
        crc = dm_crc32c_add(crc, data, piece);
        int error = write_all(w->plan->fd, data, piece, w->offset + done);
        if (error < 0)
            return error;
        done += piece;
    }
    *sum = ~crc;
    return 0;
}

static void start_checksums(struct writer *w)
{
    void *memory = w->plan->scratch + ANSWER_BYTES;
    if (w->checksums == NULL && w->plan->memory_bytes >= LARGE_BYTES)
        w->checksums = dm_checksum_start(memory, w->plan->extents, w->extent_count);
}

static uint64_t aligned(uint64_t offset)
{
    return (offset + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static int add_extent(struct writer *w, const struct dm_image_extent *extent)
{
    if (w->extent_count == w->plan->extent_capacity)
        return -ENOBUFS;
    w->plan->extents[w->extent_count++] = *extent;
    w->plan->memory_bytes += extent->bytes;
    if (w->checksums != NULL)
        dm_checksum_publish(w->checksums, w->extent_count);
    return 0;
}

/* 1: saved. 0: it does not get smaller, or has had its share. */
static int save_compressed(struct writer *w, uint64_t address, uint32_t bytes)
{
    if (!w->is_small || w->compressed_bytes + bytes > COMPRESSED_BYTES)
        return 0;
    uint8_t *stored = w->plan->scratch + ANSWER_BYTES + DM_CHECKSUM_MEMORY_BYTES, *table = stored + PIECE_BYTES;
    /* Raw bytes would begin at the next page: what lies between is gained as well. */
    uint64_t gained = aligned(w->offset) - w->offset;
    uint32_t worth = bytes - bytes / 8 + (uint32_t)gained;
    worth = worth < bytes ? worth : bytes - 1;
    int64_t length = dm_compress_page_run(still(w, address, bytes), bytes, stored, worth, table);
    if (length == 0)
        return 0;
    int error = write_all(w->plan->fd, stored, (uint64_t)length, w->offset);
    struct dm_image_extent extent = {.address = address,
                                     .file_offset = w->offset,
                                     .bytes = bytes,
                                     .stored_bytes = (uint32_t)length,
                                     .codec = DM_CODEC_LZ4,
                                     .crc = dm_crc32c(stored, (uint64_t)length)};
    w->offset += (uint64_t)length;
    w->compressed_bytes += bytes;
    error = error < 0 ? error : add_extent(w, &extent);
    return error < 0 ? error : 1;
}

static int save_prepared(struct writer *w)
{
    const struct dm_write_plan *plan = w->plan;
    for (; w->prepared_taken < plan->prepared_count; w->prepared_taken++) {
        const struct dm_image_extent *extent = &plan->prepared[w->prepared_taken];
        if (extent->address >= w->vma->end)
            break;
        int error = add_extent(w, extent);
        if (error < 0)
            return error;
    }
    return 0;
}

static int save_extent(struct writer *w, uint64_t address, uint32_t bytes)
{
    int compressed = save_compressed(w, address, bytes);
    if (compressed != 0)
        return compressed < 0 ? compressed : 0;
    w->offset = aligned(w->offset);
    if (w->extent_count == w->plan->extent_capacity)
        return -ENOBUFS;
    struct dm_image_extent *extent = &w->plan->extents[w->extent_count];
    *extent =
        (struct dm_image_extent){.address = address, .file_offset = w->offset, .bytes = bytes, .codec = DM_CODEC_RAW};
    int error;
    if (w->checksums != NULL && !is_near_stack(address, bytes)) {
        error = write_all(w->plan->fd, (const void *)address, bytes, w->offset);
    } else {
        error = write_and_sum(w, address, bytes, &extent->crc);
        extent->stored_bytes = bytes;
    }
    if (error < 0)
        return error;
    w->extent_count++;
    w->offset += bytes;
    w->plan->memory_bytes += bytes;
    if (w->checksums != NULL)
        dm_checksum_publish(w->checksums, w->extent_count);
    else
        start_checksums(w);
    return 0;
}

static int64_t protect(const struct dm_image_vma *vma, int more)
{
    return dm_mprotect(vma->start, vma->end - vma->start, (int)vma->prot | more);
}

/* Pages that were written and then protected against reading are opened for the time of the write; guard pages, which
 * nobody has written, are not touched. */
static int make_readable(struct writer *w)
{
    int64_t error = w->is_readable ? 0 : protect(w->vma, PROT_READ);
    w->is_readable = error == 0;
    return (int)error;
}

static int save_range(struct writer *w, uint64_t start, uint64_t end)
{
    int failed = make_readable(w);
    if (failed < 0)
        return failed;
    uint64_t most = end - start <= SMALL_BYTES ? PIECE_BYTES : DM_IMAGE_EXTENT_BYTES;
    w->is_small = end - start <= SMALL_BYTES;
    while (start < end) {
        uint64_t bytes = end - start < most ? end - start : most;
        int error = save_extent(w, start, (uint32_t)bytes);
        if (error < 0)
            return error;
        start += bytes;
    }
    return 0;
}

static int64_t scan_regions(struct writer *w, uint64_t start, uint64_t end, bool changed_only,
                            struct page_region *regions, uint64_t capacity, uint64_t *walked)
{
    for (;;) {
        struct pm_scan_arg scan = {
            .size = sizeof scan, .start = start, .end = end, .vec = (uint64_t)regions, .vec_len = capacity};
        scan.category_anyof_mask = PAGE_IS_PRESENT_BIT | PAGE_IS_SWAPPED_BIT;
        scan.category_inverted = PAGE_IS_PFNZERO_BIT | (changed_only ? PAGE_IS_FILE_BIT : 0);
        if (!w->no_guard_category)
            scan.category_inverted |= PAGE_IS_GUARD_BIT;
        scan.category_mask = scan.category_inverted;
        scan.return_mask = PAGE_IS_PRESENT_BIT;
        int64_t count = dm_syscall3(__NR_ioctl, w->pagemap, PAGEMAP_SCAN_CALL, (int64_t)&scan);
        if (count == -EINVAL && !w->no_guard_category) {
            w->no_guard_category = true;
            continue;
        }
        *walked = scan.walk_end;
        return count;
    }
}

static int save_scanned(struct writer *w, const struct dm_image_vma *vma, bool changed_only)
{
    struct page_region *regions = (struct page_region *)w->plan->scratch;
    uint64_t capacity = ANSWER_BYTES / sizeof *regions;
    for (uint64_t at = vma->start; at < vma->end;) {
        uint64_t walked = at;
        int64_t count = scan_regions(w, at, vma->end, changed_only, regions, capacity, &walked);
        if (count < 0)
            return (int)count;
        for (int64_t i = 0; i < count;) {
            /* The scan reports huge and small pages that touch as regions of their own. */
            uint64_t start = regions[i].start, end = regions[i].end;
            for (i++; i < count && regions[i].start == end; i++)
                end = regions[i].end;
            int error = save_range(w, start, end);
            if (error < 0)
                return error;
        }
        if (walked <= at)
            return -EIO;
        at = walked;
    }
    return 0;
}

static int save_by_pagemap(struct writer *w, const struct dm_image_vma *vma, bool changed_only)
{
    uint64_t *entries = (uint64_t *)w->plan->scratch;
    const uint64_t capacity = ANSWER_BYTES / sizeof *entries;
    uint64_t run = 0; /* start of the run of pages to save, 0 for none */
    for (uint64_t at = vma->start; at < vma->end;) {
        uint64_t pages = (vma->end - at) / PAGE;
        if (pages > capacity)
            pages = capacity;
        int64_t got = dm_pread(w->pagemap, entries, pages * sizeof *entries, at / PAGE * sizeof *entries);
        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        for (uint64_t i = 0; i < (uint64_t)got / sizeof *entries; i++, at += PAGE) {
            uint64_t entry = entries[i];
            bool save = (entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0 && (entry & PAGEMAP_GUARD) == 0 &&
                        !(changed_only && (entry & PAGEMAP_FILE) != 0);
            if (save && run == 0)
                run = at;
            if (!save && run != 0) {
                int error = save_range(w, run, at);
                if (error < 0)
                    return error;
                run = 0;
            }
        }
    }
    return run != 0 ? save_range(w, run, vma->end) : 0;
}

static int save_private(struct writer *w, const struct dm_image_vma *vma, bool changed_only)
{
    if (!w->no_scan) {
        int error = save_scanned(w, vma, changed_only);
        if (error != -ENOTTY && error != -EINVAL)
            return error;
        w->no_scan = true;
    }
    return save_by_pagemap(w, vma, changed_only);
}

static int save_shared(struct writer *w, const struct dm_image_vma *vma)
{
    uint8_t *resident = w->plan->scratch;
    uint64_t run = 0;
    for (uint64_t at = vma->start; at < vma->end;) {
        uint64_t pages = (vma->end - at) / PAGE;
        if (pages > ANSWER_BYTES)
            pages = ANSWER_BYTES;
        int64_t error = dm_syscall3(__NR_mincore, (int64_t)at, (int64_t)(pages * PAGE), (int64_t)resident);
        if (error < 0)
            return (int)error;
        for (uint64_t i = 0; i < pages; i++, at += PAGE) {
            bool save = (resident[i] & 1) != 0;
            if (save && run == 0)
                run = at;
            if (!save && run != 0) {
                int failed = save_range(w, run, at);
                if (failed < 0)
                    return failed;
                run = 0;
            }
        }
    }
    return run != 0 ? save_range(w, run, vma->end) : 0;
}

/* Where reading would raise SIGBUS: behind the end of a file that has become shorter. Before Linux 5.14 nobody can tell. */
static uint64_t readable_end(uint64_t start, uint64_t end)
{
    if (dm_madvise(start, end - start, MADV_POPULATE_READ) != -EFAULT)
        return end;
    while (start < end && dm_madvise(start, PAGE, MADV_POPULATE_READ) != -EFAULT)
        start += PAGE;
    return start;
}

static int save_whole(struct writer *w, const struct dm_image_vma *vma)
{
    int failed = make_readable(w);
    return failed < 0 ? failed : save_range(w, vma->start, readable_end(vma->start, vma->end));
}

static int save_vma(struct writer *w, const struct dm_image_vma *vma, enum dm_save save)
{
    switch (save) {
    case DM_SAVE_NOTHING:
        return 0;
    case DM_SAVE_ANONYMOUS:
        return save_private(w, vma, false);
    case DM_SAVE_CHANGED:
        return save_private(w, vma, true);
    case DM_SAVE_SHARED:
        return save_shared(w, vma);
    case DM_SAVE_ALL:
        return save_whole(w, vma);
    case DM_SAVE_PREPARED:
        return save_prepared(w);
    }
    return -EINVAL;
}

static int finish(struct writer *w)
{
    struct dm_write_plan *plan = w->plan;
    struct dm_image_header *header = plan->header;
    uint64_t bytes = w->extent_count * sizeof *plan->extents;
    header->extent_offset = w->offset;
    header->extent_count = w->extent_count;
    header->extent_crc = dm_crc32c(plan->extents, bytes);
    int error = write_all(plan->fd, plan->extents, bytes, w->offset);
    if (error < 0)
        return error;
    header->file_bytes = w->offset + bytes;
    header->header_crc = 0;
    header->header_crc = dm_crc32c(header, DM_IMAGE_HEADER_BYTES);
    plan->image_bytes = header->file_bytes;
    return write_all(plan->fd, header, DM_IMAGE_HEADER_BYTES, 0);
}

static int write_memory(struct dm_write_plan *plan)
{
    struct writer w = {.plan = plan};
    w.offset = plan->first_free;
    int64_t pagemap = dm_openat(AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
    if (pagemap < 0)
        return (int)pagemap;
    w.pagemap = (int)pagemap;
    plan->memory_bytes = 0;
    int error = 0;
    for (uint64_t i = 0; i < plan->vma_count && error >= 0; i++) {
        w.vma = &plan->vmas[i];
        w.is_readable = (w.vma->prot & PROT_READ) != 0;
        error = save_vma(&w, w.vma, (enum dm_save)plan->save[i]);
        if (w.is_readable && (w.vma->prot & PROT_READ) == 0)
            protect(w.vma, 0);
    }
    dm_close(w.pagemap);
    if (w.checksums != NULL)
        dm_checksum_finish(w.checksums);
    return error < 0 ? error : finish(&w);
}

int dm_image_write(struct dm_write_plan *plan)
{
    if (dm_context_save(&plan->self->context) != 0)
        return DM_RESTORED;
    int error = write_memory(plan);
    return error < 0 ? error : DM_WRITTEN;
}
