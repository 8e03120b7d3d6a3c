/* What is kept of each thread while it is suspended, and how it is parked and
 * taken up again. World: Frozen.
 *
 * A suspended thread stands in the signal handler of suspend.c, on its own
 * stack, with a saved dm_context. A restart creates a kernel thread with the
 * same TID and FS base and resumes that context: the handler returns twice.
 */
#ifndef DM_THREAD_H
#define DM_THREAD_H

#include <stdint.h>

/* Callee-saved state, System V x86-64 ABI; the layout is known to arch/x86_64/context.S. */
struct dm_context {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
    uint32_t mxcsr;
    uint16_t x87_control;
    uint16_t reserved;
};

/* Like setjmp: 0 at first, then the value given to dm_context_resume. */
int dm_context_save(struct dm_context *context) __attribute__((returns_twice));
/* Goes on where the context was saved. FS base must be that of the saving thread. */
_Noreturn void dm_context_resume(const struct dm_context *context, int value);

enum dm_slot_state {
    DM_SLOT_FREE = 0,
    DM_SLOT_SIGNALLED = 1,
    DM_SLOT_PARKED = 2,
};

/* What only a thread of the program can do for us while it is parked. */
enum dm_slot_request {
    DM_REQUEST_NONE = 0,
    DM_REQUEST_NOTE_PENDING = 1, /* the signals in its own queue: pending.h */
    DM_REQUEST_CLOSE = 2,        /* a descriptor of the program's table: own_table.h */
};

#define DM_SUSPEND_SIGNAL 33 /* see src/suspend.c */
#define DM_CPU_WORDS 16      /* as many CPUs as cpu_set_t has: CPU_SETSIZE */

/* See src/credentials.h. */
struct dm_credentials {
    uint32_t users[3], groups[3]; /* real, effective, saved */
    uint64_t effective, permitted, inheritable;
};

/* See src/thread_attributes.h. */
struct dm_thread_attributes {
    uint8_t scheduling[48]; /* struct sched_attr of sched_setattr(2), first version */
    uint64_t timer_slack;   /* nanoseconds */
    int32_t io_priority;    /* ioprio_get(2) */
    uint16_t parent_death_signal;
    uint16_t no_new_privileges;
    uint64_t cpus[DM_CPU_WORDS];       /* all 0: not bound */
    struct dm_credentials credentials; /* of root, who may change them for each thread */
    uint32_t personality;              /* personality(2): of each thread */
    uint32_t reserved;
};

#define DM_NOT_COUNTED 0xffffffffu

/* One thread during one suspension. The layout is mirrored in C# (Interop/ThreadSlot.cs). */
struct dm_thread_slot {
    uint32_t state; /* enum dm_slot_state, atomic */
    uint32_t tid;
    uint32_t epoch;    /* the suspension that this slot belongs to */
    uint32_t restored; /* 1 once the thread runs in a restored process */
    uint64_t fs_base;
    uint64_t gs_base;
    uint64_t robust_list, robust_list_bytes; /* get_robust_list(2) */
    uint64_t clear_child_tid;                /* prctl(2), PR_GET_TID_ADDRESS */
    uint64_t rseq_area;                      /* 0: not registered */
    uint64_t signal_mask;                    /* of the interrupted code */
    uint64_t user_context;                   /* ucontext_t * in the thread's signal frame */
    /* From /proc/self/task/TID/syscall, read before the signal was sent; -1 when it was running. */
    int64_t call_number;
    uint64_t call_pc;
    int64_t blocked_nanoseconds; /* how long it had been blocked, -1 when unknown */
    uint32_t cpu;                /* it last ran on */
    uint32_t voluntary_switches; /* it had made then (nr_voluntary_switches of sched), or DM_NOT_COUNTED */
    char name[16];
    struct dm_context context;
    struct dm_thread_attributes attributes;
    uint32_t request;  /* enum dm_slot_request, atomic: the parked thread does it, then sets 0 */
    uint32_t argument; /* of the request */
};
_Static_assert(sizeof(struct dm_thread_slot) == 456, "slot record");

/* An interrupted system call that goes on in arch/x86_64/resume_call.S. It lies
 * on the stack of the interrupted thread, at its rsp; the assembly knows the layout. */
struct dm_resume_call {
    uint64_t rdi, rsi, rdx, r10; /* as the program had them */
    uint64_t rip, rsp;
    int64_t done;       /* bytes transferred before the interruption, or 0 */
    int64_t timeout[2]; /* struct timespec that replaces the program's, or that of `wait` */
    int64_t number;     /* of the call */
    /* A call on a socket with a time limit of its own (SO_RCVTIMEO): ppoll(2) for what is left of it, then the call. */
    int64_t late;  /* its result when the time is over */
    uint64_t wait; /* struct pollfd */
} __attribute__((aligned(16)));

extern char dm_resume_call_start[], dm_resume_call_after[];
extern char dm_resume_wait_start[], dm_resume_wait_after[];

#endif
