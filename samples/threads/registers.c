/* Proves: every register survives. One thread per kind loads known values, spins
 * without a system call, and compares when told to: general, SSE/AVX, x87 with a
 * non-default control word, MXCSR with a non-default rounding mode. */
#include "../sample.h"
#include <pthread.h>
#include <immintrin.h>

static volatile int s_over;

static void *general(void *unused)
{
    (void)unused;
    uint64_t out[6];
    __asm__ volatile(
        "movabs $0x1111111111111111, %%rbx\n movabs $0x2222222222222222, %%r12\n"
        "movabs $0x3333333333333333, %%r13\n movabs $0x4444444444444444, %%r14\n"
        "movabs $0x5555555555555555, %%r15\n movabs $0x6666666666666666, %%rsi\n"
        "1: pause\n cmpl $0, %[over]\n je 1b\n"
        "mov %%rbx, 0(%[out])\n mov %%r12, 8(%[out])\n mov %%r13, 16(%[out])\n"
        "mov %%r14, 24(%[out])\n mov %%r15, 32(%[out])\n mov %%rsi, 40(%[out])\n"
        : : [over] "m"(s_over), [out] "r"(out)
        : "rbx", "r12", "r13", "r14", "r15", "rsi", "memory", "cc");
    for (uint64_t i = 0; i < 6; i++)
        CHECK(out[i] == (i + 1) * 0x1111111111111111, "general register %d is %016llx", (int)i, (unsigned long long)out[i]);
    return NULL;
}

__attribute__((target("avx")))
static void *vector(void *unused)
{
    (void)unused;
    double in[4] = { 1.5, -2.25, 3e300, -0.0 }, out[8];
    __asm__ volatile(
        "vmovupd (%[in]), %%ymm5\n vaddpd %%ymm5, %%ymm5, %%ymm15\n"
        "1: pause\n cmpl $0, %[over]\n je 1b\n"
        "vmovupd %%ymm5, 0(%[out])\n vmovupd %%ymm15, 32(%[out])\n vzeroupper\n"
        : : [over] "m"(s_over), [in] "r"(in), [out] "r"(out) : "xmm5", "xmm15", "memory", "cc");
    for (int i = 0; i < 4; i++)
        CHECK(out[i] == in[i] && out[4 + i] == in[i] * 2, "vector lane %d is %g and %g", i, out[i], out[4 + i]);
    return NULL;
}

static void *x87(void *unused)
{
    (void)unused;
    unsigned short control = 0x0e7f, seen;   /* round towards zero, 53 bits */
    double in = 12345.678, out;
    __asm__ volatile(
        "fldcw %[control]\n fldl %[in]\n"
        "1: pause\n cmpl $0, %[over]\n je 1b\n"
        "fstpl %[out]\n fnstcw %[seen]\n fninit\n"
        : [out] "=m"(out), [seen] "=m"(seen) : [over] "m"(s_over), [in] "m"(in), [control] "m"(control) : "memory", "cc");
    CHECK(out == in && seen == control, "x87: %g, control word %04x", out, seen);
    return NULL;
}

static void *rounding(void *unused)
{
    (void)unused;
    unsigned mode = _mm_getcsr() | 0x2000;   /* round down */
    _mm_setcsr(mode);
    while (!s_over)
        _mm_pause();
    CHECK((_mm_getcsr() & 0x6000) == 0x2000, "MXCSR is %04x, was %04x", _mm_getcsr(), mode);
    return NULL;
}

int main(void)
{
    void *(*kinds[])(void *) = { general, x87, rounding, vector };
    int count = __builtin_cpu_supports("avx") ? 4 : 3;
    pthread_t threads[4];
    for (int i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], NULL, kinds[i], NULL) == 0, "pthread_create");

    sample_ready();
    while (sample_more(50))
        sample_idle();

    s_over = 1;
    for (int i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0, "pthread_join");
    return sample_ok(0);
}
