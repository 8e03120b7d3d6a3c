/* Replacing all memory by that of the image. World: Bare, in the region. */
#include <asm/errno.h>
#include <linux/mman.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/uio.h>

#include "base.h"
#include "codec.h"
#include "dm_crc32c.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "wake.h"

#define TASK_END 0x7ffffffff000ull
#define BATCH_EXTENTS 64u
#define BATCH_BYTES (8u << 20)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static void unmap_everything_else(struct dm_wake *wake)
{
    uint64_t end = wake->region_start + wake->region_bytes;
    int64_t error = dm_munmap(0, wake->region_start);
    if (error == 0)
        error = dm_munmap(end, TASK_END - end);
    if (error < 0)
        dm_wake_fail(wake, "the old memory cannot be given back", "", error);
}

/* The last file stays open: a library has several mappings in a row. */
struct open_file {
    uint32_t path;
    int32_t fd;
};

/* -1 when the file is not that of the checkpoint, and the image has what it had. */
static int32_t file_of(struct dm_wake *wake, struct open_file *file, const struct dm_image_vma *vma)
{
    if (file->path == vma->path)
        return file->fd;
    if (file->fd >= 0)
        (void)dm_close(file->fd);
    const char *path = wake->strings + vma->path;
    if (vma->path >= wake->header->strings_bytes)
        dm_wake_fail(wake, "a mapping has no file", "", 0);
    int is_stored = (vma->flags & DM_VMA_STORED) != 0;
    int64_t fd = dm_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (dm_is_error(fd) && !is_stored)
        dm_wake_fail(wake, "cannot open ", path, fd);
    struct stat status;
    int64_t error = dm_is_error(fd) ? fd : dm_syscall2(__NR_fstat, fd, (int64_t)&status);
    int is_same = error >= 0 && (uint64_t)status.st_size == vma->file_bytes;
    if (!is_same && !is_stored)
        dm_wake_fail(wake, "it needs the same file as at the checkpoint: ", path, error);
    if (is_stored &&
        (!is_same || (uint64_t)status.st_mtime * 1000000000u + (uint64_t)status.st_mtime_nsec != vma->file_mtime)) {
        if (!dm_is_error(fd))
            (void)dm_close((int)fd);
        fd = -1;
    }
    file->path = vma->path;
    file->fd = (int32_t)fd;
    return file->fd;
}

/* What comes from the file need not come from the image. */
static void skip_extents(struct dm_wake *wake, const struct dm_image_vma *vma)
{
    for (uint64_t i = 0; i < wake->header->extent_count; i++)
        if (wake->extents[i].address >= vma->start && wake->extents[i].address < vma->end)
            wake->extents[i].codec = DM_CODEC_SKIP;
}

/* preadv(2) writes only where the program may write, so pages that it may not get their rights afterwards. */
static uint32_t first_rights(const struct dm_image_vma *vma, int filled)
{
    if (vma->kind == DM_VMA_SHARED)
        return PROT_READ | PROT_WRITE;
    return filled ? vma->prot | PROT_READ | PROT_WRITE : vma->prot;
}

static void map_one(struct dm_wake *wake, const struct dm_image_vma *vma, struct open_file *file, int filled)
{
    int32_t fd = vma->kind == DM_VMA_FILE ? file_of(wake, file, vma) : -1;
    int from_file = fd >= 0;
    if (from_file && (vma->flags & DM_VMA_STORED) != 0) {
        skip_extents(wake, vma);
        filled = 0;
    }
    int64_t got = dm_mmap(vma->start, vma->end - vma->start, (int)first_rights(vma, filled),
                          (int)(vma->map_flags | MAP_PRIVATE | MAP_FIXED | (from_file ? 0 : MAP_ANONYMOUS)), fd,
                          from_file ? vma->file_offset : 0);
    if (got == (int64_t)vma->start)
        return;
    char range[64];
    dm_format(range, sizeof range, "%x-%x", vma->start, vma->end);
    dm_wake_fail(wake, from_file ? "cannot map its file at " : "cannot map memory at ", range, got);
}

/* Huge pages must be wished for before memory is touched. */
static void advise_before(const struct dm_image_vma *vma)
{
    uint64_t bytes = vma->end - vma->start;
    if ((vma->advice & DM_ADVICE_HUGEPAGE) != 0)
        (void)dm_madvise(vma->start, bytes, MADV_HUGEPAGE);
    if ((vma->advice & DM_ADVICE_NOHUGEPAGE) != 0)
        (void)dm_madvise(vma->start, bytes, MADV_NOHUGEPAGE);
}

/* Calls `each` for all mappings that are not the kernel's; extents and mappings ascend together. */
static int is_filled(const struct dm_wake *wake, const struct dm_image_vma *vma, uint64_t *extent)
{
    const uint64_t count = wake->header->extent_count;
    while (*extent < count && wake->extents[*extent].address + wake->extents[*extent].bytes <= vma->start)
        (*extent)++;
    return *extent < count && wake->extents[*extent].address < vma->end;
}

