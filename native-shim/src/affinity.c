/* World: Guest. See affinity.h. */
#define _GNU_SOURCE
#include "affinity.h"

#include <stdint.h>
#include <string.h>

#include "dm_syscall.h"

/* Larger machines do without. */
#define MOST_PROCESSORS 1024
#define WORD_BITS 64

struct mask {
    uint64_t words[MOST_PROCESSORS / WORD_BITS];
};

static struct mask s_before;
static uint32_t s_is_bound;

static int64_t get(struct mask *mask)
{
    memset(mask, 0, sizeof *mask);
    return dm_syscall3(__NR_sched_getaffinity, 0, sizeof *mask, (int64_t)mask);
}

static int64_t set(const struct mask *mask)
{
    return dm_syscall3(__NR_sched_setaffinity, 0, sizeof *mask, (int64_t)mask);
}

void dm_affinity_stay(void)
{
    unsigned processor = 0;
    struct mask here;
    memset(&here, 0, sizeof here);
    s_is_bound = 0;
    if (get(&s_before) < 0 || dm_syscall3(__NR_getcpu, (int64_t)&processor, 0, 0) < 0 || processor >= MOST_PROCESSORS)
        return;
    here.words[processor / WORD_BITS] = 1ull << processor % WORD_BITS;
    s_is_bound = set(&here) >= 0;
}

/* The kernel keeps what was asked for (task_struct.user_cpus_ptr), and a cpuset that grows later gives no more than that. So who was
 * bound by nothing but the cpuset asks for all. */
void dm_affinity_release(void)
{
    struct mask all, allowed;
    memset(&all, 0xff, sizeof all);
    if (s_is_bound != 0 && (set(&all) < 0 || get(&allowed) < 0 || memcmp(&allowed, &s_before, sizeof allowed) != 0))
        set(&s_before);
}
