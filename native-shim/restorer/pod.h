/* A pod: new namespaces in which every old process id is free. World: Bare.
 *
 *   builder: dm_pod_enter()            -> namespaces exist, clocks are set
 *   its first child: dm_pod_settle()   -> PID 1, own mounts, own /proc
 *
 * Unprivileged there are two user namespaces, one in the other. The outer maps
 * the user to 0: writing /proc/sys/kernel/shm_next_id and its like asks for uid
 * 0, and it owns the IPC namespace. The inner maps back, so that getuid() is what
 * it was, and owns the PID namespace: clone3(2) with set_tid needs
 * CAP_CHECKPOINT_RESTORE there.
 */
#ifndef DM_POD_H
#define DM_POD_H

#include "run.h"

/* Where a pod could not be made. */
struct dm_pod_problem {
    const char *step;
    int64_t error;
};

/* user_namespaces: 0 when we are really root. Returns 0 or -1 with *problem filled. */
int dm_pod_enter(int user_namespaces, const struct dm_plan_pod *pod, struct dm_pod_problem *problem);
int dm_pod_settle(struct dm_pod_problem *problem);

/* `dormouse-restorer --probe`: writes "pod: ok" or the reason, "ids: ok" or the reason; returns the exit status. */
int dm_probe(int output);

#endif
