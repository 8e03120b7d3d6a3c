/* CRC32C (Castagnoli), see dm_image.h. World: all.
 *
 * The instruction of SSE 4.2 takes three cycles, but a new one can begin in every
 * cycle. So long pieces are cut into three that are worked on together; then the
 * sums are put together as polynomials: the sum of A followed by n bytes is the
 * sum of A times x^8n. x86-64 processors have SSE 4.2 since 2008, and the
 * launcher checks it.
 */
#ifndef DM_CRC32C_H
#define DM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Bit i is the coefficient of x^(31-i). */
#define DM_CRC32C_POLYNOMIAL 0x82f63b78u
#define DM_CRC32C_ONE 0x80000000u
#define DM_CRC32C_X8 0x00800000u
/* Below this, putting together costs more than it brings. */
#define DM_CRC32C_LONG (16u << 10)

/* a times b modulo the polynomial. */
__attribute__((unused)) static uint32_t dm_crc32c_multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (uint32_t bit = DM_CRC32C_ONE; bit != 0; bit >>= 1) {
        if ((a & bit) != 0)
            product ^= b;
        b = (b >> 1) ^ ((b & 1) != 0 ? DM_CRC32C_POLYNOMIAL : 0);
    }
    return product;
}

/* x^(8 * bytes). */
__attribute__((unused)) static uint32_t dm_crc32c_shift(size_t bytes)
{
    uint32_t result = DM_CRC32C_ONE, power = DM_CRC32C_X8;
    for (; bytes != 0; bytes >>= 1) {
        if ((bytes & 1) != 0)
            result = dm_crc32c_multiply(result, power);
        power = dm_crc32c_multiply(power, power);
    }
    return result;
}

__attribute__((target("sse4.2"), unused)) static uint32_t dm_crc32c_add_short(uint32_t crc, const uint8_t *at,
                                                                              size_t bytes)
{
    uint64_t wide = crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;
        __builtin_memcpy(&word, at, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; bytes != 0; bytes--, at++)
        narrow = __builtin_ia32_crc32qi(narrow, *at);
    return narrow;
}

/* Three pieces of `part` bytes (a multiple of 8), one behind the other. */
__attribute__((target("sse4.2"), unused)) static uint32_t dm_crc32c_add_three(uint32_t crc, const uint8_t *at,
                                                                              size_t part)
{
    uint64_t a = crc, b = 0, c = 0;
    for (const uint8_t *end = at + part; at < end; at += 8) {
        uint64_t words[3];
        __builtin_memcpy(&words[0], at, 8);
        __builtin_memcpy(&words[1], at + part, 8);
        __builtin_memcpy(&words[2], at + 2 * part, 8);
        a = __builtin_ia32_crc32di(a, words[0]);
        b = __builtin_ia32_crc32di(b, words[1]);
        c = __builtin_ia32_crc32di(c, words[2]);
    }
    uint32_t shift = dm_crc32c_shift(part);
    uint32_t ab = dm_crc32c_multiply(shift, (uint32_t)a) ^ (uint32_t)b;
    return dm_crc32c_multiply(shift, ab) ^ (uint32_t)c;
}

/* Goes on from the running value `crc`: begin with ~0, xor the end with ~0. Not for the page of one's own stack
 * that is written afterwards: the sum of three streams is made on it. */
__attribute__((unused)) static uint32_t dm_crc32c_add_long(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    if (bytes >= DM_CRC32C_LONG) {
        size_t part = bytes / 24 * 8;
        crc = dm_crc32c_add_three(crc, at, part);
        at += 3 * part;
        bytes -= 3 * part;
    }
    return dm_crc32c_add_short(crc, at, bytes);
}

/* The same in registers only. */
__attribute__((target("sse4.2"), unused)) static uint32_t dm_crc32c_add(uint32_t crc, const void *data, size_t bytes)
{
    return dm_crc32c_add_short(crc, data, bytes);
}

__attribute__((unused)) static uint32_t dm_crc32c(const void *data, size_t bytes)
{
    return ~dm_crc32c_add_long(~0u, data, bytes);
}

#endif
