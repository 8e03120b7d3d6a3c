/* A second processor for the image writer: it computes the checksums of what the writer has written. World: Frozen.
 *
 * Copying a page into the page cache and summing it up cost about the same, and while a process is written its own threads
 * leave the processors idle. Everything that changes while it runs (its stack, its state) lies in scratch memory, which is in no
 * image.
 *
 * Recipe: start; for each extent, written but without a checksum, publish; finish.
 */
#ifndef DM_CHECKSUM_THREAD_H
#define DM_CHECKSUM_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "dm_image.h"

#define DM_CHECKSUM_MEMORY_BYTES (64u << 10)

struct dm_checksum_thread;

/* Starts the thread in `memory` (DM_CHECKSUM_MEMORY_BYTES of scratch); it looks at `extents` in their order. NULL when the
 * kernel gives us no thread. */
struct dm_checksum_thread *dm_checksum_start(void *memory, struct dm_image_extent *extents, uint64_t first);

/* The extents below `count` are written. Those whose stored_bytes is 0 get it and their checksum from the thread. */
void dm_checksum_publish(struct dm_checksum_thread *thread, uint64_t count);

/* Waits until all published extents have their checksums and the thread has ended. */
void dm_checksum_finish(struct dm_checksum_thread *thread);

#endif
