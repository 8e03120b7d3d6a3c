/* A second processor for work that many small pieces make up, while the program's own threads leave the processors idle. World: Frozen.
 *
 * The helper has the memory and the descriptors of its maker and no TLS of its own: it calls nothing that writes there.
 *
 * Recipe: start; do one's own share; join.
 */
#ifndef DM_HELPER_THREAD_H
#define DM_HELPER_THREAD_H

#include <stdint.h>

#include "dm_rawthread.h"

struct dm_helper {
    uint32_t tid; /* cleared and woken by the kernel when the thread has ended */
    struct dm_raw_entry entry;
};

/* Runs `function` in a new thread whose stack ends at `stack_top`. 0, or -errno: nothing runs then. */
int dm_helper_start(struct dm_helper *helper, void *stack_top, int (*function)(void *), void *argument)
    __attribute__((warn_unused_result));

/* Waits until the thread has ended; only after a successful start. */
void dm_helper_join(struct dm_helper *helper);

#endif
