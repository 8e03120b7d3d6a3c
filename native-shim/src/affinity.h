/* Where a new checkpoint thread starts. World: Guest.
 *
 * The kernel gives a new thread to the processor that has least to do (select_task_rq_fair in kernel/sched/fair.c, WF_FORK). A child of
 * fork(2) that ends at once, as most do, then pays for two processors: the other is woken, takes part in every change of the
 * memory map, and is woken again for the end. So the thread starts where its maker is, and may go elsewhere when the process has
 * lived for a moment.
 */
#ifndef DM_AFFINITY_H
#define DM_AFFINITY_H

/* Binds the calling thread to the processor that it is on; where the kernel refuses, nothing changes. */
void dm_affinity_stay(void);

/* Undoes that, in the same thread, and in one that was made in between. */
void dm_affinity_release(void);

#endif
