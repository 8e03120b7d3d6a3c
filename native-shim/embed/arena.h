/* Where the private libc takes memory from: one mapping for all that the C# runtime asks for while it starts, and keeps.
 * World: Guest; the second pair of functions also Frozen.
 *
 * Why: fork(2) pays more than a microsecond for each mapping that holds pages and for each table of 512 of them, in the parent and
 * again when the child ends. The pieces lie together here, the many small ones in one table.
 */
#ifndef DM_ARENA_H
#define DM_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Before the runtime starts. `bytes`: about what it will ask for. 0 or -ENOMEM. */
int dm_arena_open(uint64_t bytes) __attribute__((warn_unused_result));

/* When it has started: what is left is given back. */
void dm_arena_close(void);

/* Zeroed memory to read and write, whole pages: of the arena while it is open and has room, else a mapping. An address or -errno. */
int64_t dm_arena_map(size_t bytes);

/* Of either kind, also parts. 0 or -errno. */
int64_t dm_arena_unmap(uint64_t address, size_t bytes);

#endif
