/* The gate before each exported function that C# replaces. World: Guest.
 *
 * dm-gen writes one gate per function (dm_gates.g.c), with the signature of that function:
 *
 *     program -> connect (Dormouse.Runtime.g.c) -> gate_connect -> dm_managed_connect (C#, as the guest)
 *                                                       \-> connect of libc: at once, or afterwards
 *
 * At once, when the gate is not open (dm_gate_is_open). Afterwards, when C# has called dm_gate_forward: that is how a
 * blocking call, or one that must run with the program's own signal mask (execve), is made without holding the guest.
 * errno is the caller's before and after; only a negative result of C# or the real function may change it.
 */
#ifndef DM_GATE_H
#define DM_GATE_H

#include <stdint.h>

struct dm_gate_room;

/* One crossing, on the caller's stack. */
struct dm_gate {
    int error;           /* errno: in, out */
    uint32_t wants_real; /* C# has called dm_gate_forward */
    uint64_t forward[6]; /* with these arguments */
    struct dm_gate_room *rooms;
};

struct dm_gate_entry {
    const char *type; /* "Namespace.Type, Assembly" */
    const char *method;
    const char *name; /* in C */
    void *gate;
};

/* Written by dm-gen. */
extern const struct dm_gate_entry dm_gates[];
extern const uint32_t dm_gate_count;
extern void *dm_gate_reals[];

/* Looks the real functions up. Takes the loader lock: in the constructor (dm_runtime_prepare does it). */
void dm_gate_prepare(void);

/* False: pass straight through to libc. The runtime is not up yet, this thread is the guest already, the process is
 * detached, or it shares its memory with a parent that goes on (vfork(2), a raw clone(2)). */
int dm_gate_is_open(void);

/* From now on every gate passes straight through; for a process that has left its computation. */
void dm_gate_detach(void);

/* Runs enter(argument) as the guest; for generated code. */
void dm_gate_cross(struct dm_gate *gate, void (*enter)(void *), void *argument);

/* The real function of the gate with this index. */
void *dm_gate_real(uint32_t index);

/* Frees the rooms of a crossing. */
void dm_gate_release(struct dm_gate *gate);

/* --- called by C# inside an exported function (Interop) ----------------------------------------------------------- */

/* After this C# function has returned, and with the program's signal mask and stack, libc's function is called with
 * these arguments (as many as it has); its result and errno are what the program gets. */
void dm_gate_forward(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/* Zeroed memory that lives until that call has returned: for changed argument vectors. NULL when there is none. */
void *dm_gate_room(uint64_t bytes);

#endif
