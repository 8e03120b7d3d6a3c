/* The LZ4 block format, from lz4_Block_format.md of the LZ4 project: sequences
 * of a token, literals, a 16-bit distance and a match that may overlap itself.
 * World: Bare. */
#include "codec.h"

#include <asm/errno.h>

#include "base.h"
#include "dm_image.h"

/* A length of 15 in the token goes on in bytes until one is not 255. Returns 0 or -EINVAL. */
static int read_length(const uint8_t **from, const uint8_t *end, uint32_t *length)
{
    if (*length != 15)
        return 0;
    uint8_t more;
    do {
        if (*from == end || *length > 0x7fffff00u)
            return -EINVAL;
        more = *(*from)++;
        *length += more;
    } while (more == 255);
    return 0;
}

static int decode_lz4(const uint8_t *from, const uint8_t *from_end, uint8_t *to, uint8_t *to_end)
{
    uint8_t *const start = to;
    while (from < from_end) {
        uint8_t token = *from++;
        uint32_t length = token >> 4;
        if (read_length(&from, from_end, &length) < 0 || length > (uint64_t)(from_end - from) ||
            length > (uint64_t)(to_end - to))
            return -EINVAL;
        memcpy(to, from, length);
        from += length;
        to += length;
        if (from == from_end)
            break; /* the last sequence has no match */
        if (from_end - from < 2)
            return -EINVAL;
        uint32_t distance = (uint32_t)from[0] | (uint32_t)from[1] << 8;
        from += 2;
        length = token & 15;
        if (read_length(&from, from_end, &length) < 0)
            return -EINVAL;
        length += 4;
        if (distance == 0 || distance > (uint64_t)(to - start) || length > (uint64_t)(to_end - to))
            return -EINVAL;
        for (const uint8_t *match = to - distance; length != 0; length--)
            *to++ = *match++;
    }
    return to == to_end ? 0 : -EINVAL;
}

int dm_decode(uint32_t codec, const uint8_t *from, uint32_t from_bytes, uint8_t *to, uint32_t to_bytes)
{
    if (codec == DM_CODEC_LZ4)
        return decode_lz4(from, from + from_bytes, to, to + to_bytes);
    return -ENOSYS;
}
