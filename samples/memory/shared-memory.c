/* Proves: memory that two processes share stays shared after they woke: anonymous,
 * /dev/shm, an unlinked file, memfd, System V (also with its identifier removed),
 * and a mapped file. The child answers in each segment what the parent asks. */
#include "../sample.h"
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/shm.h>

enum { SIZE = 1 << 20, SEGMENTS = 7 };

struct segment { const char *name; volatile uint64_t *words; };

static void *map_file(int fd, bool grow)
{
    if (grow)
        TRY(ftruncate(fd, SIZE));
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED, "mmap: %s", strerror(errno));
    close(fd);
    return memory;
}

int main(void)
{
    char shm_name[64], *path = sample_path("mapped");
    snprintf(shm_name, sizeof shm_name, "/dormouse-sample-%d", getpid());
    struct segment segments[SEGMENTS] = {
        { "anonymous", mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) },
        { "/dev/shm", map_file(TRY(shm_open(shm_name, O_RDWR | O_CREAT | O_EXCL, 0600)), true) },
        { "memfd", map_file(TRY(memfd_create("sample", 0)), true) },
        { "mapped file", map_file(TRY(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)), true) },
    };
    char unlinked_name[80];
    snprintf(unlinked_name, sizeof unlinked_name, "%s-unlinked", shm_name);
    segments[4] = (struct segment){ "unlinked /dev/shm", map_file(TRY(shm_open(unlinked_name, O_RDWR | O_CREAT | O_EXCL, 0600)), true) };
    TRY(shm_unlink(unlinked_name));
    int kept = TRY(shmget(IPC_PRIVATE, SIZE, 0600)), removed = TRY(shmget(IPC_PRIVATE, SIZE, 0600));
    segments[5] = (struct segment){ "System V", shmat(kept, NULL, 0) };
    segments[6] = (struct segment){ "System V, removed", shmat(removed, NULL, 0) };
    TRY(shmctl(removed, IPC_RMID, NULL));
    for (int i = 0; i < SEGMENTS; i++) {
        CHECK(segments[i].words != (void *)-1, "%s: no memory", segments[i].name);
        sample_fill((char *)segments[i].words + 4096, SIZE - 8192, i, 0);
    }
    sem_t *semaphores = (sem_t *)(segments[0].words + 8);
    sem_init(&semaphores[0], 1, 0);
    sem_init(&semaphores[1], 1, 0);

    pid_t child = TRY(fork());
    while (child == 0) {
        CHECK(sem_wait(&semaphores[0]) == 0, "sem_wait: %s", strerror(errno));
        for (int i = 0; i < SEGMENTS; i++)
            segments[i].words[1] = sample_mix(segments[i].words[0]);
        if (segments[0].words[0] == ~0ULL)
            _exit(0);
        sem_post(&semaphores[1]);
    }

    sample_ready();
    for (uint64_t step = 0; sample_more(100); step++) {
        for (int i = 0; i < SEGMENTS; i++)
            segments[i].words[0] = step * SEGMENTS + i;
        sem_post(&semaphores[0]);
        CHECK(sem_wait(&semaphores[1]) == 0, "sem_wait: %s", strerror(errno));
        for (int i = 0; i < SEGMENTS; i++)
            CHECK(segments[i].words[1] == sample_mix(step * SEGMENTS + i), "%s: is not shared any more", segments[i].name);
        sample_idle();
    }

    segments[0].words[0] = ~0ULL;
    sem_post(&semaphores[0]);
    sample_wait_child(child, "child");
    for (int i = 0; i < SEGMENTS; i++)
        sample_compare((char *)segments[i].words + 4096, SIZE - 8192, i, 0, segments[i].name);
    struct shmid_ds status;
    CHECK(shmctl(kept, IPC_STAT, &status) == 0 && status.shm_nattch == 1, "System V id %d: %s, %d attached", kept,
          strerror(errno), (int)status.shm_nattch);
    volatile uint64_t *again = map_file(TRY(shm_open(shm_name, O_RDWR, 0)), false);
    again[2] = 12345;
    CHECK(segments[1].words[2] == 12345, "/dev/shm: the name is another segment");
    again = map_file(TRY(open(path, O_RDWR)), false);
    again[2] = 54321;
    CHECK(segments[3].words[2] == 54321, "mapped file: the name is another file");
    TRY(shmctl(kept, IPC_RMID, NULL));
    TRY(shm_unlink(shm_name));
    TRY(unlink(path));
    return sample_ok(0);
}
