/* Proves: a large program comes back, byte for byte.
 * Usage: large [MIB], 2048 by default. One page in sixteen is random, the others are
 * words that name their own address; one page in eight stays zero. Of the last part every other MiB cannot be read. */
#include "../sample.h"
#include <sys/mman.h>

enum { PAGE = 4096, WORDS = PAGE / 8, MIB_PAGES = 256, HIDDEN = 32 };

static uint64_t expected(size_t page, size_t word)
{
    return page % 8 == 3 ? 0 : page % 16 == 0 ? sample_mix(page * WORDS + word) : page << 16 | word;
}

static void protect(uint64_t *memory, size_t pages, int protection)
{
    for (size_t i = 1; i < HIDDEN && i * MIB_PAGES < pages; i += 2)
        TRY(mprotect(memory + (pages - i * MIB_PAGES) * WORDS, MIB_PAGES * PAGE, protection));
}

int main(int argc, char **argv)
{
    size_t mebibytes = argc > 1 ? strtoul(argv[1], NULL, 0) : 2048, pages = mebibytes * 256;
    CHECK(mebibytes > 0, "usage: large [MIB]");
    uint64_t *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED, "mmap: %s", strerror(errno));
    for (size_t page = 0; page < pages; page++)
        for (size_t word = 0; word < WORDS && page % 8 != 3; word++)
            memory[page * WORDS + word] = expected(page, word);
    protect(memory, pages, PROT_NONE);

    sample_ready();
    while (sample_more(50))
        sample_idle();

    protect(memory, pages, PROT_READ);
    uint64_t sum = 0;
    for (size_t page = 0; page < pages; page++)
        for (size_t word = 0; word < WORDS; word++) {
            uint64_t value = memory[page * WORDS + word];
            CHECK(value == expected(page, word), "word %zu of page %zu is %llx", word, page, (unsigned long long)value);
            sum += value;
        }
    return sample_ok(sum);
}
