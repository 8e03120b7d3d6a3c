/* The few things of a C library that the restorer needs. World: Bare.
 *
 * There is no writable global in the restorer: its pages are copied to another
 * place and made executable there, see move.c.
 */
#ifndef DM_BASE_H
#define DM_BASE_H

#include <stddef.h>
#include <stdint.h>

#define DM_PAGE 4096ull

static inline uint64_t dm_page_up(uint64_t value)
{
    return (value + DM_PAGE - 1) & ~(DM_PAGE - 1);
}

/* GCC calls these by itself for struct copies and initialisers. */
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

size_t dm_length(const char *text);
int dm_equal(const char *a, const char *b);

/* Writes to `to` (of `capacity` bytes, always NUL-terminated) and returns the length.
 * %s text, %d int32_t, %x uint64_t in hexadecimal, %e errno (an int64_t -errno) as its name. */
size_t dm_format(char *to, size_t capacity, const char *format, ...);

/* The same, as one line "dmrestart: ..." to a descriptor; with DM_SAY_HOST beside it the line says on which host that is. */
enum { DM_SAY_HOST = 1 << 30 };
void dm_say(int to, const char *format, ...);

/* The number at *text, which is moved behind it; -1 when there is none. */
int32_t dm_take_decimal(const char **text);

/* Whole file into a buffer; returns bytes or -errno. */
int64_t dm_read_file(const char *path, char *buffer, size_t capacity);
/* One write(2) of the whole text; returns 0 or -errno. */
int dm_write_file(const char *path, const char *text);

#endif
