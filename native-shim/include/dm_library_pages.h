/* The file libdormouse.pages beside libdormouse.so: the library's unchangeable pages, compressed when it was built. Images
 * carry them, so that they do not depend on the library's file. World: all.
 *
 * Layout: header | blocks, ascending by place | their bytes. C# reads it: Image/LibraryPages.cs.
 */
#ifndef DM_LIBRARY_PAGES_H
#define DM_LIBRARY_PAGES_H

#include <stdint.h>

#define DM_LIBRARY_PAGES_MAGIC "DMPAGES1"
#define DM_BUILD_ID_BYTES 20u

struct dm_library_block {
    uint64_t place;       /* from the start of the library, page-aligned */
    uint64_t file_offset; /* of the stored bytes, in this file */
    uint32_t bytes;       /* whole pages */
    uint32_t stored_bytes;
    uint32_t codec; /* enum dm_codec */
    uint32_t crc;   /* of the stored bytes */
};

struct dm_library_pages {
    char magic[8];
    uint8_t build_id[DM_BUILD_ID_BYTES]; /* of the library: NT_GNU_BUILD_ID */
    uint32_t count;
    struct dm_library_block blocks[];
};
_Static_assert(sizeof(struct dm_library_pages) == 32 && sizeof(struct dm_library_block) == 32, "file layout");

#endif
