/* World: Bare. */
#include "base.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/utsname.h>
#include <stdarg.h>

#include "dm_syscall.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *left = a, *right = b;
    for (size_t i = 0; i < bytes; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

size_t dm_length(const char *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

int dm_equal(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

struct text {
    char *at;
    char *end; /* room for the NUL is kept behind it */
};

static void put(struct text *text, const char *from)
{
    while (*from != 0 && text->at < text->end)
        *text->at++ = *from++;
}

static void put_number(struct text *text, uint64_t value, unsigned base)
{
    char digits[24];
    char *at = digits + sizeof digits;
    *--at = 0;
    do
        *--at = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    put(text, at);
}

/* The errors that happen here; others are printed as numbers. */
static void put_error(struct text *text, int64_t error)
{
    static const struct {
        uint8_t number;
        char name[7];
    } Names[] = {
        {EPERM, "EPERM"},   {ENOENT, "ENOENT"}, {ESRCH, "ESRCH"},   {EIO, "EIO"},       {ENXIO, "ENXIO"},
        {EBADF, "EBADF"},   {ECHILD, "ECHILD"}, {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"},
        {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"},   {EEXIST, "EEXIST"}, {EINVAL, "EINVAL"}, {ENFILE, "ENFILE"},
        {EMFILE, "EMFILE"}, {ENOSPC, "ENOSPC"}, {ENOSYS, "ENOSYS"}, {EUSERS, "EUSERS"},
    };
    for (unsigned i = 0; i < sizeof Names / sizeof *Names; i++) {
        if (Names[i].number == -error) {
            put(text, Names[i].name);
            return;
        }
    }
    put(text, "error ");
    put_number(text, (uint64_t)-error, 10);
}

static void put_signed(struct text *text, int64_t value)
{
    if (value < 0)
        put(text, "-");
    put_number(text, (uint64_t)(value < 0 ? -value : value), 10);
}

static void put_format(struct text *text, const char *format, va_list arguments)
{
    for (; *format != 0; format++) {
        if (*format != '%' || format[1] == 0) {
            char one[2] = {*format, 0};
            put(text, one);
            continue;
        }
        format++;
        if (*format == 's')
            put(text, va_arg(arguments, const char *));
        else if (*format == 'd')
            put_signed(text, va_arg(arguments, int32_t));
        else if (*format == 'x')
            put_number(text, va_arg(arguments, uint64_t), 16);
        else if (*format == 'l')
            put_signed(text, va_arg(arguments, int64_t));
        else if (*format == 'e')
            put_error(text, va_arg(arguments, int64_t));
    }
}

size_t dm_format(char *to, size_t capacity, const char *format, ...)
{
    struct text text = {to, to + capacity - 1};
    va_list arguments;
    va_start(arguments, format);
    put_format(&text, format, arguments);
    va_end(arguments);
    *text.at = 0;
    return (size_t)(text.at - to);
}

static void put_host(struct text *text)
{
    struct new_utsname host;
    if (dm_is_error(dm_syscall1(__NR_uname, (int64_t)&host)))
        return;
    put(text, "On ");
    put(text, host.nodename);
    put(text, ": ");
}

void dm_say(int to, const char *format, ...)
{
    char line[1024];
    struct text text = {line, line + sizeof line - 1};
    va_list arguments;
    put(&text, "dmrestart: ");
    if ((to & DM_SAY_HOST) != 0)
        put_host(&text);
    va_start(arguments, format);
    put_format(&text, format, arguments);
    va_end(arguments);
    *text.at++ = '\n';
    (void)dm_write(to & ~DM_SAY_HOST, line, (size_t)(text.at - line));
}

int32_t dm_take_decimal(const char **text)
{
    const char *start = *text;
    int32_t number = 0;
    for (; **text >= '0' && **text <= '9' && number < 100000000; ++*text)
        number = number * 10 + (**text - '0');
    return *text != start ? number : -1;
}

int64_t dm_read_file(const char *path, char *buffer, size_t capacity)
{
    int64_t fd = dm_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (dm_is_error(fd))
        return fd;
    size_t length = 0;
    int64_t got = 1;
    while (got > 0 && length < capacity) {
        got = dm_read((int)fd, buffer + length, capacity - length);
        if (got > 0)
            length += (size_t)got;
    }
    (void)dm_close((int)fd);
    return got < 0 ? got : (int64_t)length;
}

int dm_write_file(const char *path, const char *text)
{
    int64_t fd = dm_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (dm_is_error(fd))
        return (int)fd;
    int64_t written = dm_write((int)fd, text, dm_length(text));
    (void)dm_close((int)fd);
    return dm_is_error(written) ? (int)written : 0;
}
