/* What a thread has besides its registers and its memory. World: Frozen; each thread for itself. */
#ifndef DM_THREAD_STATE_H
#define DM_THREAD_STATE_H

#include <stdint.h>
#include <ucontext.h>

#include "dm_thread.h"

/* Into the slot; `context`: of the signal frame, `every_cpu`: dm_every_cpu's. */
void dm_capture_thread(struct dm_thread_slot *slot, ucontext_t *context, const uint64_t *every_cpu);

/* Gives the new kernel thread what belongs to a thread and not to its memory or its signal frame. */
void dm_restore_thread(const struct dm_thread_slot *slot);

#endif
