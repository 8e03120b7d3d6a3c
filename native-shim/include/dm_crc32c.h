/* CRC32C (Castagnoli), see dm_image.h. World: all. */
#ifndef DM_CRC32C_H
#define DM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from the running value `crc`: begin with ~0, xor the end with ~0. SSE 4.2, which every
 * x86-64 processor since 2008 has and the launcher checks. */
__attribute__((target("sse4.2"), unused)) static uint32_t dm_crc32c_add(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint64_t wide = crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;
        __builtin_memcpy(&word, at, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; bytes != 0; bytes--, at++)
        narrow = __builtin_ia32_crc32qi(narrow, *at);
    return narrow;
}

__attribute__((unused)) static uint32_t dm_crc32c(const void *data, size_t bytes)
{
    return ~dm_crc32c_add(~0u, data, bytes);
}

#endif
