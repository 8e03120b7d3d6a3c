/* World: Frozen. */
#define _GNU_SOURCE
#include "checksum_thread.h"

#include <linux/futex.h>

#include "dm_crc32c.h"
#include "dm_syscall.h"
#include "helper_thread.h"

struct dm_checksum_thread {
    struct dm_image_extent *extents;
    uint64_t next;      /* the thread's own */
    uint64_t published; /* atomic */
    uint32_t news;      /* futex: changes with `published` and `is_over` */
    uint32_t is_over;   /* atomic */
    struct dm_helper helper;
};

static void sum(struct dm_image_extent *extent)
{
    if (extent->stored_bytes != 0)
        return;
    extent->crc = ~dm_crc32c_add_long(~0u, (const void *)extent->address, extent->bytes);
    extent->stored_bytes = extent->bytes;
}

static int run(void *argument)
{
    struct dm_checksum_thread *thread = argument;
    for (;;) {
        uint32_t news = __atomic_load_n(&thread->news, __ATOMIC_ACQUIRE);
        bool is_over = __atomic_load_n(&thread->is_over, __ATOMIC_ACQUIRE) != 0;
        uint64_t published = __atomic_load_n(&thread->published, __ATOMIC_ACQUIRE);
        if (thread->next < published)
            sum(&thread->extents[thread->next++]);
        else if (is_over)
            return 0;
        else
            dm_futex(&thread->news, FUTEX_WAIT_PRIVATE, news, NULL);
    }
}

static void tell(struct dm_checksum_thread *thread)
{
    __atomic_add_fetch(&thread->news, 1, __ATOMIC_RELEASE);
    dm_futex(&thread->news, FUTEX_WAKE_PRIVATE, 1, NULL);
}

struct dm_checksum_thread *dm_checksum_start(void *memory, struct dm_image_extent *extents, uint64_t first)
{
    struct dm_checksum_thread *thread = memory;
    *thread = (struct dm_checksum_thread){.extents = extents, .next = first, .published = first};
    int error = dm_helper_start(&thread->helper, (char *)memory + DM_CHECKSUM_MEMORY_BYTES, run, thread);
    return error < 0 ? NULL : thread;
}

void dm_checksum_publish(struct dm_checksum_thread *thread, uint64_t count)
{
    __atomic_store_n(&thread->published, count, __ATOMIC_RELEASE);
    tell(thread);
}

void dm_checksum_finish(struct dm_checksum_thread *thread)
{
    __atomic_store_n(&thread->is_over, 1, __ATOMIC_RELEASE);
    tell(thread);
    dm_helper_join(&thread->helper);
}
