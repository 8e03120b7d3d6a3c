/* malloc family of the C# object. World: Guest and Frozen.
 *
 * Not libc's: the program may be stopped while it holds that lock, and may have brought a malloc of its own. The C#
 * runtime asks for little (some hundred small blocks, the collector maps its heap itself), so this is simple:
 * power-of-two classes with free lists, carved from mapped chunks; large blocks are mappings of their own. Valid after
 * fork and in a restored process: all state is memory, and the lock is a futex that nobody holds then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>

#include "arena.h"
#include "dm_syscall.h"
#include "embed.h"

enum {
    SMALLEST_SHIFT = 5, /* 32 bytes, header included */
    LARGEST_SHIFT = 17,
    CLASSES = LARGEST_SHIFT - SMALLEST_SHIFT + 1,
    CHUNK_BYTES = 256 * 1024,
    LARGE = 0xFFFF,
    MAGIC = 0x6D64,
};

/* Precedes each block; 16 bytes keep what follows aligned for any type. */
struct header {
    uint64_t bytes; /* LARGE: of the mapping; else of the class */
    uint16_t class_;
    uint16_t magic;
    uint32_t offset; /* from the start of the real block: nonzero for aligned_alloc */
};

struct free_block {
    struct free_block *next;
};

static struct free_block *s_free[CLASSES];
static char *s_chunk;
static size_t s_chunk_left;
static uint32_t s_lock;

static void lock(void)
{
    while (__atomic_exchange_n(&s_lock, 1, __ATOMIC_ACQUIRE) != 0)
        (void)dm_syscall0(__NR_sched_yield);
}

static void unlock(void)
{
    __atomic_store_n(&s_lock, 0, __ATOMIC_RELEASE);
}

static void *map(size_t bytes)
{
    int64_t address = dm_arena_map(bytes);
    return dm_is_error(address) ? NULL : (void *)address;
}

static void *finish(void *block, uint64_t bytes, unsigned class_)
{
    struct header *header = block;
    header->bytes = bytes;
    header->class_ = (uint16_t)class_;
    header->magic = MAGIC;
    header->offset = 0;
    return header + 1;
}

static void *allocate_small(unsigned class_)
{
    size_t bytes = (size_t)1 << (class_ + SMALLEST_SHIFT);
    void *block = s_free[class_];
    if (block != NULL) {
        s_free[class_] = s_free[class_]->next;
        return block;
    }
    if (s_chunk_left < bytes) {
        /* What is left of the old chunk is forgotten: at most one block of the largest class per chunk. */
        s_chunk = map(CHUNK_BYTES);
        s_chunk_left = s_chunk == NULL ? 0 : CHUNK_BYTES;
        if (s_chunk == NULL)
            return NULL;
    }
    block = s_chunk;
    s_chunk += bytes;
    s_chunk_left -= bytes;
    return block;
}

void *dm_rt_malloc(size_t bytes)
{
    if (bytes > (size_t)1 << 46) {
        errno = ENOMEM;
        return NULL;
    }
    size_t needed = bytes + sizeof(struct header);
    if (needed > (size_t)1 << LARGEST_SHIFT) {
        needed = (needed + 4095) & ~(size_t)4095;
        void *block = map(needed);
        if (block == NULL) {
            errno = ENOMEM;
            return NULL;
        }
        return finish(block, needed, LARGE);
    }
    unsigned class_ = 0;
    while (((size_t)1 << (class_ + SMALLEST_SHIFT)) < needed)
        class_++;
    lock();
    void *block = allocate_small(class_);
    unlock();
    if (block == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    return finish(block, (size_t)1 << (class_ + SMALLEST_SHIFT), class_);
}

static struct header *header_of(void *pointer)
{
    struct header *header = (struct header *)pointer - 1;
    if (header->magic != MAGIC)
        dm_rt_abort();
    return header;
}

void dm_rt_free(void *pointer)
{
    if (pointer == NULL)
        return;
    struct header *header = header_of(pointer);
    if (header->offset != 0)
        header = (struct header *)((char *)header - header->offset);
    if (header->class_ == LARGE) {
        (void)dm_arena_unmap((uint64_t)header, header->bytes);
        return;
    }
    struct free_block *block = (struct free_block *)header;
    unsigned class_ = header->class_;
    header->magic = 0;
    lock();
    block->next = s_free[class_];
    s_free[class_] = block;
    unlock();
}

size_t dm_rt_malloc_usable_size(void *pointer)
{
    if (pointer == NULL)
        return 0;
    struct header *header = header_of(pointer);
    return header->bytes - sizeof *header - header->offset;
}

void *dm_rt_calloc(size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    void *pointer = dm_rt_malloc(all);
    return pointer == NULL ? NULL : memset(pointer, 0, all);
}

void *dm_rt_realloc(void *pointer, size_t bytes)
{
    size_t usable = dm_rt_malloc_usable_size(pointer);
    if (pointer != NULL && bytes <= usable)
        return pointer;
    void *bigger = dm_rt_malloc(bytes);
    if (bigger == NULL)
        return NULL;
    if (pointer != NULL) {
        memcpy(bigger, pointer, usable);
        dm_rt_free(pointer);
    }
    return bigger;
}

void *dm_rt_aligned_alloc(size_t alignment, size_t bytes)
{
    if (alignment <= sizeof(struct header))
        return dm_rt_malloc(bytes);
    char *pointer = dm_rt_malloc(bytes + alignment);
    if (pointer == NULL)
        return NULL;
    char *aligned = (char *)(((uintptr_t)pointer + alignment - 1) & ~(uintptr_t)(alignment - 1));
    if (aligned != pointer) {
        /* At least 16 bytes lie before the aligned address: both are multiples of 16. */
        struct header *real = (struct header *)pointer - 1;
        struct header *header = (struct header *)aligned - 1;
        *header = *real;
        header->offset = (uint32_t)(aligned - pointer);
    }
    return aligned;
}
