/* World: Frozen. */
#define _GNU_SOURCE
#include "checksum_thread.h"

#include <linux/futex.h>
#include <sched.h>

#include "dm_crc32c.h"
#include "dm_syscall.h"

/* Of embed/rawthread.c; here without a TLS block, which nothing in this file uses. */
struct dm_raw_entry {
    int (*function)(void *);
    void *argument;
};
int64_t dm_clone_raw(uint64_t flags, void *stack_top, uint32_t *parent_tid, uint32_t *child_tid, void *tls,
                     struct dm_raw_entry *entry) __attribute__((visibility("hidden")));

struct dm_checksum_thread {
    struct dm_image_extent *extents;
    uint64_t next;      /* the thread's own */
    uint64_t published; /* atomic */
    uint32_t news;      /* futex: changes with `published` and `is_over` */
    uint32_t is_over;   /* atomic */
    uint32_t tid;       /* cleared and woken by the kernel when the thread has ended */
    struct dm_raw_entry entry;
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
    *thread = (struct dm_checksum_thread){
        .extents = extents, .next = first, .published = first, .entry = {.function = run, .argument = thread}};
    const uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                           CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    int64_t tid = dm_clone_raw(flags, (char *)memory + DM_CHECKSUM_MEMORY_BYTES, &thread->tid, &thread->tid, NULL,
                               &thread->entry);
    return dm_is_error(tid) ? NULL : thread;
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
    for (uint32_t tid; (tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)) != 0;)
        dm_futex(&thread->tid, FUTEX_WAIT, tid, NULL);
}
