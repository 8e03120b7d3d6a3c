/* The number of an interrupted system call, found in the code before it (src/call_site.c). */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "call_site.h"
#include "check.h"

/* As the library has them elsewhere; no code of these tests is there. */
char dm_resume_wait_after[1], dm_resume_call_after[1], dm_sem_call_returned[1], dm_syscall_returned[1];

enum { R9 = 9, EBP = 5 };

static uint8_t *s_page;
static uint64_t s_none[16]; /* registers that hold no number */

/* Places the code so that it ends at `end` of the page, and asks. */
static int64_t number_at(unsigned end, const char *code, unsigned bytes, const uint64_t *registers)
{
    memset(s_page, 0xcc, 4096);
    memcpy(s_page + end - bytes, code, bytes);
    return dm_call_number_in_code((uint64_t)s_page + end, registers);
}

#define NUMBER(code, registers) number_at(2048, code, sizeof code - 1, registers)

static void numbers_are_found(const uint64_t *registers)
{
    /* As in glibc 2.36: read, pselect, epoll_pwait with arguments from memory, semtimedop after xor, futex in registers. */
    CHECK(NUMBER("\x31\xc0\x0f\x05", s_none) == SYS_read);
    CHECK(NUMBER("\xb8\x0e\x01\x00\x00\x0f\x05", s_none) == SYS_pselect6);
    CHECK(NUMBER("\xb8\x0e\x01\x00\x00\x8b\x7c\x24\x1c\x0f\x05", s_none) == SYS_pselect6);
    CHECK(NUMBER("\xb8\x19\x01\x00\x00\x4c\x89\xea\x4c\x8b\x54\x24\x28\x8b\x7c\x24\x1c\x0f\x05", s_none) ==
          SYS_epoll_pwait);
    CHECK(NUMBER("\xb8\xdc\x00\x00\x00\x45\x31\xd2\x0f\x05", s_none) == SYS_semtimedop);
    CHECK(NUMBER("\xb8\xca\x00\x00\x00\xf7\xd6\x81\xe6\x80\x00\x00\x00\x0f\x05", s_none) == SYS_futex);
    CHECK(NUMBER("\x44\x89\xc8\x0f\x05", registers) == SYS_futex);
    CHECK(NUMBER("\x89\xe8\x40\x80\xf6\x80\x0f\x05", registers) == SYS_futex);
    CHECK(NUMBER("\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", s_none) == SYS_rt_sigreturn);
}

static void what_a_register_will_tell_is_known_before(void)
{
    memcpy(s_page, "\x44\x89\xc8\x0f\x05\x8b\x00\x0f\x05", 9);
    CHECK(dm_code_has_call_number((uint64_t)s_page + 5));
    CHECK(!dm_code_has_call_number((uint64_t)s_page + 9));
}

static void nothing_is_guessed(const uint64_t *registers)
{
    CHECK(NUMBER("\x44\x89\xc8\x0f\x05", s_none) == -1);                    /* in a register that holds none */
    CHECK(NUMBER("\x44\x89\xc8\x45\x31\xc9\x0f\x05", registers) == -1);     /* which has changed since */
    CHECK(NUMBER("\x8b\x00\x0f\x05", registers) == -1);                     /* from memory */
    CHECK(NUMBER("\xb8\xca\x00\x00\x00\xeb\x00\x0f\x05", registers) == -1); /* a jump in between */
    CHECK(NUMBER("\xb8\xca\x00\x00\x00\xff\xd2\x0f\x05", registers) == -1); /* a call */
    CHECK(NUMBER("\xb8\xca\x00\x00\x00\x03\xc1\x0f\x05", registers) == -1); /* eax has changed since */
    CHECK(NUMBER("\xb8\xca\x00\x00\x10\x0f\x05", registers) == -1);         /* no number of a call */
    CHECK(NUMBER("\xb8\xca\x00\x00\x00\x90\x90", registers) == -1);         /* no system call */
    /* libc's syscall(): the number was an argument. */
    CHECK(NUMBER("\x48\x89\xf8\x48\x89\xf7\x48\x89\xd6\x48\x89\xca\x4d\x89\xc2\x4d\x89\xc8\x4c\x8b\x4c\x24\x08\x0f\x05",
                 registers) == -1);
}

/* The page before is not there. */
static void the_page_is_not_left(void)
{
    for (unsigned end = 0; end < 10; end++) {
        const char Code[] = "\xb8\xca\x00\x00\x00\x0f\x05";
        unsigned bytes = end < sizeof Code - 1 ? end : sizeof Code - 1;
        CHECK(number_at(end, Code + sizeof Code - 1 - bytes, bytes, s_none) ==
              (end >= sizeof Code - 1 ? SYS_futex : -1));
    }
}

int main(void)
{
    uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && munmap(pages, 4096) == 0);
    s_page = pages + 4096;
    uint64_t registers[16];
    for (unsigned i = 0; i < 16; i++)
        registers[i] = s_none[i] = ~0ull;
    registers[R9] = registers[EBP] = SYS_futex;
    numbers_are_found(registers);
    nothing_is_guessed(registers);
    the_page_is_not_left();
    what_a_register_will_tell_is_known_before();
    return 0;
}
