/* What C# is told about the shim it lives in. World: Guest. */
#ifndef DM_CORE_H
#define DM_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "dm_image.h"
#include "dm_thread.h"

/* One exchange between the checkpoint thread's loop in C and dm_managed_step in C#.
 * C# says what to wait for, C waits without the gate and says what came. Mirrored in C#
 * (Interop/Step.cs). */
enum dm_wait_kind {
    DM_WAIT_READABLE = 0, /* descriptor becomes readable, or the timeout passes */
    DM_WAIT_SYNC = 1,     /* fsync(2) of descriptor */
};
struct dm_step {
    uint32_t kind;                /* enum dm_wait_kind */
    int32_t descriptor;           /* -1: only the timeout */
    int32_t timeout_milliseconds; /* -1: for ever */
    int32_t result;               /* of poll(2) or fsync(2): a count, 0 or -errno */
};

/* Constant after the library's constructor; mirrored in C# (Interop/Shim.cs). */
struct dm_self {
    const char *coordinator; /* host:port of the environment, or NULL */
    const char *token;       /* 64 hexadecimal digits, or NULL */
    const char *stdio;       /* "dev:ino,dev:ino,dev:ino" of the launcher, or NULL */
    const char *namespaces;  /* those that the computation lives in, or NULL */
    struct dm_restart_info *restart_info;
    uint64_t restored_entry;
    struct dm_thread_slot *slot; /* of the checkpoint thread */
    uint64_t fs_base;            /* of the checkpoint thread */
    uint32_t link;               /* descriptor of the connection to the coordinator + 1, 0: none; C# writes it */
    uint32_t tid;                /* of the checkpoint thread */
    uint64_t signature;          /* random, of this library's start */
    uint32_t owns_table;         /* 1: the checkpoint thread has a descriptor table of its own, see own_table.h */
    uint32_t padding;
    uint64_t library_start, library_end; /* libdormouse.so in memory */
};
struct dm_self *dm_self(void);

/* Around whatever makes a copy of this process: nobody is inside C# meanwhile, and the child begins a checkpoint thread of its
 * own. */
void dm_before_fork(void);
void dm_after_fork_in_parent(void);
void dm_after_fork_in_child(void);

/* Ends the checkpoint thread and waits until the kernel counts it no more; a checkpoint that goes on is finished first. False:
 * there is none. While it is away the process belongs to no computation. Caller: a thread of the program, outside signal handlers. */
bool dm_checkpoint_thread_leave(void);
void dm_checkpoint_thread_return(void);

/* Has the checkpoint thread call function(argument) between two turns of C#, and waits for it; a checkpoint that goes on is
 * finished first. The function is called under the lock that keeps everybody out of C#. When a signal handler asks for the same
 * meanwhile only the later call is made. No thread, or a process that borrows this memory (vfork(2)): nothing is done.
 * Caller: a thread of the program; async-signal-safe. */
void dm_checkpoint_thread_do(void (*function)(void *), void *argument);

#endif
