/* All that a member needs after it has left its old memory. World: Bare.
 *
 * The restorer first makes a region in a hole of the image's address space, and
 * copies itself there:
 *
 *   code | struct dm_wake | board | kernel parts | tables, names | stacks, scratch
 *
 * member.c fills it in the old memory, memory.c and threads.c run in the region.
 */
#ifndef DM_WAKE_H
#define DM_WAKE_H

#include <stdint.h>

#include "dm_image.h"
#include "run.h"

/* The contract with libdormouse asks for 16 KiB below restored_entry; ours is above it. */
#define DM_THREAD_STACK_BYTES (20ull << 10)
#define DM_LEADER_STACK_BYTES (64ull << 10)
/* As codec of an extent that is not needed. */
#define DM_CODEC_SKIP 0xffffffffu
#define DM_SCRATCH_BYTES (2ull * DM_IMAGE_EXTENT_BYTES)

struct dm_wake_identity {
    uint32_t drop_capabilities; /* an ordinary user in a pod */
    uint32_t set_ids;           /* really root: become who the program was */
    /* Threads keep root's rights until all is restored: the program may have opened files before it became another user, and kept
     * capabilities. Only with an image that nobody but root can have written: it says what is done with these rights. */
    uint32_t keeps_rights;
    uint32_t uid, gid;
    uint32_t group_count;
    const uint32_t *groups;
};

/* A thread of the program, or a helper that fills memory; the arguments of its first function. */
struct dm_wake_thread {
    struct dm_wake *wake;
    const struct dm_image_thread *record;
    uint32_t helper;
    uint32_t tid; /* helpers: cleared by the kernel when they have ended */
};

struct dm_wake {
    uint64_t region_start, region_bytes;
    struct dm_board *board;
    struct dm_board_node *board_node;
    struct dm_image_header *header;
    struct dm_image_vma *vmas;
    struct dm_image_thread *threads;
    struct dm_image_extent *extents;
    char *strings;
    struct dm_kernel_part parts[DM_PARTS]; /* where they wait in the region */
    struct dm_wake_thread *thread_arguments;
    uint64_t stacks;  /* one for each thread_arguments */
    uint64_t scratch; /* for decoding, one for each reader, or 0 */
    uint32_t readers;
    uint32_t next_extent; /* taken by readers */
    int32_t failed;       /* -errno of the first reader that failed */
    uint32_t go;          /* futex: threads may enter the program */
    int32_t image_fd, error_fd;
    int32_t pid, nice, spare_tid;
    int32_t index; /* of its node */
    struct dm_wake_identity identity;
    const char *program, *image;
    struct dm_restart_info info;
};

/* Says why this member cannot wake, fails the run, ends the process. */
_Noreturn void dm_wake_fail(struct dm_wake *wake, const char *what, const char *detail, int64_t error);

/* memory.c. Runs in the region: replaces all other memory by that of the image. */
void dm_wake_memory(struct dm_wake *wake);
/* vdso.c. Puts the kernel's own pages, or the old ones, to the old places. */
void dm_wake_kernel_parts(struct dm_wake *wake);
static inline int dm_is_kernel_part(const struct dm_image_vma *vma)
{
    return vma->kind == DM_VMA_VDSO || vma->kind == DM_VMA_VVAR || vma->kind == DM_VMA_VVAR_VCLOCK;
}
/* threads.c. Makes the other threads, and becomes the leader. */
_Noreturn void dm_wake_threads(struct dm_wake *wake);
/* threads.c. Starts helpers that run dm_wake_read(), and waits for them. */
void dm_wake_read_together(struct dm_wake *wake);
/* memory.c. Fills extents until none is left. */
void dm_wake_read(struct dm_wake *wake, uint32_t reader);

#endif
