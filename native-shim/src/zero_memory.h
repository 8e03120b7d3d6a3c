/* Memory that has been touched and is zero nevertheless: where huge pages are always on one byte makes 2 MiB of it, and programs
 * clear more than they use. An image leaves it out, since anonymous memory that nobody has touched is zero as well.
 * World: Frozen.
 *
 * Only whole blocks count: a hole costs an extent, and most blocks are told by their first bytes.
 */
#ifndef DM_ZERO_MEMORY_H
#define DM_ZERO_MEMORY_H

#include <stdint.h>

#define DM_ZERO_BLOCK_BYTES (64u << 10)

/* Where the first block of zeros in [start, end) begins, or end. Page-aligned, readable. */
uint64_t dm_zero_begin(uint64_t start, uint64_t end);

/* Where the zeros that begin at start end. */
uint64_t dm_zero_end(uint64_t start, uint64_t end);

#endif
