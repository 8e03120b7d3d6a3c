/* Proves: private memory of every kind comes back: heap by brk and by mmap, pages
 * never touched, MADV_DONTNEED zeros after restart, PROT_NONE reserves, read-only and
 * executable pages, changed private file pages, a deep stack, MAP_GROWSDOWN,
 * MADV_WIPEONFORK, and program data written before and behind a large hole. */
#include "../sample.h"
#include <sys/mman.h>

enum { MIB = 1 << 20, PAGE = 4096 };

static char s_zero[MIB], s_data[MIB] = { 1 };

static void *map(size_t size, int protection, int flags)
{
    void *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    CHECK(memory != MAP_FAILED, "mmap of %zu: %s", size, strerror(errno));
    return memory;
}

static bool is_zero(const char *memory, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (memory[i])
            return false;
    return true;
}

static void wait_here(void)
{
    sample_ready();
    while (sample_more(100))
        sample_idle();
}

/* Waits at the bottom of a deep stack, every frame of which is checked on the way back. */
__attribute__((noinline)) static void deep(int depth)
{
    char frame[8192];
    sample_fill(frame, 64, depth, 0);
    memset(frame + 64, depth, sizeof frame - 64);
    __asm__ volatile("" : : "r"(frame) : "memory");
    if (depth == 0)
        wait_here();
    else
        deep(depth - 1);
    sample_compare(frame, 64, depth, 0, "stack frame");
    for (size_t i = 64; i < sizeof frame; i += 100)
        CHECK(frame[i] == (char)depth, "stack frame %d differs", depth);
}

int main(void)
{
    char *old_break = sbrk(3 * MIB);
    CHECK(old_break != (void *)-1, "sbrk: %s", strerror(errno));
    sample_fill(old_break, 3 * MIB, 1, 0);
    char *sparse = map(64UL << 30, PROT_READ | PROT_WRITE, MAP_NORESERVE);   /* two pages of it exist */
    sparse[1000 * PAGE] = 'a';
    sparse[(63UL << 30) + 5] = 'b';
    char *reserve = map(256UL << 30, PROT_NONE, MAP_NORESERVE);
    char *given_back = map(MIB, PROT_READ | PROT_WRITE, 0);
    memset(given_back, 0x49, MIB);
    char *constant = map(MIB, PROT_READ | PROT_WRITE, 0);
    sample_fill(constant, MIB, 2, 0);
    TRY(mprotect(constant, MIB, PROT_READ));
    unsigned char *code = map(PAGE, PROT_READ | PROT_WRITE, 0);
    memcpy(code, "\xb8\x2a\x00\x00\x00\xc3", 6);                              /* mov eax, 42; ret */
    TRY(mprotect(code, PAGE, PROT_READ | PROT_EXEC));
    char *hidden = map(16 * PAGE, PROT_READ | PROT_WRITE, 0);
    sample_fill(hidden, 16 * PAGE, 3, 0);
    TRY(mprotect(hidden, 16 * PAGE, PROT_NONE));                              /* has contents, cannot be read */
    char *wiped = map(PAGE, PROT_READ | PROT_WRITE, 0);
    TRY(madvise(wiped, PAGE, MADV_WIPEONFORK));
    char *down = map(64 * PAGE, PROT_READ | PROT_WRITE, MAP_GROWSDOWN | MAP_STACK);
    sample_fill(down + 32 * PAGE, 32 * PAGE, 4, 0);

    char *path = sample_path("private"), page[PAGE];
    int file = TRY(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
    for (int i = 0; i < 8; i++) {
        memset(page, 'A' + i, PAGE);
        sample_write(file, page, PAGE, "file");
    }
    char *private = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    CHECK(private != MAP_FAILED, "mmap: %s", strerror(errno));
    close(file);
    private[3 * PAGE] = 'x';
    sample_fill(s_data, MIB, 5, 0);

    deep(400);                                                                /* ready, and wait */

    sample_compare(old_break, 3 * MIB, 1, 0, "brk heap");
    char *next_break = sbrk(MIB);
    CHECK(next_break >= old_break + 3 * MIB, "sbrk goes on at %p", next_break);
    memset(next_break, 1, MIB);
    CHECK(sparse[1000 * PAGE] == 'a' && sparse[(63UL << 30) + 5] == 'b' && is_zero(sparse, MIB), "sparse memory differs");
    TRY(mprotect(reserve, MIB, PROT_READ | PROT_WRITE));
    CHECK(is_zero(reserve, MIB), "reserved memory is not zero");
    CHECK(given_back[77] == 0x49, "memory differs");
    TRY(madvise(given_back, MIB, MADV_DONTNEED));
    CHECK(is_zero(given_back, MIB), "MADV_DONTNEED brings old bytes back");
    sample_compare(constant, MIB, 2, 0, "read-only memory");
    CHECK(((int (*)(void))code)() == 42, "executable memory differs");
    TRY(mprotect(hidden, 16 * PAGE, PROT_READ));
    sample_compare(hidden, 16 * PAGE, 3, 0, "memory behind PROT_NONE");
    sample_compare(down + 32 * PAGE, 32 * PAGE, 4, 0, "MAP_GROWSDOWN memory");
    for (int i = 0; i < 8; i++)
        CHECK(private[i * PAGE + 9] == 'A' + i && private[i * PAGE] == (i == 3 ? 'x' : 'A' + i), "private file page %d differs", i);
    CHECK(is_zero(s_zero, MIB), "bss is not zero");
    sample_compare(s_data, MIB, 5, 0, "data segment");
    unlink(path);
    return sample_ok(0);
}
