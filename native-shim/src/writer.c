/* The image writer. World: Frozen: raw system calls, no allocation, nothing of C#.
 */
#define _GNU_SOURCE
#include "writer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "checksum_thread.h"
#include "compress.h"
#include "dm_crc32c.h"
#include "dm_syscall.h"
#include "page_search.h"
#include "zero_memory.h"

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

struct writer {
    struct dm_write_plan *plan;
    uint64_t offset; /* next free byte of the file */
    uint64_t extent_count;
    uint64_t compressed_bytes; /* of memory */
    uint64_t prepared_taken;
    struct dm_page_search search;
    const struct dm_image_vma *vma; /* the one being saved */
    bool is_readable;
    bool is_small;                        /* the range */
    bool zeros_are_holes;                 /* memory that is not saved comes back as zeros */
    struct dm_checksum_thread *checksums; /* NULL: we do them ourselves */
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
    /* What is readable only for this moment may be forbidden again before the other thread has come to it. */
    if (w->checksums != NULL && (w->vma->prot & PROT_READ) != 0 && !is_near_stack(address, bytes)) {
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

static int save_pieces(struct writer *w, uint64_t start, uint64_t end)
{
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

static int save_range(void *writer, uint64_t start, uint64_t end)
{
    struct writer *w = writer;
    int failed = make_readable(w);
    /* Small ranges are compressed, zeros to nothing. */
    if (failed < 0 || !w->zeros_are_holes || end - start <= SMALL_BYTES)
        return failed < 0 ? failed : save_pieces(w, start, end);
    while (start < end && failed >= 0) {
        uint64_t hole = dm_zero_begin(start, end);
        failed = save_pieces(w, start, hole);
        start = dm_zero_end(hole, end);
    }
    return failed;
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
    w->zeros_are_holes = save == DM_SAVE_ANONYMOUS;
    switch (save) {
    case DM_SAVE_NOTHING:
        return 0;
    case DM_SAVE_ANONYMOUS:
        return dm_pages_private(&w->search, vma->start, vma->end, false);
    case DM_SAVE_CHANGED:
        return dm_pages_private(&w->search, vma->start, vma->end, true);
    case DM_SAVE_SHARED:
        return dm_pages_shared(&w->search, vma->start, vma->end);
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
    w.search = (struct dm_page_search){
        .found = save_range, .argument = &w, .scratch = plan->scratch, .scratch_bytes = ANSWER_BYTES};
    plan->memory_bytes = 0;
    int error = dm_pages_open(&w.search);
    if (error < 0)
        return error;
    for (uint64_t i = 0; i < plan->vma_count && error >= 0; i++) {
        w.vma = &plan->vmas[i];
        w.is_readable = (w.vma->prot & PROT_READ) != 0;
        error = save_vma(&w, w.vma, (enum dm_save)plan->save[i]);
        if (w.is_readable && (w.vma->prot & PROT_READ) == 0)
            protect(w.vma, 0);
    }
    dm_pages_close(&w.search);
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
