/* World: Frozen. */
#include "zero_memory.h"

#include <stdbool.h>
#include <stddef.h>

/* What lies at once in one or two lines of the cache; a multiple of a vector. */
#define STRIDE_WORDS 16

static bool is_zero(uint64_t start, uint64_t end)
{
    for (const uint64_t *at = (const uint64_t *)start; at < (const uint64_t *)end; at += STRIDE_WORDS) {
        uint64_t any = 0;
        for (size_t i = 0; i < STRIDE_WORDS; i++)
            any |= at[i];
        if (any != 0)
            return false;
    }
    return true;
}

static uint64_t block_end(uint64_t at, uint64_t end)
{
    uint64_t next = (at | (DM_ZERO_BLOCK_BYTES - 1)) + 1;
    return next < end ? next : end;
}

uint64_t dm_zero_begin(uint64_t start, uint64_t end)
{
    while (start < end && !is_zero(start, block_end(start, end)))
        start = block_end(start, end);
    return start;
}

uint64_t dm_zero_end(uint64_t start, uint64_t end)
{
    while (start < end && is_zero(start, block_end(start, end)))
        start = block_end(start, end);
    return start;
}
