/* Which process this memory belongs to. A child of vfork(2) or clone(CLONE_VM) runs in its parent's memory: what it does is not
 * to be booked as the parent's. World: the program's own; async-signal-safe. */
#ifndef DM_OWN_PROCESS_H
#define DM_OWN_PROCESS_H

#include <stdbool.h>

/* At the start of a member, and in a child that has a copy of its parent's memory. */
void dm_own_process_begin(void);

/* False also in a program that is no member. */
bool dm_is_own_process(void);

#endif
