/* World: Frozen. */
#define _GNU_SOURCE
#include "pending_search.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "dm_syscall.h"
#include "helper_thread.h"
#include "procfs.h"

/* For fewer the other thread would come too late. */
#define FEW_THREADS 16
#define STACK_BYTES (64u << 10)

struct search {
    struct dm_thread_slot *slots;
    uint32_t count;
    uint32_t next; /* atomic: the first that nobody has taken */
};

static int search(void *argument)
{
    struct search *s = argument;
    for (uint32_t i; (i = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED)) < s->count;) {
        struct dm_thread_slot *slot = &s->slots[i];
        if (slot->state == DM_SLOT_PARKED && dm_thread_pending(slot->tid) != 0)
            __atomic_store_n(&slot->request, DM_REQUEST_NOTE_PENDING, __ATOMIC_RELEASE);
    }
    return 0;
}

void dm_search_pending(struct dm_thread_slot *slots, uint32_t count)
{
    struct search s = {slots, count, 0};
    struct dm_helper helper;
    int64_t stack =
        count <= FEW_THREADS ? -1 : dm_mmap(0, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_shared = !dm_is_error(stack) && dm_helper_start(&helper, (char *)stack + STACK_BYTES, search, &s) == 0;
    search(&s);
    if (is_shared)
        dm_helper_join(&helper);
    if (!dm_is_error(stack))
        dm_munmap((uint64_t)stack, STACK_BYTES);
}
