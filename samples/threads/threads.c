/* Proves: eight threads that compute in lock-step keep registers, TLS, mutexes,
 * barriers, thread ids and thread-specific data. What they computed is computed
 * again by one thread at the end. */
#include "../sample.h"
#include <pthread.h>

enum { THREADS = 8, ROUNDS = 20000 };

static pthread_barrier_t s_barrier;
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t s_key;
static volatile bool s_more = true;
static uint64_t s_shared;
static uint64_t s_steps;

static __thread uint64_t t_state;
static __thread double t_real;
static __thread uint64_t t_zero[64];

struct worker { pthread_t thread; uint64_t seed, state; double real; };

static void one_step(uint64_t *state, double *real)
{
    uint64_t value = *state;
    double sum = *real;
    for (int i = 0; i < ROUNDS; i++) {
        value = sample_mix(value + i);
        sum = sum * 0.5 + (double)(value >> 40);
    }
    *state = value;
    *real = sum;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    pid_t tid = gettid();
    t_state = worker->seed;
    CHECK(pthread_setspecific(s_key, worker) == 0, "pthread_setspecific");

    for (;;) {
        pthread_barrier_wait(&s_barrier);
        if (!s_more)
            break;
        one_step(&t_state, &t_real);
        pthread_mutex_lock(&s_lock);
        s_shared++;
        pthread_mutex_unlock(&s_lock);
        CHECK(gettid() == tid, "gettid() is %d, was %d", gettid(), tid);
        pthread_barrier_wait(&s_barrier);
    }

    for (int i = 0; i < 64; i++)
        CHECK(t_zero[i] == 0, "zeroed TLS is not zero");
    CHECK(pthread_getspecific(s_key) == worker, "thread-specific data is lost");
    worker->state = t_state;
    worker->real = t_real;
    return worker;
}

int main(void)
{
    struct worker workers[THREADS];
    CHECK(pthread_barrier_init(&s_barrier, NULL, THREADS + 1) == 0, "pthread_barrier_init");
    CHECK(pthread_key_create(&s_key, NULL) == 0, "pthread_key_create");
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .seed = sample_mix(i) };
        CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "pthread_create");
    }

    sample_ready();
    while (sample_more(200)) {
        pthread_barrier_wait(&s_barrier);
        pthread_barrier_wait(&s_barrier);
        s_steps++;
    }
    s_more = false;
    pthread_barrier_wait(&s_barrier);

    uint64_t checksum = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        CHECK(pthread_join(workers[i].thread, &result) == 0 && result == &workers[i], "pthread_join of thread %d", i);
        uint64_t state = sample_mix(i);
        double real = 0;
        for (uint64_t step = 0; step < s_steps; step++)
            one_step(&state, &real);
        CHECK(state == workers[i].state && real == workers[i].real, "thread %d computed something else", i);
        checksum = sample_mix(checksum ^ state);
    }
    CHECK(s_shared == s_steps * THREADS, "the mutex let %llu updates through, not %llu",
          (unsigned long long)s_shared, (unsigned long long)s_steps * THREADS);
    return sample_ok(checksum);
}
