/* The private libc of the C# object: what its files share. World: Guest and Frozen.
 *
 * Every function named dm_rt_<name> stands in for libc's <name>: same arguments, same results, errno set on failure.
 * imports.txt lists them all and says why. They use raw system calls and memory of their own: the program may be
 * stopped while it holds libc's locks, and may have replaced libc's functions by its own.
 */
#ifndef DM_EMBED_PRIVATE_H
#define DM_EMBED_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

/* Learns where this library lies, for dl_iterate_phdr and dladdr of the C# object. Takes the loader lock: early. */
void dm_embed_find_self(void);

/* The private allocator, memory.c. */
void *dm_rt_calloc(size_t count, size_t bytes);
void dm_rt_free(void *pointer);

/* Chooses the size of the C# heap by the address space that is left, and opens the arena for it: the runtime itself would end the
 * process when its reservation fails. 0 or -ENOMEM. */
int dm_settings_fit(void) __attribute__((warn_unused_result));

/* Writes to stderr and ends the process with status 134 (as after SIGABRT). */
_Noreturn void dm_rt_abort(void);

/* snprintf with d i u x X p s c %, widths, zero padding, l ll z. */
int dm_rt_snprintf(char *buffer, size_t bytes, const char *format, ...);

/* A kernel result as libc reports it: -1 and errno. */
int64_t dm_rt_result(int64_t result);

#endif
