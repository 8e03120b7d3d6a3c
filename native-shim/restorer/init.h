/* The first process of a pod. World: Bare.
 *
 * It is the parent of orphans, passes on what the supervisor orders, and lives
 * as long as any process of the pod does.
 */
#ifndef DM_INIT_H
#define DM_INIT_H

#include "run.h"

/* Makes the processes of a pod (or, without a pod, all) and goes through the phases with them.
 * Returns 0 or -1; in the new processes it does not return. */
int dm_init_found(struct dm_run *run, int32_t pod);

/* PID 1 of a pod; order_fd tells what to do, its end that the supervisor is gone. */
_Noreturn void dm_init_live(struct dm_run *run, int32_t pod, int order_fd);

/* Carries out an order on the roots of one pod. */
void dm_init_obey(const struct dm_run *run, int32_t pod, const struct dm_order *order);

/* Fails the run when a member has died before it woke and nobody else can see that. */
void dm_init_look_after(const struct dm_run *run, int32_t pod);

#endif
