/* Small pieces of memory, compressed while they are written. World: Frozen. */
#ifndef DM_COMPRESS_H
#define DM_COMPRESS_H

#include <stdint.h>

/* Compresses `bytes` at `from` as one LZ4 block (lz4_Block_format.md of the LZ4 project) into `to`. The program must
 * stand still. `table` is working memory of DM_COMPRESS_TABLE_BYTES with any contents.
 * Returns the length of the block; 0 when it would be longer than `capacity`: then the pages are better left as they are. */
int64_t dm_compress_page_run(const void *from, uint32_t bytes, void *to, uint32_t capacity, void *table);
#define DM_COMPRESS_TABLE_BYTES (16u << 10)

#endif
