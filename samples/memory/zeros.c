/* Proves: memory that was touched and is zero comes back as zeros, and the bytes between the zeros where they were. An image leaves
 * such zeros out. Usage: zeros [MIB], 64 by default. */
#include "../sample.h"
#include <sys/mman.h>

enum { MIB = 1 << 20, BLOCK = 64 << 10, EVERY = 24 };

static size_t s_size;

/* Few bytes are not zero: at the edges of pages and blocks, and in between. */
static unsigned char expected(size_t at)
{
    size_t block = at / BLOCK, place = block % 5 == 0 ? 0 : block % 5 == 1 ? BLOCK - 1 : block % 5 == 2 ? 4096 : sample_mix(block) % BLOCK;
    return block % EVERY == 7 && at % BLOCK == place ? 1 + block % 255 : 0;
}

static void compare(const unsigned char *memory, const char *when)
{
    for (size_t i = 0; i < s_size; i++)
        CHECK(memory[i] == expected(i), "byte %zu is %d %s", i, memory[i], when);
}

int main(int argc, char **argv)
{
    s_size = (argc > 1 ? strtoul(argv[1], NULL, 0) : 64) * MIB;
    unsigned char *memory = mmap(NULL, s_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED, "mmap: %s", strerror(errno));
    memset(memory, 1, s_size);
    for (size_t i = 0; i < s_size; i++)
        memory[i] = expected(i);
    sample_ready();
    while (sample_more(50))
        sample_idle();
    compare(memory, "after the checkpoints");
    for (size_t i = 0; i < s_size; i += 4096)
        memory[i] = 2;
    for (size_t i = 0; i < s_size; i++)
        CHECK(memory[i] == (i % 4096 == 0 ? 2 : expected(i)), "byte %zu cannot be written", i);
    return sample_ok(0);
}
