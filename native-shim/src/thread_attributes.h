/* What the kernel keeps of a thread besides registers, memory and signal mask: how it is scheduled, and what reaches
 * it when its parent ends. World: Frozen, in the thread itself. */
#ifndef DM_THREAD_ATTRIBUTES_H
#define DM_THREAD_ATTRIBUTES_H

#include "dm_thread.h"

/* Fills slot->attributes. `every_cpu`: what dm_every_cpu found. */
void dm_capture_attributes(struct dm_thread_attributes *attributes, const uint64_t *every_cpu);

/* Gives the calling thread these attributes, as far as the new host and our rights allow: they change how fast the
 * program runs, not what it computes. */
void dm_restore_attributes(const struct dm_thread_attributes *attributes);

/* All CPUs that this process may be given: DM_CPU_WORDS words. Caller: the checkpoint thread, whose own affinity is
 * changed for a moment. */
void dm_every_cpu(uint64_t *cpus);

#endif
