/* World: Frozen. */
#include "thread_attributes.h"

#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>

#include "credentials.h"
#include "dm_syscall.h"

#define IOPRIO_WHO_PROCESS 1
#define ASK_PERSONALITY 0xffffffff
#define MASK_BYTES (DM_CPU_WORDS * sizeof(uint64_t))

static void read_cpus(uint64_t *cpus)
{
    memset(cpus, 0, MASK_BYTES);
    dm_syscall3(__NR_sched_getaffinity, 0, MASK_BYTES, (int64_t)cpus);
}

void dm_every_cpu(uint64_t *cpus)
{
    uint64_t own[DM_CPU_WORDS];
    read_cpus(own);
    /* The kernel cuts the mask down to the cpuset and the CPUs that are there: sched_setaffinity(2). */
    memset(cpus, 0xff, MASK_BYTES);
    dm_syscall3(__NR_sched_setaffinity, 0, MASK_BYTES, (int64_t)cpus);
    read_cpus(cpus);
    dm_syscall3(__NR_sched_setaffinity, 0, MASK_BYTES, (int64_t)own);
}

void dm_capture_attributes(struct dm_thread_attributes *attributes, const uint64_t *every_cpu)
{
    memset(attributes, 0, sizeof *attributes);
    dm_syscall4(__NR_sched_getattr, 0, (int64_t)attributes->scheduling, sizeof attributes->scheduling, 0);
    attributes->io_priority = (int32_t)dm_syscall2(__NR_ioprio_get, IOPRIO_WHO_PROCESS, 0);
    attributes->timer_slack = (uint64_t)dm_syscall5(__NR_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);
    int32_t parent_death_signal = 0;
    dm_syscall5(__NR_prctl, PR_GET_PDEATHSIG, (int64_t)&parent_death_signal, 0, 0, 0);
    attributes->parent_death_signal = (uint16_t)parent_death_signal;
    attributes->no_new_privileges = dm_syscall5(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    dm_credentials_capture(&attributes->credentials);
    attributes->personality = (uint32_t)dm_syscall1(__NR_personality, ASK_PERSONALITY);
    read_cpus(attributes->cpus);
    /* A thread that may run everywhere may do so on the new host, too, and a restart that somebody has bound to some
     * CPUs stays there. */
    if (memcmp(attributes->cpus, every_cpu, MASK_BYTES) == 0)
        memset(attributes->cpus, 0, MASK_BYTES);
}

static bool is_bound(const uint64_t *cpus)
{
    for (int i = 0; i < DM_CPU_WORDS; i++) {
        if (cpus[i] != 0)
            return true;
    }
    return false;
}

void dm_restore_attributes(const struct dm_thread_attributes *attributes)
{
    struct dm_thread_attributes now;
    memset(&now, 0, sizeof now);
    dm_syscall4(__NR_sched_getattr, 0, (int64_t)now.scheduling, sizeof now.scheduling, 0);
    if (memcmp(now.scheduling, attributes->scheduling, sizeof now.scheduling) != 0)
        dm_syscall3(__NR_sched_setattr, 0, (int64_t)attributes->scheduling, 0);
    if (attributes->io_priority > 0)
        dm_syscall3(__NR_ioprio_set, IOPRIO_WHO_PROCESS, 0, attributes->io_priority);
    dm_syscall5(__NR_prctl, PR_SET_TIMERSLACK, (int64_t)attributes->timer_slack, 0, 0, 0);
    /* CPUs that this host does not have are left out; EINVAL when it has none of them. */
    if (is_bound(attributes->cpus))
        dm_syscall3(__NR_sched_setaffinity, 0, MASK_BYTES, (int64_t)attributes->cpus);
    dm_syscall1(__NR_personality, attributes->personality);
    /* The restorer has made every thread of root's programs the program's real user with all that root may. A thread that had given
     * something of that up must not have it again. */
    dm_credentials_restore(&attributes->credentials);
    /* After the credentials, whose change clears it. */
    dm_syscall5(__NR_prctl, PR_SET_PDEATHSIG, attributes->parent_death_signal, 0, 0, 0);
    if (attributes->no_new_privileges)
        dm_syscall5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
