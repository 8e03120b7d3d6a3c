/* World: Frozen. */
#define _GNU_SOURCE
#include "helper_thread.h"

#include <linux/futex.h>
#include <sched.h>

#include "dm_syscall.h"

int64_t dm_clone_raw(uint64_t flags, void *stack_top, uint32_t *parent_tid, uint32_t *child_tid, void *tls,
                     struct dm_raw_entry *entry) __attribute__((visibility("hidden")));

int dm_helper_start(struct dm_helper *helper, void *stack_top, int (*function)(void *), void *argument)
{
    *helper = (struct dm_helper){.entry = {.function = function, .argument = argument}};
    const uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                           CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    int64_t tid = dm_clone_raw(flags, stack_top, &helper->tid, &helper->tid, NULL, &helper->entry);
    return dm_is_error(tid) ? (int)tid : 0;
}

void dm_helper_join(struct dm_helper *helper)
{
    for (uint32_t tid; (tid = __atomic_load_n(&helper->tid, __ATOMIC_ACQUIRE)) != 0;)
        dm_futex(&helper->tid, FUTEX_WAIT, tid, NULL);
}
