/* Proves: files roll back with memory. Two processes overwrite their own places in one file that each has opened for
 * itself; a journal comes and goes; output grows through a description that does not append; a mapped file is written
 * through memory. Whenever the program is woken, every file says what the program remembers.
 * usage: roll-back [MIB]    size of the mapped file */
#include "../sample.h"
#include <sys/mman.h>

enum { PLACES = 64, PLACE_BYTES = 4096 };

static char *s_data_path;

static void put(int fd, int place, uint64_t value)
{
    CHECK(pwrite(fd, &value, sizeof value, (off_t)place * PLACE_BYTES) == sizeof value, "pwrite: %s", strerror(errno));
}

static uint64_t get(int fd, int place)
{
    uint64_t value = 0;
    CHECK(pread(fd, &value, sizeof value, (off_t)place * PLACE_BYTES) == sizeof value, "pread: %s", strerror(errno));
    return value;
}

/* Each process writes odd or even places, and knows what the last round has put there. */
static void overwrite(int fd, int first, uint64_t *remembered, uint64_t round)
{
    for (int place = first; place < PLACES; place += 2) {
        uint64_t found = get(fd, place);
        CHECK(found == remembered[place], "place %d has %llu, not %llu", place, (unsigned long long)found, (unsigned long long)remembered[place]);
        remembered[place] = sample_mix(round * PLACES + (uint64_t)place);
        put(fd, place, remembered[place]);
    }
}

static void writer(int stop)
{
    static uint64_t remembered[PLACES];
    int fd = TRY(open(s_data_path, O_RDWR));
    char byte;
    TRY(fcntl(stop, F_SETFL, O_NONBLOCK));
    for (uint64_t round = 1; read(stop, &byte, 1) != 0; round++) {
        overwrite(fd, 1, remembered, round);
        sample_idle();
    }
    _exit(0);
}

int main(int count, char **arguments)
{
    const size_t MAPPED_BYTES = (count > 1 ? strtoul(arguments[1], NULL, 10) : 1) << 20;
    static uint64_t remembered[PLACES];
    static char text[100], line[100];
    s_data_path = sample_path("data");
    char *output_path = sample_path("output"), *journal_path = sample_path("journal"), *mapped_path = sample_path("mapped");
    int data = TRY(open(s_data_path, O_RDWR | O_CREAT | O_TRUNC, 0640));
    TRY(ftruncate(data, PLACES * PLACE_BYTES));
    int output = TRY(open(output_path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    int mapping = TRY(open(mapped_path, O_RDWR | O_CREAT | O_TRUNC, 0600));
    TRY(ftruncate(mapping, MAPPED_BYTES));
    uint64_t *mapped = TRY(mmap(NULL, MAPPED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, mapping, 0));
    TRY(close(mapping));
    int stop[2];
    TRY(pipe(stop));
    pid_t child = TRY(fork());
    if (child == 0) {
        close(stop[1]);
        writer(stop[0]);
    }
    TRY(close(stop[0]));

    sample_ready();
    uint64_t round = 1;
    for (; sample_more(100); round++) {
        int journal = TRY(open(journal_path, O_RDWR | O_CREAT | O_TRUNC, 0600));
        sprintf(text, "round %llu\n", (unsigned long long)round);
        sample_write(journal, text, strlen(text), "journal");
        overwrite(data, 0, remembered, round);
        sample_write(output, text, strlen(text), "output");
        size_t word = sample_mix(round) % (MAPPED_BYTES / sizeof *mapped);
        mapped[word] ^= round;
        sample_idle();
        ssize_t length = pread(journal, line, sizeof line, 0);
        CHECK(length == (ssize_t)strlen(text) && memcmp(line, text, (size_t)length) == 0, "the journal of round %llu differs", (unsigned long long)round);
        TRY(close(journal));
        TRY(unlink(journal_path));
    }

    TRY(close(stop[1]));
    sample_wait_child(child, "the other writer");
    overwrite(data, 0, remembered, round);
    FILE *stream = fopen(output_path, "r");
    CHECK(stream, "fopen: %s", strerror(errno));
    for (uint64_t i = 1; i < round; i++) {
        sprintf(text, "round %llu\n", (unsigned long long)i);
        CHECK(fgets(line, sizeof line, stream) && strcmp(line, text) == 0, "line %llu of the output is '%s'", (unsigned long long)i, line);
    }
    CHECK(!fgets(line, sizeof line, stream), "the output has a line too many: '%s'", line);
    uint64_t *expected = calloc(1, MAPPED_BYTES), *found = malloc(MAPPED_BYTES);
    for (uint64_t i = 1; i < round; i++)
        expected[sample_mix(i) % (MAPPED_BYTES / sizeof *mapped)] ^= i;
    sample_read(TRY(open(mapped_path, O_RDONLY)), found, MAPPED_BYTES, "the mapped file");
    CHECK(memcmp(mapped, expected, MAPPED_BYTES) == 0, "the mapped memory differs");
    CHECK(memcmp(found, expected, MAPPED_BYTES) == 0, "the mapped file differs from the memory");
    return sample_ok(0);
}
