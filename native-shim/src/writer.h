/* Writes the memory of this process into an image file. World: Frozen. */
#ifndef DM_WRITER_H
#define DM_WRITER_H

#include <stdint.h>

#include "dm_image.h"
#include "dm_thread.h"

/* What is saved of a mapping; mirrored in C# (Image/SavePolicy.cs). */
enum dm_save {
    DM_SAVE_NOTHING = 0,
    DM_SAVE_ANONYMOUS = 1, /* pages that are present or swapped and not the kernel's zero page */
    DM_SAVE_CHANGED = 2,   /* private file mapping: pages that are no longer the file's */
    DM_SAVE_SHARED = 3,    /* shared memory: pages that the object has, mapped here or not */
    DM_SAVE_ALL = 4,       /* every page */
    DM_SAVE_PREPARED = 5,  /* the extents that C# has put into the file already */
};

/* Made by C#, which owns all memory that it points to. Mirrored in C# (Image/WritePlan.cs). */
struct dm_write_plan {
    int32_t fd;                     /* the temporary image; manifest and tables are already in it */
    uint32_t codec;                 /* enum dm_codec, wanted */
    struct dm_image_header *header; /* all but the extents, file_bytes and header_crc is filled in */
    const struct dm_image_vma *vmas;
    const uint8_t *save; /* enum dm_save, one for each vma */
    uint64_t vma_count;
    struct dm_image_extent *extents; /* scratch, not in the image */
    uint64_t extent_capacity;
    const struct dm_image_extent *prepared; /* ascending; for mappings with DM_SAVE_PREPARED */
    uint64_t prepared_count;
    uint64_t first_free;         /* where the file may be written from */
    uint8_t *scratch;            /* not in the image; DM_WRITE_SCRATCH_BYTES */
    struct dm_thread_slot *self; /* of the checkpoint thread */
    /* Results. */
    uint64_t memory_bytes; /* saved, before compression */
    uint64_t image_bytes;
};
#define DM_WRITE_SCRATCH_BYTES (2u << 20)

enum dm_write_result { DM_WRITTEN = 0, DM_RESTORED = 1 };

/* Writes extents, extent table and header; the file is neither synced nor closed. Returns DM_WRITTEN
 * or -errno in the process that goes on, and DM_RESTORED in a process that the restorer made of the image. */
int dm_image_write(struct dm_write_plan *plan) __attribute__((warn_unused_result, noinline));

#endif
