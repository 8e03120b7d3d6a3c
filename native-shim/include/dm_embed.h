/* The C# runtime inside this library: start it, call it. World: Guest.
 *
 * The C# runtime sees exactly one thread in its whole life, the "guest": a stack and a TLS
 * block that belong to no kernel thread. Whoever calls into C# borrows them: signals are
 * blocked, the one lock is taken, stack pointer and FS base are switched, and back again.
 * That is why
 *  - a garbage collection never has to stop anybody,
 *  - user threads with 4 KiB stacks may call, and may end afterwards (nothing to detach),
 *  - a fork child goes on with the same runtime: the guest is memory, not a thread,
 *  - no signal handler of the program ever runs inside C# or on its stack.
 * What it means for the C# code:
 *  - a null dereference or a stack overflow is not an exception: no SIGSEGV handler exists, the kernel ends the
 *    process. Check before.
 *  - nothing in it may wait for another managed thread; finalizers never run; there is no environment.
 *  - errno and Marshal.GetLastPInvokeError work; they are the guest's, not the caller's.
 *
 * Recipe for the checkpoint thread:      dm_runtime_call(run_checkpoint, &request);
 * Recipe for fork (pthread_atfork):      prepare: mask = dm_runtime_lock();  parent, child: dm_runtime_unlock(mask);
 * C that is called from C# (P/Invoke) runs on the guest's stack (DM_GUEST_STACK_BYTES) with the guest's FS base and
 * with all signals blocked.
 */
#ifndef DM_EMBED_H
#define DM_EMBED_H

#include <stdint.h>

#include "dm_api.h"
#include "dm_rawthread.h"

enum { DM_GUEST_STACK_BYTES = 1024 * 1024 };

/* Maps the guest; no C# runs yet. Once, early (constructor, before the program makes threads): it reads the loader's
 * list of objects. Costs some microseconds. 0 or -errno. */
DM_API int dm_runtime_prepare(void) __attribute__((warn_unused_result));

/* Starts the C# runtime, about 1 ms; later calls return at once. Any thread, also a raw one. dm_runtime_prepare is
 * called when it was not yet. 0 or -errno. */
DM_API int dm_runtime_start(void) __attribute__((warn_unused_result));

/* 1 once dm_runtime_start has succeeded. */
DM_API int dm_runtime_is_up(void);

/* Calls function(argument) as the guest. The runtime must be up (an entry into C# would start it otherwise: fine, only
 * slow). Waits while another thread is inside; the waiting thread can be suspended and interrupted as usual. When the
 * caller is the guest already, a plain call. */
DM_API void dm_runtime_call(void (*function)(void *), void *argument);

/* As dm_runtime_call, but does not wait: -EBUSY when another thread is inside. */
DM_API int dm_runtime_try_call(void (*function)(void *), void *argument) __attribute__((warn_unused_result));

/* True when the calling code runs as the guest. Gates pass straight through to libc then. */
DM_API int dm_runtime_is_inside(void);

/* Keeps everybody out of C#: around fork. Returns the signal mask that the caller had (all signals are blocked until
 * unlock); not while inside. The child of a fork unlocks as the parent does. */
DM_API uint64_t dm_runtime_lock(void) __attribute__((warn_unused_result));
DM_API void dm_runtime_unlock(uint64_t signal_mask);

/* False in a process that borrows this memory from its parent, vfork(2) or clone(2) with CLONE_VM: what it does is not to be
 * booked as the parent's; and before dm_runtime_prepare. Async-signal-safe. */
DM_API int dm_guest_owns_process(void);

/* The guest's memory, for the image: stack, TLS block, fs_base. tid is always 0. */
extern DM_API struct dm_raw_thread dm_guest;

#endif
