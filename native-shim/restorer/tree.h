/* Growing the tree of processes. World: Bare.
 *
 * Each process makes its own children, in the order of the plan, so that parents
 * and sessions come out as they were. Then all go through the phases of run.h
 * together and become what they are: members, stand-ins, transients, zombies.
 */
#ifndef DM_TREE_H
#define DM_TREE_H

#include "run.h"

/* Makes the processes whose creator is this one (a node, or DM_PLAN_INIT of a pod) and that are born before
 * (or after) its setsid(2). Returns 0 or -1 after having said why; in the children it does not return. */
int dm_tree_grow(struct dm_run *run, int32_t creator, int32_t pod, int before_setsid);

/* Waits for the transients and zombies among the children of this process. Returns 0 or -1. */
int dm_tree_settle(const struct dm_run *run, int32_t creator, int32_t pod);

/* Takes note of children that have ended or stopped, and reports those that are roots.
 * Returns the number of children that are left, -ECHILD as 0. */
int dm_tree_reap(const struct dm_run *run);

#endif