static void map_everything(struct dm_wake *wake)
{
    struct open_file file = {DM_IMAGE_NO_PATH, -1};
    uint64_t extent = 0;
    for (uint64_t i = 0; i < wake->header->vma_count; i++) {
        const struct dm_image_vma *vma = &wake->vmas[i];
        if (dm_is_kernel_part(vma) && (vma->flags & DM_VMA_STORED) == 0)
            continue;
        map_one(wake, vma, &file, is_filled(wake, vma, &extent));
        advise_before(vma);
    }
    if (file.fd >= 0)
        (void)dm_close(file.fd);
}

static void note_failure(struct dm_wake *wake, int32_t error)
{
    int32_t none = 0;
    (void)__atomic_compare_exchange_n(&wake->failed, &none, error, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Raw extents that follow each other in the file: one call into the kernel. */
static int read_raw(struct dm_wake *wake, const struct dm_image_extent *extents, uint32_t count)
{
    struct iovec pieces[BATCH_EXTENTS];
    uint64_t offset = extents[0].file_offset, left = 0;
    for (uint32_t i = 0; i < count; i++) {
        pieces[i].iov_base = (void *)extents[i].address;
        pieces[i].iov_len = extents[i].bytes;
        left += extents[i].bytes;
        /* All pages at once is cheaper than one fault for each inside of read(2). Before Linux 5.14: EINVAL. */
        (void)dm_madvise(extents[i].address, extents[i].bytes, MADV_POPULATE_WRITE);
    }
    struct iovec *at = pieces;
    while (left != 0) {
        int64_t got =
            dm_syscall5(__NR_preadv, wake->image_fd, (int64_t)at, (int64_t)(pieces + count - at), (int64_t)offset, 0);
        if (got <= 0)
            return got == 0 ? -EIO : (int)got;
        offset += (uint64_t)got;
        left -= (uint64_t)got;
        while (got != 0) {
            uint64_t part = (uint64_t)got < at->iov_len ? (uint64_t)got : at->iov_len;
            at->iov_base = (uint8_t *)at->iov_base + part;
            at->iov_len -= part;
            got -= (int64_t)part;
            at += at->iov_len == 0;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        if (dm_crc32c((const void *)extents[i].address, extents[i].bytes) != extents[i].crc)
            return -EBADMSG;
    return 0;
}

/* The stored bytes of an extent, in the memory that a reader has for them; or an error. */
static int64_t read_stored(struct dm_wake *wake, const struct dm_image_extent *extent, uint32_t reader)
{
    uint8_t *stored = (uint8_t *)(wake->scratch + reader * DM_SCRATCH_BYTES);
    if (extent->stored_bytes > DM_SCRATCH_BYTES)
        return -EBADMSG;
    for (uint32_t done = 0; done < extent->stored_bytes;) {
        int64_t got = dm_pread(wake->image_fd, stored + done, extent->stored_bytes - done, extent->file_offset + done);
        if (got <= 0)
            return got == 0 ? -EIO : (int)got;
        done += (uint32_t)got;
    }
    return dm_crc32c(stored, extent->stored_bytes) == extent->crc ? (int64_t)stored : -EBADMSG;
}

/* One that is not needed is only looked at: who damages an image hears of it, whatever part is hit. */
static int read_coded(struct dm_wake *wake, const struct dm_image_extent *extent, uint32_t reader)
{
    int64_t stored = read_stored(wake, extent, reader);
    if (dm_is_error(stored) || extent->codec == DM_CODEC_SKIP)
        return dm_is_error(stored) ? (int)stored : 0;
    return dm_decode(extent->codec, (const uint8_t *)stored, extent->stored_bytes, (uint8_t *)extent->address,
                     extent->bytes);
}

/* The end of the batch that begins at `first`: raw extents that lie one behind the other in the file, or one coded extent. */
static uint32_t batch_end(const struct dm_wake *wake, uint32_t first)
{
    const struct dm_image_extent *extents = wake->extents;
    uint32_t count = (uint32_t)wake->header->extent_count, end = first + 1;
    if (extents[first].codec != DM_CODEC_RAW)
        return end;
    uint64_t bytes = extents[first].bytes;
    while (end < count && end - first < BATCH_EXTENTS && extents[end].codec == DM_CODEC_RAW &&
           extents[end].file_offset == extents[end - 1].file_offset + extents[end - 1].bytes &&
           bytes + extents[end].bytes <= BATCH_BYTES)
        bytes += extents[end++].bytes;
    return end;
}

void dm_wake_read(struct dm_wake *wake, uint32_t reader)
{
    uint32_t first = __atomic_load_n(&wake->next_extent, __ATOMIC_SEQ_CST);
    while (first < wake->header->extent_count && __atomic_load_n(&wake->failed, __ATOMIC_SEQ_CST) == 0) {
        uint32_t end = batch_end(wake, first);
        if (!__atomic_compare_exchange_n(&wake->next_extent, &first, end, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        const struct dm_image_extent *extents = wake->extents + first;
        int error =
            extents->codec == DM_CODEC_RAW ? read_raw(wake, extents, end - first) : read_coded(wake, extents, reader);
        if (error < 0)
            note_failure(wake, error);
        first = __atomic_load_n(&wake->next_extent, __ATOMIC_SEQ_CST);
    }
}

static void fill_memory(struct dm_wake *wake)
{
    if (wake->readers > 1)
        dm_wake_read_together(wake);
    else
        dm_wake_read(wake, 0);
    if (wake->failed == -EBADMSG)
        dm_wake_fail(wake, "its memory does not match its checksums", "", 0);
    if (wake->failed == -ENOSYS)
        dm_wake_fail(wake, "it is compressed in a way that this build does not know", "", 0);
    if (wake->failed != 0)
        dm_wake_fail(wake, "its memory cannot be read", "", wake->failed);
}

static void finish_mappings(struct dm_wake *wake)
{
    static const struct {
        uint32_t flag;
        int32_t advice;
    } Advices[] = {
        {DM_ADVICE_DONTCOPY, MADV_DONTFORK},
        {DM_ADVICE_DONTDUMP, MADV_DONTDUMP},
        {DM_ADVICE_MERGEABLE, MADV_MERGEABLE},
        {DM_ADVICE_WIPEONFORK, MADV_WIPEONFORK},
    };
    uint64_t extent = 0;
    for (uint64_t i = 0; i < wake->header->vma_count; i++) {
        const struct dm_image_vma *vma = &wake->vmas[i];
        uint64_t bytes = vma->end - vma->start;
        if (dm_is_kernel_part(vma))
            continue;
        int filled = is_filled(wake, vma, &extent) && wake->extents[extent].codec != DM_CODEC_SKIP;
        if (vma->kind != DM_VMA_SHARED && first_rights(vma, filled) != vma->prot) {
            int64_t error = dm_mprotect(vma->start, bytes, (int)vma->prot);
            if (error < 0)
                dm_wake_fail(wake, "the rights of its memory cannot be set", "", error);
        }
        for (unsigned a = 0; a < sizeof Advices / sizeof *Advices; a++)
            if ((vma->advice & Advices[a].flag) != 0)
                (void)dm_madvise(vma->start, bytes, Advices[a].advice);
        if ((vma->advice & DM_ADVICE_LOCKED) != 0 && dm_syscall2(__NR_mlock, (int64_t)vma->start, (int64_t)bytes) < 0)
            dm_say(wake->error_fd, "%s (pid %d): locked memory comes back unlocked, RLIMIT_MEMLOCK is too low here.",
                   wake->program, wake->pid);
    }
}

/* include/uapi/linux/prctl.h, struct prctl_mm_map: with pointers where we have words. */
struct mm_map {
    uint64_t start_code, end_code, start_data, end_data;
    uint64_t start_brk, brk, start_stack;
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv;
    uint32_t auxv_bytes;
    int32_t exe_fd;
};

/* /proc/self/exe may be changed by who has CAP_CHECKPOINT_RESTORE in the user namespace: in a pod, and as root.
 * Others keep the restorer's; heap break and arguments come back for everybody. */
static void set_layout(struct dm_wake *wake)
{
    const struct dm_image_mm *mm = &wake->header->mm;
    struct mm_map map;
    _Static_assert(sizeof map == 104, "struct prctl_mm_map");
    memcpy(&map, mm, 11 * sizeof(uint64_t));
    map.auxv = (uint64_t)mm->auxv;
    map.auxv_bytes = mm->auxv_words * 8;
    map.exe_fd = -1;
    if (mm->exe_path < wake->header->strings_bytes) {
        int64_t fd = dm_openat(AT_FDCWD, wake->strings + mm->exe_path, O_RDONLY | O_CLOEXEC, 0);
        map.exe_fd = dm_is_error(fd) ? -1 : (int32_t)fd;
    }
    int64_t error = dm_syscall5(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (int64_t)&map, sizeof map, 0);
    if (map.exe_fd >= 0)
        (void)dm_close(map.exe_fd);
    if (error < 0 && map.exe_fd >= 0) {
        map.exe_fd = -1;
        error = dm_syscall5(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (int64_t)&map, sizeof map, 0);
    }
    if (error < 0)
        dm_wake_fail(wake, "its heap break cannot be set", "", error);
}

void dm_wake_memory(struct dm_wake *wake)
{
    unmap_everything_else(wake);
    map_everything(wake);
    fill_memory(wake);
    finish_mappings(wake);
    dm_wake_kernel_parts(wake);
    set_layout(wake);
    struct dm_restart_info *info = (struct dm_restart_info *)wake->header->restart_info;
    /* The library in the image may be of an older version, which has less room. */
    if (info->bytes != 0 && info->bytes < wake->info.bytes)
        wake->info.bytes = info->bytes;
    memcpy(info, &wake->info, wake->info.bytes);
}
