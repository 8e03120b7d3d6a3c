/* LZ4's block format: sequences of a token, literals, a 16-bit distance and a match. Why our own encoder: it runs while the
 * program stands still, without libc, on memory that is given to it; that leaves little of a library. World: Frozen. */
#include "compress.h"

#include <stdbool.h>
#include <string.h>

enum {
    LEAST_MATCH = 4,
    FARTHEST = 65535,
    /* The format: the last match begins 12 bytes before the end or earlier, the last 5 bytes are literals. */
    LAST_MATCH_START = 12,
    LAST_LITERALS = 5,
    TABLE_SHIFT = 32 - 12,
    /* Where nothing matches, the search goes on in ever longer steps. */
    PATIENCE_SHIFT = 6,
};
_Static_assert((1u << (32 - TABLE_SHIFT)) * sizeof(uint32_t) == DM_COMPRESS_TABLE_BYTES, "table");

static uint32_t word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t long_at(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t hash_of(uint32_t word)
{
    return word * 2654435761u >> TABLE_SHIFT;
}

/* How many bytes from `a` on equal those from `b` on, before `end`. */
static uint32_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *start = a;
    while (end - a >= 8) {
        uint64_t difference = long_at(a) ^ long_at(b);
        if (difference != 0)
            return (uint32_t)(a - start) + (uint32_t)__builtin_ctzll(difference) / 8;
        a += 8;
        b += 8;
    }
    while (a < end && *a == *b) {
        a++;
        b++;
    }
    return (uint32_t)(a - start);
}

struct output {
    uint8_t *at, *end;
};

static void put_length(struct output *out, uint32_t length)
{
    for (; length >= 255; length -= 255)
        *out->at++ = 255;
    *out->at++ = (uint8_t)length;
}

/* A sequence; without a match when `distance` is 0. False when there is no room. */
static bool put_sequence(struct output *out, const uint8_t *literals, uint32_t count, uint32_t distance,
                         uint32_t length)
{
    uint64_t most = 1 + count / 255 + 1 + count + 2 + length / 255 + 1;
    if ((uint64_t)(out->end - out->at) < most)
        return false;
    uint32_t more = distance != 0 ? length - LEAST_MATCH : 0;
    *out->at++ = (uint8_t)((count < 15 ? count : 15) << 4 | (more < 15 ? more : 15));
    if (count >= 15)
        put_length(out, count - 15);
    memcpy(out->at, literals, count);
    out->at += count;
    if (distance == 0)
        return true;
    *out->at++ = (uint8_t)distance;
    *out->at++ = (uint8_t)(distance >> 8);
    if (more >= 15)
        put_length(out, more - 15);
    return true;
}

int64_t dm_compress_page_run(const void *from, uint32_t bytes, void *to, uint32_t capacity, void *table)
{
    const uint8_t *start = from, *end = start + bytes, *literals = start, *at = start + 1;
    uint32_t *places = table;
    struct output out = {to, (uint8_t *)to + capacity};
    memset(places, 0, DM_COMPRESS_TABLE_BYTES);
    for (uint32_t misses = 1u << PATIENCE_SHIFT; bytes > LAST_MATCH_START && at < end - LAST_MATCH_START;) {
        uint32_t word = word_at(at), hash = hash_of(word);
        const uint8_t *match = start + places[hash];
        places[hash] = (uint32_t)(at - start);
        if (at - match > FARTHEST || word_at(match) != word) {
            at += misses++ >> PATIENCE_SHIFT;
            continue;
        }
        while (at > literals && match > start && at[-1] == match[-1]) {
            at--;
            match--;
        }
        uint32_t length = LEAST_MATCH + match_length(at + LEAST_MATCH, match + LEAST_MATCH, end - LAST_LITERALS);
        if (!put_sequence(&out, literals, (uint32_t)(at - literals), (uint32_t)(at - match), length))
            return 0;
        at += length;
        literals = at;
        misses = 1u << PATIENCE_SHIFT;
        if (at < end - LAST_MATCH_START)
            places[hash_of(word_at(at - 2))] = (uint32_t)(at - 2 - start);
    }
    return put_sequence(&out, literals, (uint32_t)(end - literals), 0, 0) ? out.at - (uint8_t *)to : 0;
}
