/* Signals that wait in the queue of one thread (SigPnd of /proc/self/task/TID/status). World: Frozen.
 *
 * Only the thread itself can take them off and put them back with everything that siginfo_t says: rt_tgsigqueueinfo(2)
 * forbids all others to speak for the kernel. Those of the process as a whole: Process/PendingSignals.cs.
 *
 * Recipe: dm_pending_init; dm_pending_capture any number of times; in a restored process dm_pending_put_back when
 * the program's signal dispositions are its own again (ignoring a signal empties its queue); dm_pending_release.
 */
#ifndef DM_PENDING_H
#define DM_PENDING_H

#include <stdint.h>

/* Lives on the stack of the thread, and so in the image. */
struct dm_pending {
    uint64_t memory; /* siginfo_t records, or 0 */
    uint32_t capacity;
    uint32_t count;
    uint32_t restored; /* 1: they are in no queue of this process */
};

void dm_pending_init(struct dm_pending *pending);

/* Notes what is in the queue of the calling thread and leaves it as it was. All signals must be blocked. */
void dm_pending_capture(struct dm_pending *pending);

void dm_pending_put_back(const struct dm_pending *pending);

void dm_pending_release(struct dm_pending *pending);

#endif
