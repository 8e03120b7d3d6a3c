/* World: Frozen. */
#define _GNU_SOURCE
#include "thread_state.h"

#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "dm_syscall.h"
#include "thread_attributes.h"

#define ARCH_GET_FS_CODE 0x1003
#define ARCH_GET_GS_CODE 0x1004
#define ARCH_SET_GS_CODE 0x1001
#define RSEQ_SIGNATURE 0x53053053
/* The kernel wants 32 whatever __rseq_size says, since glibc 2.40 changed its meaning. */
#define RSEQ_BYTES 32

/* glibc 2.35 and later; absent in older ones. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static uint64_t rseq_area(uint64_t fs_base)
{
    if (&__rseq_offset == NULL || &__rseq_size == NULL || __rseq_size == 0)
        return 0;
    return fs_base + (uint64_t)__rseq_offset;
}

void dm_capture_thread(struct dm_thread_slot *slot, ucontext_t *context, const uint64_t *every_cpu)
{
    dm_syscall2(__NR_arch_prctl, ARCH_GET_FS_CODE, (int64_t)&slot->fs_base);
    dm_syscall2(__NR_arch_prctl, ARCH_GET_GS_CODE, (int64_t)&slot->gs_base);
    dm_syscall3(__NR_get_robust_list, 0, (int64_t)&slot->robust_list, (int64_t)&slot->robust_list_bytes);
    dm_syscall5(__NR_prctl, PR_GET_TID_ADDRESS, (int64_t)&slot->clear_child_tid, 0, 0, 0);
    dm_syscall5(__NR_prctl, PR_GET_NAME, (int64_t)slot->name, 0, 0, 0);
    slot->rseq_area = rseq_area(slot->fs_base);
    memcpy(&slot->signal_mask, &context->uc_sigmask, sizeof slot->signal_mask);
    slot->user_context = (uint64_t)context;
    dm_capture_attributes(&slot->attributes, every_cpu);
}

void dm_restore_thread(const struct dm_thread_slot *slot)
{
    if (slot->gs_base != 0)
        dm_syscall2(__NR_arch_prctl, ARCH_SET_GS_CODE, (int64_t)slot->gs_base);
    dm_syscall2(__NR_set_robust_list, (int64_t)slot->robust_list, (int64_t)slot->robust_list_bytes);
    dm_syscall1(__NR_set_tid_address, (int64_t)slot->clear_child_tid);
    dm_syscall5(__NR_prctl, PR_SET_NAME, (int64_t)slot->name, 0, 0, 0);
    if (slot->rseq_area != 0)
        dm_syscall4(__NR_rseq, (int64_t)slot->rseq_area, RSEQ_BYTES, 0, RSEQ_SIGNATURE);
    dm_restore_attributes(&slot->attributes);
}
