/* Blocks of zeros are found where they are, whatever part of a block a range begins and ends with. */
#include "zero_memory.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { PAGE = 4096, BLOCK = DM_ZERO_BLOCK_BYTES, BYTES = 8 * BLOCK };

static uint64_t s_state = 1;

static uint64_t next(void)
{
    s_state ^= s_state << 13;
    s_state ^= s_state >> 7;
    return s_state ^= s_state << 17;
}

/* The holes leave out zeros only, and no block that is zero is left in. */
static void check(uint64_t start, uint64_t end)
{
    uint64_t at = start;
    while (at < end) {
        uint64_t hole = dm_zero_begin(at, end), after = dm_zero_end(hole, end);
        CHECK(hole >= at && after >= hole && after <= end && (hole < end ? after > hole : after == end));
        for (uint64_t i = hole; i < after; i++)
            CHECK(*(const uint8_t *)i == 0);
        for (uint64_t block = at; block < hole; block = (block | (BLOCK - 1)) + 1) {
            uint64_t length = ((block | (BLOCK - 1)) + 1 < hole ? (block | (BLOCK - 1)) + 1 : hole) - block;
            const uint8_t *bytes = (const uint8_t *)block;
            uint64_t zeros = 0;
            while (zeros < length && bytes[zeros] == 0)
                zeros++;
            CHECK(zeros < length);
        }
        at = after;
    }
}

int main(void)
{
    uint8_t *memory = aligned_alloc(BLOCK, BYTES);
    CHECK(memory != NULL);
    for (int round = 0; round < 300; round++) {
        memset(memory, 0, BYTES);
        for (uint64_t set = next() % 6; set > 0; set--)
            memory[next() % BYTES] = (uint8_t)(1 + next() % 255);
        uint64_t first = next() % (BYTES / PAGE), pages = next() % (BYTES / PAGE - first) + 1;
        check((uint64_t)memory + first * PAGE, (uint64_t)memory + (first + pages) * PAGE);
    }
    memset(memory, 1, BYTES);
    CHECK(dm_zero_begin((uint64_t)memory, (uint64_t)memory + BYTES) == (uint64_t)memory + BYTES);
    memset(memory + 3 * BLOCK, 0, 2 * BLOCK);
    CHECK(dm_zero_begin((uint64_t)memory, (uint64_t)memory + BYTES) == (uint64_t)memory + 3 * BLOCK);
    CHECK(dm_zero_end((uint64_t)memory + 3 * BLOCK, (uint64_t)memory + BYTES) == (uint64_t)memory + 5 * BLOCK);
    memory[5 * BLOCK - 1] = 7;
    CHECK(dm_zero_end((uint64_t)memory + 3 * BLOCK, (uint64_t)memory + BYTES) == (uint64_t)memory + 4 * BLOCK);
    free(memory);
    return 0;
}
