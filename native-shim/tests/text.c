/* The small formatter and number reader of the C# object (embed/text.c). */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "embed.h"

int dm_rt_strcasecmp(const char *left, const char *right);
uint64_t dm_rt_strtoull(const char *text, char **end, int base);
char *dm_rt_strerror_r(int error, char *buffer, size_t bytes);
int64_t dm_rt_refuse(void);
void *dm_rt_none(void);

static void formats_as_libc_does(void)
{
    char ours[200], theirs[200];
#define SAME(...)                                                                                                      \
    do {                                                                                                               \
        int a = dm_rt_snprintf(ours, sizeof ours, __VA_ARGS__);                                                        \
        int b = snprintf(theirs, sizeof theirs, __VA_ARGS__);                                                          \
        CHECK(a == b && strcmp(ours, theirs) == 0);                                                                    \
    } while (0)
    SAME("plain");
    SAME("%s and %s", "one", "");
    SAME("%d %d %d", 0, -1, 2147483647);
    SAME("%d", (int)-2147483648);
    SAME("%ld %lu", (long)INT64_MIN, (unsigned long)UINT64_MAX);
    SAME("%zu %lld", (size_t)1 << 40, -5LL);
    SAME("%x %X %lx", 0xdeadu, 0xBEEFu, 0x123456789abcul);
    SAME("%5d|%05d|%05d|%8x", 42, 42, -42, 0xffu);
    SAME("%p %c%%", (void *)0x1234, 'x');
#undef SAME
}

static void a_short_buffer_is_cut_and_ended(void)
{
    char buffer[6];
    memset(buffer, 'z', sizeof buffer);
    CHECK(dm_rt_snprintf(buffer, 4, "%s", "abcdef") == 6);
    CHECK(memcmp(buffer, "abc\0zz", 6) == 0);
    CHECK(dm_rt_snprintf(NULL, 0, "%d", 1234) == 4);
}

static void numbers_are_read(void)
{
    char *end;
    CHECK(dm_rt_strtoull("10000000", &end, 16) == 0x10000000 && *end == 0);
    CHECK(dm_rt_strtoull("0x1Fg", &end, 0) == 0x1f && *end == 'g');
    CHECK(dm_rt_strtoull("123 ", &end, 10) == 123 && *end == ' ');
    CHECK(dm_rt_strtoull("", NULL, 10) == 0);
}

static void words_are_compared(void)
{
    CHECK(dm_rt_strcasecmp("DOTNET", "dotnet") == 0);
    CHECK(dm_rt_strcasecmp("a", "B") < 0 && dm_rt_strcasecmp("b", "A") > 0);
    CHECK(dm_rt_strcasecmp("ab", "a") > 0);
}

static void refusals_say_why(void)
{
    char text[24];
    errno = 0;
    CHECK(dm_rt_refuse() == -1 && errno == ENOSYS);
    errno = 0;
    CHECK(dm_rt_none() == NULL && errno == ENOSYS);
    CHECK(strcmp(dm_rt_strerror_r(2, text, sizeof text), "errno 2") == 0);
}

int main(void)
{
    formats_as_libc_does();
    a_short_buffer_is_cut_and_ended();
    numbers_are_read();
    words_are_compared();
    refusals_say_why();
    return 0;
}
