/* What all samples share: how long to run, how to say "ready", how to fail.
 *
 * A sample sets up one feature, prints "ready", works in steps, then verifies
 * itself: exit status 0 and "ok", or one sentence that says what differs and 1.
 *
 *   SAMPLE_STEPS=N    work for N steps; the checksum line is then the same in every run
 *   SAMPLE_STOP=FILE  work until FILE exists (a test decides when); wins over SAMPLE_STEPS
 *   SAMPLE_DIR=DIR    where a sample puts its files (default: a new directory in /tmp)
 *
 * Started by hand without any of them, a sample takes a second or two. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Says what differs and ends the whole process group of one: the caller. */
__attribute__((noreturn, format(printf, 1, 2)))
static inline void sample_fail(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof text - 2)
        length = sizeof text - 2;
    text[length++] = '\n';
    fflush(stdout);
    if (write(2, text, length) < 0)
        _exit(2);
    _exit(1);
}

#define CHECK(condition, ...) do { if (!(condition)) sample_fail(__VA_ARGS__); } while (0)

/* For calls that return -1 and errno: the message names the call. */
#define TRY(call) ({ __typeof__(call) result_ = (call); \
    CHECK(result_ != (__typeof__(call))-1, "%s:%d: %s: %s", __FILE__, __LINE__, #call, strerror(errno)); result_; })

static long s_sample_steps __attribute__((unused));   /* done so far */

/* True until it is time to verify. Counts one step per call; only one thread may call it. */
static inline bool sample_more(long default_steps)
{
    static long steps = -1;
    static const char *stop;
    if (steps < 0) {
        const char *text = getenv("SAMPLE_STEPS");
        steps = text ? atol(text) : default_steps;
        stop = getenv("SAMPLE_STOP");
    }
    bool more = stop ? access(stop, F_OK) != 0 : s_sample_steps < steps;
    s_sample_steps += more;
    return more;
}

/* A step of a sample that has nothing to do but to be there. */
static inline void sample_idle(void)
{
    struct timespec nap = { 0, 10 * 1000 * 1000 };
    while (nanosleep(&nap, &nap) != 0)
        CHECK(errno == EINTR, "nanosleep: %s", strerror(errno));
}

static inline void sample_ready(void)
{
    puts("ready");
    fflush(stdout);
}

/* The last line of a sample that is content; returns the exit status. The number of steps lets
 * an undisturbed run be made for comparison: SAMPLE_STEPS=that. */
static inline int sample_ok(uint64_t checksum)
{
    printf("ok checksum %016llx steps %ld\n", (unsigned long long)checksum, s_sample_steps);
    return fflush(stdout) == 0 ? 0 : 2;
}

/* A place for the file called name. The result belongs to the caller, for ever. */
static inline char *sample_path(const char *name)
{
    static char made[] = "/tmp/dormouse-sample-XXXXXX";
    static const char *directory;
    if (!directory)
        directory = getenv("SAMPLE_DIR");
    if (!directory)
        directory = TRY(mkdtemp(made));
    char *path = NULL;
    CHECK(asprintf(&path, "%s/%s", directory, name) > 0, "no memory");
    return path;
}

/* One step of a checksum (and of pseudo-random numbers): splitmix64. */
static inline uint64_t sample_mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

/* Byte number i of the stream called seed: what a reader expects is computed, not stored. */
static inline unsigned char sample_byte(uint64_t seed, uint64_t i)
{
    return (unsigned char)(sample_mix(seed * 0x10001 + i / 8) >> (i % 8 * 8));
}

static inline void sample_fill(void *buffer, size_t size, uint64_t seed, uint64_t from)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)buffer)[i] = sample_byte(seed, from + i);
}

static inline void sample_compare(const void *buffer, size_t size, uint64_t seed, uint64_t from, const char *what)
{
    for (size_t i = 0; i < size; i++)
        CHECK(((const unsigned char *)buffer)[i] == sample_byte(seed, from + i),
              "%s: byte %llu is 0x%02x, not 0x%02x", what, (unsigned long long)(from + i),
              ((const unsigned char *)buffer)[i], sample_byte(seed, from + i));
}

/* Reads exactly size bytes, or says how many there were. */
static inline void sample_read(int fd, void *buffer, size_t size, const char *what)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = read(fd, (char *)buffer + done, size - done);
        CHECK(count > 0, "%s: %zu of %zu bytes, then %s", what, done, size, count == 0 ? "the end" : strerror(errno));
        done += count;
    }
}

static inline void sample_write(int fd, const void *buffer, size_t size, const char *what)
{
    ssize_t count = write(fd, buffer, size);
    CHECK(count == (ssize_t)size, "%s: write returned %zd of %zu (%s)", what, count, size, strerror(errno));
}

static inline int64_t sample_clock_ms(clockid_t clock)
{
    struct timespec now;
    TRY(clock_gettime(clock, &now));
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits for a child and wants it to have been content. */
static inline void sample_wait_child(pid_t child, const char *what)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child, "%s: waitpid(%d): %s", what, child, strerror(errno));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: pid %d ended with wait status 0x%x", what, child, status);
}
