/* The LZ4 block format, from lz4_Block_format.md of the LZ4 project: sequences
 * of a token, literals, a 16-bit distance and a match that may overlap itself.
 * World: Bare. */
#include "codec.h"

#include <asm/errno.h>

#include "base.h"
#include "dm_call_filter.h"
#include "dm_image.h"

/* With so much room on both sides short runs are copied in whole steps, and what was too much is overwritten. */
#define STEP 16u

static void copy_step(uint8_t *to, const uint8_t *from)
{
    uint64_t words[2];
    __builtin_memcpy(words, from, STEP);
    __builtin_memcpy(to, words, STEP);
}

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

static void copy_literals(uint8_t *to, const uint8_t *from, uint32_t length, uint64_t to_room, uint64_t from_room)
{
    if (to_room < length + STEP || from_room < length + STEP) {
        memcpy(to, from, length);
        return;
    }
    for (uint32_t done = 0; done < length; done += STEP)
        copy_step(to + done, from + done);
}

static void copy_match(uint8_t *to, uint32_t distance, uint32_t length, uint64_t room)
{
    const uint8_t *from = to - distance;
    if (distance < STEP || room < length + STEP) {
        while (length-- != 0)
            *to++ = *from++;
        return;
    }
    for (uint32_t done = 0; done < length; done += STEP)
        copy_step(to + done, from + done);
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
        copy_literals(to, from, length, (uint64_t)(to_end - to), (uint64_t)(from_end - from));
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
        copy_match(to, distance, length, (uint64_t)(to_end - to));
        to += length;
    }
    return to == to_end ? 0 : -EINVAL;
}

int dm_decode(uint32_t codec, const uint8_t *from, uint32_t from_bytes, uint8_t *to, uint32_t to_bytes)
{
    if (codec != DM_CODEC_LZ4 && codec != DM_CODEC_LZ4_CALLS && codec != DM_CODEC_LZ4_CODE)
        return -ENOSYS;
    int error = decode_lz4(from, from + from_bytes, to, to + to_bytes);
    if (error == 0 && codec != DM_CODEC_LZ4)
        dm_filter_calls(to, to_bytes, codec == DM_CODEC_LZ4_CALLS ? DM_FILTER_CALLS : DM_FILTER_CALLS_AND_DATA,
                        DM_FILTER_TO_DISTANCES);
    return error;
}
