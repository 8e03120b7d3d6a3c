/* Raw threads: stack, hand-made TLS block, clone(2). World: Guest. See dm_rawthread.h. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "dm_rawthread.h"
#include "dm_syscall.h"

enum {
    PAGE_BYTES = 4096,
    TCB_BYTES = 4096,       /* struct pthread is 2304 bytes in glibc 2.36 */
    STATIC_TLS_MAX = 65536, /* larger distances are blocks that dlopen has allocated elsewhere */
    DTV_SLOTS = 64,
};

/* The head of the thread descriptor: tcbhead_t, glibc sysdeps/x86_64/nptl/tls.h. The psABI fixes self and the
 * stack guard; compilers and setjmp know the others. */
struct tcb_head {
    void *self;
    void *dtv;
    void *self_again;
    uint32_t multiple_threads;
    uint32_t gscope;
    uint64_t sysinfo;
    uint64_t stack_guard;
    uint64_t pointer_guard;
};

/* dtv_t: slot 0 is a generation counter; slot -1 the number of slots. */
struct dtv_slot {
    uint64_t value;
    void *to_free;
};

struct dm_raw_thread *dm_raw_threads[DM_RAW_THREADS_MAX];
uint32_t dm_raw_thread_count;

extern const ptrdiff_t __rseq_offset __attribute__((weak));

int64_t dm_clone_raw(uint64_t flags, void *stack_top, uint32_t *parent_tid, uint32_t *child_tid, void *tls,
                     struct dm_raw_entry *entry) __attribute__((visibility("hidden")));

static uintptr_t thread_pointer(void)
{
    uintptr_t pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

/* Distance of a module's block below the thread pointer, 0 when it is not in the static area. */
static size_t static_tls_distance(const struct dl_phdr_info *info)
{
    uintptr_t block = (uintptr_t)info->dlpi_tls_data;
    uintptr_t pointer = thread_pointer();
    if (block == 0 || block >= pointer || pointer - block > STATIC_TLS_MAX)
        return 0;
    return pointer - block;
}

static int measure_module(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    size_t *most = argument;
    size_t distance = static_tls_distance(info);
    if (distance > *most)
        *most = distance;
    return 0;
}

struct copy {
    char *fs_base;
    struct dtv_slot *dtv;
};

static int copy_module(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    const struct copy *copy = argument;
    size_t distance = static_tls_distance(info);
    if (distance == 0)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_TLS)
            memcpy(copy->fs_base - distance, (const char *)(info->dlpi_addr + header->p_vaddr), header->p_filesz);
    }
    if (info->dlpi_tls_modid < DTV_SLOTS)
        copy->dtv[info->dlpi_tls_modid].value = (uintptr_t)copy->fs_base - distance;
    return 0;
}

static struct dtv_slot *dtv_of(const struct dm_raw_thread *thread)
{
    return (struct dtv_slot *)((char *)thread->fs_base + TCB_BYTES);
}

static void fill_tls(struct dm_raw_thread *thread)
{
    const struct tcb_head *mine = (const struct tcb_head *)thread_pointer();
    struct tcb_head *head = thread->fs_base;
    struct dtv_slot *dtv = dtv_of(thread);

    dtv[0].value = DTV_SLOTS;
    dtv[1].value = UINT64_MAX; /* a generation newer than any: never grown, never freed */
    head->self = head;
    head->self_again = head;
    head->dtv = &dtv[1];
    head->stack_guard = mine->stack_guard;
    head->pointer_guard = mine->pointer_guard;
    if (&__rseq_offset != NULL) {
        /* struct rseq: cpu_id_start, cpu_id. RSEQ_CPU_ID_REGISTRATION_FAILED keeps sched_getcpu(3) from believing
         * that this thread is registered (linux/rseq.h). */
        int32_t failed = -2;
        memcpy((char *)head + __rseq_offset + 4, &failed, sizeof failed);
    }

    struct copy copy = {.fs_base = thread->fs_base, .dtv = &dtv[1]};
    dl_iterate_phdr(copy_module, &copy);
}

int dm_raw_thread_prepare(struct dm_raw_thread *thread, size_t stack_bytes)
{
    memset(thread, 0, sizeof *thread);
    stack_bytes = (stack_bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);

    size_t static_bytes = 0;
    dl_iterate_phdr(measure_module, &static_bytes);
    /* The thread pointer keeps the alignment that the loader gave it: a multiple of what every module asked for. */
    static_bytes = (static_bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    size_t tls_bytes = static_bytes + TCB_BYTES + (DTV_SLOTS + 2) * sizeof(struct dtv_slot);
    tls_bytes = (tls_bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);

    /* Guard page, stack, TLS block: fork(2) pays for each piece that another protection separates. */
    size_t all = PAGE_BYTES + stack_bytes + tls_bytes;
    int64_t address = dm_mmap(0, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (dm_is_error(address))
        return (int)address;
    int64_t status = dm_mprotect((uint64_t)address, PAGE_BYTES, PROT_NONE);
    if (status != 0) {
        (void)dm_munmap((uint64_t)address, all);
        return (int)status;
    }

    char *base = (char *)address;
    thread->stack = base + PAGE_BYTES;
    thread->stack_bytes = stack_bytes;
    thread->tls_block = base + PAGE_BYTES + stack_bytes;
    thread->tls_bytes = tls_bytes;
    thread->fs_base = (char *)thread->tls_block + static_bytes;
    fill_tls(thread);
    return 0;
}

static void remember(struct dm_raw_thread *thread)
{
    for (uint32_t i = 0; i < dm_raw_thread_count; i++) {
        if (dm_raw_threads[i] == thread)
            return;
    }
    if (dm_raw_thread_count < DM_RAW_THREADS_MAX)
        dm_raw_threads[dm_raw_thread_count++] = thread;
}

int dm_raw_thread_is_ours(uint32_t tid)
{
    for (uint32_t i = 0; i < dm_raw_thread_count; i++) {
        if (tid != 0 && __atomic_load_n(&dm_raw_threads[i]->tid, __ATOMIC_ACQUIRE) == tid)
            return 1;
    }
    return 0;
}

int dm_raw_thread_start(struct dm_raw_thread *thread, int (*function)(void *), void *argument)
{
    const uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                           CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    uint64_t all_signals = UINT64_MAX;
    uint64_t previous = 0;

    remember(thread);
    thread->entry = (struct dm_raw_entry){.function = function, .argument = argument};
    /* The new thread inherits the mask; also libc's own signals 32 and 33, which its wrappers refuse to block. */
    (void)dm_syscall4(__NR_rt_sigprocmask, SIG_SETMASK, (int64_t)&all_signals, (int64_t)&previous, 8);
    int64_t tid = dm_clone_raw(flags, (char *)thread->stack + thread->stack_bytes, &thread->tid, &thread->tid,
                               thread->fs_base, &thread->entry);
    (void)dm_syscall4(__NR_rt_sigprocmask, SIG_SETMASK, (int64_t)&previous, 0, 8);
    return tid < 0 ? (int)tid : 0;
}
