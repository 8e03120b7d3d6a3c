/* The private allocator (embed/memory.c): blocks do not overlap, are aligned, keep their contents, and are used again. */
#include <stdint.h>
#include <stddef.h>
#include <string.h>

#include "check.h"
#include "embed.h"

void *dm_rt_malloc(size_t bytes);
void *dm_rt_realloc(void *pointer, size_t bytes);
void *dm_rt_aligned_alloc(size_t alignment, size_t bytes);
size_t dm_rt_malloc_usable_size(void *pointer);

/* text.c has the real one; here a failed invariant fails the test. */
_Noreturn void dm_rt_abort(void)
{
    CHECK(!"the allocator has found a broken block");
    exit(1);
}

enum { BLOCKS = 400, ROUNDS = 20000 };

struct block {
    unsigned char *at;
    size_t bytes;
    unsigned char fill;
};

static struct block s_blocks[BLOCKS];
static uint32_t s_random = 1;

static uint32_t next_random(void)
{
    s_random = s_random * 1664525u + 1013904223u;
    return s_random >> 8;
}

static void verify(const struct block *block)
{
    for (size_t i = 0; i < block->bytes; i++)
        CHECK(block->at[i] == block->fill);
}

static void fill(struct block *block)
{
    CHECK(block->at != NULL && ((uintptr_t)block->at & 15) == 0);
    CHECK(dm_rt_malloc_usable_size(block->at) >= block->bytes);
    memset(block->at, block->fill, block->bytes);
}

/* Mostly small, sometimes a mapping of its own. */
static size_t random_size(void)
{
    return next_random() % 50 == 0 ? next_random() % 400000 : next_random() % 3000;
}

static void allocate(struct block *block)
{
    block->bytes = random_size();
    block->fill = (unsigned char)next_random();
    switch (next_random() % 3) {
    case 0:
        block->at = dm_rt_malloc(block->bytes);
        break;
    case 1:
        block->at = dm_rt_calloc(1, block->bytes);
        for (size_t i = 0; i < block->bytes; i++)
            CHECK(block->at[i] == 0);
        break;
    default: {
        size_t alignment = (size_t)1 << next_random() % 13;
        block->at = dm_rt_aligned_alloc(alignment, block->bytes);
        CHECK(((uintptr_t)block->at & (alignment - 1)) == 0);
        break;
    }
    }
    fill(block);
}

static void grow(struct block *block)
{
    size_t bytes = random_size();
    unsigned char *moved = dm_rt_realloc(block->at, bytes);
    struct block kept = {moved, bytes < block->bytes ? bytes : block->bytes, block->fill};
    verify(&kept);
    block->at = moved;
    block->bytes = bytes;
    fill(block);
}

static void blocks_keep_their_contents(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct block *block = &s_blocks[next_random() % BLOCKS];
        if (block->at == NULL) {
            allocate(block);
            continue;
        }
        verify(block);
        if (next_random() % 3 == 0) {
            grow(block);
        } else {
            dm_rt_free(block->at);
            block->at = NULL;
        }
    }
    for (int i = 0; i < BLOCKS; i++)
        dm_rt_free(s_blocks[i].at);
}

static void free_blocks_are_used_again(void)
{
    void *first = dm_rt_malloc(100);
    dm_rt_free(first);
    CHECK(dm_rt_malloc(100) == first);
}

static void impossible_sizes_are_refused(void)
{
    CHECK(dm_rt_malloc(SIZE_MAX / 2) == NULL);
    CHECK(dm_rt_calloc(SIZE_MAX / 2, 3) == NULL);
    CHECK(dm_rt_malloc(0) != NULL);
    dm_rt_free(NULL);
}

int main(void)
{
    blocks_keep_their_contents();
    free_blocks_are_used_again();
    impossible_sizes_are_refused();
    return 0;
}
