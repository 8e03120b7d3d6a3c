/* Which of many parked threads have signals waiting for them alone. World: Frozen. */
#ifndef DM_PENDING_SEARCH_H
#define DM_PENDING_SEARCH_H

#include <stdint.h>

#include "dm_thread.h"

/* Requests DM_REQUEST_NOTE_PENDING of each parked thread of `slots` that has some. It costs 10 us for each thread, all of it in
 * the kernel, so two processors share it. */
void dm_search_pending(struct dm_thread_slot *slots, uint32_t count);

#endif
