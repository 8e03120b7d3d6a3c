/* Text and output of the C# object: a small formatter, stderr, refusals. World: Guest and Frozen. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "dm_syscall.h"
#include "embed.h"

static char *s_no_environment[1];
char **dm_rt_environ = s_no_environment;

/* Never dereferenced: only compared, by the functions below. */
const void *const dm_rt_stdout = "stdout";
const void *const dm_rt_stderr = "stderr";

struct out {
    char *buffer;
    size_t bytes, used;
};

static void put(struct out *out, char c)
{
    if (out->used + 1 < out->bytes)
        out->buffer[out->used] = c;
    out->used++;
}

static void put_number(struct out *out, uint64_t value, unsigned base, int upper, int negative, int width, char fill)
{
    char digits[24];
    int count = 0;
    do {
        unsigned digit = (unsigned)(value % base);
        digits[count++] = (char)(digit < 10 ? '0' + digit : (upper ? 'A' : 'a') + digit - 10);
        value /= base;
    } while (value != 0);
    if (negative && fill == '0')
        put(out, '-');
    for (int i = count + negative; i < width; i++)
        put(out, fill);
    if (negative && fill != '0')
        put(out, '-');
    while (count > 0)
        put(out, digits[--count]);
}

static uint64_t next_number(va_list *list, int longs, int is_signed, int *negative)
{
    *negative = 0;
    if (!is_signed)
        return longs ? va_arg(*list, uint64_t) : va_arg(*list, uint32_t);
    int64_t value = longs ? va_arg(*list, int64_t) : va_arg(*list, int32_t);
    *negative = value < 0;
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static void put_conversion(struct out *out, char conversion, int longs, int width, char fill, va_list *list)
{
    int negative;
    uint64_t value;
    switch (conversion) {
    case 'd':
    case 'i':
        value = next_number(list, longs, 1, &negative);
        put_number(out, value, 10, 0, negative, width, fill);
        break;
    case 'u':
        put_number(out, next_number(list, longs, 0, &negative), 10, 0, 0, width, fill);
        break;
    case 'x':
    case 'X':
        put_number(out, next_number(list, longs, 0, &negative), 16, conversion == 'X', 0, width, fill);
        break;
    case 'p':
        put(out, '0');
        put(out, 'x');
        put_number(out, va_arg(*list, uint64_t), 16, 0, 0, 0, ' ');
        break;
    case 'c':
        put(out, (char)va_arg(*list, int));
        break;
    case 's':
        for (const char *text = va_arg(*list, const char *); text != NULL && *text != 0; text++)
            put(out, *text);
        break;
    default:
        put(out, conversion);
        break;
    }
}

static void format_into(struct out *out, const char *format, va_list *list)
{
    for (const char *at = format; *at != 0; at++) {
        if (*at != '%') {
            put(out, *at);
            continue;
        }
        int longs = 0, width = 0;
        char fill = ' ';
        at++;
        if (*at == '0')
            fill = *at++;
        for (; *at >= '0' && *at <= '9'; at++)
            width = width * 10 + (*at - '0');
        for (; *at == 'l' || *at == 'z'; at++)
            longs = 1;
        if (*at == 0)
            break;
        put_conversion(out, *at, longs, width, fill, list);
    }
    if (out->bytes > 0)
        out->buffer[out->used < out->bytes ? out->used : out->bytes - 1] = 0;
}

int dm_rt_snprintf(char *buffer, size_t bytes, const char *format, ...)
{
    struct out out = {.buffer = buffer, .bytes = bytes};
    va_list list;
    va_start(list, format);
    format_into(&out, format, &list);
    va_end(list);
    return (int)out.used;
}

/* The runtime's last words; what is for stdout is dropped. */
int dm_rt_fprintf(const void *stream, const char *format, ...)
{
    char line[512];
    struct out out = {.buffer = line, .bytes = sizeof line};
    va_list list;
    va_start(list, format);
    format_into(&out, format, &list);
    va_end(list);
    if (stream == dm_rt_stderr)
        (void)dm_write(2, line, out.used < sizeof line ? out.used : sizeof line - 1);
    return (int)out.used;
}

int dm_rt_fputs(const char *text, const void *stream)
{
    return stream == dm_rt_stderr && dm_is_error(dm_write(2, text, strlen(text))) ? -1 : 0;
}

size_t dm_rt_fwrite(const void *data, size_t bytes, size_t count, const void *stream)
{
    if (stream == dm_rt_stderr)
        (void)dm_write(2, data, bytes * count);
    return count;
}

/* libc's versions look at the locale of the thread; a raw thread has none. */
int dm_rt_strcasecmp(const char *left, const char *right)
{
    for (;; left++, right++) {
        int a = *left >= 'A' && *left <= 'Z' ? *left + 32 : *left;
        int b = *right >= 'A' && *right <= 'Z' ? *right + 32 : *right;
        if (a != b || a == 0)
            return a - b;
    }
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if ((c | 32) >= 'a' && (c | 32) <= 'z')
        return (unsigned)((c | 32) - 'a' + 10);
    return 99;
}

uint64_t dm_rt_strtoull(const char *text, char **end, int base)
{
    uint64_t value = 0;
    if ((base == 0 || base == 16) && text[0] == '0' && (text[1] | 32) == 'x') {
        text += 2;
        base = 16;
    }
    for (; digit_value(*text) < (unsigned)(base == 0 ? 10 : base); text++)
        value = value * (unsigned)(base == 0 ? 10 : base) + digit_value(*text);
    if (end != NULL)
        *end = (char *)(uintptr_t)text;
    return value;
}

/* No locale, no translation, no libc buffer: C# has its own words for the errors that it reports. */
static char *number_text(int error, char *buffer, size_t bytes)
{
    (void)dm_rt_snprintf(buffer, bytes, "errno %d", error);
    return buffer;
}

char *dm_rt_strerror(int error)
{
    static char text[24];
    return number_text(error, text, sizeof text);
}

char *dm_rt_strerror_r(int error, char *buffer, size_t bytes)
{
    return number_text(error, buffer, bytes);
}

_Noreturn void dm_rt_abort(void)
{
    static const char message[] = "dormouse: the C# runtime inside this process has stopped; the process ends.\n";
    (void)dm_write(2, message, sizeof message - 1);
    dm_exit_process(134);
}

_Noreturn void dm_rt_exit(int status)
{
    (void)status;
    dm_rt_abort();
}

/* Verbs of imports.txt: refuse, none, zero. */
int64_t dm_rt_refuse(void)
{
    errno = ENOSYS;
    return -1;
}

void *dm_rt_none(void)
{
    errno = ENOSYS;
    return NULL;
}

int64_t dm_rt_zero(void)
{
    return 0;
}
