/* Proves: threads may be created and ended, and memory allocated and freed, at
 * full tilt while the program is put to sleep. Every block is checked when freed. */
#include "../sample.h"
#include <pthread.h>

enum { SPAWNERS = 3, BLOCKS = 64 };

static volatile bool s_over;

static void *allocate(void *argument)
{
    uint64_t random = (uintptr_t)argument;
    unsigned char *blocks[BLOCKS] = { 0 };
    size_t sizes[BLOCKS] = { 0 };
    for (int round = 0; round < 500; round++) {
        random = sample_mix(random);
        int slot = random % BLOCKS;
        for (size_t i = 0; i < sizes[slot]; i += 61)
            CHECK(blocks[slot][i] == (unsigned char)(slot + i), "block %d changed at %zu", slot, i);
        sizes[slot] = random % 97 == 0 ? 300000 : random >> 8 & 4095;
        blocks[slot] = realloc(blocks[slot], sizes[slot] + 1);
        CHECK(blocks[slot], "no memory");
        for (size_t i = 0; i < sizes[slot]; i++)
            blocks[slot][i] = (unsigned char)(slot + i);
    }
    for (int slot = 0; slot < BLOCKS; slot++)
        free(blocks[slot]);
    return (void *)(uintptr_t)random;
}

static void *spawn(void *argument)
{
    uint64_t seed = (uintptr_t)argument;
    uintptr_t made = 0;
    while (!s_over) {
        pthread_t threads[3];
        void *results[3];
        for (int i = 0; i < 3; i++)
            CHECK(pthread_create(&threads[i], NULL, allocate, (void *)(uintptr_t)(seed + i)) == 0, "pthread_create");
        for (int i = 0; i < 3; i++)
            CHECK(pthread_join(threads[i], &results[i]) == 0, "pthread_join");
        for (int i = 0; i < 3; i++) {
            uint64_t random = seed + i;
            for (int round = 0; round < 500; round++)
                random = sample_mix(random);
            CHECK((uint64_t)(uintptr_t)results[i] == random, "a thread returned something else");
        }
        seed = sample_mix(seed);
        made += 3;
    }
    return (void *)made;
}

int main(void)
{
    pthread_t spawners[SPAWNERS];
    for (int i = 0; i < SPAWNERS; i++)
        CHECK(pthread_create(&spawners[i], NULL, spawn, (void *)(uintptr_t)(i + 1)) == 0, "pthread_create");

    sample_ready();
    while (sample_more(100))
        sample_idle();

    s_over = true;
    for (int i = 0; i < SPAWNERS; i++) {
        void *made;
        CHECK(pthread_join(spawners[i], &made) == 0 && made, "a spawner made no thread");
    }
    return sample_ok(0);
}
