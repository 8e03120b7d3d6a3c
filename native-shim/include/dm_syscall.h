/* Raw x86-64 system calls. World: all, also Frozen and Bare.
 *
 * No errno, no libc, no TLS, no cancellation point: every function returns what
 * the kernel returns, a result or -errno (-4095..-1, see dm_is_error). The call
 * convention is that of syscall(2): number in rax, arguments in rdi, rsi, rdx,
 * r10, r8, r9; rcx and r11 are destroyed. "memory" is clobbered always, since the
 * kernel may read or write whatever an argument points to.
 */
#ifndef DM_SYSCALL_H
#define DM_SYSCALL_H

#include <stddef.h>
#include <stdint.h>
#include <asm/unistd.h>

static inline __attribute__((always_inline, unused)) int64_t dm_syscall6(int64_t number, int64_t a, int64_t b,
                                                                         int64_t c, int64_t d, int64_t e, int64_t f)
{
    int64_t result;
    register int64_t r10 __asm__("r10") = d;
    register int64_t r8 __asm__("r8") = e;
    register int64_t r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline, unused)) int64_t dm_syscall5(int64_t number, int64_t a, int64_t b,
                                                                         int64_t c, int64_t d, int64_t e)
{
    int64_t result;
    register int64_t r10 __asm__("r10") = d;
    register int64_t r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline, unused)) int64_t dm_syscall4(int64_t number, int64_t a, int64_t b,
                                                                         int64_t c, int64_t d)
{
    int64_t result;
    register int64_t r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline, unused)) int64_t dm_syscall3(int64_t number, int64_t a, int64_t b,
                                                                         int64_t c)
{
    int64_t result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline, unused)) int64_t dm_syscall2(int64_t number, int64_t a, int64_t b)
{
    int64_t result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline, unused)) int64_t dm_syscall1(int64_t number, int64_t a)
{
    int64_t result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a) : "rcx", "r11", "memory");
    return result;
}

static inline __attribute__((always_inline, unused)) int64_t dm_syscall0(int64_t number)
{
    int64_t result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number) : "rcx", "r11", "memory");
    return result;
}

/* True for -4095..-1, the kernel's way to say -errno. */
static inline __attribute__((unused)) int dm_is_error(int64_t result)
{
    return (uint64_t)result > (uint64_t)-4096;
}

static inline __attribute__((unused)) int64_t dm_read(int fd, void *buffer, size_t bytes)
{
    return dm_syscall3(__NR_read, fd, (int64_t)buffer, (int64_t)bytes);
}

static inline __attribute__((unused)) int64_t dm_write(int fd, const void *buffer, size_t bytes)
{
    return dm_syscall3(__NR_write, fd, (int64_t)buffer, (int64_t)bytes);
}

static inline __attribute__((unused)) int64_t dm_pread(int fd, void *buffer, size_t bytes, uint64_t offset)
{
    return dm_syscall4(__NR_pread64, fd, (int64_t)buffer, (int64_t)bytes, (int64_t)offset);
}

static inline __attribute__((unused)) int64_t dm_pwrite(int fd, const void *buffer, size_t bytes, uint64_t offset)
{
    return dm_syscall4(__NR_pwrite64, fd, (int64_t)buffer, (int64_t)bytes, (int64_t)offset);
}

static inline __attribute__((unused)) int64_t dm_openat(int directory, const char *path, int flags, int mode)
{
    return dm_syscall4(__NR_openat, directory, (int64_t)path, flags, mode);
}

static inline __attribute__((unused)) int64_t dm_close(int fd)
{
    return dm_syscall1(__NR_close, fd);
}

/* Returns the address or -errno: check with dm_is_error. */
static inline __attribute__((unused)) int64_t dm_mmap(uint64_t address, uint64_t bytes, int prot, int flags, int fd,
                                                      uint64_t offset)
{
    return dm_syscall6(__NR_mmap, (int64_t)address, (int64_t)bytes, prot, flags, fd, (int64_t)offset);
}

static inline __attribute__((unused)) int64_t dm_munmap(uint64_t address, uint64_t bytes)
{
    return dm_syscall2(__NR_munmap, (int64_t)address, (int64_t)bytes);
}

static inline __attribute__((unused)) int64_t dm_mprotect(uint64_t address, uint64_t bytes, int prot)
{
    return dm_syscall3(__NR_mprotect, (int64_t)address, (int64_t)bytes, prot);
}

static inline __attribute__((unused)) int64_t dm_madvise(uint64_t address, uint64_t bytes, int advice)
{
    return dm_syscall3(__NR_madvise, (int64_t)address, (int64_t)bytes, advice);
}

/* timeout: struct timespec of two int64_t, or NULL. */
static inline __attribute__((unused)) int64_t dm_futex(void *word, int operation, uint32_t value, const void *timeout)
{
    return dm_syscall6(__NR_futex, (int64_t)word, operation, value, (int64_t)timeout, 0, 0);
}

/* FUTEX_WAIT_BITSET and FUTEX_WAKE_BITSET of one process: who waits with one of these bits. */
static inline __attribute__((unused)) int64_t dm_futex_bits(void *word, int operation, uint32_t value, uint32_t bits)
{
    return dm_syscall6(__NR_futex, (int64_t)word, operation, value, 0, 0, bits);
}

static inline __attribute__((unused)) int64_t dm_gettid(void)
{
    return dm_syscall0(__NR_gettid);
}

static inline __attribute__((unused)) int64_t dm_getpid(void)
{
    return dm_syscall0(__NR_getpid);
}

static inline __attribute__((unused)) int64_t dm_tgkill(int pid, int tid, int signal)
{
    return dm_syscall3(__NR_tgkill, pid, tid, signal);
}

static inline __attribute__((noreturn, unused)) void dm_exit_thread(int status)
{
    for (;;)
        (void)dm_syscall1(__NR_exit, status);
}

static inline __attribute__((noreturn, unused)) void dm_exit_process(int status)
{
    for (;;)
        (void)dm_syscall1(__NR_exit_group, status);
}

#endif
